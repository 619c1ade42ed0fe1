//! The table of troubles of docs/TEAMS.md: each is made, is seen as the table says, and ends by what is to be typed.

use super::team::{Team, USERS, copy};
use crate::project::{Project, Shot};
use crate::server::Database;

const EMAIL: (&str, &str) = (
    "20251102000000_email",
    "ALTER TABLE users ADD email text;\n",
);

pub(super) fn all(team: &Team) {
    let shown = [
        a_gap(team),
        two_entries(team),
        a_hub_that_lost(team),
        a_hub_that_was_changed(team),
        test_from_a_dump(team),
        a_restored_laptop(team),
        drift(team),
        nothing_arrived(team),
    ];
    a_lost_ledger(team);
    let symptoms = team.page.symptoms();
    assert_eq!(
        symptoms.len(),
        shown.len(),
        "a row that the test does not know"
    );
    for (parts, shot) in symptoms.iter().zip(&shown) {
        let text = format!("{}{}", shot.stdout, shot.stderr);
        for part in parts {
            assert!(
                text.contains(part),
                "the page says {part}, and this is {shot}"
            );
        }
    }
}

#[track_caller]
fn ends(shot: &Shot, exit: u8, said: &str) {
    assert_eq!(shot.exit, exit, "{shot}");
    assert!(
        format!("{}{}", shot.stdout, shot.stderr).contains(said),
        "{shot}"
    );
}

fn with(mut project: Project, name: &str, url: String) -> Project {
    project.variables.insert(name.to_owned(), url);
    project
}

fn a_gap(team: &Team) -> Shot {
    let alone = Team::new(true);
    let ada = alone.laptop("ada");
    ends(&ada.run(&["apply", "dev"]), 0, "");
    ends(&ada.run(&["log", "export", "--to-dir", "evidence"]), 0, "");
    let whole = ada.path().join("evidence");
    let mut bob = alone.laptop("bob");
    copy(&whole, &bob.path().join("evidence"));
    for writer in std::fs::read_dir(bob.path().join("evidence")).unwrap() {
        for file in std::fs::read_dir(writer.unwrap().path()).unwrap() {
            let file = file.unwrap();
            if file.file_name().to_str().unwrap().starts_with("00000003") {
                std::fs::remove_file(file.path()).unwrap();
            }
        }
    }
    let hub = bob.variables.remove("TOLLGATE_HUB").unwrap();
    let shot = team.types(&bob, "tollgate sync --from-dir evidence", &[]);
    assert_eq!(shot.exit, 0, "{shot}");
    ends(&bob.run(&["verify"]), 0, "gap:");

    // The two remedies, each from there.
    let other = alone.laptop("bob");
    copy(bob.path(), other.path());
    let bob = with(bob, "TOLLGATE_HUB", hub);
    ends(&team.types(&bob, "tollgate pull", &[]), 0, "took in");
    copy(&whole, &other.path().join("evidence"));
    ends(
        &team.types(&other, "tollgate sync --from-dir evidence", &[]),
        0,
        "",
    );
    for whose in [&bob, &other] {
        let shot = whose.run(&["verify"]);
        assert!(shot.exit == 0 && !shot.stdout.contains("gap:"), "{shot}");
    }
    shot
}

fn two_entries(team: &Team) -> Shot {
    let alone = Team::new(false);
    let ada = with(alone.laptop("ada"), "DATABASE_URL_CI", alone.database());
    let ada = with(ada, "DATABASE_URL_TEST", alone.test().url());
    ends(&ada.run(&["apply", "dev"]), 0, "");
    let (state, kept) = (ada.path().join("state"), ada.path().join("kept"));
    copy(&state, &kept);
    ends(&ada.run(&["apply", "ci"]), 0, "");
    ends(&ada.run(&["log", "export", "before.jsonl"]), 0, "");
    // A snapshot of the whole disk is put back, and another command is typed.
    copy(&kept, &state);
    ends(&ada.run(&["apply", "test"]), 3, "");
    let shot = ada.run(&["sync", "--from", "before.jsonl"]);
    assert_eq!(shot.exit, 4, "{shot}");
    let told = shot.stderr.split("--believe ").nth(1).unwrap();
    let hash = told.split(' ').next().unwrap();
    let words = [("HASH", hash), ("<why>", "the other one was put back")];
    let command = "tollgate sync --believe HASH --reason '<why>'";
    ends(&team.types(&ada, command, &words), 0, "it counts");
    ends(&ada.run(&["verify"]), 0, "sound");
    shot
}

/// A team of its own, because its hub is harmed.
fn harmed(sql: &str) -> (Team, Project, Shot) {
    let team = Team::new(true);
    let ada = team.laptop("ada");
    ends(&ada.run(&["apply", "dev"]), 0, "");
    team.hub_itself()
        .run("ALTER TABLE tollgate_hub.entry DISABLE TRIGGER ALL")
        .unwrap();
    team.hub_itself().run(sql).unwrap();
    let shot = ada.run(&["pull"]);
    assert_eq!(shot.exit, 4, "{shot}");
    (team, ada, shot)
}

fn a_hub_that_lost(team: &Team) -> Shot {
    let (_alone, ada, shot) = harmed("DELETE FROM tollgate_hub.entry WHERE number > 2");
    ends(&team.types(&ada, "tollgate push", &[]), 0, "added");
    ends(&team.types(&ada, "tollgate pull", &[]), 0, "nothing new");
    shot
}

