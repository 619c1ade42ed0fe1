//! What a script destroys: told before it runs, refused in the last environment until somebody says why,
//! counted in the live target.

use insta::assert_snapshot;

use crate::project::Project;

const USERS: &str = "20251101000000_users";
const DROP: &str = "20251105000000_drop_email";

/// Rows in every environment, and a script that takes a column of them.
fn project() -> Project {
    let project = Project::with(&[(
        USERS,
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT, age INTEGER);\nINSERT INTO users (name) VALUES ('ada'), ('grace'), ('edsger');\n",
    )]);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    project.write(
        DROP,
        "-- What nobody reads any more.\nALTER TABLE users DROP COLUMN email;\nALTER TABLE users DROP COLUMN age;\n",
    );
    project
}

fn require(project: &Project, environment: &str, what: &str) {
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let name = format!("name = \"{environment}\"\n");
    let text = config.replace(&name, &format!("{name}require = {{ {what} }}\n"));
    assert_ne!(text, config);
    std::fs::write(&file, text).unwrap();
}

#[test]
fn it_is_told_on_the_way_and_refused_in_the_last_environment() {
    let project = project();
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 0
    --- stdout
    ready: dev can take 1 migration

      20251105000000_drop_email
        runs        atomic, 2 statements, blake3:0425dcfae2a3
        locks       line 2: users (RESERVED) while every row is written
        locks       line 3: users (RESERVED) while every row is written

    warning: data-loss: 20251105000000_drop_email: it destroys what stands here, and does not say that it may: prod will refuse it
      found     line 2: drops column users.email; its values are gone, in every row
                line 3: drops column users.age; its values are gone, in every row
      remedy    edit migrations/20251105000000_drop_email/migration.sql: write above line 2: -- tollgate:allow data-loss <reason>

      plan 8c9739a209f16bec45ebd3fb141df163ae19f2988be987b19e46d81e9c240613
      to run it: tollgate apply dev
    "#);
    assert_snapshot!(project.run(&["promote", "prod"]), @r#"
    exit 3
    --- stdout

    migration                  dev       test      prod
    20251101000000_users       applied   applied   applied
    20251105000000_drop_email  applied   applied   pending
    refused: prod has 1 migration that cannot pass

      20251105000000_drop_email
        data-loss   it destroys what stands here, and does not say that it may
                    found     line 2: drops column users.email; its values are gone, in every row (3 rows)
                              line 3: drops column users.age; its values are gone, in every row (3 rows)
                    required  a reason in the script, or a waiver for prod
                    remedy    tollgate waive prod data-loss 20251105000000_drop_email --reason '<why>'
    --- stderr

    warning: data-loss: 20251105000000_drop_email: it destroys what stands here, and does not say that it may: prod will refuse it
      found     line 2: drops column users.email; its values are gone, in every row (3 rows)
                line 3: drops column users.age; its values are gone, in every row (3 rows)
      remedy    tollgate waive prod data-loss 20251105000000_drop_email --reason '<why>'
    dev: 1 migration to apply
      applied   20251105000000_drop_email  atomic

    warning: data-loss: 20251105000000_drop_email: it destroys what stands here, and does not say that it may: prod will refuse it
      found     line 2: drops column users.email; its values are gone, in every row (3 rows)
                line 3: drops column users.age; its values are gone, in every row (3 rows)
      remedy    tollgate waive prod data-loss 20251105000000_drop_email --reason '<why>'
    test: 1 migration to apply
      applied   20251105000000_drop_email  atomic
    "#);
    // Offline nobody counts.
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251105000000_drop_email
        data-loss   it destroys what stands here, and does not say that it may
                    found     line 2: drops column users.email; its values are gone, in every row
                              line 3: drops column users.age; its values are gone, in every row
                    required  a reason in the script, or a waiver for prod
                    remedy    tollgate waive prod data-loss 20251105000000_drop_email --reason '<why>'
    "#);
    let why = "exported to the archive first";
    let waive = ["waive", "prod", "data-loss", DROP, "--reason", why];
    assert_snapshot!(project.run(&waive), @r#"
    exit 0
    --- stdout
    waived: prod data-loss 20251105000000_drop_email, of these bytes, for the next plan of prod that runs

      next      tollgate plan prod
    "#);
    assert_snapshot!(project.run(&["apply", "prod", "--dry-run"]), @r#"
    exit 0
    --- stdout
    prod: every premise holds, 1 migration would be applied
    --- stderr

    waived: data-loss 20251105000000_drop_email by alice, 2025-11-04 10:12 UTC: exported to the archive first
      what      it destroys what stands here, and does not say that it may
                line 2: drops column users.email; its values are gone, in every row (3 rows)
                line 3: drops column users.age; its values are gone, in every row (3 rows)
    prod: 1 migration to apply
    "#);
    assert_snapshot!(project.run(&["promote", "prod"]), @r#"
    exit 0
    --- stdout

    migration                  dev       test      prod
    20251101000000_users       applied   applied   applied
    20251105000000_drop_email  applied   applied   applied

    prod: 20251105000000_drop_email with data-loss waived by alice: exported to the archive first
    --- stderr

    waived: data-loss 20251105000000_drop_email by alice, 2025-11-04 10:12 UTC: exported to the archive first
      what      it destroys what stands here, and does not say that it may
                line 2: drops column users.email; its values are gone, in every row (3 rows)
                line 3: drops column users.age; its values are gone, in every row (3 rows)
    prod: 1 migration to apply
      applied   20251105000000_drop_email  atomic (data-loss waived by alice: exported to the archive first)
    "#);
    assert_snapshot!(project.run(&["log", "--last", "3"]), @r#"
    exit 0
    --- stdout
       17  2025-11-04T10:12:00.000Z  alice  waived     prod data-loss 20251105000000_drop_email: exported to the archive first
       18  2025-11-04T10:12:00.000Z  alice  intent     prod 20251105000000_drop_email blake3:0425dcfae2a3 (data-loss waived by alice: exported to the archive first)
       19  2025-11-04T10:12:00.000Z  alice  succeeded  prod 20251105000000_drop_email
    "#);
}

#[test]
fn a_reason_in_the_script_is_shown_where_it_is_planned_and_needs_no_waiver() {
    let project = project();
    project.write(
        DROP,
        "-- tollgate:allow data-loss nobody ever read them\n\nALTER TABLE users DROP COLUMN email;\nALTER TABLE users DROP COLUMN age;\n",
    );
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 0
    --- stdout
    ready: prod can take 1 migration

      20251105000000_drop_email
        runs        atomic, 2 statements, blake3:1904b46d588a
        accepted    line 3: drops column users.email: nobody ever read them
        accepted    line 4: drops column users.age: nobody ever read them
        locks       line 3: users (RESERVED) while every row is written
        locks       line 4: users (RESERVED) while every row is written
        proven      dev 2025-11-04 10:12 UTC by alice
        proven      test 2025-11-04 10:12 UTC by alice

      plan 2fa20358ce440787814f499177e9d625f6159bbeed29d2e7f5c17bb72599717e
      to run it: tollgate apply prod
    "#);
    // One of the two is not enough.
    let other = "20251106000000_drop_name";
    project.write(
        other,
        "-- tollgate:allow data-loss it is in the archive\nALTER TABLE users DROP COLUMN name;\nDELETE FROM users;\n",
    );
    assert_eq!(project.run(&["promote", "prod", "--to", DROP]).exit, 0);
    let (exit, plan) = project.json(&["plan", "dev"]);
    assert_eq!(exit, 0);
    let warning = &plan["warnings"][0];
    assert_eq!(warning["gate"], "data-loss");
    assert!(
        warning["found"].as_str().unwrap().starts_with("line 3: "),
        "{warning}"
    );
}

#[test]
fn the_document_has_every_effect_and_finding_with_the_rows_that_were_counted() {
    let project = project();
    let (_, offline) = project.json(&["plan", "dev"]);
    let (exit, live) = project.json(&["apply", "dev", "--dry-run"]);
    assert_eq!(exit, 0);
    assert_eq!(
        offline["id"], live["plan"]["id"],
        "rows are no part of a plan"
    );
    let step = &live["plan"]["steps"][0];
    assert_eq!(step["effects"].as_array().unwrap().len(), 2);
    assert_snapshot!(serde_json::to_string_pretty(&step["effects"][0]).unwrap(), @r#"
    {
      "destroys": [
        "column users.email"
      ],
      "line": 2,
      "lock": "RESERVED",
      "may_fail": [],
      "statement": 1,
      "touches": [
        {
          "estimated": false,
          "name": "users",
          "rows": 3,
          "schema": null
        }
      ],
      "work": "rewrite"
    }
    "#);
    assert_snapshot!(serde_json::to_string_pretty(&step["findings"][1]).unwrap(), @r#"
    {
      "allowed": null,
      "consequence": "its values are gone, in every row",
      "estimated": false,
      "fact": "drops column users.age",
      "help": "carry the values over first; where that is meant, say so above the statement: -- tollgate:allow drop-column <reason>",
      "level": "error",
      "line": 3,
      "rows": 3,
      "rule": "drop-column"
    }
    "#);
    assert_eq!(
        offline["steps"][0]["findings"][1]["rows"],
        serde_json::Value::Null
    );
}

#[test]
fn the_policy_says_what_is_done() {
    let project = project();
    let gates = |project: &Project, environment: &str| {
        let (exit, plan) = project.json(&["plan", environment]);
        let of = |what: &str| {
            let all = plan[what].as_array().unwrap().iter();
            all.filter(|one| one["gate"] == "data-loss").count()
        };
        (exit, of("refusals"), of("warnings"))
    };
    assert_eq!(gates(&project, "dev"), (0, 0, 1));
    require(&project, "dev", "data_loss = \"refuse\"");
    assert_eq!(gates(&project, "dev"), (3, 1, 0));
    let why = ["--reason", "meant so"];
    let waive = [&["waive", "dev", "data-loss", DROP][..], &why].concat();
    assert_eq!(project.run(&waive).exit, 0);
    assert_eq!(gates(&project, "dev"), (0, 0, 0));
    require(&project, "prod", "data_loss = \"allow\"");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(gates(&project, "test"), (0, 0, 1));
    assert_snapshot!(project.run(&["plan", "test"]), @r#"
    exit 0
    --- stdout
    ready: test can take 1 migration

      20251105000000_drop_email
        runs        atomic, 2 statements, blake3:0425dcfae2a3
        locks       line 2: users (RESERVED) while every row is written
        locks       line 3: users (RESERVED) while every row is written
        proven      dev 2025-11-04 10:12 UTC by alice (data-loss waived by alice: meant so)

    warning: data-loss: 20251105000000_drop_email: it destroys what stands here, and does not say that it may
      found     line 2: drops column users.email; its values are gone, in every row
                line 3: drops column users.age; its values are gone, in every row
      remedy    see that it is meant: tollgate log --migration 20251105000000_drop_email

      plan 5f994433fa4b7956fe8a376cf03d22f87251b7ed93efd17dcbef6148ca304b7a
      to run it: tollgate apply test
    "#);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
}

#[test]
fn what_can_never_be_waived_says_so() {
    let project = project();
    require(&project, "prod", "never_waive = [\"data-loss\"]");
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    let plan = project.run(&["plan", "prod"]).to_string();
    assert!(plan.contains("tollgate bind test --emptied"), "{plan}");
    let waive = ["waive", "prod", "data-loss", DROP, "--reason", "because"];
    assert_eq!(project.run(&waive).exit, 3);
}

#[test]
fn in_a_target_that_has_nothing_nothing_is_lost() {
    let project = Project::with(&[(USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n")]);
    project.write(DROP, "DROP TABLE users;\n");
    let unread = "20251106000000_unread";
    project.write(unread, "CREATE TABLE nope (;\n");
    for environment in ["dev", "prod"] {
        let (_, plan) = project.json(&["plan", environment]);
        let refusals = plan["refusals"].to_string();
        assert!(!refusals.contains("data-loss"), "{refusals}");
        assert_eq!(plan["warnings"], serde_json::json!([]), "{environment}");
    }
    assert_eq!(project.run(&["promote", "prod", "--to", DROP]).exit, 0);
}

#[test]
fn of_a_script_that_cannot_be_read_nobody_knows_what_it_destroys() {
    let project = project();
    let long = format!(
        "ALTER TABLE users DROP COLUMN email; -- {}\n",
        "x".repeat(5 * 1024 * 1024)
    );
    project.write(DROP, &long);
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251105000000_drop_email
        data-loss   what it destroys cannot be read, and it does not say that it may
                    found     5242921 bytes that were not analysed
                    required  a reason in the script, or a waiver for prod
                    remedy    tollgate waive prod data-loss 20251105000000_drop_email --reason '<why>'
    "#);
    let said = format!("-- tollgate:allow data-loss the column is in the archive\n{long}");
    project.write(DROP, &said);
    let (_, plan) = project.json(&["plan", "prod"]);
    assert!(
        !plan["refusals"].to_string().contains("data-loss"),
        "{}",
        plan["refusals"]
    );
}

#[test]
fn a_rehearsal_is_not_refused_for_what_it_puts_back() {
    let project = project();
    require(&project, "test", "data_loss = \"refuse\"");
    project.write_down(DROP, "-- tollgate:down lossy: users.email, users.age\nALTER TABLE users ADD COLUMN email TEXT;\nALTER TABLE users ADD COLUMN age INTEGER;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["rehearse", "test"]).exit, 0);
    assert_eq!(project.run(&["apply", "test"]).exit, 3);
}

/// Where nobody can waive it, its bytes have to be others, and there is a way back to that.
#[test]
fn what_nobody_can_waive_goes_back_to_the_first_environment() {
    let project = project();
    require(
        &project,
        "prod",
        "never_waive = [\"data-loss\", \"promotion\"]",
    );
    project.write_down(
        DROP,
        "ALTER TABLE users ADD COLUMN email TEXT;\nALTER TABLE users ADD COLUMN age INTEGER;\n",
    );
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(project.run(&["plan", "test"]), @r#"
    exit 0
    --- stdout
    ready: test can take 1 migration

      20251105000000_drop_email
        runs        atomic, 2 statements, blake3:0425dcfae2a3
        locks       line 2: users (RESERVED) while every row is written
        locks       line 3: users (RESERVED) while every row is written
        proven      dev 2025-11-04 10:12 UTC by alice

    warning: data-loss: 20251105000000_drop_email: it destroys what stands here, and does not say that it may: prod will refuse it
      found     line 2: drops column users.email; its values are gone, in every row
                line 3: drops column users.age; its values are gone, in every row
      remedy    edit migrations/20251105000000_drop_email/migration.sql: write above line 2: -- tollgate:allow data-loss <reason>, then: tollgate redo 20251105000000_drop_email, then: tollgate promote prod

      plan 6dd0c75943ea645bdf9463edd56ebc239160c8381659d582eff9e93d19dc90d3
      to run it: tollgate apply test
    "#);
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
    assert_snapshot!(project.run(&["plan", "prod"]), @r#"
    exit 3
    --- stdout
    refused: prod has 1 migration that cannot pass

      20251105000000_drop_email
        data-loss   it destroys what stands here, and does not say that it may
                    found     line 2: drops column users.email; its values are gone, in every row
                              line 3: drops column users.age; its values are gone, in every row
                    required  a reason in the script
                    remedy    edit migrations/20251105000000_drop_email/migration.sql: write above line 2: -- tollgate:allow data-loss <reason>, then: tollgate redo 20251105000000_drop_email, then: empty test, tollgate bind test --emptied --reason '<why>', then: tollgate promote prod
    "#);
    // What it says, done.
    project.write(
        DROP,
        "-- tollgate:allow data-loss exported\n\nALTER TABLE users DROP COLUMN email;\nALTER TABLE users DROP COLUMN age;\n",
    );
    assert_snapshot!(project.run(&["redo", DROP]), @r#"
    exit 0
    --- stdout
    dev: 20251105000000_drop_email was undone and applied again
    --- stderr
    warning: test has 20251105000000_drop_email with the bytes that ran there, and refuses this edit of it as modified
      remedy    tollgate log restore 20251105000000_drop_email   # and write the edit into a migration of its own: tollgate new '<name>'
      undone    20251105000000_drop_email  by its down.sql, from the ledger
    dev: 1 migration to apply
      20251105000000_drop_email
        accepted    line 3: drops column users.email (3 rows): exported
        accepted    line 4: drops column users.age (3 rows): exported
      applied   20251105000000_drop_email  atomic
    "#);
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(project.path().join(format!("state/test.db{end}")));
    }
    let bind = ["bind", "test", "--emptied", "--reason", "new bytes"];
    assert_eq!(project.run(&bind).exit, 0);
    let shot = project.run(&["promote", "prod"]);
    assert_eq!(shot.exit, 0, "{shot}");
}

/// The `console` block of the section in docs/LINT.md is what the program says.
#[test]
fn the_page_shows_a_waiver_as_it_is() {
    let page = include_str!("../../docs/LINT.md");
    let (_, section) = page.split_once("### The way past one refusal\n").unwrap();
    let (_, block) = section.split_once("```console\n").unwrap();
    let (expected, _) = block.split_once("```").unwrap();
    let project = project();
    assert_eq!(project.run(&["promote", "prod"]).exit, 3);
    let mut actual = String::new();
    for line in expected.lines() {
        let Some(command) = line.strip_prefix("$ tollgate ") else {
            continue;
        };
        let (words, reason) = command.split_once(" '").unwrap_or((command, ""));
        let reason = reason.strip_suffix('\'');
        let arguments: Vec<&str> = words.split(' ').chain(reason).collect();
        let shot = project.run(&arguments);
        assert_eq!(shot.exit, 0, "{shot}");
        actual.push_str(&format!("{line}\n{}{}", shot.stderr, shot.stdout));
    }
    assert_eq!(actual, expected, "\nit should be:\n{actual}");
}

/// Further down it is not known of what a script says it, that nobody could read.
#[test]
fn a_script_that_cannot_be_read_says_so_before_everything_else() {
    let project = project();
    let gates = |script: &str| {
        project.write(DROP, script);
        let (_, plan) = project.json(&["plan", "prod"]);
        let refusals = plan["refusals"].as_array().unwrap().clone();
        let gates = refusals.into_iter().map(|one| one["gate"].clone());
        gates.collect::<Vec<_>>()
    };
    let word = "-- tollgate:allow data-loss it was agreed\n";
    let after = gates(&format!("DROP TABEL users;\n{word}"));
    assert_eq!(after, ["promotion", "data-loss"]);
    let before = gates(&format!("{word}DROP TABEL users;\n"));
    assert_eq!(before, ["promotion"]);
}
