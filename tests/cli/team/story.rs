//! Three writers and a release manager, a hub, five databases, and a fortnight.

use super::{Desk, Shared};
use crate::server::Database;

const USERS: (&str, &str) = (
    "20251101000000_users",
    "CREATE TABLE users (id int PRIMARY KEY);\n",
);
const EMAIL: (&str, &str) = (
    "20251102000000_email",
    "ALTER TABLE users ADD COLUMN email text;\n",
);
const HEALTH: (&str, &str) = (
    "20251103000000_health",
    "CREATE TABLE health (id int PRIMARY KEY);\n",
);
const EDITED: (&str, &str) = (
    "20251103000000_health",
    "CREATE TABLE health (id bigint PRIMARY KEY);\n",
);
const LATER: (&str, &str) = (
    "20251201000000_later",
    "CREATE TABLE later (id int PRIMARY KEY);\n",
);

/// What a desk would hand to another one.
fn message(desk: &mut Desk) -> String {
    desk.must(&["log", "export", "-"], 0).stdout
}

/// A CI job: a runner that has nothing, and a database of its own where it is given one.
fn job(ci: &mut Desk, tree: &[(&str, &str)], database: Option<&Database>) {
    if ci.project.path().join("state").exists() {
        ci.lose_the_ledger();
    }
    ci.checkout(tree);
    match database {
        Some(database) => ci.set("CI_URL", database.url()),
        None => ci.unset("CI_URL"),
    }
}

