-- Schemas, and what stands in pg_class: tables, views, sequences, composite types, indexes.
--
-- As in every file of this folder: the first two columns are an object's kind and name, each further one
-- is a property by the column's name. What is null is the default and is left out. Comments are read where
-- they stand: obj_description() is SQL that the server would begin anew for each object.

SELECT 'schema' AS kind, pg_catalog.quote_ident(n.nspname) AS name,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(n.nspowner)) AS owner,
       {schema_grants} AS grants,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = n.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_namespace AS n
 WHERE n.oid IN ({spaces})
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
            AND e.objid = n.oid AND e.deptype = 'e');

SELECT CASE c.relkind WHEN 'f' THEN 'foreign table' WHEN 'v' THEN 'view'
                      WHEN 'm' THEN 'materialized view' ELSE 'table' END AS kind,
       pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)) AS owner,
       CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END AS persistence,
       (SELECT pg_catalog.quote_ident(m.amname) FROM pg_catalog.pg_am AS m
         WHERE m.oid = c.relam) AS "access method",
       (SELECT pg_catalog.quote_ident(s.spcname) FROM pg_catalog.pg_tablespace AS s
         WHERE s.oid = c.reltablespace) AS tablespace,
       CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END AS "partition by",
       -- In order: it decides where a column comes from.
       (SELECT pg_catalog.string_agg(i.inhparent::pg_catalog.regclass::text, ', ' ORDER BY i.inhseqno)
          FROM pg_catalog.pg_inherits AS i WHERE i.inhrelid = c.oid) AS "child of",
       CASE WHEN c.relispartition
            THEN pg_catalog.pg_get_expr(c.relpartbound, c.oid) END AS "partition bound",
       CASE WHEN c.reloftype <> 0
            THEN pg_catalog.format_type(c.reloftype, NULL) END AS "of type",
       CASE WHEN c.relrowsecurity THEN 'enabled' END AS "row level security",
       CASE WHEN c.relforcerowsecurity THEN 'yes' END AS "row level security forced",
       CASE c.relreplident WHEN 'f' THEN 'full' WHEN 'i' THEN 'index'
                           WHEN 'n' THEN CASE WHEN c.relkind IN ('r', 'p', 'm') THEN 'nothing' END
       END AS "replica identity",
       (SELECT pg_catalog.string_agg(o.o, ', ' ORDER BY o.o COLLATE "C")
          FROM pg_catalog.unnest(c.reloptions) AS o (o)) AS options,
       (SELECT pg_catalog.string_agg(o.o, ', ' ORDER BY o.o COLLATE "C")
          FROM pg_catalog.pg_class AS t, pg_catalog.unnest(t.reloptions) AS o (o)
         WHERE t.oid = c.reltoastrelid) AS "toast options",
       (SELECT pg_catalog.quote_ident(s.srvname)
          FROM pg_catalog.pg_foreign_table AS f
          JOIN pg_catalog.pg_foreign_server AS s ON s.oid = f.ftserver
         WHERE f.ftrelid = c.oid) AS server,
       (SELECT pg_catalog.string_agg(o.o, ', ' ORDER BY o.o COLLATE "C")
          FROM pg_catalog.pg_foreign_table AS f, pg_catalog.unnest(f.ftoptions) AS o (o)
         WHERE f.ftrelid = c.oid) AS "foreign options",
       CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN 'no' END AS populated,
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) END AS definition,
       {relation_grants} AS grants,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = c.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND {in_scope};

SELECT 'sequence' AS kind, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)) AS owner,
       CASE WHEN c.relpersistence = 'u' THEN 'unlogged' END AS persistence,
       pg_catalog.format_type(s.seqtypid, NULL) AS type,
       s.seqstart AS start, s.seqincrement AS increment, s.seqmin AS minimum, s.seqmax AS maximum,
       s.seqcache AS cache,
       CASE WHEN s.seqcycle THEN 'yes' END AS cycle,
       -- The column that it goes with: serial, identity, OWNED BY. One of its own has none.
       (SELECT pg_catalog.format('%s.%I', d.refobjid::pg_catalog.regclass, a.attname)
          FROM pg_catalog.pg_depend AS d
          JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
         WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
           AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
           AND d.deptype IN ('a', 'i')
         LIMIT 1) AS "owned by",
       {sequence_grants} AS grants,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = c.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = c.oid
 WHERE c.relkind = 'S' AND {in_scope};

SELECT 'index' AS kind, pg_catalog.format('%I.%I', n.nspname, x.relname) AS name,
       i.indrelid::pg_catalog.regclass::text AS "table",
       pg_catalog.pg_get_indexdef(x.oid) AS definition,
       (SELECT p.inhparent::pg_catalog.regclass::text FROM pg_catalog.pg_inherits AS p
         WHERE p.inhrelid = x.oid) AS "child of",
       CASE WHEN NOT i.indisvalid THEN 'no' END AS valid,
       CASE WHEN NOT i.indisready THEN 'no' END AS ready,
       CASE WHEN i.indisclustered THEN 'yes' END AS clustered,
       CASE WHEN i.indisreplident THEN 'yes' END AS "replica identity",
       (SELECT pg_catalog.quote_ident(s.spcname) FROM pg_catalog.pg_tablespace AS s
         WHERE s.oid = x.reltablespace) AS tablespace,
       -- A negative target is no target: what servers before 17 write.
       (SELECT pg_catalog.string_agg(a.attnum || ': ' || a.attstattarget, ', ' ORDER BY a.attnum)
          FROM pg_catalog.pg_attribute AS a
         WHERE a.attrelid = x.oid AND a.attstattarget >= 0) AS "statistics target",
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = x.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_index AS i
  JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
  -- The table decides what is in scope: an index stands in its table's schema.
  JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = x.relnamespace
 WHERE c.relkind IN ('r', 'p', 'm') AND {in_scope};
