//! Looking at targets: what they tell a ledger that does not know it, and what stands there unexplained.

use super::{Desk, Shared};
use crate::server::Database;

const USERS: (&str, &str) = (
    "20251101000000_users",
    "CREATE TABLE users (id int PRIMARY KEY, email text);\n",
);
const EMAIL: (&str, &str) = (
    "20251102000000_email",
    "CREATE INDEX CONCURRENTLY users_email ON users (email);\n",
);

/// Everything applied everywhere, and one more migration that is still to go to prod.
fn chain() -> (Shared, Database, Database, Desk) {
    let (shared, dev, ci) = (Shared::new(), Database::new(), Database::new());
    let mut desk = Desk::new("ada", 1, &shared)
        .with("DEV_URL", dev.url())
        .with("CI_URL", ci.url());
    desk.checkout(&[USERS, EMAIL]);
    desk.must(&["promote", "test"], 0);
    desk.must(&["promote", "prod", "--to", USERS.0], 0);
    (shared, dev, ci, desk)
}

#[test]
fn a_lost_ledger_comes_to_the_same_verdict_from_receipts_alone() {
    let (_shared, _dev, _ci, mut desk) = chain();
    let before = desk.verdict();
    assert_eq!(before.0, "\"ready\"");
    desk.lose_the_ledger();
    let alone = desk.verdict();
    assert_ne!(alone, before);
    let took = desk.must(&["sync"], 0);
    assert!(
        took.stdout
            .contains("prod: took in 1 receipt; 1 receipt stands there"),
        "{took}"
    );
    assert!(
        took.stderr
            .contains("receipts do not tell everything: attempts that failed"),
        "{took}"
    );
    assert_eq!(desk.verdict(), before);
    let again = desk.must(&["sync"], 0);
    assert!(
        again
            .stdout
            .contains("dev: nothing new; 2 receipts stand there"),
        "{again}"
    );
    assert!(!again.stderr.contains("do not tell everything"), "{again}");
    // One that cannot be looked at from here is named, and is an error only for whoever names it.
    desk.unset("CI_URL");
    let rest = desk.must(&["sync"], 0);
    assert!(
        rest.stdout
            .contains("ci: not looked at: its url comes from CI_URL"),
        "{rest}"
    );
    desk.must(&["sync", "ci"], 2);
    desk.set(
        "CI_URL",
        "postgresql://127.0.0.1:1/nowhere?user=ada".to_owned(),
    );
    let failed = desk.must(&["sync"], 1);
    assert!(
        failed.stdout.contains("prod: nothing new"),
        "the others are looked at all the same: {failed}"
    );
}

/// Dev is somebody's laptop, and the database of the CI job is gone: the receipts of test tell what was
/// proven there.
#[test]
fn what_was_proven_in_targets_that_are_gone_is_told_by_later_receipts() {
    let (shared, dev, ci, mut desk) = chain();
    let before = desk.verdict();
    assert_eq!(before.0, "\"ready\"");
    drop((dev, ci));
    let mut other = Desk::new("release", 2, &shared);
    other.checkout(&[USERS, EMAIL]);
    other.must(&["plan", "prod"], 3);
    other.must(&["sync", "test", "prod"], 0);
    assert_eq!(other.verdict(), before);
    let plan = other.must(&["plan", "prod"], 0);
    assert!(
        plan.stdout.contains("proven      dev")
            && plan.stdout.contains("by ada, as its receipt in test tells"),
        "{plan}"
    );
    other.must(&["apply", "prod"], 0);
    // Other bytes are proven nowhere by it.
    other.checkout(&[
        USERS,
        EMAIL,
        ("20251103000000_new", "CREATE TABLE new (id int);\n"),
    ]);
    let plan = other.must(&["plan", "prod"], 3);
    assert!(
        plan.stdout
            .contains("these bytes never succeeded in dev, ci and test"),
        "{plan}"
    );
}

