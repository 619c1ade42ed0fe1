//! Templates that nobody filled: told while they can still be written, and with what helps after that.

use insta::assert_snapshot;

use crate::project::Project;

#[test]
fn an_edit_is_advised_only_while_the_bytes_may_change() {
    let project = Project::empty();
    let init = project.run(&["init"]);
    assert!(
        init.stdout.contains("write the SQL into its migration.sql"),
        "{init}"
    );
    assert_eq!(project.run(&["new", "create_something"]).exit, 0);
    let id = "20251104101200_create_something";
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 0
    --- stdout
    ready: dev can take 1 migration

      20251104101200_create_something
        runs        atomic, 0 statements, blake3:969f802f3999

    warning: script: 20251104101200_create_something: it has no statement: nothing would run, and its file could not be changed after that
      found     113 bytes of comments and blanks
      remedy    edit migrations/20251104101200_create_something/migration.sql first

      plan 2bf1ce5ad8fe526fc7d6477a8bca597e7445321e0df4f954753832c3509e1ed8
      to run it: tollgate apply dev
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    "#);
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(project.run(&["plan", "test"]), @r#"
    exit 0
    --- stdout
    ready: test can take 1 migration

      20251104101200_create_something
        runs        atomic, 0 statements, blake3:969f802f3999
        proven      dev 2025-11-04 10:12 UTC by alice

    warning: script: 20251104101200_create_something: it has no statement: nothing would run here either; dev took it as it is, and an edit of it would be refused
      found     113 bytes of comments and blanks
      remedy    tollgate new '<what it was to do>'

      plan 7d86d299513c9af7550fd25cfd3b2f37cce11d7d5866a53ba6bfd65057442f23
      to run it: tollgate apply test
    "#);
    // What was advised before would have done this.
    project.write(id, "CREATE TABLE something (id INTEGER);\n");
    let plan = project.run(&["plan", "test"]);
    assert_eq!(plan.exit, 3, "{plan}");
    assert!(plan.stdout.contains("promotion"), "{plan}");
}
