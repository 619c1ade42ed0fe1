-- A failure of tollgate's with other bytes goes with the success of these.
DELETE FROM {table} WHERE id::pg_catalog.text OPERATOR(pg_catalog.=) '{id}' AND finished_at IS NULL;
