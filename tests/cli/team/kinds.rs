//! What an environment is: everybody's own, a new one at any time, outside the chain.

use super::{CONFIG, Desk, Shared};
use crate::server::Database;

const USERS: (&str, &str) = (
    "20251101000000_users",
    "CREATE TABLE users (id int PRIMARY KEY);\n",
);
const EMAIL: (&str, &str) = (
    "20251102000000_email",
    "ALTER TABLE users ADD COLUMN email text;\n",
);

fn configure(desk: &Desk, config: &str) {
    std::fs::write(desk.project.path().join("tollgate.toml"), config).unwrap();
}

#[test]
fn in_a_personal_environment_each_has_their_own_and_anyones_success_counts() {
    let shared = Shared::new();
    let (of_ada, of_bob) = (Database::new(), Database::new());
    let mut ada = Desk::new("ada", 1, &shared).with("DEV_URL", of_ada.url());
    let mut bob = Desk::new("bob", 2, &shared).with("DEV_URL", of_bob.url());
    ada.checkout(&[USERS, EMAIL]);
    bob.checkout(&[USERS, EMAIL]);
    ada.must(&["apply", "dev", "--to", USERS.0], 0);
    let export = bob.project.path().join("ada.jsonl").display().to_string();
    ada.must(&["log", "export", &export], 0);
    bob.must(&["sync", "--from", &export], 0);

    // Bob has no database there yet: what counts is shown with whose it was.
    let status = bob.json(&["status"]);
    let dev = &status["migrations"][0]["environments"]["dev"];
    assert_eq!(
        (&dev["state"], &dev["by"], &dev["proven_by"]),
        (&"applied".into(), &"ada".into(), &"ada".into())
    );
    assert_eq!(status["kinds"]["dev"], "personal");
    let plan = bob.must(&["plan", "ci", "--to", USERS.0], 0);
    assert!(
        plan.stdout
            .contains("proven      dev 2025-11-04 10:13 UTC by ada"),
        "{plan}"
    );

    // His own is another one, in which it is still to be applied, and it never was "bound to another target".
    bob.must(&["apply", "dev"], 0);
    let status = bob.json(&["status"]);
    for row in status["migrations"].as_array().unwrap() {
        assert_eq!(row["environments"]["dev"]["by"], "bob", "{row}");
    }
    // What Ada's database lacks is still pending there, and proven by Bob.
    let export = ada.project.path().join("bob.jsonl").display().to_string();
    bob.must(&["log", "export", &export], 0);
    ada.must(&["sync", "--from", &export], 0);
    let status = ada.json(&["status"]);
    let dev = &status["migrations"][1]["environments"]["dev"];
    assert_eq!(
        (&dev["state"], &dev["proven_by"]),
        (&"pending".into(), &"bob".into())
    );
    let text = ada.must(&["status"], 0);
    assert!(
        text.stdout
            .contains("dev: 1 proven in others' databases, by bob"),
        "{text}"
    );
}

