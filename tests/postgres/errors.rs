//! What is told of a script that fails.

use crate::bench::{Bench, failed, unknown};

#[test]
fn everything_the_server_says_is_kept() {
    let mut bench = Bench::superuser();
    let script = "CREATE TABLE t (id int PRIMARY KEY);\nINSERT INTO t VALUES (1);\n\nINSERT INTO t VALUES (1);\n";
    let (error, _) = failed(bench.apply(script));
    assert_eq!(error.code.as_deref(), Some("23505"));
    assert_eq!(
        error.detail.as_deref(),
        Some("Key (id)=(1) already exists.")
    );
    let start = script.rfind("INSERT").unwrap();
    assert_eq!(
        error.at,
        Some(start..start + "INSERT INTO t VALUES (1)".len())
    );

    let (error, _) = failed(bench.apply("SELECT upperr('x')"));
    assert_eq!(error.code.as_deref(), Some("42883"));
    assert!(error.hint.is_some());
}

#[test]
fn a_position_counts_characters_and_becomes_bytes() {
    let mut bench = Bench::superuser();
    let script = "-- é 日本 𐐷\nSELECT 'é', missing_column";
    let at = script.find("missing_column").unwrap();
    let (error, _) = failed(bench.apply(script));
    assert_eq!(error.at, Some(at..at));
    let (error, _) = failed(bench.apply_unread(script));
    assert_eq!(error.at, Some(at..at));
    // Sent alone, a statement's positions count from its own start.
    let script = format!("VACUUM;\n{script};");
    let at = script.find("missing_column").unwrap();
    let (error, _) = failed(bench.apply(&script));
    assert_eq!(error.at, Some(at..at));
}

#[test]
fn an_error_inside_a_function_points_at_its_statement() {
    let mut bench = Bench::superuser();
    let script = "SELECT 1;\nDO $$ BEGIN\n  PERFORM 1 / 0;\nEND $$;";
    let (error, _) = failed(bench.apply(script));
    assert!(error.context.unwrap().contains("line 2 at PERFORM"));
    let start = script.find("DO").unwrap();
    assert_eq!(error.at, Some(start..script.len() - 1));

    let script = "DO $$ BEGIN EXECUTE 'SELECT oops FROM pg_class'; END $$";
    let (error, _) = failed(bench.apply(script));
    assert!(error.context.unwrap().contains("SELECT oops"));
    assert_eq!(error.at, Some(0..script.len()));
}

/// Only C's answer counts: when the session ends in the script, nobody knows.
#[test]
fn a_session_that_ends_is_unknown() {
    let mut bench = Bench::superuser();
    for script in [
        "CREATE TABLE evil (id int); SELECT pg_terminate_backend(pg_backend_pid())",
        "SELECT pg_terminate_backend(pg_backend_pid()); VACUUM",
    ] {
        let error = unknown(bench.apply(script));
        assert!(error.fact.contains("while"), "{error}");
        bench.reconnect();
        assert_eq!(bench.receipts(), 0);
        assert!(!bench.has_table("evil"));
    }
}

/// A serialisation failure is found at COMMIT; it leaves the session without a transaction.
#[test]
fn a_failed_commit_leaves_nothing() {
    let mut bench = Bench::superuser();
    let script = "CREATE TABLE a (x int);
        CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'at the end'; END $$;
        CREATE CONSTRAINT TRIGGER late AFTER INSERT ON a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();
        INSERT INTO a VALUES (1)";
    let (error, left) = failed(bench.between(script));
    assert!(error.message.contains("at the end"), "{error:?}");
    assert!(error.context.unwrap().contains("receipt was recorded"));
    assert_eq!(left, None);
}

/// An answer and a script larger than any buffer in between: neither side blocks the other.
#[test]
fn large_scripts_with_large_answers() {
    let mut bench = Bench::superuser();
    let filler = "x".repeat(3 * 1024 * 1024);
    let script = format!(
        "SELECT repeat('y', 1000) FROM generate_series(1, 20000); CREATE TABLE big (t text); INSERT INTO big VALUES ('{filler}')"
    );
    bench.between(&script).unwrap();
    assert_eq!(
        bench.database.ask("SELECT sum(length(t)) FROM big"),
        filler.len().to_string()
    );
    // Too large to be analysed: sent alone, recorded all the same.
    let larger = format!("INSERT INTO big VALUES ('{filler}{filler}')");
    bench.between(&larger).unwrap();
}
