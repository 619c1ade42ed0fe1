-- Ends an ordinary statement of a journalled script: the row that says that it is done is committed
-- with it, or neither is. What the script has set for its session stays in force after the COMMIT,
-- and must not stand in the way of the row. Deferred triggers run before, as the script's own role.
SET CONSTRAINTS ALL IMMEDIATE;
SET LOCAL session_authorization TO DEFAULT;
SET LOCAL role TO DEFAULT;
SET LOCAL statement_timeout TO DEFAULT;
SET LOCAL lock_timeout TO DEFAULT;
{locked}
{journal}
COMMIT;
