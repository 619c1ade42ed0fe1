-- What is known by now of an attempt that failed. One that was said to be rolled back stays so.
UPDATE {table}
   SET logs = {logs}, rolled_back_at = COALESCE(rolled_back_at, {rolled_back})
 WHERE id::pg_catalog.text OPERATOR(pg_catalog.=) '{id}' AND finished_at IS NULL;
