//! The main job and its refusals.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use insta::assert_snapshot;

use crate::project::Project;

const CREATE: &str = "CREATE TABLE health_checks (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n";
const EMAIL: &str = "ALTER TABLE health_checks ADD COLUMN email TEXT;\n";
const INDEX: &str = "CREATE INDEX health_checks_name ON health_checks (name);\n";

fn three() -> Project {
    Project::with(&[
        ("20251027072808_create_health_check", CREATE),
        ("20251103170000_add_email", EMAIL),
        ("20251104093000_add_index", INDEX),
    ])
}

#[test]
fn a_folder_of_sql_earns_its_way_to_prod() {
    let project = three();
    assert_snapshot!(project.run(&["promote", "prod"]), @r#"
    exit 0
    --- stdout

    migration                           dev       test      prod
    20251027072808_create_health_check  applied   applied   applied
    20251103170000_add_email            applied   applied   applied
    20251104093000_add_index            applied   applied   applied
    --- stderr
    dev: bound to dev.db
    dev: 3 migrations to apply
      applied   20251027072808_create_health_check  atomic
      applied   20251103170000_add_email  atomic
      applied   20251104093000_add_index  atomic
    test: bound to test.db
    test: 3 migrations to apply
      applied   20251027072808_create_health_check  atomic
      applied   20251103170000_add_email  atomic
      applied   20251104093000_add_index  atomic
    prod: bound to prod.db
    prod: 3 migrations to apply
      applied   20251027072808_create_health_check  atomic
      applied   20251103170000_add_email  atomic
      applied   20251104093000_add_index  atomic
    "#);
    assert_snapshot!(project.run(&["promote", "prod"]), @r#"
    exit 0
    --- stdout

    migration                           dev       test      prod
    20251027072808_create_health_check  applied   applied   applied
    20251103170000_add_email            applied   applied   applied
    20251104093000_add_index            applied   applied   applied

    nothing to do
    "#);
    assert_snapshot!(project.run(&["verify"]), @r#"
    exit 0
    --- stdout
    sound: state/ledger.db: 23 entries by 1 writer
      writer ea21c7b3c885cf2fb547bb51016c8bbb  sound to entry 23
        19a3616d9ebedd487ee1efbe88e0251314fa14fe5215e763981b4db84700027f

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
}

#[test]
fn prod_refuses_what_was_not_proven_and_offers_what_was() {
    let project = three();
    project.run(&["promote", "test", "--to", "20251103170000_add_email"]);
    project.run(&["apply", "dev"]);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that has not earned its place

      20251104093000_add_index
        promotion   these bytes never succeeded in test
                    found     dev: succeeded 2025-11-04 10:12 UTC by alice
                              test: nothing
                    required  success of blake3:42bb70c4ee05 in dev and test
                    remedy    tollgate apply test --to 20251104093000_add_index

      2 before it are ready: tollgate apply prod --to 20251103170000_add_email
    "#);
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that has not earned its place

      20251104093000_add_index
        promotion   these bytes never succeeded in test
                    found     dev: succeeded 2025-11-04 10:12 UTC by alice
                              test: nothing
                    required  success of blake3:42bb70c4ee05 in dev and test
                    remedy    tollgate apply test --to 20251104093000_add_index

      2 before it are ready: tollgate apply prod --to 20251103170000_add_email
    "#);
    // Nothing was changed in the refused environment: not even the file is there.
    assert!(!project.path().join("state/prod.db").exists());
    // The remedies work, as they are printed.
    assert_snapshot!(project.run(&["apply", "test", "--to", "20251104093000_add_index"]), @r#"
    exit 0
    --- stdout
    test: 1 migration applied
    --- stderr
    test: 1 migration to apply
      applied   20251104093000_add_index  atomic
    "#);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 0
    --- stdout
    ready: prod can take 3 migrations

      20251027072808_create_health_check
        runs        atomic, 1 statement, blake3:dccb93326a4d
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice

      20251103170000_add_email
        runs        atomic, 1 statement, blake3:497f4e7b6f77
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice

      20251104093000_add_index
        runs        atomic, 1 statement, blake3:42bb70c4ee05
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice

      plan 2ec9cb974feba5a4d71272734499e0e819c22ccac7bc25a16bbd5d43036a906a
      to run it: tollgate apply prod
    "#);
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
}

#[test]
fn the_ready_prefix_goes_alone() {
    let project = three();
    project.run(&["promote", "test", "--to", "20251103170000_add_email"]);
    assert_snapshot!(project.run(&["apply", "prod", "--to", "20251103"]), @r#"
    exit 0
    --- stdout
    prod: 2 migrations applied
    --- stderr
    prod: bound to prod.db
    prod: 2 migrations to apply
      applied   20251027072808_create_health_check  atomic
      applied   20251103170000_add_email  atomic
    "#);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration                           dev       test      prod
    20251027072808_create_health_check  applied   applied   applied
    20251103170000_add_email            applied   applied   applied
    20251104093000_add_index            pending   pending   pending
    "#);
}

#[test]
fn a_changed_byte_starts_the_chain_again() {
    let project = three();
    project.run(&["promote", "test"]);
    project.write(
        "20251104093000_add_index",
        "CREATE INDEX other ON health_checks (name);\n",
    );
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 0
    --- stdout
    dev: up to date, nothing to do

    warning: modified: 20251104093000_add_index: it was edited after it ran here
      found     ran   blake3:42bb70c4ee05 2025-11-04 10:12 UTC by alice
                file  blake3:25cb206932b8
      remedy    tollgate log restore 20251104093000_add_index
    "#);
    assert_snapshot!(project.run(&["plan", "test"]), @r#"
    exit 3
    --- stdout
    refused: test has 1 migration that cannot pass

      20251104093000_add_index
        modified    it was edited after it ran here
                    found     ran   blake3:42bb70c4ee05 2025-11-04 10:12 UTC by alice
                              file  blake3:25cb206932b8
                    required  the bytes that ran, blake3:42bb70c4ee05
                    remedy    tollgate log restore 20251104093000_add_index
    "#);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that has not earned its place

      20251104093000_add_index
        promotion   these bytes never succeeded in dev and test
                    found     dev: other bytes succeeded 2025-11-04 10:12 UTC (blake3:42bb70c4ee05)
                              test: other bytes succeeded 2025-11-04 10:12 UTC (blake3:42bb70c4ee05)
                    required  success of blake3:25cb206932b8 in dev and test
                    remedy    tollgate log restore 20251104093000_add_index

      2 before it are ready: tollgate apply prod --to 20251103170000_add_email
    "#);
    assert_snapshot!(project.run(&["log", "restore", "20251104093000_add_index"]), @r#"
    exit 0
    --- stdout
    migrations/20251104093000_add_index/migration.sql holds the bytes that ran, blake3:42bb70c4ee05
    what stood there is kept beside it as migration.sql.25cb206932b8
    "#);
    assert_eq!(
        std::fs::read_to_string(project.script("20251104093000_add_index")).unwrap(),
        INDEX
    );
    assert_eq!(project.run(&["plan", "test"]).exit, 0);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
}

#[test]
fn line_endings_are_named() {
    let project = three();
    project.run(&["promote", "test"]);
    project.write(
        "20251027072808_create_health_check",
        &CREATE.replace('\n', "\r\n"),
    );
    assert_snapshot!(project.run(&["plan", "test"]), @r#"
    exit 3
    --- stdout
    refused: test has 1 migration that cannot pass

      20251027072808_create_health_check
        modified    only its line endings were changed after it ran here
                    found     ran   blake3:dccb93326a4d 2025-11-04 10:12 UTC by alice
                              file  blake3:7a24337da1fc
                    required  the bytes that ran, blake3:dccb93326a4d
                    remedy    tollgate log restore 20251027072808_create_health_check
    "#);
}

#[test]
fn a_migration_that_comes_too_late_or_is_gone_is_refused_after_the_first_environment() {
    let project = three();
    project.run(&["promote", "prod"]);
    project.write(
        "20251101000000_from_a_branch",
        "CREATE TABLE branch (id INTEGER PRIMARY KEY);\n",
    );
    std::fs::remove_dir_all(project.path().join("migrations/20251103170000_add_email")).unwrap();
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 0
    --- stdout
    ready: dev can take 1 migration

      20251101000000_from_a_branch
        runs        atomic, 1 statement, blake3:4a0011db8d40

    warning: missing: 20251103170000_add_email: it was applied here and its folder is gone
      found     applied 2025-11-04 10:12 UTC by alice (blake3:497f4e7b6f77)
      remedy    tollgate log restore 20251103170000_add_email

    warning: order: 20251101000000_from_a_branch: it comes before a migration that was applied here already
      found     20251104093000_add_index was applied 2025-11-04 10:12 UTC
      remedy    tollgate restamp 20251101000000_from_a_branch

      plan 88ad9651d71c7db1809fddd59ab12a02a4ecfabbb27794f07507591b3253af94
      to run it: tollgate apply dev
    "#);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 2 migrations that cannot pass

      20251101000000_from_a_branch
        order       it comes before a migration that was applied here already
                    found     20251104093000_add_index was applied 2025-11-04 10:12 UTC
                    required  a name that sorts after every applied migration
                    remedy    tollgate restamp 20251101000000_from_a_branch
        promotion   these bytes never succeeded in dev and test
                    found     dev: nothing
                              test: nothing
                    required  success of blake3:4a0011db8d40 in dev and test
                    remedy    tollgate restamp 20251101000000_from_a_branch

      20251103170000_add_email
        missing     it was applied here and its folder is gone
                    found     applied 2025-11-04 10:12 UTC by alice (blake3:497f4e7b6f77)
                    required  the folder of every applied migration, with the bytes that ran
                    remedy    tollgate log restore 20251103170000_add_email
    "#);
    assert_snapshot!(project.run(&["restamp", "20251101000000_from_a_branch"]), @r#"
    exit 0
    --- stdout
    20251101000000_from_a_branch is now 20251104101200_from_a_branch
    "#);
    assert_snapshot!(project.run(&["log", "restore", "20251103170000_add_email"]), @r#"
    exit 0
    --- stdout
    migrations/20251103170000_add_email/migration.sql holds the bytes that ran, blake3:497f4e7b6f77
    "#);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
}

#[test]
fn an_interrupt_stops_between_migrations() {
    let project = three();
    let interrupted = Arc::new(AtomicBool::new(true));
    assert_snapshot!(project.run_with(&["apply", "dev"], interrupted), @r#"
    exit 130
    --- stderr
    dev: bound to dev.db
    dev: 3 migrations to apply
    interrupted: dev: 3 migrations left; what was begun has ended

      remedy   tollgate apply dev
    "#);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
}

#[test]
fn a_dry_run_changes_nothing() {
    let project = three();
    assert_snapshot!(project.run(&["apply", "dev", "--dry-run"]), @r#"
    exit 0
    --- stdout
    dev: every premise holds, 3 migrations would be applied
    --- stderr
    dev: 3 migrations to apply
    "#);
    assert!(!project.path().join("state/dev.db").exists());
}

#[test]
fn the_chain_is_told_to_programs() {
    let project = three();
    project.run(&[
        "promote",
        "test",
        "--to",
        "20251027072808_create_health_check",
    ]);
    let (exit, plan) = project.json(&["plan", "prod"]);
    assert_eq!(exit, 3);
    assert_eq!(plan["schema"], "tollgate/plan/v1");
    assert_eq!(plan["verdict"], "refused");
    assert_eq!(plan["steps"].as_array().unwrap().len(), 3);
    assert_eq!(plan["refusals"][0]["gate"], "promotion");
    assert_eq!(plan["refusals"][0]["migration"], "20251103170000_add_email");
    assert_eq!(
        plan["refusals"][0]["remedy"],
        "tollgate promote test --to 20251103170000_add_email"
    );
    assert_eq!(plan["ready_to"], "20251027072808_create_health_check");
    let (exit, status) = project.json(&["status"]);
    assert_eq!(exit, 0);
    assert_eq!(
        status["environments"],
        serde_json::json!(["dev", "test", "prod"])
    );
    assert_eq!(
        status["migrations"][0]["environments"]["test"]["state"],
        "applied"
    );
    assert_eq!(
        status["migrations"][0]["environments"]["test"]["by"],
        "alice"
    );
    assert_eq!(
        status["migrations"][1]["environments"]["dev"]["state"],
        "pending"
    );
    let (exit, applied) = project.json(&["apply", "prod"]);
    assert_eq!((exit, &applied["end"]), (3, &serde_json::json!("refused")));
    let (exit, promoted) = project.json(&["promote", "prod"]);
    assert_eq!(exit, 0);
    assert_eq!(
        promoted["environments"][2]["applied"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    let (_, verified) = project.json(&["verify"]);
    assert_eq!(verified["sound"], true);
}

#[test]
fn two_environments_never_share_a_target() {
    let project = three();
    project.run(&["apply", "dev"]);
    let config = project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&config)
        .unwrap()
        .replace("state/test.db", "state/dev.db");
    std::fs::write(&config, text).unwrap();
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        identity    this target is dev's
                    found     sqlite dev.db
                    required  a target of test's own: two environments never share one
                    remedy    edit tollgate.toml: give each environment its own url
    "#);
    assert_snapshot!(project.run(&["bind", "test", "--reason", "because"]), @r#"
    exit 3
    --- stdout
    refused: test is not bound: this target is dev's
      found     sqlite dev.db
      required  a target of test's own: two environments never share one
      remedy    edit tollgate.toml: give each environment its own url
    "#);
}

#[test]
fn another_target_is_noticed_and_bound_on_a_persons_word() {
    let project = three();
    project.run(&["promote", "prod"]);
    for file in ["dev.db", "dev.db-wal", "dev.db-shm"] {
        let _ = std::fs::remove_file(project.path().join("state").join(file));
    }
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        identity    dev is bound to another target
                    found     sqlite dev.db was never entered by tollgate
                    required  sqlite dev.db, incarnation e3d5003e
                    remedy    tollgate bind dev --reason '<why>'
    "#);
    assert_snapshot!(project.run(&["bind", "dev", "--reason", "lost with the laptop"]), @r#"
    exit 0
    --- stdout
    dev: bound
    --- stderr
    dev: bound to dev.db
    "#);
    // "Applied" is lost with the target; "promoted" is not.
    assert_eq!(project.run(&["plan", "prod"]).exit, 0);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
}

#[test]
fn a_copied_target_keeps_what_is_applied_and_proves_nothing() {
    let project = three();
    project.run(&["apply", "dev"]);
    project
        .database("dev")
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    std::fs::copy(
        project.path().join("state/dev.db"),
        project.path().join("state/test.db"),
    )
    .unwrap();
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        identity    this target belongs to dev
                    found     sqlite test.db says that it is dev
                    required  a target of test's own: two environments never share one
                    remedy    tollgate bind test --reason '<why>'   # only if it is a copy that test shall keep
    "#);
    assert_snapshot!(project.run(&["bind", "test", "--reason", "a copy of dev"]), @r#"
    exit 0
    --- stdout
    test: bound
    --- stderr
    test: bound to test.db
    test: took in 3 receipts that the ledger lacked
    "#);
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 0
    --- stdout
    test: nothing to do
    "#);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 3 migrations that have not earned their place

      20251027072808_create_health_check
      20251103170000_add_email
      20251104093000_add_index
        promotion   these bytes never succeeded in test
                    found     dev: succeeded 2025-11-04 10:12 UTC by alice
                              test: its target is a copy; it ran in dev 2025-11-04 10:12 UTC
                    required  success of each one's bytes in dev and test
                    remedy    tollgate bind test --reason '<why>'   # after giving test an empty target
    "#);
    project.write(
        "20251104093001_next",
        "CREATE TABLE next (id INTEGER PRIMARY KEY);\n",
    );
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
}

#[test]
fn a_lost_ledger_regains_what_was_applied_and_promoted() {
    let project = three();
    project.run(&["promote", "test"]);
    for file in std::fs::read_dir(project.path().join("state")).unwrap() {
        let file = file.unwrap();
        if file.file_name().to_string_lossy().starts_with("ledger") {
            std::fs::remove_file(file.path()).unwrap();
        }
    }
    assert_eq!(project.run(&["plan", "prod"]).exit, 3);
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 0
    --- stdout
    dev: nothing to do
    --- stderr
    dev: bound to dev.db
    dev: took in 3 receipts that the ledger lacked
    "#);
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 0
    --- stdout
    prod: 3 migrations applied
    --- stderr
    prod: bound to prod.db
    prod: 3 migrations to apply
      applied   20251027072808_create_health_check  atomic
      applied   20251103170000_add_email  atomic
      applied   20251104093000_add_index  atomic
    "#);
    assert_snapshot!(project.run(&["log", "show", "20251103170000_add_email"]), @r#"
    exit 0
    --- stdout
    ALTER TABLE health_checks ADD COLUMN email TEXT;
    "#);
}

/// A ledger that was put back in its place (`cp backup ledger.db`) has used its numbers once already.
#[test]
fn a_ledger_that_went_back_goes_on_as_a_new_writer() {
    let project = three();
    project.run(&["apply", "dev", "--to", "20251027072808_create_health_check"]);
    let ledger = project.path().join("state/ledger.db");
    rusqlite::Connection::open(&ledger)
        .unwrap()
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let backup = std::fs::read(&ledger).unwrap();
    project.run(&["apply", "dev", "--to", "20251103170000_add_email"]);
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(project.path().join(format!("state/ledger.db{end}")));
    }
    // Written over in place: the same file, as `cp` does it.
    std::fs::write(&ledger, backup).unwrap();
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 0
    --- stdout
    dev: 1 migration applied
    --- stderr
    dev: its receipts show that the ledger was put back to an earlier state; it goes on as a new writer
    dev: took in 1 receipt that the ledger lacked
    dev: 1 migration to apply
      applied   20251104093000_add_index  atomic
    "#);
    assert_snapshot!(project.run(&["verify"]), @r#"
    exit 0
    --- stdout
    sound: state/ledger.db: 9 entries by 2 writers
      writer b7890e7019b8e244e32f4d84a995c0f0  sound to entry 4
        4a3993dc6c0e426057cc0aafa418a56392a16bb26bf0dd7435b56900bfa75410
      writer ea21c7b3c885cf2fb547bb51016c8bbb  sound to entry 5
        42ea2231f3d3c45b2d11ba7799ee490537b413f21caccbd743ae8a4d88d7ccf1

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
}

/// Two names of one file are one target, whatever links lie between.
#[cfg(unix)]
#[test]
fn a_link_to_a_target_is_that_target() {
    let project = three();
    project.run(&["apply", "dev"]);
    let state = project.path().join("state");
    std::os::unix::fs::symlink("dev.db", state.join("test.db")).unwrap();
    std::fs::hard_link(state.join("dev.db"), state.join("prod.db")).unwrap();
    for name in ["test", "prod"] {
        let bind = ["bind", name, "--emptied", "--reason", "a trick"];
        assert_eq!(project.run(&bind).exit, 3, "{name}");
    }
}

/// The chain is a file, and files are edited: the ledger remembers who stood before whom.
#[test]
fn an_environment_cannot_be_taken_out_of_the_chain_in_silence() {
    let project = three();
    project.run(&["promote", "prod", "--to", "20251103170000_add_email"]);
    let config = project.path().join("tollgate.toml");
    let whole = std::fs::read_to_string(&config).unwrap();
    let environment = |name: &str| {
        format!("[[environment]]\nname = \"{name}\"\nurl = \"sqlite:state/{name}.db\"\n")
    };
    for shorter in [&["prod"][..], &["prod", "dev"], &["dev", "prod"]] {
        let text: String = shorter.iter().map(|name| environment(name)).collect();
        std::fs::write(&config, text).unwrap();
        // Acting elsewhere does not make the ledger forget.
        project.run(&["apply", "dev"]);
        assert_eq!(project.run(&["apply", "prod"]).exit, 3, "{shorter:?}");
    }
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        chain       test no longer stands before prod in tollgate.toml
                    found     the chain is dev, prod now
                    required  the chain that this ledger knows: dev, test, prod
                    remedy    tollgate bind prod --reason '<why>'   # only if the chain shall be this one
    "#);
    assert_snapshot!(project.run(&["bind", "prod", "--reason", "test is gone"]), @r#"
    exit 0
    --- stdout
    prod: bound
    "#);
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    // Whole again, it shows what came past it.
    std::fs::write(&config, whole).unwrap();
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 0
    --- stdout
    prod: up to date, nothing to do

    warning: promotion: prod: what was applied here never succeeded in dev and test
      found     20251104093000_add_index
      remedy    tollgate log   # who applied it to prod, and when
    "#);
}

/// A refusal leaves nothing in an environment that was never entered, not even a lock file.
#[test]
fn a_refusal_leaves_no_file_behind() {
    let project = three();
    assert_eq!(project.run(&["apply", "prod"]).exit, 3);
    let left: Vec<String> = std::fs::read_dir(project.path().join("state"))
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with("ledger"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}
