-- The columns whose values are looked at, generated ones (2, 3) included; 1 are those that a virtual table
-- has for its own use.
SELECT x.name, x.pk
FROM pragma_table_xinfo(?1, 'main') AS x
WHERE x.hidden <> 1;
