-- Indexes that a CREATE or REINDEX ... CONCURRENTLY left behind.
SELECT i.indexrelid,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE NOT i.indisvalid
