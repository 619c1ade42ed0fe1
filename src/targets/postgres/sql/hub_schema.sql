-- Sent only where the schema is missing: whoever may only use one that is there may not say IF NOT
-- EXISTS either.
CREATE SCHEMA tollgate_hub;
COMMENT ON SCHEMA tollgate_hub IS 'A team''s hub of the tool tollgate: what its ledgers have in common.';
