//! Sentences that were not true of what had happened.

use insta::assert_snapshot;

use crate::chain::three;
use crate::project::Project;

const TABLE: &str = "20251027072808_create_health_check";

/// Bound again at an earlier point, its receipts are none that the ledger lacked.
#[test]
fn receipts_that_the_ledger_had_are_not_said_to_be_lacking() {
    let project = three();
    project.run(&["apply", "dev", "--to", TABLE]);
    let dev = project.database("dev");
    dev.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    drop(dev);
    let file = project.path().join("state/dev.db");
    let before = std::fs::read(&file).unwrap();
    project.run(&["apply", "dev"]);
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(project.path().join(format!("state/dev.db{end}")));
    }
    std::fs::write(&file, before).unwrap();
    assert_snapshot!(project.run(&["bind", "dev", "--reason", "monday"]), @r#"
    exit 0
    --- stdout
    dev: bound
    --- stderr
    dev: bound to dev.db
    dev: took in 1 receipt that the ledger knew
    "#);
}

#[test]
fn a_contact_that_was_refused_was_a_look_all_the_same() {
    let project = Project::with(&[(TABLE, "CREATE TABLE a (id INTEGER PRIMARY KEY);\n")]);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["apply", "prod"]).exit, 3);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration                           dev       test      prod
    20251027072808_create_health_check  applied   pending   pending

    test: this ledger knows no target there; tollgate sync test
    prod: this ledger knows no target there; tollgate sync prod

    dev: nothing waits
    test: 1 migration waits, ready
      20251027072808_create_health_check  0 s  ready
    prod: 1 migration waits
      20251027072808_create_health_check  promotion: not in test
    "#);
    for told in [&["status"][..], &["status", "prod"], &["plan", "prod"]] {
        let shot = project.run(told);
        assert!(!shot.to_string().contains("never looked"), "{shot}");
    }
}

#[test]
fn a_log_says_what_was_asked_for_and_what_was_done() {
    let project = three();
    assert_snapshot!(project.run(&["log"]), @r#"
    exit 0
    --- stdout
    no entries
    "#);
    project.run(&["apply", "dev"]);
    assert_snapshot!(project.run(&["log", "-n", "0"]), @r#"
    exit 0
    --- stdout
    none asked for, of 9 entries
    "#);
}

#[test]
fn an_empty_script_has_no_blanks() {
    let project = Project::with(&[("20251101000000_empty", ""), ("20251102000000_blank", "\n")]);
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 0
    --- stdout
    ready: dev can take 2 migrations

      20251101000000_empty
        runs        atomic, 0 statements, blake3:af1349b9f5f9

      20251102000000_blank
        runs        atomic, 0 statements, blake3:295192ea1ec8

    warning: script: 20251101000000_empty: it has no statement: nothing would run, and its file could not be changed after that
      found     an empty file
      remedy    edit migrations/20251101000000_empty/migration.sql first

    warning: script: 20251102000000_blank: it has no statement: nothing would run, and its file could not be changed after that
      found     1 byte: a blank
      remedy    edit migrations/20251102000000_blank/migration.sql first

      plan a72f0175130449d31fc23b374b1905f6c43b50579d47b6b25ba1a9d7a56968b4
      to run it: tollgate apply dev
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    "#);
}
