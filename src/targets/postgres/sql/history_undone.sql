-- A migration that was undone: to Prisma, as to tollgate, it is pending again.
UPDATE {table} SET rolled_back_at = pg_catalog.clock_timestamp()
 WHERE migration_name::pg_catalog.text OPERATOR(pg_catalog.=) {migration} AND rolled_back_at IS NULL;
