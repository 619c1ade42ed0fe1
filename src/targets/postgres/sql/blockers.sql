-- Who holds locks on what is not the system's or tollgate's: a session, or a transaction that was
-- prepared and neither committed nor rolled back. The oldest first.
SELECT l.pid, p.gid, a.usename, a.application_name, a.state, a.query_start,
       pg_catalog.left(a.query, 80) AS query,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS relation
  FROM pg_catalog.pg_locks AS l
  JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
  -- A prepared transaction has no pid. It keeps the lock on its own number, in the same name.
  LEFT JOIN pg_catalog.pg_locks AS x
         ON l.pid IS NULL AND x.pid IS NULL AND x.locktype = 'transactionid' AND x.granted
        AND x.virtualtransaction = l.virtualtransaction
  LEFT JOIN pg_catalog.pg_prepared_xacts AS p ON p.transaction = x.transactionid
 WHERE l.locktype = 'relation' AND l.granted AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
   AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d
                      WHERE d.datname = pg_catalog.current_database())
   AND n.nspname NOT IN ('information_schema', 'tollgate', 'tollgate_hub') AND n.nspname !~ '^pg_'
 ORDER BY a.xact_start NULLS FIRST, l.pid
 LIMIT 1