fn a_hub_that_was_changed(team: &Team) -> Shot {
    let (_alone, ada, shot) = harmed(
        "ALTER TABLE tollgate_hub.entry DROP CONSTRAINT entry_follows_one_that_is_here;
         UPDATE tollgate_hub.entry SET body = replace(body, '\"actor\":\"ada\"', '\"actor\":\"eve\"') WHERE number = 3",
    );
    // No verb mends it.
    ends(&ada.run(&["push"]), 0, "nothing new");
    ends(&ada.run(&["pull"]), 4, "was changed in it");
    let hub = Database::new();
    let ada = with(ada, "TOLLGATE_HUB", hub.url());
    ends(&team.types(&ada, "tollgate push", &[]), 0, "added");
    let bob = with(team.laptop("bob"), "TOLLGATE_HUB", hub.url());
    ends(&team.types(&bob, "tollgate pull", &[]), 0, "took in");
    shot
}

/// Everything up to prod, on one laptop, with the urls in its hands.
fn through(team: &Team) -> Project {
    let ada = with(team.laptop("ada"), "DATABASE_URL_CI", team.database());
    let ada = with(ada, "DATABASE_URL_TEST", team.test().url());
    let ada = with(ada, "DATABASE_URL_PROD", team.prod().url());
    ends(&ada.run(&["promote", "prod"]), 0, "");
    ada
}

fn a_lost_ledger(team: &Team) {
    let alone = Team::new(false);
    let ada = through(&alone);
    ends(&ada.run(&["log"]), 0, "chained");
    ends(&ada.run(&["log", "export", "kept.jsonl"]), 0, "");
    std::fs::remove_dir_all(ada.path().join("state")).unwrap();
    ends(
        &team.types(&ada, "tollgate sync", &[]),
        0,
        "took in 1 receipt",
    );
    ends(&ada.run(&["plan", "prod"]), 0, "nothing to do");
    let log = ada.run(&["log"]);
    assert!(
        !log.stdout.contains("chained") && log.stdout.contains("absorbed"),
        "{log}"
    );
    // The bytes are in git, and in no other ledger.
    ends(&ada.run(&["log", "show", USERS]), 1, "git log --all");
    ends(&ada.run(&["sync", "--from", "kept.jsonl"]), 0, "took in");
    ends(&ada.run(&["log"]), 0, "chained");
}

fn test_from_a_dump(team: &Team) -> Shot {
    let alone = Team::new(false);
    let ada = through(&alone);
    let refreshed = alone.prod().copy();
    let ada = with(ada, "DATABASE_URL_TEST", refreshed.url());
    ada.write(EMAIL.0, EMAIL.1);
    ends(&ada.run(&["promote", "ci"]), 0, "");
    let shot = ada.run(&["apply", "test"]);
    assert_eq!(shot.exit, 3, "{shot}");
    let words = [("<why>", "refreshed from a dump of prod")];
    ends(
        &team.types(&ada, "tollgate bind test --reason '<why>'", &words),
        0,
        "test: bound",
    );
    ends(&ada.run(&["apply", "test"]), 0, "test: 1 migration applied");
    shot
}

fn a_restored_laptop(_: &Team) -> Shot {
    let alone = Team::new(false);
    let ada = alone.laptop("ada");
    ends(&ada.run(&["apply", "dev"]), 0, "");
    let (state, kept) = (ada.path().join("state"), ada.path().join("kept"));
    copy(&state, &kept);
    ada.write(EMAIL.0, EMAIL.1);
    ends(&ada.run(&["apply", "dev"]), 0, "");
    copy(&kept, &state);
    let shot = ada.run(&["apply", "dev"]);
    assert_eq!(shot.exit, 0, "{shot}");

    // And a copy elsewhere: another writer, without a word.
    let bob = with(alone.laptop("bob"), "DATABASE_URL_TEST", alone.test().url());
    copy(&state, &bob.path().join("state"));
    ends(&bob.run(&["apply", "test"]), 3, "");
    let writers = |whose: &Project| {
        let (_, found) = whose.json(&["verify"]);
        found["writers"].as_array().unwrap().len()
    };
    assert_eq!(writers(&bob), writers(&ada) + 1);
    shot
}

fn drift(team: &Team) -> Shot {
    let alone = Team::new(false);
    let ada = through(&alone);
    alone
        .prod()
        .run("CREATE INDEX by_hand ON users (id)")
        .unwrap();
    // An apply with nothing to do does not look for it.
    ends(&ada.run(&["apply", "prod"]), 0, "nothing to do");
    let shot = team.types(&ada, "tollgate verify prod", &[]);
    assert_eq!(shot.exit, 3, "{shot}");
    let new = team.types(&ada, "tollgate new add_index", &[]);
    ends(&new, 0, "migration.sql");
    let added = ada.path().join(new.stdout.lines().next().unwrap());
    alone.prod().run("DROP INDEX by_hand").unwrap();
    ends(&ada.run(&["verify", "prod"]), 0, "no drift");

    // One that runs something tells it first: what it leaves is what later looks compare with.
    let again = "CREATE INDEX by_hand ON users (id)";
    alone.prod().run(again).unwrap();
    ada.write(EMAIL.0, EMAIL.1);
    std::fs::remove_dir_all(added.parent().unwrap()).unwrap();
    let ran = ada.run(&["promote", "prod"]);
    assert_eq!(ran.exit, 0, "{ran}");
    assert!(ran.stderr.contains("drift: prod: 1 object"), "{ran}");
    ends(&ada.run(&["verify", "prod"]), 0, "no drift");
    shot
}

fn nothing_arrived(team: &Team) -> Shot {
    let ada = team.laptop("ada");
    ends(&ada.run(&["apply", "dev"]), 0, "");
    let bob = with(team.laptop("bob"), "DATABASE_URL_CI", team.database());
    let shot = bob.run(&["plan", "ci"]);
    assert_eq!(shot.exit, 3, "{shot}");
    ends(&team.types(&bob, "tollgate pull", &[]), 0, "took in");
    ends(&bob.run(&["plan", "ci"]), 0, "ready");
    shot
}
