-- The row of an attempt that stands there since it was begun, brought to its end. A success that stands
-- stays as it is.
UPDATE {table}
   SET finished_at = {finished}, logs = {logs}, rolled_back_at = {rolled_back}, applied_steps_count = {steps}
 WHERE id::pg_catalog.text OPERATOR(pg_catalog.=) '{id}'
   AND (finished_at IS NULL OR rolled_back_at IS NOT NULL);
