-- Journal rows in a transaction of their own, in the middle of a script: what the script has set
-- stays in force for its later statements, and must not stand in the way here.
BEGIN READ WRITE;
SET LOCAL session_authorization TO DEFAULT;
SET LOCAL role TO DEFAULT;
SET LOCAL statement_timeout TO DEFAULT;
SET LOCAL lock_timeout TO DEFAULT;
SET LOCAL synchronous_commit = on;
{locked}
{journal}
COMMIT;
