//! A folder whose name has no stamp: told before it is applied, and in nobody's way after that.

use insta::assert_snapshot;

use crate::project::Project;

const USERS: &str = "20251101000000_users";
const FOO: &str = "CREATE TABLE foo (a INTEGER);\n";

#[test]
fn a_name_without_a_stamp_is_told_before_it_is_applied() {
    let project = Project::with(&[
        (USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n"),
        ("foo", FOO),
    ]);
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 0
    --- stdout
    ready: dev can take 2 migrations

      20251101000000_users
        runs        atomic, 1 statement, blake3:5e3074996baf

      foo
        runs        atomic, 1 statement, blake3:cad3fd1410f7

    warning: order: foo: its name has no stamp: it sorts after every one that has, also those still to come
      found     migrations/foo
      remedy    tollgate restamp foo

      plan a8b092fb71492f8fb9d24528beb5c7f302d3ebb0723b37a8221355ecb72de981
      to run it: tollgate apply dev
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    "#);
    assert_snapshot!(project.run(&["new", "more"]), @r#"
    exit 2
    --- stderr
    error: foo has no stamp, so a new migration would come before it

      remedy   tollgate restamp foo   # gives it one, before it is applied anywhere
    "#);
    assert_snapshot!(project.run(&["restamp", "foo"]), @r#"
    exit 0
    --- stdout
    foo is now 20251104101200_foo

      next      tollgate plan dev
    "#);
    let plan = project.run(&["plan", "dev"]);
    assert!(!plan.stdout.contains("stamp"), "{plan}");
    assert_eq!(project.run(&["new", "more"]).exit, 0);
}

/// A tree that names its migrations in a way of its own is left in peace.
#[test]
fn names_that_all_have_none_are_an_order_too() {
    let project = Project::with(&[
        ("a_users", "CREATE TABLE users (id INTEGER);\n"),
        ("b_foo", FOO),
    ]);
    let plan = project.run(&["plan", "dev"]);
    assert!(!plan.stdout.contains("warning"), "{plan}");
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    project.write("aa_late", "CREATE TABLE late (id INTEGER);\n");
    let plan = project.run(&["plan", "dev"]);
    assert!(plan.stdout.contains("warning: order: aa_late"), "{plan}");
}

/// Applied, its name stays as it is, and others come and go; that a new database takes them in another order is told.
#[test]
fn once_it_is_applied_it_is_in_nobodys_way() {
    let project = Project::with(&[
        (USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n"),
        ("foo", FOO),
    ]);
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    assert_snapshot!(project.run(&["new", "more"]), @r#"
    exit 0
    --- stdout
    migrations/20251104101200_more/migration.sql
    migrations/20251104101200_more/down.sql

      next     edit both, then: tollgate apply dev
    "#);
    project.write(
        "20251104101200_more",
        "CREATE TABLE more (id INTEGER PRIMARY KEY);\n",
    );
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 0
    --- stdout
    ready: dev can take 1 migration

      20251104101200_more
        runs        atomic, 1 statement, blake3:741e4a8b1a5f

    warning: order: 20251104101200_more: a new database runs it before foo, which has no stamp and ran first here
      found     foo was applied 2025-11-04 10:12 UTC
      remedy    edit migrations/20251104101200_more/migration.sql, where it needs what foo makes

      plan 885ed13c0ce7cb4f57be0f66a9bb9fb6201ad2cc5ae72d6add32554c60fd405c
      to run it: tollgate apply dev
    "#);
    let promoted = project.run(&["promote", "prod"]);
    assert_eq!(promoted.exit, 0, "{promoted}");
    assert_snapshot!(project.run(&["restamp", "foo"]), @r#"
    exit 3
    --- stderr
    error: foo was applied in prod, under this name
      a new name would make it another migration, which would run there again

      remedy   tollgate new '<what is still to be done>'
    "#);
    assert_snapshot!(project.run(&["revert", "foo", "--reason", "x"]), @r#"
    exit 2
    --- stderr
    error: foo has no stamp: on an empty database a rollback with one would run before it

      remedy   write the rollback by hand, under a name that comes after it: migrations/foo_reverted/migration.sql
    "#);
    assert_eq!(project.run(&["verify"]).exit, 0);
}

/// Renamed by hand after dev had it.
#[test]
fn one_that_was_renamed_after_it_ran_is_told_by_what_stands_there() {
    let project = Project::with(&[
        (USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n"),
        ("foo", FOO),
    ]);
    project.run(&["apply", "dev"]);
    let folder = project.path().join("migrations");
    std::fs::rename(folder.join("foo"), folder.join("20270601000000_foo")).unwrap();
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 0
    --- stdout
    ready: dev can take 1 migration

      20270601000000_foo
        runs        atomic, 1 statement, blake3:cad3fd1410f7

    warning: missing: foo: it was applied here, and its bytes have another name now: 20270601000000_foo
      found     applied 2025-11-04 10:12 UTC by alice (blake3:cad3fd1410f7)
      remedy    tollgate reset dev   # or give the folder its name back: migrations/foo

    warning: order: 20270601000000_foo: a new database runs it before foo, which has no stamp and ran first here
      found     foo was applied 2025-11-04 10:12 UTC
      remedy    edit migrations/20270601000000_foo/migration.sql, where it needs what foo makes

      plan e7e5322b377f2ac1d1ee39cf9f01f917613ee8d75d614a2517ccebe89e7fc394
      to run it: tollgate apply dev
    "#);
    assert_snapshot!(project.run(&["redo", "foo"]), @r#"
    exit 2
    --- stderr
    error: foo was applied in dev, and its folder is gone, or has another name now

      remedy   tollgate log restore foo
    "#);
    assert_snapshot!(project.run(&["restamp", "foo"]), @r#"
    exit 2
    --- stderr
    error: foo was applied in dev, and its folder is gone, or has another name now

      remedy   tollgate log restore foo
    "#);
    assert_snapshot!(project.run(&["restamp", "20270601000000_foo"]), @r#"
    exit 0
    --- stdout
    20270601000000_foo is now 20270601000001_foo

      next      tollgate plan dev
    "#);
    assert_eq!(project.run(&["new", "more"]).exit, 0);
    // The remedy of the first two, as it was typed.
    assert_eq!(project.run(&["log", "restore", "foo"]).exit, 0);
    assert!(folder.join("foo").join("migration.sql").exists());
}
