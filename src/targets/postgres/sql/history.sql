-- Prisma's rows, in the order in which they were started. Instants in milliseconds: how they are
-- written as text is a setting.
SELECT h.id, h.migration_name, h.checksum, h.applied_steps_count AS steps,
       pg_catalog.left(h.logs, 4000) AS logs,
       pg_catalog.floor(EXTRACT(epoch FROM h.started_at) * 1000)::bigint AS started,
       pg_catalog.floor(EXTRACT(epoch FROM h.finished_at) * 1000)::bigint AS finished,
       pg_catalog.floor(EXTRACT(epoch FROM h.rolled_back_at) * 1000)::bigint AS rolled_back
  FROM {table} AS h
 ORDER BY h.started_at, h.id
