//! Where it stops by itself, and what it says.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use insta::assert_snapshot;

use super::{COMMAND, ROLLBACK, gone_wrong, still};
use crate::rehearse::{EMAIL, PHONE, project};

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
