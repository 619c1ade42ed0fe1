-- How large those tables are, in bytes, with what is stored beside the rows. A table that somebody holds
-- exclusively is waited for, so there is another way to ask: {size}.
SELECT COALESCE(pg_catalog.sum({size}), 0)::pg_catalog.int8 AS size
  FROM pg_catalog.pg_class AS c
  LEFT JOIN pg_catalog.pg_class AS o ON o.oid = c.reltoastrelid
 WHERE (c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated) AND {in_scope};
