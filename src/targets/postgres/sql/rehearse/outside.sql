-- The relations of others that are not compared, and what of each one a right that was granted can change
-- without its rows: its file, its columns, its constraints, its triggers. An extension's are told apart.
SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
       c.relkind AS kind,
       EXISTS (SELECT FROM pg_catalog.pg_depend AS e
                WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND e.objid = c.oid AND e.deptype = 'e') AS extension,
       pg_catalog.concat_ws(
         E'\n', c.relfilenode, c.relchecks, c.relhasrules,
         (SELECT pg_catalog.string_agg(pg_catalog.concat(a.attname, ' ', a.atttypid, a.atthasdef), ', '
                                       ORDER BY a.attnum)
            FROM pg_catalog.pg_attribute AS a
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
         (SELECT pg_catalog.string_agg(k.conname, ', ' ORDER BY k.conname)
            FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = c.oid),
         (SELECT pg_catalog.string_agg(pg_catalog.concat(t.tgenabled, pg_catalog.pg_get_triggerdef(t.oid)),
                                       ', ' ORDER BY t.tgname)
            FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)) AS shape
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f', 'm', 'v', 'S') AND c.relname <> '_prisma_migrations'
   AND n.nspname NOT IN ('information_schema', 'tollgate', 'tollgate_hub') AND n.nspname !~ '^pg_'
   AND NOT ({in_scope})
