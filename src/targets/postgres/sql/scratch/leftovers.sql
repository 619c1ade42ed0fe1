-- Scratch databases of this target that somebody did not drop.
SELECT d.datname AS name
  FROM pg_catalog.pg_database AS d
 WHERE pg_catalog.starts_with(d.datname::pg_catalog.text, {prefix})
 ORDER BY d.datname
