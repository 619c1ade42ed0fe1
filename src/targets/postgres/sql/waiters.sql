-- Who waits for the run's lock inside a statement, and so holds a snapshot meanwhile.
SELECT l.pid
  FROM pg_catalog.pg_locks AS l
 WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory' AND NOT l.granted
   AND l.classid OPERATOR(pg_catalog.=) '0'::pg_catalog.oid
   AND l.objid OPERATOR(pg_catalog.=) '72707369'::pg_catalog.oid
   AND l.database OPERATOR(pg_catalog.=) (
     SELECT d.oid FROM pg_catalog.pg_database AS d
      WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
   )
 ORDER BY l.pid LIMIT 1
