//! What a script does to its session and transaction, between two ordinary migrations.

use tollgate::model::ReceiptKind;
use tollgate::sql::{Analysis, NotAnalysed};

use crate::bench::{Bench, failed};

fn unread() -> Analysis {
    Analysis::NotAnalysed(NotAnalysed::TooLarge { bytes: 1 })
}

/// Scripts that succeed, and whose traces in the session must be gone afterwards.
const HARMLESS: &[&str] = &[
    "",
    "-- a comment\n/* and another */",
    ";;",
    "SELECT 1",
    "SET search_path = pg_catalog",
    "SET default_transaction_read_only = on",
    "SET statement_timeout = '5s'",
    "SET standard_conforming_strings = off",
    "SET client_encoding = 'LATIN1'",
    "SET client_encoding = 'SJIS'",
    "SET client_min_messages = error",
    "SET default_transaction_isolation = serializable",
    "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; CREATE TABLE serial_one (id int)",
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT 1",
    "SET synchronous_commit = off",
    "SET DateStyle = 'German'",
    "CREATE TEMP TABLE first (other int)",
    "CREATE TEMP TABLE gone (id int) ON COMMIT DROP",
    "LISTEN something; NOTIFY something",
    "DECLARE c CURSOR WITH HOLD FOR SELECT 1",
    "PREPARE p AS SELECT 1",
    "CREATE SEQUENCE s; SELECT nextval('s')",
    "SET CONSTRAINTS ALL DEFERRED",
    "SAVEPOINT a; CREATE TABLE sp (id int); ROLLBACK TO SAVEPOINT a",
    "DO $$ BEGIN PERFORM 1; EXCEPTION WHEN OTHERS THEN NULL; END $$",
    "SELECT set_config('search_path', '', false)",
    "SELECT pg_advisory_lock(42)",
    "CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT NULL::timestamptz';
     CREATE FUNCTION public.eq(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
     CREATE FUNCTION public.current_setting(text, boolean) RETURNS text LANGUAGE sql AS 'SELECT NULL::text';
     CREATE FUNCTION public.pg_backend_pid() RETURNS int LANGUAGE sql AS 'SELECT 0';
     CREATE OPERATOR public.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = public.eq);
     CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = public.eq);
     SET search_path = public, pg_catalog",
];

#[test]
fn traces_in_the_session_are_gone() {
    for mut bench in Bench::both() {
        for script in HARMLESS {
            let applied = bench.between(script);
            assert!(applied.is_ok(), "{script}: {applied:?}");
            assert_eq!(applied.unwrap().kind, ReceiptKind::Atomic, "{script}");
        }
    }
}

/// Not analysed, the same scripts have the same end.
#[test]
fn traces_of_unread_scripts_are_gone() {
    let mut bench = Bench::superuser();
    for script in HARMLESS {
        bench
            .database
            .run("DROP TABLE IF EXISTS serial_one; DROP SEQUENCE IF EXISTS s")
            .unwrap();
        let applied = bench.between_as(script, &unread());
        assert!(applied.is_ok(), "{script}: {applied:?}");
        assert_eq!(applied.unwrap().kind, ReceiptKind::Atomic, "{script}");
    }
    let journals = bench.survey().journals;
    assert_eq!(journals.len(), HARMLESS.len());
    assert!(journals.iter().all(|journal| !journal.in_flight()));
}

#[test]
fn traces_that_only_a_superuser_leaves_are_gone() {
    let mut bench = Bench::superuser();
    bench
        .database
        .run("DO $$ BEGIN CREATE ROLE tollgate_other; EXCEPTION WHEN OTHERS THEN NULL; END $$")
        .unwrap();
    for script in [
        "SET ROLE tollgate_other",
        "SET SESSION AUTHORIZATION tollgate_other",
        "SET SESSION AUTHORIZATION tollgate_other; SET ROLE tollgate_other",
        "SET LOCAL ROLE tollgate_other",
        "SET session_replication_role = replica",
        "LOAD 'plpgsql'",
    ] {
        let applied = bench.between(script);
        assert!(applied.is_ok(), "{script}: {applied:?}");
    }
    // A role that may not write to tollgate's tables does not stop a journal either.
    for script in [
        "SET ROLE tollgate_other; VACUUM; SELECT 1",
        "SET SESSION AUTHORIZATION tollgate_other; VACUUM; SELECT 1",
        "SET default_transaction_read_only = on; VACUUM; SELECT 1",
        "SET statement_timeout = '1h'; SET search_path = ''; VACUUM",
        "SET session_replication_role = replica; VACUUM",
    ] {
        let applied = bench.between(script);
        assert_eq!(applied.unwrap().kind, ReceiptKind::Journalled, "{script}");
    }
}

