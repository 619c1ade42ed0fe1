-- Who holds one of these relations so that it cannot be had for writing.
SELECT l.pid FROM pg_catalog.pg_locks AS l
 WHERE l.locktype = 'relation' AND l.granted AND l.relation IN ({relations})
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                      WHERE d.datname = pg_catalog.current_database())
   AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')
