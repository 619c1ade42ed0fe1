-- Just before the COMMIT of a script's own transaction: the row that says that it is done is committed
-- with it, or neither is. Raises unless the run's lock is this session's.
SELECT pg_catalog.int4in(pg_catalog.textout(CASE
  WHEN NOT EXISTS ({holds}) THEN 'tollgate:{attempt}:unlocked'
  ELSE '0'
END));
{journal}
