-- The sequences that a script could draw from. Only what this role owns it may hold; of what it may read
-- it learns how far it came, and what it may write it can set back.
SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, s.seqincrement AS increment,
       s.seqcycle AS cycles,
       -- The table whose column it is of: the fingerprint's name for it.
       (SELECT pg_catalog.format('%I.%I', m.nspname, t.relname)
          FROM pg_catalog.pg_depend AS d
          JOIN pg_catalog.pg_class AS t ON t.oid = d.refobjid
          JOIN pg_catalog.pg_namespace AS m ON m.oid = t.relnamespace
         WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
           AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
           AND d.deptype IN ('a', 'i')) AS of,
       -- Whether that is one that can be locked.
       EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                 JOIN pg_catalog.pg_class AS t ON t.oid = d.refobjid
                WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid
                  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                  AND d.deptype IN ('a', 'i') AND t.relkind IN ('r', 'p')) AS lockable,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned,
       pg_catalog.has_sequence_privilege(c.oid, 'SELECT')
         AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS readable,
       -- A script may become a role that this one is a member of.
       pg_catalog.has_sequence_privilege(c.oid, 'USAGE, UPDATE')
         OR pg_catalog.pg_has_role(c.relowner, 'MEMBER') AS usable
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
