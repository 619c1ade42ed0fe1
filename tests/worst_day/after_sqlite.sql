-- The third migration: what it finds on its connection goes into a table.
INSERT INTO counter VALUES ('after', 1);
CREATE TABLE seen AS
  SELECT 'foreign keys' AS what, foreign_keys AS value FROM pragma_foreign_keys
  UNION ALL SELECT 'recursive triggers', recursive_triggers FROM pragma_recursive_triggers
  UNION ALL SELECT 'ignored checks', ignore_check_constraints FROM pragma_ignore_check_constraints
  UNION ALL SELECT 'deferred keys', defer_foreign_keys FROM pragma_defer_foreign_keys
  UNION ALL SELECT 'query only', query_only FROM pragma_query_only
  UNION ALL SELECT 'synchronous', synchronous FROM pragma_synchronous
  UNION ALL SELECT 'locking', locking_mode FROM pragma_locking_mode
  UNION ALL SELECT 'temporary store', temp_store FROM pragma_temp_store
  UNION ALL SELECT 'uncommitted', read_uncommitted FROM pragma_read_uncommitted
  UNION ALL SELECT 'writable schema', writable_schema FROM pragma_writable_schema
  UNION ALL SELECT 'trusted schema', trusted_schema FROM pragma_trusted_schema
  UNION ALL SELECT 'heap', hard_heap_limit FROM pragma_hard_heap_limit
  UNION ALL SELECT 'temporary', name FROM temp.sqlite_schema
  UNION ALL SELECT 'attached', name FROM pragma_database_list WHERE name NOT IN ('main', 'temp');
