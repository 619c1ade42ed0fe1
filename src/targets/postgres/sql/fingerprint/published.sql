-- From 15 on a table may be published in part: these columns, these rows.
pg_catalog.concat(
  (SELECT ' (' || pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' ORDER BY a.attname) || ')'
     FROM pg_catalog.pg_attribute AS a
    WHERE a.attrelid = c.oid AND a.attnum = ANY (r.prattrs::pg_catalog.int2[])),
  ' WHERE ' || pg_catalog.pg_get_expr(r.prqual, c.oid))
