-- The next rows of one writer, after the row (number, hash): so many, and no more once they come to so
-- many bytes; always one, where there is one.
SELECT p.number AS number, p.hash AS hash, p.body AS body
  FROM (
    SELECT b.number, b.hash, b.body,
           pg_catalog.sum(pg_catalog.octet_length(b.body))
             OVER (ORDER BY b.number, b.hash ROWS UNBOUNDED PRECEDING)
             - pg_catalog.octet_length(b.body) AS before
      FROM (
        SELECT e.number, e.hash, e.body
          FROM tollgate_hub.entry AS e
         WHERE e.writer = '{writer}'
           AND e.number > {above}
           AND (e.number, e.hash) > ({number}, {hash})
         ORDER BY e.number, e.hash
         LIMIT {rows}
      ) AS b
  ) AS p
 WHERE p.before < {bytes}
 ORDER BY p.number, p.hash;
