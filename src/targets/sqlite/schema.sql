-- tollgate's own tables in a SQLite target. Run as often as wanted, inside a transaction.

-- Which life of which target this is. One row.
CREATE TABLE IF NOT EXISTS main.tollgate_identity (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    schema      INTEGER NOT NULL DEFAULT 1,             -- the version of these tables
    incarnation TEXT    NOT NULL CHECK (length(incarnation) = 32),
    environment TEXT    NOT NULL,
    bound_at    TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;

-- One row for each migration that succeeded. `body` holds the exact bytes that `hash` is taken of;
-- the other columns repeat parts of it so that SQL can find and guard them. No hole, no fork: `seq`
-- counts from 1, `prev` is the number before it, and each number can be followed once.
CREATE TABLE IF NOT EXISTS main.tollgate_receipt (
    seq         INTEGER PRIMARY KEY CHECK (seq >= 1),
    prev        INTEGER UNIQUE REFERENCES tollgate_receipt (seq)
                CHECK (prev IS nullif(seq - 1, 0)),
    hash        TEXT    NOT NULL UNIQUE CHECK (length(hash) = 64),
    migration   TEXT    NOT NULL,
    attempt     TEXT    NOT NULL UNIQUE,
    kind        TEXT    NOT NULL CHECK (kind IN ('atomic', 'journalled', 'resolved', 'prisma', 'baselined', 'rehearsed', 'undone')),
    body        TEXT    NOT NULL,
    recorded_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;

-- How far an attempt came that cannot run in one transaction. Rows are only added.
--   started, step 0   the attempt was begun
--   begun, step n     statement n is about to be sent, outside any transaction
--   done, step n      the first n statements ended; written in the statement's own transaction where it
--                     can stand in one
--   undone, step n    statement n failed, and nothing of it stands
--   failed, step n    statement n failed, and may have left something
--   finished          with the receipt
--   resolved, step n  a person's word; n statements stand
CREATE TABLE IF NOT EXISTS main.tollgate_journal (
    id          INTEGER NOT NULL PRIMARY KEY,            -- counted: there is no rowid
    attempt     TEXT    NOT NULL,
    migration   TEXT    NOT NULL,
    what        TEXT    NOT NULL CHECK (what IN
                ('started', 'begun', 'done', 'undone', 'failed', 'finished', 'resolved')),
    step        INTEGER NOT NULL CHECK (step BETWEEN 0 AND "of"),
    "of"        INTEGER NOT NULL,
    checksum    TEXT,                                   -- BLAKE3 of the statement; of the script for started
    verdict     TEXT,                                   -- what a person said, and why
    reason      TEXT,
    at          TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    CHECK ((what = 'resolved') = (verdict IS NOT NULL AND reason IS NOT NULL))
-- A row written between a script's statements must not change its last_insert_rowid().
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS main.tollgate_journal_attempt ON tollgate_journal (attempt, id);

-- The receipts of earlier lives of this target, moved here when it was bound again.
CREATE TABLE IF NOT EXISTS main.tollgate_archive (
    id          INTEGER PRIMARY KEY,
    seq         INTEGER NOT NULL,
    hash        TEXT    NOT NULL,
    migration   TEXT    NOT NULL,
    attempt     TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    body        TEXT    NOT NULL,
    recorded_at TEXT    NOT NULL,
    archived_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;

-- One row for each life of this target but the first, so that a ledger that knows an earlier one can
-- tell that the target was emptied.
--   kept     the receipts stayed
--   emptied  a person said so
--   reset    tollgate emptied it itself
CREATE TABLE IF NOT EXISTS main.tollgate_life (
    incarnation TEXT    PRIMARY KEY,
    after       TEXT    NOT NULL,
    how         TEXT    NOT NULL CHECK (how IN ('kept', 'emptied', 'reset')),
    begun_at    TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;
