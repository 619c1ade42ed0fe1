-- The ledger's own schema, version 2: many machines.

-- Entries of other ledgers that cannot stand in `entry`: those behind a gap, whose predecessors did
-- not arrive yet, and those whose number another entry has (equivocation). They are kept, shown and
-- handed on, and open no gate. A row whose predecessors arrived is repeated in `entry` and stays here.
CREATE TABLE aside (
  position INTEGER PRIMARY KEY,                         -- the order of arrival in this file
  writer   BLOB    NOT NULL CHECK (length(writer) = 16),
  number   INTEGER NOT NULL CHECK (number >= 1),
  hash     BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
  body     TEXT    NOT NULL
) STRICT;

CREATE INDEX aside_by_writer ON aside (writer, number);

-- The newest entry of each writer that a hub was seen to hold. What a hub once had and has no longer
-- was taken out of it. Not a part of the chain, and overwritten as it goes on.
CREATE TABLE seen (
  hub    TEXT    NOT NULL,
  writer BLOB    NOT NULL CHECK (length(writer) = 16),
  number INTEGER NOT NULL CHECK (number >= 1),
  PRIMARY KEY (hub, writer)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER aside_is_append_only_update BEFORE UPDATE ON aside
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER aside_is_append_only_delete BEFORE DELETE ON aside
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER aside_is_append_only_replace BEFORE INSERT ON aside
WHEN EXISTS (SELECT 1 FROM aside WHERE hash = NEW.hash)
  OR EXISTS (SELECT 1 FROM aside WHERE position = NEW.position)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
