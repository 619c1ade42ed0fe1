-- Replaces the identity. Runs after schema.sql, in the same transaction.
DELETE FROM tollgate.identity;
INSERT INTO tollgate.identity
    (incarnation, environment, system_identifier, timeline, database_oid, application_schema)
  SELECT '{incarnation}', '{environment}', {system}, {timeline}, d.oid,
         pg_catalog.to_regnamespace(pg_catalog.quote_ident(current_schema()))::oid
    FROM pg_catalog.pg_database AS d
   WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database();
