//! What an environment asks of the time and of single migrations: soak, freeze, hours, hold and lint. Each
//! met, and just not met.

use insta::assert_snapshot;

use crate::project::Project;

const USERS: &str = "20251101000000_users";
const EMAIL: &str = "20251102000000_email";
const SECOND: i64 = 1_000;
const HOUR: i64 = 3_600 * SECOND;

fn requiring(what: &str) -> Project {
    let project = Project::with(&[
        (
            USERS,
            "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\n",
        ),
        (EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n"),
    ]);
    require(&project, what);
    project
}

/// Asks this of prod, and nothing else.
fn require(project: &Project, what: &str) {
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let lines = config.lines().filter(|line| !line.starts_with("require"));
    let text: Vec<String> = lines
        .flat_map(|line| {
            let more = (line == "name = \"prod\"").then(|| format!("require = {{ {what} }}"));
            std::iter::once(line.to_owned()).chain(more)
        })
        .collect();
    assert!(text.iter().any(|line| line.starts_with("require")));
    std::fs::write(&file, text.join("\n")).unwrap();
}

/// The gates and migrations that prod refuses.
fn refusals(project: &Project) -> Vec<String> {
    let (exit, plan) = project.json(&["plan", "prod"]);
    let refusals = plan["refusals"].as_array().unwrap();
    assert_eq!(exit, if refusals.is_empty() { 0 } else { 3 });
    refusals
        .iter()
        .map(|refusal| {
            let of = refusal["migration"].as_str().unwrap_or("-");
            format!("{} {of}", refusal["gate"].as_str().unwrap())
        })
        .collect()
}

fn to_test(project: &Project) {
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
}

#[test]
fn a_migration_soaks_to_the_second() {
    let mut project = requiring("soak = \"24h\"");
    // Nothing that never succeeded there soaks: that is another gate's to say.
    assert_eq!(
        refusals(&project),
        [format!("promotion {USERS}"), format!("promotion {EMAIL}")]
    );
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["apply", "test", "--to", USERS]).exit, 0);
    project.now += HOUR;
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    project.now += 22 * HOUR + 30 * 60 * SECOND;
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 2 migrations that cannot pass

      20251101000000_users
        soak        it stood in test for 23 h 30 min, and has to for 1 d
                    found     test: succeeded 2025-11-04 10:12 UTC
                    required  1 d in test, from its success or the last mishap there
                    remedy    tollgate plan prod   # from 2025-11-05 10:12 UTC on

      20251102000000_email
        soak        it stood in test for 22 h 30 min, and has to for 1 d
                    found     test: succeeded 2025-11-04 11:12 UTC
                    required  1 d in test, from its success or the last mishap there
                    remedy    tollgate plan prod   # from 2025-11-05 11:12 UTC on
    "#);
    project.now += 30 * 60 * SECOND;
    assert_eq!(refusals(&project), [format!("soak {EMAIL}")]);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251102000000_email
        soak        it stood in test for 23 h, and has to for 1 d
                    found     test: succeeded 2025-11-04 11:12 UTC
                    required  1 d in test, from its success or the last mishap there
                    remedy    tollgate plan prod   # from 2025-11-05 11:12 UTC on

      1 before it is ready: tollgate apply prod --to 20251101000000_users
    "#);
    project.now += HOUR - 1;
    assert_eq!(refusals(&project), [format!("soak {EMAIL}")]);
    project.now += 1;
    assert!(refusals(&project).is_empty());
    // A clock that is set back says nothing of how long it was.
    project.now -= 30 * HOUR;
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 2 migrations that cannot pass

      20251101000000_users
        soak        how long it stood in test cannot be told: a clock was set back
                    found     test: succeeded 2025-11-04 10:12 UTC, and now it is 2025-11-04 05:12 UTC
                    required  1 d in test, from its success or the last mishap there
                    remedy    tollgate log --migration 20251101000000_users   # whose clock was it?

      20251102000000_email
        soak        how long it stood in test cannot be told: a clock was set back
                    found     test: succeeded 2025-11-04 11:12 UTC, and now it is 2025-11-04 05:12 UTC
                    required  1 d in test, from its success or the last mishap there
                    remedy    tollgate log --migration 20251102000000_email   # whose clock was it?
    "#);
    project.now += 30 * HOUR;
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
}

