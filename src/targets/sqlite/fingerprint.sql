-- What the schema looked like after a run, so that a later look can tell whether somebody else changed
-- it. No evidence and not guarded: each run replaces it, it is compared and never believed. Only the
-- newest row has its text: a schema may be large. A file that an earlier version entered gets the table
-- with the first row.
CREATE TABLE IF NOT EXISTS main.tollgate_fingerprint (
    seq     INTEGER PRIMARY KEY CHECK (seq >= 1),       -- of the receipt that was the newest
    hash    TEXT    NOT NULL,                           -- that receipt's
    digest  TEXT    NOT NULL,                           -- of the text
    body    TEXT,                                       -- one line of JSON for each object
    reading TEXT    NOT NULL,                           -- how it was read; others cannot be compared
    kept_at TEXT    NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) STRICT;
