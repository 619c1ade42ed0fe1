-- One at a time makes the schema. Held to the end of the transaction, so that a pooler may stand between.
SELECT pg_catalog.pg_advisory_xact_lock(72707370);
