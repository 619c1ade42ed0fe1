//! Breaking glass: what it skips and does not skip, the debt that it opens, and how that is paid.

mod gates;
mod paid;
mod stops;

use insta::assert_snapshot;

use crate::project::{Project, Shot};

pub(crate) const USERS: &str = "20251101000000_users";
pub(crate) const EMAIL: &str = "20251102000000_email";
pub(crate) const LATER: &str = "20251103000000_later";
pub(crate) const SECOND: i64 = 1_000;
pub(crate) const HOUR: i64 = 3_600 * SECOND;
pub(crate) const ALLOWED: &str = "break_glass = { review_within = \"72h\" }";

/// Two migrations on disk, and prod asks for this.
pub(crate) fn requiring(what: &str) -> Project {
    let project = Project::with(&[
        (
            USERS,
            "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\n",
        ),
        (EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n"),
    ]);
    require(&project, "prod", what);
    project
}

/// Asks this of an environment, and nothing else.
pub(crate) fn require(project: &Project, environment: &str, what: &str) {
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let name = format!("name = \"{environment}\"");
    let mut out = Vec::new();
    let mut is_here = false;
    for line in config.lines() {
        if line.starts_with("name = ") {
            is_here = line == name;
        }
        if is_here && line.starts_with("require") {
            continue;
        }
        out.push(line.to_owned());
        if is_here && line == name && !what.is_empty() {
            out.push(format!("require = {{ {what} }}"));
        }
    }
    assert!(what.is_empty() || out.iter().any(|line| line.contains(what)));
    std::fs::write(&file, out.join("\n")).unwrap();
}

/// The first migration is everywhere; the second one nowhere, and prod cannot wait for it.
pub(crate) fn urgent() -> Project {
    let project = requiring(ALLOWED);
    for environment in ["dev", "test", "prod"] {
        must(&project, &["apply", environment, "--to", USERS], 0);
    }
    project
}

pub(crate) const COMMAND: [&str; 6] = [
    "break-glass",
    "prod",
    "--reason",
    "nobody can log in",
    "--incident",
    "INC-7",
];

/// The same without a question.
pub(crate) fn yes() -> Vec<&'static str> {
    [&COMMAND[..], &["--yes"]].concat()
}

pub(crate) fn must(project: &Project, arguments: &[&str], exit: u8) -> Shot {
    let shot = project.run(arguments);
    assert_eq!(shot.exit, exit, "{arguments:?}: {shot}");
    shot
}

/// The same as somebody else.
pub(crate) fn must_as(project: &mut Project, who: &str, arguments: &[&str], exit: u8) -> Shot {
    let before = project.variables.insert("USER".to_owned(), who.to_owned());
    let shot = must(project, arguments, exit);
    project
        .variables
        .extend(before.map(|who| ("USER".to_owned(), who)));
    shot
}

pub(crate) const REVIEW: [&str; 5] = [
    "post-review",
    "prod",
    "INC-7",
    "--note",
    "it held, and the cause is known",
];

/// The gates that an environment refuses.
pub(crate) fn refusals(project: &Project, environment: &str) -> Vec<String> {
    let (exit, plan) = project.json(&["plan", environment]);
    let refusals = plan["refusals"].as_array().unwrap();
    assert_eq!(exit, if refusals.is_empty() { 0 } else { 3 });
    refusals
        .iter()
        .map(|refusal| refusal["gate"].as_str().unwrap().to_owned())
        .collect()
}

/// Broken, and something new is ready for prod.
pub(crate) fn broken() -> Project {
    let project = urgent();
    must(&project, &yes(), 0);
    project
}

