-- The target's own row: asked in another database, so by its name.
SELECT d.oid, pg_catalog.quote_literal(pg_catalog.pg_encoding_to_char(d.encoding)) AS encoding,
       pg_catalog.quote_literal(d.datcollate) AS "collate", pg_catalog.quote_literal(d.datctype) AS ctype,
       -- Columns that came, and were renamed, with later servers.
       CASE j.row ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' WHEN 'c' THEN 'libc'
       END AS provider,
       pg_catalog.quote_literal(COALESCE(j.row ->> 'datlocale', j.row ->> 'daticulocale')) AS locale,
       pg_catalog.quote_literal(j.row ->> 'daticurules') AS rules,
       pg_catalog.quote_ident(current_user) AS me
  FROM pg_catalog.pg_database AS d
 CROSS JOIN LATERAL (SELECT pg_catalog.to_jsonb(d)) AS j (row)
 WHERE d.datname OPERATOR(pg_catalog.=) {name}
