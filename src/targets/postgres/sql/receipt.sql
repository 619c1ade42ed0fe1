-- One receipt.
INSERT INTO tollgate.receipt (seq, prev, hash, migration, attempt, kind, body)
VALUES ({seq}, {prev}, '{hash}', {migration}, '{attempt}', '{kind}', {body});
