-- One sequence as it was when the rehearsal began, where it is still there and takes that number.
SELECT pg_catalog.setval(s.seqrelid::pg_catalog.regclass, {last}, {called})
  FROM pg_catalog.pg_sequence AS s
 WHERE s.seqrelid OPERATOR(pg_catalog.=) '{oid}'::pg_catalog.oid
   AND '{last}'::pg_catalog.int8 OPERATOR(pg_catalog.>=) s.seqmin
   AND '{last}'::pg_catalog.int8 OPERATOR(pg_catalog.<=) s.seqmax
   AND pg_catalog.has_sequence_privilege(s.seqrelid, 'UPDATE');
