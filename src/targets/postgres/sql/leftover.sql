-- INVALID indexes of the one table that a statement names, by itself or by an index of it. Nothing
-- while another session holds the lock that building, remaking and dropping one takes: then an
-- INVALID index may be one that it works on.
SELECT c.oid, c.relname AS index, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) i.indexrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 WHERE NOT i.indisvalid
   AND c.relkind OPERATOR(pg_catalog.=) 'i'::pg_catalog."char"
   AND i.indrelid OPERATOR(pg_catalog.=) COALESCE(
     pg_catalog.to_regclass({table})::pg_catalog.oid,
     (SELECT x.indrelid FROM pg_catalog.pg_index AS x
       WHERE x.indexrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass({index})::pg_catalog.oid)
   )
   AND NOT EXISTS (
     SELECT FROM pg_catalog.pg_locks AS l
      WHERE l.relation OPERATOR(pg_catalog.=) i.indrelid
        AND l.database OPERATOR(pg_catalog.=) (
          SELECT d.oid FROM pg_catalog.pg_database AS d
           WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
        )
        AND l.mode OPERATOR(pg_catalog.=) 'ShareUpdateExclusiveLock'
        AND l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
   )
