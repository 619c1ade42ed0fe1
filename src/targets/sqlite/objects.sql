-- What is the application's, in an order in which it can be dropped. The tables behind a virtual one
-- ("shadow") go with it and cannot be dropped alone; the indexes and triggers of a table go with it too,
-- so only those on tollgate's own tables are listed.
SELECT CASE l.type WHEN 'virtual' THEN 'virtual table' ELSE l.type END, l.name
FROM pragma_table_list AS l
WHERE l.schema = 'main' AND l.type IN ('table', 'view', 'virtual')
  AND l.name NOT GLOB 'sqlite_*' AND l.name NOT GLOB 'tollgate_*'
UNION ALL
SELECT s.type, s.name
FROM main.sqlite_schema AS s
WHERE s.type IN ('index', 'trigger') AND s.tbl_name GLOB 'tollgate_*'
  AND s.name NOT GLOB 'sqlite_*' AND s.name NOT GLOB 'tollgate_*'
-- 'virtual table', 'view', 'trigger', 'table', 'index'.
ORDER BY 1 DESC, 2;
