-- What is made more seldom: collations, text search, operators, casts, foreign data wrappers.

SELECT 'collation' AS kind, pg_catalog.format('%I.%I', n.nspname, l.collname) AS name,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(l.collowner)) AS owner,
       CASE l.collprovider WHEN 'c' THEN 'libc' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin'
                           ELSE l.collprovider::text END AS provider,
       CASE WHEN NOT l.collisdeterministic THEN 'no' END AS deterministic,
       l.collcollate AS collate, l.collctype AS ctype,
       -- Columns that came, and were renamed, with later servers. The library's version is the machine's.
       COALESCE(j.row ->> 'colllocale', j.row ->> 'colliculocale') AS locale,
       j.row ->> 'collicurules' AS rules,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = l.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_collation'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_collation AS l
  JOIN pg_catalog.pg_namespace AS n ON n.oid = l.collnamespace
 CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(l)) AS j (row)
 WHERE l.collnamespace IN ({spaces})
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_collation'::pg_catalog.regclass
            AND e.objid = l.oid AND e.deptype = 'e');

SELECT 'text search configuration' AS kind, pg_catalog.format('%I.%I', n.nspname, f.cfgname) AS name,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(f.cfgowner)) AS owner,
       (SELECT pg_catalog.format('%I.%I', s.nspname, p.prsname)
          FROM pg_catalog.pg_ts_parser AS p
          JOIN pg_catalog.pg_namespace AS s ON s.oid = p.prsnamespace
         WHERE p.oid = f.cfgparser) AS parser,
       -- For each kind of word the dictionaries in the order in which they are asked.
       (SELECT pg_catalog.string_agg(g.line, E'\n' ORDER BY g.line COLLATE "C")
          FROM (SELECT k.alias || ': ' || pg_catalog.string_agg(
                         m.mapdict::pg_catalog.regdictionary::text, ', ' ORDER BY m.mapseqno)
                  FROM pg_catalog.pg_ts_config_map AS m
                  JOIN pg_catalog.ts_token_type(f.cfgparser) AS k ON k.tokid = m.maptokentype
                 WHERE m.mapcfg = f.oid
                 GROUP BY k.alias) AS g (line)) AS mappings,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = f.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_ts_config'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_ts_config AS f
  JOIN pg_catalog.pg_namespace AS n ON n.oid = f.cfgnamespace
 WHERE f.cfgnamespace IN ({spaces})
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_ts_config'::pg_catalog.regclass
            AND e.objid = f.oid AND e.deptype = 'e');

SELECT 'text search dictionary' AS kind, pg_catalog.format('%I.%I', n.nspname, i.dictname) AS name,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(i.dictowner)) AS owner,
       (SELECT pg_catalog.format('%I.%I', s.nspname, t.tmplname)
          FROM pg_catalog.pg_ts_template AS t
          JOIN pg_catalog.pg_namespace AS s ON s.oid = t.tmplnamespace
         WHERE t.oid = i.dicttemplate) AS template,
       i.dictinitoption AS options,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = i.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_ts_dict'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_ts_dict AS i
  JOIN pg_catalog.pg_namespace AS n ON n.oid = i.dictnamespace
 WHERE i.dictnamespace IN ({spaces})
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_ts_dict'::pg_catalog.regclass
            AND e.objid = i.oid AND e.deptype = 'e');

SELECT 'operator' AS kind, o.oid::pg_catalog.regoperator::text AS name,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(o.oprowner)) AS owner,
       NULLIF(o.oprcode::pg_catalog.oid::pg_catalog.regprocedure::text, '-') AS function,
       pg_catalog.format_type(NULLIF(o.oprresult, 0), NULL) AS returns,
       NULLIF(o.oprcom, 0)::pg_catalog.regoperator::text AS commutator,
       NULLIF(o.oprnegate, 0)::pg_catalog.regoperator::text AS negator,
       NULLIF(o.oprrest::text, '-') AS "restriction estimator",
       NULLIF(o.oprjoin::text, '-') AS "join estimator",
       CASE WHEN o.oprcanhash THEN 'yes' END AS hashes,
       CASE WHEN o.oprcanmerge THEN 'yes' END AS merges,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = o.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_operator'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_operator AS o
 WHERE o.oprnamespace IN ({spaces})
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_operator'::pg_catalog.regclass
            AND e.objid = o.oid AND e.deptype = 'e');

-- A cast stands in no schema: those from, to, or by something in scope.
SELECT 'cast' AS kind,
       pg_catalog.format('%s as %s', pg_catalog.format_type(k.castsource, NULL),
                         pg_catalog.format_type(k.casttarget, NULL)) AS name,
       CASE k.castcontext WHEN 'i' THEN 'implicit' WHEN 'a' THEN 'in an assignment'
                          ELSE 'explicit' END AS context,
       CASE k.castmethod WHEN 'b' THEN 'binary' WHEN 'i' THEN 'by its text'
                         ELSE k.castfunc::pg_catalog.regprocedure::text END AS method,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = k.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_cast'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_cast AS k
  JOIN pg_catalog.pg_type AS s ON s.oid = k.castsource
  JOIN pg_catalog.pg_type AS t ON t.oid = k.casttarget
  LEFT JOIN pg_catalog.pg_proc AS p ON p.oid = k.castfunc
 WHERE (s.typnamespace IN ({spaces}) OR t.typnamespace IN ({spaces}) OR p.pronamespace IN ({spaces}))
   -- An extension's, or made by itself: a range type's to its multirange.
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_cast'::pg_catalog.regclass
            AND e.objid = k.oid AND e.deptype IN ('e', 'i'));

-- This role's, and of roles that it is a member of. Of an option only a digest is told, as of a server's.
SELECT 'foreign data wrapper' AS kind, pg_catalog.quote_ident(w.fdwname) AS name,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(w.fdwowner)) AS owner,
       CASE WHEN w.fdwhandler <> 0 THEN w.fdwhandler::pg_catalog.regprocedure::text END AS handler,
       CASE WHEN w.fdwvalidator <> 0
            THEN w.fdwvalidator::pg_catalog.regprocedure::text END AS validator,
       (SELECT pg_catalog.string_agg(o.line, E'\n' ORDER BY o.line COLLATE "C")
          FROM (SELECT pg_catalog.format('%I: sha256:%s', v.option_name,
                         pg_catalog.encode(pg_catalog.sha256(
                           pg_catalog.convert_to(v.option_value, 'UTF8')), 'hex'))
                  FROM pg_catalog.pg_options_to_table(w.fdwoptions) AS v) AS o (line)) AS options,
       {wrapper_grants} AS grants,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = w.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_foreign_data_wrapper AS w
 WHERE pg_catalog.pg_has_role(current_user, w.fdwowner, 'MEMBER')
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_foreign_data_wrapper'::pg_catalog.regclass
            AND e.objid = w.oid AND e.deptype = 'e');
