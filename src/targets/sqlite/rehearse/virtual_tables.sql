-- The virtual tables that are looked at, as data_tables.sql chooses them.
SELECT s.name, s.sql
FROM main.sqlite_schema AS s
WHERE s.type = 'table' AND s.rootpage = 0
  AND s.name NOT GLOB 'sqlite_*' AND s.name NOT GLOB 'tollgate_*'
ORDER BY s.name;
