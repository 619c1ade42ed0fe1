-- The tables whose rows are looked at: those of the schema's fingerprint, as schema_objects.sql chooses
-- them. The tables behind a virtual one ("shadow") are left out: how its module arranges them differs from
-- one run of the same statements to the next. Its rows are read through it.
SELECT l.name, l.type = 'virtual', s.sql
FROM pragma_table_list AS l
JOIN main.sqlite_schema AS s ON s.type = 'table' AND s.name = l.name
WHERE l.schema = 'main' AND l.type IN ('table', 'virtual')
  AND l.name NOT GLOB 'sqlite_*' AND l.name NOT GLOB 'tollgate_*'
  AND l.name <> '_prisma_migrations' COLLATE NOCASE
ORDER BY l.name;
