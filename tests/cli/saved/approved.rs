//! Approvals: one too few, whose count and whose do not, and what dies with the plan.

use insta::assert_snapshot;

use super::{
    EMAIL, HOUR, PLAN, SECOND, UNIQUE, USERS, bytes, forge, held, in_prod, put, refusals, require,
    save, waiting,
};
use crate::project::{Project, Shot};

/// A saved plan for a prod that asks for this.
fn asking(what: &str) -> Project {
    let project = waiting();
    require(&project, what);
    save(&project, &[]);
    project
}

fn approve(project: &Project, name: &str) -> Shot {
    let shot = project.run(&["approve", PLAN, "--as", name]);
    assert_eq!(shot.exit, 0, "{shot}");
    shot
}

/// Who applies or approves, by their login.
fn as_user(project: &mut Project, name: &str) {
    project.variables.insert("USER".to_owned(), name.to_owned());
}

fn missing(project: &Project) -> Option<String> {
    let refused = refusals(project);
    assert!(refused.len() <= 1, "{refused:?}");
    let fact = refused.first()?.strip_prefix("approval -: ").unwrap();
    Some(fact.to_owned())
}

#[test]
fn from_the_plan_to_its_approvals_to_what_stands() {
    let mut project = waiting();
    require(&project, "approvals = 2");
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        approval    prod takes only saved plans that were approved, and this one is not saved
                    required  the approvals of 2 people who do not apply it
                    remedy    tollgate plan prod --out release.plan.json   # then approve, and apply --plan
    "#);
    assert_snapshot!(project.run(&["plan", "prod", "--to", EMAIL]), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        approval    prod takes only saved plans that were approved, and this one is not saved
                    required  the approvals of 2 people who do not apply it
                    remedy    tollgate plan prod --to 20251102000000_email --out release.plan.json   # then approve, and apply --plan
    "#);
    assert_snapshot!(save(&project, &[]), @r#"
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

    warning: approval: prod: prod takes it once 2 people approved it
      remedy    tollgate approve release.plan.json --as '<name>'

      plan 548090b22dce051ce5b1e3a72f404a5d4b22d8cb52dc751b9bb7484419fb9852

      saved     release.plan.json
      id        19cfbff3ced9077f84ca1ddbac03fded670cbc209e33aa6074253ce8bfcf6ba4
      next      tollgate review release.plan.json
                tollgate approve release.plan.json --as '<name>'
                tollgate apply prod --plan release.plan.json
    "#);
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        approval    nobody whose word counts approved it, and 2 people have to
                    required  the approvals of 2 people who do not apply it, of the saved plan 19cfbff3ced9
                    remedy    tollgate approve release.plan.json --as '<name>'
    "#);
    project.now += HOUR;
    assert_snapshot!(project.run(&["approve", PLAN, "--as", "bo", "--note", "read all of it"]), @r#"
    exit 0
    --- stdout
    approved: saved plan 19cfbff3ced9 for prod, by bo: recorded, not signed

      approved  bo, 2025-11-04 11:12 UTC (typed by alice): read all of it
      asked for 2, 1 missing

      next      tollgate approve release.plan.json --as '<name>'   # somebody else's
    "#);
    project.now += SECOND;
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        approval    1 approval is missing of 2
                    found     approved: bo, 2025-11-04 11:12 UTC (typed by alice): read all of it
                    required  the approvals of 2 people who do not apply it, of the saved plan 19cfbff3ced9
                    remedy    tollgate approve release.plan.json --as '<name>'
    "#);
    as_user(&mut project, "cy");
    assert_snapshot!(approve(&project, "cy"), @r#"
    exit 0
    --- stdout
    approved: saved plan 19cfbff3ced9 for prod, by cy: recorded, not signed

      approved  bo, 2025-11-04 11:12 UTC (typed by alice): read all of it
      approved  cy, 2025-11-04 11:12 UTC
      asked for 2, and none is missing

      next      tollgate apply prod --plan release.plan.json   # by somebody else
    "#);
    assert_snapshot!(project.run(&["review", PLAN]).stdout.split_once("\n  approvals\n").unwrap().1, @r#"
      bo, 2025-11-04 11:12 UTC (typed by alice): read all of it, recorded, not signed
      cy, 2025-11-04 11:12 UTC, recorded, not signed
      2 asked for, and none is missing

    policy
      approvals    2
      chain        dev, test, prod
      data_loss    refuse
      never_waive  promotion

    next      tollgate apply prod --plan release.plan.json
    "#);
    as_user(&mut project, "alice");
    assert_snapshot!(held(&project), @r#"
    exit 0
    --- stdout
    prod: 2 migrations applied
    --- stderr
    prod: 2 migrations to apply, under saved plan 19cfbff3ced9, approved by bo, cy, recorded, not signed
      20251103000000_unique
        may fail    line 1: two rows of users that are alike in name
      applied   20251102000000_email  atomic
      applied   20251103000000_unique  atomic
    "#);
    assert_eq!(in_prod(&project), [USERS, EMAIL, UNIQUE]);
    assert_snapshot!(project.run(&["why", UNIQUE, "prod"]), @r#"
    exit 0
    --- stdout
    applied: 20251103000000_unique stands in prod

      since       2025-11-04 11:12 UTC by alice, receipt 3 (bd238406d9a9e03b500201664883c6eb69bf5522774dfd3683d0bb98b45bf266)
      bytes       blake3:ebc9676c99b7
      saved plan  19cfbff3ced9077f84ca1ddbac03fded670cbc209e33aa6074253ce8bfcf6ba4
      approved    bo, 2025-11-04 11:12 UTC (typed by alice): read all of it, recorded, not signed
      approved    cy, 2025-11-04 11:12 UTC, recorded, not signed

      next      tollgate log --migration 20251103000000_unique
    "#);
    assert_snapshot!(project.run(&["log", "-n", "9"]), @r#"
    exit 0
    --- stdout
       21  2025-11-04T10:12:00.000Z  alice  refused    apply prod: approval
       22  2025-11-04T10:12:00.000Z  alice  refused    apply prod: approval
       23  2025-11-04T11:12:00.000Z  alice  approved   prod saved plan 19cfbff3ced9 by bo: read all of it, recorded, not signed
       24  2025-11-04T11:12:01.000Z  alice  refused    apply prod: approval
       25  2025-11-04T11:12:01.000Z  cy  approved   prod saved plan 19cfbff3ced9 by cy, recorded, not signed
       26  2025-11-04T11:12:01.000Z  alice  intent     prod 20251102000000_email blake3:0bff6c90c6e8, under saved plan 19cfbff3ced9, approved by bo, cy, recorded, not signed
       27  2025-11-04T11:12:01.000Z  alice  succeeded  prod 20251102000000_email
       28  2025-11-04T11:12:01.000Z  alice  intent     prod 20251103000000_unique blake3:ebc9676c99b7, under saved plan 19cfbff3ced9, approved by bo, cy, recorded, not signed
       29  2025-11-04T11:12:01.000Z  alice  succeeded  prod 20251103000000_unique
    "#);
    // What is done needs nobody's word any more.
    let again = held(&project);
    assert_eq!(
        (again.exit, again.stdout.as_str()),
        (0, "prod: nothing to do\n")
    );
    assert_snapshot!(project.run(&["approve", PLAN, "--as", "dee"]), @r#"
    exit 0
    --- stdout
    prod: nothing to do: every step of saved plan 19cfbff3ced9 stands there
    "#);
}

#[test]
fn one_too_few_is_refused_and_the_last_one_lets_it_go() {
    for wanted in [1, 2, 3] {
        let project = asking(&format!("approvals = {wanted}"));
        for (given, name) in ["bo", "cy", "dee"].into_iter().take(wanted).enumerate() {
            let told = missing(&project).unwrap();
            let left = wanted - given;
            let expected = match (given, left) {
                (0, 1) => "nobody whose word counts approved it".to_owned(),
                (0, _) => {
                    format!("nobody whose word counts approved it, and {wanted} people have to")
                }
                (_, 1) => format!("1 approval is missing of {wanted}"),
                _ => format!("{left} approvals are missing of {wanted}"),
            };
            assert_eq!(told, expected);
            assert_eq!(held(&project).exit, 3);
            approve(&project, name);
        }
        assert_eq!(missing(&project), None);
        assert_eq!(held(&project).exit, 0);
        assert_eq!(in_prod(&project).len(), 3);
    }
}

#[test]
fn one_person_counts_once_and_whoever_applies_not_at_all() {
    let mut project = asking("approvals = 2");
    approve(&project, "bo");
    assert_snapshot!(project.run(&["approve", PLAN, "--as", " BO "]), @r#"
    exit 0
    --- stdout
    approved: saved plan 19cfbff3ced9 for prod, by bo already: once counts, and nothing was written

      approved  bo, 2025-11-04 10:12 UTC (typed by alice)
      asked for 2, 1 missing

      next      tollgate approve release.plan.json --as '<name>'   # somebody else's
    "#);
    let (_, before) = project.json(&["approve", PLAN, "--as", "Bo"]);
    assert_eq!(before["end"], "approved-before");
    assert_eq!(before["missing"], 1);
    assert_eq!(
        missing(&project).as_deref(),
        Some("1 approval is missing of 2")
    );
    // Alice may say yes, but then somebody else has to apply it.
    approve(&project, "Alice");
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        approval    1 approval is missing of 2
                    found     approved: bo, 2025-11-04 10:12 UTC (typed by alice)
                              does not count: Alice, 2025-11-04 10:12 UTC; Alice applies it
                    required  the approvals of 2 people who do not apply it, of the saved plan 19cfbff3ced9
                    remedy    tollgate approve release.plan.json --as '<name>'
    "#);
    as_user(&mut project, "bo");
    assert_eq!(
        missing(&project).as_deref(),
        Some("1 approval is missing of 2")
    );
    as_user(&mut project, "cy");
    assert_eq!(held(&project).exit, 0);
    let (_, status) = project.json(&["log", "-n", "4"]);
    let bodies: Vec<&serde_json::Value> = status["entries"].as_array().unwrap().iter().collect();
    let intent = bodies
        .iter()
        .find(|it| it["entry"]["kind"] == "intent")
        .unwrap();
    let approvals = intent["entry"]["payload"]["release"]["approvals"]
        .as_array()
        .unwrap();
    let names: Vec<&str> = approvals
        .iter()
        .map(|it| it["approver"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["bo", "Alice"]);
}

/// Bo applied the first half, so Bo's word is not somebody else's any more.
#[test]
fn whoever_applied_a_part_of_it_applies_it() {
    let mut project = asking("approvals = 1");
    approve(&project, "bo");
    approve(&project, "cy");
    let prod = project.database("prod");
    prod.execute_batch("INSERT INTO users VALUES (1, 'a', ''), (2, 'a', '')")
        .unwrap();
    as_user(&mut project, "bo");
    let shot = held(&project);
    assert_eq!(shot.exit, 1, "{shot}");
    assert_eq!(in_prod(&project), [USERS, EMAIL]);
    prod.execute_batch("DELETE FROM users WHERE id = 2")
        .unwrap();
    as_user(&mut project, "cy");
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        approval    nobody whose word counts approved it
                    found     does not count: bo, 2025-11-04 10:12 UTC (typed by alice); bo applies it
                              does not count: cy, 2025-11-04 10:12 UTC (typed by alice); cy applies it
                    required  the approval of 1 person who does not apply it, of the saved plan 58bf19b3aab0
                    remedy    tollgate approve release.plan.json --as '<name>'

    warning: failed: 20251103000000_unique: the same bytes failed here before, and were rolled back
      found     2025-11-04 10:12 UTC: UNIQUE constraint failed: users.name
      remedy    tollgate log --migration 20251103000000_unique
    "#);
    as_user(&mut project, "dee");
    assert_eq!(held(&project).exit, 0);
    assert_eq!(in_prod(&project), [USERS, EMAIL, UNIQUE]);
}

#[test]
fn an_approval_dies_with_its_plan() {
    let mut project = asking("approvals = 1");
    approve(&project, "bo");
    let approved = bytes(&project);
    // The same steps, a second later: another plan.
    project.now += SECOND;
    save(&project, &[]);
    assert_eq!(
        missing(&project).as_deref(),
        Some("nobody whose word counts approved it")
    );
    // Nor does it help to write the first one's id into another plan.
    forge(&project, |content| {
        content.change = Some("CHG-1".to_owned())
    });
    assert!(missing(&project).is_some());
    // One byte of a script, and the approved plan is refused by its premises.
    put(&project, &approved);
    let script = std::fs::read_to_string(project.script(EMAIL)).unwrap();
    project.write(EMAIL, &format!("{script}\n"));
    let told = refusals(&project);
    assert!(told.iter().any(|it| it.starts_with("premise")), "{told:?}");
    assert!(
        !told.iter().any(|it| it.starts_with("approval")),
        "{told:?}"
    );
    project.write(EMAIL, &script);
    assert_eq!(held(&project).exit, 0);
    // Done, it leads nowhere: what comes later is another plan.
    project.write("20251105000000_shop", "CREATE TABLE shop (id INTEGER);\n");
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    let replayed = held(&project);
    assert_eq!(replayed.stdout, "prod: nothing to do\n", "{replayed}");
    let (exit, _) = project.json(&["apply", "prod"]);
    assert_eq!(exit, 3);
    save(&project, &[]);
    assert_eq!(
        missing(&project).as_deref(),
        Some("nobody whose word counts approved it")
    );
}

#[test]
fn its_time_is_between_the_plan_and_now() {
    let mut project = waiting();
    require(&project, "approvals = 1");
    save(&project, &["--expires", "1h"]);
    let made = project.now;
    // A clock that stands before the plan was made.
    project.now = made - 1;
    assert_snapshot!(project.run(&["approve", PLAN, "--as", "bo"]), @r#"
    exit 3
    --- stdout
    refused: nothing was approved for prod

        premise     whether it has expired cannot be told: the clock stands before the plan was made
                    found     made: 2025-11-04T10:12:00.000Z
                              now:  2025-11-04T10:11:59.999Z
                    required  a clock that is right
                    remedy    date -u   # and put the clock right
    "#);
    // At its last moment it can be approved, and not after.
    project.now = made + HOUR - 1;
    approve(&project, "bo");
    project.now = made + HOUR;
    assert_snapshot!(project.run(&["approve", PLAN, "--as", "cy"]), @r#"
    exit 3
    --- stdout
    refused: nothing was approved for prod

        premise     the plan has expired
                    found     expired: 2025-11-04T11:12:00.000Z
                              now:     2025-11-04T11:12:00.000Z
                    required  a plan that has not
                    remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew
    "#);
    // Nor does that approval make it count longer; and for a clock that was set back it is of the future.
    assert_eq!(refusals(&project), ["premise -: the plan has expired"]);
    project.now = made + HOUR - 2;
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        approval    nobody whose word counts approved it
                    found     does not count: bo, 2025-11-04 11:11 UTC (typed by alice); said at 2025-11-04T11:11:59.999Z, and now it is 2025-11-04T11:11:59.998Z: a clock is wrong
                    required  the approval of 1 person who does not apply it, of the saved plan 7aebaaff82e5
                    remedy    tollgate approve release.plan.json --as '<name>'
    "#);
    project.now = made + HOUR - 1;
    assert_eq!(held(&project).exit, 0);
}

#[test]
fn without_an_expiry_a_clock_before_the_plan_approves_nothing() {
    let mut project = asking("approvals = 1");
    project.now -= 1;
    let (exit, refused) = project.json(&["approve", PLAN, "--as", "bo"]);
    assert_eq!(exit, 3);
    let fact = refused["refusals"][0]["fact"].as_str().unwrap();
    assert!(fact.contains("before the plan was made"), "{fact}");
    assert_eq!(refused["refusals"].as_array().unwrap().len(), 1);
    project.now += 1;
    approve(&project, "bo");
    assert_eq!(held(&project).exit, 0);
}

#[test]
fn a_policy_that_asks_for_more_refuses_and_one_that_asks_for_less_is_said() {
    let project = asking("approvals = 1");
    approve(&project, "bo");
    require(&project, "approvals = 2");
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        approval    1 approval is missing of 2
                    found     approved: bo, 2025-11-04 10:12 UTC (typed by alice)
                    required  the approvals of 2 people who do not apply it, of the saved plan 58bf19b3aab0
                    remedy    tollgate approve release.plan.json --as '<name>'

    warning: premise: prod: the policy of prod changed after the plan was made
      found     tightened: approvals: 1 -> 2
      remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew
    "#);
    // Asked for none, it goes, and that is said and written down.
    require(&project, "soak = \"0s\"");
    let config = project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        &config,
        text.replace(
            "require = { soak = \"0s\" }",
            "require = { lint = \"error\" }",
        ),
    )
    .unwrap();
    let shot = held(&project);
    assert_eq!(shot.exit, 0, "{shot}");
    let warned = "the policy of prod was loosened after the plan was made";
    assert!(shot.stderr.contains(warned), "{shot}");
    assert!(
        shot.stderr.contains("loosened: approvals: 1 -> nothing"),
        "{shot}"
    );
    let log = project.run(&["log", "-n", "20"]).stdout;
    assert!(
        log.contains("policy     prod tightened: approvals: nothing -> 2\n"),
        "{log}"
    );
    assert!(
        log.contains(
            "policy     prod loosened: approvals: 2 -> nothing; tightened: lint: nothing -> error\n"
        ),
        "{log}"
    );
    // Who had approved it is carried all the same.
    let why = project.run(&["why", EMAIL, "prod"]).stdout;
    assert!(why.contains("approved    bo, "), "{why}");
}

#[test]
fn what_why_not_and_status_say_before_anyone_tries() {
    let project = asking("approvals = 2");
    approve(&project, "bo");
    let why = project.run(&["why-not", EMAIL, "prod"]);
    assert_eq!(why.exit, 3);
    assert_snapshot!(why.stdout.split_once("approval").map(|(_, rest)| format!("approval{rest}")).unwrap(), @r#"
    approval    not met: prod takes only saved plans that were approved, and this one is not saved
                    found     approved: saved plan 19cfbff3ced9: bo, 2025-11-04 10:12 UTC (typed by alice)
                    required  the approvals of 2 people who do not apply it
                    remedy    tollgate plan prod --to 20251102000000_email --out release.plan.json   # then approve, and apply --plan
      not asked   prisma, debt, lint, hold, soak, freeze, hours, rehearsal, backup
    "#);
    let status = project.run(&["status", "prod"]).stdout;
    assert!(status.contains("blocked by  approval\n"), "{status}");
    // Nobody says yes to what leaves nothing behind, nor to what is not for prod.
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    let promote = project.run(&["promote", "prod"]);
    assert_eq!(promote.exit, 3, "{promote}");
    assert!(
        promote
            .stdout
            .contains("    approval    prod takes only saved plans"),
        "{promote}"
    );
}

#[test]
fn it_cannot_be_waived() {
    let project = asking("approvals = 1");
    assert_snapshot!(project.run(&["waive", "prod", "approval", EMAIL, "--reason", "in a hurry"]), @r#"
    exit 2
    --- stderr
    error: approval cannot be waived: it asks for the word of others, and a waiver is the word of one

      remedy   tollgate plan prod   # and its remedy; missing, modified, order, promotion, data-loss, lint, hold, soak and rehearsal can be waived
    "#);
}

#[test]
fn a_name_is_somebodys() {
    let project = asking("approvals = 1");
    for (name, said) in [
        ("", "has no name in it"),
        (" ", "has no name in it"),
        ("...", "has no name in it"),
        ("<name>", "only stands in the place of a name"),
        ("b\u{200b}o", "has characters in it that are not seen"),
        ("bo\u{1b}[2J", "has characters in it that are not seen"),
        (&"b".repeat(201), "is longer than any name"),
    ] {
        let shot = project.run(&["approve", PLAN, "--as", name]);
        assert_eq!(shot.exit, 2, "{name:?}: {shot}");
        assert!(shot.stderr.contains(said), "{name:?}: {shot}");
    }
    let empty = project.run(&["approve", PLAN, "--as", "bo", "--note", " "]);
    assert_eq!(empty.exit, 2, "{empty}");
    assert_eq!(project.run(&["approve", PLAN]).exit, 2);
    assert!(missing(&project).is_some());
}

/// An approval is recorded although it would be refused now: the hours and the backup come later.
#[test]
fn what_only_waits_is_said_and_not_refused() {
    let mut project = asking("approvals = 1, allow = \"Mon-Thu 09:00-16:00 UTC\"");
    project.now += 12 * HOUR;
    assert_snapshot!(approve(&project, "bo"), @r#"
    exit 0
    --- stdout
    approved: saved plan a45954fbe168 for prod, by bo: recorded, not signed

      approved  bo, 2025-11-04 22:12 UTC (typed by alice)
      asked for 1, and none is missing
      not yet   as this ledger knows it, it would now be refused: hours

      next      tollgate apply prod --plan release.plan.json   # by somebody else
    "#);
    assert_eq!(
        refusals(&project),
        ["hours -: nothing is applied to prod at this hour"]
    );
    project.now += 12 * HOUR;
    assert_eq!(held(&project).exit, 0);
}

/// Who applied it typed the approval too: it counts for the gate, by the name, and the report says who typed it
/// and makes no separation of duties of it.
#[test]
fn the_report_says_who_typed_an_approval() {
    let mut project = asking("approvals = 1");
    for (typed_by, state, says) in [
        (
            "alice",
            "not met",
            "approved before by bo (typed by alice), in words of whoever applied it; alice alone is on record",
        ),
        (
            "cy",
            "met",
            "applied by alice, approved before by bo (typed by cy) (recorded, not signed)",
        ),
    ] {
        as_user(&mut project, typed_by);
        approve(&project, "bo");
        as_user(&mut project, "alice");
        assert_eq!(project.run(&["apply", "prod", "--plan", PLAN]).exit, 0);
        let (_, report) = project.json(&["report"]);
        let changes = report["changes"].as_array().unwrap();
        let newest = changes.last().unwrap();
        assert_eq!(newest["duties"]["state"], state, "{newest:#}");
        let why = newest["duties"]["why"].as_str().unwrap();
        assert!(why.starts_with(says), "{why}");
        let approver = newest["approver"].as_str().unwrap();
        assert!(
            approver.contains(&format!("bo (typed by {typed_by})")),
            "{approver}"
        );
        // Another one.
        let next = "20251109000000_next";
        project.write(next, "CREATE TABLE next (id INTEGER PRIMARY KEY);\n");
        assert_eq!(project.run(&["promote", "test"]).exit, 0);
        save(&project, &[]);
    }
}