/// A later statement of a journalled script sees what an earlier one has set.
#[test]
fn settings_stay_in_force_within_a_journalled_script() {
    for mut bench in Bench::both() {
        bench
            .between(
                "CREATE SCHEMA app; SET search_path = app; VACUUM;
                 CREATE TABLE here (id int); VACUUM; INSERT INTO app.here VALUES (1)",
            )
            .unwrap();
        assert_eq!(bench.database.ask("SELECT count(*) FROM app.here"), "1");
    }
}

/// Scripts that must not be recorded, and of which nothing stands.
#[test]
fn what_must_not_be_recorded_leaves_nothing() {
    for mut bench in Bench::both() {
        for (script, said) in [
            ("CREATE TABLE evil (id int); RESET ALL", "RESET ALL"),
            ("CREATE TABLE evil (id int); SELECT pg_advisory_unlock_all()", "lock"),
            ("CREATE TABLE evil (id int); SELECT pg_advisory_unlock(72707369)", "lock"),
            ("CREATE TABLE evil (id int); DROP SCHEMA tollgate CASCADE", "tollgate"),
            ("CREATE TABLE evil (id int); ALTER SCHEMA tollgate RENAME TO other", "tollgate"),
            ("CREATE TABLE evil (id int); SET TRANSACTION READ ONLY", "read-only"),
            ("CREATE TABLE evil (id int); SELECT 1 / 0", "division by zero"),
            ("CREATE TABLE evil (id int); DO $$ BEGIN COMMIT; END $$", "invalid transaction termination"),
            ("CREATE TABLE evil (id int); COPY evil FROM STDIN", "FROM STDIN"),
            ("CREATE TABLE evil (id int); COPY evil TO STDOUT", "TO STDOUT"),
            ("CREATE TABLE evil (id int); BEGIN; PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION"),
            (
                "CREATE TABLE evil (id int PRIMARY KEY, up int REFERENCES evil DEFERRABLE INITIALLY DEFERRED);
                 INSERT INTO evil VALUES (1, 2)",
                "foreign key",
            ),
        ] {
            let (error, left) = failed(bench.between(script));
            assert!(error.message.contains(said), "{script}: {error:?}");
            assert_eq!(left, None, "{script}");
            assert!(!bench.has_table("evil"), "{script}");
        }
        // Unread, nothing of them stands either, except where a word might have ended the
        // transaction; then it is not claimed.
        for script in [
            "CREATE TABLE evil (id int); RESET ALL",
            "CREATE TABLE evil (id int); SELECT pg_advisory_unlock_all()",
            "CREATE TABLE evil (id int); DROP SCHEMA tollgate CASCADE",
            "CREATE TABLE evil (id int); SELECT 1 / 0",
            "CREATE TABLE evil (id int); DO $$ BEGIN COMMIT; END $$",
        ] {
            let (_, left) = failed(bench.between_as(script, &unread()));
            assert_eq!(left, None, "{script}");
            assert!(!bench.has_table("evil"), "{script}");
        }
        assert!(
            bench
                .survey()
                .journals
                .iter()
                .all(|journal| !journal.in_flight())
        );
    }
}

/// A deferred constraint that the script repairs before its end is no failure.
#[test]
fn deferred_constraints_may_be_repaired() {
    let mut bench = Bench::superuser();
    bench
        .between(
            "CREATE TABLE node (id int PRIMARY KEY, up int REFERENCES node DEFERRABLE INITIALLY DEFERRED);
             INSERT INTO node VALUES (1, 2); INSERT INTO node VALUES (2, NULL)",
        )
        .unwrap();
}

