-- The moment that a backup is of. It is held for as long as pg_dump reads in it, which may be hours: nobody
-- ends it for being idle, or for taking long; and whoever holds a table shortly is waited for. A setting that
-- the server does not know is left out.
BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;
SELECT pg_catalog.set_config(s.name, '0', true)
  FROM pg_catalog.pg_settings AS s
 WHERE s.name IN ('idle_in_transaction_session_timeout', 'statement_timeout', 'transaction_timeout');
SELECT pg_catalog.set_config('lock_timeout', {lock_wait}, true);
SELECT pg_catalog.pg_export_snapshot() AS snapshot;
