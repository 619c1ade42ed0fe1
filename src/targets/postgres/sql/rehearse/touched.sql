-- What the transaction of this session holds that lets it change a relation. Only of the rows is it known
-- from the lock that something changed them: a foreign key of ours to a table of others locks it, too.
SELECT l.relation AS oid, pg_catalog.bool_or(l.mode = 'RowExclusiveLock') AS rows
  FROM pg_catalog.pg_locks AS l
 WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation' AND l.granted
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                      WHERE d.datname = pg_catalog.current_database())
   AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')
 GROUP BY l.relation
