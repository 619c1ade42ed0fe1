-- The lives that this one follows, newest first, as long as the database was emptied in between.
WITH RECURSIVE before (incarnation, depth) AS (
  SELECT l.after, 1
    FROM tollgate.life AS l, tollgate.identity AS i
   WHERE l.incarnation = i.incarnation AND l.how <> 'kept'
  UNION ALL
  SELECT l.after, b.depth + 1
    FROM before AS b
    JOIN tollgate.life AS l ON l.incarnation = b.incarnation AND l.how <> 'kept'
   -- Without a bound a row that somebody wrote could lead round in a circle.
   WHERE b.depth < 10000
)
SELECT b.incarnation FROM before AS b ORDER BY b.depth
