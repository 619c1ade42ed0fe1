-- How far each journalled attempt came, in the order in which they were started. What a person said
-- outweighs the rest; the newest of the other rows tells whether a statement is in flight.
SELECT f.attempt, f.migration, f.of, f.checksum AS script,
       (SELECT COALESCE(max(d.step), 0) FROM tollgate.journal AS d
         WHERE d.attempt = f.attempt AND d.what IN ('done', 'finished')) AS done,
       l.what AS last,
       r.verdict, r.step AS standing, r.reason,
       -- Started before this database was bound as it is now: in the one that this is a copy of.
       f.at < (SELECT i.bound_at FROM tollgate.identity AS i) AS elsewhere
  FROM tollgate.journal AS f
  JOIN tollgate.journal AS l ON l.id = (
    SELECT max(n.id) FROM tollgate.journal AS n
     WHERE n.attempt = f.attempt AND n.what <> 'resolved')
  LEFT JOIN tollgate.journal AS r ON r.id = (
    SELECT max(n.id) FROM tollgate.journal AS n
     WHERE n.attempt = f.attempt AND n.what = 'resolved')
 WHERE f.what = 'started'
   AND f.id = (SELECT min(n.id) FROM tollgate.journal AS n WHERE n.attempt = f.attempt)
 ORDER BY f.id
