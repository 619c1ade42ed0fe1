-- Columns, by name: the order in which they stand is an object of its own, because a column that was
-- dropped and added again comes last, and nothing else may look different then.

SELECT CASE c.relkind WHEN 'c' THEN 'attribute' ELSE 'column' END AS kind,
       pg_catalog.format('%I.%I.%I', n.nspname, c.relname, a.attname) AS name,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
       CASE WHEN a.attcollation <> t.typcollation AND a.attcollation <> 0
            THEN a.attcollation::pg_catalog.regcollation::text END AS collation,
       CASE WHEN a.attnotnull THEN 'yes' END AS "not null",
       CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END AS "default",
       CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity,
       CASE WHEN a.attgenerated <> ''
            THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid)
                 || CASE a.attgenerated WHEN 's' THEN ' STORED' ELSE ' VIRTUAL' END END AS generated,
       CASE WHEN a.attstorage <> t.typstorage AND c.relkind <> 'v'
            THEN CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external'
                                   WHEN 'm' THEN 'main' ELSE 'extended' END END AS storage,
       CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
       -- Servers before 17 write -1 where there is none, later ones null.
       CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END AS "statistics target",
       CASE WHEN a.attoptions IS NOT NULL THEN
         (SELECT pg_catalog.string_agg(o.o, ', ' ORDER BY o.o COLLATE "C")
            FROM pg_catalog.unnest(a.attoptions) AS o (o)) END AS options,
       CASE WHEN a.attfdwoptions IS NOT NULL THEN
         (SELECT pg_catalog.string_agg(o.o, ', ' ORDER BY o.o COLLATE "C")
            FROM pg_catalog.unnest(a.attfdwoptions) AS o (o)) END AS "foreign options",
       CASE WHEN a.attinhcount > 0
            THEN CASE WHEN a.attislocal THEN 'and its own' ELSE 'yes' END END AS inherited,
       CASE WHEN a.attacl IS NOT NULL THEN {column_grants} END AS grants,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = c.oid AND said.objsubid = a.attnum
           AND said.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
  LEFT JOIN pg_catalog.pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c') AND {in_scope};

SELECT 'column order' AS kind, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
       (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum)
          FROM pg_catalog.pg_attribute AS a
         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f') AND {in_scope};
