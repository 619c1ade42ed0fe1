-- The columns of those tables, by name, and how the hash of a value is had: by what lies below a domain.
-- Only of types that have one way to write a value the value itself is hashed.
SELECT c.oid AS table, pg_catalog.quote_ident(a.attname) AS name,
       CASE WHEN b.oid IN ('pg_catalog.text'::pg_catalog.regtype, 'pg_catalog.varchar'::pg_catalog.regtype)
              THEN 'text'
            WHEN b.oid = 'pg_catalog.bytea'::pg_catalog.regtype THEN 'bytes'
            WHEN b.oid IN ('pg_catalog.int2'::pg_catalog.regtype, 'pg_catalog.int4'::pg_catalog.regtype,
                           'pg_catalog.int8'::pg_catalog.regtype) THEN 'integer'
            WHEN b.oid = 'pg_catalog.uuid'::pg_catalog.regtype THEN 'uuid'
            WHEN b.oid IN ('pg_catalog.timestamp'::pg_catalog.regtype,
                           'pg_catalog.timestamptz'::pg_catalog.regtype) THEN 'timestamp'
            WHEN b.typtype IN ('b', 'e', 'r', 'm') THEN 'plain'
            ELSE 'composite' END AS kind
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  LEFT JOIN LATERAL (
         WITH RECURSIVE below AS (
           SELECT t.oid, t.typtype, t.typbasetype
           UNION ALL
           SELECT u.oid, u.typtype, u.typbasetype
             FROM below AS d
             JOIN pg_catalog.pg_type AS u ON u.oid = d.typbasetype
            WHERE d.typtype = 'd'
         )
         SELECT x.oid, x.typtype FROM below AS x WHERE x.typtype <> 'd'
       ) AS b ON true
 WHERE (c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated) AND {in_scope}
 ORDER BY c.oid, a.attname COLLATE "C";
