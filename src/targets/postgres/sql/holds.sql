SELECT FROM pg_catalog.pg_locks AS l
 WHERE l.locktype OPERATOR(pg_catalog.=) 'advisory'
   AND l.pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()
   AND l.granted
   AND l.classid OPERATOR(pg_catalog.=) '0'::pg_catalog.oid
   AND l.objid OPERATOR(pg_catalog.=) '72707369'::pg_catalog.oid
   AND l.objsubid OPERATOR(pg_catalog.=) 1::pg_catalog.int2
   AND l.mode OPERATOR(pg_catalog.=) 'ExclusiveLock'
   AND l.database OPERATOR(pg_catalog.=) (
     SELECT d.oid FROM pg_catalog.pg_database AS d
      WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
   )
