//! A password in a script is in its bytes, and in nothing that is printed.

use insta::assert_snapshot;

use crate::on_postgres::Chain;
use crate::project::{Project, Shot};

const SECRET: &str = "x9secretx";
const ROLE: &str = "20251101000000_role";
const BODY: &str = "20251102000000_body";
const PLAN: &str = "p.plan.json";

fn without_it(shot: &Shot) -> &Shot {
    assert!(!shot.to_string().contains(SECRET), "{shot}");
    shot
}

#[test]
fn a_script_that_fails_does_not_show_its_password() {
    let mut chain = Chain::new(&[
        (
            ROLE,
            "SELECT 1;\n  ALTER ROLE tollgate_nobody PASSWORD 'x9secretx' LOGIN;\n",
        ),
        (
            BODY,
            "DO $$ BEGIN EXECUTE 'ALTER ROLE tollgate_nobody PASSWORD ''x9secretx'''; END $$;\n",
        ),
    ]);
    let summary = chain.project.path().join("summary.md");
    chain.project.variables.insert(
        "GITHUB_STEP_SUMMARY".to_owned(),
        summary.to_str().unwrap().to_owned(),
    );
    assert_snapshot!(without_it(&chain.run(&["apply", "dev"])), @r#"
    exit 1
    --- stderr
    dev: bound to app_dev
    dev: 2 migrations to apply
    error: 20251101000000_role failed in dev: role "tollgate_nobody" does not exist [42704]
      --> migrations/20251101000000_role/migration.sql:2:3
      |
    2 |   ALTER ROLE tollgate_nobody PASSWORD '***' LOGIN;
      |   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    dev is as it was: the whole script was rolled back.
      remedy   edit migrations/20251101000000_role/migration.sql, then: tollgate apply dev
    "#);
    for arguments in [
        &["apply", "dev", "--format", "github"][..],
        &["apply", "dev", "--format", "json"],
        &["plan", "dev"],
        &["why-not", ROLE, "dev"],
        &["status"],
        &["log"],
        &["lint", "--level", "note"],
        &["lint", "--format", "json"],
    ] {
        without_it(&chain.run(arguments));
    }
    let told = std::fs::read_to_string(&summary).unwrap();
    assert!(!told.contains(SECRET), "{told}");

    // The server repeats what it was told to run.
    chain.project.write(ROLE, "SELECT 1;\n");
    assert_snapshot!(without_it(&chain.run(&["apply", "dev"])), @r#"
    exit 1
    --- stderr
    dev: 2 migrations to apply
      applied   20251101000000_role  atomic
    error: 20251102000000_body failed in dev: role "tollgate_nobody" does not exist [42704]
      --> migrations/20251102000000_body/migration.sql:1:1
      |
    1 | DO $$ BEGIN EXECUTE 'ALTER ROLE tollgate_nobody PASSWORD ''***'''; END $$;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      context  SQL statement "ALTER ROLE tollgate_nobody PASSWORD '***'"
               PL/pgSQL function inline_code_block line 1 at EXECUTE

    dev is as it was: the whole script was rolled back.
      remedy   edit migrations/20251102000000_body/migration.sql, then: tollgate apply dev
    "#);
    without_it(&chain.run(&["log", "--format", "json"]));
    let script = std::fs::read_to_string(chain.project.script(BODY)).unwrap();
    assert!(script.contains(SECRET));
}

#[test]
fn what_sqlite_repeats_of_a_script_is_without_it() {
    let project = Project::with(&[(ROLE, "SELECT 1\nFROM (SELECT 2) AS password 'x9secretx';\n")]);
    assert_snapshot!(without_it(&project.run(&["apply", "dev"])), @r#"
    exit 1
    --- stderr
    dev: bound to dev.db
    dev: 1 migration to apply
    error: 20251101000000_role failed in dev: near "'***'": syntax error
      --> migrations/20251101000000_role/migration.sql:2:29
      |
    2 | FROM (SELECT 2) AS password '***';
      |                             ^^^^^

    dev is as it was: the whole script was rolled back.
      remedy   edit migrations/20251101000000_role/migration.sql, then: tollgate apply dev
    "#);
}

#[test]
fn a_review_shows_the_script_without_it() {
    let project = Project::with(&[(
        ROLE,
        "-- CREATE ROLE app PASSWORD 'x9secretx';\nCREATE TABLE app (password TEXT);\nINSERT INTO app VALUES ('known');\nUPDATE app SET password = 'x9secretx';\n",
    )]);
    project.write_down(
        ROLE,
        "-- postgresql://app:x9secretx@db/app\nDROP TABLE app;\n",
    );
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_eq!(
        without_it(&project.run(&["plan", "prod", "--out", PLAN])).exit,
        0
    );
    let review = project.run(&["review", PLAN]);
    let step = review.stdout.split_once("\n  1. ").unwrap().1;
    assert_snapshot!(step.split_once("\n  gates").unwrap().0, @r#"
    20251101000000_role
        runs         atomic
        blake3       0879f1ed787ec662e86216fdcad8ca0fba27a5c3789bd218a4398f8a03092c00
        sha256       47c7c81b3d4aec8a5866fb2e09c8651dc4bfbc85ec6ebedaf177a6c5bfdfe79c
        proven       dev 2025-11-04 10:12 UTC by alice, receipt 1 (38f64459d9b5) of ledger ea21c7b3
        proven       test 2025-11-04 10:12 UTC by alice, receipt 1 (70046daca1b9) of ledger ea21c7b3
        written by   not known
        reversal     down.sql, blake3:5ea83ec3a07f3fdea9cd2cc8e48b54200dbfd67adbd507554e95135e88a1321e
        note         the passwords in its migration.sql are not shown; the file of the plan holds its bytes
        note         the passwords in its down.sql are not shown; the file of the plan holds its bytes

        migration.sql, 4 lines
        | -- CREATE ROLE app PASSWORD '***';
        | CREATE TABLE app (password TEXT);
        | INSERT INTO app VALUES ('known');
        | UPDATE app SET password = '***';

        down.sql, 2 lines
        | -- postgresql://***@db/app
        | DROP TABLE app;
    "#);
    for format in ["text", "markdown", "html", "json"] {
        let shot = project.run(&["review", PLAN, "--format", format]);
        assert_eq!(without_it(&shot).exit, 0);
        assert!(shot.stdout.contains("***"), "{shot}");
    }
    let (_, document) = project.json(&["review", PLAN]);
    let step = &document["plan"]["content"]["steps"][0];
    assert_eq!(step["passwords_hidden"], true);
    assert_eq!(step["down"]["passwords_hidden"], true);
    // What is run are the bytes, and the file has them.
    let file = std::fs::read_to_string(project.path().join(PLAN)).unwrap();
    assert!(file.contains(SECRET));
    let applied = project.run(&["apply", "prod", "--plan", PLAN]);
    assert_eq!(without_it(&applied).exit, 0);
    let stands: String = project
        .database("prod")
        .query_row("SELECT password FROM app", [], |row| row.get(0))
        .unwrap();
    assert_eq!(stands, SECRET);
}
