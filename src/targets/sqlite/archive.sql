-- Moves every receipt to the archive: the target was emptied and is bound as a new incarnation. The delete guard
-- has to step aside; it is put back in the same transaction.

DROP TRIGGER IF EXISTS main.tollgate_receipt_no_delete;

INSERT INTO main.tollgate_archive (seq, hash, migration, attempt, kind, body, recorded_at)
SELECT seq, hash, migration, attempt, kind, body, recorded_at
FROM main.tollgate_receipt ORDER BY seq;

DELETE FROM main.tollgate_receipt;

CREATE TRIGGER main.tollgate_receipt_no_delete BEFORE DELETE ON tollgate_receipt
BEGIN SELECT raise(ABORT, 'tollgate: receipts are never deleted'); END;
