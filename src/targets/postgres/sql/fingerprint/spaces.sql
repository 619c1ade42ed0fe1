-- The schemas that the fingerprint is of, by oid: public, the application's as the identity row and the
-- session know it, every schema of this role's, and every one in which this role owns something. A hosted
-- service's own schemas (auth, storage ...) belong to other roles and change without us.
WITH me AS (
  SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname = current_user
)
SELECT n.oid
  FROM pg_catalog.pg_namespace AS n
 CROSS JOIN me
 WHERE n.nspname NOT IN ('information_schema', 'tollgate', 'tollgate_hub')
   AND n.nspname !~ '^pg_'
   AND (n.nspname = 'public'
        OR n.nspname = {current_schema}
        OR n.oid = {application_schema}
        OR n.nspowner = me.oid
        OR EXISTS (SELECT FROM pg_catalog.pg_class AS c
                    WHERE c.relnamespace = n.oid AND c.relowner = me.oid)
        OR EXISTS (SELECT FROM pg_catalog.pg_proc AS p
                    WHERE p.pronamespace = n.oid AND p.proowner = me.oid)
        OR EXISTS (SELECT FROM pg_catalog.pg_type AS t
                    WHERE t.typnamespace = n.oid AND t.typowner = me.oid))
 ORDER BY n.oid;
