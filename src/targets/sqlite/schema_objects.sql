-- What stands in the file besides SQLite's own, tollgate's and Prisma's table with its parts. An index or
-- a trigger that a script put on one of tollgate's tables is the script's.
SELECT s.type, s.name, s.tbl_name, s.sql
FROM main.sqlite_schema AS s
WHERE s.name NOT GLOB 'sqlite_*' AND s.name NOT GLOB 'tollgate_*'
  AND s.tbl_name <> '_prisma_migrations' COLLATE NOCASE
ORDER BY s.type, s.name;
