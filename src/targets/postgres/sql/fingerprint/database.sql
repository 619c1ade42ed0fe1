-- What stands in no schema: extensions, foreign servers, default privileges. What belongs to a role that
-- this one is a member of is as its own: a script may become that role.

SELECT 'extension' AS kind, pg_catalog.quote_ident(x.extname) AS name,
       x.extversion AS version, pg_catalog.quote_ident(n.nspname) AS schema
  FROM pg_catalog.pg_extension AS x
  JOIN pg_catalog.pg_namespace AS n ON n.oid = x.extnamespace;

-- This role's, and those that a table in scope is of. The options of some wrappers hold keys: of a value
-- only a digest is told, which shows that it changed.
SELECT 'foreign server' AS kind, pg_catalog.quote_ident(s.srvname) AS name,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(s.srvowner)) AS owner,
       pg_catalog.quote_ident(w.fdwname) AS wrapper, s.srvtype AS type, s.srvversion AS version,
       (SELECT pg_catalog.string_agg(o.line, E'\n' ORDER BY o.line COLLATE "C")
          FROM (SELECT pg_catalog.format('%I: sha256:%s', v.option_name,
                         pg_catalog.encode(pg_catalog.sha256(
                           pg_catalog.convert_to(v.option_value, 'UTF8')), 'hex'))
                  FROM pg_catalog.pg_options_to_table(s.srvoptions) AS v) AS o (line)) AS options,
       {server_grants} AS grants,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = s.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_foreign_server'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_foreign_server AS s
  JOIN pg_catalog.pg_foreign_data_wrapper AS w ON w.oid = s.srvfdw
 WHERE (pg_catalog.pg_has_role(current_user, s.srvowner, 'MEMBER')
        OR EXISTS (SELECT FROM pg_catalog.pg_foreign_table AS f
                     JOIN pg_catalog.pg_class AS c ON c.oid = f.ftrelid
                    WHERE f.ftserver = s.oid AND {in_scope}))
   AND NOT EXISTS (
         SELECT FROM pg_catalog.pg_depend AS e
          WHERE e.classid = 'pg_catalog.pg_foreign_server'::pg_catalog.regclass
            AND e.objid = s.oid AND e.deptype = 'e');

-- What new objects will get: this role's, and anybody's for a schema in scope.
SELECT 'default privileges' AS kind,
       pg_catalog.concat(
         'of ', pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(d.defaclrole)),
         ' on ', CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
                                      WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types'
                                      WHEN 'n' THEN 'schemas' ELSE d.defaclobjtype::text END,
         (SELECT ' in ' || pg_catalog.quote_ident(n.nspname)
            FROM pg_catalog.pg_namespace AS n WHERE n.oid = d.defaclnamespace)) AS name,
       COALESCE({default_grants}, 'nobody') AS grants
  FROM pg_catalog.pg_default_acl AS d
 WHERE d.defaclnamespace IN ({spaces})
    OR d.defaclnamespace = 0
       AND pg_catalog.pg_has_role(current_user, d.defaclrole, 'MEMBER');

-- Which tables are published. Those of this role's, and of another's what concerns a table in scope.
SELECT 'publication' AS kind, pg_catalog.quote_ident(p.pubname) AS name,
       pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(p.pubowner)) AS owner,
       CASE WHEN p.puballtables THEN 'yes' END AS "all tables",
       pg_catalog.concat_ws(', ',
         CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
         CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END) AS publishes,
       CASE WHEN p.pubviaroot THEN 'yes' END AS "through the root",
       (SELECT pg_catalog.string_agg(l.line, E'\n' ORDER BY l.line COLLATE "C")
          FROM (SELECT c.oid::pg_catalog.regclass::text || {published}
                  FROM pg_catalog.pg_publication_rel AS r
                  JOIN pg_catalog.pg_class AS c ON c.oid = r.prrelid
                 WHERE r.prpubid = p.oid AND (pg_catalog.pg_has_role(current_user, p.pubowner, 'MEMBER') OR {in_scope})) AS l (line)) AS tables,
       {published_schemas} AS schemas,
       (SELECT said.description FROM pg_catalog.pg_description AS said
         WHERE said.objoid = p.oid AND said.objsubid = 0
           AND said.classoid = 'pg_catalog.pg_publication'::pg_catalog.regclass) AS comment
  FROM pg_catalog.pg_publication AS p
 WHERE pg_catalog.pg_has_role(current_user, p.pubowner, 'MEMBER')
    OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel AS r
                 JOIN pg_catalog.pg_class AS c ON c.oid = r.prrelid
                WHERE r.prpubid = p.oid AND {in_scope});
