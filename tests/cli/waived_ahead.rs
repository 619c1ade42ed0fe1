//! What is waived for a later environment is not said to be refused there.

use insta::assert_snapshot;

use crate::project::Project;

const USERS: &str = "20251101000000_users";
const DROP: &str = "20251105000000_drop_email";

fn project(first: &str) -> Project {
    let project = Project::with(&[(
        USERS,
        "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT);\n",
    )]);
    assert_eq!(project.run(&["promote", first]).exit, 0);
    project.write(DROP, "ALTER TABLE users DROP COLUMN email;\n");
    project
}

#[test]
fn a_loss_that_is_waived_for_the_last_environment_is_said_to_be() {
    let project = project("prod");
    let waive = [
        "waive",
        "prod",
        "data-loss",
        DROP,
        "--reason",
        "nobody reads it",
    ];
    assert_eq!(project.run(&waive).exit, 0);
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 0
    --- stdout
    ready: dev can take 1 migration

      20251105000000_drop_email
        runs        atomic, 1 statement, blake3:d7726f42caf4
        locks       line 1: users (RESERVED) while every row is written

    warning: data-loss: 20251105000000_drop_email: it destroys what stands here, and does not say that it may; waived for prod by alice: nobody reads it
      found     line 1: drops column users.email; its values are gone, in every row
      remedy    tollgate plan prod   # shows the waiver: nothing is left to say there

      plan 6c66a63dfc4acfe2aae55660a47eb929c118d4974621369b2699f27fed65334e
      to run it: tollgate apply dev
    "#);
    let applied = project.run(&["apply", "dev"]);
    assert_eq!(applied.exit, 0);
    assert!(!applied.to_string().contains("will refuse"), "{applied}");
    assert!(
        !project
            .run(&["plan", "test"])
            .stdout
            .contains("will refuse")
    );
    // Other bytes were not waived.
    project.write(DROP, "ALTER TABLE users DROP COLUMN email;\n-- Edited.\n");
    let plan = project.run(&["plan", "test"]);
    assert!(plan.stdout.contains(": prod will refuse it"), "{plan}");
    project.write(DROP, "ALTER TABLE users DROP COLUMN email;\n");
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    // The waiver is used up, and it ran there: a laptop that starts anew is told nothing else.
    assert_eq!(project.run(&["reset", "dev", "--yes"]).exit, 0);
    let plan = project.run(&["plan", "dev"]);
    assert!(!plan.stdout.contains("will refuse"), "{plan}");
}

#[test]
fn an_order_that_is_waived_for_a_later_environment_is_not_warned_of() {
    let project = project("prod");
    let config = project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let require = "name = \"prod\"\nrequire = { never_waive = [] }\n";
    std::fs::write(&config, text.replace("name = \"prod\"\n", require)).unwrap();
    project.write(DROP, "ALTER TABLE users ADD COLUMN a TEXT;\n");
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    let late = "20251103000000_late";
    project.write(late, "CREATE TABLE late (id INTEGER);\n");
    let is_told = || {
        let plan = project.run(&["plan", "dev"]).stdout;
        plan.contains("too late for test and prod")
    };
    assert!(is_told());
    for name in ["test", "prod"] {
        let waive = ["waive", name, "order", late, "--reason", "merged late"];
        assert_eq!(project.run(&waive).exit, 0, "{name}");
    }
    let plan = project.run(&["plan", "dev"]).stdout;
    assert!(!plan.contains("too late"), "{plan}");
}
