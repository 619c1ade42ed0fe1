-- Replaces the identity; receipts of an earlier life go to the archive. Runs after schema.sql, in
-- the same transaction. The guard is lifted for the move and is back before the commit.
ALTER TABLE tollgate.receipt DISABLE TRIGGER append_only;

INSERT INTO tollgate.archive
    (incarnation, seq, hash, migration, attempt, kind, body, recorded_at, role, xid, application_schema)
  SELECT i.incarnation, r.seq, r.hash, r.migration, r.attempt, r.kind, r.body, r.recorded_at, r.role,
         r.xid, r.application_schema
    FROM tollgate.receipt AS r, tollgate.identity AS i
   WHERE i.incarnation OPERATOR(pg_catalog.<>) '{incarnation}'
   ORDER BY r.seq;

DELETE FROM tollgate.receipt
 WHERE EXISTS (
   SELECT FROM tollgate.identity AS i WHERE i.incarnation OPERATOR(pg_catalog.<>) '{incarnation}'
 );

ALTER TABLE tollgate.receipt ENABLE ALWAYS TRIGGER append_only;

DELETE FROM tollgate.identity;
INSERT INTO tollgate.identity
    (incarnation, environment, system_identifier, timeline, database_oid, application_schema)
  SELECT '{incarnation}', '{environment}', {system}, {timeline}, d.oid,
         pg_catalog.to_regnamespace(pg_catalog.quote_ident(current_schema()))::oid
    FROM pg_catalog.pg_database AS d
   WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database();
