-- What of Prisma's is there, and whether the application's schema has tables besides: not tollgate's,
-- not an extension's. No name is looked up: a role that may not enter the schema must get an answer too.
SELECT COALESCE(pg_catalog.bool_or(n.nspname = {schema} AND c.relname = '_prisma_migrations'), false)
         AS is_there,
       COALESCE(pg_catalog.bool_and(
         pg_catalog.has_table_privilege(c.oid, 'SELECT') AND pg_catalog.has_table_privilege(c.oid, 'INSERT')
         AND pg_catalog.has_table_privilege(c.oid, 'UPDATE') AND pg_catalog.has_table_privilege(c.oid, 'DELETE')
       ) FILTER (WHERE n.nspname = {schema} AND c.relname = '_prisma_migrations'), true) AS may_write,
       -- Rows that a policy hides would be taken for rows that are not there.
       COALESCE(pg_catalog.bool_or(pg_catalog.row_security_active(c.oid))
         FILTER (WHERE n.nspname = {schema} AND c.relname = '_prisma_migrations'), false) AS is_hidden,
       current_user AS role,
       EXISTS (SELECT FROM pg_catalog.pg_namespace AS s WHERE s.nspname = {schema}) AS has_schema,
       -- Prisma 8 keeps its own record elsewhere.
       EXISTS (SELECT FROM pg_catalog.pg_namespace AS p WHERE p.nspname = 'prisma_contract')
         OR COALESCE(pg_catalog.bool_or(c.relname = 'prisma_contract'), false) AS is_prisma_8,
       -- The first one ends it: there may be thousands.
       EXISTS (
         SELECT FROM pg_catalog.pg_class AS f
           JOIN pg_catalog.pg_namespace AS s ON s.oid = f.relnamespace
          WHERE s.nspname = {schema} AND f.relkind IN ('r', 'p', 'f')
            AND f.relname <> '_prisma_migrations'
            AND NOT EXISTS (
              SELECT FROM pg_catalog.pg_depend AS e
               WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                 AND e.objid = f.oid AND e.deptype = 'e')
       ) AS is_filled
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f')
   -- By name: there may be thousands of others.
   AND (c.relname = '_prisma_migrations' AND n.nspname = {schema} OR c.relname = 'prisma_contract')
