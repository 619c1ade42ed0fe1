//! A hub that is asked before a verb acts, told after it, and trusted with nothing.

use super::{Desk, Shared};
use crate::server::Database;

const USERS: (&str, &str) = (
    "20251101000000_users",
    "CREATE TABLE users (id int PRIMARY KEY);\n",
);

fn two(shared: &Shared, dev: &Database) -> (Desk, Desk) {
    let hub = shared.hub.url();
    let mut ada = Desk::new("ada", 1, shared)
        .with("DEV_URL", dev.url())
        .with("TOLLGATE_HUB", hub.clone());
    let bob = Desk::new("bob", 2, shared).with("TOLLGATE_HUB", hub);
    ada.checkout(&[USERS]);
    bob.checkout(&[USERS]);
    ada.must(&["apply", "dev"], 0);
    (ada, bob)
}

/// What a superuser does who takes the guards off.
fn alter(shared: &Shared, sql: &str) {
    let whole = format!(
        "ALTER TABLE tollgate_hub.entry DISABLE TRIGGER ALL; {sql}; ALTER TABLE tollgate_hub.entry ENABLE TRIGGER ALL"
    );
    shared.hub.run(&whole).unwrap();
}

#[test]
fn what_one_proves_another_has_at_the_next_verb() {
    let (shared, dev) = (Shared::new(), Database::new());
    let (mut ada, mut bob) = two(&shared, &dev);
    let database = Database::new();
    bob.set("CI_URL", database.url());
    let ran = bob.must(&["apply", "ci"], 0);
    assert!(ran.stderr.contains("hub: took in"), "{ran}");
    let pulled = ada.must(&["pull"], 0);
    assert!(pulled.stdout.contains("took in"), "{pulled}");
    assert!(ada.must(&["pull"], 0).stdout.contains("nothing new"));
    assert!(ada.must(&["push"], 0).stdout.contains("nothing new"));
    assert_eq!(
        ada.must(&["log", "export", "-"], 0).stdout,
        bob.must(&["log", "export", "-"], 0).stdout,
        "the same entries are the same bytes"
    );
}

#[test]
fn a_row_that_is_dropped_changed_or_put_elsewhere_is_found_by_the_next_pull() {
    for (altered, said) in [
        (
            "DELETE FROM tollgate_hub.entry WHERE number = (SELECT max(number) FROM tollgate_hub.entry)",
            "gone from it",
        ),
        (
            "DELETE FROM tollgate_hub.entry WHERE number = 2",
            "gone from it",
        ),
        ("DELETE FROM tollgate_hub.entry", "gone from it"),
        (
            "UPDATE tollgate_hub.entry SET body = replace(body, '\"atomic\"', '\"atomik\"')",
            "was changed in it",
        ),
        (
            "UPDATE tollgate_hub.entry SET body = replace(body, '\"actor\":\"ada\"', '\"actor\":\"eve\"')",
            "was changed in it",
        ),
    ] {
        let (shared, dev) = (Shared::new(), Database::new());
        let (mut ada, mut bob) = two(&shared, &dev);
        // Also for one who has none of it yet, as far as what is left tells.
        alter(&shared, altered);
        let shot = ada.must(&["pull"], 4);
        assert!(
            shot.stderr.contains("the hub is not what it was") && shot.stderr.contains(said),
            "{altered}: {shot}"
        );
        assert!(shot.stderr.contains("nothing was taken from it"), "{shot}");
        ada.must(&["verify"], 0);
        if altered.starts_with("UPDATE") {
            bob.must(&["pull"], 4);
        } else {
            // What is gone comes back from whoever has it.
            ada.must(&["push"], 0);
            ada.must(&["pull"], 0);
            bob.must(&["pull"], 0);
        }
        // Work goes on meanwhile.
        ada.must(&["apply", "dev"], 0);
    }
}

#[test]
fn two_entries_with_one_number_are_both_kept_and_named_until_a_person_says_which() {
    let (shared, dev) = (Shared::new(), Database::new());
    let (mut ada, mut bob) = two(&shared, &dev);
    bob.must(&["pull"], 0);
    // Ada's disk is put back to the night before, and everything that stands beside her ledger too.
    let state = ada.project.path().join("state");
    let ledger = |name: &str| std::fs::read(state.join(name)).unwrap();
    let before = [ledger("ledger.db"), ledger("ledger.db.head")];
    ada.checkout(&[
        USERS,
        ("20251102000000_one", "CREATE TABLE one (id int);\n"),
    ]);
    ada.must(&["apply", "dev"], 0);
    for (name, bytes) in ["ledger.db", "ledger.db.head"].iter().zip(&before) {
        std::fs::write(state.join(name), bytes).unwrap();
    }
    ada.unset("TOLLGATE_HUB");
    let other = Database::new();
    ada.set("DEV_URL", other.url());
    ada.must(&["bind", "dev", "--reason", "a new database"], 0);
    ada.set("TOLLGATE_HUB", shared.hub.url());
    let shot = ada.must(&["pull"], 4);
    assert!(
        shot.stderr.contains("contradiction: writer")
            && shot.stderr.contains("tollgate sync --believe"),
        "{shot}"
    );
    // The hub never had the one that is only here, so it has lost nothing.
    let again = ada.must(&["pull"], 4);
    assert!(
        again.stderr.contains("contradiction: writer")
            && !again.stderr.contains("the hub is not what it was"),
        "{again}"
    );
    // Everybody learns of both.
    ada.must(&["push"], 0);
    bob.must(&["pull"], 4);
    let verified = bob.must(&["verify"], 4);
    assert!(verified.stdout.contains("has two entries 6"), "{verified}");
    let hash = verified
        .stdout
        .lines()
        .find_map(|line| {
            line.split_once("--believe ")?
                .1
                .split(' ')
                .next()
                .map(str::to_owned)
        })
        .unwrap();
    bob.must(&["sync", "--believe", &hash, "--reason", " "], 2);
    bob.must(&["sync", "--believe", "0000", "--reason", "asked ada"], 2);
    bob.must(&["sync", "--believe", &hash, "--reason", "asked ada"], 0);
    bob.must(&["verify"], 0);
    bob.must(&["push"], 0);
    ada.must(&["pull"], 0);
    ada.must(&["verify"], 0);
    assert!(ada.must(&["log"], 0).stdout.contains("believed   entry 6"));
}

#[test]
fn without_a_hub_that_answers_work_goes_on() {
    let (shared, dev) = (Shared::new(), Database::new());
    let (mut ada, _) = two(&shared, &dev);
    ada.set(
        "TOLLGATE_HUB",
        "postgresql://ada:swordfish@127.0.0.1:1/hub".to_owned(),
    );
    ada.checkout(&[
        USERS,
        ("20251102000000_one", "CREATE TABLE one (id int);\n"),
    ]);
    let ran = ada.must(&["apply", "dev"], 0);
    assert!(ran.stderr.contains("going on without the hub"), "{ran}");
    let failed = ada.must(&["push"], 1);
    assert!(failed.stderr.contains("127.0.0.1:1"), "{failed}");
    for shot in [ran, failed] {
        assert!(!shot.to_string().contains("swordfish"), "{shot}");
    }
    ada.set("TOLLGATE_HUB", "sqlite:state/hub.db".to_owned());
    let refused = ada.must(&["push"], 2);
    assert!(
        refused.stderr.contains("a hub is a PostgreSQL database"),
        "{refused}"
    );
    ada.unset("TOLLGATE_HUB");
    ada.must(&["push"], 2);
}
