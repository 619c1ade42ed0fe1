//! The kinds of script for SQLite.

use crate::scripts::{Case, MUST_FAIL, case};

pub(crate) const CASES: &[Case] = &[
    // Transactions of the script's own.
    case("BEGIN COMMIT", "BEGIN;\n@2;\nCOMMIT;\n@4;\n", &[2, 4]),
    case("BEGIN ROLLBACK", "BEGIN;\n@2;\nROLLBACK;\n@4;\n", &[4]),
    case(
        "BEGIN IMMEDIATE and END",
        "BEGIN IMMEDIATE;\n@2;\nEND TRANSACTION;\n@4;\n",
        &[2, 4],
    ),
    case(
        "BEGIN EXCLUSIVE twice",
        "BEGIN EXCLUSIVE;\n@2;\nCOMMIT;\nBEGIN EXCLUSIVE;\n@5;\nCOMMIT;\n@7;\n",
        &[2, 5, 7],
    ),
    case("COMMIT without BEGIN", "@1;\nCOMMIT;\n@3;\n", MUST_FAIL),
    case("ROLLBACK without BEGIN", "@1;\nROLLBACK;\n@3;\n", MUST_FAIL),
    case("BEGIN left open", "@1;\nBEGIN;\n@3;\n", MUST_FAIL),
    case(
        "BEGIN in BEGIN",
        "BEGIN;\n@2;\nBEGIN;\n@4;\nCOMMIT;\n",
        MUST_FAIL,
    ),
    case(
        "a savepoint",
        "@1;\nSAVEPOINT s;\n@3;\nROLLBACK TO s;\n@5;\n",
        &[1, 5],
    ),
    case(
        "the outermost savepoint",
        "SAVEPOINT s;\n@2;\nRELEASE s;\n@4;\n",
        &[2, 4],
    ),
    case("a savepoint left open", "SAVEPOINT s;\n@2;\n", &[2]),
    case(
        "an error in a block",
        "@1;\nBEGIN;\n@3;\nINSERT INTO nowhere VALUES (1);\nCOMMIT;\n",
        MUST_FAIL,
    ),
    case(
        "an error after a block",
        "BEGIN;\n@2;\nCOMMIT;\nINSERT INTO nowhere VALUES (1);\n@5;\n",
        MUST_FAIL,
    ),
    case(
        "COMMIT fails",
        "BEGIN;\nCREATE TABLE p (id INTEGER PRIMARY KEY);\nCREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO c VALUES (7);\n@5;\nCOMMIT;\n@7;\n",
        MUST_FAIL,
    ),
    case(
        "OR ROLLBACK",
        "CREATE TABLE u (id INTEGER PRIMARY KEY);\nINSERT INTO u VALUES (1);\n@3;\nINSERT OR ROLLBACK INTO u VALUES (1);\n@5;\n",
        MUST_FAIL,
    ),
    case(
        "OR ROLLBACK in a block",
        "CREATE TABLE u (id INTEGER PRIMARY KEY);\nINSERT INTO u VALUES (1);\nBEGIN;\n@4;\nINSERT OR ROLLBACK INTO u VALUES (1);\n@6;\nCOMMIT;\n",
        MUST_FAIL,
    ),
    case(
        "OR FAIL",
        "CREATE TABLE u (id INTEGER PRIMARY KEY);\n@2;\nINSERT OR FAIL INTO u VALUES (1), (1);\n@4;\n",
        MUST_FAIL,
    ),
    case(
        "OR FAIL, journalled",
        "CREATE TABLE u (id INTEGER PRIMARY KEY);\nVACUUM;\n@3;\nINSERT OR FAIL INTO u VALUES (1), (1);\n@5;\n",
        MUST_FAIL,
    ),
    case(
        "a trigger that rolls back",
        "CREATE TABLE u (id);\nCREATE TRIGGER t BEFORE INSERT ON u BEGIN SELECT RAISE(ROLLBACK, 'no'); END;\n@3;\nINSERT INTO u VALUES (1);\n@5;\n",
        MUST_FAIL,
    ),
    // PRAGMAs, and what cannot stand in a transaction.
    case(
        "foreign_keys off",
        "PRAGMA foreign_keys = OFF;\n@2;\n",
        &[2],
    ),
    case(
        "foreign_keys off and a block",
        "PRAGMA foreign_keys = OFF;\nBEGIN;\n@3;\nCOMMIT;\n",
        &[3],
    ),
    case(
        "foreign_keys off, and one is broken",
        "PRAGMA foreign_keys = OFF;\nCREATE TABLE p (id INTEGER PRIMARY KEY);\nCREATE TABLE c (p REFERENCES p);\nINSERT INTO c VALUES (7);\n@5;\n",
        MUST_FAIL,
    ),
    case(
        "defer_foreign_keys",
        "PRAGMA defer_foreign_keys = ON;\n@2;\n",
        &[2],
    ),
    case(
        "journal_mode WAL",
        "@1;\nPRAGMA journal_mode = WAL;\n@3;\n",
        &[1, 3],
    ),
    case(
        "journal_mode OFF",
        "@1;\nPRAGMA journal_mode = OFF;\n@3;\n",
        &[1, 3],
    ),
    case(
        "synchronous off",
        "@1;\nPRAGMA synchronous = OFF;\n@3;\n",
        &[1, 3],
    ),
    case(
        "temp_store",
        "@1;\nPRAGMA temp_store = MEMORY;\n@3;\n",
        &[1, 3],
    ),
    case("query_only", "@1;\nPRAGMA query_only = ON;\n", &[1]),
    case(
        "query_only, journalled",
        "@1;\nVACUUM;\nPRAGMA query_only = ON;\n",
        &[1],
    ),
    case(
        "ignore_check_constraints",
        "@1;\nPRAGMA ignore_check_constraints = ON;\n",
        &[1],
    ),
    case(
        "recursive_triggers",
        "@1;\nPRAGMA recursive_triggers = OFF;\n",
        &[1],
    ),
    case(
        "read_uncommitted",
        "@1;\nPRAGMA read_uncommitted = ON;\n",
        &[1],
    ),
    case(
        "locking_mode",
        "@1;\nPRAGMA locking_mode = EXCLUSIVE;\n",
        &[1],
    ),
    case(
        "locking_mode, journalled",
        "@1;\nVACUUM;\nPRAGMA locking_mode = EXCLUSIVE;\n@4;\n",
        &[1, 4],
    ),
    case(
        "case_sensitive_like",
        "@1;\nPRAGMA case_sensitive_like = ON;\n",
        &[1],
    ),
    case(
        "trusted_schema",
        "@1;\nPRAGMA trusted_schema = OFF;\n",
        &[1],
    ),
    case(
        "user_version",
        "@1;\nPRAGMA user_version = 7;\nPRAGMA application_id = 7;\n",
        &[1],
    ),
    case("max_page_count", "@1;\nPRAGMA max_page_count = 1;\n", &[1]),
    case(
        "wal_checkpoint",
        "@1;\nPRAGMA wal_checkpoint(TRUNCATE);\n@3;\n",
        &[1, 3],
    ),
    case(
        "incremental_vacuum",
        "@1;\nPRAGMA incremental_vacuum(1);\n@3;\n",
        &[1, 3],
    ),
    case("busy_timeout", "@1;\nPRAGMA busy_timeout = 0;\n", &[1]),
    case("VACUUM", "@1;\nVACUUM;\n@3;\n", &[1, 3]),
    case(
        "VACUUM INTO",
        "@1;\nVACUUM INTO '{database}/state/copy.db';\n@3;\n",
        &[1, 3],
    ),
    case(
        "ATTACH",
        "@1;\nATTACH ':memory:' AS other;\nCREATE TABLE other.t (id);\n@4;\n",
        &[1, 4],
    ),
    case(
        "ATTACH and DETACH",
        "@1;\nVACUUM INTO '{database}/state/other.db';\nATTACH '{database}/state/other.db' AS other;\nCREATE TABLE other.t (id);\nDETACH other;\n@6;\n",
        &[1, 6],
    ),
    case(
        "ATTACH in a block",
        "BEGIN;\n@2;\nATTACH ':memory:' AS other;\nCOMMIT;\n@5;\n",
        &[2, 5],
    ),
    case(
        "writable_schema",
        "@1;\nPRAGMA writable_schema = ON;\n",
        &[1],
    ),
    case(
        "writing to the schema itself",
        "@1;\nPRAGMA writable_schema = ON;\nDELETE FROM sqlite_schema WHERE name LIKE 'tollgate%';\n",
        MUST_FAIL,
    ),
    case(
        "a temporary table in the counter's place",
        "CREATE TEMP TABLE counter (migration, number);\n@2;\n",
        &[2],
    ),
    case(
        "a temporary table in the receipts' place",
        "CREATE TEMP TABLE tollgate_receipt (seq, prev);\n@2;\n",
        &[2],
    ),
    case(
        "a temporary trigger on the receipts",
        "CREATE TEMP TRIGGER eat BEFORE INSERT ON main.tollgate_receipt BEGIN SELECT RAISE(IGNORE); END;\n@2;\n",
        MUST_FAIL,
    ),
    // tollgate's own tables.
    case(
        "DROP of the receipts",
        "@1;\nDROP TABLE tollgate_receipt;\n",
        MUST_FAIL,
    ),
    case(
        "DROP of the journal",
        "@1;\nDROP TABLE tollgate_journal;\n",
        MUST_FAIL,
    ),
    case(
        "DROP of the identity",
        "@1;\nDROP TABLE tollgate_identity;\n",
        MUST_FAIL,
    ),
    case(
        "DELETE of the identity",
        "@1;\nDELETE FROM tollgate_identity;\n",
        MUST_FAIL,
    ),
    case(
        "DROP of the receipts, committed",
        "BEGIN;\n@2;\nDROP TABLE tollgate_receipt;\nCOMMIT;\n@5;\n",
        MUST_FAIL,
    ),
    case(
        "DROP of the journal, committed",
        "BEGIN;\n@2;\nDROP TABLE tollgate_journal;\nCOMMIT;\n@5;\n",
        MUST_FAIL,
    ),
    case(
        "the receipts renamed",
        "@1;\nALTER TABLE tollgate_receipt RENAME TO gone;\n",
        MUST_FAIL,
    ),
    case(
        "UPDATE of receipts",
        "@1;\nUPDATE tollgate_receipt SET body = 'forged';\n",
        MUST_FAIL,
    ),
    case(
        "DELETE of receipts",
        "@1;\nDELETE FROM tollgate_receipt;\n",
        MUST_FAIL,
    ),
    case(
        "REPLACE of a receipt",
        "@1;\nINSERT OR REPLACE INTO tollgate_receipt SELECT * FROM tollgate_receipt;\n",
        MUST_FAIL,
    ),
    case(
        "a trigger that swallows receipts",
        "@1;\nCREATE TRIGGER eat BEFORE INSERT ON tollgate_receipt BEGIN SELECT RAISE(IGNORE); END;\n",
        MUST_FAIL,
    ),
    case(
        "a trigger that swallows receipts, committed",
        "BEGIN;\n@2;\nCREATE TRIGGER eat BEFORE INSERT ON tollgate_receipt BEGIN SELECT RAISE(IGNORE); END;\nCOMMIT;\n@5;\n",
        MUST_FAIL,
    ),
    // Ordinary failures, and the forms that a file can have.
    case("a syntax error", "@1;\nSELEC 1;\n", MUST_FAIL),
    case(
        "an error in the middle",
        "@1;\nINSERT INTO nowhere VALUES (1);\n@3;\n",
        MUST_FAIL,
    ),
    case(
        "a deferred key that is broken",
        "CREATE TABLE p (id INTEGER PRIMARY KEY);\nCREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO c VALUES (7);\n@4;\n",
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
    case("EXPLAIN COMMIT", "@1;\nEXPLAIN COMMIT;\n@3;\n", &[1, 3]),
    // Longer than what is analysed.
    case("not analysed", "{pad}@1;\n@2;\n", &[1, 2]),
    case(
        "not analysed, a block",
        "{pad}BEGIN;\n@2;\nCOMMIT;\n@4;\n",
        &[2, 4],
    ),
    case("not analysed, COMMIT", "{pad}@1;\nCOMMIT;\n@3;\n", &[1, 3]),
    case(
        "not analysed, COMMIT and an error",
        "{pad}@1;\nCOMMIT;\nINSERT INTO nowhere VALUES (1);\n",
        MUST_FAIL,
    ),
    case("not analysed, ROLLBACK", "{pad}@1;\nROLLBACK;\n@3;\n", &[3]),
    case(
        "not analysed, foreign_keys off",
        "{pad}PRAGMA foreign_keys = OFF;\n@2;\n",
        &[2],
    ),
    case(
        "not analysed, DROP of the receipts",
        "{pad}@1;\nDROP TABLE tollgate_receipt;\n",
        MUST_FAIL,
    ),
    case(
        "not analysed, an error",
        "{pad}@1;\nINSERT INTO nowhere VALUES (1);\n",
        MUST_FAIL,
    ),
];
