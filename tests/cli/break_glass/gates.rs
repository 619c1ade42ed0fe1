//! Each gate: skipped, or not skipped.

use insta::assert_snapshot;

use super::{
    ALLOWED, COMMAND, EMAIL, HOUR, LATER, USERS, must, refusals, require, requiring, urgent, yes,
};
use crate::project::Project;

/// What a run through broken glass skipped, by its entry.
fn skipped(project: &Project) -> Vec<String> {
    let (_, log) = project.json(&["log"]);
    let entries = log["entries"].as_array().unwrap();
    let broke = entries
        .iter()
        .rev()
        .map(|it| &it["entry"])
        .find(|it| it["kind"] == "broke-glass");
    let skipped = broke.unwrap()["payload"]["skipped"].as_array().unwrap();
    let gates = skipped.iter().map(|it| it["gate"].as_str().unwrap());
    gates.map(str::to_owned).collect()
}

/// What prod asks for beside leave to break glass.
fn also(what: &str) -> String {
    format!("{what}, {ALLOWED}")
}

#[test]
fn what_asks_for_proof_or_time_is_skipped() {
    for (what, gate) in [
        ("soak = \"24h\"", "soak"),
        (
            "freeze = [{ from = 2025-11-04T00:00:00Z, to = 2025-11-05T00:00:00Z, reason = \"books\" }]",
            "freeze",
        ),
        ("allow = \"Mon-Fri 20:00-21:00 UTC\"", "hours"),
        (
            "hold = [{ migration = \"20251102000000_email\", reason = \"not yet\" }]",
            "hold",
        ),
        ("rehearsal = true", "rehearsal"),
    ] {
        let project = requiring(&also(what));
        for environment in ["dev", "test"] {
            must(&project, &["apply", environment], 0);
        }
        let refused = refusals(&project, "prod");
        assert!(
            refused.iter().all(|it| it == gate) && !refused.is_empty(),
            "{gate}: {refused:?}"
        );
        must(&project, &["apply", "prod"], 3);
        must(&project, &yes(), 0);
        let mut found = skipped(&project);
        found.dedup();
        assert_eq!(found, [gate]);
        // Its bytes were proven in every environment before, so only the review is owed.
        let (_, status) = project.json(&["status"]);
        assert_eq!(
            status["debts"][0]["runs"][0]["owes"]
                .as_array()
                .unwrap()
                .len(),
            0
        );
        assert_eq!(status["debts"][0]["open"], true);
    }
}

#[test]
fn what_lint_found_is_skipped() {
    let project = urgent();
    require(&project, "prod", &also("lint = \"warning\""));
    project.write(
        EMAIL,
        "ALTER TABLE users RENAME COLUMN name TO full_name;\n",
    );
    for environment in ["dev", "test"] {
        must(&project, &["apply", environment], 0);
    }
    assert_eq!(refusals(&project, "prod"), ["lint"]);
    must(&project, &yes(), 0);
    assert_eq!(skipped(&project), ["lint"]);
}

#[test]
fn promotion_is_skipped_of_each_migration_that_was_not_proven() {
    let project = requiring(ALLOWED);
    must(&project, &["apply", "dev"], 0);
    must(&project, &["apply", "test", "--to", USERS], 0);
    must(&project, &yes(), 0);
    assert_eq!(skipped(&project), ["promotion"]);
    let (_, status) = project.json(&["status"]);
    let runs = status["debts"][0]["runs"].as_array().unwrap();
    // Both go through broken glass: the proven one runs in the same plan, and owes no run.
    let owes: Vec<_> = runs.iter().map(|run| run["owes"].to_string()).collect();
    assert_eq!(owes, ["[]", "[\"test\"]"]);
}

#[test]
fn to_ends_it_there() {
    let project = requiring(ALLOWED);
    must(&project, &[&yes()[..], &["--to", USERS]].concat(), 0);
    let (_, status) = project.json(&["status"]);
    let prod = |row: usize| status["migrations"][row]["environments"]["prod"]["state"].clone();
    assert_eq!((prod(0), prod(1)), ("applied".into(), "pending".into()));
    let again = must(&project, &[&COMMAND[..], &["--to", EMAIL]].concat(), 2);
    assert!(
        again
            .stderr
            .contains(&format!("--incident INC-7 --to {EMAIL} --yes")),
        "{again}"
    );
}