#[test]
fn drift_is_told_object_by_object_and_the_look_is_an_entry() {
    let (shared, _dev, _ci, mut desk) = chain();
    let same = desk.must(&["verify", "test", "prod"], 0);
    assert!(same.stdout.contains("verified: prod: no drift"), "{same}");
    shared
        .prod
        .run("ALTER TABLE users ALTER email SET DEFAULT 'x'; CREATE TABLE stray (id int); GRANT SELECT ON users TO PUBLIC")
        .unwrap();
    let drift = desk.must(&["verify", "prod"], 3);
    for said in [
        "drift: prod:",
        "column public.users.email",
        "default: 'x'::text",
        "new       table public.stray",
    ] {
        assert!(drift.stdout.contains(said), "{said}: {drift}");
    }
    let (_, document) = desk.project.json(&["verify", "prod"]);
    assert_eq!(document["environments"][0]["verdict"], "drift");
    let log = desk.must(&["log", "--last", "1"], 0);
    assert!(log.stdout.contains("verified   prod drift:"), "{log}");
    // A run explains what it finds: the next look compares with what it left.
    desk.must(&["promote", "prod"], 0);
    desk.must(&["verify", "prod"], 0);
    // Undone by hand, which is a difference again.
    shared.prod.run("DROP TABLE stray").unwrap();
    let gone = desk.must(&["verify", "prod"], 3);
    assert!(
        gone.stdout.contains("gone      table public.stray"),
        "{gone}"
    );
}

#[test]
fn a_schema_that_nobody_kept_and_one_that_was_altered_are_told_apart() {
    let (shared, _dev, _ci, mut desk) = chain();
    let nowhere = Database::new();
    desk.set("PROD_URL", nowhere.url());
    let other = desk.must(&["verify", "prod"], 3);
    assert!(other.stdout.contains("not as it was: prod:"), "{other}");
    desk.set("PROD_URL", shared.prod.url());
    shared
        .prod
        .run("ALTER TABLE tollgate.fingerprint DISABLE TRIGGER ALL; UPDATE tollgate.fingerprint SET body = replace(body, 'users', 'losers')")
        .unwrap();
    let altered = desk.must(&["verify", "prod"], 4);
    assert!(altered.stdout.contains("was altered"), "{altered}");
    shared.prod.run("DROP TABLE tollgate.fingerprint").unwrap();
    let first = desk.must(&["verify", "prod"], 0);
    assert!(first.stdout.contains("it is kept now"), "{first}");
    let next = desk.must(&["verify", "prod"], 0);
    assert!(next.stdout.contains("no drift"), "{next}");
    // Receipts that were taken out are not drift: the target is not what the ledger knows.
    shared
        .prod
        .run("ALTER TABLE tollgate.receipt DISABLE TRIGGER ALL; DELETE FROM tollgate.receipt")
        .unwrap();
    let lost = desk.must(&["verify", "prod"], 3);
    assert!(
        lost.stdout.contains("put back to an earlier point"),
        "{lost}"
    );
}

#[test]
fn a_shared_target_that_was_put_back_and_went_on_under_another_ledger_is_no_dead_end() {
    let (shared, dev, ci, mut ada) = chain();
    let mut bob = Desk::new("bob", 2, &shared).with("CI_URL", ci.url());
    let mut carol = Desk::new("carol", 3, &shared).with("CI_URL", ci.url());
    for desk in [&mut bob, &mut carol] {
        desk.checkout(&[USERS, EMAIL]);
        desk.must(&["sync", "test"], 0);
    }
    // Somebody put a backup of test in its place, and Ada went on from there.
    shared
        .test
        .run("DROP INDEX users_email; ALTER TABLE tollgate.receipt DISABLE TRIGGER ALL; DELETE FROM tollgate.receipt WHERE seq = 2; ALTER TABLE tollgate.receipt ENABLE TRIGGER ALL")
        .unwrap();
    let lost = ada.must(&["apply", "test"], 3);
    assert!(
        lost.stdout.contains("put back to an earlier point"),
        "{lost}"
    );
    // Her clock is an hour behind.
    ada.project.now -= 3_600_000;
    ada.must(&["bind", "test", "--reason", "a backup was put back"], 0);
    ada.must(&["apply", "test"], 0);
    let export = ada.project.path().join("ada.jsonl").display().to_string();
    ada.must(&["log", "export", &export], 0);

    // Bob is told by Ada; Carol looks for herself.
    let contradiction = bob.must(&["sync", "test"], 4);
    assert!(
        contradiction.stderr.contains("tollgate bind test --reason"),
        "{contradiction}"
    );
    bob.must(&["sync", "--from", &export], 0);
    let applied = bob.must(&["sync", "test"], 0);
    assert!(
        applied.stdout.contains("2 receipts stand there"),
        "{applied}"
    );
    carol.must(&["apply", "test"], 4);
    carol.must(&["bind", "test", "--reason", "ada put a backup back"], 0);
    carol.must(&["sync", "--from", &export], 0);
    carol.must(&["sync", "test"], 0);
    for desk in [&mut ada, &mut bob, &mut carol] {
        let status = desk.json(&["status"]);
        for row in status["migrations"].as_array().unwrap() {
            assert_eq!(row["environments"]["test"]["state"], "applied", "{row}");
        }
    }
    drop(dev);
}

