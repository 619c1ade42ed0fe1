//! The schema tollgate.

use tollgate::targets::{Earlier, Target};

use crate::bench::{Bench, incarnation};

#[test]
fn everything_is_commented() {
    let bench = Bench::superuser();
    let tables = "SELECT count(*) FROM pg_class c WHERE relnamespace = 'tollgate'::regnamespace
                  AND relkind = 'r' AND obj_description(oid, 'pg_class') IS NULL";
    assert_eq!(bench.database.ask(tables), "0");
}

#[test]
fn entering_twice_changes_nothing() {
    for mut bench in Bench::both() {
        bench.apply("CREATE TABLE t (id int)").unwrap();
        let before = bench.survey();
        bench
            .target
            .initialise(&"dev".parse().unwrap(), incarnation(1), Earlier::Keep)
            .unwrap();
        assert_eq!(bench.survey(), before);
    }
}

#[test]
fn the_guards_hold_without_replication_triggers_too() {
    let mut bench = Bench::superuser();
    bench.apply("CREATE TABLE t (id int); VACUUM").unwrap();
    for change in [
        "DELETE FROM tollgate.receipt",
        "UPDATE tollgate.receipt SET body = ''",
        "TRUNCATE tollgate.receipt",
        "DELETE FROM tollgate.journal",
        "UPDATE tollgate.journal SET what = 'done'",
        "TRUNCATE tollgate.journal",
        "TRUNCATE tollgate.archive",
        "TRUNCATE tollgate.life",
    ] {
        let error = bench
            .database
            .run(&format!("SET session_replication_role = replica; {change}"))
            .expect_err(change);
        assert!(error.contains("append-only"), "{change}: {error}");
    }
}

/// A script that was already recorded by another runner cannot be recorded again.
#[test]
fn a_place_in_the_chain_is_taken_once() {
    let mut bench = Bench::superuser();
    let analysis = tollgate::sql::analyse(tollgate::model::entry::Engine::Postgresql, "SELECT 1");
    let receipt = bench.receipt("SELECT 1", &analysis);
    bench.apply("SELECT 1").unwrap();
    let outcome = bench.target.apply(
        &tollgate::targets::Attempt {
            script: "CREATE TABLE evil (id int)",
            analysis: &analysis,
            done: 0,
            receipt: &receipt,
            row: None,
        },
        &mut |_| {},
    );
    let (error, left) = crate::bench::failed(outcome);
    assert_eq!(error.code.as_deref(), Some("23505"));
    assert_eq!(left, None);
    assert!(!bench.has_table("evil"));
}
