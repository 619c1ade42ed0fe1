-- Raises unless the run's lock is this session's: a script gave it back, or a pooler that nobody
-- recognised put another session in the place of ours. Nothing of the statement is kept then.
SELECT pg_catalog.int4in(pg_catalog.textout(CASE
  WHEN NOT EXISTS ({holds}) THEN 'tollgate:{attempt}:unlocked'
  ELSE '0'
END));
