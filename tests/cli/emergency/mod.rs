//! The procedure of an emergency: step by step, and on from where it stopped.

mod on_postgres;
mod page;
mod stops;

use insta::assert_snapshot;

use crate::project::{Project, Shot};
use crate::rehearse::{EMAIL, project};

/// The id of the rollback that it writes in the first minute.
pub(crate) const ROLLBACK: &str = "20251104101200_rollback_email";

/// What was applied everywhere, with data in it, and went wrong.
pub(crate) fn gone_wrong() -> Project {
    let project = project();
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    for environment in ["dev", "test", "prod"] {
        project
            .database(environment)
            .execute("UPDATE users SET email = name || '@example.org'", [])
            .unwrap();
    }
    project
}

pub(crate) const COMMAND: [&str; 4] = ["emergency", EMAIL, "--reason", "mails go astray"];

/// The same without a question.
pub(crate) fn yes() -> Vec<&'static str> {
    [&COMMAND[..], &["--yes"]].concat()
}

/// How many lines have it.
pub(crate) fn count(log: &str, word: &str) -> usize {
    log.lines().filter(|line| line.contains(word)).count()
}

/// What is another one in every run: a backup's name, and its size and checksum.
pub(crate) fn still(mut shot: Shot) -> Shot {
    for text in [&mut shot.stdout, &mut shot.stderr] {
        let lines = text.lines().map(|line| {
            if line.trim_start().contains(" by sqlite ")
                || line.trim_start().contains(" by pg_dump ")
            {
                return "  [size and checksum]".to_owned();
            }
            let mut line = line.to_owned();
            while let Some(at) = line.find("prod-20251104") {
                let end = line[at..].find(".db").or_else(|| line[at..].find(".dump"));
                let Some(end) = end else { break };
                let kind = if line[at + end..].starts_with(".db") {
                    ".db"
                } else {
                    ".dump"
                };
                line.replace_range(at..at + end + kind.len(), &format!("[backup]{kind}"));
            }
            line
        });
        *text = lines.collect::<Vec<_>>().join("\n");
    }
    shot
}

