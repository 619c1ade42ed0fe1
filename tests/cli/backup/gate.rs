//! What an environment asks for: a backup of its target, of after its last change, and not too old.

use insta::assert_snapshot;

use super::{SHOP, newest, plain, shop};
use crate::project::Project;

const NEXT: &str = "ALTER TABLE users ADD COLUMN name TEXT;\n";
const HOUR: i64 = 3_600_000;

/// What prod asks for, at the end of the configuration.
fn ask(project: &Project, require: &str) {
    let file = project.path().join("tollgate.toml");
    let mut config = std::fs::read_to_string(&file).unwrap();
    config.push_str(&format!("[environment.require]\n{require}\n"));
    std::fs::write(file, config).unwrap();
}

/// The shop in prod, and one more migration that got as far as test.
fn waiting(require: &str) -> Project {
    let project = shop();
    ask(&project, require);
    project.write("20251102000000_name", NEXT);
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    project
}

#[test]
fn apply_refuses_and_names_the_command() {
    let project = waiting("backup = \"1h\"");
    assert_snapshot!(plain(project.run(&["plan", "prod"])), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        backup      there is no backup of this target
                    found     none in the ledger
                    required  a backup taken after its last change, no older than 1 h
                    remedy    tollgate backup prod
    "#);
    assert_eq!(project.run(&["apply", "prod"]).exit, 3);
    assert_snapshot!(plain(project.run(&["log", "-n", "1"])), @r#"
    exit 0
    --- stdout
       17  2025-11-04T10:12:00.000Z  alice  refused    apply prod: backup
    "#);
    assert_eq!(project.run(&["backup", "prod"]).exit, 0);
    assert_snapshot!(plain(project.run(&["plan", "prod"])), @r#"
    exit 0
    --- stdout
    ready: prod can take 1 migration

      20251102000000_name
        runs        atomic, 1 statement, blake3:[hash]
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice

      stands on the backup of 2025-11-04 10:12 UTC prod-20251104101200-384e.db, not restored: a hope

      plan c04ba53b67f47802acf8397d75bd9a3b22ff05369cdd38f8736915338cba1569
      to run it: tollgate apply prod
    "#);
    let (exit, document) = project.json(&["plan", "prod"]);
    assert_eq!(
        (exit, document["backup"]["file"].as_str()),
        (0, Some(&*newest(&project)))
    );
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
}

/// What a later look found is the file's state, until another one finds it good.
#[test]
fn one_that_was_found_bad_counts_for_nothing() {
    let project = waiting("backup = \"1h\"");
    assert_eq!(project.run(&["backup", "prod"]).exit, 0);
    let file = newest(&project);
    let path = super::folder(&project).join(&file);
    let whole = std::fs::read(&path).unwrap();
    assert_eq!(project.run(&["plan", "prod"]).exit, 0);
    // A copy elsewhere says nothing of the one that is kept.
    let copy = project.path().join(&file);
    std::fs::write(&copy, &whole[..9_000]).unwrap();
    let check = ["backup", "prod", "--check", &file];
    assert_eq!(project.run(&check).exit, 1);
    assert_eq!(project.run(&["plan", "prod"]).exit, 0);
    std::fs::remove_file(&copy).unwrap();

    let mut flipped = whole.clone();
    flipped[9_000] ^= 1;
    std::fs::write(&path, &flipped).unwrap();
    assert_eq!(project.run(&check).exit, 1);
    let shot = project.run(&["plan", "prod"]);
    assert_eq!(shot.exit, 3, "{shot}");
    assert!(
        shot.stdout.contains(
            "it was looked at, and is not good: its bytes are not those that were written"
        ),
        "{shot}"
    );
    let shot = project.run(&["backup", "prod", "--list"]);
    assert!(
        shot.stdout.contains("not good: its bytes are not"),
        "{shot}"
    );
    let shot = project.run(&["log", "-n", "1"]);
    assert!(
        shot.stdout.contains(", not good: its bytes are not"),
        "{shot}"
    );
    // The same once more is no news.
    let entries = || project.run(&["log", "-n", "100"]).stdout.lines().count();
    let before = entries();
    assert_eq!(project.run(&check).exit, 1);
    assert_eq!(entries(), before);

    std::fs::write(&path, &whole).unwrap();
    assert_eq!(project.run(&check).exit, 0);
    assert_eq!(project.run(&["plan", "prod"]).exit, 0);
}

/// To the millisecond, by the clock of whoever plans. The plan's id does not know the clock.
#[test]
fn it_may_be_so_old_and_no_older() {
    let mut project = waiting("backup = \"1h\"");
    assert_eq!(project.run(&["backup", "prod"]).exit, 0);
    let id = |project: &Project| project.json(&["plan", "prod"]).1["id"].clone();
    let begun = id(&project);
    project.now += HOUR;
    assert_eq!(project.run(&["plan", "prod"]).exit, 0);
    assert_eq!(id(&project), begun);
    project.now += 1_000;
    assert_snapshot!(plain(project.run(&["plan", "prod"])), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        backup      no backup of this target counts
                    found     2025-11-04 10:12 UTC prod-20251104101200-384e.db: too old: 1 h 1 s
                    required  a backup taken after its last change, no older than 1 h
                    remedy    tollgate backup prod
    "#);
    project.now -= 3 * HOUR;
    assert_snapshot!(plain(project.run(&["plan", "prod"])), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        backup      no backup of this target counts
                    found     2025-11-04 10:12 UTC prod-20251104101200-384e.db: it is of the future: a clock was set back, now it is 2025-11-04 08:12 UTC
                    required  a backup taken after its last change, no older than 1 h
                    remedy    tollgate backup prod
    "#);
}

#[test]
fn one_of_before_the_last_change_is_of_another_state() {
    let project = waiting("backup = \"1h\"");
    assert_eq!(project.run(&["backup", "prod"]).exit, 0);
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    project.write(
        "20251103000000_index",
        "CREATE INDEX names ON users (name);\n",
    );
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_snapshot!(plain(project.run(&["plan", "prod"])), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        backup      no backup of this target counts
                    found     2025-11-04 10:12 UTC prod-20251104101200-384e.db: taken before the last change, receipt 2
                    required  a backup taken after its last change, no older than 1 h
                    remedy    tollgate backup prod
    "#);
}

#[test]
fn where_a_restored_one_is_asked_for_a_hope_is_not_enough() {
    let project = waiting("backup = { max_age = \"1h\", verified = true }");
    assert_eq!(project.run(&["backup", "prod"]).exit, 0);
    let attest = [
        "backup",
        "prod",
        "--attest",
        "the dashboard",
        "--taken-at",
        "2025-11-04 10:00",
    ];
    assert_eq!(project.run(&attest).exit, 0);
    assert_snapshot!(plain(project.run(&["plan", "prod"])), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        backup      no backup of this target counts
                    found     2025-11-04 10:12 UTC prod-20251104101200-384e.db: nobody restored it, so nobody knows whether it can be
                              2025-11-04 10:00 UTC attested, not seen: the dashboard: taken before the last change, receipt 1; attested, not seen: it never counts as verified
                    required  a backup taken after its last change, no older than 1 h, restored and found equal
                    remedy    tollgate backup prod --verify
    "#);
    let shot = project.run(&["backup", "prod", "--verify"]);
    assert_eq!(shot.exit, 0, "{shot}");
    assert_snapshot!(plain(project.run(&["plan", "prod"])), @r#"
    exit 0
    --- stdout
    ready: prod can take 1 migration

      20251102000000_name
        runs        atomic, 1 statement, blake3:[hash]
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice

      stands on the backup of 2025-11-04 10:12 UTC prod-20251104101200-cb0a.db, restored and found equal

      plan 590f7c55984f5c2b11a7b45db8245a11b0207ab7bcb09975f968abae29871907
      to run it: tollgate apply prod
    "#);
}

#[test]
fn a_word_for_one_that_was_made_elsewhere_counts_as_such() {
    let project = waiting("backup = \"1h\"");
    let attest = |when| {
        let words = [
            "backup",
            "prod",
            "--attest",
            "snapshot 7 of the dashboard",
            "--taken-at",
            when,
        ];
        plain(project.run(&words))
    };
    assert_snapshot!(attest("2025-11-04 11:00"), @r#"
    exit 2
    --- stderr
    error: 2025-11-04 11:00 UTC is in the future: it is 2025-11-04 10:12 UTC now

      remedy   tollgate backup prod --attest '<where>' --taken-at '<when>'   # in UTC
    "#);
    assert_snapshot!(attest("soon"), @r#"
    exit 2
    --- stderr
    error: "soon" is no instant

      remedy   write it in UTC: --taken-at '2025-11-04 10:12', or 2025-11-04T10:12:00Z
    "#);
    // Before the shop came: its receipt is of 10:12.
    assert_snapshot!(attest("2025-11-04 10:00"), @r#"
    exit 0
    --- stdout
    recorded: a backup of prod of 2025-11-04 10:00 UTC: snapshot 7 of the dashboard
      attested, not seen: nobody here looked at it, and it never counts as verified
      no receipt stood there then
    "#);
    assert_eq!(project.run(&["plan", "prod"]).exit, 3);
    assert_snapshot!(attest("2025-11-04T10:12:00Z"), @r#"
    exit 0
    --- stdout
    recorded: a backup of prod of 2025-11-04 10:12 UTC: snapshot 7 of the dashboard
      attested, not seen: nobody here looked at it, and it never counts as verified
      receipt 1 was the newest then
    "#);
    assert_snapshot!(plain(project.run(&["plan", "prod"])), @r#"
    exit 0
    --- stdout
    ready: prod can take 1 migration

      20251102000000_name
        runs        atomic, 1 statement, blake3:[hash]
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice

      stands on the backup of 2025-11-04 10:12 UTC attested, not seen: snapshot 7 of the dashboard

      plan c04ba53b67f47802acf8397d75bd9a3b22ff05369cdd38f8736915338cba1569
      to run it: tollgate apply prod
    "#);
    assert_snapshot!(plain(project.run(&["backup", "prod", "--list"])), @r#"
    exit 0
    --- stdout
    snapshot 7 of the dashboard
      2025-11-04 10:12 UTC, 0 s old, attested, not seen
    snapshot 7 of the dashboard
      2025-11-04 10:00 UTC, 12 min old, attested, not seen
    "#);
    assert_snapshot!(plain(project.run(&["log", "-n", "1"])), @r#"
    exit 0
    --- stdout
       17  2025-11-04T10:12:00.000Z  alice  backed-up  prod of 2025-11-04 10:12 UTC, as attested, not seen: snapshot 7 of the dashboard
    "#);
}

#[test]
fn promote_takes_it_by_itself() {
    let project = waiting("backup = { max_age = \"1h\", verified = true }");
    assert_snapshot!(plain(project.run(&["promote", "prod"])), @r#"
    exit 0
    --- stdout

    migration            dev       test      prod
    20251101000000_shop  applied   applied   applied
    20251102000000_name  applied   applied   applied
    --- stderr
    backed up: prod into prod-20251104101200-384e.db
      [size], by sqlite [version], as of receipt 1, blake3:[hash]
      verified: it was restored into a scratch database, and is equal: the schema, and 5 rows, every value of 2 tables
    prod: 1 migration to apply
      applied   20251102000000_name  atomic
    "#);
    // One backup, and no refusal.
    assert_snapshot!(plain(project.run(&["log", "-n", "4"])), @r#"
    exit 0
    --- stdout
       16  2025-11-04T10:12:00.000Z  alice  backed-up  prod prod-20251104101200-384e.db, restored and found equal
       17  2025-11-04T10:12:00.000Z  alice  policy     prod tightened: backup: nothing -> 1h, verified
       18  2025-11-04T10:12:00.000Z  alice  intent     prod 20251102000000_name blake3:[hash]
       19  2025-11-04T10:12:00.000Z  alice  succeeded  prod 20251102000000_name
    "#);
    // It is asked for again only when there is something to lose it for.
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    assert_eq!(super::names(&project).len(), 2);
}

/// Binding it is no change of it: `apply` needs no backup for that, on its first contact.
#[test]
fn an_empty_target_takes_its_first_migrations_without_a_backup() {
    let project = Project::with(&[("20251101000000_shop", SHOP)]);
    ask(&project, "backup = \"1h\"");
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    let went = project.run(&["apply", "prod"]);
    assert_eq!(went.exit, 0, "{went}");
    // From here on there is something to lose.
    project.write("20251102000000_more", "CREATE TABLE more (id INTEGER);\n");
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_eq!(project.run(&["apply", "prod"]).exit, 3);
}

/// An empty target has nothing to lose; one with tables that nothing here explains has most.
#[test]
fn a_target_that_was_never_entered() {
    let project = Project::with(&[("20251101000000_shop", SHOP)]);
    ask(&project, "backup = \"1h\"");
    assert_snapshot!(plain(project.run(&["backup", "prod"])), @r#"
    exit 0
    --- stdout
    prod: nothing stands there yet, so there is nothing to back up
    "#);
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_snapshot!(plain(project.run(&["plan", "prod"])), @r#"
    exit 0
    --- stdout
    ready: prod can take 1 migration

      20251101000000_shop
        runs        atomic, 6 statements, blake3:[hash]
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice

    warning: backup: prod: this ledger knows no target there: where tables stand, a backup is needed first
      found     no contact yet
      remedy    tollgate backup prod

      plan 7ce0504a57d84a8b77b9a1ae76bbbfd4ba8b555a1a79e96c6b6107f07839edb9
      to run it: tollgate apply prod
    "#);
    project
        .database("prod")
        .execute_batch("CREATE TABLE legacy (id INTEGER)")
        .unwrap();
    assert_snapshot!(plain(project.run(&["apply", "prod"])), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        backup      there is no backup of this target
                    found     none in the ledger
                    required  a backup taken after its last change, no older than 1 h
                    remedy    tollgate backup prod

    warning: baseline: prod: the target has tables, and tollgate never entered it before
      found     tables without a receipt
      remedy    tollgate baseline prod --to 20251101000000_shop --reason '<why>'   # if migrations made them: name the last one
    "#);
    assert_snapshot!(plain(project.run(&["promote", "prod"])), @r#"
    exit 0
    --- stdout

    migration            dev       test      prod
    20251101000000_shop  applied   applied   applied
    --- stderr
    prod: bound to prod.db
    backed up: prod into prod-20251104101200-b895.db
      [size], by sqlite [version], before any receipt, blake3:[hash]
      not verified: nobody restored it yet: a backup that was not restored is a hope
    prod: 1 migration to apply
      applied   20251101000000_shop  atomic
    "#);
}
