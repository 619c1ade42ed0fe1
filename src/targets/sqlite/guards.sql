-- Receipts, journal and archive are append-only. Whoever may write the file can also drop these
-- triggers: they hold off accidents, and the chain of hashes shows the rest.

CREATE TRIGGER IF NOT EXISTS main.tollgate_receipt_no_update BEFORE UPDATE ON tollgate_receipt
BEGIN SELECT raise(ABORT, 'tollgate: receipts are never changed'); END;

CREATE TRIGGER IF NOT EXISTS main.tollgate_receipt_no_delete BEFORE DELETE ON tollgate_receipt
BEGIN SELECT raise(ABORT, 'tollgate: receipts are never deleted'); END;

-- INSERT OR REPLACE deletes the row that is in its way without asking the delete trigger, so every
-- unique column is tested before. The rest holds the columns to the body, the body to this target,
-- and each receipt to the one before it, also where foreign keys are not enforced.
CREATE TRIGGER IF NOT EXISTS main.tollgate_receipt_insert BEFORE INSERT ON tollgate_receipt
BEGIN
    SELECT raise(ABORT, 'tollgate: receipts are never replaced')
    WHERE EXISTS (
        SELECT 1 FROM tollgate_receipt AS r
        WHERE r.seq = NEW.seq OR r.prev = NEW.prev OR r.hash = NEW.hash OR r.attempt = NEW.attempt);
    SELECT raise(ABORT, 'tollgate: a receipt must follow the newest one')
    WHERE NEW.seq IS NOT (SELECT ifnull(max(r.seq), 0) + 1 FROM tollgate_receipt AS r)
       OR json_extract(NEW.body, '$.prev') IS NOT
          (SELECT r.hash FROM tollgate_receipt AS r WHERE r.seq = NEW.prev);
    SELECT raise(ABORT, 'tollgate: a receipt must belong to this target')
    WHERE json_extract(NEW.body, '$.target') IS NOT (SELECT i.incarnation FROM tollgate_identity AS i);
    SELECT raise(ABORT, 'tollgate: the columns of a receipt must be those of its body')
    WHERE json_extract(NEW.body, '$.seq') IS NOT NEW.seq
       OR json_extract(NEW.body, '$.attempt') IS NOT NEW.attempt
       OR json_extract(NEW.body, '$.migration') IS NOT NEW.migration
       OR json_extract(NEW.body, '$.kind') IS NOT NEW.kind;
END;

CREATE TRIGGER IF NOT EXISTS main.tollgate_journal_no_update BEFORE UPDATE ON tollgate_journal
BEGIN SELECT raise(ABORT, 'tollgate: the journal is never changed'); END;

CREATE TRIGGER IF NOT EXISTS main.tollgate_journal_no_delete BEFORE DELETE ON tollgate_journal
BEGIN SELECT raise(ABORT, 'tollgate: the journal is never deleted'); END;

CREATE TRIGGER IF NOT EXISTS main.tollgate_journal_insert BEFORE INSERT ON tollgate_journal
WHEN EXISTS (SELECT 1 FROM tollgate_journal AS j WHERE j.id = NEW.id)
BEGIN SELECT raise(ABORT, 'tollgate: the journal is never changed'); END;

CREATE TRIGGER IF NOT EXISTS main.tollgate_archive_no_update BEFORE UPDATE ON tollgate_archive
BEGIN SELECT raise(ABORT, 'tollgate: archived receipts are never changed'); END;

CREATE TRIGGER IF NOT EXISTS main.tollgate_archive_no_delete BEFORE DELETE ON tollgate_archive
BEGIN SELECT raise(ABORT, 'tollgate: archived receipts are never deleted'); END;

CREATE TRIGGER IF NOT EXISTS main.tollgate_archive_insert BEFORE INSERT ON tollgate_archive
WHEN EXISTS (SELECT 1 FROM tollgate_archive AS a WHERE a.id = NEW.id)
BEGIN SELECT raise(ABORT, 'tollgate: archived receipts are never changed'); END;

CREATE TRIGGER IF NOT EXISTS main.tollgate_life_no_update BEFORE UPDATE ON tollgate_life
BEGIN SELECT raise(ABORT, 'tollgate: the lives of a target are never changed'); END;

CREATE TRIGGER IF NOT EXISTS main.tollgate_life_no_delete BEFORE DELETE ON tollgate_life
BEGIN SELECT raise(ABORT, 'tollgate: the lives of a target are never deleted'); END;
