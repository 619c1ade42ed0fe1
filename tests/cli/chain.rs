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
    assert_snapshot!(project.run(&["promote", "prod"]), @"");
    assert_snapshot!(project.run(&["promote", "prod"]), @"");
    assert_snapshot!(project.run(&["verify"]), @"");
}

#[test]
fn prod_refuses_what_was_not_proven_and_offers_what_was() {
    let project = three();
    project.run(&["promote", "test", "--to", "20251103170000_add_email"]);
    project.run(&["apply", "dev"]);
    assert_snapshot!(project.run(&["plan", "prod"]), @"");
    assert_snapshot!(project.run(&["apply", "prod"]), @"");
    // Nothing was changed in the refused environment: not even the file is there.
    assert!(!project.path().join("state/prod.db").exists());
    // The remedies work, as they are printed.
    assert_snapshot!(project.run(&["apply", "test", "--to", "20251104093000_add_index"]), @"");
    assert_snapshot!(project.run(&["plan", "prod"]), @"");
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
}

#[test]
fn the_ready_prefix_goes_alone() {
    let project = three();
    project.run(&["promote", "test", "--to", "20251103170000_add_email"]);
    assert_snapshot!(project.run(&["apply", "prod", "--to", "20251103"]), @"");
    assert_snapshot!(project.run(&["status"]), @"");
}

#[test]
fn a_changed_byte_starts_the_chain_again() {
    let project = three();
    project.run(&["promote", "test"]);
    project.write(
        "20251104093000_add_index",
        "CREATE INDEX other ON health_checks (name);\n",
    );
    assert_snapshot!(project.run(&["plan", "dev"]), @"");
    assert_snapshot!(project.run(&["plan", "test"]), @"");
    assert_snapshot!(project.run(&["plan", "prod"]), @"");
    assert_snapshot!(project.run(&["log", "restore", "20251104093000_add_index"]), @"");
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
    assert_snapshot!(project.run(&["plan", "test"]), @"");
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
    assert_snapshot!(project.run(&["plan", "dev"]), @"");
    assert_snapshot!(project.run(&["plan", "prod"]), @"");
    assert_snapshot!(project.run(&["restamp", "20251101000000_from_a_branch"]), @"");
    assert_snapshot!(project.run(&["log", "restore", "20251103170000_add_email"]), @"");
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
}

#[test]
fn an_interrupt_stops_between_migrations() {
    let project = three();
    let interrupted = Arc::new(AtomicBool::new(true));
    assert_snapshot!(project.run_with(&["apply", "dev"], interrupted), @"");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
}

#[test]
fn a_dry_run_changes_nothing() {
    let project = three();
    assert_snapshot!(project.run(&["apply", "dev", "--dry-run"]), @"");
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
    assert_snapshot!(project.run(&["apply", "test"]), @"");
    assert_snapshot!(project.run(&["bind", "test", "--reason", "because"]), @"");
}

#[test]
fn another_target_is_noticed_and_bound_on_a_persons_word() {
    let project = three();
    project.run(&["promote", "prod"]);
    for file in ["dev.db", "dev.db-wal", "dev.db-shm"] {
        let _ = std::fs::remove_file(project.path().join("state").join(file));
    }
    assert_snapshot!(project.run(&["apply", "dev"]), @"");
    assert_snapshot!(project.run(&["bind", "dev", "--reason", "lost with the laptop"]), @"");
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
    assert_snapshot!(project.run(&["apply", "test"]), @"");
    assert_snapshot!(project.run(&["bind", "test", "--reason", "a copy of dev"]), @"");
    assert_snapshot!(project.run(&["apply", "test"]), @"");
    assert_snapshot!(project.run(&["plan", "prod"]), @"");
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
    assert_snapshot!(project.run(&["apply", "dev"]), @"");
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    assert_snapshot!(project.run(&["apply", "prod"]), @"");
    assert_snapshot!(project.run(&["log", "show", "20251103170000_add_email"]), @"");
}
