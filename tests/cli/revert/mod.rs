//! A migration that reverses another one: which bytes it is made of, what it says of itself, and how it goes
//! its way.

mod before_prod;
mod refused;

use insta::assert_snapshot;

use crate::project::Project;
use crate::rehearse::{EMAIL, PHONE, USERS, project, still};

/// The id of the first rollback of [`EMAIL`].
pub(crate) const ROLLBACK: &str = "20251104101200_rollback_email";

/// A later run, so that what is made next has another stamp.
fn later(project: &mut Project) {
    project.now += 60_000;
}

#[test]
fn what_was_rehearsed_is_what_it_is_made_of() {
    let mut project = project();
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    project
        .database("prod")
        .execute("UPDATE users SET email = 'ada@example.org'", [])
        .unwrap();
    assert_snapshot!(project.run(&["revert", EMAIL, "--reason", "mails go\nastray"]), @r#"
    exit 0
    --- stdout
    wrote: migrations/20251104101200_rollback_email/migration.sql
      reverses  20251102000000_email, as it ran in dev, test and prod
      runs      its down.sql, which passed its rehearsal in dev and test
      loses     what stands in users.email when it runs

      next      read it and commit it, then: tollgate promote prod
    "#);
    assert_snapshot!(std::fs::read_to_string(project.script(ROLLBACK)).unwrap(), @r#"
    -- 20251104101200_rollback_email
    -- Reverses 20251102000000_email: mails go astray
    -- tollgate:reverts 20251102000000_email
    -- tollgate:allow data-loss mails go astray

    -- tollgate:verbatim 20251102000000_email/down.sql
    DROP INDEX users_email;
    ALTER TABLE users DROP COLUMN email;
    "#);
    let down = project.script(ROLLBACK).with_file_name("down.sql");
    assert_snapshot!(std::fs::read_to_string(down).unwrap(), @r#"
    -- The prepared reversal of 20251104101200_rollback_email: it runs 20251102000000_email again.
    -- What the label names does not come back as it was.
    -- tollgate:down lossy: users.email, column order
    -- tollgate:verbatim 20251102000000_email/migration.sql
    ALTER TABLE users ADD COLUMN email TEXT;
    CREATE INDEX users_email ON users (email);
    "#);

    later(&mut project);
    assert_snapshot!(still(project.run(&["promote", "prod"])), @r#"
    exit 0
    --- stdout

    migration                      dev       test      prod
    20251101000000_users           applied   applied   applied
    20251102000000_email           reverted  reverted  reverted
    20251104101200_rollback_email  applied   applied   applied
    --- stderr
    dev: 1 migration to apply, 1 reversal to rehearse
      rehearsed 20251104101200_rollback_email  lossless  in place, data: full
      applied   20251104101200_rollback_email  atomic
    test: 1 migration to apply, 1 reversal to rehearse
      rehearsed 20251104101200_rollback_email  lossless  in place, data: full
      applied   20251104101200_rollback_email  atomic
    prod: 1 migration to apply
      20251104101200_rollback_email
        accepted    line 8: drops column users.email (2 rows): mails go astray
      applied   20251104101200_rollback_email  atomic
    "#);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration                      dev       test      prod
    20251101000000_users           applied   applied   applied
    20251102000000_email           reverted  reverted  reverted
    20251104101200_rollback_email  applied   applied   applied

    nothing waits
    "#);
    let columns: Vec<String> = project
        .database("prod")
        .prepare("SELECT name FROM pragma_table_info('users')")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(|name| name.unwrap())
        .collect();
    assert_eq!(columns, ["id", "name"]);
    assert_snapshot!(project.run(&["verify", "prod"]), @r#"
    exit 0
    --- stdout
    prod: 3 receipts, sound, and all of them in the ledger
    verified: prod: no drift; the schema (1 object) is as the newest run left it after 20251104101200_rollback_email
    "#);

    // The rollback is a migration like any other, and can be reversed.
    later(&mut project);
    assert_snapshot!(project.run(&["revert", ROLLBACK, "--reason", "they did not"]), @r#"
    exit 0
    --- stdout
    wrote: migrations/20251104101400_rollback_rollback_email/migration.sql
      reverses  20251104101200_rollback_email, as it ran in dev, test and prod
      runs      its down.sql, which passed its rehearsal in dev and test
      not back  users.email: what stood there was lost when 20251104101200_rollback_email ran, and stays lost
                no backup of prod from before it is on record

      next      read it and commit it, then: tollgate promote prod
    "#);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration                               dev       test      prod
    20251101000000_users                    applied   applied   applied
    20251102000000_email                    applied   applied   applied
    20251104101200_rollback_email           reverted  reverted  reverted
    20251104101400_rollback_rollback_email  applied   applied   applied

    nothing waits
    "#);
    assert_snapshot!(project.run(&["log", "--migration", EMAIL, "-n", "2"]), @r#"
    exit 0
    --- stdout
       26  2025-11-04T10:12:00.000Z  alice  succeeded  prod 20251102000000_email
       27  2025-11-04T10:12:00.000Z  alice  reverted   wrote the reversal of 20251102000000_email: 20251104101200_rollback_email: mails go astray
    "#);
}

#[test]
fn an_environment_that_has_both_says_reverted_and_one_that_has_neither_says_pending() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["revert", EMAIL, "--reason", "no"]).exit, 0);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    let (exit, status) = project.json(&["status"]);
    assert_eq!(exit, 0);
    let email = &status["migrations"][1]["environments"];
    assert_eq!(email["dev"]["state"], "reverted", "{status}");
    assert_eq!(email["dev"]["reverted_by"], ROLLBACK);
    assert_eq!(email["test"]["state"], "pending");
    // The link is in the script: a fresh ledger knows it too.
    for file in [
        "ledger.db",
        "ledger.db-wal",
        "ledger.db-shm",
        "ledger.db.head",
    ] {
        let _ = std::fs::remove_file(project.path().join("state").join(file));
    }
    assert_eq!(project.run(&["sync", "dev"]).exit, 0);
    let (_, status) = project.json(&["status"]);
    assert_eq!(
        status["migrations"][1]["environments"]["dev"]["state"],
        "reverted"
    );
}

#[test]
fn the_bytes_that_stood_beside_it_are_taken_from_the_ledger_where_the_file_was_edited() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    project.write_down(EMAIL, "SELECT 'edited since';\n");
    assert_snapshot!(project.run(&["revert", EMAIL, "--reason", "no"]), @r#"
    exit 0
    --- stdout
    wrote: migrations/20251104101200_rollback_email/migration.sql
      reverses  20251102000000_email, as it ran in dev
      runs      its down.sql, from the ledger, which was never rehearsed
                the down.sql that stands there now is another one, and was not taken
      loses     what stands in users.email when it runs

      next      read it and commit it, then: tollgate promote prod
    "#);
    let script = std::fs::read_to_string(project.script(ROLLBACK)).unwrap();
    assert!(
        script.ends_with("DROP INDEX users_email;\nALTER TABLE users DROP COLUMN email;\n"),
        "{script}"
    );
}

#[test]
fn what_it_destroyed_does_not_come_back_and_that_is_said() {
    let mut project = project();
    project.write(PHONE, "-- tollgate:allow data-loss nobody reads it\n\nDROP INDEX users_email;\nALTER TABLE users DROP COLUMN email;\nUPDATE users SET name = upper(name);\n");
    project.write_down(PHONE, "-- tollgate:down lossy: users.email, users.name\nALTER TABLE users ADD COLUMN email TEXT;\nCREATE INDEX users_email ON users (email);\n");
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    assert_snapshot!(project.run(&["revert", PHONE, "--reason", "no"]), @r#"
    exit 0
    --- stdout
    wrote: migrations/20251104101200_rollback_phone/migration.sql
      reverses  20251103000000_phone, as it ran in dev, test and prod
      runs      its down.sql, which passed its rehearsal in dev and test, with the losses that it names
      not back  users.email, users.name: what stood there was lost when 20251103000000_phone ran, and stays lost
                no backup of prod from before it is on record

      next      read it and commit it, then: tollgate promote prod
    "#);
    let script = project.script("20251104101200_rollback_phone");
    assert_snapshot!(std::fs::read_to_string(script.with_file_name("down.sql")).unwrap(), @r#"
    -- The prepared reversal of 20251104101200_rollback_phone: it runs 20251103000000_phone again.
    -- What the label names does not come back as it was.
    -- tollgate:down lossy: users.name
    -- tollgate:verbatim 20251103000000_phone/migration.sql
    -- tollgate:allow data-loss nobody reads it

    DROP INDEX users_email;
    ALTER TABLE users DROP COLUMN email;
    UPDATE users SET name = upper(name);
    "#);
    project
        .database("dev")
        .execute("INSERT INTO users (name) VALUES ('kathleen')", [])
        .unwrap();
    later(&mut project);
    assert_snapshot!(still(project.run(&["promote", "prod"])), @r#"
    exit 0
    --- stdout

    migration                      dev       test      prod
    20251101000000_users           applied   applied   applied
    20251102000000_email           applied   applied   applied
    20251103000000_phone           reverted  reverted  reverted
    20251104101200_rollback_phone  applied   applied   applied
    --- stderr
    dev: 1 migration to apply, 1 reversal to rehearse
      rehearsed 20251104101200_rollback_phone  lossy  in place, data: full
      applied   20251104101200_rollback_phone  atomic
    test: 1 migration to apply, 1 reversal to rehearse
      rehearsed 20251104101200_rollback_phone  lossless  in place, data: full
      applied   20251104101200_rollback_phone  atomic
    prod: 1 migration to apply
      20251104101200_rollback_phone
        locks       line 7: users (RESERVED) while every row is read
      applied   20251104101200_rollback_phone  atomic
    "#);
}

#[test]
fn several_go_newest_first() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(project.run(&["revert", USERS, EMAIL, "--reason", "from scratch"]), @r#"
    exit 0
    --- stdout
    wrote: migrations/20251104101200_rollback_email/migration.sql
      reverses  20251102000000_email, as it ran in dev
      runs      its down.sql, which was never rehearsed
      loses     what stands in users.email when it runs

    wrote: migrations/20251104101201_rollback_users/migration.sql
      reverses  20251101000000_users, as it ran in dev
      runs      its down.sql, which was never rehearsed
      loses     what stands in users when it runs

      next      read them and commit them, then: tollgate promote prod
    "#);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    let (_, document) = project.json(&["status"]);
    let states: Vec<&str> = document["migrations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["environments"]["dev"]["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["reverted", "reverted", "applied", "applied"]);
}

#[test]
fn as_one_document() {
    let project = project();
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    let (exit, document) = project.json(&["revert", EMAIL, "--reason", "no"]);
    assert_eq!(exit, 0);
    assert_snapshot!(serde_json::to_string_pretty(&document).unwrap(), @r#"
    {
      "rollbacks": [
        {
          "backup_before": null,
          "bytes": "disk",
          "down": "blake3:a7dddb0745c4dfc3160ec34633080308861903103c29bd8c6c7c8ffb5a88b866",
          "folder": "migrations/20251104101200_rollback_email",
          "loses": [
            "users.email"
          ],
          "migration": "20251104101200_rollback_email",
          "not_back": [],
          "open": [],
          "ran_in": [
            "dev",
            "test"
          ],
          "rehearsed": {},
          "reverts": "20251102000000_email",
          "was_there": false
        }
      ],
      "schema": "tollgate/revert/v1"
    }
    "#);
}

#[test]
fn a_run_that_was_cut_off_before_the_ledger_knew_is_brought_to_its_end() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    // As a kill between the two leaves it: the folder is there, and no entry.
    project.write(
        ROLLBACK,
        &format!("-- tollgate:reverts {EMAIL}\nDROP INDEX users_email;\n"),
    );
    assert_snapshot!(project.run(&["revert", EMAIL, "--reason", "no"]), @r#"
    exit 0
    --- stdout
    migrations/20251104101200_rollback_email was written before; the ledger knows of it now
    "#);
    let again = project.run(&["revert", EMAIL, "--reason", "no"]);
    assert_eq!(again.exit, 2, "{again}");
}

/// Nobody prepared a reversal: what is certain from the script's text is written, and said to be untried.
#[test]
fn without_a_prepared_reversal_it_is_written_from_the_text() {
    let project = project();
    let down = project.script(EMAIL).with_file_name("down.sql");
    std::fs::remove_file(&down).unwrap();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(project.run(&["revert", EMAIL, "--reason", "no"]), @r#"
    exit 0
    --- stdout
    wrote: migrations/20251104101200_rollback_email/migration.sql
      reverses  20251102000000_email, as it ran in dev
      runs      what can be told from its script, because it has no down.sql; nobody has tried it
      loses     what stands in users.email when it runs

      next      read it and commit it, then: tollgate promote prod
    "#);
    assert_snapshot!(std::fs::read_to_string(project.script(ROLLBACK)).unwrap(), @r#"
    -- 20251104101200_rollback_email
    -- Reverses 20251102000000_email: no
    -- tollgate:reverts 20251102000000_email
    -- tollgate:allow data-loss no

    -- There was no down.sql: this was written from the text of its migration.sql. Read it.

    DROP INDEX "users_email";
    ALTER TABLE "users" DROP COLUMN "email";
    "#);
    let down = project.script(ROLLBACK).with_file_name("down.sql");
    assert_snapshot!(std::fs::read_to_string(down).unwrap(), @r#"
    -- The prepared reversal of 20251104101200_rollback_email: it runs 20251102000000_email again.
    -- What the label names does not come back as it was.
    -- tollgate:down lossy: users.email
    -- tollgate:verbatim 20251102000000_email/migration.sql
    ALTER TABLE users ADD COLUMN email TEXT;
    CREATE INDEX users_email ON users (email);
    "#);
    let shot = still(project.run(&["rehearse", "dev"]));
    assert_eq!(shot.exit, 0, "{shot}");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    let (_, status) = project.json(&["status"]);
    assert_eq!(
        status["migrations"][1]["environments"]["dev"]["state"],
        "reverted"
    );
}
