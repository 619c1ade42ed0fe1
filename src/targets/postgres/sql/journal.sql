-- Journal rows in a transaction of their own, in the middle of a script: what the script has set
-- stays in force for its later statements, and must not stand in the way here.
BEGIN READ WRITE;
SET LOCAL session_authorization TO DEFAULT;
SET LOCAL role TO DEFAULT;
SET LOCAL statement_timeout TO DEFAULT;
SET LOCAL lock_timeout TO DEFAULT;
SET LOCAL synchronous_commit = on;
-- Raises unless the run's lock is this session's: a script gave it back, or a pooler that nobody
-- recognised put another session in the place of ours. Nothing of the statement is kept then.
SELECT pg_catalog.int4in(pg_catalog.textout(CASE
  WHEN NOT EXISTS ({holds}) THEN 'tollgate:{attempt}:unlocked'
  ELSE '0'
END));
{journal}
COMMIT;
