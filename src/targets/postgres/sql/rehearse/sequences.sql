-- The sequences that a script could draw from. Only what this role owns it may hold; of what it may read
-- it learns how far it came, and what it may write it can set back.
SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, s.seqincrement AS increment,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned,
       pg_catalog.has_sequence_privilege(c.oid, 'SELECT') AS readable,
       pg_catalog.has_sequence_privilege(c.oid, 'USAGE, UPDATE') AS usable
  FROM pg_catalog.pg_class AS c
  JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_sequence AS s ON s.seqrelid = c.oid
 WHERE c.relkind = 'S' AND {in_scope}
 ORDER BY c.oid;
