-- Moves every receipt to the archive: the target was emptied and is bound as a new incarnation. Runs
-- after schema.sql, in the same transaction. The guards are lifted for the move and are back before
-- the commit.
ALTER TABLE tollgate.receipt DISABLE TRIGGER append_only;
ALTER TABLE tollgate.journal DISABLE TRIGGER append_only;

INSERT INTO tollgate.archive
    (incarnation, seq, hash, migration, attempt, kind, body, recorded_at, role, xid, application_schema)
  SELECT i.incarnation, r.seq, r.hash, r.migration, r.attempt, r.kind, r.body, r.recorded_at, r.role,
         r.xid, r.application_schema
    FROM tollgate.receipt AS r, tollgate.identity AS i
   ORDER BY r.seq;

DELETE FROM tollgate.receipt;
-- What a script left half done went with the rest.
DELETE FROM tollgate.journal;
-- And the schema that was kept beside the receipts.
DELETE FROM tollgate.fingerprint;

ALTER TABLE tollgate.receipt ENABLE ALWAYS TRIGGER append_only;
ALTER TABLE tollgate.journal ENABLE ALWAYS TRIGGER append_only;
