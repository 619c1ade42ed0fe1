-- The schema, line by line. A column that was taken away and added again leaves other blanks in the
-- table's text, so columns are told one by one. Without the table in which a run keeps its picture of the
-- schema: it is made after the newest receipt, and a run that ends before that keeps none.
SELECT 'table ' || s.name || '.' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || c.pk || ' '
       || COALESCE(c.dflt_value, '') AS line
  FROM sqlite_schema AS s, pragma_table_info(s.name) AS c
 WHERE s.type = 'table' AND s.name <> 'tollgate_fingerprint'
UNION ALL
SELECT type || ' ' || name || ' ' || tbl_name || ' ' || COALESCE(sql, '')
  FROM sqlite_schema WHERE type <> 'table' AND tbl_name <> 'tollgate_fingerprint'
UNION ALL
SELECT 'foreign key ' || s.name || ' ' || f."from" || ' ' || f."table" || ' ' || f.on_delete
  FROM sqlite_schema AS s, pragma_foreign_key_list(s.name) AS f
 WHERE s.type = 'table'
 ORDER BY line