#[test]
fn other_bytes_a_reversal_and_a_new_target_begin_the_soak_anew() {
    let mut project = requiring("soak = \"24h\"");
    to_test(&project);
    project.write_down(EMAIL, "ALTER TABLE users DROP COLUMN email;\n");
    let reverted = project.run(&["revert", EMAIL, "--reason", "it was wrong"]);
    assert_eq!(reverted.exit, 0, "{reverted}");
    project.now += 25 * HOUR;
    assert!(
        refusals(&project)
            .iter()
            .any(|it| it.starts_with("promotion"))
    );
    to_test(&project);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 2 migrations that cannot pass

      20251102000000_email
        soak        it stood in test for 0 s, and has to for 1 d
                    found     test: reversed by 20251104101200_rollback_email 2025-11-05 11:12 UTC
                    required  1 d in test, from its success or the last mishap there
                    remedy    tollgate plan prod   # from 2025-11-06 11:12 UTC on

      20251104101200_rollback_email
        soak        it stood in test for 0 s, and has to for 1 d
                    found     test: succeeded 2025-11-05 11:12 UTC
                    required  1 d in test, from its success or the last mishap there
                    remedy    tollgate plan prod   # from 2025-11-06 11:12 UTC on

    warning: reverted: 20251102000000_email: it was reversed by 20251104101200_rollback_email before it came here: both will run
      found     lost on the way: nothing that their scripts tell of
                neither can be left out: dev and test have them, and what came after was proven on top of both
      remedy    tollgate apply prod

      1 before it is ready: tollgate apply prod --to 20251101000000_users
    "#);
    project.now += 24 * HOUR;
    assert!(refusals(&project).is_empty());
    // Its target was made anew, and does not have them.
    std::fs::remove_file(project.path().join("state/test.db")).unwrap();
    let bound = project.run(&["bind", "test", "--emptied", "--reason", "made anew"]);
    assert_eq!(bound.exit, 0, "{bound}");
    assert_eq!(refusals(&project).len(), 3);
    assert_snapshot!(project.run(&["plan", "prod", "--to", USERS]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251101000000_users
        soak        these bytes stood in test once, and do not stand there now
                    found     test: its present target does not have them
                    required  1 d in test, from its success or the last mishap there
                    remedy    tollgate apply test --to 20251101000000_users
    "#);
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    project.now += 24 * HOUR - 1;
    assert_eq!(refusals(&project).len(), 3);
    project.now += 1;
    assert!(refusals(&project).is_empty());
}

#[test]
fn a_freeze_holds_from_its_first_instant_to_before_its_last() {
    // It is 2025-11-04 10:12 UTC, a Tuesday.
    let mut project = requiring(
        "freeze = [{ from = \"2025-11-04 12:12 Europe/Berlin\", to = 2025-11-04T13:00:00Z, reason = \"the books are closed\" }, { from = \"2025-11-04T12:59:59Z\", to = \"2025-11-04T14:00:00Z\", reason = \"a release of others\" }]",
    );
    to_test(&project);
    project.now += HOUR - 1;
    assert!(refusals(&project).is_empty());
    project.now += 1;
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        freeze      prod is frozen
                    found     2025-11-04 11:12 UTC to 2025-11-04 13:00 UTC: the books are closed
                    required  a moment outside every freeze in tollgate.toml
                    remedy    tollgate plan prod   # from 2025-11-04 14:00 UTC on
    "#);
    assert_eq!(project.run(&["apply", "prod"]).exit, 3);
    project.now += 2 * HOUR + 48 * 60 * SECOND - 1;
    assert_eq!(refusals(&project), ["freeze -"]);
    project.now += 1;
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    // With nothing to apply there is nothing to refuse.
    project.now -= HOUR;
    assert!(refusals(&project).is_empty());
}

#[test]
fn outside_its_hours_nothing_is_applied() {
    let mut project = requiring("allow = \"Mon-Tue 09:00-12:00 Europe/Berlin\"");
    to_test(&project);
    // 11:12 in Berlin.
    project.now += 48 * 60 * SECOND - 1;
    assert!(refusals(&project).is_empty());
    project.now += 1;
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        hours       nothing is applied to prod at this hour
                    found     now: Tue 2025-11-04 12:00 Europe/Berlin
                              opens: Mon 2025-11-10 09:00 Europe/Berlin, in 5 d 21 h
                    required  Mon-Tue 09:00-12:00 Europe/Berlin
                    remedy    tollgate plan prod   # from 2025-11-10 08:00 UTC on
    "#);
    project.now += 5 * 24 * HOUR + 21 * HOUR - 1;
    assert_eq!(refusals(&project), ["hours -"]);
    project.now += 1;
    assert!(refusals(&project).is_empty());
    require(
        &project,
        "allow = [\"Sat 10:00-12:00 UTC\", \"Sun 10:00-12:00 UTC\"]",
    );
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        hours       nothing is applied to prod at this hour
                    found     now: Mon 2025-11-10 08:00 UTC
                              opens: Sat 2025-11-15 10:00 UTC, in 5 d 2 h
                    required  Sat 10:00-12:00 UTC, or Sun 10:00-12:00 UTC
                    remedy    tollgate plan prod   # from 2025-11-15 10:00 UTC on
    "#);
}

#[test]
fn what_is_held_back_waits_and_what_stands_before_it_goes() {
    let project = requiring(&format!(
        "hold = [{{ migration = \"{EMAIL}\", reason = \"the new mail server is not there yet\" }}]"
    ));
    to_test(&project);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251102000000_email
        hold        it is held back from prod
                    found     hold: the new mail server is not there yet
                    required  no hold of it for prod in tollgate.toml
                    remedy    edit tollgate.toml: take it out of hold, once its reason is gone

      1 before it is ready: tollgate apply prod --to 20251101000000_users
    "#);
    assert_eq!(project.run(&["apply", "prod", "--to", USERS]).exit, 0);
    assert_eq!(refusals(&project), [format!("hold {EMAIL}")]);
    let waived = project.run(&[
        "waive",
        "prod",
        "hold",
        EMAIL,
        "--reason",
        "it is there, the file is not merged",
    ]);
    assert_eq!(waived.exit, 0, "{waived}");
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
}

#[test]
fn a_finding_as_grave_as_the_policy_says_is_refused() {
    let project = requiring("lint = \"warning\"");
    to_test(&project);
    assert_eq!(project.run(&["apply", "prod", "--to", USERS]).exit, 0);
    let late = "20251103000000_full_name";
    project.write(late, "ALTER TABLE users RENAME COLUMN name TO full_name;\n");
    to_test(&project);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251103000000_full_name
        lint        its script has findings that are refused here
                    found     line 1: rename-column: renames users.name to full_name
                    required  no finding of level warning that the script does not allow with -- tollgate:allow rename-column <reason>
                    remedy    tollgate lint 20251103000000_full_name   # what to write instead

      1 before it is ready: tollgate apply prod --to 20251102000000_email
    "#);
    require(&project, "lint = \"error\"");
    assert!(refusals(&project).is_empty());
}
