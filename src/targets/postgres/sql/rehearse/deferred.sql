-- The constraints, and constraint triggers, that may be deferred, except the fence, by the names that SET
-- CONSTRAINTS takes: it means all of that name in that schema. A schema that the role may not use it does
-- not take. `deferred` is how they begin; where some of one name begin so and others do not, `mixed`.
SELECT pg_catalog.format('%I.%I', n.nspname, k.conname) AS name,
       pg_catalog.bool_or(k.condeferred) AS deferred,
       pg_catalog.bool_or(k.condeferred) AND NOT pg_catalog.bool_and(k.condeferred) AS mixed
  FROM pg_catalog.pg_constraint AS k
  JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) k.connamespace
 WHERE (n.oid OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
        OR n.nspname OPERATOR(pg_catalog.!~) '^pg_')
   AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
   AND k.conname OPERATOR(pg_catalog.<>) 'tollgate_fence_stands'
 GROUP BY n.nspname, k.conname
HAVING pg_catalog.bool_or(k.condeferrable)
 ORDER BY 1
