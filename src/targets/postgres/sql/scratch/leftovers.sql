-- Scratch databases of this target that somebody did not drop: not what a person gave such a name. One that
-- was left before it got its comment lets nobody in.
SELECT d.datname AS name
  FROM pg_catalog.pg_database AS d
 WHERE pg_catalog.starts_with(d.datname::pg_catalog.text, {prefix})
   AND (pg_catalog.shobj_description(d.oid, 'pg_database') OPERATOR(pg_catalog.=) {comment}
        OR d.datconnlimit OPERATOR(pg_catalog.=) 0)
 ORDER BY d.datname
