//! The policy that something ran under: its digest in intents and receipts, and an entry when it changed.

use insta::assert_snapshot;

use super::{EMAIL, USERS, require, waiting};
use crate::project::Project;

fn policies(project: &Project) -> Vec<String> {
    let log = project.run(&["log", "-n", "1000"]).stdout;
    let lines = log
        .lines()
        .filter_map(|line| line.split_once("  policy     "));
    lines.map(|(_, what)| what.to_owned()).collect()
}

fn entries(project: &Project, kind: &str) -> Vec<serde_json::Value> {
    let (_, log) = project.json(&["log", "-n", "1000"]);
    let entries = log["entries"].as_array().unwrap().iter();
    entries
        .map(|it| it["entry"].clone())
        .filter(|entry| entry["kind"] == kind)
        .collect()
}

#[test]
fn a_change_that_an_acting_verb_sees_is_written_once() {
    let mut project = waiting();
    // Nothing was said of any environment, so there is nothing to write.
    assert_eq!(policies(&project), [""; 0]);
    require(&project, "soak = \"1h\"");
    // Who only looks writes nothing.
    for look in [
        &["plan", "prod"][..],
        &["status", "prod"],
        &["why-not", EMAIL, "prod"],
        &["apply", "prod", "--dry-run"],
    ] {
        let _ = project.run(look);
    }
    let seen: Vec<String> = policies(&project);
    let expected = ["prod tightened: soak: nothing -> 1h".to_owned()];
    // A dry run that is refused is an entry, as it is without this.
    assert!(seen.is_empty() || seen == expected, "{seen:?}");
    assert_eq!(project.run(&["apply", "prod"]).exit, 3);
    assert_eq!(policies(&project), expected);
    assert_eq!(project.run(&["apply", "prod"]).exit, 3);
    assert_eq!(policies(&project), expected);
    // What is asked of prod is nothing of test's.
    project.write("20251104000000_more", "CREATE TABLE more (id INTEGER);\n");
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_eq!(policies(&project), expected);
    require(&project, "soak = \"30min\", lint = \"error\"");
    project.now += super::HOUR;
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    let now = "prod loosened: soak: 1h -> 30min; tightened: lint: nothing -> error";
    let mut seen = policies(&project);
    seen.sort();
    assert_eq!(seen, [now, expected[0].as_str()]);
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    assert_eq!(policies(&project).len(), 2);
    let status = project.run(&["status", "prod"]).stdout;
    assert!(
        status.contains("policy      as seen 2025-11-04 11:12 UTC by alice, 0 s ago\n"),
        "{status}"
    );
    require(&project, "lint = \"error\"");
    let status = project.run(&["status", "prod"]);
    assert_snapshot!(status, @r#"
    exit 0
    --- stdout
    prod   3 of 3: dev, test, prod

      target      prod.db (6f3287cd13d7)
      last change 20251104000000_more, 2025-11-04 11:12 UTC by alice, receipt 4, 0 s ago
      applied     4 migrations
      waits       nothing
      policy      as seen 2025-11-04 11:12 UTC by alice, 0 s ago
      policy      since then loosened: soak: 30min -> nothing
      backup      none in the ledger
      drift       nobody looked; tollgate verify prod does
      next        tollgate verify prod
    "#);
    assert_eq!(policies(&project).len(), 2);
    // Also where nothing is left to do.
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    assert_eq!(policies(&project).len(), 3);
}

#[test]
fn intents_and_receipts_name_the_policy_that_they_came_under() {
    let project = waiting();
    let (_, plan) = project.json(&["plan", "prod"]);
    let before = plan["policy"].clone();
    require(&project, "lint = \"error\"");
    let (_, plan) = project.json(&["plan", "prod"]);
    let digest = plan["policy"].clone();
    assert_ne!(before, digest);
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    let intents = entries(&project, "intent");
    let of = |migration: &str, environment: &str| {
        let mut all = intents.iter().map(|entry| &entry["payload"]);
        let it = all.find(|it| it["migration"] == migration && it["environment"] == environment);
        it.unwrap()["policy"].clone()
    };
    assert_eq!(of(USERS, "prod"), before);
    assert_eq!(of(EMAIL, "test"), before);
    assert_eq!(of(EMAIL, "prod"), digest);
    let seen = entries(&project, "policy");
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0]["payload"]["policy"], digest);
    assert_eq!(seen[0]["payload"]["is"]["lint"], "error");
    let prod = project.database("prod");
    let mut bodies = prod
        .prepare("SELECT body FROM tollgate_receipt ORDER BY seq")
        .unwrap();
    let bodies = bodies.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let policies: Vec<serde_json::Value> = bodies
        .map(|body| serde_json::from_str::<serde_json::Value>(&body.unwrap()).unwrap())
        .map(|receipt| receipt["policy"].clone())
        .collect();
    assert_eq!(policies, [before, digest.clone(), digest]);
    assert_eq!(project.run(&["verify", "prod"]).exit, 0);
}

/// What was seen on another machine is known here once it came: it is not written twice.
#[test]
fn what_another_ledger_saw_is_known() {
    let project = waiting();
    require(&project, "lint = \"error\"");
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    assert_eq!(policies(&project).len(), 1);
    let other = Project::with(&[]).with_own_ids();
    let name = "tollgate.toml";
    std::fs::copy(project.path().join(name), other.path().join(name)).unwrap();
    let file = other.path().join("all.jsonl");
    let file = file.to_str().unwrap();
    assert_eq!(project.run(&["log", "export", file]).exit, 0);
    assert_eq!(other.run(&["sync", "--from", file]).exit, 0);
    let status = other.run(&["status", "prod"]).stdout;
    assert!(
        status.contains("policy      as seen 2025-11-04 10:12 UTC by alice"),
        "{status}"
    );
    assert!(!status.contains("since then"), "{status}");
}

/// The kind of an environment is policy too: a target that may be a new one at any time is asked for less.
#[test]
fn a_change_of_its_kind_is_a_change() {
    let project = waiting();
    let file = project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let asks = "name = \"test\"\nrequire = { lint = \"error\" }";
    std::fs::write(&file, text.replace("name = \"test\"", asks)).unwrap();
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        &file,
        text.replace("name = \"test\"", "name = \"test\"\nephemeral = true"),
    )
    .unwrap();
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    assert_eq!(
        policies(&project),
        [
            "test tightened: lint: nothing -> error",
            "test changed: kind: nothing -> ephemeral"
        ]
    );
}
