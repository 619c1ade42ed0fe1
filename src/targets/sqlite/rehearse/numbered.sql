-- Tables with AUTOINCREMENT, and the last number that is kept of each. The word may stand in a text or a
-- comment: then it is a table like others, whose rows have numbers all the same.
SELECT s.name, max(q.seq)
FROM main.sqlite_schema AS s
JOIN pragma_table_list AS l ON l.schema = 'main' AND l.type = 'table' AND l.name = s.name AND NOT l.wr
LEFT JOIN main.sqlite_sequence AS q ON q.name = s.name
WHERE s.type = 'table' AND s.sql LIKE '%autoincrement%' AND s.name NOT GLOB 'tollgate_*'
GROUP BY s.name;