#[test]
fn each_step_is_shown_and_confirmed() {
    let project = gone_wrong();
    assert_snapshot!(still(project.run_typing(&COMMAND, "y\ny\ny\ny\ny\nY\nyes\n")), @r#"
    exit 0
    --- stdout

    done: 20251102000000_email is reversed in dev, test and prod; incident 202eae6f, opened 2025-11-04 10:12 UTC by alice: mails go astray
      backup             state/backups/[backup].db, 2025-11-04 10:12 UTC, by alice
      rollback           20251104101200_rollback_email, 2025-11-04 10:12 UTC, by alice
      rehearsed in dev   lossy, 2025-11-04 10:12 UTC, by alice
      applied to dev     2025-11-04 10:12 UTC, by alice
      rehearsed in test  lossy, 2025-11-04 10:12 UTC, by alice
      applied to test    2025-11-04 10:12 UTC, by alice
      applied to prod    2025-11-04 10:12 UTC, by alice
      lost in prod       what stood in users.email; the backup has it: tollgate restore state/backups/[backup].db --into state/prod-restored.db

      next     git add migrations/20251104101200_rollback_email && git commit
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

    step 1 of 7: back up prod now [y/N] incident 202eae6f is open
    backed up: prod into [backup].db
      [size and checksum]
      not verified: nobody restored it yet: a backup that was not restored is a hope

    step 2 of 7: write the rollback of 20251102000000_email [y/N] wrote: migrations/20251104101200_rollback_email/migration.sql
      reverses  20251102000000_email, as it ran in dev, test and prod
      runs      its down.sql, which passed its rehearsal in dev and test
      loses     what stands in users.email when it runs

    step 3 of 7: rehearse 20251104101200_rollback_email in dev [y/N]   rehearsed 20251104101200_rollback_email  lossy  in place, data: full

    step 4 of 7: apply 20251104101200_rollback_email to dev [y/N] dev: 1 migration to apply
      20251104101200_rollback_email
        accepted    line 8: drops column users.email (2 rows): mails go astray
      applied   20251104101200_rollback_email  atomic

    step 5 of 7: rehearse 20251104101200_rollback_email in test [y/N]   rehearsed 20251104101200_rollback_email  lossy  in place, data: full

    step 6 of 7: apply 20251104101200_rollback_email to test [y/N] test: 1 migration to apply
      20251104101200_rollback_email
        accepted    line 8: drops column users.email (2 rows): mails go astray
      applied   20251104101200_rollback_email  atomic

    step 7 of 7: apply 20251104101200_rollback_email to prod, the last environment: what stands in users.email is lost [y/N] prod: 1 migration to apply
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
    assert_eq!(project.run(&["verify", "dev", "test", "prod"]).exit, 0);
    // Nothing is left to do.
    assert_snapshot!(still(project.run(&COMMAND)), @r#"
    exit 0
    --- stdout

    done: 20251102000000_email is reversed in dev, test and prod; incident 202eae6f, opened 2025-11-04 10:12 UTC by alice: mails go astray
      backup             state/backups/[backup].db, 2025-11-04 10:12 UTC, by alice
      rollback           20251104101200_rollback_email, 2025-11-04 10:12 UTC, by alice
      rehearsed in dev   lossy, 2025-11-04 10:12 UTC, by alice
      applied to dev     2025-11-04 10:12 UTC, by alice
      rehearsed in test  lossy, 2025-11-04 10:12 UTC, by alice
      applied to test    2025-11-04 10:12 UTC, by alice
      applied to prod    2025-11-04 10:12 UTC, by alice
      lost in prod       what stood in users.email; the backup has it: tollgate restore state/backups/[backup].db --into state/prod-restored.db

      next     git add migrations/20251104101200_rollback_email && git commit
               tollgate log   # what was done, for the report
    "#);
}

#[test]
fn whoever_cannot_be_asked_is_shown_the_steps() {
    let project = gone_wrong();
    assert_snapshot!(project.run(&COMMAND), @r#"
    exit 2
    --- stdout
    emergency: 20251102000000_email is to be reversed in prod
       1        back up prod now
       2        write the rollback of 20251102000000_email
       3        rehearse the rollback in dev
       4        apply the rollback to dev
       5        rehearse the rollback in test
       6        apply the rollback to test
       7        apply the rollback to prod, the last environment
    --- stderr

    error: there is no terminal to ask on, so nothing was done

      remedy   tollgate emergency 20251102000000_email --reason 'mails go astray' --yes
    "#);
    let log = project.run(&["log"]).stdout;
    assert!(!log.contains("emergency"), "{log}");
    assert_snapshot!(project.run_typing(&COMMAND, "n\n"), @r#"
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

    step 1 of 7: back up prod now [y/N] 
    stopped: nothing was done

      remedy   tollgate emergency 20251102000000_email --reason 'mails go astray'
    "#);
    let log = project.run(&["log"]).stdout;
    assert!(!log.contains("emergency"), "{log}");
}

#[test]
fn it_goes_on_where_it_stopped_with_one_incident() {
    let mut project = gone_wrong();
    // One step, then no; seven times.
    let mut exits = Vec::new();
    for _ in 0..7 {
        exits.push(project.run_typing(&COMMAND, "y\nn\n").exit);
        project.now += 60_000;
    }
    assert_eq!(exits, [2, 2, 2, 2, 2, 2, 0]);
    let log = project.run(&["log"]).stdout;
    let count = |word: &str| count(&log, word);
    assert_eq!(count("  emergency  "), 1, "{log}");
    assert_eq!(count("  reverted   "), 1, "{log}");
    assert_eq!(count("  backed-up  "), 1, "{log}");
    // Written in the second minute.
    let rollback = "20251104101300_rollback_email";
    for environment in ["dev", "test", "prod"] {
        assert_eq!(
            count(&format!("succeeded  {environment} {rollback}")),
            1,
            "{log}"
        );
    }
    assert_eq!(count("  refused "), 0, "{log}");
    let (exit, document) = project.json(&COMMAND);
    assert_eq!(exit, 0);
    assert_eq!(document["end"], "done");
    assert_eq!(document["reason"], "mails go astray");
    assert_eq!(document["rollback"], rollback);
    let done: Vec<bool> = document["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["done"].as_bool().unwrap())
        .collect();
    assert_eq!(done, [true; 7]);
}

#[test]
fn without_a_question_and_as_one_document() {
    let project = gone_wrong();
    let (exit, document) = project.json(&yes());
    assert_eq!(exit, 0, "{document}");
    assert_eq!(document["schema"], "tollgate/emergency/v1");
    assert_eq!(document["end"], "done");
    assert_eq!(document["took"].as_array().unwrap().len(), 7);
    assert_eq!(document["incident"].as_str().unwrap().len(), 32);
}