#[test]
fn drift_is_told_before_a_run_hides_it_and_what_is_half_done_is_no_drift() {
    let (shared, _dev, _ci, mut desk) = chain();
    shared.prod.run("CREATE TABLE stray (id int)").unwrap();
    let ran = desk.must(&["promote", "prod"], 0);
    assert!(
        ran.stderr
            .contains("drift: prod: 1 object is not as the newest run left it"),
        "{ran}"
    );
    assert!(
        desk.must(&["log"], 0)
            .stdout
            .contains("verified   prod drift:")
    );

    // A script that stops half-way leaves what its journal explains.
    let half = "CREATE TABLE half (id int);\nCREATE INDEX CONCURRENTLY half_id ON half (id);\nSELECT 1 / 0;\nCREATE TABLE rest (id int);\n";
    desk.checkout(&[USERS, EMAIL, ("20251103000000_half", half)]);
    let failed = desk.must(&["apply", "dev"], 1);
    assert!(!failed.stderr.contains("drift"), "{failed}");
    let look = desk.must(&["verify", "dev"], 3);
    assert!(
        look.stdout
            .contains("20251103000000_half stopped half-way, and explains some of it"),
        "{look}"
    );
    let again = desk.run(&["apply", "dev"]);
    assert!(!again.stderr.contains("drift"), "{again}");
}

#[test]
fn a_target_that_was_put_back_and_then_forward_again_runs_nothing_twice() {
    let project = crate::project::Project::with(&[
        (
            "20251101000000_one",
            "CREATE TABLE t (n int);\nINSERT INTO t VALUES (0);\n",
        ),
        ("20251102000000_two", "UPDATE t SET n = n + 1;\nVACUUM;\n"),
    ]);
    let must = |arguments: &[&str], exit: u8| {
        let shot = project.run(arguments);
        assert_eq!(shot.exit, exit, "{arguments:?}: {shot}");
        shot
    };
    let state = project.path().join("state");
    let copy = |from: &str, to: &str| {
        std::fs::copy(state.join(from), state.join(to)).unwrap();
    };
    must(&["apply", "dev"], 0);
    must(&["apply", "test", "--to", "20251101000000_one"], 0);
    copy("test.db", "old.db");
    must(&["apply", "test"], 0);
    copy("test.db", "new.db");
    copy("old.db", "test.db");
    must(&["bind", "test", "--reason", "a backup"], 0);
    copy("new.db", "test.db");
    let refused = must(&["apply", "test"], 3);
    assert!(
        refused.stdout.contains("the target was put forward again"),
        "{refused}"
    );
    must(&["bind", "test", "--reason", "the newer one after all"], 0);
    let nothing = must(&["apply", "test"], 0);
    assert!(nothing.stdout.contains("nothing to do"), "{nothing}");
    let n: i64 = project
        .database("test")
        .query_row("SELECT n FROM t", [], |row| row.get(0))
        .unwrap();
    assert_eq!(n, 1);
    must(&["promote", "prod"], 0);
}
