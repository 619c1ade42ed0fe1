//! A plan that is saved, applied, resumed and done.

use insta::assert_snapshot;
use tollgate::planner::saved::SavedPlan;

use super::{
    EMAIL, HOUR, PLAN, SECOND, UNIQUE, bytes, held, in_prod, put, refusals, require, save, saved,
    waiting,
};
use crate::on_postgres::Chain;
use crate::project::{Project, Shot};

#[test]
fn from_the_plan_to_what_stands() {
    let mut project = waiting();
    assert_snapshot!(save(&project, &["--expires", "8h", "--change", "CHG-123"]), @r#"
    exit 0
    --- stdout
    ready: prod can take 2 migrations

      20251102000000_email
        runs        atomic, 1 statement, blake3:0bff6c90c6e8
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice

      20251103000000_unique
        runs        atomic, 1 statement, blake3:ebc9676c99b7
        may fail    line 1: two rows of users that are alike in name
        locks       line 1: users (RESERVED) while every row is read
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice

      plan 3eee348e58aad144769682bbef23a40f41b230fe60d5bb26e0ce56198f4c7790

      saved     release.plan.json
      id        f2372e892d8836f0bc06d98658e5822fd46e3a8b8217a8382f8c7e228c0392a2
      expires   2025-11-04 18:12 UTC
      change    CHG-123
      next      tollgate review release.plan.json
                tollgate apply prod --plan release.plan.json
    "#);
    let (_, document) = project.json(&["plan", "prod", "--out", PLAN, "--expires", "8h"]);
    assert_eq!(document["saved"]["file"], PLAN);
    assert_eq!(document["saved"]["expires"], "2025-11-04T18:12:00.000Z");
    assert!(document["policy"].as_str().is_some_and(|it| it.len() == 64));
    save(&project, &["--expires", "8h", "--change", "CHG-123"]);
    assert_snapshot!(project.run(&["apply", "prod", "--plan", PLAN, "--dry-run"]), @r#"
    exit 0
    --- stdout
    prod: every premise holds, 2 migrations would be applied
    --- stderr
    prod: 2 migrations to apply, under saved plan f2372e892d88 (CHG-123)
      20251103000000_unique
        may fail    line 1: two rows of users that are alike in name
    "#);
    assert_eq!(in_prod(&project).len(), 1);
    project.now += 8 * HOUR - 1;
    assert_snapshot!(held(&project), @r#"
    exit 0
    --- stdout
    prod: 2 migrations applied
    --- stderr
    prod: 2 migrations to apply, under saved plan f2372e892d88 (CHG-123)
      20251103000000_unique
        may fail    line 1: two rows of users that are alike in name
      applied   20251102000000_email  atomic
      applied   20251103000000_unique  atomic
    "#);
    // It is done, and stays that: whatever expires and comes later.
    project.now += 800 * HOUR;
    project.write("20251102000001_between", "SELECT 1;\n");
    assert_snapshot!(held(&project), @r#"
    exit 0
    --- stdout
    prod: nothing to do
    "#);
    assert_snapshot!(project.run(&["why", EMAIL, "prod"]), @r#"
    exit 0
    --- stdout
    applied: 20251102000000_email stands in prod

      since       2025-11-04 18:11 UTC by alice, receipt 2 (4dd5aaf3fd93f1b8cc41137b0b591e62b5906164eb721d0d4bcca1a486d56f22)
      bytes       blake3:0bff6c90c6e8
      saved plan  f2372e892d8836f0bc06d98658e5822fd46e3a8b8217a8382f8c7e228c0392a2, change CHG-123

      next      tollgate log --migration 20251102000000_email
    "#);
    let (_, status) = project.json(&["status"]);
    let release = &status["migrations"][1]["environments"]["prod"]["release"];
    assert_eq!(release["change"], "CHG-123");
    assert!(status["migrations"][1]["environments"]["test"]["release"].is_null());
    assert_snapshot!(project.run(&["log", "--migration", EMAIL, "-n", "2"]), @r#"
    exit 0
    --- stdout
       20  2025-11-04T18:11:59.999Z  alice  intent     prod 20251102000000_email blake3:0bff6c90c6e8, under saved plan f2372e892d88 (CHG-123)
       21  2025-11-04T18:11:59.999Z  alice  succeeded  prod 20251102000000_email
    "#);
    // A lost ledger learns of it from the receipts.
    for end in ["", "-wal", "-shm", ".head"] {
        let _ = std::fs::remove_file(project.path().join(format!("state/ledger.db{end}")));
    }
    assert_eq!(project.run(&["sync"]).exit, 0);
    let (_, why) = project.json(&["why", EMAIL, "prod"]);
    assert_eq!(why["stands"]["release"], *release);
}

#[test]
fn only_a_ready_plan_is_written() {
    let project = Project::with(&[("20251101000000_users", "CREATE TABLE users (id INTEGER);\n")]);
    assert_snapshot!(project.run(&["plan", "prod", "--out", PLAN]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that has not earned its place

      20251101000000_users
        promotion   these bytes never succeeded in dev and test
                    found     dev: nothing, and this ledger knows no target there
                              test: nothing, and this ledger knows no target there
                    required  success of blake3:674353424300 in dev and test
                    remedy    tollgate promote test --to 20251101000000_users
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    release.plan.json: not written: the plan is refused
    "#);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    assert_snapshot!(project.run(&["plan", "prod", "--out", PLAN]), @r#"
    exit 0
    --- stdout
    prod: up to date, nothing to do
    --- stderr
    release.plan.json: not written: there is nothing to do
    "#);
    assert!(!project.path().join(PLAN).exists());
}

#[test]
fn it_takes_the_place_of_a_saved_plan_alone() {
    let project = waiting();
    put(&project, "{ \"mine\": true }\n");
    assert_snapshot!(project.run(&["plan", "prod", "--out", PLAN]), @r#"
    exit 2
    --- stderr
    error: release.plan.json is there, and is no saved plan
      it was left as it is

      remedy   name another file: --out another.plan.json
    "#);
    assert_eq!(super::bytes(&project), b"{ \"mine\": true }\n");
    std::fs::remove_file(project.path().join(PLAN)).unwrap();
    save(&project, &[]);
    let first = super::bytes(&project);
    save(&project, &["--change", "another"]);
    assert_ne!(first, super::bytes(&project));
    // One that was altered is one all the same.
    put(
        &project,
        String::from_utf8(first).unwrap().replace('\n', "\r\n"),
    );
    save(&project, &[]);
    std::fs::create_dir(project.path().join("folder")).unwrap();
    assert_snapshot!(project.run(&["plan", "prod", "--out", "folder"]), @r#"
    exit 2
    --- stderr
    error: folder is there, and is no saved plan
      it was left as it is

      remedy   name another file: --out another.plan.json
    "#);
    assert_snapshot!(project.run(&["plan", "prod", "--out", "nowhere/release.json"]), @r#"
    exit 1
    --- stderr
    error: [project]/nowhere/release.json cannot be written: there is no folder [project]/nowhere
      nothing was written there

      remedy   mkdir -p [project]/nowhere
    "#);
    // Nothing is left beside it.
    let names = std::fs::read_dir(project.path()).unwrap();
    let names = names.map(|it| it.unwrap().file_name().into_string().unwrap());
    assert!(names.into_iter().all(|name| !name.ends_with(".part")));
}

#[test]
fn what_is_said_of_it_is_checked() {
    let project = waiting();
    let with = |more: &[&str]| project.run(&[&["plan", "prod", "--out", PLAN], more].concat());
    assert_snapshot!(with(&["--expires", "tomorrow"]), @r#"
    exit 2
    --- stderr
    error: --expires tomorrow is neither a length of time nor an instant

      remedy   --expires 8h, --expires 2026-12-01T16:00:00Z, or --expires '2026-12-01 17:00 Europe/Berlin'
    "#);
    assert_snapshot!(with(&["--expires", "2025-11-04T10:12:00Z"]), @r#"
    exit 2
    --- stderr
    error: --expires 2025-11-04T10:12:00Z is over already: it is 2025-11-04 10:12 UTC

      remedy   --expires 8h, --expires 2026-12-01T16:00:00Z, or --expires '2026-12-01 17:00 Europe/Berlin'
    "#);
    assert_eq!(with(&["--expires", "0h"]).exit, 2);
    assert_eq!(with(&["--change", "a\nb"]).exit, 2);
    assert_eq!(with(&["--change", " "]).exit, 2);
    assert!(!project.path().join(PLAN).exists());
    assert_eq!(with(&["--expires", "2025-11-04T10:12:00.001Z"]).exit, 0);
    assert_eq!(
        with(&["--expires", "2025-11-04 11:13 Europe/Berlin"]).exit,
        0
    );
    assert_eq!(project.run(&["plan", "prod", "--change", "CHG-1"]).exit, 2);
    assert_eq!(project.run(&["plan", "prod", "--expires", "1h"]).exit, 2);
    let both = project.run(&["apply", "prod", "--plan", PLAN, "--to", EMAIL]);
    assert_eq!(both.exit, 2);
    assert!(both.stderr.contains("cannot be used with"), "{both}");
    let page = project.run(&["plan", "prod", "--format", "markdown"]);
    assert_snapshot!(page, @r#"
    exit 2
    --- stderr
    error: --format markdown and html are for review and report alone

      remedy   --format json
    "#);
}

/// The second step fails on what stands in prod alone. That is mended, and the same plan goes on.
#[test]
fn the_same_plan_goes_on_where_it_stopped() {
    let mut project = waiting();
    // The second step stands on a waiver, which the first one's intent spends.
    require(
        &project,
        &format!("hold = [{{ migration = \"{UNIQUE}\", reason = \"names are not unique yet\" }}]"),
    );
    let waive = ["waive", "prod", "hold", UNIQUE, "--reason", "they are now"];
    assert_eq!(project.run(&waive).exit, 0);
    save(&project, &["--expires", "8h"]);
    let twice = "INSERT INTO users (name) VALUES ('ada'), ('ada')";
    project.database("prod").execute_batch(twice).unwrap();
    assert_snapshot!(held(&project), @r#"
    exit 1
    --- stderr

    waived: hold 20251103000000_unique by alice, 2025-11-04 10:12 UTC: they are now
      what      it is held back from prod
                hold: names are not unique yet
    prod: 2 migrations to apply, under saved plan 0795b739a288
      20251103000000_unique
        may fail    line 1: two rows of users that are alike in name
      applied   20251102000000_email  atomic
    error: 20251103000000_unique failed in prod: UNIQUE constraint failed: users.name [SQLITE_CONSTRAINT_UNIQUE]
      --> migrations/20251103000000_unique/migration.sql:1:1
      |
    1 | CREATE UNIQUE INDEX users_name ON users (name);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    prod is as it was: the whole script was rolled back.
    The same bytes succeeded in dev and test: what differs is what stands in prod. Put that right by hand, or in a
    migration stamped before it, whose order is waived where this one ran. An edited script is refused there.
      remedy   tollgate apply prod --plan release.plan.json   # afterwards
    "#);
    assert_eq!(in_prod(&project).len(), 2);
    project.now += HOUR;
    // It fails again, and again goes on.
    assert_eq!(held(&project).exit, 1);
    project
        .database("prod")
        .execute_batch("DELETE FROM users WHERE id = 2")
        .unwrap();
    project.now += HOUR;
    assert_snapshot!(held(&project), @r#"
    exit 0
    --- stdout
    prod: 1 migration applied
    --- stderr

    warning: failed: 20251103000000_unique: the same bytes failed here before, and were rolled back
      found     2025-11-04 11:12 UTC: UNIQUE constraint failed: users.name
      remedy    tollgate log --migration 20251103000000_unique

    waived: hold 20251103000000_unique by alice, 2025-11-04 10:12 UTC: they are now
      what      it is held back from prod
                hold: names are not unique yet
    prod: 1 migration to apply, under saved plan 0795b739a288
      20251103000000_unique
        may fail    line 1: two rows of users that are alike in name
      applied   20251103000000_unique  atomic (hold waived by alice: they are now)
    "#);
    assert_eq!(in_prod(&project).len(), 3);
    let (_, why) = project.json(&["why", UNIQUE, "prod"]);
    assert_eq!(why["stands"]["waived"][0]["gate"], "hold");
}

/// A script that is not atomic stops half-way: the plan goes on after what stands of it.
#[test]
fn the_same_plan_goes_on_in_the_middle_of_a_script() {
    let project = waiting();
    project.write(
        "20251104000000_half",
        "CREATE TABLE audit (id INTEGER);\nVACUUM;\nINSERT INTO audit SELECT 1 / (SELECT count(*) FROM absent);\n",
    );
    for environment in ["dev", "test"] {
        let ready = "CREATE TABLE absent (id INTEGER)";
        project.database(environment).execute_batch(ready).unwrap();
    }
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    save(&project, &[]);
    assert_snapshot!(held(&project), @r#"
    exit 1
    --- stderr
    prod: 3 migrations to apply, under saved plan b0b0f5e0ad46
      20251103000000_unique
        may fail    line 1: two rows of users that are alike in name
      applied   20251102000000_email  atomic
      applied   20251103000000_unique  atomic
    error: 20251104000000_half failed in prod: no such table: absent [SQLITE_ERROR]
      --> migrations/20251104000000_half/migration.sql:3:1
      |
    3 | INSERT INTO audit SELECT 1 / (SELECT count(*) FROM absent);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    prod keeps what ran outside a transaction: 2 of 3 statements stand in the target.
    Put right what made it fail, and go on with the same bytes.
      remedy   tollgate resolve prod 20251104000000_half --continue-at 3 --reason '<what you put right>'   # or undo all of it, and --not-applied
    "#);
    assert_eq!(in_prod(&project).len(), 3);
    let ready = "CREATE TABLE absent (id INTEGER)";
    project.database("prod").execute_batch(ready).unwrap();
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251104000000_half
        failed      it failed half-way and may have left something behind
                    found     failed 2025-11-04 10:12 UTC: no such table: absent
                              2 of 3 statements stand in the target
                    required  what it left behind undone by hand, or its cause put right; and a person's word for it
                    remedy    tollgate resolve prod 20251104000000_half --continue-at 3 --reason '<what you put right>'   # or undo all of it, and --not-applied
    "#);
    let half = "20251104000000_half";
    let word = |said: &[&str]| {
        let reason = ["--reason", "looked"];
        let shot = project.run(&[&["resolve", "prod", half], said, &reason].concat());
        assert_eq!(shot.exit, 0, "{shot}");
    };
    word(&["--continue-at", "3"]);
    let first = bytes(&project);
    // A plan that was read with two statements standing does not run all three.
    save(&project, &[]);
    let standing = bytes(&project);
    let sql = |sql: &str| project.database("prod").execute_batch(sql).unwrap();
    sql("DROP TABLE absent");
    assert_eq!(held(&project).exit, 1);
    sql("DROP TABLE audit; CREATE TABLE absent (id INTEGER)");
    word(&["--not-applied"]);
    assert_ne!(first, standing);
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251104000000_half
        premise     it would run otherwise than the plan says
                    found     journalled, after 0 of its statements
                    required  journalled, after 2 of its statements
                    remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew
    "#);
    put(&project, first);
    assert_snapshot!(held(&project), @r#"
    exit 0
    --- stdout
    prod: 1 migration applied
    --- stderr
    prod: 1 migration to apply, under saved plan b0b0f5e0ad46
      applied   20251104000000_half  journalled
    "#);
}

/// The connection breaks within a script: what is told names the plan, and it goes on under it.
#[test]
fn the_same_plan_goes_on_after_a_cut() {
    let chain = Chain::new(&[
        (
            "20251101000000_tables",
            "CREATE TABLE counter (n int);\nCREATE TABLE trap (armed bool);\nINSERT INTO trap VALUES (true);\n",
        ),
        (
            "20251102000000_half",
            "INSERT INTO counter VALUES (1);\nVACUUM counter;\nSELECT pg_terminate_backend(pg_backend_pid()) FROM trap WHERE armed;\nINSERT INTO counter VALUES (4);\n",
        ),
        ("20251103000000_more", "INSERT INTO counter VALUES (5);\n"),
    ]);
    let before = chain.run(&["apply", "dev", "--to", "20251101000000_tables"]);
    assert_eq!(before.exit, 0, "{before}");
    let plan = chain.run(&["plan", "dev", "--out", PLAN]);
    assert_eq!(plan.exit, 0, "{plan}");
    // Its id names the database, which is another one every time.
    let id = SavedPlan::read(&bytes(&chain.project)).unwrap().id.short();
    let told = |shot: Shot| chain.hide(shot).to_string().replace(&id, "[id]");
    assert_snapshot!(told(chain.run(&["apply", "dev", "--plan", PLAN])), @r#"
    exit 1
    --- stderr
    dev: 2 migrations to apply, under saved plan [id]
    dev: settled 20251102000000_half: it was cut off, and 2 of 4 statements stand
    error: dev: 20251102000000_half was cut off: the server refused while running the script: terminating connection due to administrator command [57P01]
      2 of 4 statements stand in the target, and nothing else of it

      remedy   tollgate apply dev --plan release.plan.json   # goes on at statement 3
    "#);
    chain.databases[0]
        .run("UPDATE trap SET armed = false")
        .unwrap();
    assert_snapshot!(told(chain.run(&["apply", "dev", "--plan", PLAN])), @r#"
    exit 0
    --- stdout
    dev: 2 migrations applied
    --- stderr
    dev: 2 migrations to apply, under saved plan [id]
      applied   20251102000000_half  journalled, from statement 3
      applied   20251103000000_more  atomic
    "#);
    let counted = "SELECT string_agg(n::text, ' ' ORDER BY n) FROM counter";
    assert_eq!(chain.databases[0].ask(counted), "1 4 5");
}

/// A waiver that another run has used is used up for the plan too.
#[test]
fn a_waiver_that_somebody_else_used_is_spent() {
    let project = waiting();
    require(
        &project,
        &format!("hold = [{{ migration = \"{EMAIL}\", reason = \"not yet\" }}]"),
    );
    let waive = ["waive", "prod", "hold", EMAIL, "--reason", "now"];
    assert_eq!(project.run(&waive).exit, 0);
    save(&project, &[]);
    let table = "ALTER TABLE users ADD COLUMN email TEXT";
    project.database("prod").execute_batch(table).unwrap();
    // By a plan of its own; it fails.
    assert_eq!(project.run(&["apply", "prod", "--to", EMAIL]).exit, 1);
    let back = "ALTER TABLE users DROP COLUMN email";
    project.database("prod").execute_batch(back).unwrap();
    assert_eq!(
        refusals(&project),
        [format!("hold {EMAIL}: it is held back from prod")]
    );
}

/// Somebody applied a step of the plan by itself: the same bytes, so the rest goes on.
#[test]
fn a_step_that_came_by_itself_is_no_other_change() {
    let project = saved();
    assert_eq!(project.run(&["apply", "prod", "--to", EMAIL]).exit, 0);
    let shot = held(&project);
    assert_eq!(shot.exit, 0, "{shot}");
    assert_eq!(in_prod(&project).len(), 3);
    let (_, why) = project.json(&["why", EMAIL, "prod"]);
    assert!(why["stands"]["release"].is_null());
    let (_, why) = project.json(&["why", UNIQUE, "prod"]);
    assert!(!why["stands"]["release"].is_null());
}

/// A first release: the target was never met when the plan was made.
#[test]
fn a_target_that_nobody_met_is_entered_by_the_plan() {
    let mut project =
        Project::with(&[("20251101000000_users", "CREATE TABLE users (id INTEGER);\n")]);
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    save(&project, &[]);
    project.now += SECOND;
    assert_snapshot!(held(&project), @r#"
    exit 0
    --- stdout
    prod: 1 migration applied
    --- stderr
    prod: bound to prod.db
    prod: 1 migration to apply, under saved plan ea011906f2f6
      applied   20251101000000_users  atomic
    "#);
    assert_eq!(held(&project).stdout, "prod: nothing to do\n");
}
