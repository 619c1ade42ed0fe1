-- The lives that this one follows, newest first, as long as the target was emptied in between.
WITH RECURSIVE before (incarnation, depth) AS (
    SELECT l.after, 1
    FROM main.tollgate_life AS l JOIN main.tollgate_identity AS i ON l.incarnation = i.incarnation
    WHERE l.how <> 'kept'
    UNION ALL
    SELECT l.after, b.depth + 1
    FROM before AS b JOIN main.tollgate_life AS l ON l.incarnation = b.incarnation
    -- Without a bound a row that somebody wrote could lead round in a circle.
    WHERE l.how <> 'kept' AND b.depth < 10000
)
SELECT incarnation FROM before ORDER BY depth;
