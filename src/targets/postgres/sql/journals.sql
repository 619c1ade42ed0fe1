-- How far each journalled attempt came, oldest first: the last row tells whether a statement was
-- begun and its end is not known.
SELECT j.attempt, j.migration, j.of,
       (SELECT COALESCE(max(d.step), 0) FROM tollgate.journal AS d
         WHERE d.attempt = j.attempt AND d.what = 'done') AS done,
       j.what = 'begun' AS in_flight
  FROM tollgate.journal AS j
 WHERE j.id = (SELECT max(l.id) FROM tollgate.journal AS l WHERE l.attempt = j.attempt)
 ORDER BY j.id
