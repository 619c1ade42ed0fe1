-- One receipt of a history that was found, in the transaction of all of them.
INSERT INTO tollgate.receipt (seq, prev, hash, migration, attempt, kind, body)
VALUES ({seq}, {prev}, '{hash}', {migration}, '{attempt}', '{kind}', {body});
