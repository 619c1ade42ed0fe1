//! What changed a moment ago is seen under the lock, in the target, and not in this ledger.

use insta::assert_snapshot;

use super::{EMAIL, USERS, held, in_prod, saved};
use crate::project::Project;

/// Another ledger with the same migrations and one more, on the same prod.
fn colleague(project: &Project) -> Project {
    let other = Project::with(&[]).with_own_ids();
    let file = other.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let prod = project.path().join("state/prod.db");
    let url = format!("sqlite:{}", prod.display());
    let shared = config.replace("sqlite:state/prod.db", &url);
    assert_ne!(shared, config);
    std::fs::write(&file, shared).unwrap();
    for id in [USERS, EMAIL] {
        let script = std::fs::read_to_string(project.script(id)).unwrap();
        other.write(id, &script);
    }
    other
}

#[test]
fn what_another_ledger_applied_a_second_ago() {
    let mut project = saved();
    let other = colleague(&project);
    other.write("20251105000000_shop", "CREATE TABLE shop (id INTEGER);\n");
    assert_eq!(other.run(&["promote", "test"]).exit, 0);
    project.now += 1_000;
    // This ledger knows of nothing, and would find it ready.
    assert_eq!(project.run(&["plan", "prod"]).exit, 0);
    let theirs = other.run(&["apply", "prod"]);
    assert_eq!(theirs.exit, 0, "{theirs}");
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        premise     its target changed: the plan was made after receipt 1
                    found     receipt 3: 20251105000000_shop, 2025-11-04 10:12 UTC by alice
                    required  no other change there than the plan's own steps
                    remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew

      20251103000000_unique
        order       it comes before a migration that was applied here already
                    found     20251105000000_shop was applied 2025-11-04 10:12 UTC
                              test has it under this name, so it can no longer get another
                    required  a name that sorts after every applied migration
                    remedy    tollgate waive prod order 20251103000000_unique --reason '<why>'

      20251105000000_shop
        missing     it was applied here and its folder is gone
                    found     applied 2025-11-04 10:12 UTC by alice (blake3:efa7c6495d5b)
                    required  the folder of every applied migration, with the bytes that ran
                    remedy    git log --all --stat -- '*/20251105000000_shop/migration.sql'   # then git checkout <commit> -- <path>
    --- stderr
    prod: took in 2 receipts that the ledger lacked
    "#);
}

/// What the other one applied is a step of the plan: the rest goes on.
#[test]
fn what_another_ledger_applied_of_the_plan_itself() {
    let project = saved();
    let other = colleague(&project);
    assert_eq!(other.run(&["promote", "test"]).exit, 0);
    assert_eq!(other.run(&["apply", "prod"]).exit, 0);
    let shot = held(&project);
    assert_eq!(shot.exit, 0, "{shot}");
    assert!(
        shot.stdout.ends_with("prod: 1 migration applied\n"),
        "{shot}"
    );
    assert_eq!(in_prod(&project).len(), 3);
}

/// The other run holds the lock while this one asks for it.
#[test]
fn what_another_process_applies_while_this_one_waits() {
    use std::process::{Command, Stdio};

    let project = saved();
    let other = colleague(&project);
    // Long enough for this run to begin, and to wait.
    other.write(
        "20251105000000_slow",
        "CREATE TABLE slow AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 800000) SELECT sum(i) AS s FROM n;\n",
    );
    assert_eq!(other.run(&["promote", "test"]).exit, 0);
    let mut child = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .args(["apply", "prod"])
        .current_dir(other.path())
        .env_clear()
        .envs(&other.variables)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It says what it is about to apply once it has the lock.
    let stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut lines = std::io::BufRead::lines(stderr).map_while(Result::ok);
    assert!(lines.any(|line| line.contains("to apply")));
    let shot = held(&project);
    let rest: Vec<String> = lines.collect();
    assert!(child.wait().unwrap().success(), "{rest:?}");
    assert!(shot.stderr.contains("waiting for the lock"), "{shot}");
    assert_eq!(shot.exit, 3, "{shot}");
    let changed = "its target changed: the plan was made after receipt 1";
    assert!(shot.stdout.contains(changed), "{shot}");
    assert!(shot.stdout.contains("20251105000000_slow"), "{shot}");
}
