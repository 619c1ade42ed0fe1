
-- What the schema looked like after a run, so that a later look can tell whether somebody else changed
-- it. No evidence and not guarded: each run replaces it, it is compared and never believed, and whoever
-- may write here can change the schema too. Text of older rows is dropped: a schema may be megabytes.
CREATE TABLE IF NOT EXISTS tollgate.fingerprint (
  seq      bigint PRIMARY KEY CHECK (seq > 0),
  hash     text NOT NULL,
  digest   text NOT NULL,
  body     text,
  reading  text NOT NULL,
  kept_at  timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  role     text NOT NULL DEFAULT current_user
);
COMMENT ON TABLE tollgate.fingerprint IS
  'What the schema looked like after a run, one row for each receipt that was the newest then. Written anew by each run; no evidence. See docs/LEDGER.md of tollgate.';
COMMENT ON COLUMN tollgate.fingerprint.seq IS 'The place of the receipt that was the newest.';
COMMENT ON COLUMN tollgate.fingerprint.hash IS 'The hash of that receipt.';
COMMENT ON COLUMN tollgate.fingerprint.digest IS 'The hash of the text.';
COMMENT ON COLUMN tollgate.fingerprint.body IS 'The canonical text, one line of JSON for each object; null in all rows but the newest.';
COMMENT ON COLUMN tollgate.fingerprint.reading IS 'How it was read: the version of tollgate''s queries, and the server''s major version, which writes definitions in its own words. Others cannot be compared.';
COMMENT ON COLUMN tollgate.fingerprint.kept_at IS 'The server''s clock.';
COMMENT ON COLUMN tollgate.fingerprint.role IS 'The role that looked, and wrote the row.';
