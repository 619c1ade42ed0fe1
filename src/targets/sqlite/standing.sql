-- How many tables of the application's stand when a receipt is written, beside it and not hashed: so
-- that a file whose tables all went since can be told from one whose migrations left none.
CREATE TABLE IF NOT EXISTS main.tollgate_standing (
    attempt TEXT    PRIMARY KEY,                        -- the receipt's
    tables  INTEGER NOT NULL CHECK (tables >= 0)
) STRICT;

INSERT OR REPLACE INTO main.tollgate_standing (attempt, tables)
SELECT r.attempt,
       (SELECT count(*) FROM main.sqlite_schema AS s
         WHERE s.type = 'table' AND s.name NOT GLOB 'sqlite_*' AND s.name NOT GLOB 'tollgate_*')
FROM main.tollgate_receipt AS r
WHERE r.seq = (SELECT max(l.seq) FROM main.tollgate_receipt AS l);
