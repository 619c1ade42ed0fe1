-- Everything in the database that is not the system's, an extension's or tollgate's, with what a reset
-- would do to it. `goes` is true of what this role owns; of what a role owns that this one is a member
-- of, only where it stands among our own: a hosted service may have made us a member of the role that
-- owns its schemas. A schema of ours in which nothing else stands goes whole, except public and the one
-- that tollgate found when it first came: what is granted on them would be lost.
WITH RECURSIVE me AS (
  SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user
), space AS (
  SELECT n.oid, n.nspname, n.nspowner,
         n.nspname = 'public' OR n.oid = {application_schema} AS stays
    FROM pg_catalog.pg_namespace AS n
   WHERE n.nspname NOT IN ('information_schema', 'tollgate', 'tollgate_hub') AND n.nspname !~ '^pg_'
), object (class, oid, namespace, owner) AS (
  SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid, c.oid, c.relnamespace, c.relowner
    FROM pg_catalog.pg_class AS c
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
      -- The sequence of a serial or an identity column is part of its table.
      OR c.relkind = 'S' AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
              AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
              AND d.deptype IN ('a', 'i'))
  UNION ALL
  SELECT 'pg_catalog.pg_proc'::pg_catalog.regclass, p.oid, p.pronamespace, p.proowner
    FROM pg_catalog.pg_proc AS p
   WHERE NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend AS d
            WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid
              AND d.deptype = 'i')
  UNION ALL
  SELECT 'pg_catalog.pg_type'::pg_catalog.regclass, t.oid, t.typnamespace, t.typowner
    FROM pg_catalog.pg_type AS t
   WHERE (t.typtype IN ('b', 'd', 'e', 'r') OR t.typtype = 'p' AND NOT t.typisdefined)
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_type AS e WHERE e.typarray = t.oid)
  UNION ALL
  SELECT 'pg_catalog.pg_operator'::pg_catalog.regclass, o.oid, o.oprnamespace, o.oprowner
    FROM pg_catalog.pg_operator AS o
  UNION ALL
  -- An operator class goes with its family.
  SELECT 'pg_catalog.pg_opfamily'::pg_catalog.regclass, f.oid, f.opfnamespace, f.opfowner
    FROM pg_catalog.pg_opfamily AS f
  UNION ALL
  SELECT 'pg_catalog.pg_collation'::pg_catalog.regclass, l.oid, l.collnamespace, l.collowner
    FROM pg_catalog.pg_collation AS l
  UNION ALL
  SELECT 'pg_catalog.pg_conversion'::pg_catalog.regclass, v.oid, v.connamespace, v.conowner
    FROM pg_catalog.pg_conversion AS v
  UNION ALL
  SELECT 'pg_catalog.pg_ts_config'::pg_catalog.regclass, g.oid, g.cfgnamespace, g.cfgowner
    FROM pg_catalog.pg_ts_config AS g
  UNION ALL
  SELECT 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, i.oid, i.dictnamespace, i.dictowner
    FROM pg_catalog.pg_ts_dict AS i
  UNION ALL
  SELECT 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, s.oid, s.stxnamespace, s.stxowner
    FROM pg_catalog.pg_statistic_ext AS s
), placed AS (
  SELECT o.class, o.oid, s.oid AS space, s.nspname, o.owner,
         EXISTS (
           SELECT FROM pg_catalog.pg_depend AS e
            WHERE e.classid = o.class AND e.objid = o.oid AND e.deptype = 'e') AS extension,
         o.owner = me.oid
         OR (s.nspowner = me.oid OR s.stays)
            AND pg_catalog.pg_has_role(o.owner, 'USAGE') AS ours
    FROM object AS o
    JOIN space AS s ON s.oid = o.namespace
   CROSS JOIN me
), whole AS (
  SELECT s.oid
    FROM space AS s JOIN me ON s.nspowner = me.oid
   WHERE NOT s.stays
     AND NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend AS e
            WHERE e.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
              AND e.objid = s.oid AND e.deptype = 'e')
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_extension AS x WHERE x.extnamespace = s.oid)
     AND NOT EXISTS (
           SELECT FROM placed AS p WHERE p.space = s.oid AND (p.extension OR NOT p.ours))
), listed (class, oid, schema, owner, goes, whole, rank, number) AS (
  SELECT p.class, p.oid, p.nspname, p.owner, p.ours, p.space IN (SELECT w.oid FROM whole AS w), 5, 1
    FROM placed AS p
   WHERE NOT p.extension
  UNION ALL
  SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass, s.oid, NULL, s.nspowner, true, false, 2, 1
    FROM space AS s WHERE s.oid IN (SELECT w.oid FROM whole AS w)
  UNION ALL
  -- First of all, so that none of them is fired by what follows.
  SELECT 'pg_catalog.pg_event_trigger'::pg_catalog.regclass, t.oid, NULL, t.evtowner, true, false, 1, 1
    FROM pg_catalog.pg_event_trigger AS t JOIN me ON t.evtowner = me.oid
   WHERE NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend AS e
            WHERE e.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass
              AND e.objid = t.oid AND e.deptype = 'e')
  UNION ALL
  SELECT 'pg_catalog.pg_foreign_server'::pg_catalog.regclass, f.oid, NULL, f.srvowner, true, false, 6, 1
    FROM pg_catalog.pg_foreign_server AS f JOIN me ON f.srvowner = me.oid
   WHERE NOT EXISTS (
           SELECT FROM pg_catalog.pg_depend AS e
            WHERE e.classid = 'pg_catalog.pg_foreign_server'::pg_catalog.regclass
              AND e.objid = f.oid AND e.deptype = 'e')
  UNION ALL
  -- Others listen to a publication, and a subscription reaches into another server: they stay.
  SELECT 'pg_catalog.pg_publication'::pg_catalog.regclass, u.oid, NULL, u.pubowner, false, false, 9, 1
    FROM pg_catalog.pg_publication AS u
  UNION ALL
  SELECT 'pg_catalog.pg_subscription'::pg_catalog.regclass, u.oid, NULL, u.subowner, false, false, 9, 1
    FROM pg_catalog.pg_subscription AS u
   WHERE u.subdbid = (SELECT b.oid FROM pg_catalog.pg_database AS b
                       WHERE b.datname = pg_catalog.current_database())
), named AS (
  SELECT l.class, l.oid, l.schema, l.owner, l.goes, l.whole, l.rank, l.number,
         -- For a domain it says "type", which is dropped the same way.
         CASE WHEN l.class = 'pg_catalog.pg_foreign_server'::pg_catalog.regclass THEN 'server' ELSE i.type END AS kind,
         i.identity
    FROM listed AS l
   CROSS JOIN LATERAL pg_catalog.pg_identify_object(l.class, l.oid, 0) AS i
), large AS (
  SELECT m.lomowner AS owner, m.lomowner = me.oid AS goes, count(*) AS number
    FROM pg_catalog.pg_largeobject_metadata AS m CROSS JOIN me
   GROUP BY m.lomowner, me.oid
)
SELECT n.schema, n.kind, pg_catalog.pg_get_userbyid(n.owner) AS owner, n.goes, n.number, n.identity,
       n.rank,
       CASE WHEN n.goes AND NOT n.whole THEN
         pg_catalog.format('DROP %s IF EXISTS %s CASCADE',
           CASE WHEN n.kind IN ('function', 'procedure', 'aggregate') THEN 'ROUTINE'
                WHEN n.kind = 'composite type' THEN 'TYPE'
                WHEN n.kind = 'statistics object' THEN 'STATISTICS'
                ELSE pg_catalog.upper(n.kind) END,
           n.identity)
       END AS statement,
       CASE WHEN n.kind = 'table' THEN
         (SELECT GREATEST(c.reltuples, 0)::bigint FROM pg_catalog.pg_class AS c WHERE c.oid = n.oid)
       END AS tuples
  FROM named AS n
UNION ALL
SELECT NULL, 'large object', pg_catalog.pg_get_userbyid(g.owner), g.goes, g.number, 'large objects', 7,
       CASE WHEN g.goes THEN
         pg_catalog.format('SELECT count(pg_catalog.lo_unlink(m.oid)) FROM pg_catalog.pg_largeobject_metadata AS m WHERE m.lomowner = %s', g.owner)
       END,
       NULL
  FROM large AS g
 ORDER BY 7, 2, 6
