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

-- Whether a script that only defines things may draw from one all the same: by an event trigger, or by the
-- default of a domain.
SELECT 'hidden' AS hidden
 WHERE EXISTS (SELECT FROM pg_catalog.pg_event_trigger AS e WHERE e.evtenabled <> 'D')
    OR EXISTS (SELECT FROM pg_catalog.pg_type AS t
                WHERE t.typtype = 'd' AND t.typdefault IS NOT NULL
                  AND t.typnamespace NOT IN ('pg_catalog'::pg_catalog.regnamespace,
                                             'information_schema'::pg_catalog.regnamespace));
