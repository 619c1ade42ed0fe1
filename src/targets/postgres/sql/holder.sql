-- Who holds the run's lock, as far as this role may see: without the right to see others' sessions
-- everything but the pid and the user is null.
SELECT l.pid, a.usename, a.application_name, a.state, a.query_start,
       pg_catalog.left(a.query, 80) AS query
  FROM pg_catalog.pg_locks AS l
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
 WHERE l.locktype = 'advisory' AND l.granted
   AND l.classid = 0 AND l.objid = 72707369 AND l.objsubid = 1
   AND l.database = (
     SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()
   )
 ORDER BY l.pid LIMIT 1
