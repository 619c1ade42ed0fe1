-- What hangs on a table: constraints, triggers, rules, policies, extended statistics.

SELECT 'constraint' AS kind, pg_catalog.format('%I.%I.%I', n.nspname, c.relname, k.conname) AS name,
       -- NOT VALID, DEFERRABLE and NO INHERIT are in it.
       pg_catalog.pg_get_constraintdef(k.oid) AS definition,
       CASE WHEN NOT k.convalidated THEN 'no' END AS validated,
       CASE WHEN k.coninhcount > 0
            THEN CASE WHEN k.conislocal THEN 'and its own' ELSE 'yes' END END AS inherited,
       -- ALTER TABLE ... DISABLE TRIGGER ALL takes a foreign key's own triggers along, on either side.
       (SELECT pg_catalog.string_agg(
                 pg_catalog.format('%s: %s', g.tgrelid::pg_catalog.regclass, g.word), E'\n'
                 ORDER BY g.tgrelid::pg_catalog.regclass::text COLLATE "C", g.word)
          FROM (SELECT DISTINCT i.tgrelid,
                       CASE i.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on a replica only'
                                        ELSE 'always' END AS word
                  FROM pg_catalog.pg_trigger AS i
                 WHERE i.tgconstraint = k.oid AND i.tgisinternal AND i.tgenabled <> 'O') AS g) AS triggers,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = k.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 -- A constraint trigger is a trigger.
 WHERE k.contype <> 't' AND {in_scope};

SELECT 'trigger' AS kind, pg_catalog.format('%I.%I.%I', n.nspname, c.relname, g.tgname) AS name,
       pg_catalog.pg_get_triggerdef(g.oid) AS definition,
       CASE g.tgenabled WHEN 'D' THEN 'no' WHEN 'R' THEN 'on a replica only' WHEN 'A' THEN 'always'
       END AS enabled,
       CASE WHEN g.tgparentid <> 0 THEN 'yes' END AS inherited,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = g.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_trigger'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_trigger AS g
  JOIN pg_catalog.pg_class AS c ON c.oid = g.tgrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE NOT g.tgisinternal AND {in_scope};

SELECT 'rule' AS kind, pg_catalog.format('%I.%I.%I', n.nspname, c.relname, r.rulename) AS name,
       pg_catalog.pg_get_ruledef(r.oid) AS definition,
       CASE r.ev_enabled WHEN 'D' THEN 'no' WHEN 'R' THEN 'on a replica only' WHEN 'A' THEN 'always'
       END AS enabled,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = r.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_rewrite AS r
  JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 -- What makes a view a view is the view's definition.
 WHERE r.rulename <> '_RETURN' AND {in_scope};

SELECT 'policy' AS kind, pg_catalog.format('%I.%I.%I', n.nspname, c.relname, p.polname) AS name,
       CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'
                     WHEN 'd' THEN 'DELETE' ELSE 'ALL' END AS "for",
       CASE WHEN NOT p.polpermissive THEN 'yes' END AS restrictive,
       (SELECT pg_catalog.string_agg(o.word, ', ' ORDER BY o.word COLLATE "C")
          FROM (SELECT CASE r.oid WHEN 0 THEN 'PUBLIC'
                                  ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(r.oid)) END
                  FROM pg_catalog.unnest(p.polroles) AS r (oid)) AS o (word)) AS roles,
       pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS "using",
       pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) AS "with check",
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = p.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_policy'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_policy AS p
  JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE {in_scope};

SELECT 'statistics' AS kind, pg_catalog.format('%I.%I', n.nspname, s.stxname) AS name,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(s.stxowner)) AS owner,
       pg_catalog.pg_get_statisticsobjdef(s.oid) AS definition,
       CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget END AS "statistics target",
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = s.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_statistic_ext AS s
  JOIN pg_catalog.pg_namespace AS n ON n.oid = s.stxnamespace
  JOIN pg_catalog.pg_class AS c ON c.oid = s.stxrelid
 WHERE {in_scope};
