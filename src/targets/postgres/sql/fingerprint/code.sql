-- Functions, procedures and aggregates, and event triggers.

SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END AS kind,
       pg_catalog.format('%I.%I(%s)', n.nspname, p.proname,
                         pg_catalog.pg_get_function_identity_arguments(p.oid)) AS name,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(p.proowner)) AS owner,
       CASE WHEN p.prokind <> 'a' THEN pg_catalog.pg_get_functiondef(p.oid) END AS definition,
       -- Of an aggregate there is no such text.
       CASE WHEN p.prokind = 'a' THEN pg_catalog.pg_get_function_arguments(p.oid) END AS arguments,
       CASE WHEN p.prokind = 'a' THEN pg_catalog.pg_get_function_result(p.oid) END AS returns,
       CASE WHEN p.prokind = 'a'
            THEN CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' ELSE 'unsafe' END
       END AS parallel,
       a.aggtransfn::pg_catalog.regprocedure::text AS "state function",
       pg_catalog.format_type(a.aggtranstype, NULL) AS "state type",
       NULLIF(a.aggtransspace, 0) AS "state size",
       a.agginitval AS "initial value",
       NULLIF(a.aggfinalfn::pg_catalog.regprocedure::text, '-') AS "final function",
       CASE WHEN a.aggfinalextra THEN 'yes' END AS "final function takes arguments",
       CASE a.aggfinalmodify WHEN 'r' THEN 'read only' WHEN 's' THEN 'shareable'
                             WHEN 'w' THEN 'read write' END AS "final function modifies",
       NULLIF(a.aggcombinefn::pg_catalog.regprocedure::text, '-') AS "combine function",
       NULLIF(a.aggserialfn::pg_catalog.regprocedure::text, '-') AS "serial function",
       NULLIF(a.aggdeserialfn::pg_catalog.regprocedure::text, '-') AS "deserial function",
       NULLIF(a.aggmtransfn::pg_catalog.regprocedure::text, '-') AS "moving state function",
       NULLIF(a.aggminvtransfn::pg_catalog.regprocedure::text, '-') AS "moving inverse function",
       NULLIF(a.aggmfinalfn::pg_catalog.regprocedure::text, '-') AS "moving final function",
       CASE WHEN a.aggmtranstype <> 0
            THEN pg_catalog.format_type(a.aggmtranstype, NULL) END AS "moving state type",
       a.aggminitval AS "moving initial value",
       CASE WHEN a.aggsortop <> 0
            THEN a.aggsortop::pg_catalog.regoperator::text END AS "sort operator",
       {routine_grants} AS grants,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = p.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_proc AS p
  JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
  LEFT JOIN pg_catalog.pg_aggregate AS a ON a.aggfnoid = p.oid
 WHERE p.pronamespace IN ({spaces})
   -- An extension's, or made by itself, as the constructors of a range type are.
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass
            AND e.objid = p.oid AND e.deptype IN ('e', 'i'));

-- Only those of this role's, and of roles that it is a member of: a hosted service has some of its own.
SELECT 'event trigger' AS kind, pg_catalog.quote_ident(t.evtname) AS name,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(t.evtowner)) AS owner,
       t.evtevent AS event,
       (SELECT pg_catalog.string_agg(g.tag, ', ' ORDER BY g.tag COLLATE "C")
          FROM pg_catalog.unnest(t.evttags) AS g (tag)) AS tags,
       t.evtfoid::pg_catalog.regprocedure::text AS function,
       CASE t.evtenabled WHEN 'D' THEN 'no' WHEN 'R' THEN 'on a replica only' WHEN 'A' THEN 'always'
       END AS enabled,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = t.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_event_trigger AS t
 WHERE pg_catalog.pg_has_role(current_user, t.evtowner, 'MEMBER')
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_event_trigger'::pg_catalog.regclass
            AND e.objid = t.oid AND e.deptype = 'e');