#[test]
fn an_ephemeral_environment_binds_each_new_database_by_itself_and_records_it() {
    let shared = Shared::new();
    let dev = Database::new();
    let mut ci = Desk::new("ci", 1, &shared).with("DEV_URL", dev.url());
    ci.checkout(&[USERS, EMAIL]);
    ci.must(&["apply", "dev"], 0);
    for round in 0..3 {
        let database = Database::new();
        ci.set("CI_URL", database.url());
        let planned = ci.json(&["plan", "ci"]);
        assert_eq!(planned["steps"].as_array().unwrap().len(), 2, "{planned}");
        let ran = ci.must(&["apply", "ci"], 0);
        assert!(
            ran.stdout.contains("2 migrations applied"),
            "round {round}: {ran}"
        );
    }
    // Looking, and trying without running, leave nothing in a new one.
    let untouched = Database::new();
    ci.set("CI_URL", untouched.url());
    ci.must(&["apply", "ci", "--dry-run"], 0);
    ci.must(&["sync", "ci"], 0);
    ci.must(&["verify", "ci"], 0);
    assert_eq!(
        untouched.ask("SELECT count(*) FROM pg_namespace WHERE nspname = 'tollgate'"),
        "0"
    );
    // A copy of one that was used before, as from a template with a schema in it.
    let first = Database::new();
    ci.set("CI_URL", first.url());
    ci.must(&["apply", "ci", "--to", USERS.0], 0);
    let copy = first.copy();
    ci.set("CI_URL", copy.url());
    let ran = ci.must(&["apply", "ci"], 0);
    assert!(ran.stdout.contains("1 migration applied"), "{ran}");
    // The first one again, which went on without it.
    ci.set("CI_URL", first.url());
    let ran = ci.must(&["apply", "ci"], 0);
    assert!(ran.stdout.contains("1 migration applied"), "{ran}");
    let log = ci.must(&["log"], 0).stdout;
    let bound = log.lines().filter(|line| line.contains("bound      ci"));
    assert_eq!(bound.count(), 6, "{log}");
    // Another environment's database is nobody's throwaway.
    ci.must(&["apply", "test"], 0);
    ci.set("CI_URL", shared.test.url());
    let refused = ci.must(&["apply", "ci"], 3);
    assert!(
        refused.stdout.contains("this target is test's"),
        "{refused}"
    );
    let mut other = Desk::new("ci", 2, &shared).with("CI_URL", shared.test.url());
    other.unset("TEST_URL");
    other.checkout(&[USERS, EMAIL]);
    let refused = other.must(&["apply", "ci"], 3);
    assert!(
        refused.stdout.contains("this target belongs to test"),
        "{refused}"
    );
}

#[test]
fn outside_the_chain_everything_may_be_applied_and_nothing_is_proven() {
    let shared = Shared::new();
    let (dev, preview) = (Database::new(), Database::new());
    let mut desk = Desk::new("ada", 1, &shared)
        .with("DEV_URL", dev.url())
        .with("PREVIEW_URL", preview.url());
    let with_preview = CONFIG.replacen(
        "[[environment]]\nname = \"test\"",
        "[[environment]]\nname = \"preview\"\nurl = \"env:PREVIEW_URL\"\nchain = false\n\n[[environment]]\nname = \"test\"",
        1,
    );
    configure(&desk, &with_preview);
    desk.checkout(&[USERS, EMAIL]);
    // Never in dev, and out of order.
    desk.checkout(&[EMAIL.into_later(), USERS]);
    desk.must(&["apply", "preview"], 0);
    desk.checkout(&[
        USERS,
        ("20251101120000_between", "CREATE TABLE b (id int);\n"),
        EMAIL.into_later(),
    ]);
    let ran = desk.must(&["apply", "preview"], 0);
    assert!(ran.stderr.contains("warning"), "{ran}");
    let status = desk.must(&["status"], 0);
    assert!(
        status
            .stdout
            .contains("preview: outside the chain, never evidence"),
        "{status}"
    );
    // It is neither asked for nor believed.
    let refused = desk.must(&["plan", "test"], 3);
    assert!(!refused.stdout.contains("preview"), "{refused}");
    let refused = desk.must(&["promote", "preview"], 2);
    assert!(
        refused.stderr.contains("tollgate apply preview"),
        "{refused}"
    );
    desk.must(&["reset", "preview", "--yes"], 0);
    desk.must(&["apply", "preview"], 0);
    // Not even where somebody takes it into the chain afterwards.
    configure(&desk, &with_preview.replace("chain = false\n", ""));
    let refused = desk.must(&["plan", "test"], 3);
    assert!(refused.stdout.contains("dev, ci and preview"), "{refused}");
    desk.lose_the_ledger();
    desk.must(&["sync", "preview"], 0);
    let refused = desk.must(&["plan", "test"], 3);
    assert!(refused.stdout.contains("dev, ci and preview"), "{refused}");
}

trait Later {
    fn into_later(self) -> Self;
}

impl Later for (&'static str, &'static str) {
    /// A migration of its own that needs no other.
    fn into_later(self) -> Self {
        (
            "20251105000000_later",
            "CREATE TABLE later (id int PRIMARY KEY);\n",
        )
    }
}
