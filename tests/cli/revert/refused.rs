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
    error: later migrations build on what 20251102000000_email made; nothing was written
      20251103000000_phone names users.email

      remedy   tollgate revert 20251103000000_phone 20251102000000_email --reason no   # all of them, newest first
    "#);
    assert_snapshot!(project.run(&["revert", USERS, EMAIL, "--reason", "no"]), @r#"
    exit 3
    --- stderr
    error: later migrations build on what they made; nothing was written
      20251103000000_phone names users.email, of 20251102000000_email

      remedy   tollgate revert 20251103000000_phone 20251102000000_email 20251101000000_users --reason no   # all of them, newest first
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
    error: 20251102000000_email is reverted already, by 20251104101200_rollback_email

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
    error: the reason has no word in it

      remedy   tollgate revert MIGRATION --reason '<why>'
    "#);
    assert_snapshot!(project.run(&["revert", "email", "--reason", "no"]), @r#"
    exit 2
    --- stderr
    error: there is no migration email

      remedy   did you mean 20251102000000_email?
    "#);
}
