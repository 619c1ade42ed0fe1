-- When a failure counts as rolled back at once: where the migration counts as applied by another row.
CASE WHEN EXISTS (
  SELECT FROM {table} AS d
   WHERE d.migration_name::pg_catalog.text OPERATOR(pg_catalog.=) {migration}
     AND d.finished_at IS NOT NULL AND d.rolled_back_at IS NULL)
  THEN pg_catalog.clock_timestamp() END
