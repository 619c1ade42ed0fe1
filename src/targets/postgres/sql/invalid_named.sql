-- INVALID indexes, whole tables' only: a partitioned table's own index is invalid until each of its
-- partitions has one.
SELECT c.relname AS index, n.nspname AS schema, t.relname AS "table",
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  JOIN pg_catalog.pg_class AS t ON t.oid OPERATOR(pg_catalog.=) i.indrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE NOT i.indisvalid
   AND c.relkind OPERATOR(pg_catalog.=) 'i'::pg_catalog."char"
