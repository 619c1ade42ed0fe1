//! Cut off and gone on with: by the same command.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use insta::assert_snapshot;

use super::{ALLOWED, EMAIL, LATER, REVIEW, must, must_as, refusals, requiring, urgent, yes};

#[test]
fn a_step_that_failed_leaves_the_debt_of_those_before_it() {
    let mut project = urgent();
    project.write(LATER, "INSERT INTO later VALUES (1);\n");
    assert_snapshot!(project.run(&yes()), @r#"
    exit 1
    --- stderr
    prod: 2 migrations to apply
    break glass: 2 migrations to prod without the proof, for incident INC-7: nobody can log in
      20251102000000_email  blake3:0bff6c90c6e8
      20251103000000_later  blake3:59f2f5e9ab17

      it skips
        promotion   20251102000000_email: these bytes never succeeded in dev and test
        promotion   20251103000000_later: these bytes never succeeded in dev and test

      it opens a debt
        dev and test owe the run of 20251102000000_email
        dev and test owe the run of 20251103000000_later
        somebody else reviews it by 2025-11-07 10:12 UTC
        until both are done prod takes no ordinary plan, and the run is no evidence of anything
      applied   20251102000000_email  atomic
    error: 20251103000000_later failed in prod: no such table: later [SQLITE_ERROR]
      --> migrations/20251103000000_later/migration.sql:1:1
      |
    1 | INSERT INTO later VALUES (1);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    prod is as it was: the whole script was rolled back.
      remedy   edit migrations/20251103000000_later/migration.sql, then: tollgate break-glass prod --reason 'nobody can log in' --incident INC-7
    the debt of incident INC-7 is open: 1 migration applied to prod through broken glass
    "#);
    let (_, status) = project.json(&["status"]);
    let runs = status["debts"][0]["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0]["migration"], EMAIL);
    project.write(LATER, "CREATE TABLE later (id INTEGER);\n");
    assert!(refusals(&project, "prod").contains(&"debt".to_owned()));
    must(&project, &yes(), 0);
    let (_, status) = project.json(&["status"]);
    assert_eq!(status["debts"].as_array().unwrap().len(), 1);
    assert_eq!(status["debts"][0]["runs"].as_array().unwrap().len(), 2);
    must_as(&mut project, "bob", &REVIEW, 0);
    must(&project, &["promote", "test"], 0);
    let (_, status) = project.json(&["status"]);
    assert_eq!(status["debts"][0]["open"], false);
}

#[test]
fn what_failed_and_left_nothing_owes_nothing() {
    let project = urgent();
    project.write(EMAIL, "ALTER TABLE nobody ADD COLUMN email TEXT;\n");
    must(&project, &yes(), 1);
    let (_, status) = project.json(&["status"]);
    assert!(status.get("debts").is_none(), "{status:#}");
    assert_eq!(refusals(&project, "prod"), ["promotion"]);
}

#[test]
fn what_stopped_half_way_owes_at_once_and_goes_on_there() {
    let mut project = urgent();
    let script = "CREATE TABLE a (id INTEGER);\nVACUUM;\nINSERT INTO b VALUES (1);\n";
    project.write(EMAIL, script);
    let shot = must(&project, &yes(), 1);
    assert!(shot.stderr.contains("keeps what ran"), "{shot}");
    let (_, status) = project.json(&["status"]);
    assert_eq!(status["debts"][0]["open"], true, "{status:#}");
    project
        .database("prod")
        .execute_batch("CREATE TABLE b (id INTEGER)")
        .unwrap();
    let said = [
        "resolve",
        "prod",
        EMAIL,
        "--continue-at",
        "3",
        "--reason",
        "b was missing",
    ];
    must(&project, &said, 0);
    must(&project, &yes(), 0);
    let (_, status) = project.json(&["status"]);
    assert_eq!(status["debts"][0]["runs"].as_array().unwrap().len(), 2);
    must_as(&mut project, "bob", &REVIEW, 0);
    let (_, status) = project.json(&["status"]);
    assert_eq!(status["debts"][0]["open"], true);
}

#[test]
fn on_a_persons_word_it_stays_owed() {
    let project = urgent();
    project.write(
        EMAIL,
        "CREATE TABLE a (id INTEGER);\nVACUUM;\nINSERT INTO b VALUES (1);\n",
    );
    must(&project, &yes(), 1);
    let said = [
        "resolve",
        "prod",
        EMAIL,
        "--applied",
        "--reason",
        "done by hand",
    ];
    must(&project, &said, 0);
    for name in [
        "ledger.db",
        "ledger.db-wal",
        "ledger.db-shm",
        "ledger.db.head",
    ] {
        let _ = std::fs::remove_file(project.path().join("state").join(name));
    }
    must(&project, &["sync"], 0);
    let (_, status) = project.json(&["status"]);
    assert_eq!(status["debts"][0]["incident"], "INC-7", "{status:#}");
    assert_eq!(status["debts"][0]["open"], true);
}

#[test]
fn an_interrupt_before_the_first_step_owes_nothing_and_goes_on() {
    let project = urgent();
    let shot = project.run_with(&yes(), Arc::new(AtomicBool::new(true)));
    assert_eq!(shot.exit, 130, "{shot}");
    assert!(
        shot.stderr
            .contains("break-glass prod --reason 'nobody can log in' --incident INC-7"),
        "{shot}"
    );
    let (_, status) = project.json(&["status"]);
    assert!(status.get("debts").is_none(), "{status:#}");
    must(&project, &yes(), 0);
}

#[test]
fn the_first_contact_of_all_can_be_one() {
    let project = requiring(ALLOWED);
    must(&project, &yes(), 0);
    let (_, status) = project.json(&["status"]);
    let runs = status["debts"][0]["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 2);
    assert_eq!(runs[0]["owes"], serde_json::json!(["dev", "test"]));
    must(&project, &["promote", "test"], 0);
    let (_, status) = project.json(&["status"]);
    assert_eq!(status["debts"][0]["runs"][1]["owes"], serde_json::json!([]));
}
