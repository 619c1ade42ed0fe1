use crate::model::entry::Engine;
use crate::sql::StatementKind::{self, *};
use crate::sql::analyse;

fn kind(statement: &str) -> StatementKind {
    let analysis = analyse(Engine::Postgresql, statement);
    match analysis.statements() {
        Some([only]) => only.kind,
        _ => panic!("{statement}: {analysis:?}"),
    }
}

#[test]
fn transaction_control() {
    for (statement, expected) in [
        ("BEGIN", TransactionControl("BEGIN")),
        (
            "begin isolation level serializable;",
            TransactionControl("BEGIN"),
        ),
        (
            "START TRANSACTION READ ONLY",
            TransactionControl("START TRANSACTION"),
        ),
        ("COMMIT", TransactionControl("COMMIT")),
        ("/* ; */ cOmMiT AND CHAIN", TransactionControl("COMMIT")),
        ("END", TransactionControl("END")),
        ("END TRANSACTION", TransactionControl("END")),
        ("ROLLBACK", TransactionControl("ROLLBACK")),
        ("ROLLBACK WORK AND NO CHAIN", TransactionControl("ROLLBACK")),
        ("ABORT", TransactionControl("ABORT")),
        ("COMMIT PREPARED 'x'", TransactionControl("COMMIT PREPARED")),
        (
            "ROLLBACK PREPARED 'x'",
            TransactionControl("ROLLBACK PREPARED"),
        ),
        (
            "PREPARE TRANSACTION 'x'",
            TransactionControl("PREPARE TRANSACTION"),
        ),
        ("SAVEPOINT a", Savepoint("SAVEPOINT")),
        ("RELEASE a", Savepoint("RELEASE SAVEPOINT")),
        ("ROLLBACK TO a", Savepoint("ROLLBACK TO SAVEPOINT")),
        (
            "ROLLBACK WORK TO SAVEPOINT a",
            Savepoint("ROLLBACK TO SAVEPOINT"),
        ),
    ] {
        assert_eq!(kind(statement), expected, "{statement}");
    }
}

#[test]
fn characteristics_of_the_transaction() {
    for statement in [
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET TRANSACTION SNAPSHOT '00000003-0000001B-1'",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET transaction_isolation = 'serializable'",
        "set local Transaction_Read_Only to on",
        "SET SESSION transaction_deferrable = on",
        "SET \"transaction_isolation\" = 'serializable'",
        "RESET transaction_isolation",
        "SELECT pg_catalog.set_config('transaction_isolation', 'serializable', true)",
    ] {
        assert_eq!(kind(statement), SetTransaction, "{statement}");
    }
}

#[test]
fn copy_to_and_from_the_client() {
    for (statement, expected) in [
        ("COPY t FROM STDIN", CopyFromStdin),
        (
            "copy public.t (a, b) from stdin with (format csv)",
            CopyFromStdin,
        ),
        ("COPY t FROM STDOUT", CopyFromStdin),
        ("COPY t TO STDOUT", CopyToStdout),
        (
            "COPY (SELECT a FROM stdin) TO STDOUT (HEADER)",
            CopyToStdout,
        ),
        ("COPY t FROM '/tmp/stdin'", Ordinary),
        ("COPY t TO PROGRAM 'cat'", Ordinary),
    ] {
        assert_eq!(kind(statement), expected, "{statement}");
    }
}

/// Each was seen to be refused in a transaction block by PostgreSQL 15, those of subscriptions
/// apart, which are documented so, and REPACK, which is newer.
#[test]
fn what_a_transaction_block_refuses() {
    for (statement, name) in [
        (
            "CREATE INDEX CONCURRENTLY ON t (a)",
            "CREATE INDEX CONCURRENTLY",
        ),
        (
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)",
            "CREATE INDEX CONCURRENTLY",
        ),
        (
            "DROP INDEX CONCURRENTLY IF EXISTS i",
            "DROP INDEX CONCURRENTLY",
        ),
        ("REINDEX TABLE CONCURRENTLY t", "REINDEX CONCURRENTLY"),
        (
            "REINDEX (VERBOSE, CONCURRENTLY) INDEX i",
            "REINDEX CONCURRENTLY",
        ),
        ("REINDEX DATABASE d", "REINDEX DATABASE"),
        ("REINDEX SYSTEM d", "REINDEX SYSTEM"),
        ("REINDEX SCHEMA s", "REINDEX SCHEMA"),
        (
            "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
            "ALTER TABLE DETACH PARTITION CONCURRENTLY",
        ),
        ("VACUUM", "VACUUM"),
        ("VACUUM (ANALYZE) t", "VACUUM"),
        ("CLUSTER", "CLUSTER"),
        ("CLUSTER VERBOSE", "CLUSTER"),
        ("DISCARD ALL", "DISCARD ALL"),
        ("CREATE DATABASE d", "CREATE DATABASE"),
        ("DROP DATABASE IF EXISTS d", "DROP DATABASE"),
        (
            "ALTER DATABASE d SET TABLESPACE s",
            "ALTER DATABASE SET TABLESPACE",
        ),
        ("CREATE TABLESPACE s LOCATION '/x'", "CREATE TABLESPACE"),
        ("DROP TABLESPACE s", "DROP TABLESPACE"),
        ("ALTER SYSTEM SET work_mem = '4MB'", "ALTER SYSTEM"),
        (
            "CREATE SUBSCRIPTION s CONNECTION 'c' PUBLICATION p",
            "CREATE SUBSCRIPTION",
        ),
        (
            "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
            "ALTER SUBSCRIPTION",
        ),
        (
            "ALTER SUBSCRIPTION s SET PUBLICATION p",
            "ALTER SUBSCRIPTION",
        ),
        ("DROP SUBSCRIPTION s", "DROP SUBSCRIPTION"),
    ] {
        assert_eq!(kind(statement), NotWrappable(name), "{statement}");
    }
}

#[test]
fn ordinary_statements() {
    for statement in [
        "SELECT 1",
        "CREATE INDEX \"CONCURRENTLY\" ON t (a)",
        "DROP INDEX \"concurrently\"",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
        "ALTER TYPE e ADD VALUE 'x'",
        "ALTER TABLE t DETACH PARTITION p",
        "ALTER TABLE t DETACH PARTITION p FINALIZE",
        "ALTER DATABASE d SET work_mem = '4MB'",
        "ALTER SUBSCRIPTION s DISABLE",
        "ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)",
        "CREATE SUBSCRIPTION s CONNECTION 'c' PUBLICATION p WITH (connect = false)",
        "CLUSTER t USING i",
        "CLUSTER VERBOSE t",
        "REINDEX TABLE t",
        "ANALYZE t",
        "DISCARD TEMP",
        "SET lock_timeout = '1s'",
        "SET search_path TO a, b",
        "SET CONSTRAINTS ALL DEFERRED",
        "RESET ALL",
        "PREPARE x AS SELECT 1",
        "CALL p()",
        "DO $$ BEGIN COMMIT; END $$",
        "COMMENT ON TABLE t IS 'COMMIT; VACUUM'",
    ] {
        assert_eq!(kind(statement), Ordinary, "{statement}");
    }
}
