-- A line for each writer. The digest is taken of digests, because an aggregate of the bodies themselves
-- would have to fit into one value of the server's, which ends at 1 GB. It covers the hash beside each
-- body too, since both can be altered.
SELECT e.writer AS writer,
       pg_catalog.count(*) AS entries,
       pg_catalog.min(e.number) AS lowest,
       pg_catalog.max(e.number) AS highest,
       pg_catalog.encode(pg_catalog.sha256(pg_catalog.string_agg(
         pg_catalog.sha256(pg_catalog.convert_to(e.hash || e.body, 'UTF8')),
         ''::bytea ORDER BY e.number, e.hash)), 'hex') AS digest
  FROM tollgate_hub.entry AS e
 GROUP BY e.writer
 ORDER BY e.writer;