/// Breaks the glass where this is to be refused.
fn refused(project: &Project, gates: &[&str]) {
    let before = must(project, &["log"], 0).stdout;
    let shot = must(project, &yes(), 3);
    assert!(
        shot.stdout.contains("breaking glass does not skip that"),
        "{shot}"
    );
    let (_, document) = project.json(&yes());
    let found = document["plan"]["refusals"].as_array().unwrap();
    let found: Vec<&str> = found
        .iter()
        .map(|it| it["gate"].as_str().unwrap())
        .collect();
    assert_eq!(found, gates);
    let after = must(project, &["log"], 0).stdout;
    assert_eq!(
        before.matches("broke-glass").count(),
        after.matches("broke-glass").count()
    );
    assert!(!after[before.len()..].contains("intent "), "{after}");
}

#[test]
fn what_a_script_destroys_is_not_skipped_and_can_be_waived() {
    let project = urgent();
    project.write(EMAIL, "ALTER TABLE users DROP COLUMN name;\n");
    assert_snapshot!(project.run(&yes()), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251102000000_email
        data-loss   it destroys what stands here, and does not say that it may
                    found     line 1: drops column users.name; its values are gone, in every row (0 rows)
                    required  a reason in the script, or a waiver for prod
                    remedy    edit migrations/20251102000000_email/migration.sql: write above line 1: -- tollgate:allow data-loss <reason>

      breaking glass does not skip that; nothing was done
      it would skip
        promotion   20251102000000_email: these bytes never succeeded in dev and test
    "#);
    refused(&project, &["data-loss"]);
    must(
        &project,
        &[
            "waive",
            "prod",
            "data-loss",
            EMAIL,
            "--reason",
            "nobody reads it",
        ],
        0,
    );
    must(&project, &yes(), 0);
}

#[test]
fn a_backup_is_asked_for_all_the_same_and_taken_on_the_way() {
    let project = urgent();
    require(&project, "prod", &also("backup = \"1h\""));
    let shown = must(&project, &COMMAND, 2);
    assert!(shown.stdout.contains("a backup is taken first"), "{shown}");
    let shot = must(&project, &yes(), 0);
    assert!(shot.stderr.contains("backed up: prod"), "{shot}");
    let (_, log) = project.json(&["log"]);
    let kinds: Vec<&str> = log["entries"].as_array().unwrap()[..]
        .iter()
        .map(|it| it["entry"]["kind"].as_str().unwrap())
        .collect();
    let place = |kind| kinds.iter().rposition(|it| *it == kind).unwrap();
    assert!(place("backed-up") < place("broke-glass"), "{kinds:?}");
    assert_eq!(skipped(&project), ["promotion"]);
}

#[test]
fn edited_and_missing_scripts_and_their_order_are_not_skipped() {
    let project = urgent();
    project.write(USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n");
    refused(&project, &["modified"]);
    std::fs::remove_dir_all(project.script(USERS).parent().unwrap()).unwrap();
    refused(&project, &["missing"]);
    let project = urgent();
    project.write("20251031000000_early", "CREATE TABLE early (id INTEGER);\n");
    refused(&project, &["order"]);
}

#[test]
fn a_script_that_cannot_be_sent_is_not_skipped() {
    let project = urgent();
    // As a rollback that is still to be written by hand.
    project.write(
        EMAIL,
        "SELECT 'write by hand what reverses line 1, then take this statement away';\n",
    );
    refused(&project, &["script"]);
}

#[test]
fn whose_target_it_is_is_not_skipped() {
    let project = urgent();
    for name in ["prod.db", "prod.db-wal", "prod.db-shm"] {
        let _ = std::fs::remove_file(project.path().join("state").join(name));
    }
    std::fs::copy(
        project.path().join("state/test.db"),
        project.path().join("state/prod.db"),
    )
    .unwrap();
    refused(&project, &["identity"]);
}

#[test]
fn a_chain_that_lost_something_is_not_skipped() {
    let project = urgent();
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let without = config
        .split("[[environment]]")
        .filter(|part| !part.contains("name = \"test\""))
        .collect::<Vec<_>>()
        .join("[[environment]]");
    std::fs::write(&file, without).unwrap();
    refused(&project, &["chain"]);
}

#[test]
fn what_is_half_done_is_not_skipped() {
    let project = urgent();
    project.write(
        EMAIL,
        "CREATE TABLE a (id INTEGER);\nVACUUM;\nINSERT INTO b VALUES (1);\n",
    );
    must(&project, &yes(), 1);
    // The same bytes may go on; others may not.
    project.write(EMAIL, "CREATE TABLE c (id INTEGER);\n");
    refused(&project, &["failed"]);
}

#[test]
fn more_than_was_confirmed_is_not_skipped() {
    // Somebody is asked, and the freeze begins before they answer: only a second look can skip that.
    let project = urgent();
    let (confirmed, planned) = (
        must(&project, &COMMAND, 2),
        project.json(&["plan", "prod"]).1,
    );
    assert!(!confirmed.stdout.contains("freeze"));
    require(
        &project,
        "prod",
        &also(
            "freeze = [{ from = 2025-11-04T00:00:00Z, to = 2025-11-05T00:00:00Z, reason = \"books\" }]",
        ),
    );
    let shown = must(&project, &COMMAND, 2);
    assert!(
        shown.stdout.contains("freeze      prod is frozen"),
        "{shown}"
    );
    assert_ne!(planned, project.json(&["plan", "prod"]).1);
}

#[test]
fn a_freeze_names_it_where_the_policy_allows_it() {
    let freeze =
        "freeze = [{ from = 2025-11-04T00:00:00Z, to = 2025-11-05T00:00:00Z, reason = \"books\" }]";
    let project = requiring(&also(freeze));
    for environment in ["dev", "test"] {
        must(&project, &["apply", environment], 0);
    }
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        freeze      prod is frozen
                    found     2025-11-04 00:00 UTC to 2025-11-05 00:00 UTC: books
                              in an emergency: tollgate break-glass prod --reason '<why>' --incident <id>
                    required  a moment outside every freeze in tollgate.toml
                    remedy    tollgate plan prod   # from 2025-11-05 00:00 UTC on
    "#);
    require(&project, "prod", freeze);
    let shot = must(&project, &["plan", "prod"], 3);
    assert!(!shot.stdout.contains("break-glass"), "{shot}");
}

#[test]
fn in_a_chain_of_one_only_a_review_is_owed() {
    let mut project = Project::empty();
    std::fs::write(
        project.path().join("tollgate.toml"),
        format!(
            "[[environment]]\nname = \"only\"\nurl = \"sqlite:state/only.db\"\n[environment.require]\nallow = \"Mon-Fri 20:00-21:00 UTC\"\n{ALLOWED}\n"
        ),
    )
    .unwrap();
    project.write(USERS, "CREATE TABLE users (id INTEGER);\n");
    let asked = [
        "break-glass",
        "only",
        "--reason",
        "why",
        "--incident",
        "INC-1",
        "--yes",
    ];
    must(&project, &asked, 0);
    project.write(LATER, "CREATE TABLE later (id INTEGER);\n");
    project.now += 10 * HOUR;
    assert_eq!(refusals(&project, "only"), ["debt"]);
    let review = ["post-review", "only", "INC-1", "--note", "it held"];
    super::must_as(&mut project, "bob", &review, 0);
    assert!(refusals(&project, "only").is_empty());
}

#[test]
fn everybodys_own_databases_have_no_glass() {
    let project = urgent();
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let own = config.replace("name = \"dev\"", "name = \"dev\"\npersonal = true");
    std::fs::write(&file, &own).unwrap();
    let asked = [
        "break-glass",
        "dev",
        "--reason",
        "why",
        "--incident",
        "INC-1",
        "--yes",
    ];
    assert_snapshot!(project.run(&asked), @r#"
    exit 2
    --- stderr
    error: glass is broken only in an environment of the chain that is one database, and dev is none

      remedy   tollgate apply dev
    "#);
    let with = own.replace(
        "personal = true",
        &format!("personal = true\nrequire = {{ {ALLOWED} }}"),
    );
    std::fs::write(&file, with).unwrap();
    let shot = must(&project, &["status"], 2);
    assert!(shot.stderr.contains("break_glass of dev"), "{shot}");
}
