-- The statement that closes an attempt of a script which only defines things: what message C does with three
-- of its own, read and planned once for several scripts. It raises unless the transaction and the run's lock
-- are ours, writes the receipt, and raises where the row was swallowed or tollgate's other tables are gone.
PREPARE tollgate_close (pg_catalog.text, pg_catalog.int8, pg_catalog.int8, pg_catalog.text, pg_catalog.text, pg_catalog.text, pg_catalog.text) AS
WITH written AS (
  INSERT INTO tollgate.receipt (attempt, seq, prev, hash, migration, kind, body)
  VALUES ($1, $2, $3, $4, $5, $6, $7)
  RETURNING hash, recorded_at
)
SELECT pg_catalog.int4in(pg_catalog.textout(CASE
  WHEN COALESCE(pg_catalog.current_setting('tollgate.attempt', true), '') OPERATOR(pg_catalog.<>) $1
    THEN CASE
      WHEN pg_catalog.transaction_timestamp() OPERATOR(pg_catalog.=) pg_catalog.statement_timestamp()
        THEN pg_catalog.concat('tollgate:', $1, ':ended')
      ELSE pg_catalog.concat('tollgate:', $1, ':reset')
    END
  WHEN {lost}
    THEN pg_catalog.concat('tollgate:', $1, ':unlocked')
  WHEN NOT EXISTS (SELECT FROM written AS r WHERE r.hash OPERATOR(pg_catalog.=) $4)
    THEN pg_catalog.concat('tollgate:', $1, ':swallowed')
  WHEN NOT EXISTS (SELECT FROM tollgate.identity)
    OR EXISTS (SELECT FROM tollgate.journal WHERE false)
    THEN pg_catalog.concat('tollgate:', $1, ':forgotten')
  ELSE '0'
END)), (SELECT {recorded_at} FROM written AS r) AS recorded_at;
