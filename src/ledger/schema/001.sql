-- The ledger's own schema, version 1. Never edited after a release: a change is a new file.

-- One row per entry. `body` is the exact text that was hashed; every other column repeats it so
-- that SQLite can hold the keys, and is checked against it when the ledger is read.
CREATE TABLE entry (
  position INTEGER PRIMARY KEY,                         -- the order of arrival in this file
  writer   BLOB    NOT NULL CHECK (length(writer) = 16),
  number   INTEGER NOT NULL CHECK (number >= 1),        -- the place in that writer's chain
  hash     BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
  body     TEXT    NOT NULL,
  UNIQUE (writer, number)
) STRICT;

-- The bytes of every script that was applied, by checksum, so that `log show` and `log restore`
-- can give them back. Checked against the checksum when read.
CREATE TABLE script (
  checksum BLOB PRIMARY KEY CHECK (length(checksum) = 32),
  bytes    BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Which writer goes on in this file, and where the file stood when it last did: a ledger that was
-- copied or moved no longer stands there, and starts a new writer. The newest row counts.
CREATE TABLE place (
  position INTEGER PRIMARY KEY,
  writer   BLOB    NOT NULL CHECK (length(writer) = 16),
  place    TEXT    NOT NULL
) STRICT;

-- Guards against honest mistakes. They are no protection against someone who means it, who can
-- drop them: only the chain speaks then.
CREATE TRIGGER entry_is_append_only_update BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER entry_is_append_only_delete BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

-- INSERT OR REPLACE deletes the old row past the trigger above, through any unique column.
CREATE TRIGGER entry_is_append_only_replace BEFORE INSERT ON entry
WHEN EXISTS (SELECT 1 FROM entry WHERE hash = NEW.hash)
  OR EXISTS (SELECT 1 FROM entry WHERE writer = NEW.writer AND number = NEW.number)
  OR EXISTS (SELECT 1 FROM entry WHERE position = NEW.position)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER script_is_kept_update BEFORE UPDATE ON script
BEGIN SELECT RAISE(ABORT, 'the bytes of a script are kept'); END;

CREATE TRIGGER script_is_kept_delete BEFORE DELETE ON script
BEGIN SELECT RAISE(ABORT, 'the bytes of a script are kept'); END;

CREATE TRIGGER script_is_kept_replace BEFORE INSERT ON script
WHEN EXISTS (SELECT 1 FROM script WHERE checksum = NEW.checksum)
BEGIN SELECT RAISE(ABORT, 'the bytes of a script are kept'); END;
