//! What a database is known by.

use tollgate::targets::{Earlier, Target};

use crate::bench::{Bench, incarnation, lock};
use crate::support::{Database, PLAIN};

#[test]
fn system_and_database_are_seen_and_kept() {
    for mut bench in Bench::both() {
        let survey = bench.survey();
        let recorded = survey.recorded.unwrap();
        assert!(survey.observed.system.is_some());
        assert_eq!(recorded.system, survey.observed.system);
        assert_eq!(recorded.database, survey.observed.database);
        assert_eq!(survey.observed.name, bench.database.name());
        assert_eq!(recorded.incarnation, incarnation(1));
        let oid = "SELECT oid FROM pg_database WHERE datname = current_database()";
        assert_eq!(
            Some(bench.database.ask(oid).parse().unwrap()),
            recorded.database
        );
    }
}

/// A copy of a database carries the identity row of the original.
#[test]
fn a_copy_shows_the_mismatch() {
    let mut bench = Bench::superuser();
    bench.apply("CREATE TABLE t (id int)").unwrap();
    let original = bench.survey();
    drop(bench.target);
    let copy = bench.database.copy();
    let survey = copy.open().survey().unwrap();
    assert_eq!(survey.receipts, original.receipts);
    assert_eq!(survey.recorded, original.recorded);
    assert_ne!(survey.observed.database, survey.recorded.unwrap().database);
}

#[test]
fn a_rename_keeps_the_identity() {
    let database = Database::new();
    let before = database.open().survey().unwrap().observed;
    let name = database.name().to_owned();
    let server = crate::support::server_url();
    crate::support::run(
        &server,
        &format!("ALTER DATABASE {name} RENAME TO {name}_new"),
    )
    .unwrap();
    let url = database.url().replace(&name, &format!("{name}_new"));
    let after = tollgate::targets::postgres::open(&crate::support::settings(&url))
        .unwrap()
        .survey()
        .unwrap()
        .observed;
    crate::support::run(&server, &format!("DROP DATABASE {name}_new WITH (FORCE)")).unwrap();
    assert_eq!(before.database, after.database);
    assert_ne!(before.name, after.name);
}

/// A hosted service may revoke the function that tells the system identifier.
#[test]
fn without_the_right_to_read_it_the_system_is_none() {
    let database = Database::plain();
    database
        .run("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; REVOKE EXECUTE ON FUNCTION pg_control_checkpoint() FROM PUBLIC")
        .unwrap();
    let mut bench = Bench::on(database);
    let survey = bench.survey();
    assert_eq!(survey.observed.system, None);
    assert_eq!(survey.recorded.unwrap().system, None);
    bench.apply("CREATE TABLE t (id int)").unwrap();
}

/// A role that may not bind again is told so, and nothing is half done.
#[test]
fn only_the_owner_binds_again() {
    let mut bench = Bench::superuser();
    bench.apply("CREATE TABLE t (id int)").unwrap();
    drop(std::mem::replace(&mut bench.target, bench.database.open()));
    // The role of the plain tests may not exist yet.
    drop(Database::plain());
    let url = crate::support::with_user(&bench.database.url(), &format!("{PLAIN}:plain"));
    let mut other = tollgate::targets::postgres::open(&crate::support::settings(&url)).unwrap();
    lock(&mut other);
    let error = other
        .initialise(&"test".parse().unwrap(), incarnation(2), Earlier::Keep)
        .unwrap_err();
    assert!(error.fact.contains("42501"), "{error}");
    assert_eq!(bench.survey().recorded.unwrap().incarnation, incarnation(1));
    assert!(
        other
            .survey()
            .unwrap_err()
            .fact
            .contains("permission denied")
    );
}

/// Nothing of tollgate's is touched by the application's own reset, and the reset can be seen.
#[test]
fn a_reset_of_the_application_changes_its_schema() {
    let mut bench = Bench::superuser();
    bench.apply("CREATE TABLE t (id int)").unwrap();
    bench.database.run("DROP SCHEMA public CASCADE").unwrap();
    bench.database.run("CREATE SCHEMA public").unwrap();
    bench.apply("CREATE TABLE t (id int)").unwrap();
    let different = "SELECT count(DISTINCT application_schema) FROM tollgate.receipt";
    assert_eq!(bench.database.ask(different), "2");
    assert_eq!(bench.receipts(), 2);
}
