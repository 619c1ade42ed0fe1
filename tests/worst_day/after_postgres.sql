-- The third migration: what it finds in its session goes into a table. Its names are not qualified:
-- a search_path or a temporary table that leaked would lead it elsewhere.
INSERT INTO counter VALUES ('after', 1);
CREATE TABLE seen AS
  SELECT 'setting ' || name AS what, setting AS value FROM pg_settings
   WHERE setting IS DISTINCT FROM reset_val AND name NOT LIKE 'transaction\_%'
  UNION ALL SELECT 'user', current_user::text || ' ' || session_user::text || ' ' || current_setting('role')
  UNION ALL SELECT 'path', current_setting('search_path')
  UNION ALL SELECT 'encoding', current_setting('client_encoding')
  UNION ALL SELECT 'isolation', current_setting('transaction_isolation') || current_setting('transaction_read_only')
  UNION ALL SELECT 'timeout', current_setting('statement_timeout') || current_setting('lock_timeout')
  UNION ALL SELECT 'replication role', current_setting('session_replication_role')
  UNION ALL SELECT 'listens', pg_listening_channels()
  UNION ALL SELECT 'cursor', name FROM pg_cursors
  UNION ALL SELECT 'prepared', name FROM pg_prepared_statements
  UNION ALL SELECT 'temporary', relname::text FROM pg_class WHERE relnamespace = pg_my_temp_schema()
  UNION ALL SELECT 'run lock', count(*)::text FROM pg_locks
             WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted AND objid = 72707369;
