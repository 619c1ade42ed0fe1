-- Rows of a migration that stand open (P3009 to Prisma) are said to be rolled back, as `prisma migrate
-- resolve` does.
UPDATE {table} SET rolled_back_at = pg_catalog.clock_timestamp()
 WHERE migration_name::pg_catalog.text OPERATOR(pg_catalog.=) {migration}
   AND id::pg_catalog.text OPERATOR(pg_catalog.<>) '{id}'
   AND finished_at IS NULL AND rolled_back_at IS NULL;
