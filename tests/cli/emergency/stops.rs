//! Where it stops by itself, and what it says.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use insta::assert_snapshot;

use super::{COMMAND, ROLLBACK, gone_wrong, still};
use crate::project::Project;
use crate::rehearse::{EMAIL, PHONE, USERS, project};

fn yes() -> Vec<&'static str> {
    [&COMMAND[..], &["--yes"]].concat()
}

#[test]
fn what_is_not_in_the_last_environment_is_no_emergency_there() {
    let project = project();
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_snapshot!(project.run(&yes()), @r#"
    exit 2
    --- stderr
    emergency: 20251102000000_email is to be reversed in prod
       1        back up prod now
       2        write the rollback of 20251102000000_email
       3        rehearse the rollback in dev
       4        apply the rollback to dev
       5        rehearse the rollback in test
       6        apply the rollback to test
       7        apply the rollback to prod, the last environment

    step 1 of 7: back up prod now
    error: 20251102000000_email is not applied in prod, so nothing is to be reversed there
      remedy   tollgate revert 20251102000000_email --reason '<why>'   # where it went wrong on its way
    "#);
    let log = project.run(&["log"]).stdout;
    assert!(!log.contains("emergency"), "{log}");
}

#[test]
fn what_would_go_along_is_named_first() {
    let project = gone_wrong();
    project.write(PHONE, "ALTER TABLE users ADD COLUMN phone TEXT;\n");
    project.write_down(PHONE, "ALTER TABLE users DROP COLUMN phone;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(still(project.run_typing(&COMMAND, "y\ny\ny\ny\nn\n")), @r#"
    exit 2
    --- stderr
    emergency: 20251102000000_email is to be reversed in prod
       1        back up prod now
       2        write the rollback of 20251102000000_email
       3        rehearse the rollback in dev
       4        apply the rollback to dev
       5        rehearse the rollback in test
       6        apply the rollback to test
       7        apply the rollback to prod, the last environment

    step 1 of 7: back up prod now [y/N] incident 740d7612 is open
    backed up: prod into [backup].db
      [size and checksum]
      not verified: nobody restored it yet: a backup that was not restored is a hope

    step 2 of 7: write the rollback of 20251102000000_email [y/N] wrote: migrations/20251104101200_rollback_email/migration.sql
      reverses  20251102000000_email, as it ran in dev, test and prod
      runs      its down.sql, rehearsed in dev and test: lossless
      loses     users.email

    step 3 of 9: rehearse 20251104101200_rollback_email in dev [y/N]   rehearsed 20251104101200_rollback_email  lossy  in place, data: full

    step 4 of 9: apply 20251104101200_rollback_email to dev [y/N] dev: 1 migration to apply, 1 reversal to rehearse
      rehearsed 20251103000000_phone  lossless  in place, data: full
      applied   20251104101200_rollback_email  atomic

    step 5 of 9: apply to test what is pending there before 20251104101200_rollback_email, and goes along: 20251103000000_phone [y/N] 
    stopped: incident 740d7612 stays open; what was done stands

      remedy   tollgate emergency 20251102000000_email --reason 'mails go astray'   # goes on there
    "#);
    assert_eq!(project.run(&yes()).exit, 0);
    let status = project.run(&["status"]).stdout;
    assert!(!status.contains("pending"), "{status}");
}

#[test]
fn a_rehearsal_that_does_not_pass_stops_it() {
    let project = gone_wrong();
    // Somebody hung a view on it by hand, in test alone.
    project
        .database("test")
        .execute_batch("CREATE VIEW mailed AS SELECT email FROM users")
        .unwrap();
    let shot = still(project.run(&yes()));
    assert_eq!(shot.exit, 3, "{shot}");
    assert!(
        shot.stderr.contains("stays open; what was done stands"),
        "{shot}"
    );
    let (_, status) = project.json(&["status"]);
    let rollback = &status["migrations"][2];
    assert_eq!(rollback["migration"], ROLLBACK);
    assert_eq!(rollback["environments"]["dev"]["state"], "applied");
    assert_eq!(rollback["environments"]["test"]["state"], "pending");
    project
        .database("test")
        .execute_batch("DROP VIEW mailed")
        .unwrap();
    assert_eq!(project.run(&yes()).exit, 0);
}

#[test]
fn who_interrupts_it_is_told_how_to_go_on() {
    let project = gone_wrong();
    assert_snapshot!(still(project.run_with(&yes(), Arc::new(AtomicBool::new(true)))), @r#"
    exit 130
    --- stderr
    emergency: 20251102000000_email is to be reversed in prod
       1        back up prod now
       2        write the rollback of 20251102000000_email
       3        rehearse the rollback in dev
       4        apply the rollback to dev
       5        rehearse the rollback in test
       6        apply the rollback to test
       7        apply the rollback to prod, the last environment

    interrupted: nothing was done

      remedy   tollgate emergency 20251102000000_email --reason 'mails go astray'
    "#);
}

#[test]
fn what_says_that_it_is_irreversible_is_written_by_hand_and_taken() {
    let project = gone_wrong();
    project.write_down(EMAIL, "-- tollgate:down irreversible: nobody knows\n");
    assert_snapshot!(still(project.run(&yes())), @r#"
    exit 3
    --- stderr
    emergency: 20251102000000_email is to be reversed in prod
       1        back up prod now
       2        write the rollback of 20251102000000_email
       3        rehearse the rollback in dev
       4        apply the rollback to dev
       5        rehearse the rollback in test
       6        apply the rollback to test
       7        apply the rollback to prod, the last environment

    step 1 of 7: back up prod now
    incident 202eae6f is open
    backed up: prod into [backup].db
      [size and checksum]
      not verified: nobody restored it yet: a backup that was not restored is a hope

    step 2 of 7: write the rollback of 20251102000000_email
    error: 20251102000000_email says that it is irreversible: nobody knows
      remedy   tollgate new rollback_email   # and write by hand what can be brought back, below -- tollgate:reverts 20251102000000_email

    stopped: incident 202eae6f stays open; what was done stands

      remedy   tollgate emergency 20251102000000_email --reason 'mails go astray'   # goes on there
    "#);
    project.write(
        "20251104101300_rollback_email",
        &format!("-- tollgate:reverts {EMAIL}\nDROP INDEX users_email;\n"),
    );
    project.write_down(
        "20251104101300_rollback_email",
        "CREATE INDEX users_email ON users (email);\n",
    );
    assert_snapshot!(still(project.run(&yes())), @r#"
    exit 0
    --- stdout

    done: 20251102000000_email is reversed in dev, test and prod; incident 202eae6f, opened 2025-11-04 10:12 UTC by alice: mails go astray
      backup             state/backups/[backup].db, 2025-11-04 10:12 UTC, by alice
      rollback           20251104101300_rollback_email, 2025-11-04 10:12 UTC, by alice
      rehearsed in dev   lossless, 2025-11-04 10:12 UTC, by alice
      applied to dev     2025-11-04 10:12 UTC, by alice
      rehearsed in test  lossless, 2025-11-04 10:12 UTC, by alice
      applied to test    2025-11-04 10:12 UTC, by alice
      applied to prod    2025-11-04 10:12 UTC, by alice

      next     git add migrations/20251104101300_rollback_email && git commit
               tollgate log   # what was done, for the report
    --- stderr
    emergency: 20251102000000_email is to be reversed in prod; incident 202eae6f, open since 2025-11-04 10:12 UTC: mails go astray
       1  done  back up prod now: [backup].db, 2025-11-04 10:12 UTC, by alice
       2        write the rollback of 20251102000000_email
       3        rehearse the rollback in dev
       4        apply the rollback to dev
       5        rehearse the rollback in test
       6        apply the rollback to test
       7        apply the rollback to prod, the last environment

    step 2 of 7: take 20251104101300_rollback_email for the rollback
    migrations/20251104101300_rollback_email was written before; the ledger knows of it now

    step 3 of 7: rehearse 20251104101300_rollback_email in dev
      rehearsed 20251104101300_rollback_email  lossless  in place, data: full

    step 4 of 7: apply 20251104101300_rollback_email to dev
    dev: 1 migration to apply
      applied   20251104101300_rollback_email  atomic

    step 5 of 7: rehearse 20251104101300_rollback_email in test
      rehearsed 20251104101300_rollback_email  lossless  in place, data: full

    step 6 of 7: apply 20251104101300_rollback_email to test
    test: 1 migration to apply
      applied   20251104101300_rollback_email  atomic

    step 7 of 7: apply 20251104101300_rollback_email to prod, the last environment
    prod: 1 migration to apply
      applied   20251104101300_rollback_email  atomic
    "#);
}

#[test]
fn a_backup_that_was_deleted_as_bad_does_not_count() {
    let project = gone_wrong();
    assert_eq!(project.run_typing(&COMMAND, "y\nn\n").exit, 2);
    let folder = project.path().join("state/backups");
    let file = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|end| end == "db"))
        .unwrap();
    std::fs::write(&file, "not a database").unwrap();
    let name = file.file_name().unwrap().to_str().unwrap();
    assert_eq!(project.run(&["backup", "prod", "--check", name]).exit, 1);
    let (_, document) = project.json(&COMMAND);
    assert_eq!(document["steps"][0]["done"], false, "{document}");
    assert_eq!(document["next"], 1);
}

/// Without a `down.sql` what is certain is written, and the rest is open until somebody wrote it.
#[test]
fn what_is_open_is_written_by_hand_and_then_it_goes_on() {
    let project = Project::with(&[
        (
            USERS,
            "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\n",
        ),
        (
            EMAIL,
            "CREATE TABLE mails (id INTEGER);\nUPDATE users SET name = lower(name);\n",
        ),
    ]);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    assert_snapshot!(still(project.run(&yes())), @r#"
    exit 3
    --- stderr
    emergency: 20251102000000_email is to be reversed in prod
       1        back up prod now
       2        write the rollback of 20251102000000_email
       3        rehearse the rollback in dev
       4        apply the rollback to dev
       5        rehearse the rollback in test
       6        apply the rollback to test
       7        apply the rollback to prod, the last environment

    step 1 of 7: back up prod now
    incident cb0a92dc is open
    backed up: prod into [backup].db
      [size and checksum]
      not verified: nobody restored it yet: a backup that was not restored is a hope

    step 2 of 7: write the rollback of 20251102000000_email
    wrote: migrations/20251104101200_rollback_email/migration.sql
      reverses  20251102000000_email, as it ran in dev, test and prod
      runs      what its script's text tells, because it has no down.sql; nobody has tried it
      loses     mails
      open      migrations/20251102000000_email/migration.sql:2: the values that UPDATE replaced are gone
                it refuses to run until that is written by hand

    stopped: the rollback is not whole: migrations/20251104101200_rollback_email/migration.sql says what is to be written by hand, and refuses to run before that
      incident cb0a92dc stays open; what was done stands

      remedy   edit migrations/20251104101200_rollback_email/migration.sql, then: tollgate emergency 20251102000000_email --reason 'mails go astray'
    "#);
    assert_snapshot!(std::fs::read_to_string(project.script(ROLLBACK)).unwrap(), @r#"
    -- 20251104101200_rollback_email
    -- Reverses 20251102000000_email, incident cb0a92dc: mails go astray
    -- tollgate:reverts 20251102000000_email
    -- tollgate:allow data-loss mails go astray

    -- There was no down.sql: this was written from the text of its migration.sql. Read it.

    -- To be written by hand: the values that UPDATE replaced are gone. Line 2:
    --     UPDATE users SET name = lower(name)
    SELECT * FROM "write by hand what reverses line 2, then take this statement away";

    DROP TABLE "mails";
    "#);
    // The same again stops at the same place, and does nothing twice.
    let again = project.run(&yes());
    assert_eq!(again.exit, 3, "{again}");
    let script = std::fs::read_to_string(project.script(ROLLBACK)).unwrap();
    let written: String = script
        .lines()
        .filter(|line| !line.contains("then take this statement away"))
        .map(|line| format!("{line}\n"))
        .collect();
    project.write(ROLLBACK, &written);
    let shot = project.run(&yes());
    assert_eq!(shot.exit, 0, "{shot}");
    let log = project.run(&["log"]).stdout;
    assert_eq!(log.matches("  reverted   ").count(), 1, "{log}");
    assert_eq!(log.matches("  backed-up  ").count(), 1, "{log}");
}
