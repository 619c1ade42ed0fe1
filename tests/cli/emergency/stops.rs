//! Where it stops by itself, and what it says.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use insta::assert_snapshot;

use super::{COMMAND, ROLLBACK, count, gone_wrong, still, yes};
use crate::project::Project;
use crate::rehearse::{EMAIL, PHONE, USERS, project};

#[test]
fn what_is_not_in_the_last_environment_is_no_emergency_there() {
    let project = project();
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_snapshot!(project.run(&yes()), @r#"
    exit 2
    --- stderr
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
      runs      its down.sql, which passed its rehearsal in dev and test
      loses     what stands in users.email when it runs

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
    error: 20251102000000_email says that it is irreversible: nobody knows

      remedy   tollgate new rollback_email   # and write by hand what can be brought back, below -- tollgate:reverts 20251102000000_email
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

const LOWER: &str = "CREATE TABLE mails (id INTEGER);\nUPDATE users SET name = lower(name);\n";

/// Without a `down.sql`, and with a script whose text does not say how it is reversed.
fn without_a_reversal() -> Project {
    let project = Project::with(&[
        (
            USERS,
            "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\n",
        ),
        (EMAIL, LOWER),
    ]);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    project
}

/// A script with what was left open in it, after somebody wrote it.
fn finish(script: &std::path::Path) {
    let text = std::fs::read_to_string(script).unwrap();
    let lines = text.lines();
    let written = lines.filter(|line| !line.contains("then take this statement away"));
    let written: String = written.map(|line| format!("{line}\n")).collect();
    assert_ne!(written, text);
    std::fs::write(script, written).unwrap();
}

/// What has no whole reversal is known before an incident is open, and a backup taken.
#[test]
fn what_is_open_is_written_by_hand_before_anything_is_done() {
    let project = without_a_reversal();
    assert_snapshot!(project.run(&yes()), @r#"
    exit 3
    --- stderr
    error: 20251102000000_email cannot be reversed as it stands; nothing was done
      migrations/20251102000000_email/migration.sql:2: the values that UPDATE replaced are gone, and it has no down.sql

      remedy   tollgate new --down 20251102000000_email   # write what it leaves open, then: tollgate emergency 20251102000000_email --reason 'mails go astray'
    "#);
    assert_eq!(project.run(&COMMAND).exit, 3);
    assert_eq!(project.run(&["new", "--down", EMAIL]).exit, 0);
    assert_snapshot!(project.run(&yes()), @r#"
    exit 3
    --- stderr
    error: 20251102000000_email cannot be reversed as it stands; nothing was done
      migrations/20251102000000_email/down.sql:7: still to be written by hand

      remedy   edit migrations/20251102000000_email/down.sql, then: tollgate emergency 20251102000000_email --reason 'mails go astray'
    "#);
    let log = project.run(&["log"]).stdout;
    assert_eq!(
        count(&log, "  emergency  ") + count(&log, "  backed-up  "),
        0,
        "{log}"
    );
    finish(
        &project
            .path()
            .join("migrations")
            .join(EMAIL)
            .join("down.sql"),
    );
    let shot = project.run(&yes());
    assert_eq!(shot.exit, 0, "{shot}");
    let log = project.run(&["log"]).stdout;
    assert_eq!(count(&log, "  reverted   "), 1, "{log}");
    assert_eq!(count(&log, "  backed-up  "), 1, "{log}");
}

/// `revert` wrote what is certain, and left a stub.
#[test]
fn a_rollback_that_is_not_whole_is_not_begun_with() {
    let project = without_a_reversal();
    assert_eq!(project.run(&["revert", EMAIL, "--reason", "no"]).exit, 0);
    assert_snapshot!(project.run(&yes()), @r#"
    exit 3
    --- stderr

    stopped: the rollback is not whole: migrations/20251104101200_rollback_email/migration.sql says what is to be written by hand, and refuses to run before that
      nothing was done

      remedy   edit migrations/20251104101200_rollback_email/migration.sql, then: tollgate emergency 20251102000000_email --reason 'mails go astray'
    "#);
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev has 1 migration that cannot pass

      20251104101200_rollback_email
        script      something of it is still to be written by hand, and it refuses to run before
                    found     line 10
                    required  statements in their place
                    remedy    edit migrations/20251104101200_rollback_email/migration.sql: line 10 says what belongs there
    "#);
    finish(&project.script(ROLLBACK));
    let shot = project.run(&yes());
    assert_eq!(shot.exit, 0, "{shot}");
}

#[test]
fn what_others_build_on_is_named_before_anything_is_done() {
    let project = gone_wrong();
    project.write(PHONE, "CREATE VIEW mailed AS SELECT email FROM users;\n");
    project.write_down(PHONE, "DROP VIEW mailed;\n");
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    assert_snapshot!(project.run(&yes()), @r#"
    exit 3
    --- stderr
    error: 20251102000000_email cannot be reversed as it stands; nothing was done
      20251103000000_phone builds on it: it names users.email

      remedy   tollgate revert 20251103000000_phone 20251102000000_email --reason 'mails go astray' && tollgate emergency 20251102000000_email --reason 'mails go astray'
    "#);
    assert_eq!(project.run(&COMMAND).exit, 3);
    let log = project.run(&["log"]).stdout;
    assert_eq!(
        count(&log, "  emergency  ") + count(&log, "  backed-up  "),
        0,
        "{log}"
    );
    let all = ["revert", PHONE, EMAIL, "--reason", "mails go astray"];
    assert_eq!(project.run(&all).exit, 0);
    let shot = project.run(&yes());
    assert_eq!(shot.exit, 0, "{shot}");
    let (_, status) = project.json(&["status"]);
    for row in [1, 2] {
        let state = &status["migrations"][row]["environments"]["prod"]["state"];
        assert_eq!(state, "reverted", "{status}");
    }
}

#[test]
fn a_later_one_that_ran_nowhere_is_put_aside() {
    let project = gone_wrong();
    project.write(PHONE, "CREATE VIEW mailed AS SELECT email FROM users;\n");
    assert_snapshot!(project.run(&yes()), @r#"
    exit 3
    --- stderr
    error: 20251102000000_email cannot be reversed as it stands; nothing was done
      20251103000000_phone builds on it: it names users.email; it ran nowhere, and would run before the rollback

      remedy   mv migrations/20251103000000_phone ..   # out of the tree, because it ran nowhere; then: tollgate emergency 20251102000000_email --reason 'mails go astray'
    "#);
}

#[test]
fn what_it_took_stays_lost_and_the_backup_that_has_it_is_named() {
    let project = gone_wrong();
    project.write(
        PHONE,
        "-- tollgate:allow data-loss nobody reads it\n\nUPDATE users SET name = 'x';\n",
    );
    project.write_down(PHONE, "-- tollgate:down lossy: users.name\nSELECT 1;\n");
    assert_eq!(project.run(&["backup", "prod"]).exit, 0);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    let shot = still(project.run(&["emergency", PHONE, "--reason", "names are gone"]));
    assert_snapshot!(shot, @r#"
    exit 2
    --- stdout
    emergency: 20251103000000_phone is to be reversed in prod
       1        back up prod now
       2        write the rollback of 20251103000000_phone
       3        rehearse the rollback in dev
       4        apply the rollback to dev
       5        rehearse the rollback in test
       6        apply the rollback to test
       7        apply the rollback to prod, the last environment
      not back: what stood in users.name was lost when it ran, and stays lost
                the backup of prod from before it has it: tollgate restore state/backups/[backup].db --into state/prod-restored.db
    --- stderr

    error: there is no terminal to ask on, so nothing was done

      remedy   tollgate emergency 20251103000000_phone --reason 'names are gone' --yes
    "#);
    let shot = still(project.run(&["revert", PHONE, "--reason", "names are gone"]));
    assert_snapshot!(shot, @r#"
    exit 0
    --- stdout
    wrote: migrations/20251104101200_rollback_phone/migration.sql
      reverses  20251103000000_phone, as it ran in dev, test and prod
      runs      its down.sql, which passed its rehearsal in dev and test, with the losses that it names
      not back  users.name: what stood there was lost when 20251103000000_phone ran, and stays lost
                the backup of prod from before it has it: tollgate restore state/backups/[backup].db --into state/prod-restored.db

      next      read it and commit it, then: tollgate promote prod
    "#);
}

#[test]
fn an_open_incident_keeps_its_reason() {
    let project = gone_wrong();
    assert_eq!(project.run_typing(&COMMAND, "y\nn\n").exit, 2);
    let shot = project.run(&["emergency", EMAIL, "--reason", "another"]);
    let note = shot.stderr.lines().next().unwrap().to_owned();
    assert_snapshot!(note, @"note: incident 202eae6f is open already, and keeps its reason: mails go astray");
}

#[test]
fn what_was_reversed_on_the_ordinary_way_is_no_emergency() {
    let project = gone_wrong();
    assert_eq!(project.run(&["revert", EMAIL, "--reason", "no"]).exit, 0);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    assert_snapshot!(project.run(&yes()), @r#"
    exit 0
    --- stdout
    nothing to do: 20251102000000_email is reversed in prod already, by 20251104101200_rollback_email
    "#);
}