#[test]
fn a_fortnight_of_a_team() {
    let mut shared = Shared::new();
    let (dev_of_ada, dev_of_bob) = (Database::new(), Database::new());
    let hub = shared.hub.url();
    let mut ada = Desk::new("ada", 1, &shared)
        .with("DEV_URL", dev_of_ada.url())
        .with("TOLLGATE_HUB", hub.clone());
    let mut bob = Desk::new("bob", 2, &shared).with("DEV_URL", dev_of_bob.url());
    let mut ci = Desk::new("ci", 3, &shared)
        .with("TOLLGATE_HUB", hub.clone())
        .with("CI", "true".to_owned());
    let mut release = Desk::new("release", 4, &shared);
    let mut messages = Vec::new();

    // Two branches, two laptops. Bob is on a train.
    ada.checkout(&[USERS, EMAIL]);
    ada.must(&["apply", "dev"], 0);
    messages.push(message(&mut ada));
    bob.checkout(&[USERS, HEALTH]);
    let offline = bob.must(&["apply", "dev"], 0);
    assert!(
        offline.stderr.contains("TOLLGATE_HUB is not set"),
        "{offline}"
    );
    messages.push(message(&mut bob));

    // Bob's branch is merged first. What his laptop proved has not reached anybody.
    let main = [USERS, HEALTH];
    let database = Database::new();
    job(&mut ci, &main, Some(&database));
    let refused = ci.must(&["apply", "ci"], 3);
    assert!(refused.stdout.contains("dev: nothing"), "{refused}");
    assert!(
        !refused
            .stdout
            .contains("20251101000000_users\n    promotion"),
        "{refused}"
    );
    messages.push(message(&mut ci));
    bob.set("TOLLGATE_HUB", hub.clone());
    bob.must(&["push"], 0);
    job(&mut ci, &main, Some(&database));
    ci.must(&["apply", "ci"], 0);
    ci.must(&["apply", "test"], 0);
    messages.push(message(&mut ci));
    drop(database);

    // Ada's branch comes later, with an earlier stamp.
    let main = [USERS, EMAIL, HEALTH];
    let database = Database::new();
    job(&mut ci, &main, Some(&database));
    ci.must(&["apply", "ci"], 0);
    let late = ci.must(&["apply", "test"], 3);
    assert!(
        late.stdout
            .contains("tollgate restamp 20251102000000_email"),
        "{late}"
    );
    messages.push(message(&mut ci));
    drop(database);
    ada.checkout(&main);
    ada.must(&["pull"], 0);
    ada.must(&["restamp", "20251102000000_email"], 0);
    let folders = std::fs::read_dir(ada.project.path().join("migrations")).unwrap();
    let mut names: Vec<String> = folders
        .map(|folder| folder.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let restamped = names.pop().unwrap();
    assert!(restamped.ends_with("_email") && restamped.as_str() > HEALTH.0);
    // Her database has it under the old name: she starts over, and loses no proof by it.
    ada.must(&["reset", "dev", "--yes"], 0);
    ada.must(&["apply", "dev"], 0);
    messages.push(message(&mut ada));

    // Somebody edits what test has already.
    let email = (restamped.as_str(), EMAIL.1);
    let database = Database::new();
    job(&mut ci, &[USERS, EDITED, email], Some(&database));
    let edited = ci.must(&["apply", "ci"], 3);
    assert!(
        edited.stdout.contains("dev: other bytes succeeded")
            || edited.stdout.contains("dev: nothing"),
        "{edited}"
    );
    let edited = ci.must(&["plan", "test"], 3);
    assert!(edited.stdout.contains("modified"), "{edited}");
    messages.push(message(&mut ci));
    let main = [USERS, HEALTH, email];
    job(&mut ci, &main, Some(&database));
    ci.must(&["apply", "ci"], 0);
    ci.must(&["apply", "test"], 0);
    messages.push(message(&mut ci));
    drop(database);

    // The release manager has no database of dev or ci, and plans without a network.
    release.checkout(&main);
    let alone = release.must(&["plan", "prod"], 3);
    assert!(alone.stdout.contains("promotion"), "{alone}");
    release.set("TOLLGATE_HUB", hub.clone());
    release.must(&["pull"], 0);
    release.unset("TOLLGATE_HUB");
    let prod = release.project.variables.remove("PROD_URL").unwrap();
    assert_eq!(release.verdict().0, "\"ready\"");
    release.set("PROD_URL", prod);
    let ran = release.must(&["promote", "prod"], 0);
    assert!(ran.stderr.contains("dev: passed by"), "{ran}");
    messages.push(message(&mut release));
    release.set("TOLLGATE_HUB", hub.clone());
    release.must(&["push"], 0);

    // Once a month test is a dump of prod.
    let refreshed = shared.prod.copy();
    for desk in [&mut ada, &mut bob, &mut ci, &mut release] {
        desk.set("TEST_URL", refreshed.url());
    }
    shared.test = refreshed;
    let main = [USERS, HEALTH, email, LATER];
    ada.checkout(&main);
    ada.must(&["apply", "dev"], 0);
    messages.push(message(&mut ada));
    let database = Database::new();
    job(&mut ci, &main, Some(&database));
    ci.must(&["apply", "ci"], 0);
    let copied = ci.must(&["apply", "test"], 3);
    assert!(
        copied.stdout.contains("this target is a copy of prod's"),
        "{copied}"
    );
    messages.push(message(&mut ci));
    drop(database);
    release.checkout(&main);
    release.must(&["bind", "test", "--reason", "refreshed from prod"], 0);
    let status = release.json(&["status"]);
    for row in status["migrations"].as_array().unwrap() {
        let due = if row["migration"] == LATER.0 {
            "pending"
        } else {
            "applied"
        };
        assert_eq!(row["environments"]["test"]["state"], due, "{row}");
    }
    // "Promoted" comes from the ledger: what ran in the old test stays proven.
    let plan = release.must(&["plan", "prod"], 3);
    assert!(
        plan.stdout.contains(LATER.0) && !plan.stdout.contains(HEALTH.0),
        "{plan}"
    );
    messages.push(message(&mut release));
    job(&mut ci, &main, None);
    let applied = ci.must(&["apply", "test"], 0);
    assert!(applied.stdout.contains("1 migration applied"), "{applied}");
    messages.push(message(&mut ci));

    // The same verdict for prod, with the ledger and without.
    release.must(&["pull"], 0);
    let verdict = release.verdict();
    assert_eq!(verdict.0, "\"ready\"");
    release.lose_the_ledger();
    release.must(&["pull"], 0);
    assert_eq!(release.verdict(), verdict);
    release.lose_the_ledger();
    ada.must(&["pull"], 0);
    assert_eq!(ada.verdict(), verdict);

    // And in whatever order the messages come, some of them twice.
    in_every_order(&shared, &main, &messages, &verdict);
    release.must(&["apply", "prod"], 0);
    release.must(&["verify", "test", "prod"], 0);
    release.must(&["verify"], 0);
}

/// Hands the messages to desks that know nothing, each time in another order, and with others left out:
/// all of them come to the same verdict, and so do any two that were told the same.
fn in_every_order(
    shared: &Shared,
    tree: &[(&str, &str)],
    messages: &[String],
    verdict: &(String, String),
) {
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<String> = (0..messages.len())
        .map(|n| {
            folder
                .path()
                .join(format!("{n}.jsonl"))
                .display()
                .to_string()
        })
        .collect();
    for (file, message) in files.iter().zip(messages) {
        std::fs::write(file, message).unwrap();
    }
    let mut random = 88_172_645_463_325_252_u64;
    let mut draw = |below: usize| {
        // xorshift64, by George Marsaglia.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    for round in 0..24u64 {
        let whole = round % 2 == 0;
        let told: Vec<usize> = (0..files.len()).filter(|_| whole || draw(3) > 0).collect();
        let mut verdicts = Vec::new();
        for place in 0..2 {
            let mut order = told.clone();
            for at in (1..order.len()).rev() {
                order.swap(at, draw(at + 1));
            }
            order.extend(told.first());
            let mut desk = Desk::new("somebody", 100 + 2 * round + place, shared);
            desk.checkout(tree);
            for n in order {
                desk.must(&["sync", "--from", &files[n]], 0);
            }
            verdicts.push(desk.verdict());
        }
        assert_eq!(verdicts[0], verdicts[1], "round {round}: {told:?}");
        if whole {
            assert_eq!(&verdicts[0], verdict, "round {round}");
        }
    }
}
