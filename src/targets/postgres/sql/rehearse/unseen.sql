-- What is there and is not compared.
SELECT (SELECT pg_catalog.count(*) FROM pg_catalog.pg_class AS c
         WHERE c.relkind = 'f' AND {in_scope}) AS foreign_tables,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_largeobject_metadata) AS large_objects;
