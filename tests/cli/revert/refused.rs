//! Where nothing is written.

use insta::assert_snapshot;

use crate::project::Project;
use crate::rehearse::{EMAIL, PHONE, USERS, project};

fn folders(project: &Project) -> usize {
    std::fs::read_dir(project.path().join("migrations"))
        .unwrap()
        .count()
}

#[test]
fn what_a_later_migration_builds_on_is_not_reversed() {
    let project = project();
    project.write(
        PHONE,
        "CREATE VIEW mailed AS SELECT id FROM users WHERE email IS NOT NULL;\n",
    );
    project.write_down(PHONE, "DROP VIEW mailed;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(project.run(&["revert", EMAIL, "--reason", "no"]), @r#"
    exit 3
    --- stderr
    error: 20251102000000_email cannot be reversed as it stands; nothing was written
      20251103000000_phone builds on it: it names users.email

      remedy   tollgate revert 20251103000000_phone 20251102000000_email --reason no
    "#);
    assert_snapshot!(project.run(&["revert", USERS, EMAIL, "--reason", "no"]), @r#"
    exit 3
    --- stderr
    error: 20251102000000_email, 20251101000000_users cannot be reversed as they stand; nothing was written
      20251103000000_phone builds on 20251102000000_email: it names users.email

      remedy   tollgate revert 20251103000000_phone 20251102000000_email 20251101000000_users --reason no
    "#);
    assert_eq!(folders(&project), 3);
    let log = project.run(&["log"]).stdout;
    assert!(!log.contains("reverted"), "{log}");
    assert_eq!(
        project
            .run(&["revert", PHONE, EMAIL, "--reason", "no"])
            .exit,
        0
    );
    assert_eq!(folders(&project), 5);
}

#[test]
fn what_never_ran_is_deleted() {
    let project = project();
    assert_snapshot!(project.run(&["revert", EMAIL, "--reason", "no"]), @r#"
    exit 2
    --- stderr
    error: 20251102000000_email was never applied anywhere that this ledger knows of, so there is nothing to reverse

      remedy   rm -r migrations/20251102000000_email   # delete its folder instead
    "#);
    assert_eq!(folders(&project), 2);
}

#[test]
fn what_is_reverted_already() {
    let project = project();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["revert", EMAIL, "--reason", "no"]).exit, 0);
    assert_snapshot!(project.run(&["revert", EMAIL, "--reason", "no"]), @r#"
    exit 2
    --- stderr
    error: a rollback of 20251102000000_email is written: migrations/20251104101200_rollback_email/migration.sql; it ran nowhere yet

      remedy   tollgate promote prod
    "#);
    assert_eq!(folders(&project), 3);
}

#[test]
fn what_says_that_it_is_irreversible() {
    let project = project();
    project.write_down(
        EMAIL,
        "-- tollgate:down irreversible: the addresses are gone\n",
    );
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(project.run(&["revert", EMAIL, "--reason", "no"]), @r#"
    exit 3
    --- stderr
    error: 20251102000000_email says that it is irreversible: the addresses are gone

      remedy   tollgate new rollback_email   # and write by hand what can be brought back, below -- tollgate:reverts 20251102000000_email
    "#);
    assert_eq!(folders(&project), 2);
}

#[test]
fn a_reason_has_a_word_in_it() {
    let project = project();
    assert_snapshot!(project.run(&["revert", EMAIL, "--reason", " \n"]), @r#"
    exit 2
    --- stderr
    error: a reason is needed, and this one is empty

      remedy   tollgate revert 20251102000000_email --reason '<why>'
    "#);
    // A remedy that was copied as it stands.
    assert_snapshot!(project.run(&["revert", EMAIL, "--reason", "<why>"]), @r#"
    exit 2
    --- stderr
    error: a reason is needed, and <why> only stands in its place

      remedy   tollgate revert 20251102000000_email --reason '<why>'
    "#);
    assert_snapshot!(project.run(&["emergency", EMAIL, "--reason", "<what went wrong>"]), @r#"
    exit 2
    --- stderr
    error: a reason is needed, and <what went wrong> only stands in its place

      remedy   tollgate emergency 20251102000000_email --reason '<what went wrong>'
    "#);
    assert_snapshot!(project.run(&["revert", "email", "--reason", "no"]), @r#"
    exit 2
    --- stderr
    error: there is no migration email

      remedy   did you mean 20251102000000_email?
    "#);
}

#[test]
fn a_down_sql_with_something_left_open_reverses_nothing() {
    let project = project();
    project.write(PHONE, "UPDATE users SET name = 'x';\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["new", "--down", PHONE]).exit, 0);
    assert_snapshot!(project.run(&["revert", PHONE, "--reason", "no"]), @r#"
    exit 3
    --- stderr
    error: 20251103000000_phone cannot be reversed as it stands; nothing was written
      migrations/20251103000000_phone/down.sql:6: still to be written by hand

      remedy   edit migrations/20251103000000_phone/down.sql, then: tollgate revert 20251103000000_phone --reason no
    "#);
    assert_eq!(folders(&project), 3);
    // A colleague finishes it, and it is taken, although another one stood beside the bytes that ran.
    project.write_down(PHONE, "UPDATE users SET name = 'ada';\n");
    let shot = project.run(&["revert", PHONE, "--reason", "no"]);
    assert_eq!(shot.exit, 0, "{shot}");
}

#[test]
fn a_rollback_that_failed_is_edited_and_not_written_again() {
    let project = project();
    project.write_down(EMAIL, "ALTER TABLE users DROP COLUMN email;\n");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["revert", EMAIL, "--reason", "no"]).exit, 0);
    // The index stands in the way.
    assert_eq!(project.run(&["apply", "dev"]).exit, 1);
    assert_snapshot!(project.run(&["revert", EMAIL, "--reason", "no"]), @r#"
    exit 2
    --- stderr
    error: a rollback of 20251102000000_email is written: migrations/20251104101200_rollback_email/migration.sql; it failed in dev, and nothing of it stands there

      remedy   edit migrations/20251104101200_rollback_email/migration.sql, then: tollgate promote prod
    "#);
}
