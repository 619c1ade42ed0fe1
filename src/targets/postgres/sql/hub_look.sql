-- What the hub's database is: one row. No name of ours is looked up: a role that may not enter the
-- schema must get an answer too.
SELECT pg_catalog.pg_is_in_recovery() AS standby,
       pg_catalog.getdatabaseencoding() AS encoding,
       EXISTS (SELECT FROM pg_catalog.pg_namespace AS n WHERE n.nspname = 'tollgate_hub') AS has_schema,
       t.oid IS NOT NULL AS has_table,
       COALESCE(pg_catalog.obj_description(t.oid, 'pg_class'), '') AS comment
  FROM (VALUES (1)) AS one
  LEFT JOIN (
    SELECT c.oid
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname = 'tollgate_hub' AND c.relname = 'entry'
  ) AS t ON true;
