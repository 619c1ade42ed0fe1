-- The tables whose rows are read, the same whose objects the schema's fingerprint holds: ordinary ones,
-- partitions that hold rows, materialized views that were filled. Each by itself: what a child of it holds
-- is the child's.
SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
       -- Another file where it was emptied or written anew.
       c.relfilenode AS file,
       (SELECT pg_catalog.string_agg('r.' || pg_catalog.quote_ident(a.attname), ', ' ORDER BY k.place)
          FROM pg_catalog.pg_index AS i
         CROSS JOIN LATERAL pg_catalog.unnest(i.indkey) WITH ORDINALITY AS k (number, place)
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
         WHERE i.indrelid = c.oid AND i.indisprimary AND k.place <= i.indnkeyatts) AS key
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE (c.relkind = 'r' OR c.relkind = 'm' AND c.relispopulated) AND {in_scope}
 ORDER BY c.oid;
