//! `status` at a glance: what waits where, for how long, and what blocks it.

use insta::assert_snapshot;

use crate::project::Project;

const USERS: &str = "20251101000000_users";
const EMAIL: &str = "20251102000000_email";
const FAX: &str = "20251103000000_fax";
const PHONE: &str = "20251104000000_phone";
const HOUR: i64 = 3_600_000;

/// Asks this of an environment.
fn require(project: &Project, environment: &str, what: &str) {
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let name = format!("name = \"{environment}\"\n");
    assert!(config.contains(&name));
    let text = config.replace(&name, &format!("{name}require = {{ {what} }}\n"));
    std::fs::write(&file, text).unwrap();
}

fn users() -> Project {
    Project::with(&[(
        USERS,
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, fax TEXT);\n",
    )])
}

/// What is told below the matrix.
fn waits(project: &Project) -> String {
    let shot = project.run(&["status"]);
    assert_eq!(shot.exit, 0, "{shot}");
    let (_, waits) = shot.stdout.split_once("\n\n").unwrap();
    assert!(
        waits.lines().all(|line| line.chars().count() <= 80),
        "{shot}"
    );
    waits.to_owned()
}

#[test]
fn what_waits_where_for_how_long_and_what_blocks_it() {
    let mut project = users();
    assert_snapshot!(waits(&project), @r#"
    dev: 1 migration waits, ready
      20251101000000_users  ready
    test: 1 migration waits
      20251101000000_users  promotion: not in dev
    prod: 1 migration waits
      20251101000000_users  promotion: not in dev and test
    "#);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration             dev       test      prod
    20251101000000_users  applied   applied   applied

    nothing waits
    "#);
    project.write(EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n");
    project.write(FAX, "ALTER TABLE users DROP COLUMN fax;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["apply", "test", "--to", EMAIL]).exit, 0);
    project.write(PHONE, "ALTER TABLE users ADD COLUMN phone TEXT;\n");
    project.now += 26 * HOUR;
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  applied   applied   pending
    20251103000000_fax    applied   pending   pending
    20251104000000_phone  pending   pending   pending

    dev: 1 migration waits, ready
      20251104000000_phone  ready
    test: 2 migrations wait, the first ready
      20251103000000_fax    1 d 2 h  ready
      20251104000000_phone           promotion: not in dev
    prod: 3 migrations wait, the first ready
      20251102000000_email  1 d 2 h  ready
      20251103000000_fax             promotion: not in test; data-loss
      20251104000000_phone           promotion: not in dev and test
    "#);
    require(
        &project,
        "prod",
        &format!(
            "soak = \"2d\", backup = \"1h\", hold = [{{ migration = \"{FAX}\", reason = \"the fax is still read\" }}], \
             freeze = [{{ from = \"2025-11-05 00:00 UTC\", to = \"2025-11-06 00:00 UTC\", reason = \"a\" }}, \
             {{ from = \"2025-11-05 23:00 UTC\", to = \"2025-11-07 06:30 UTC\", reason = \"b\" }}], \
             allow = \"Mon-Thu 09:00-12:00 Europe/Berlin\""
        ),
    );
    assert_snapshot!(waits(&project), @r#"
    dev: 1 migration waits, ready
      20251104000000_phone  ready
    test: 2 migrations wait, the first ready
      20251103000000_fax    1 d 2 h  ready
      20251104000000_phone           promotion: not in dev
    prod: 3 migrations wait
      all of it
        freeze until 2025-11-07 06:30 UTC; hours until 2025-11-06 08:00 UTC; backup
      20251102000000_email, 1 d 2 h
        soak until 2025-11-06 10:12 UTC
      20251103000000_fax
        promotion: not in test; data-loss; hold
      20251104000000_phone
        promotion: not in dev and test
    "#);
    let (exit, status) = project.json(&["status"]);
    assert_eq!((exit, &status["schema"]), (0, &"tollgate/status/v1".into()));
    assert_snapshot!(
        serde_json::to_string_pretty(&status["waiting"]["prod"]).unwrap(),
        @r#"
    {
      "blocked_by": [
        {
          "gate": "freeze",
          "until": "2025-11-07T06:30:00.000Z"
        },
        {
          "gate": "hours",
          "until": "2025-11-06T08:00:00.000Z"
        },
        {
          "gate": "backup"
        }
      ],
      "count": 3,
      "drift": null,
      "migrations": [
        {
          "blocked_by": [
            {
              "gate": "soak",
              "until": "2025-11-06T10:12:00.000Z"
            }
          ],
          "migration": "20251102000000_email",
          "ready": false,
          "since": "2025-11-04T10:12:00.000Z"
        },
        {
          "blocked_by": [
            {
              "gate": "promotion",
              "missing_in": [
                "test"
              ]
            },
            {
              "gate": "data-loss"
            },
            {
              "gate": "hold"
            }
          ],
          "migration": "20251103000000_fax",
          "ready": false,
          "since": null
        },
        {
          "blocked_by": [
            {
              "gate": "promotion",
              "missing_in": [
                "dev",
                "test"
              ]
            }
          ],
          "migration": "20251104000000_phone",
          "ready": false,
          "since": null
        }
      ],
      "next": "tollgate status prod"
    }
    "#
    );
    // It is what the plan refuses, gate by gate.
    let (_, plan) = project.json(&["plan", "prod"]);
    let refused: Vec<&str> = plan["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["gate"].as_str().unwrap())
        .collect();
    let prod = &status["waiting"]["prod"];
    let of_steps = prod["migrations"].as_array().unwrap().iter();
    let mut told: Vec<&str> = of_steps
        .flat_map(|it| it["blocked_by"].as_array().unwrap())
        .chain(prod["blocked_by"].as_array().unwrap())
        .map(|it| it["gate"].as_str().unwrap())
        .collect();
    let mut refused = refused;
    refused.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, refused);
    // A clock that was set back.
    project.now -= 48 * HOUR;
    assert_snapshot!(waits(&project), @r#"
    dev: 1 migration waits, ready
      20251104000000_phone  ready
    test: 2 migrations wait, the first ready
      20251103000000_fax    of the future  ready
      20251104000000_phone                 promotion: not in dev
    prod: 3 migrations wait
      all of it                            hours until 2025-11-04 08:00 UTC; backup
      20251102000000_email  of the future  soak
      20251103000000_fax                   promotion: not in test; data-loss; hold
      20251104000000_phone                 promotion: not in dev and test
    "#);
}

#[test]
fn what_failed_and_what_was_found_by_hand_is_told() {
    let mut project = users();
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    project.write(
        EMAIL,
        "BEGIN;\nCREATE TABLE a (id INTEGER);\nCOMMIT;\nBEGIN;\nCREATE TABLE users (id INTEGER);\nCOMMIT;\n",
    );
    assert_eq!(project.run(&["apply", "dev"]).exit, 1);
    project
        .database("prod")
        .execute_batch("CREATE TABLE by_hand (id INTEGER)")
        .unwrap();
    assert_eq!(project.run(&["verify", "prod"]).exit, 3);
    let script = std::fs::read_to_string(project.script(USERS)).unwrap();
    project.write(USERS, &format!("{script}-- one more thought\n"));
    project.now += 2 * HOUR;
    assert_snapshot!(waits(&project), @r#"
    dev: 1 migration waits
      20251102000000_email  2 h  failed
    test: 1 migration waits
      all of it             modified: 20251101000000_users
      20251102000000_email  promotion: not in dev
    prod: 1 migration waits
      all of it                  modified: 20251101000000_users
      drift                 2 h  in 1 object
      20251102000000_email       promotion: not in dev and test
    "#);
}

#[test]
fn long_names_have_what_blocks_them_below() {
    let mut project = users();
    let long = "20251120140233_rollback_unique_subscriber_email_address";
    project.write(long, "ALTER TABLE users DROP COLUMN fax;\n");
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    project.now += 50 * HOUR;
    require(&project, "prod", "soak = \"3d\", rehearsal = true");
    assert_snapshot!(waits(&project), @r#"
    prod: this ledger knows no target there; tollgate sync prod

    dev: nothing waits
    test: nothing waits
    prod: 2 migrations wait
      20251101000000_users, 2 d 2 h
        soak until 2025-11-07 10:12 UTC; rehearsal
      20251120140233_rollback_unique_subscriber_email_address, 2 d 2 h
        soak until 2025-11-07 10:12 UTC; rehearsal
    "#);
}

#[test]
fn very_many_are_counted() {
    let project = users();
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    for number in 0..250 {
        project.write(
            &format!("2025110200{number:04}_m"),
            &format!("CREATE TABLE t{number} (id INTEGER PRIMARY KEY);\n"),
        );
    }
    assert_eq!(
        project
            .run(&["apply", "dev", "--to", "20251102000100_m"])
            .exit,
        0
    );
    assert_snapshot!(waits(&project), @r#"
    dev: 149 migrations wait, all ready
      20251102000101_m  ready
      ... 147 more ...
      20251102000249_m  ready
    test: 250 migrations wait, the first 101 ready
      20251102000000_m  0 s  ready
      ... 99 more ...
      20251102000100_m  0 s  ready
      20251102000101_m       promotion: not in dev
      ... 97 more ...
      20251102000199_m       promotion: not in dev
      ... and 50 more
    prod: 250 migrations wait
      20251102000000_m  promotion: not in test
      ... 99 more ...
      20251102000100_m  promotion: not in test
      20251102000101_m  promotion: not in dev and test
      ... 97 more ...
      20251102000199_m  promotion: not in dev and test
      ... and 50 more
    "#);
    let (_, status) = project.json(&["status"]);
    let test = &status["waiting"]["test"];
    assert_eq!(test["count"], 250);
    assert_eq!(test["migrations"].as_array().unwrap().len(), 200);
    assert_eq!(
        test["next"], "tollgate apply test --to 20251102000100_m",
        "{test}"
    );
}

#[test]
fn what_comes_and_goes_and_what_is_everybodys_waits_only_where_nobody_had_it() {
    let project = users();
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let config = config.replace("name = \"test\"\n", "name = \"test\"\nephemeral = true\n");
    let preview =
        "[[environment]]\nname = \"preview\"\nurl = \"sqlite:state/preview.db\"\nchain = false\n";
    std::fs::write(&file, format!("{config}\n{preview}")).unwrap();
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    project.write(EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(waits(&project), @r#"
    preview: outside the chain, never evidence
    prod: this ledger knows no target there; tollgate sync prod
    preview: this ledger knows no target there; tollgate sync preview

    dev: nothing waits
    test: 1 migration waits, ready
      20251102000000_email  0 s  ready
    prod: 2 migrations wait, the first ready
      20251101000000_users  0 s  ready
      20251102000000_email       promotion: not in test
    "#);
    let (_, status) = project.json(&["status"]);
    assert_eq!(status["waiting"].get("preview"), None);
}
