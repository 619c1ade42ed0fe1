-- A row where the application's schema, as tollgate saw it last, is there no more. The newest receipt
-- tells; one that was written in an earlier life of the database, or in the database that this one is
-- a copy of, does not: there the identity row is newer. An oid that is not known raises no alarm.
SELECT s.schema = '2200'::pg_catalog.oid AS was_public, current_schema() AS now,
       EXISTS (
         SELECT FROM pg_catalog.pg_class AS c
           JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p', 'f')
            AND NOT EXISTS (
              SELECT FROM pg_catalog.pg_depend AS e
               WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                 AND e.objid = c.oid AND e.deptype = 'e'
            )
       ) AS filled
  FROM (
    SELECT CASE
             WHEN pg_catalog.strpos(r.body, '"target":"' || i.incarnation || '"') > 0
               THEN r.application_schema
             ELSE i.application_schema
           END AS schema
      FROM tollgate.identity AS i, tollgate.receipt AS r
     WHERE r.seq = (SELECT max(l.seq) FROM tollgate.receipt AS l)
  ) AS s
 WHERE s.schema IS NOT NULL
   AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.oid = s.schema)
