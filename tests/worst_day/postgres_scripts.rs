//! The kinds of script for PostgreSQL.

use crate::scripts::{Case, MUST_FAIL, case};

pub(crate) const CASES: &[Case] = &[
    // Transactions of the script's own.
    case("COMMIT", "@1;\nCOMMIT;\n@3;\n", &[1, 3]),
    case("ROLLBACK", "@1;\nROLLBACK;\n@3;\n", &[1, 3]),
    case("BEGIN COMMIT", "BEGIN;\n@2;\nCOMMIT;\n@4;\n", &[2, 4]),
    case("BEGIN ROLLBACK", "BEGIN;\n@2;\nROLLBACK;\n@4;\n", &[4]),
    case(
        "BEGIN twice",
        "BEGIN;\nBEGIN;\n@3;\nCOMMIT;\n@5;\n",
        &[3, 5],
    ),
    case(
        "ABORT and END",
        "BEGIN;\n@2;\nABORT;\nBEGIN;\n@5;\nEND;\n",
        &[5],
    ),
    case(
        "two blocks and work beside them",
        "@1;\nBEGIN;\n@3;\nCOMMIT;\n@5;\nBEGIN;\n@7;\nCOMMIT;\n@9;\n",
        &[1, 3, 5, 7, 9],
    ),
    case("BEGIN left open", "@1;\nBEGIN;\n@3;\n", MUST_FAIL),
    case(
        "COMMIT AND CHAIN",
        "BEGIN;\n@2;\nCOMMIT AND CHAIN;\n@4;\nCOMMIT;\n@6;\n",
        &[2, 4, 6],
    ),
    case(
        "COMMIT AND CHAIN left open",
        "BEGIN;\n@2;\nCOMMIT AND CHAIN;\n@4;\n",
        MUST_FAIL,
    ),
    case(
        "ROLLBACK AND CHAIN",
        "BEGIN;\n@2;\nROLLBACK AND CHAIN;\n@4;\nCOMMIT;\n",
        &[4],
    ),
    case(
        "PREPARE TRANSACTION",
        "BEGIN;\n@2;\nPREPARE TRANSACTION '{gid}';\n@4;\n",
        &[4],
    ),
    case(
        "PREPARE TRANSACTION without BEGIN",
        "@1;\nPREPARE TRANSACTION '{gid}';\n@3;\n",
        &[1, 3],
    ),
    case(
        "PREPARE and COMMIT PREPARED",
        "BEGIN;\n@2;\nPREPARE TRANSACTION '{gid}';\nCOMMIT PREPARED '{gid}';\n@5;\n",
        &[2, 5],
    ),
    case(
        "START TRANSACTION READ ONLY",
        "START TRANSACTION READ ONLY;\nSELECT 1;\nCOMMIT;\n@4;\n",
        &[4],
    ),
    case(
        "a savepoint",
        "@1;\nSAVEPOINT s;\n@3;\nROLLBACK TO SAVEPOINT s;\n@5;\n",
        &[1, 5],
    ),
    case(
        "an error in a block",
        "@1;\nBEGIN;\n@3;\nSELECT 1/0;\nCOMMIT;\n",
        MUST_FAIL,
    ),
    case(
        "an error between blocks",
        "BEGIN;\n@2;\nCOMMIT;\nSELECT 1/0;\nBEGIN;\n@6;\nCOMMIT;\n",
        MUST_FAIL,
    ),
    case(
        "an error after COMMIT AND CHAIN",
        "BEGIN;\n@2;\nCOMMIT AND CHAIN;\n@4;\nSELECT 1/0;\nCOMMIT;\n",
        MUST_FAIL,
    ),
    case(
        "COMMIT fails",
        "BEGIN;\nCREATE TABLE d (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO d VALUES (1), (1);\n@4;\nCOMMIT;\n@6;\n",
        MUST_FAIL,
    ),
    case(
        "a block that is aborted and committed",
        "BEGIN;\n@2;\nSAVEPOINT s;\nROLLBACK TO s;\nCOMMIT;\n@6;\n",
        &[2, 6],
    ),
    case(
        "SET TRANSACTION ISOLATION LEVEL",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\n@2;\n",
        &[2],
    ),
    case(
        "SET TRANSACTION READ ONLY",
        "SET TRANSACTION READ ONLY;\nSELECT 1;\n",
        MUST_FAIL,
    ),
    case(
        "BEGIN ISOLATION LEVEL",
        "BEGIN ISOLATION LEVEL SERIALIZABLE;\n@2;\nCOMMIT;\n",
        &[2],
    ),
    case(
        "DO with COMMIT in our transaction",
        "@1;\nDO $$ BEGIN COMMIT; END $$;\n",
        MUST_FAIL,
    ),
    case(
        "DO with COMMIT outside",
        "COMMIT;\nDO $$ BEGIN @2; COMMIT; END $$;\n@3;\n",
        &[2, 3],
    ),
    case(
        "DO commits and then fails",
        "COMMIT;\nDO $$ BEGIN @2; COMMIT; RAISE EXCEPTION 'second half'; END $$;\n@3;\n",
        MUST_FAIL,
    ),
    // What a script leaves in the session.
    case("SET ROLE", "@1;\nSET ROLE pg_monitor;\n", &[1]),
    case(
        "SET ROLE by set_config",
        "@1;\nSELECT set_config('role', 'pg_monitor', false);\n",
        &[1],
    ),
    case("SET LOCAL ROLE", "@1;\nSET LOCAL ROLE pg_monitor;\n", &[1]),
    case(
        "SET ROLE, journalled",
        "@1;\nCOMMIT;\nSET ROLE pg_monitor;\n",
        &[1],
    ),
    case(
        "SET SESSION AUTHORIZATION",
        "@1;\nSET SESSION AUTHORIZATION {plain};\n",
        &[1],
    ),
    case(
        "SET SESSION AUTHORIZATION, journalled",
        "@1;\nCOMMIT;\nSET SESSION AUTHORIZATION {plain};\n",
        &[1],
    ),
    case("RESET ALL", "@1;\nRESET ALL;\n@3;\n", &[1, 3]),
    case(
        "RESET ALL, journalled",
        "@1;\nCOMMIT;\nRESET ALL;\n@4;\n",
        &[1, 4],
    ),
    case("DISCARD ALL", "@1;\nDISCARD ALL;\n@3;\n", &[1, 3]),
    case("DISCARD TEMP", "@1;\nDISCARD TEMP;\n", &[1]),
    case(
        "search_path is tollgate's",
        "@1;\nSET search_path = tollgate;\n",
        &[1],
    ),
    case(
        "search_path is empty",
        "@1;\nSELECT set_config('search_path', '', false);\n",
        &[1],
    ),
    case(
        "search_path is nowhere, journalled",
        "@1;\nCOMMIT;\nSET search_path = nowhere;\n",
        &[1],
    ),
    case(
        "a temporary table in the counter's place",
        "CREATE TEMP TABLE counter (migration text, number int);\n@2;\n",
        &[2],
    ),
    case(
        "a temporary table in the receipt's place",
        "CREATE TEMP TABLE receipt (LIKE tollgate.receipt);\nSET search_path = pg_temp, tollgate;\n@3;\n",
        &[3],
    ),
    case(
        "a temporary view of pg_locks",
        "CREATE TEMP VIEW pg_locks AS SELECT 1 AS pid;\n@2;\n",
        &[2],
    ),
    case(
        "a temporary table, journalled",
        "@1;\nCOMMIT;\nCREATE TEMP TABLE counter (migration text, number int);\n",
        &[1],
    ),
    case("LISTEN", "LISTEN gossip;\n@2;\n", &[2]),
    case(
        "LISTEN and NOTIFY",
        "LISTEN gossip;\nNOTIFY gossip, 'heard';\n@3;\n",
        &[3],
    ),
    case(
        "a cursor that is held",
        "DECLARE c CURSOR WITH HOLD FOR SELECT 1;\n@2;\n",
        &[2],
    ),
    case(
        "a cursor that is left open, journalled",
        "BEGIN;\nDECLARE c CURSOR WITH HOLD FOR SELECT 1;\n@3;\nCOMMIT;\n",
        &[3],
    ),
    case(
        "a prepared statement",
        "PREPARE p AS SELECT 1;\n@2;\n",
        &[2],
    ),
    case(
        "default_transaction_read_only",
        "@1;\nSET default_transaction_read_only = on;\n",
        &[1],
    ),
    case(
        "default_transaction_read_only, journalled",
        "@1;\nCOMMIT;\nSET default_transaction_read_only = on;\n",
        &[1],
    ),
    case(
        "SET SESSION CHARACTERISTICS",
        "@1;\nSET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;\n",
        &[1],
    ),
    case(
        "default_transaction_isolation",
        "@1;\nSET default_transaction_isolation = 'serializable';\n",
        &[1],
    ),
    case(
        "statement_timeout",
        "@1;\nSET statement_timeout = '1ms';\n",
        &[1],
    ),
    case(
        "statement_timeout, journalled",
        "@1;\nCOMMIT;\nSET statement_timeout = '1ms';\n",
        &[1],
    ),
    case("lock_timeout", "@1;\nSET lock_timeout = '1ms';\n", &[1]),
    case(
        "idle_session_timeout, journalled",
        "@1;\nCOMMIT;\nSET idle_session_timeout = '1s';\n",
        &[1],
    ),
    case(
        "session_replication_role",
        "@1;\nSET session_replication_role = replica;\n",
        &[1],
    ),
    case(
        "client_encoding",
        "@1;\nSET client_encoding = 'LATIN1';\n",
        &[1],
    ),
    case(
        "standard_conforming_strings",
        "@1;\nSET standard_conforming_strings = off;\n",
        &[1],
    ),
    case(
        "synchronous_commit",
        "@1;\nSET synchronous_commit = local;\n",
        &[1],
    ),
    case(
        "our own setting",
        "@1;\nSET tollgate.attempt = 'another';\n",
        MUST_FAIL,
    ),
    case(
        "our own setting, LOCAL",
        "@1;\nSET LOCAL tollgate.attempt = 'another';\n",
        MUST_FAIL,
    ),
    // The run's lock.
    case(
        "pg_advisory_unlock_all",
        "@1;\nSELECT pg_advisory_unlock_all();\n",
        MUST_FAIL,
    ),
    case(
        "pg_advisory_unlock_all, journalled",
        "@1;\nCOMMIT;\nSELECT pg_advisory_unlock_all();\n",
        MUST_FAIL,
    ),
    case(
        "pg_advisory_unlock",
        "@1;\nSELECT pg_advisory_unlock(72707369);\n",
        MUST_FAIL,
    ),
    case(
        "the lock a second time",
        "@1;\nSELECT pg_advisory_xact_lock(72707369);\n",
        &[1],
    ),
    case(
        "the session ends itself",
        "@1;\nSELECT pg_terminate_backend(pg_backend_pid());\n",
        MUST_FAIL,
    ),
    case(
        "the session ends itself, journalled",
        "@1;\nCOMMIT;\nSELECT pg_terminate_backend(pg_backend_pid());\n@4;\n",
        MUST_FAIL,
    ),
    // Shadows.
    case(
        "shadowed functions",
        "CREATE FUNCTION public.current_setting(text, boolean) RETURNS text LANGUAGE sql AS 'SELECT ''liar''';\nCREATE FUNCTION public.pg_backend_pid() RETURNS int LANGUAGE sql AS 'SELECT 0';\nSET search_path = public, pg_catalog;\n@4;\n",
        &[4],
    ),
    case(
        "shadowed operators",
        "CREATE FUNCTION public.never(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';\nCREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.never);\nCREATE OPERATOR public.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = public.never);\nSET search_path = public, pg_catalog;\n@5;\n",
        &[5],
    ),
    case(
        "a shadowed type",
        "CREATE DOMAIN public.text AS integer;\nSET search_path = public, pg_catalog;\n@3;\n",
        &[3],
    ),
    case(
        "shadows, journalled",
        "CREATE FUNCTION public.current_setting(text, boolean) RETURNS text LANGUAGE sql AS 'SELECT ''liar''';\nCOMMIT;\nSET search_path = public, pg_catalog;\n@4;\n",
        &[4],
    ),
    // tollgate's own tables.
    case(
        "DROP SCHEMA tollgate",
        "@1;\nDROP SCHEMA tollgate CASCADE;\n",
        MUST_FAIL,
    ),
    case(
        "DROP of the journal",
        "@1;\nDROP TABLE tollgate.journal;\n",
        MUST_FAIL,
    ),
    case(
        "DROP of the identity",
        "@1;\nDROP TABLE tollgate.identity;\n",
        MUST_FAIL,
    ),
    case(
        "DELETE of the identity",
        "@1;\nDELETE FROM tollgate.identity;\n",
        MUST_FAIL,
    ),
    case(
        "the journal locked",
        "@1;\nLOCK TABLE tollgate.journal IN ACCESS EXCLUSIVE MODE;\n",
        &[1],
    ),
    case(
        "DROP SCHEMA tollgate, committed",
        "BEGIN;\n@2;\nDROP SCHEMA tollgate CASCADE;\nCOMMIT;\n@5;\n",
        MUST_FAIL,
    ),
    case(
        "the receipts renamed",
        "@1;\nALTER TABLE tollgate.receipt RENAME TO gone;\n",
        MUST_FAIL,
    ),
    case(
        "a rule that swallows receipts",
        "@1;\nCREATE RULE r AS ON INSERT TO tollgate.receipt DO INSTEAD NOTHING;\n",
        MUST_FAIL,
    ),
    case(
        "a rule that swallows receipts, journalled",
        "@1;\nCOMMIT;\nCREATE RULE r AS ON INSERT TO tollgate.receipt DO INSTEAD NOTHING;\n",
        MUST_FAIL,
    ),
    case(
        "a trigger that swallows receipts",
        "@1;\nCREATE FUNCTION public.eat() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;\nCREATE TRIGGER eat BEFORE INSERT ON tollgate.receipt FOR EACH ROW EXECUTE FUNCTION public.eat();\n",
        MUST_FAIL,
    ),
    case(
        "UPDATE of receipts",
        "@1;\nUPDATE tollgate.receipt SET body = 'forged';\n",
        MUST_FAIL,
    ),
    case(
        "DELETE of receipts",
        "@1;\nDELETE FROM tollgate.receipt;\n",
        MUST_FAIL,
    ),
    case(
        "TRUNCATE of receipts",
        "@1;\nTRUNCATE tollgate.receipt CASCADE;\n",
        MUST_FAIL,
    ),
    case(
        "DELETE of receipts as replica",
        "@1;\nSET session_replication_role = replica;\nDELETE FROM tollgate.receipt;\n",
        MUST_FAIL,
    ),
    case(
        "DELETE of receipts without the guard",
        "@1;\nALTER TABLE tollgate.receipt DISABLE TRIGGER append_only;\nDELETE FROM tollgate.receipt;\n",
        MUST_FAIL,
    ),
    case(
        "no right to write receipts",
        "@1;\nREVOKE ALL ON SCHEMA tollgate FROM PUBLIC, {plain};\nSET ROLE {plain};\n",
        &[1],
    ),
    case(
        "a receipt of the script's own",
        "@1;\nINSERT INTO tollgate.receipt (seq, prev, hash, migration, attempt, kind, body) VALUES (2, 1, 'h', 'm', 'a', 'atomic', 'b');\n",
        MUST_FAIL,
    ),
    case(
        "the receipts locked",
        "@1;\nLOCK TABLE tollgate.receipt IN ACCESS EXCLUSIVE MODE;\n",
        &[1],
    ),
    // Settings of the database, which stay.
    case(
        "a read-only database",
        "@1;\nALTER DATABASE {database} SET default_transaction_read_only = on;\n",
        &[1],
    ),
    case(
        "a database without a search_path",
        "@1;\nALTER DATABASE {database} SET search_path = nowhere;\n",
        &[1],
    ),
    // Ordinary failures, and the forms that a file can have.
    case("a syntax error", "@1;\nSELEC 1;\n", MUST_FAIL),
    case(
        "a syntax error, journalled",
        "@1;\nCOMMIT;\nSELEC 1;\n",
        MUST_FAIL,
    ),
    case(
        "an error in the middle",
        "@1;\nSELECT 1/0;\n@3;\n",
        MUST_FAIL,
    ),
    case(
        "a deferred constraint",
        "CREATE TABLE d (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO d VALUES (1), (1);\n@3;\n",
        MUST_FAIL,
    ),
    case(
        "a deferred trigger that fails",
        "CREATE FUNCTION public.late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'late'; END $$;\nCREATE CONSTRAINT TRIGGER late AFTER INSERT ON public.counter DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.late();\n@3;\n",
        MUST_FAIL,
    ),
    case(
        "an index built concurrently",
        "@1;\nCREATE INDEX CONCURRENTLY counter_number ON public.counter (number);\n@3;\n",
        &[1, 3],
    ),
    case("VACUUM", "@1;\nVACUUM public.counter;\n@3;\n", &[1, 3]),
    case(
        "COPY FROM STDIN",
        "@1;\nCOPY public.counter FROM STDIN;\n",
        MUST_FAIL,
    ),
    case(
        "COPY TO STDOUT",
        "@1;\nCOPY public.counter TO STDOUT;\n",
        MUST_FAIL,
    ),
    case("nothing", "", &[]),
    case("a comment", "-- nothing to do\n", &[]),
    case("semicolons", ";;;\n", &[]),
    case("no semicolon", "@1", &[1]),
    case("a byte order mark", "\u{feff}@1;\n", &[1]),
    case(
        "line endings of another system",
        "@1;\r\nSELECT 1;\r\n@3;\r\n",
        &[1, 3],
    ),
    // Longer than what is analysed.
    case("not analysed", "{pad}@1;\n@2;\n", &[1, 2]),
    case("not analysed, COMMIT", "{pad}@1;\nCOMMIT;\n@3;\n", &[1, 3]),
    case("not analysed, ROLLBACK", "{pad}@1;\nROLLBACK;\n@3;\n", &[3]),
    case(
        "not analysed, ROLLBACK and an error",
        "{pad}@1;\nROLLBACK;\nBEGIN;\n@4;\nCOMMIT;\nSELECT 1/0;\n",
        MUST_FAIL,
    ),
    case(
        "not analysed, PREPARE TRANSACTION",
        "{pad}@1;\nPREPARE TRANSACTION '{gid}';\n@3;\n",
        &[3],
    ),
    case(
        "not analysed, COMMIT and an error",
        "{pad}@1;\nCOMMIT;\nSELECT 1/0;\n",
        MUST_FAIL,
    ),
    case(
        "not analysed, COMMIT AND CHAIN",
        "{pad}@1;\nCOMMIT AND CHAIN;\n@3;\n",
        MUST_FAIL,
    ),
    case(
        "not analysed, RESET ALL",
        "{pad}@1;\nRESET ALL;\n",
        MUST_FAIL,
    ),
    case(
        "not analysed, DISCARD ALL",
        "{pad}@1;\nDISCARD ALL;\n",
        MUST_FAIL,
    ),
    case(
        "not analysed, an error",
        "{pad}@1;\nSELECT 1/0;\n",
        MUST_FAIL,
    ),
];
