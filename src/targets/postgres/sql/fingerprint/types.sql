-- Types that were made as such: not a table's row type, not the array or the multirange of another.

SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite type'
                      WHEN 'r' THEN 'range type' ELSE 'base type' END AS kind,
       pg_catalog.format('%I.%I', n.nspname, t.typname) AS name,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(t.typowner)) AS owner,
       -- By rank: where a label stands is how it compares. The number behind it is not the rank.
       CASE WHEN t.typtype = 'e' THEN
         COALESCE((SELECT pg_catalog.string_agg(pg_catalog.quote_literal(l.enumlabel), E'\n'
                                                ORDER BY l.enumsortorder)
                     FROM pg_catalog.pg_enum AS l WHERE l.enumtypid = t.oid), '') END AS labels,
       CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END AS "based on",
       CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation
            THEN t.typcollation::pg_catalog.regcollation::text END AS collation,
       CASE WHEN t.typtype = 'd' AND t.typnotnull THEN 'yes' END AS "not null",
       CASE WHEN t.typtype = 'd' THEN COALESCE(pg_catalog.pg_get_expr(t.typdefaultbin, 0), t.typdefault)
       END AS "default",
       -- A value is written and compared in this order; what each is stands with its name.
       CASE WHEN t.typtype = 'c' THEN
         (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attnum)
            FROM pg_catalog.pg_attribute AS a
           WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END AS attributes,
       pg_catalog.format_type(r.rngsubtype, NULL) AS subtype,
       (SELECT pg_catalog.format('%I.%I', o.nspname, c.opcname)
          FROM pg_catalog.pg_opclass AS c
          JOIN pg_catalog.pg_namespace AS o ON o.oid = c.opcnamespace
         WHERE c.oid = r.rngsubopc) AS "operator class",
       CASE WHEN r.rngcollation <> 0
            THEN r.rngcollation::pg_catalog.regcollation::text END AS "range collation",
       NULLIF(r.rngcanonical::pg_catalog.regprocedure::text, '-') AS canonical,
       NULLIF(r.rngsubdiff::pg_catalog.regprocedure::text, '-') AS difference,
       CASE WHEN r.rngmultitypid <> 0
            THEN pg_catalog.format_type(r.rngmultitypid, NULL) END AS multirange,
       CASE WHEN t.typtype = 'b'
            THEN pg_catalog.format('%s %s', t.typinput::pg_catalog.regprocedure,
                                   t.typoutput::pg_catalog.regprocedure) END AS "input and output",
       {type_grants} AS grants,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = t.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_type'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_type AS t
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
  LEFT JOIN pg_catalog.pg_type AS b ON b.oid = t.typbasetype
  LEFT JOIN pg_catalog.pg_range AS r ON r.rngtypid = t.oid
  LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
 WHERE t.typnamespace IN ({spaces})
   AND (t.typtype IN ('e', 'd', 'r') OR t.typtype = 'c' AND c.relkind = 'c'
        -- No index finds a type by its array: one search for all, and not one for each.
        OR t.typtype = 'b' AND t.oid NOT IN (
             SELECT s.typarray FROM pg_catalog.pg_type AS s WHERE s.typarray <> 0))
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
            AND e.objid = t.oid AND e.deptype = 'e');

SELECT 'domain constraint' AS kind, pg_catalog.format('%I.%I.%I', n.nspname, t.typname, k.conname) AS name,
       pg_catalog.pg_get_constraintdef(k.oid) AS definition,
       CASE WHEN NOT k.convalidated THEN 'no' END AS validated,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = k.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_constraint'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_type AS t ON t.oid = k.contypid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
 -- From 17 on a domain's NOT NULL is a constraint too; it is told with the domain.
 WHERE k.contypid <> 0 AND k.contype = 'c' AND t.typnamespace IN ({spaces})
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
            AND e.objid = t.oid AND e.deptype = 'e');
