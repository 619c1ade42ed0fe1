-- {values}: (writer, number, hash, body), in the order of the key: two who add the same rows then wait
-- for each other in one direction only. An entry that is there already is left as it is.
INSERT INTO tollgate_hub.entry (writer, number, hash, body)
VALUES {values}
ON CONFLICT (writer, number, hash) DO NOTHING;
