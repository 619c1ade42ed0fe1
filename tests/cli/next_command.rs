//! The next command of `status ENV` is one that has something left to do.

use insta::assert_snapshot;

use crate::project::Project;

const USERS: &str = "20251101000000_users";
const EMAIL: &str = "20251102000000_email";

#[test]
fn what_is_owed_is_next_and_what_is_paid_is_told_no_more() {
    let mut project = Project::with(&[(USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n")]);
    let file = project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let require = "require = { break_glass = { review_within = \"72h\" } }\n";
    let text = config.replace("name = \"prod\"\n", &format!("name = \"prod\"\n{require}"));
    std::fs::write(&file, text).unwrap();
    let must = |project: &Project, arguments: &[&str]| {
        let shot = project.run(arguments);
        assert_eq!(shot.exit, 0, "{shot}");
    };
    let next = |project: &Project| {
        let text = project.run(&["status", "prod"]).stdout;
        let mut lines = text.lines();
        let line = lines.find(|line| line.starts_with("  next")).unwrap();
        line.trim_start_matches("  next").trim().to_owned()
    };
    must(&project, &["promote", "prod"]);
    assert_eq!(next(&project), "tollgate verify prod");
    must(&project, &["verify", "prod"]);
    assert_eq!(next(&project), "nothing");
    assert!(project.json(&["status", "prod"]).1["next"].is_null());
    project.write(EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n");
    must(
        &project,
        &[
            "break-glass",
            "prod",
            "--reason",
            "sign-up is down",
            "--incident",
            "INC-7",
            "--yes",
        ],
    );
    assert_snapshot!(next(&project), @"tollgate promote test --to 20251102000000_email");
    must(&project, &["promote", "test"]);
    must(&project, &["verify", "prod"]);
    assert_snapshot!(next(&project), @"tollgate post-review prod INC-7 --note '<what was found>'   # by somebody else than alice");
    project
        .variables
        .insert("USER".to_owned(), "bob".to_owned());
    must(
        &project,
        &["post-review", "prod", "INC-7", "--note", "it held"],
    );
    assert_eq!(next(&project), "nothing");
    for verb in [&["status"][..], &["status", "prod"], &["promote", "prod"]] {
        let shot = project.run(verb);
        assert!(!shot.to_string().contains("INC-7"), "{shot}");
    }
    // On record for ever.
    assert!(project.run(&["log"]).stdout.contains("incident INC-7"));
    let (_, status) = project.json(&["status", "prod"]);
    assert_eq!(status["debts"][0]["incident"], "INC-7");
}
