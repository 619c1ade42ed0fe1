//! The smaller verbs.

use insta::assert_snapshot;

use crate::project::Project;

const ORDERS: &str = "CREATE TABLE orders (id INTEGER PRIMARY KEY);\n";

#[test]
fn init_writes_a_project_and_never_over_one() {
    let project = Project::empty();
    std::fs::write(project.path().join(".gitignore"), "target").unwrap();
    assert_snapshot!(project.run(&["init"]), @"");
    assert_eq!(
        std::fs::read_to_string(project.path().join(".gitignore")).unwrap(),
        "target\n/state/\n"
    );
    assert_eq!(
        std::fs::read_to_string(project.path().join(".gitattributes")).unwrap(),
        "/migrations/** -text\n"
    );
    std::fs::write(project.path().join("tollgate.toml"), "mine").unwrap();
    assert_snapshot!(project.run(&["init"]), @"");
    assert_eq!(
        std::fs::read_to_string(project.path().join("tollgate.toml")).unwrap(),
        "mine"
    );
}

#[test]
fn new_never_stamps_at_or_below_the_newest() {
    let project = Project::with(&[("20991231235959_far", ORDERS)]);
    assert_snapshot!(project.run(&["new", "Add e-mail"]), @"");
    assert_snapshot!(project.run(&["new", "!!"]), @"");
}

#[test]
fn restamp_refuses_what_was_applied_further_on() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    project.run(&["promote", "test"]);
    assert_snapshot!(project.run(&["restamp", "20251027072808_orders"]), @"");
}

#[test]
fn restamp_warns_where_the_first_environment_has_the_old_name() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    project.run(&["apply", "dev"]);
    assert_snapshot!(project.run(&["restamp", "20251027072808_orders"]), @"");
}

#[test]
fn log_shows_what_happened_in_order() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    project.run(&["apply", "prod"]);
    project.run(&["apply", "dev"]);
    assert_snapshot!(project.run(&["log"]), @"");
    assert_snapshot!(project.run(&["log", "--migration", "20251027072808_orders", "-n", "1"]), @"");
    assert_eq!(
        project
            .run(&["log", "show", "20251027072808_orders"])
            .stdout,
        ORDERS
    );
    let (exit, log) = project.json(&["log"]);
    assert_eq!((exit, log["entries"].as_array().unwrap().len()), (0, 5));
}

#[test]
fn binding_what_is_bound_does_nothing() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    project.run(&["apply", "dev"]);
    assert_snapshot!(project.run(&["bind", "dev", "--reason", "to be sure"]), @"");
    assert_snapshot!(project.run(&["bind", "dev", "--reason", " "]), @"");
}

#[test]
fn reading_verbs_write_nothing() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    for arguments in [&["status"][..], &["plan", "prod"], &["log"], &["verify"]] {
        project.run(arguments);
        assert!(!project.path().join("state").exists(), "{arguments:?}");
    }
}

#[test]
fn help_is_the_first_documentation() {
    assert_snapshot!(Project::empty().run(&["--help"]), @"");
}

#[test]
fn names_cannot_steer_a_terminal() {
    let project = Project::with(&[("20251027072808_\u{1b}]0;pwned\u{7}", ORDERS)]);
    let shot = project.run(&["status"]).to_string();
    assert!(
        !shot.contains('\u{1b}') && !shot.contains('\u{7}'),
        "{shot:?}"
    );
}
