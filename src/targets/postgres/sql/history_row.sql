-- One row of Prisma's, unless it is there already. It was begun by the client's clock, which may be ahead
-- of the server's.
INSERT INTO {table}
    (id, checksum, finished_at, migration_name, logs, rolled_back_at, started_at, applied_steps_count)
SELECT '{id}', '{checksum}', {finished}, {migration}, {logs}, {rolled_back},
       LEAST(pg_catalog.to_timestamp({started}), pg_catalog.clock_timestamp()), {steps}
 WHERE NOT EXISTS (
   SELECT FROM {table} AS h WHERE h.id::pg_catalog.text OPERATOR(pg_catalog.=) '{id}');
