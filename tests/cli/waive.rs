//! Waivers: one gate, one migration, one environment, with a reason; used once, and shown for ever.

use insta::assert_snapshot;

use crate::project::Project;

const USERS: &str = "20251101000000_users";
const EMAIL: &str = "20251102000000_email";
const PHONE: &str = "20251103000000_phone";

/// Two migrations are in prod; one of a branch that stands between them is merged afterwards.
fn merged_late() -> Project {
    let project = Project::with(&[
        (
            USERS,
            "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);\n",
        ),
        (PHONE, "ALTER TABLE users ADD COLUMN phone TEXT;\n"),
    ]);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    project.write(EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    project
}

fn require(project: &Project, environment: &str, what: &str) {
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let name = format!("name = \"{environment}\"\n");
    let table = format!("require = {{ {what} }}\n");
    let text = config.replace(&name, &format!("{name}{table}"));
    assert_ne!(text, config);
    std::fs::write(&file, text).unwrap();
}

fn require_no_more(project: &Project) {
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let lines = config
        .lines()
        .filter(|line| !line.starts_with("require = "));
    let text: Vec<&str> = lines.collect();
    std::fs::write(&file, text.join("\n")).unwrap();
}

fn waive(project: &Project, environment: &str, gate: &str, migration: &str) -> u8 {
    let why = "the branch was merged late";
    project
        .run(&["waive", environment, gate, migration, "--reason", why])
        .exit
}

#[test]
fn one_migration_passes_one_gate_in_one_environment_and_it_is_shown_for_ever() {
    let project = merged_late();
    assert_snapshot!(project.run(&["plan", "test"]), @r#"
    exit 3
    --- stdout
    refused: test has 1 migration that cannot pass

      20251102000000_email
        order       it comes before a migration that was applied here already
                    found     20251103000000_phone was applied 2025-11-04 10:12 UTC
                    required  a name that sorts after every applied migration
                    remedy    tollgate restamp 20251102000000_email
    "#);
    let why = "the branch was merged late";
    assert_snapshot!(project.run(&["waive", "test", "order", "20251102", "--reason", why]), @r#"
    exit 0
    --- stdout
    waived: test order 20251102000000_email, of these bytes, for the next plan of test that runs

      next      tollgate plan test
    "#);
    assert_snapshot!(project.run(&["plan", "test"]), @r#"
    exit 0
    --- stdout
    ready: test can take 1 migration

      20251102000000_email
        runs        atomic, 1 statement, blake3:0bff6c90c6e8
        proven      dev 2025-11-04 10:12 UTC by alice

    waived: order 20251102000000_email by alice, 2025-11-04 10:12 UTC: the branch was merged late
      what      it comes before a migration that was applied here already
                20251103000000_phone was applied 2025-11-04 10:12 UTC

      plan abb5aefb64b046251be8e7b611c4039b0cf5d8411e03b8a32ee1041bb4015a86
      to run it: tollgate apply test
    "#);
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 0
    --- stdout
    test: 1 migration applied
    --- stderr

    waived: order 20251102000000_email by alice, 2025-11-04 10:12 UTC: the branch was merged late
      what      it comes before a migration that was applied here already
                20251103000000_phone was applied 2025-11-04 10:12 UTC
    test: 1 migration to apply
      applied   20251102000000_email  atomic (order waived by alice: the branch was merged late)
    "#);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  applied   applied   pending
    20251103000000_phone  applied   applied   applied

    test: 20251102000000_email with order waived by alice: the branch was merged late

    dev: nothing waits
    test: nothing waits
    prod: 1 migration waits
      20251102000000_email  0 s  order
    "#);
    assert_snapshot!(project.run(&["log", "--last", "4"]), @r#"
    exit 0
    --- stdout
       19  2025-11-04T10:12:00.000Z  alice  succeeded  dev 20251102000000_email
       20  2025-11-04T10:12:00.000Z  alice  waived     test order 20251102000000_email: the branch was merged late
       21  2025-11-04T10:12:00.000Z  alice  intent     test 20251102000000_email blake3:0bff6c90c6e8 (order waived by alice: the branch was merged late)
       22  2025-11-04T10:12:00.000Z  alice  succeeded  test 20251102000000_email
    "#);
    // It stands in for no other environment, and is told wherever the success is.
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251102000000_email
        order       it comes before a migration that was applied here already
                    found     20251103000000_phone was applied 2025-11-04 10:12 UTC
                              test has it under this name, so it can no longer get another
                    required  a name that sorts after every applied migration
                    remedy    tollgate waive prod order 20251102000000_email --reason '<why>'
    "#);
    assert_eq!(waive(&project, "prod", "order", EMAIL), 0);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 0
    --- stdout
    ready: prod can take 1 migration

      20251102000000_email
        runs        atomic, 1 statement, blake3:0bff6c90c6e8
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice (order waived by alice: the branch was merged late)

    waived: order 20251102000000_email by alice, 2025-11-04 10:12 UTC: the branch was merged late
      what      it comes before a migration that was applied here already
                20251103000000_phone was applied 2025-11-04 10:12 UTC
                test has it under this name, so it can no longer get another

      plan 9cc45350bb7af43631996e9a6a6e78f364a9a1342ce0570c1cde39b6840e0eaa
      to run it: tollgate apply prod
    "#);
    assert_snapshot!(project.run(&["promote", "prod"]), @r#"
    exit 0
    --- stdout

    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  applied   applied   applied
    20251103000000_phone  applied   applied   applied

    test: 20251102000000_email with order waived by alice: the branch was merged late
    prod: 20251102000000_email with order waived by alice: the branch was merged late
    --- stderr

    waived: order 20251102000000_email by alice, 2025-11-04 10:12 UTC: the branch was merged late
      what      it comes before a migration that was applied here already
                20251103000000_phone was applied 2025-11-04 10:12 UTC
                test has it under this name, so it can no longer get another
    prod: 1 migration to apply
      applied   20251102000000_email  atomic (order waived by alice: the branch was merged late)
    "#);
}

#[test]
fn the_documents_of_every_verb_have_it() {
    let project = merged_late();
    let why = "the branch was merged late";
    let (exit, said) = project.json(&["waive", "test", "order", EMAIL, "--reason", why]);
    assert_eq!(exit, 0);
    assert_eq!(said["schema"], "tollgate/waive/v1");
    assert_eq!(said["waiver"]["gate"], "order");
    assert_eq!(said["waiver"]["reason"], why);
    assert_eq!(said["lasts_seconds"], serde_json::Value::Null);
    assert_eq!(said["plan"]["verdict"], "ready");
    let (exit, plan) = project.json(&["plan", "test"]);
    assert_eq!((exit, &plan["refusals"]), (0, &serde_json::json!([])));
    let waived = &plan["waived"][0];
    assert_eq!(waived["gate"], "order");
    assert_eq!(waived["migration"], EMAIL);
    assert_eq!(waived["by"], "alice");
    assert!(
        waived["fact"]
            .as_str()
            .unwrap()
            .contains("applied here already")
    );
    assert_ne!(plan["id"], project.json(&["plan", "prod"]).1["id"]);
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    let (_, status) = project.json(&["status"]);
    let cells = &status["migrations"][1]["environments"];
    assert_eq!(cells["test"]["waived"][0]["reason"], why);
    assert_eq!(cells["dev"]["waived"], serde_json::json!([]));
    let (_, prod) = project.json(&["plan", "prod"]);
    assert_eq!(prod["steps"][0]["proofs"][1]["waived"][0]["gate"], "order");
}

#[test]
fn the_next_plan_that_runs_uses_it_up_and_a_look_does_not() {
    let project = merged_late();
    project.write(EMAIL, "SELECT no_such_function();\n");
    assert_eq!(project.run(&["reset", "dev", "--yes"]).exit, 0);
    // Where nothing of it stands it fails, and leaves nothing.
    assert_eq!(project.run(&["apply", "dev"]).exit, 1);
    require(&project, "test", "never_waive = []");
    for gate in ["order", "promotion"] {
        assert_eq!(waive(&project, "test", gate, EMAIL), 0, "{gate}");
    }
    for look in [&["plan", "test"][..], &["apply", "test", "--dry-run"]] {
        for _ in 0..2 {
            assert_eq!(project.run(look).exit, 0, "{look:?}");
        }
    }
    assert_eq!(project.run(&["apply", "test"]).exit, 1);
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 3
    --- stdout
    refused: test has 1 migration that cannot pass

      20251102000000_email
        order       it comes before a migration that was applied here already
                    found     20251103000000_phone was applied 2025-11-04 10:12 UTC
                    required  a name that sorts after every applied migration
                    remedy    tollgate restamp 20251102000000_email
        promotion   these bytes never succeeded in dev
                    found     dev: failed 2025-11-04 10:12 UTC
                    required  success of blake3:23fd54aa3222 in dev
                    remedy    tollgate apply dev --to 20251102000000_email

    warning: failed: 20251102000000_email: the same bytes failed here before, and were rolled back
      found     2025-11-04 10:12 UTC: no such function: no_such_function
      remedy    tollgate log --migration 20251102000000_email
    "#);
}

#[test]
fn of_other_bytes_it_says_nothing() {
    let project = merged_late();
    assert_eq!(waive(&project, "test", "order", EMAIL), 0);
    assert_eq!(project.run(&["plan", "test"]).exit, 0);
    project.write(
        EMAIL,
        "ALTER TABLE users ADD COLUMN email TEXT; -- or two\n",
    );
    let (exit, plan) = project.json(&["plan", "test"]);
    let gates: Vec<&str> = plan["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["gate"].as_str().unwrap())
        .collect();
    assert_eq!((exit, gates), (3, vec!["order", "promotion"]));
    assert_eq!(plan["waived"], serde_json::json!([]));
    // The first bytes are back, and so is the word on them.
    project.write(EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n");
    assert_eq!(project.run(&["plan", "test"]).exit, 0);
}

#[test]
fn a_plan_that_does_not_need_it_leaves_it() {
    let project = merged_late();
    let late = "20251102120000_fax";
    project.write(late, "ALTER TABLE users ADD COLUMN fax TEXT;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(waive(&project, "test", "order", EMAIL), 0);
    assert_eq!(waive(&project, "test", "order", late), 0);
    // One of the two is not in this plan, and stays accepted.
    assert_eq!(project.run(&["apply", "test", "--to", EMAIL]).exit, 0);
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
}

#[test]
fn what_cannot_be_accepted_is_an_error_or_a_refusal() {
    let project = merged_late();
    let entries = |project: &Project| {
        project.json(&["log"]).1["entries"]
            .as_array()
            .unwrap()
            .len()
    };
    let before = entries(&project);
    let run = |what: &[&str]| project.run(&[what, &["--reason", "because"]].concat());
    assert_snapshot!(run(&["waive", "test", "identity", EMAIL]), @r#"
    exit 2
    --- stderr
    error: identity cannot be waived: it says what is not known or cannot run, and nobody can answer for that

      remedy   tollgate plan test   # and its remedy; missing, modified, order, promotion, data-loss, lint, hold, soak and rehearsal can be waived
    "#);
    assert_snapshot!(run(&["waive", "test", "ordre", EMAIL]), @r#"
    exit 2
    --- stderr
    error: there is no gate ordre

      remedy   did you mean order?
    "#);
    assert_snapshot!(run(&["waive", "test", "modified", EMAIL]), @r#"
    exit 2
    --- stderr
    error: modified refuses nothing of 20251102000000_email in test; order does

      remedy   tollgate plan test --to 20251102000000_email
    "#);
    assert_snapshot!(run(&["waive", "dev", "order", USERS]), @r#"
    exit 2
    --- stderr
    error: order refuses nothing of 20251101000000_users in dev

      remedy   tollgate plan dev --to 20251101000000_users
    "#);
    assert_snapshot!(run(&["waive", "test", "order", "20259999"]), @r#"
    exit 2
    --- stderr
    error: there is no migration 20259999

      remedy   tollgate status
    "#);
    assert_snapshot!(project.run(&["waive", "test", "order", EMAIL, "--reason", " "]), @r#"
    exit 2
    --- stderr
    error: a reason is needed, and this one is empty

      remedy   tollgate waive test order 20251102000000_email --reason '<why>'
    "#);
    assert_eq!(entries(&project), before);
    assert_eq!(waive(&project, "test", "order", EMAIL), 0);
    assert_snapshot!(run(&["waive", "test", "order", EMAIL]), @r#"
    exit 2
    --- stderr
    error: order of 20251102000000_email is waived in test already, by alice: the branch was merged late

      remedy   tollgate plan test
    "#);
    assert_eq!(entries(&project), before + 1);
    // A refusal by policy is an entry, as the other verbs' are.
    assert_snapshot!(run(&["waive", "prod", "promotion", EMAIL]), @r#"
    exit 3
    --- stderr
    error: promotion can never be waived in prod, as its policy says

      remedy   tollgate plan prod   # its remedy is the way
    "#);
    assert_snapshot!(project.run(&["log", "--last", "1"]), @r#"
    exit 0
    --- stdout
       21  2025-11-04T10:12:00.000Z  alice  refused    waive prod: promotion
    "#);
}

/// It is read by others, and for ever: in one line, without what steers a terminal, without a password.
#[test]
fn a_reason_is_one_line_that_says_something() {
    let project = merged_late();
    let run = |why: &str| project.run(&["waive", "test", "order", EMAIL, "--reason", why]);
    for nothing in ["\t\n", "<why>", "...", "\u{1b}"] {
        assert_eq!(run(nothing).exit, 2, "{nothing:?}");
    }
    assert_snapshot!(run("<why>"), @r#"
    exit 2
    --- stderr
    error: a reason is needed, and <why> only stands in its place

      remedy   tollgate waive test order 20251102000000_email --reason '<why>'
    "#);
    let shot = run(&"x".repeat(2_001));
    assert_eq!(shot.exit, 2);
    assert!(
        shot.stderr
            .contains("of at most 2000 characters is needed, and this one has 2001")
    );
    let why = "one\n   99  alice  approved\t\u{1b}[31mred postgresql://ada:swordfish@h:5/db ...";
    assert_eq!(run(why).exit, 0);
    assert_snapshot!(project.run(&["log", "--last", "1"]), @r#"
    exit 0
    --- stdout
       20  2025-11-04T10:12:00.000Z  alice  waived     test order 20251102000000_email: one 99 alice approved [31mred postgresql://ada:***@h:5/db ...
    "#);
    let log = project.run(&["log", "--last", "1", "--format", "json"]);
    assert!(!log.stdout.contains("swordfish"), "{log}");
    let ledger = std::fs::read(project.path().join("state/ledger.db")).unwrap();
    let wal = std::fs::read(project.path().join("state/ledger.db-wal")).unwrap_or_default();
    let has = |bytes: &[u8]| bytes.windows(9).any(|window| window == b"swordfish");
    assert!(!has(&ledger) && !has(&wal));
}

#[test]
fn a_warning_refuses_nothing_that_could_be_accepted() {
    let project = merged_late();
    assert_eq!(project.run(&["reset", "dev", "--yes"]).exit, 0);
    assert_eq!(project.run(&["apply", "dev", "--to", USERS]).exit, 0);
    project.write(USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n");
    assert_snapshot!(project.run(&["waive", "dev", "modified", USERS, "--reason", "why not"]), @r#"
    exit 2
    --- stderr
    error: modified only warns of 20251101000000_users in dev, and refuses nothing

      remedy   tollgate apply dev
    "#);
}

#[test]
fn the_policy_says_which_can_never_be_and_an_empty_list_allows_them_all() {
    let project = merged_late();
    require(&project, "test", "never_waive = [\"order\"]");
    assert_eq!(waive(&project, "test", "order", EMAIL), 3);
    require_no_more(&project);
    assert_eq!(waive(&project, "test", "order", EMAIL), 0);
    assert_eq!(project.run(&["plan", "test"]).exit, 0);
    // What was accepted under another policy counts for nothing under this one.
    require(&project, "test", "never_waive = [\"order\"]");
    assert_eq!(project.run(&["plan", "test"]).exit, 3);
    require_no_more(&project);
    require(&project, "prod", "never_waive = []");
    assert_eq!(waive(&project, "prod", "promotion", EMAIL), 0);
    assert_eq!(waive(&project, "prod", "order", EMAIL), 0);
    assert_eq!(project.run(&["plan", "prod"]).exit, 0);
    require_no_more(&project);
    let (exit, plan) = project.json(&["plan", "prod"]);
    assert_eq!(
        (exit, &plan["refusals"][0]["gate"]),
        (3, &"promotion".into())
    );
    assert_eq!(plan["waived"][0]["gate"], "order");
}

#[test]
fn it_lasts_as_long_as_the_policy_says() {
    let mut project = merged_late();
    require(&project, "test", "waivers_last = \"24h\"");
    assert_snapshot!(project.run(&["waive", "test", "order", EMAIL, "--reason", "late"]), @r#"
    exit 0
    --- stdout
    waived: test order 20251102000000_email, of these bytes, for 1 d

      next      tollgate plan test
    "#);
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    // The target is put back to before it ran: the same word is still good, for a day.
    let file = project.path().join("state/test.db");
    let database = rusqlite::Connection::open(&file).unwrap();
    database
        .execute_batch("ALTER TABLE users DROP COLUMN email")
        .unwrap();
    drop(database);
    assert_eq!(
        project
            .run(&["bind", "test", "--emptied", "--reason", "new"])
            .exit,
        3
    );
    std::fs::remove_file(&file).unwrap();
    assert_eq!(
        project
            .run(&["bind", "test", "--emptied", "--reason", "new"])
            .exit,
        0
    );
    assert_eq!(project.run(&["apply", "test", "--to", USERS]).exit, 0);
    let late = "20251031000000_late";
    project.write(late, "SELECT 1;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(waive(&project, "test", "order", late), 0);
    project.now += 24 * 3_600_000;
    assert_eq!(project.run(&["plan", "test"]).exit, 0);
    project.now += 1;
    let (exit, plan) = project.json(&["plan", "test"]);
    assert_eq!((exit, &plan["refusals"][0]["gate"]), (3, &"order".into()));
    // And one of the future for no time at all: a clock is wrong.
    project.now -= 48 * 3_600_000;
    assert_eq!(project.run(&["plan", "test"]).exit, 3);
}

#[test]
fn a_lost_ledger_regains_what_was_waived_from_the_receipts_alone() {
    let project = merged_late();
    assert_eq!(waive(&project, "test", "order", EMAIL), 0);
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    assert_eq!(waive(&project, "prod", "order", EMAIL), 0);
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    let waived = |project: &Project| {
        let (_, status) = project.json(&["status"]);
        let cells = status["migrations"][1]["environments"].clone();
        ["dev", "test", "prod"].map(|name| cells[name]["waived"].clone())
    };
    let before = waived(&project);
    for file in [
        "ledger.db",
        "ledger.db-wal",
        "ledger.db-shm",
        "ledger.db.head",
    ] {
        let _ = std::fs::remove_file(project.path().join("state").join(file));
    }
    assert_eq!(project.run(&["sync"]).exit, 0);
    assert_eq!(waived(&project), before);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  applied   applied   applied
    20251103000000_phone  applied   applied   applied

    test: 20251102000000_email with order waived by alice: the branch was merged late
    prod: 20251102000000_email with order waived by alice: the branch was merged late

    nothing waits
    "#);
    // Prod's receipt alone tells what was waived in test.
    for file in [
        "ledger.db",
        "ledger.db-wal",
        "ledger.db-shm",
        "ledger.db.head",
        "test.db",
    ] {
        let _ = std::fs::remove_file(project.path().join("state").join(file));
    }
    assert_eq!(project.run(&["sync", "prod"]).exit, 0);
    std::fs::remove_file(project.path().join("state/prod.db")).unwrap();
    let emptied = ["bind", "prod", "--emptied", "--reason", "a new server"];
    assert_eq!(project.run(&emptied).exit, 0);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 0
    --- stdout
    ready: prod can take 3 migrations

      20251101000000_users
        runs        atomic, 1 statement, blake3:c5daedb536d9
        proven      dev 2025-11-04 10:12 UTC by alice, as its receipt in prod tells
        proven      test 2025-11-04 10:12 UTC by alice, as its receipt in prod tells

      20251102000000_email
        runs        atomic, 1 statement, blake3:0bff6c90c6e8
        proven      dev 2025-11-04 10:12 UTC by alice, as its receipt in prod tells
        proven      test 2025-11-04 10:12 UTC by alice, as its receipt in prod tells (order waived by alice: the branch was merged late)

      20251103000000_phone
        runs        atomic, 1 statement, blake3:39722d4c119a
        proven      dev 2025-11-04 10:12 UTC by alice, as its receipt in prod tells
        proven      test 2025-11-04 10:12 UTC by alice, as its receipt in prod tells

      plan 51bfaabf9f16053683580c7d771e998c85cafacd9cf6ceb5089fa1323157f58a
      to run it: tollgate apply prod
    "#);
    assert_snapshot!(project.run(&["log"]), @r#"
    exit 0
    --- stdout
        1  2025-11-04T10:12:00.000Z  alice  opened     this ledger, writer 202eae6f
        2  2025-11-04T10:12:00.000Z  alice  bound      prod to sqlite prod.db
        3  2025-11-04T10:12:00.000Z  alice  absorbed   prod 20251101000000_users, from the target's receipts
        4  2025-11-04T10:12:00.000Z  alice  absorbed   prod 20251103000000_phone, from the target's receipts
        5  2025-11-04T10:12:00.000Z  alice  absorbed   prod 20251102000000_email, from the target's receipts (order waived by alice: the branch was merged late)
        6  2025-11-04T10:12:00.000Z  alice  bound      prod to sqlite prod.db: a new server
    "#);
}

#[test]
fn a_migration_whose_folder_is_gone_is_accepted_by_the_bytes_that_ran() {
    let project = merged_late();
    std::fs::remove_dir_all(project.script(PHONE).parent().unwrap()).unwrap();
    std::fs::remove_dir_all(project.script(EMAIL).parent().unwrap()).unwrap();
    let next = "20251105000000_next";
    project.write(next, "ALTER TABLE users ADD COLUMN next TEXT;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(waive(&project, "test", "missing", PHONE), 0);
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 0
    --- stdout
    test: 1 migration applied
    --- stderr

    waived: missing 20251103000000_phone by alice, 2025-11-04 10:12 UTC: the branch was merged late
      what      it was applied here and its folder is gone
                applied 2025-11-04 10:12 UTC by alice (blake3:39722d4c119a)
    test: 1 migration to apply
      applied   20251105000000_next  atomic (missing waived by alice: the branch was merged late)
    "#);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration             dev       test      prod
    20251101000000_users  applied   applied   applied
    20251102000000_email  missing   -         -
    20251103000000_phone  missing   missing   missing
    20251105000000_next   applied   applied   pending

    test: 20251105000000_next with missing of 20251103000000_phone waived by alice: the branch was merged late

    dev: nothing waits
    test: nothing waits
      all of it  missing: 20251103000000_phone
    prod: 1 migration waits
      all of it                 missing: 20251103000000_phone
      20251105000000_next  0 s
    "#);
    // Used up: the next plan asks again.
    assert_eq!(project.run(&["plan", "test"]).exit, 3);
}

#[test]
fn what_was_waived_in_test_makes_nothing_of_dev() {
    let project = merged_late();
    let next = "20251105000000_next";
    project.write(next, "ALTER TABLE users ADD COLUMN next TEXT;\n");
    std::fs::remove_dir_all(project.script(EMAIL).parent().unwrap()).unwrap();
    assert_eq!(waive(&project, "test", "promotion", next), 0);
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that has not earned its place

      20251105000000_next
        promotion   these bytes never succeeded in dev
                    found     dev: nothing
                              test: succeeded 2025-11-04 10:12 UTC by alice (promotion waived by alice: the branch was merged late)
                    required  success of blake3:ab7109dd69a8 in dev and test
                    remedy    tollgate apply dev --to 20251105000000_next
    "#);
}

/// What is accepted of one reversal, or of none, was not accepted of another.
#[test]
fn a_waiver_of_the_gate_rehearsal_is_about_the_reversal_that_stood_there() {
    let project = Project::with(&[(USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n")]);
    require(&project, "prod", "rehearsal = true, waivers_last = \"24h\"");
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_eq!(waive(&project, "prod", "rehearsal", USERS), 0);
    assert_eq!(project.run(&["plan", "prod"]).exit, 0);

    // A reversal that says more than none at all.
    project.write_down(USERS, "-- tollgate:down irreversible: gone\n");
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251101000000_users
        rehearsal   its down.sql says that it is irreversible
                    found     gone
                    required  that somebody accepts it for prod
                    remedy    edit tollgate.toml, below [environment.require] of prod: rehearsal = { irreversible = ["20251101000000_users"] }
    "#);

    // One that was accepted, and then another one.
    project.write_down(USERS, "DROP TABLE nothing;\n");
    assert_eq!(waive(&project, "prod", "rehearsal", USERS), 0);
    assert_eq!(project.run(&["plan", "prod"]).exit, 0);
    project.write_down(USERS, "DROP TABLE users;\n");
    assert_eq!(project.run(&["plan", "prod"]).exit, 3);
    assert_eq!(waive(&project, "prod", "rehearsal", USERS), 0);
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
}
