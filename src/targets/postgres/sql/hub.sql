-- A team's hub: one table that holds the entries of every writer. Run in the transaction of the
-- hub's own lock, after the schema was made. Every name is qualified, and the search path of that
-- transaction is pg_catalog alone, so that each operator below is the server's own.
--
-- What is checked here is what a server without BLAKE3 can check: that a row is what its body says it
-- is, and that it follows a row that is here. Whether the hash is that of the body is looked at by
-- whoever adds an entry and by whoever reads it.

CREATE TABLE tollgate_hub.entry (
  writer        text COLLATE "C" NOT NULL,
  number        bigint NOT NULL,
  hash          text COLLATE "C" NOT NULL,
  body          text NOT NULL,
  received_at   timestamptz NOT NULL DEFAULT pg_catalog.now(),
  received_from text NOT NULL DEFAULT session_user,
  after         bigint GENERATED ALWAYS AS (number - 1) STORED,
  prev          text COLLATE "C" GENERATED ALWAYS AS (pg_catalog.substring(body,
                  '^[{]"v":1,"writer":"[0-9a-f]{32}","number":[0-9]+,"prev":"([0-9a-f]{64})","at":"')) STORED,
  -- The hash belongs to the key: where a writer has two entries with one number, both are kept, because
  -- only together do they show it. SHA-256 of the body is not unique: whoever may add rows could put
  -- another's body here under a hash that is not its own, and the true one would find its place taken.
  CONSTRAINT entry_key PRIMARY KEY (writer, number, hash),
  CONSTRAINT entry_has_a_writer CHECK (writer ~ '^[0-9a-f]{32}$'),
  CONSTRAINT entry_has_a_number CHECK (number >= 1),
  CONSTRAINT entry_has_a_hash CHECK (hash ~ '^[0-9a-f]{64}$'),
  -- The first fields of version 1 and their order are fixed for ever, so these bytes are compared and not
  -- values of the JSON: a body with a second "number" further on would have two.
  CONSTRAINT entry_says_its_place CHECK (pg_catalog.starts_with(body,
    '{"v":1,"writer":"' || writer || '","number":' || number::text || ',"prev":'
    || CASE WHEN number = 1 THEN 'null' ELSE '"' || COALESCE(prev, '') || '"' END || ',"at":"')),
  CONSTRAINT entry_has_one_before_it CHECK ((number = 1) = (prev IS NULL)),
  -- json and not jsonb, which takes no \u0000.
  CONSTRAINT entry_is_one_line_of_json CHECK (body::json IS NOT NULL AND pg_catalog.strpos(body, pg_catalog.chr(10)) = 0),
  -- No chain has a hole, in whatever pieces it comes.
  CONSTRAINT entry_follows_one_that_is_here FOREIGN KEY (writer, after, prev)
    REFERENCES tollgate_hub.entry (writer, number, hash)
);
-- The first words are read by tollgate: which version of this schema it is. A comment, because everyone who
-- can connect may read it, whatever was granted.
COMMENT ON TABLE tollgate_hub.entry IS
  'tollgate hub, version 1: the entries of all ledgers of a team, insert-only. See docs/LEDGER.md of tollgate.';
COMMENT ON COLUMN tollgate_hub.entry.writer IS 'The ledger that wrote the entry: 32 hexadecimal digits. Also in the body.';
COMMENT ON COLUMN tollgate_hub.entry.number IS 'The entry''s place in that writer''s chain, from 1. Also in the body.';
COMMENT ON COLUMN tollgate_hub.entry.hash IS 'BLAKE3 of the body, as docs/LEDGER.md says. The server cannot compute it: clients compare it, on both sides.';
COMMENT ON COLUMN tollgate_hub.entry.body IS 'The exact bytes that were hashed: one line of JSON.';
COMMENT ON COLUMN tollgate_hub.entry.received_at IS 'The server''s clock when the entry came. For people; not hashed.';
COMMENT ON COLUMN tollgate_hub.entry.received_from IS 'The role that logged in and brought the entry, which need not be its writer. For people; not hashed.';
COMMENT ON COLUMN tollgate_hub.entry.after IS 'The number before this one; 0 for the first entry.';
COMMENT ON COLUMN tollgate_hub.entry.prev IS 'The hash of the entry before this one, from the body; null for the first.';

-- The guards. They stop mistakes, the owner's too, and not an owner who means it: only the hashes speak.
CREATE FUNCTION tollgate_hub.refuse_change() RETURNS trigger
  LANGUAGE plpgsql SET search_path = '' AS $guard$
BEGIN
  RAISE EXCEPTION 'tollgate_hub.% is insert-only: % is refused', TG_TABLE_NAME, TG_OP
    USING HINT = 'Only tollgate writes here; to start anew, make another database and push to it.';
END
$guard$;
COMMENT ON FUNCTION tollgate_hub.refuse_change() IS 'Refuses UPDATE, DELETE and TRUNCATE.';
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON tollgate_hub.entry
  FOR EACH STATEMENT EXECUTE FUNCTION tollgate_hub.refuse_change();
-- ALWAYS: session_replication_role = replica does not switch it off.
ALTER TABLE tollgate_hub.entry ENABLE ALWAYS TRIGGER insert_only;

-- A role that was granted UPDATE or DELETE finds no row to change. Not forced on the owner: pg_dump by
-- the owner would fail.
ALTER TABLE tollgate_hub.entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY everyone_reads ON tollgate_hub.entry FOR SELECT USING (true);
-- When a row came and from whom is the server's to say.
CREATE POLICY everyone_adds ON tollgate_hub.entry FOR INSERT
  WITH CHECK (received_at = pg_catalog.now() AND received_from = session_user::text);

REVOKE ALL ON SCHEMA tollgate_hub FROM PUBLIC;
REVOKE ALL ON TABLE tollgate_hub.entry FROM PUBLIC;
REVOKE ALL ON FUNCTION tollgate_hub.refuse_change() FROM PUBLIC;
