//! `reset` starts clean, and never where it should not.

use insta::assert_snapshot;

use crate::chain::three;
use crate::on_postgres::{CREATE, Chain};
use crate::project::Project;
use crate::was_reset::archived;

const TABLE: &str = "20251027072808_create_health_check";

/// The states in one environment, from the ledger.
pub(crate) fn states(project: &Project, environment: &str) -> Vec<String> {
    let (_, status) = project.json(&["status"]);
    let migrations = status["migrations"].as_array().unwrap();
    let state = |migration: &serde_json::Value| {
        migration["environments"][environment]["state"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    migrations.iter().map(state).collect()
}

#[test]
fn a_reset_empties_the_first_environment_and_starts_clean() {
    let project = three();
    project.write(
        "20251105000000_more",
        "CREATE VIRTUAL TABLE words USING fts5(word);
CREATE VIEW names AS SELECT name FROM health_checks;
CREATE TABLE children (id INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER NOT NULL REFERENCES health_checks (id));
CREATE TRIGGER no_update BEFORE UPDATE ON children BEGIN SELECT raise(ABORT, 'no'); END;
INSERT INTO health_checks (id, name) VALUES (1, 'a');
INSERT INTO children (parent) VALUES (1);
PRAGMA user_version = 7;
",
    );
    project.run(&["promote", "test"]);
    assert_snapshot!(project.run(&["reset", "dev"]), @r#"
    exit 2
    --- stderr
    a reset of dev empties sqlite dev.db
      goes      2 tables, 1 view, 1 virtual table
      archived  4 receipts
    error: dev is not emptied without a word: there is no terminal to ask on
      nothing was changed

      remedy   tollgate reset dev --yes
    "#);
    assert_eq!(states(&project, "dev"), ["applied"; 4]);
    assert_snapshot!(project.run_typing(&["reset", "dev"], "test\n"), @r#"
    exit 2
    --- stderr
    a reset of dev empties sqlite dev.db
      goes      2 tables, 1 view, 1 virtual table
      archived  4 receipts

    type dev to empty it: error: what was typed is not dev
      nothing was changed

      remedy   tollgate reset dev
    "#);
    assert_eq!(project.run_typing(&["reset", "dev"], "").exit, 2);
    assert_eq!(states(&project, "dev"), ["applied"; 4]);
    assert_snapshot!(project.run_typing(&["reset", "dev"], "dev\n"), @r#"
    exit 0
    --- stdout
    dev: reset: dropped 2 tables, 1 view, 1 virtual table; 4 receipts archived, and nothing counts as applied there
    --- stderr
    a reset of dev empties sqlite dev.db
      goes      2 tables, 1 view, 1 virtual table
      archived  4 receipts

    type dev to empty it: dev: bound to dev.db
    "#);
    let left = "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'tollgate%' AND name <> 'sqlite_sequence' ORDER BY 1)";
    let left: Option<String> = project
        .database("dev")
        .query_row(left, [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, None);
    assert_eq!(archived(&project, "dev"), 4);
    assert_eq!(states(&project, "dev"), ["pending"; 4]);
    assert_eq!(project.run(&["plan", "prod"]).exit, 0);
    assert_snapshot!(project.run(&["log", "-n", "1"]), @r#"
    exit 0
    --- stdout
       21  2025-11-04T10:12:00.000Z  alice  bound      dev to sqlite dev.db: reset
    "#);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    let (exit, document) = project.json(&["reset", "dev", "--yes"]);
    assert_eq!((exit, document["end"].as_str()), (0, Some("reset")));
    assert_eq!(document["archived"], 4);
    let (exit, document) = project.json(&["reset", "dev", "--yes"]);
    assert_eq!((exit, document["end"].as_str()), (0, Some("nothing")));
    assert_eq!(project.run(&["verify"]).exit, 0);
}

#[test]
fn only_the_first_environment_of_several_is_reset() {
    let project = three();
    project.run(&["promote", "prod"]);
    assert_snapshot!(project.run(&["reset", "prod", "--yes"]), @r#"
    exit 3
    --- stdout
    refused: prod is not reset: only the first environment of several is ever reset
      found     the chain is dev, test, prod
      required  a target that people emptied themselves, if it shall start clean
      remedy    tollgate bind prod --emptied --reason '<why>'   # after emptying it
    "#);
    assert_snapshot!(project.run(&["log", "-n", "1"]), @r#"
    exit 0
    --- stdout
       24  2025-11-04T10:12:00.000Z  alice  refused    reset prod: identity
    "#);
    let config = project.path().join("tollgate.toml");
    let whole = std::fs::read_to_string(&config).unwrap();
    let environment = |name: &str| {
        format!("[[environment]]\nname = \"{name}\"\nurl = \"sqlite:state/{name}.db\"\n")
    };
    // Neither by writing it first, nor alone, nor under another name.
    for chain in [&["prod", "dev"][..], &["prod"], &["prod", "new"]] {
        let text: String = chain.iter().map(|name| environment(name)).collect();
        std::fs::write(&config, text).unwrap();
        assert_eq!(
            project.run(&["reset", "prod", "--yes"]).exit,
            3,
            "{chain:?}"
        );
    }
    std::fs::write(&config, whole.replace("state/dev.db", "state/prod.db")).unwrap();
    assert_eq!(project.run(&["reset", "dev", "--yes"]).exit, 3);
    // A fresh ledger knows no chain: the target says whose it is.
    std::fs::remove_dir_all(project.path().join("other")).ok();
    let text = environment("dev").replace("dev.db", "prod.db") + &environment("late");
    std::fs::write(&config, format!("ledger = \"other/ledger.db\"\n{text}")).unwrap();
    assert_snapshot!(project.run(&["reset", "dev", "--yes"]), @r#"
    exit 3
    --- stdout
    refused: dev is not reset: this target belongs to prod
      found     sqlite prod.db says that it is prod
      required  a target of dev's own: two environments never share one
      remedy    tollgate bind dev --reason '<why>'   # only if it is a copy that dev shall keep
    "#);
    let there: i64 = project
        .database("prod")
        .query_row("SELECT count(*) FROM tollgate_receipt", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(there, 3);
    assert!(
        project
            .database("prod")
            .table_exists(None, "health_checks")
            .unwrap()
    );
}

/// What tollgate never entered is not its own to empty.
#[test]
fn a_file_of_somebody_elses_is_not_emptied() {
    let project = three();
    std::fs::create_dir_all(project.path().join("state")).unwrap();
    project
        .database("dev")
        .execute_batch("CREATE TABLE theirs (id)")
        .unwrap();
    assert_snapshot!(project.run(&["reset", "dev", "--yes"]), @r#"
    exit 3
    --- stdout
    refused: dev is not reset: tollgate never entered this target, and it is not empty
      found     sqlite dev.db: 1 table
      required  a target that tollgate entered, or an empty one
      remedy    edit tollgate.toml: give dev the url of its own target
    "#);
    assert!(
        project
            .database("dev")
            .table_exists(None, "theirs")
            .unwrap()
    );
}

#[test]
fn a_target_that_has_tables_was_not_emptied() {
    let project = three();
    project.run(&["promote", "test"]);
    assert_snapshot!(project.run(&["bind", "test", "--emptied", "--reason", "I think so"]), @r#"
    exit 3
    --- stdout
    refused: test is not bound: the target is not empty: what ran there would run a second time
      found     1 table
      required  an empty target; or, to keep what stands there, bind without --emptied
      remedy    tollgate bind test --emptied --reason '<why>'   # after emptying it
    "#);
    assert_eq!(
        project
            .run(&["bind", "dev", "--emptied", "--reason", "I think so"])
            .exit,
        3
    );
    assert_eq!(states(&project, "test"), ["applied"; 3]);
}

/// The target was emptied and the ledger does not know it yet: the run ended in between, or it was
/// another ledger's. The next command takes it in and goes on.
#[test]
fn a_reset_that_the_ledger_missed_is_taken_in() {
    let project = three();
    project.run(&["promote", "prod", "--to", TABLE]);
    let ledger = project.path().join("state/ledger.db");
    rusqlite::Connection::open(&ledger)
        .unwrap()
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
    let before = std::fs::read(&ledger).unwrap();
    let head = project.path().join("state/ledger.db.head");
    let head_then = std::fs::read(&head).unwrap();
    assert_eq!(project.run(&["reset", "dev", "--yes"]).exit, 0);
    assert_eq!(project.run(&["apply", "dev", "--to", TABLE]).exit, 0);
    assert_eq!(project.run(&["reset", "dev", "--yes"]).exit, 0);
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(project.path().join(format!("state/ledger.db{end}")));
    }
    std::fs::write(&ledger, before).unwrap();
    std::fs::write(&head, head_then).unwrap();
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 0
    --- stdout
    dev: 3 migrations applied
    --- stderr
    dev: dev.db was emptied since the ledger knew it: nothing counts as applied there
    dev: 3 migrations to apply
      applied   20251027072808_create_health_check  atomic
      applied   20251103170000_add_email  atomic
      applied   20251104093000_add_index  atomic
    "#);
    assert_eq!(project.run(&["verify"]).exit, 0);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
}

pub(crate) fn users() -> Chain {
    Chain::new(&[
        ("20251101000000_users", CREATE),
        (
            "20251102000000_index",
            "CREATE INDEX CONCURRENTLY users_email ON users (email);\n",
        ),
    ])
}

/// A target that tollgate's own tables were dropped from is still the database that it was.
#[test]
fn a_database_without_its_receipts_can_be_reset() {
    let chain = users();
    chain.run(&["promote", "test"]);
    chain.databases[0]
        .run("DROP SCHEMA tollgate CASCADE")
        .unwrap();
    assert_eq!(chain.run(&["reset", "dev", "--yes"]).exit, 0);
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
}

/// The run ended between the target's commit and the ledger's entry. Every verb finds its way on.
#[test]
fn a_run_that_ended_after_the_target_was_emptied_is_taken_in() {
    use tollgate::targets::Target as _;

    for (verb, then) in [("apply", 0), ("reset", 0), ("bind", 0)] {
        let chain = users();
        chain.run(&["promote", "test"]);
        let mut target = chain.databases[0].open();
        target
            .lock(std::time::Duration::from_secs(60), &|| false, &mut |_| {})
            .unwrap();
        let life = tollgate::model::IncarnationId::from_bytes([9; 16]);
        target.empty(&"dev".parse().unwrap(), life).unwrap();
        drop(target);
        // Offline nothing is known of it yet.
        assert_eq!(states(&chain.project, "dev"), ["applied"; 2]);
        let shot = match verb {
            "apply" => chain.run(&["apply", "dev"]),
            "reset" => chain.run(&["reset", "dev", "--yes"]),
            _ => chain.run(&["bind", "dev", "--reason", "it was reset"]),
        };
        assert_eq!(shot.exit, then, "{shot}");
        let said =
            "dev: app_dev was emptied since the ledger knew it: nothing counts as applied there";
        assert!(shot.stderr.contains(said), "{shot}");
        assert_eq!(chain.run(&["promote", "prod"]).exit, 0, "{verb}");
        assert_eq!(
            chain.databases[0].ask("SELECT count(*) FROM tollgate.archive"),
            "2"
        );
        assert_eq!(chain.run(&["verify"]).exit, 0);
    }
}

/// Another ledger's reset of a target that both share.
#[test]
fn a_reset_by_another_ledger_is_taken_in() {
    let chain = users();
    chain.run(&["promote", "test"]);
    let mut other = Project::empty().with_own_ids();
    other.variables.clone_from(&chain.project.variables);
    for file in ["tollgate.toml", "migrations"] {
        copy(&chain.project.path().join(file), &other.path().join(file));
    }
    assert_eq!(other.run(&["reset", "dev", "--yes"]).exit, 0);
    assert_eq!(
        other
            .run(&["apply", "dev", "--to", "20251101000000_users"])
            .exit,
        0
    );
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 0
    --- stdout
    dev: 1 migration applied
    --- stderr
    dev: app_dev was emptied since the ledger knew it: nothing counts as applied there
    dev: took in 1 receipt that the ledger lacked
    dev: 1 migration to apply
      20251102000000_index
        locks       line 1: users (SHARE UPDATE EXCLUSIVE) while every row is read
      applied   20251102000000_index  journalled
    "#);
    assert_eq!(chain.run(&["plan", "prod"]).exit, 0);
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    if from.is_dir() {
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        std::fs::copy(from, to).unwrap();
    }
}
