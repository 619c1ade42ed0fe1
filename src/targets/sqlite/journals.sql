-- One row for each attempt in the journal, in the order in which they were started: how many
-- statements ended, of how many, and whether the newest row says that something was begun.
SELECT j.attempt, min(j.migration), max(j."of"),
       max(CASE WHEN j.what = 'done' THEN j.step ELSE 0 END),
       (SELECT l.what = 'begun' AND l.step > 0
          FROM main.tollgate_journal AS l WHERE l.attempt = j.attempt ORDER BY l.id DESC LIMIT 1)
FROM main.tollgate_journal AS j
GROUP BY j.attempt
ORDER BY min(j.id);
