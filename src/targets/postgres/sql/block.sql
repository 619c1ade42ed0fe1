-- Just before the COMMIT of a script's own transaction: the row that says that it is done is committed
-- with it, or neither is.
{locked}
{journal}
