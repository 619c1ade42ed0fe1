-- A table's columns, as SQLite understood them. Hidden: 1 of a virtual table, 2 and 3 generated.
SELECT x.name, x.type, x."notnull", x.dflt_value, x.pk, x.hidden
FROM pragma_table_xinfo(?1, 'main') AS x
ORDER BY x.cid;
