-- Every contact is one transaction, which a pooler may carry in any session of its own. What was set for
-- the role or the database is not what this needs: the search path, so that every operator is the
-- server's own; row_security, which makes an error of every policy where it is off; and an entry that
-- was taken must not be lost.
BEGIN ISOLATION LEVEL READ COMMITTED, {access};
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL row_security = on;
SET LOCAL synchronous_commit = on;
SET LOCAL client_min_messages = warning;
