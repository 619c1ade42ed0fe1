-- The database from outside, and what of tollgate's is there. No name of ours is looked up: a role
-- that may not enter the schema must get an answer too.
SELECT d.oid AS database_oid,
       d.datname AS name,
       EXISTS (
         SELECT FROM pg_catalog.pg_class AS c
           JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          WHERE n.nspname = 'tollgate' AND c.relname IN ('identity', 'receipt', 'journal')
         -- A script that dropped one of them has taken the target's memory.
        HAVING count(*) = 3
       ) AS is_there,
       EXISTS (
         SELECT FROM pg_catalog.pg_class AS c
           JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p', 'f')
            AND n.nspname NOT IN ('tollgate', 'tollgate_hub', 'pg_catalog', 'information_schema', 'pg_toast')
            AND n.nspname !~ '^pg_(toast_)?temp_'
            -- What an extension brought is not the application's.
            AND NOT EXISTS (
              SELECT FROM pg_catalog.pg_depend AS e
               WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                 AND e.objid = c.oid AND e.deptype = 'e'
            )
       ) AS has_other_tables
  FROM pg_catalog.pg_database AS d
 WHERE d.datname = pg_catalog.current_database()
