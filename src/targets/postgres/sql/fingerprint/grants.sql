-- Who may do what, a line for each grantee. What is not set stands for the kind's default, so a GRANT
-- that was taken back leaves no trace; a star is the right to pass the privilege on.
(SELECT pg_catalog.string_agg(g.line, E'\n' ORDER BY g.line COLLATE "C")
   FROM (
     SELECT pg_catalog.concat(
              CASE WHEN x.grantee = 0 THEN 'PUBLIC'
                   ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantee)) END,
              ': ',
              pg_catalog.string_agg(
                x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ', '
                ORDER BY x.privilege_type COLLATE "C", x.is_grantable),
              CASE WHEN x.grantor <> {owner}
                   THEN ' (by ' || pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(x.grantor)) || ')'
              END) AS line
       FROM pg_catalog.aclexplode({acl}) AS x
      GROUP BY x.grantee, x.grantor
   ) AS g)
