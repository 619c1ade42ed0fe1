-- One row for each attempt in the journal, in the order in which they were started. What a person said
-- outweighs the rest; the newest of the other rows tells whether a statement is in flight.
SELECT f.attempt, f.migration, f.checksum, f."of",
       (SELECT ifnull(max(d.step), 0) FROM main.tollgate_journal AS d
         WHERE d.attempt = f.attempt AND d.what IN ('done', 'finished')),
       l.what, r.verdict, r.step, r.reason,
       -- Started before this file was bound as it is now: in the one that this is a copy of.
       f.at < (SELECT i.bound_at FROM main.tollgate_identity AS i)
  FROM main.tollgate_journal AS f
  JOIN main.tollgate_journal AS l ON l.id = (
    SELECT max(n.id) FROM main.tollgate_journal AS n
     WHERE n.attempt = f.attempt AND n.what <> 'resolved')
  LEFT JOIN main.tollgate_journal AS r ON r.id = (
    SELECT max(n.id) FROM main.tollgate_journal AS n
     WHERE n.attempt = f.attempt AND n.what = 'resolved')
 WHERE f.what = 'started'
   AND f.id = (SELECT min(n.id) FROM main.tollgate_journal AS n WHERE n.attempt = f.attempt)
 ORDER BY f.id;
