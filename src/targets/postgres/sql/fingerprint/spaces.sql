-- The schemas that the fingerprint is of, by oid: public, the application's as the identity row and the
-- session know it, every schema of this role's or of one that it is a member of, and every one in which
-- such a role owns something: a script may become that role. A superuser is a member of all. A hosted
-- service's own schemas (auth, storage ...) belong to other roles and change without us.
SELECT n.oid
  FROM pg_catalog.pg_namespace AS n
 WHERE n.nspname NOT IN ('information_schema', 'tollgate', 'tollgate_hub')
   AND n.nspname !~ '^pg_'
   AND (n.nspname = 'public'
        OR n.nspname = pg_catalog.current_setting('tollgate.schema')
        OR n.oid = {application_schema}
        OR pg_catalog.pg_has_role(current_user, n.nspowner, 'MEMBER')
        OR EXISTS (SELECT FROM pg_catalog.pg_class AS c
                    WHERE c.relnamespace = n.oid
                      AND pg_catalog.pg_has_role(current_user, c.relowner, 'MEMBER'))
        OR EXISTS (SELECT FROM pg_catalog.pg_proc AS p
                    WHERE p.pronamespace = n.oid
                      AND pg_catalog.pg_has_role(current_user, p.proowner, 'MEMBER'))
        OR EXISTS (SELECT FROM pg_catalog.pg_type AS t
                    WHERE t.typnamespace = n.oid
                      AND pg_catalog.pg_has_role(current_user, t.typowner, 'MEMBER')))
 ORDER BY n.oid;
