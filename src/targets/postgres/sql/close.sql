-- Message C: closes an attempt. Only its answer counts. It is ASCII alone, has no backslash and no
-- name that is not qualified, because it is read with whatever the script left set; what the script
-- left set is gone before the receipt is written.

-- Only a warning while the transaction of message A is open. Where the script ended that one this
-- begins a real block, so that the error below takes the rest of this message with it.
BEGIN;
-- Deferred constraints fail here, where it is still known which script they belong to.
SET CONSTRAINTS ALL IMMEDIATE;
RESET SESSION AUTHORIZATION;
RESET ROLE;
-- Raises unless the transaction and the run's lock are ours: int4in does not take a word. A WHERE
-- would write no row in silence, and a cast could have been replaced.
SELECT pg_catalog.int4in(pg_catalog.textout(CASE
  WHEN COALESCE(pg_catalog.current_setting('tollgate.attempt', true), '')
       OPERATOR(pg_catalog.<>) '{attempt}'
    -- A transaction that began with this very message is the one above.
    THEN CASE
      WHEN pg_catalog.transaction_timestamp() OPERATOR(pg_catalog.=) pg_catalog.statement_timestamp()
        THEN 'tollgate:{attempt}:ended'
      ELSE 'tollgate:{attempt}:reset'
    END
  WHEN {lost}
    THEN 'tollgate:{attempt}:unlocked'
  ELSE '0'
END));
-- The next script finds the search path that the first one found, and the receipt tells the schema.
RESET ALL;{after_reset}
-- An acknowledged commit survives a crash, whatever the role's or the database's default is. Of several
-- that are sent at once the last one alone waits for the disk, and none before it is acknowledged until then.
SET LOCAL synchronous_commit = {durable};
{receipt}
-- A rule or a trigger that the script left on the table could have swallowed the row: then the work
-- must not be committed without it. Nor without the other tables: a target that lost one of them is
-- one that tollgate never entered. A table that is gone fails here by its name. The receipts of scripts that
-- were closed in one statement (prepare.sql) and not looked at since are looked at too.
SELECT pg_catalog.int4in(pg_catalog.textout(CASE
  WHEN COALESCE((
    SELECT pg_catalog.string_agg(r.hash, ' ' ORDER BY r.seq) FROM tollgate.receipt AS r
     WHERE r.seq OPERATOR(pg_catalog.>=) {first} AND r.seq OPERATOR(pg_catalog.<=) {last}
  ), '') OPERATOR(pg_catalog.<>) '{hashes}'
    THEN 'tollgate:{attempt}:swallowed'
  WHEN NOT EXISTS (SELECT FROM tollgate.identity)
    OR EXISTS (SELECT FROM tollgate.journal WHERE false)
    THEN 'tollgate:{attempt}:forgotten'
  ELSE '0'
END)), (SELECT {recorded_at} FROM tollgate.receipt AS r
         WHERE r.attempt OPERATOR(pg_catalog.=) '{attempt}') AS recorded_at;
{journal}
-- Prisma's own row, where its table is kept.
{beside}
COMMIT;
-- What outlives a transaction, so that the next script finds a session like the first one did.
-- DISCARD ALL would give the run's lock back.
DISCARD TEMP;
DISCARD SEQUENCES;
DEALLOCATE ALL;
UNLISTEN *;
CLOSE ALL;
