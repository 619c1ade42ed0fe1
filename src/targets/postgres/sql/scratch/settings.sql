-- What is set for the target, for everybody and for this role: a script may rely on it, the search path
-- above all. Neither CREATE DATABASE nor its TEMPLATE carries it over.
SELECT s.setrole OPERATOR(pg_catalog.<>) '0'::pg_catalog.oid AS mine,
       pg_catalog.quote_ident(pg_catalog.split_part(c.line, '=', 1)) AS name,
       pg_catalog.split_part(c.line, '=', 1) AS plain,
       pg_catalog.substr(c.line, pg_catalog.strpos(c.line, '=') OPERATOR(pg_catalog.+) 1) AS value
  FROM pg_catalog.pg_db_role_setting AS s
 CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c (line)
 WHERE s.setdatabase OPERATOR(pg_catalog.=) '{oid}'::pg_catalog.oid
   AND (s.setrole OPERATOR(pg_catalog.=) '0'::pg_catalog.oid
        OR s.setrole OPERATOR(pg_catalog.=) (
             SELECT r.oid FROM pg_catalog.pg_roles AS r
              WHERE r.rolname OPERATOR(pg_catalog.=) current_user))
