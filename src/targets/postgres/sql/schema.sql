-- tollgate's own tables. Run inside a transaction, under the run's lock; every statement may be
-- repeated. Every name is qualified: the session's search_path is the application's.

CREATE SCHEMA IF NOT EXISTS tollgate;
COMMENT ON SCHEMA tollgate IS
  'What the tool tollgate knows of this database: which migrations ran here. Written by tollgate only.';

CREATE TABLE IF NOT EXISTS tollgate.identity (
  only_row           boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  incarnation        text NOT NULL,
  environment        text NOT NULL,
  system_identifier  text,
  timeline           bigint,
  database_oid       oid NOT NULL,
  application_schema oid,
  bound_at           timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE tollgate.identity IS
  'One row: which environment this database was bound to, and what it was known by then. A copy carries the row, and the mismatch shows it.';
COMMENT ON COLUMN tollgate.identity.incarnation IS 'Drawn at random when this life of the database began: 32 hexadecimal digits.';
COMMENT ON COLUMN tollgate.identity.environment IS 'The environment in tollgate.toml.';
COMMENT ON COLUMN tollgate.identity.system_identifier IS 'The cluster''s, from pg_control_system(); null where the role may not read it.';
COMMENT ON COLUMN tollgate.identity.timeline IS 'The cluster''s timeline, from pg_control_checkpoint(); null where the role may not read it.';
COMMENT ON COLUMN tollgate.identity.database_oid IS 'This database''s oid when it was bound; a rename keeps it, a copy changes it.';
COMMENT ON COLUMN tollgate.identity.application_schema IS 'The oid of current_schema(); when it changed, the application''s schema was dropped and made again.';
COMMENT ON COLUMN tollgate.identity.bound_at IS 'The server''s clock.';

CREATE TABLE IF NOT EXISTS tollgate.receipt (
  seq                bigint PRIMARY KEY CHECK (seq > 0),
  prev               bigint UNIQUE REFERENCES tollgate.receipt (seq),
  hash               text NOT NULL UNIQUE,
  migration          text NOT NULL,
  attempt            text NOT NULL UNIQUE,
  kind               text NOT NULL CHECK (kind IN ('atomic', 'journalled', 'resolved', 'prisma', 'baselined', 'rehearsed', 'undone')),
  body               text NOT NULL,
  recorded_at        timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  role               text NOT NULL DEFAULT current_user,
  xid                bigint NOT NULL DEFAULT pg_catalog.txid_current(),
  application_schema oid DEFAULT pg_catalog.to_regnamespace(pg_catalog.quote_ident(current_schema()))::oid,
  -- One root, one child each, no holes: even where foreign keys are not looked at.
  CONSTRAINT receipt_follows CHECK ((seq = 1 AND prev IS NULL) OR (prev IS NOT NULL AND prev = seq - 1))
);
COMMENT ON TABLE tollgate.receipt IS
  'One row for each migration that ran here, written in the migration''s own transaction where there is one. Append-only, chained by hash: see docs/LEDGER.md of tollgate.';
COMMENT ON COLUMN tollgate.receipt.seq IS 'The receipt''s place, from 1, without gaps.';
COMMENT ON COLUMN tollgate.receipt.prev IS 'The place of the one before it; null for the first.';
COMMENT ON COLUMN tollgate.receipt.hash IS 'The hash of the body.';
COMMENT ON COLUMN tollgate.receipt.migration IS 'The migration''s id: the name of its folder. Also in the body.';
COMMENT ON COLUMN tollgate.receipt.attempt IS 'The attempt that this closes. Also in the body.';
COMMENT ON COLUMN tollgate.receipt.kind IS 'atomic: written in the migration''s transaction. journalled: closed after its last statement. resolved: written on a person''s word. Also in the body.';
COMMENT ON COLUMN tollgate.receipt.body IS 'The exact bytes that were hashed: one line of JSON.';
COMMENT ON COLUMN tollgate.receipt.recorded_at IS 'The server''s clock when the row was written. Beside the receipt, not hashed.';
COMMENT ON COLUMN tollgate.receipt.role IS 'The role that wrote the row. Beside the receipt, not hashed.';
COMMENT ON COLUMN tollgate.receipt.xid IS 'The transaction that wrote the row. Beside the receipt, not hashed.';
COMMENT ON COLUMN tollgate.receipt.application_schema IS 'The oid of current_schema() when the row was written. Beside the receipt, not hashed.';

CREATE TABLE IF NOT EXISTS tollgate.journal (
  id        bigint PRIMARY KEY,
  attempt   text NOT NULL,
  migration text NOT NULL,
  step      bigint NOT NULL CHECK (step >= 0),
  of        bigint NOT NULL CHECK (of >= step),
  what      text NOT NULL
            CHECK (what IN ('started', 'begun', 'done', 'undone', 'failed', 'finished', 'resolved')),
  checksum  text,
  verdict   text,
  reason    text,
  at        timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
  CONSTRAINT journal_says_why CHECK ((what = 'resolved') = (verdict IS NOT NULL AND reason IS NOT NULL))
);
CREATE INDEX IF NOT EXISTS journal_attempt ON tollgate.journal (attempt, id);
COMMENT ON TABLE tollgate.journal IS
  'How far scripts came that do not run in one transaction of tollgate''s. Append-only.';
COMMENT ON COLUMN tollgate.journal.id IS 'The row''s place. Counted, not drawn from a sequence: a script''s lastval() stays its own.';
COMMENT ON COLUMN tollgate.journal.attempt IS 'The attempt.';
COMMENT ON COLUMN tollgate.journal.migration IS 'The migration''s id.';
COMMENT ON COLUMN tollgate.journal.step IS 'The statement''s place in the script, from 1; 0 for started. For resolved: how many statements stand.';
COMMENT ON COLUMN tollgate.journal.of IS 'How many statements the script has; 1 where it was not analysed and is sent whole.';
COMMENT ON COLUMN tollgate.journal.what IS
  'started: the attempt was begun. begun: about to be sent, outside any transaction. done: everything up to this step ended; written in the statement''s own transaction where it can stand in one. undone: it failed, and nothing of it stands. failed: it failed, and may have left something. finished: with the receipt. resolved: a person''s word.';
COMMENT ON COLUMN tollgate.journal.checksum IS 'BLAKE3 of the statement''s exact bytes; of the whole script for started.';
COMMENT ON COLUMN tollgate.journal.verdict IS 'What the person said: not-applied, applied, continue-at.';
COMMENT ON COLUMN tollgate.journal.reason IS 'Why.';
COMMENT ON COLUMN tollgate.journal.at IS 'The server''s clock.';

CREATE TABLE IF NOT EXISTS tollgate.archive (
  incarnation        text NOT NULL,
  seq                bigint NOT NULL,
  hash               text NOT NULL,
  migration          text NOT NULL,
  attempt            text NOT NULL,
  kind               text NOT NULL,
  body               text NOT NULL,
  recorded_at        timestamptz NOT NULL,
  role               text NOT NULL,
  xid                bigint NOT NULL,
  application_schema oid,
  archived_at        timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE tollgate.archive IS
  'The receipts of earlier lives of this database, moved here when it was bound again. Append-only; the columns are those of receipt.';
COMMENT ON COLUMN tollgate.archive.incarnation IS 'The life that the receipt belongs to, from the identity that was replaced.';
COMMENT ON COLUMN tollgate.archive.archived_at IS 'The server''s clock when the row was moved.';

CREATE TABLE IF NOT EXISTS tollgate.life (
  incarnation text PRIMARY KEY,
  after       text NOT NULL,
  how         text NOT NULL CHECK (how IN ('kept', 'emptied', 'reset')),
  begun_at    timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp()
);
COMMENT ON TABLE tollgate.life IS
  'One row for each life of this database but the first: so a ledger that knows an earlier one can tell that this database was emptied. Append-only.';
COMMENT ON COLUMN tollgate.life.incarnation IS 'The life that began.';
COMMENT ON COLUMN tollgate.life.after IS 'The life before it, from the identity that was replaced.';
COMMENT ON COLUMN tollgate.life.how IS 'kept: the receipts stayed. emptied: a person said so. reset: tollgate emptied the database itself.';
COMMENT ON COLUMN tollgate.life.begun_at IS 'The server''s clock.';

-- The guards. They stop mistakes, not an owner who means it: only the chain of hashes speaks.
CREATE OR REPLACE FUNCTION tollgate.refuse_change() RETURNS trigger
  LANGUAGE plpgsql SET search_path = '' AS $guard$
BEGIN
  RAISE EXCEPTION 'tollgate.% is append-only: % is refused', TG_TABLE_NAME, TG_OP
    USING HINT = 'Only tollgate writes here; to start anew, bind the environment again.';
END
$guard$;
COMMENT ON FUNCTION tollgate.refuse_change() IS 'Refuses UPDATE, DELETE and TRUNCATE on the append-only tables.';

DROP TRIGGER IF EXISTS append_only ON tollgate.receipt;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tollgate.receipt
  FOR EACH STATEMENT EXECUTE FUNCTION tollgate.refuse_change();
DROP TRIGGER IF EXISTS append_only ON tollgate.journal;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tollgate.journal
  FOR EACH STATEMENT EXECUTE FUNCTION tollgate.refuse_change();
DROP TRIGGER IF EXISTS append_only ON tollgate.archive;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tollgate.archive
  FOR EACH STATEMENT EXECUTE FUNCTION tollgate.refuse_change();
DROP TRIGGER IF EXISTS append_only ON tollgate.life;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tollgate.life
  FOR EACH STATEMENT EXECUTE FUNCTION tollgate.refuse_change();

-- ALWAYS: session_replication_role = replica does not switch them off.
ALTER TABLE tollgate.receipt ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE tollgate.journal ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE tollgate.archive ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE tollgate.life ENABLE ALWAYS TRIGGER append_only;