/// Read, such scripts are journalled and do what they say.
#[test]
fn scripts_with_their_own_transactions_are_journalled() {
    for mut bench in Bench::both() {
        for (script, tables) in [
            ("BEGIN; CREATE TABLE a1 (id int); COMMIT", &["a1"][..]),
            ("CREATE TABLE a2 (id int); COMMIT", &["a2"]),
            (
                "BEGIN ISOLATION LEVEL SERIALIZABLE; CREATE TABLE a3 (id int); END",
                &["a3"],
            ),
            (
                "BEGIN; SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; CREATE TABLE a4 (id int); COMMIT AND CHAIN; CREATE TABLE a5 (id int); COMMIT",
                &["a4", "a5"],
            ),
            (
                "START TRANSACTION; CREATE TABLE no1 (id int); ROLLBACK; CREATE TABLE a6 (id int)",
                &["a6"],
            ),
            (
                "BEGIN; SAVEPOINT s; CREATE TABLE no2 (id int); ROLLBACK TO s; CREATE TABLE a7 (id int); COMMIT",
                &["a7"],
            ),
            (
                "BEGIN; CREATE TABLE a8 (id int); PREPARE TRANSACTION 'two'; COMMIT PREPARED 'two'",
                &["a8"],
            ),
            (
                "BEGIN; CREATE TABLE a9 (id int); RESET ALL; COMMIT; VACUUM",
                &["a9"],
            ),
        ] {
            // Two databases share the server's names of prepared transactions.
            let script = script.replace("'two'", &format!("'{}'", bench.database.name()));
            let applied = bench.between(&script);
            assert!(applied.is_ok(), "{script}: {applied:?}");
            assert_eq!(applied.unwrap().kind, ReceiptKind::Journalled, "{script}");
            for table in tables {
                assert!(bench.has_table(table), "{script}: {table}");
            }
        }
        assert!(!bench.has_table("no1") && !bench.has_table("no2"));
    }
}

/// Unread, a script that ends the transaction is never recorded as atomic.
#[test]
fn unread_scripts_that_end_the_transaction() {
    for mut bench in Bench::both() {
        for script in [
            "CREATE TABLE b1 (id int); COMMIT",
            "CREATE TABLE b2 (id int); COMMIT; CREATE TABLE b3 (id int)",
            "ROLLBACK; CREATE TABLE b4 (id int)",
            "CREATE TABLE b5 (id int); COMMIT; SET default_transaction_read_only = on",
            "CREATE TABLE b6 (id int); COMMIT; SELECT pg_advisory_unlock_all()",
        ] {
            let applied = bench.between_as(script, &unread());
            assert!(applied.is_ok(), "{script}: {applied:?}");
            assert_eq!(applied.unwrap().kind, ReceiptKind::Journalled, "{script}");
        }
        for table in ["b1", "b2", "b3", "b4", "b5", "b6"] {
            assert!(bench.has_table(table), "{table}");
        }
        for script in [
            "CREATE TABLE c1 (id int); COMMIT; SELECT 1 / 0",
            "CREATE TABLE c2 (id int); COMMIT; BEGIN; CREATE TABLE evil (id int)",
            "CREATE TABLE c3 (id int); COMMIT; RESET ALL; BEGIN; CREATE TABLE evil (id int)",
            "ROLLBACK; BEGIN; CREATE TABLE c4 (id int); COMMIT; BEGIN; SELECT 1 / 0",
            "ROLLBACK; CREATE TABLE evil (id int); SELECT 1 / 0",
        ] {
            let (_, left) = failed(bench.between_as(script, &unread()));
            assert!(left.is_some(), "{script}");
        }
        for table in ["c1", "c2", "c3", "c4"] {
            assert!(bench.has_table(table), "{table}");
        }
        assert!(!bench.has_table("evil"));
    }
}

/// COPY that nobody saw: the driver cannot follow, so the end is unknown until the receipt is read.
#[test]
fn unread_copy_is_settled_by_the_receipt() {
    for mut bench in Bench::both() {
        for script in [
            "CREATE TABLE evil (id int); COPY evil FROM STDIN",
            "CREATE TABLE evil (id int); COPY evil TO STDOUT",
        ] {
            crate::bench::unknown(bench.between_as(script, &unread()));
            assert!(!bench.has_table("evil"), "{script}");
        }
    }
}

/// A script that takes the lock's place in the row: nothing is claimed without a row.
#[test]
fn a_swallowed_receipt_is_not_claimed() {
    let mut bench = Bench::superuser();
    let script = "CREATE RULE swallow AS ON INSERT TO tollgate.receipt DO INSTEAD NOTHING";
    let (error, left) = failed(bench.apply(script));
    assert!(error.message.contains("no row"), "{error:?}");
    assert_eq!(left, None, "nothing is committed without its receipt");
}
