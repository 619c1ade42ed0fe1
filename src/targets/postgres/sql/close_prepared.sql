-- Message C of a script that only defines things, and has set nothing and left nothing in its session: see
-- prepare.sql. BEGIN as in close.sql. Deferred constraints fail here, where it is still known which script
-- they belong to.
BEGIN;
SET CONSTRAINTS ALL IMMEDIATE;
SET LOCAL synchronous_commit = off;
EXECUTE tollgate_close ('{attempt}', {seq}, {prev}, '{hash}', {migration}, '{kind}', {body});
-- Prisma's own row, where its table is kept.
{beside}
COMMIT;
