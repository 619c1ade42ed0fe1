-- What the script made that would have ended with its session: it is dropped, as it is after a script that
-- is applied. What belongs to another goes with it, and is dropped only if it is still there.
SELECT pg_catalog.format('DROP %s IF EXISTS %I.%I CASCADE',
                         CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
                                        WHEN 'S' THEN 'SEQUENCE' WHEN 'c' THEN 'TYPE'
                                        WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END,
                         n.nspname, c.relname) AS statement
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.oid = pg_catalog.pg_my_temp_schema() AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'c', 'f')
   AND c.relname <> 'tollgate_fence'
UNION ALL
SELECT pg_catalog.format('DROP ROUTINE IF EXISTS %s CASCADE', p.oid::pg_catalog.regprocedure)
  FROM pg_catalog.pg_proc AS p
 WHERE p.pronamespace = pg_catalog.pg_my_temp_schema()
UNION ALL
SELECT pg_catalog.format('DROP TYPE IF EXISTS %I.%I CASCADE', n.nspname, t.typname)
  FROM pg_catalog.pg_type AS t
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
 WHERE n.oid = pg_catalog.pg_my_temp_schema() AND t.typtype IN ('e', 'd', 'r')
