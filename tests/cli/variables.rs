//! Where the url of an environment comes from: its own file, the environment, `.env`.

use insta::assert_snapshot;

use crate::project::Project;

const ORDERS: &[(&str, &str)] = &[(
    "20251027072808_orders",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY);\n",
)];

/// dev and test by the same variable, and a file of test's own.
fn by_one_variable() -> Project {
    let project = Project::with(ORDERS);
    let config = "[[environment]]\nname = \"dev\"\nurl = \"env:DATABASE_URL\"\n\n\
                  [[environment]]\nname = \"test\"\nurl = \"env:DATABASE_URL\"\nenv_file = \".env.test\"\n";
    file(&project, "tollgate.toml", config);
    project
}

fn file(project: &Project, name: &str, text: &str) {
    std::fs::write(project.path().join(name), text).unwrap();
}

#[test]
fn each_environment_may_have_a_file_with_the_same_variable() {
    let project = by_one_variable();
    file(&project, ".env", "DATABASE_URL=sqlite:state/dev.db\n");
    file(&project, ".env.test", "DATABASE_URL=sqlite:state/test.db\n");
    assert_snapshot!(project.run(&["promote", "test"]), @r"
    exit 0
    --- stdout

    migration              dev       test
    20251027072808_orders  applied   applied
    --- stderr
    dev: bound to dev.db
    dev: 1 migration to apply
      applied   20251027072808_orders  atomic
    test: bound to test.db
    test: 1 migration to apply
      applied   20251027072808_orders  atomic
    ");
}

#[test]
fn a_file_that_is_missing_is_named_where_nothing_else_has_the_variable() {
    let mut project = by_one_variable();
    // The verbs that need no target do without it.
    assert_eq!(project.run(&["status"]).exit, 0);
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 2
    --- stderr
    error: dev: its url comes from DATABASE_URL, which is not set, or empty

      remedy   export DATABASE_URL='postgresql://...', or put it into .env
    ");
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 2
    --- stderr
    error: test: its url comes from DATABASE_URL, which is not set, or empty: there is no file .env.test, and neither the environment nor .env has it

      remedy   echo "DATABASE_URL='postgresql://...'" >> .env.test
    "#);
    file(&project, ".env.test", "OTHER=1\n");
    assert_snapshot!(project.run(&["apply", "test"]), @r#"
    exit 2
    --- stderr
    error: test: its url comes from DATABASE_URL, which is not set, or empty: .env.test, the environment and .env were looked at

      remedy   echo "DATABASE_URL='postgresql://...'" >> .env.test
    "#);
    // As in CI, where the environment has it.
    std::fs::remove_file(project.path().join(".env.test")).unwrap();
    let url = "sqlite:state/ci.db".to_owned();
    project.variables.insert("DATABASE_URL".to_owned(), url);
    // But here dev would have the same one: two environments never share a target.
    assert_eq!(project.run(&["apply", "dev"]).exit, 3);
    file(&project, ".env.dev", "DATABASE_URL=sqlite:state/dev.db\n");
    let config = project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let dev_too = text.replacen("\n\n", "\nenv_file = \".env.dev\"\n\n", 1);
    std::fs::write(&config, dev_too).unwrap();
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert!(project.path().join("state/ci.db").is_file());
}

/// Other programs read the file too, and read more than NAME=value: what stands in such a line is missed
/// only where it is asked for, and then without being shown.
#[test]
fn a_line_that_cannot_be_read_is_passed_over_and_not_shown() {
    let project = by_one_variable();
    file(
        &project,
        ".env.test",
        "# for the tests\nAPP_NAME=My App\nDATABASE_URL=postgresql://u:hunter2secret@h/d b\n",
    );
    assert_eq!(project.run(&["status"]).exit, 0);
    let shot = project.run(&["apply", "test"]);
    assert!(!shot.to_string().contains("hunter2secret"), "{shot}");
    assert_snapshot!(shot, @r#"
    exit 2
    --- stderr
    error: test: its url comes from DATABASE_URL, which is not set, or empty: .env.test, the environment and .env were looked at; passed over: .env.test, line 2: it is not NAME=value, or its value needs quotes; .env.test, line 3: it is not NAME=value, or its value needs quotes

      remedy   echo "DATABASE_URL='postgresql://...'" >> .env.test
    "#);
}

/// Nothing listens on port 1, and nothing looks up a name below `invalid`.
#[test]
fn the_direct_url_stands_in_for_the_pooled_one() {
    let mut project = by_one_variable();
    let pooled = "postgresql://alice:pooledsecret@pooler.invalid:6543/db?sslmode=disable";
    let direct = "postgresql://alice:directsecret@127.0.0.1:1/db?sslmode=disable";
    for (name, url) in [("DATABASE_URL", pooled), ("DIRECT_URL", direct)] {
        project.variables.insert(name.to_owned(), url.to_owned());
    }
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 1
    --- stderr
    error: dev: cannot reach the PostgreSQL server at 127.0.0.1:1: connection refused

      remedy   start the server, or correct host and port in the target's URL
    ");
    // Neither password reaches an output, even by way of something else that is shown.
    let said = project.run(&["plan", "pooledsecret-directsecret"]);
    assert_snapshot!(said, @r"
    exit 2
    --- stderr
    error: there is no environment ***-***

      remedy   name one of dev, test, or add it to tollgate.toml
    ");
}
