-- The tables that are asked about, with what the server knows of their size without looking at them. One
-- whose schema is not named is the application's: no other one that the search path holds, and no catalog.
SELECT w.place, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS name,
       c.relpages::pg_catalog.int8 AS pages, c.reltuples::pg_catalog.int8 AS estimate
FROM (VALUES {wanted}) AS w (place, schema, name)
JOIN pg_catalog.pg_namespace AS n ON n.nspname = COALESCE(w.schema, current_schema()::pg_catalog.text)
JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name
-- Ordinary, partitioned, and materialized views.
WHERE c.relkind IN ('r', 'p', 'm')
ORDER BY w.place
