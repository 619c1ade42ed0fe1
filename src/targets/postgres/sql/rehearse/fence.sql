-- The fence: a deferred constraint that is violated, so that a COMMIT or a PREPARE TRANSACTION that nobody
-- saw coming fails. Only SET CONSTRAINTS ALL would trip it, and nothing of ours says that.
CREATE TEMPORARY TABLE tollgate_fence (
  n int CONSTRAINT tollgate_fence_stands UNIQUE DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO pg_temp.tollgate_fence VALUES (1), (1);
SELECT pg_catalog.txid_current() AS transaction, c.oid AS fence
  FROM pg_catalog.pg_class AS c
 WHERE c.relnamespace OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()
   AND c.relname OPERATOR(pg_catalog.=) 'tollgate_fence';
