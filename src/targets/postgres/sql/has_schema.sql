-- A row where the schema that the URL names is there.
SELECT 1
  FROM pg_catalog.pg_namespace AS n
 WHERE n.nspname OPERATOR(pg_catalog.=) {schema}
