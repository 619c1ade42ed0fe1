//! The main job and its refusals.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use insta::assert_snapshot;

use crate::project::Project;

const CREATE: &str = "CREATE TABLE health_checks (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n";
const EMAIL: &str = "ALTER TABLE health_checks ADD COLUMN email TEXT;\n";
const INDEX: &str = "CREATE INDEX health_checks_name ON health_checks (name);\n";

pub(crate) fn three() -> Project {
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
        3a4b54f3926d31c7ec2186e2d09a23c18977d0c5ce13b810d22c449620d6c134

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
      20251104093000_add_index
        locks       line 1: health_checks (RESERVED) while every row is read
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

    dev: 1 migration waits, ready
      20251104093000_add_index  ready
    test: 1 migration waits
      20251104093000_add_index  promotion: not in dev
    prod: 1 migration waits
      20251104093000_add_index  promotion: not in dev and test
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

    warning: order: 20251101000000_from_a_branch: it comes too late for test and prod, and will be refused there
      found     test: 20251104093000_add_index was applied 2025-11-04 10:12 UTC
                prod: 20251104093000_add_index was applied 2025-11-04 10:12 UTC
      remedy    tollgate restamp 20251101000000_from_a_branch

      plan 51f5dfee205e30a773fe47e77e5a6c43fe942bd9d451e264e05080149960c904
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

      next      tollgate plan dev
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
fn an_interrupted_promotion_goes_on_as_one() {
    let project = three();
    let stopped = |arguments: &[&str]| {
        let shot = project.run_with(arguments, Arc::new(AtomicBool::new(true)));
        assert_eq!(shot.exit, 130, "{shot}");
        shot.stderr
    };
    assert_snapshot!(stopped(&["promote", "prod"]), @r#"
    dev: bound to dev.db
    dev: 3 migrations to apply
    interrupted: dev: 3 migrations left; what was begun has ended, and test and prod were not begun

      remedy   tollgate promote prod
    "#);
    // Everything of dev has ended: there is nothing to apply there.
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(stopped(&["promote", "prod"]), @r#"
    interrupted: dev has everything, and test and prod were not begun

      remedy   tollgate promote prod
    "#);
    assert_snapshot!(stopped(&["promote", "test", "--to", "20251103170000_add_email"]), @r#"
    interrupted: dev has everything up to 20251103170000_add_email, and test was not begun

      remedy   tollgate promote test --to 20251103170000_add_email
    "#);
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_snapshot!(stopped(&["promote", "prod"]), @r#"
    interrupted: dev has everything, and test and prod were not begun

      remedy   tollgate promote prod
    "#);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
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
