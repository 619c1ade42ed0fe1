-- Temporary objects, in an order in which they can be dropped: 'view', 'trigger', 'table'. Indexes go with
-- their tables.
SELECT t.type, t.name
FROM temp.sqlite_schema AS t
WHERE t.type IN ('view', 'trigger', 'table') AND t.name NOT GLOB 'sqlite_*'
ORDER BY t.type DESC, t.name;
