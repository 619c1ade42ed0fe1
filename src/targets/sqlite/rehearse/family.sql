-- Tables that a foreign key joins to others, at either end.
SELECT lower(l.name)
FROM pragma_table_list AS l
WHERE l.schema = 'main' AND l.type = 'table'
  AND EXISTS (SELECT 1 FROM pragma_foreign_key_list(l.name, 'main'))
UNION
SELECT lower(f."table")
FROM pragma_table_list AS l, pragma_foreign_key_list(l.name, 'main') AS f
WHERE l.schema = 'main' AND l.type = 'table';
