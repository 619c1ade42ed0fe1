-- Whether the relation `c` is the application's: in one of the schemas, no extension's, and not Prisma's
-- record, which is taken in by its rows. Of a composite type only the type knows its extension.
c.relnamespace IN ({spaces}) AND c.relname <> '_prisma_migrations'
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            AND e.objid = c.oid AND e.deptype = 'e')
   AND NOT (c.relkind = 'c' AND EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
            AND e.objid = c.reltype AND e.deptype = 'e'))
