-- After a failure, outside a transaction: the session becomes what it was when it was opened. The
-- run's lock stays.
RESET ALL;{after_reset}
DISCARD TEMP;
DISCARD SEQUENCES;
DEALLOCATE ALL;
UNLISTEN *;
CLOSE ALL;
