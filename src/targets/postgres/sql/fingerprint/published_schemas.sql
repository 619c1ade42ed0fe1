-- From 15 on a whole schema may be published.
(SELECT pg_catalog.string_agg(pg_catalog.quote_ident(s.nspname), ', ' ORDER BY s.nspname COLLATE "C")
   FROM pg_catalog.pg_publication_namespace AS m
   JOIN pg_catalog.pg_namespace AS s ON s.oid = m.pnnspid
  WHERE m.pnpubid = p.oid)
