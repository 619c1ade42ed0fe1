//! A migration that came too late for its name.

use insta::assert_snapshot;

use super::{EMAIL, PHONE, USERS, project};
use crate::project::Project;

const LATE: &str = "20251102120000_late";

/// `test` has the newest one; then a branch comes with an older one.
fn late() -> Project {
    let project = project();
    project.write(PHONE, "ALTER TABLE users ADD COLUMN phone TEXT;\n");
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    project.write(LATE, "CREATE TABLE late (id INTEGER PRIMARY KEY);\n");
    project
}

#[test]
fn lint_names_the_environments_that_will_refuse_it() {
    let project = late();
    assert_snapshot!(project.run(&["lint"]), @r#"
    exit 3
    --- stdout
    error[order]: comes before 20251103000000_phone, which was applied in dev and test
      --> migrations/20251102120000_late/migration.sql
      so        it will be refused in test
      help      tollgate restamp 20251102120000_late

    1 error in 4 migrations

      why       tollgate lint --explain order
    "#);
    assert_eq!(project.run(&["lint", USERS, EMAIL, PHONE]).exit, 0);
}

#[test]
fn the_plan_of_the_first_environment_says_that_a_later_one_will_refuse_it() {
    let project = late();
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 0
    --- stdout
    ready: dev can take 1 migration

      20251102120000_late
        runs        atomic, 1 statement, blake3:a397b5ef21a6

    warning: order: 20251102120000_late: it comes before a migration that was applied here already
      found     20251103000000_phone was applied 2025-11-04 10:12 UTC
      remedy    tollgate restamp 20251102120000_late

    warning: order: 20251102120000_late: it comes too late for test, and will be refused there
      found     test: 20251103000000_phone was applied 2025-11-04 10:12 UTC
      remedy    tollgate restamp 20251102120000_late

      plan 2672781e2e3ead62db125e95b47cfed445da0114bea2b71b348f6e6a50d1d1ea
      to run it: tollgate apply dev
    "#);
    assert_snapshot!(project.run(&["plan", "test"]), @r#"
    exit 3
    --- stdout
    refused: test has 1 migration that cannot pass

      20251102120000_late
        order       it comes before a migration that was applied here already
                    found     20251103000000_phone was applied 2025-11-04 10:12 UTC
                    required  a name that sorts after every applied migration
                    remedy    tollgate restamp 20251102120000_late
        promotion   these bytes never succeeded in dev
                    found     dev: nothing
                    required  success of blake3:a397b5ef21a6 in dev
                    remedy    tollgate apply dev --to 20251102120000_late
    "#);
}

/// The remedy works as it is printed.
#[test]
fn restamped_it_is_in_its_place() {
    let project = late();
    assert_snapshot!(project.run(&["restamp", LATE]), @r#"
    exit 0
    --- stdout
    20251102120000_late is now 20251104101200_late

      next      tollgate plan dev
    "#);
    assert_eq!(project.run(&["lint"]).exit, 0);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
}

/// Once it ran in the first environment the remedy still works; dev has to start clean.
#[test]
fn what_only_the_first_environment_has_can_be_restamped() {
    let project = late();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["lint"]).exit, 3);
    assert_snapshot!(project.run(&["restamp", LATE]), @r#"
    exit 0
    --- stdout
    20251102120000_late is now 20251104101200_late
    --- stderr
    warning: dev has it under its old name, and would run it again
      remedy    tollgate reset dev   # or give dev an empty database, then: tollgate bind dev --reason 'restamped 20251102120000_late'
    "#);
}

/// `test` has it under its name, and `prod` was applied while its folder was away.
#[test]
fn what_a_strict_environment_has_keeps_its_name() {
    let project = project();
    project.write(PHONE, "ALTER TABLE users ADD COLUMN phone TEXT;\n");
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    let (folder, away) = (
        project.script(EMAIL).parent().unwrap().to_owned(),
        project.path().join("away"),
    );
    std::fs::rename(&folder, &away).unwrap();
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    std::fs::rename(&away, &folder).unwrap();
    assert_snapshot!(project.run(&["lint"]), @r#"
    exit 3
    --- stdout
    error[order]: comes before 20251103000000_phone, which was applied in prod
      --> migrations/20251102000000_email/migration.sql
      so        it will be refused in prod
      help      test has it under this name, so it can no longer get another: tollgate waive prod order 20251102000000_email --reason '<why>'

    1 error in 3 migrations

      why       tollgate lint --explain order
    "#);
    assert_snapshot!(project.run(&["restamp", EMAIL]), @r#"
    exit 3
    --- stderr
    error: 20251102000000_email was applied in test, under this name
      a new name would make it another migration, which would run there again

      remedy   tollgate new '<what is still to be done>'
    "#);
}

#[test]
fn what_only_the_first_environment_passed_by_is_a_warning() {
    let project = project();
    project.write(PHONE, "ALTER TABLE users ADD COLUMN phone TEXT;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    project.write(LATE, "CREATE TABLE late (id INTEGER PRIMARY KEY);\n");
    assert_snapshot!(project.run(&["lint"]), @r#"
    exit 0
    --- stdout
    warning[order-in-first]: comes before 20251103000000_phone, which was applied in dev
      --> migrations/20251102120000_late/migration.sql
      so        dev ran them in another order than every later environment will
      help      tollgate restamp 20251102120000_late

    1 warning in 4 migrations

      why       tollgate lint --explain order-in-first
    "#);
}

/// A new database takes them in their order, whatever the one before it had.
#[test]
fn an_ephemeral_environment_makes_nothing_late() {
    let project = project();
    let file = project.path().join("tollgate.toml");
    let chain = std::fs::read_to_string(&file).unwrap();
    let chain = chain.replacen(
        "name = \"test\"\n",
        "name = \"test\"\nephemeral = true\n",
        1,
    );
    std::fs::write(&file, chain).unwrap();
    project.write(PHONE, "ALTER TABLE users ADD COLUMN phone TEXT;\n");
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    project.write(LATE, "CREATE TABLE late (id INTEGER PRIMARY KEY);\n");
    let (exit, report) = project.json(&["lint"]);
    let rules: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect();
    assert_eq!((exit, rules), (0, vec!["order-in-first"]));
    // A new one comes, and takes them in their order.
    std::fs::remove_file(project.path().join("state/test.db")).unwrap();
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    // Both have it, and neither holds it to its name.
    assert_snapshot!(project.run(&["restamp", LATE]), @r#"
    exit 0
    --- stdout
    20251102120000_late is now 20251104101200_late
    --- stderr
    warning: dev has it under its old name, and would run it again
      remedy    tollgate reset dev   # or give dev an empty database, then: tollgate bind dev --reason 'restamped 20251102120000_late'
    note: test: it succeeded in one of many databases under its old name; a new one takes the new name, and has to prove it
    "#);
}

#[test]
fn a_personal_environment_does_not_hold_a_migration_to_its_name() {
    let project = project();
    let file = project.path().join("tollgate.toml");
    let chain = std::fs::read_to_string(&file).unwrap();
    let chain = chain.replacen("name = \"dev\"\n", "name = \"dev\"\npersonal = true\n", 1);
    std::fs::write(&file, chain).unwrap();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(project.run(&["restamp", EMAIL]), @r#"
    exit 0
    --- stdout
    20251102000000_email is now 20251104101200_email
    --- stderr
    warning: dev has it under its old name, and would run it again
      remedy    tollgate reset dev   # or give dev an empty database, then: tollgate bind dev --reason 'restamped 20251102000000_email'
    note: dev: whoever else applied it to a database of their own has it there under its old name, and would run it again: tollgate reset dev
    "#);
}
