-- The ledger's own schema, version 3: a snapshot of what the entries add up to.

-- What the entries up to some point add up to, so that a long ledger opens as fast as a short one. It
-- is no evidence and no part of the chain: it can be thrown away at any time, and is made anew. It
-- names the entries that it stands for; what is damaged, of another version, or does not agree with the
-- entries is not used, and `tollgate verify` adds up all entries and compares.
-- `state` is the whole but for the lives of targets and the attempts, which stand by themselves and are
-- read where something asks for them; it holds the digest of every life.
CREATE TABLE snapshot (
  part    TEXT NOT NULL PRIMARY KEY,                    -- 'state', 'life ENVIRONMENT INCARNATION', or 'bindings ENVIRONMENT NUMBER'
  version TEXT NOT NULL,                                -- of the program that wrote it: another one reads nothing of it
  digest  BLOB NOT NULL CHECK (length(digest) = 32),    -- of `part` and `body`
  body    BLOB NOT NULL
) STRICT;

-- In which life of the environment's target an attempt was made.
CREATE TABLE snapshot_attempt (
  environment TEXT NOT NULL,
  attempt     BLOB NOT NULL CHECK (length(attempt) = 16),
  life        BLOB NOT NULL CHECK (length(life) = 16),
  PRIMARY KEY (environment, attempt)
) STRICT, WITHOUT ROWID;