#[test]
fn it_is_shown_confirmed_and_owed() {
    let mut project = urgent();
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that has not earned its place

      20251102000000_email
        promotion   these bytes never succeeded in dev and test
                    found     dev: nothing
                              test: nothing
                    required  success of blake3:0bff6c90c6e8 in dev and test
                    remedy    tollgate promote test --to 20251102000000_email
    "#);
    assert_snapshot!(project.run_typing(&COMMAND, "y\n"), @r#"
    exit 0
    --- stdout
    prod: 1 migration applied
    the debt of incident INC-7 is open: to be reviewed by 2025-11-07 10:12 UTC

      next      tollgate plan prod   # says what is owed
    --- stderr
    prod: 1 migration to apply
    break glass: 1 migration to prod without the proof, for incident INC-7: nobody can log in
      20251102000000_email  blake3:0bff6c90c6e8

      it skips
        promotion   20251102000000_email: these bytes never succeeded in dev and test

      it opens a debt
        dev and test owe the run of 20251102000000_email
        somebody else reviews it by 2025-11-07 10:12 UTC
        until both are done prod takes no ordinary plan, and the run is no evidence of anything
    break the glass? [y/N]   applied   20251102000000_email  atomic
    "#);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  pending   pending   applied (debt)

    prod: debt of incident INC-7, open: 1 run through broken glass
      broken 2025-11-04 10:12 UTC by alice: nobody can log in
      dev and test owe the run of 20251102000000_email (blake3:0bff6c90c6e8)
      nobody else reviewed it: due 2025-11-07 10:12 UTC

    dev: 1 migration waits, ready
      20251102000000_email  ready
    test: 1 migration waits
      20251102000000_email  promotion: not in dev
    prod: nothing waits
    "#);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 0
    --- stdout
    prod: up to date, nothing to do

    warning: debt: prod: glass was broken here for incident INC-7, and that is not paid for
      found     broken 2025-11-04 10:12 UTC by alice: nobody can log in
                dev and test owe the run of 20251102000000_email (blake3:0bff6c90c6e8)
                nobody else reviewed it: due 2025-11-07 10:12 UTC
      remedy    tollgate promote test --to 20251102000000_email

    warning: promotion: prod: what was applied here never succeeded in dev and test
      found     20251102000000_email
      remedy    tollgate log --migration 20251102000000_email   # who applied it to prod, and when
    "#);
    project.write(LATER, "CREATE TABLE later (id INTEGER);\n");
    assert_snapshot!(project.run(&["plan", "prod", "--to", LATER]), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        debt        glass was broken here for incident INC-7, and that is not paid for
                    found     broken 2025-11-04 10:12 UTC by alice: nobody can log in
                              dev and test owe the run of 20251102000000_email (blake3:0bff6c90c6e8)
                              nobody else reviewed it: due 2025-11-07 10:12 UTC
                    required  success of the same bytes in dev and test, and a review by somebody else than alice
                    remedy    tollgate promote test --to 20251102000000_email

      20251103000000_later
        promotion   these bytes never succeeded in dev and test
                    found     dev: nothing
                              test: nothing
                    required  success of blake3:93a31ba7d1e5 in dev and test
                    remedy    tollgate promote test --to 20251103000000_later

    warning: promotion: prod: what was applied here never succeeded in dev and test
      found     20251102000000_email
      remedy    tollgate log --migration 20251102000000_email   # who applied it to prod, and when
    "#);
    assert_snapshot!(project.run(&["why", LATER, "prod"]), @r#"
    exit 3
    --- stdout
    no: 20251103000000_later cannot go to prod: 2 gates are not met

      identity    met: bound to prod.db (6f3287cd13d7); whether it is still that one is asked under the lock
      chain       met: dev, test, prod, as the ledger knows it
      baseline    met: nothing of another tool's stands there untold
      unknown     met: how every attempt ended is known
      failed      met: no attempt is left half-way
      debt        not met: glass was broken here for incident INC-7, and that is not paid for
                    found     broken 2025-11-04 10:12 UTC by alice: nobody can log in
                              dev and test owe the run of 20251102000000_email (blake3:0bff6c90c6e8)
                              nobody else reviewed it: due 2025-11-07 10:12 UTC
                    required  success of the same bytes in dev and test, and a review by somebody else than alice
                    remedy    tollgate promote test --to 20251102000000_email
      missing     met: 2 migrations applied here, each with its folder
      modified    met: 2 migrations applied here, each with the bytes that ran
      order       met: it comes after 20251102000000_email, the newest applied here
      promotion   not met: these bytes never succeeded in dev and test
                    found     dev: nothing
                              test: nothing
                    required  success of blake3:93a31ba7d1e5 in dev and test
                    remedy    tollgate promote test --to 20251103000000_later
      promotion   warns: what was applied here never succeeded in dev and test
                    found     20251102000000_email
                    required  the same chain from the first day, or a look at how it came here
                    remedy    tollgate log --migration 20251102000000_email   # who applied it to prod, and when
      script      met: it can be sent
      data-loss   met: nothing that stands here is destroyed, as far as its text tells
      not asked   prisma, lint, hold, soak, freeze, hours, rehearsal, backup, approval
    "#);
    assert_snapshot!(project.run(&["log"]), @r#"
    exit 0
    --- stdout
        1  2025-11-04T10:12:00.000Z  alice  opened     this ledger, writer ea21c7b3
        2  2025-11-04T10:12:00.000Z  alice  bound      dev to sqlite dev.db
        3  2025-11-04T10:12:00.000Z  alice  chained    dev, test, prod
        4  2025-11-04T10:12:00.000Z  alice  intent     dev 20251101000000_users blake3:c5daedb536d9
        5  2025-11-04T10:12:00.000Z  alice  succeeded  dev 20251101000000_users
        6  2025-11-04T10:12:00.000Z  alice  bound      test to sqlite test.db
        7  2025-11-04T10:12:00.000Z  alice  intent     test 20251101000000_users blake3:c5daedb536d9
        8  2025-11-04T10:12:00.000Z  alice  succeeded  test 20251101000000_users
        9  2025-11-04T10:12:00.000Z  alice  bound      prod to sqlite prod.db
       10  2025-11-04T10:12:00.000Z  alice  policy     prod loosened: break_glass: nothing -> allowed, to be reviewed within 3d
       11  2025-11-04T10:12:00.000Z  alice  intent     prod 20251101000000_users blake3:c5daedb536d9
       12  2025-11-04T10:12:00.000Z  alice  succeeded  prod 20251101000000_users
       13  2025-11-04T10:12:00.000Z  alice  broke-glass prod 1 migration, past promotion, incident INC-7: nobody can log in
       14  2025-11-04T10:12:00.000Z  alice  intent     prod 20251102000000_email blake3:0bff6c90c6e8 (through broken glass, incident INC-7: nobody can log in)
       15  2025-11-04T10:12:00.000Z  alice  succeeded  prod 20251102000000_email
    "#);
    project.now += HOUR;
    assert_snapshot!(must_as(&mut project, "bob", &REVIEW, 0), @r#"
    exit 0
    --- stdout
    reviewed: incident INC-7 in prod, broken by alice
      dev and test owe the run of 20251102000000_email (blake3:0bff6c90c6e8)
    the debt stays open until they ran

      next      tollgate plan prod   # and its remedy
    "#);
    must(&project, &["promote", "test"], 0);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 0
    --- stdout
    ready: prod can take 1 migration

      20251103000000_later
        runs        atomic, 1 statement, blake3:93a31ba7d1e5
        proven      dev 2025-11-04 11:12 UTC by alice
        proven      test 2025-11-04 11:12 UTC by alice

      plan 83867c8cf5a472da728c4400dbdd9307a88efecb2d96bf2b89ec795680dc2681
      to run it: tollgate apply prod
    "#);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  applied   applied   applied
    20251103000000_later  applied   applied   pending

    dev: nothing waits
    test: nothing waits
    prod: 1 migration waits, ready
      20251103000000_later  0 s  ready
    "#);
    must(&project, &["apply", "prod"], 0);
    assert_snapshot!(project.run(&["why", EMAIL, "prod"]), @r#"
    exit 0
    --- stdout
    applied: 20251102000000_email stands in prod

      since       2025-11-04 10:12 UTC by alice, receipt 2 (f08401498e5f63135cd59b451b3353c4991be3bebe1cec88e68e9984754ed174)
      bytes       blake3:0bff6c90c6e8
      glass       through broken glass, incident INC-7: nobody can log in; it is no evidence

      next      tollgate log --migration 20251102000000_email
    "#);
    let log = must(&project, &["log"], 0).stdout;
    assert_snapshot!(log.lines().filter(|line| line.contains("review")).collect::<Vec<_>>().join("\n"), @r#"
    10  2025-11-04T10:12:00.000Z  alice  policy     prod loosened: break_glass: nothing -> allowed, to be reviewed within 3d
    16  2025-11-04T11:12:00.000Z  bob  post-reviewed prod, incident INC-7: it held, and the cause is known
    "#);
}

#[test]
fn nothing_is_done_without_a_yes() {
    let project = urgent();
    assert_snapshot!(project.run(&COMMAND), @r#"
    exit 2
    --- stdout
    break glass: 1 migration to prod without the proof, for incident INC-7: nobody can log in
      20251102000000_email  blake3:0bff6c90c6e8

      it skips
        promotion   20251102000000_email: these bytes never succeeded in dev and test

      it opens a debt
        dev and test owe the run of 20251102000000_email
        somebody else reviews it by 2025-11-07 10:12 UTC
        until both are done prod takes no ordinary plan, and the run is no evidence of anything
    --- stderr
    prod: 1 migration to apply

    error: there is no terminal to ask on, so nothing was done

      remedy   tollgate break-glass prod --reason 'nobody can log in' --incident INC-7 --yes
    "#);
    assert_snapshot!(project.run_typing(&COMMAND, "no\n"), @r#"
    exit 2
    --- stderr
    prod: 1 migration to apply
    break glass: 1 migration to prod without the proof, for incident INC-7: nobody can log in
      20251102000000_email  blake3:0bff6c90c6e8

      it skips
        promotion   20251102000000_email: these bytes never succeeded in dev and test

      it opens a debt
        dev and test owe the run of 20251102000000_email
        somebody else reviews it by 2025-11-07 10:12 UTC
        until both are done prod takes no ordinary plan, and the run is no evidence of anything
    break the glass? [y/N] 
    stopped: nothing was done

      remedy   tollgate break-glass prod --reason 'nobody can log in' --incident INC-7
    "#);
    let (exit, shown) = project.json(&COMMAND);
    assert_eq!((exit, shown["end"].as_str()), (2, Some("shown")));
    assert_eq!(shown["schema"], "tollgate/break-glass/v1");
    assert_eq!(shown["plan"]["glass"]["skipped"][0]["gate"], "promotion");
    let log = must(&project, &["log"], 0).stdout;
    assert!(!log.contains("broke-glass"), "{log}");
    assert_eq!(refusals(&project, "prod"), ["promotion"]);
}

#[test]
fn the_policy_has_to_allow_it() {
    let project = urgent();
    require(&project, "prod", "");
    assert_snapshot!(project.run(&yes()), @r#"
    exit 3
    --- stderr
    error: the policy of prod lets nobody break glass there; nothing was done

      remedy   edit tollgate.toml: break_glass = { review_within = "72h" } in [environment.require] of prod
    "#);
    let log = must(&project, &["log", "-n", "1"], 0).stdout;
    assert!(
        log.contains("refused    break-glass prod: break-glass"),
        "{log}"
    );
    require(&project, "prod", "break_glass = true");
    assert_snapshot!(project.run(&yes()), @r#"
    exit 2
    --- stderr
    error: [environment.require] break_glass in tollgate.toml says in no length of time when it is reviewed

      remedy   edit tollgate.toml: break_glass = { review_within = "72h" }; left out, nobody can break glass there
    "#);
    require(&project, "prod", ALLOWED);
    must(&project, &yes(), 0);
}

#[test]
fn a_reason_and_an_incident_are_needed() {
    let project = urgent();
    for (reason, incident) in [(" ", "INC-7"), ("why", "\t")] {
        let asked = [
            "break-glass",
            "prod",
            "--reason",
            reason,
            "--incident",
            incident,
            "--yes",
        ];
        let shot = must(&project, &asked, 2);
        assert!(
            shot.stderr.contains("is needed, and this one is empty"),
            "{shot}"
        );
    }
    must(
        &project,
        &["break-glass", "prod", "--yes", "--reason", "why"],
        2,
    );
    must(
        &project,
        &["post-review", "prod", "INC-7", "--note", " "],
        2,
    );
}

#[test]
fn where_nothing_is_refused_there_is_nothing_to_break() {
    let project = urgent();
    must(&project, &["promote", "test"], 0);
    assert_snapshot!(project.run(&yes()), @r#"
    exit 2
    --- stderr
    error: prod refuses nothing of it, so there is no glass to break

      remedy   tollgate apply prod
    "#);
    let asked = [&yes()[..], &["--to", EMAIL]].concat();
    let shot = must(&project, &asked, 2);
    assert!(
        shot.stderr
            .contains(&format!("tollgate apply prod --to {EMAIL}")),
        "{shot}"
    );
    must(&project, &["apply", "prod"], 0);
    let shot = must(&project, &yes(), 0);
    assert!(shot.stdout.contains("nothing to do"), "{shot}");
}

#[test]
fn machines_read_what_is_owed() {
    let project = urgent();
    let (exit, document) = project.json(&yes());
    assert_eq!((exit, document["end"].as_str()), (0, Some("done")));
    let (_, status) = project.json(&["status"]);
    let cell = &status["migrations"][1]["environments"]["prod"];
    assert_eq!(cell["state"], "applied");
    assert_snapshot!(serde_json::to_string_pretty(&cell["broken_glass"]).unwrap(), @r#"
    {
      "incident": "INC-7",
      "open": true,
      "owes": [
        "dev",
        "test"
      ],
      "reason": "nobody can log in",
      "review_by": "2025-11-07T10:12:00.000Z",
      "skipped": [
        {
          "gate": "promotion",
          "migration": "20251102000000_email"
        }
      ]
    }
    "#);
    assert_snapshot!(serde_json::to_string_pretty(&status["debts"]).unwrap(), @r#"
    [
      {
        "at": "2025-11-04T10:12:00.000Z",
        "by": [
          "alice"
        ],
        "environment": "prod",
        "incident": "INC-7",
        "open": true,
        "overdue": false,
        "reason": "nobody can log in",
        "review_by": "2025-11-07T10:12:00.000Z",
        "runs": [
          {
            "at": "2025-11-04T10:12:00.000Z",
            "by": "alice",
            "checksum": "blake3:0bff6c90c6e8d7b71ab23045cf37f66f020526813fda4fb571537003064a695b",
            "migration": "20251102000000_email",
            "owes": [
              "dev",
              "test"
            ],
            "reviewed": null,
            "skipped": [
              {
                "gate": "promotion",
                "migration": "20251102000000_email"
              }
            ]
          }
        ]
      }
    ]
    "#);
    let cell = &status["migrations"][0]["environments"]["prod"];
    assert!(cell.get("broken_glass").is_none());
}
