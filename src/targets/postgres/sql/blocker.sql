-- Who holds the lock that a session waits for, as far as this role may see, and which lock it is.
SELECT b.pid, a.usename, a.application_name, a.state, pg_catalog.left(a.query, 80) AS query,
       (SELECT pg_catalog.concat_ws(' on ', h.mode, h.relation::pg_catalog.regclass::text)
          FROM pg_catalog.pg_locks AS w
          JOIN pg_catalog.pg_locks AS h
            ON h.locktype = w.locktype
           AND (h.database, h.relation, h.transactionid, h.classid, h.objid)
               IS NOT DISTINCT FROM (w.database, w.relation, w.transactionid, w.classid, w.objid)
         WHERE w.pid = {waiting} AND NOT w.granted AND h.pid = b.pid AND h.granted
         LIMIT 1) AS lock
  FROM ({blockers}) AS b (pid)
  LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = b.pid
 WHERE b.pid <> 0 AND b.pid <> {waiting}
 LIMIT 1
