//! A url that leads to another database than the one that the environment is bound to: the url comes first,
//! and nobody is told to empty what may be somebody else's.

use insta::assert_snapshot;

use crate::chain::three;
use crate::on_postgres::{CREATE, Chain};
use crate::server::Database;

#[test]
fn another_file_is_not_called_a_reset() {
    let project = three();
    project.run(&["promote", "test"]);
    let config = project.path().join("tollgate.toml");
    let right = std::fs::read_to_string(&config).unwrap();
    for name in ["dev", "test"] {
        let wrong = right.replace(
            &format!("sqlite:state/{name}.db"),
            &format!("sqlite:elsewhere/{name}_old.db"),
        );
        std::fs::write(&config, wrong).unwrap();
        std::fs::create_dir_all(project.path().join("elsewhere")).unwrap();
        let shot = project.run(&["apply", name]);
        assert!(!shot.stdout.contains("reset: it was"), "{shot}");
        match name {
            "dev" => assert_snapshot!(shot, @r#"
            exit 3
            --- stdout
            refused: dev takes nothing as it is

                identity    dev is bound to sqlite dev.db, and its url leads to sqlite dev_old.db: another file
                            found     sqlite dev_old.db is empty, and was never entered by tollgate
                            required  sqlite dev.db, incarnation e3d5003e, or a person's word that this one takes its place
                            remedy    edit tollgate.toml: give dev the url of dev.db   # if dev_old.db is meant: tollgate reset dev
            "#),
            _ => assert_snapshot!(shot, @r#"
            exit 3
            --- stdout
            refused: test takes nothing as it is

                identity    test is bound to sqlite test.db, and its url leads to sqlite test_old.db: another file
                            found     sqlite test_old.db is empty, and was never entered by tollgate
                            required  sqlite test.db, incarnation 6f3287cd, or a person's word that this one takes its place
                            remedy    edit tollgate.toml: give test the url of test.db   # if test_old.db is meant: tollgate bind test --emptied --reason '<why>'
            "#),
        }
    }
    // Somebody's.
    rusqlite::Connection::open(project.path().join("elsewhere/dev_old.db"))
        .unwrap()
        .execute_batch("CREATE TABLE theirs (id INTEGER PRIMARY KEY)")
        .unwrap();
    std::fs::write(
        &config,
        right.replace("sqlite:state/dev.db", "sqlite:elsewhere/dev_old.db"),
    )
    .unwrap();
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        identity    dev is bound to sqlite dev.db, and its url leads to sqlite dev_old.db: another file
                    found     sqlite dev_old.db was never entered by tollgate
                    required  sqlite dev.db, incarnation e3d5003e
                    remedy    edit tollgate.toml: give dev the url of dev.db
    "#);
    for bind in [
        &["bind", "dev", "--reason", "x"][..],
        &["bind", "dev", "--emptied", "--reason", "x"],
        &["reset", "dev", "--yes"],
    ] {
        let shot = project.run(bind);
        assert_eq!(shot.exit, 3, "{shot}");
        assert!(
            shot.stdout
                .contains("remedy    edit tollgate.toml: give dev the url of dev.db\n"),
            "{shot}"
        );
    }
    // With its own url again, all is as it was.
    std::fs::write(&config, right).unwrap();
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_eq!(project.run(&["apply", "test"]).exit, 0);
}

#[test]
fn another_database_is_named_and_the_variable_of_its_url() {
    let mut chain = Chain::new(&[("20251101000000_users", CREATE)]);
    chain.run(&["promote", "test"]);
    let [empty, other] = [Database::new(), Database::new()];
    let hide = |text: String| {
        text.replace(empty.name(), "empty")
            .replace(other.name(), "other")
    };
    chain.set_url("dev", empty.url());
    chain.set_url("test", other.url());
    assert_snapshot!(hide(chain.run(&["apply", "dev"]).to_string()), @r#"
    exit 3
    --- stdout
    refused: dev takes nothing as it is

        identity    dev is bound to postgresql app_dev, and its url leads to postgresql empty: another database
                    found     postgresql empty is empty, and was never entered by tollgate
                    required  postgresql app_dev, incarnation e3d5003e, or a person's word that this one takes its place
                    remedy    set DATABASE_URL_DEV, the url of dev, to that of app_dev   # if empty is meant: tollgate reset dev
    "#);
    assert_snapshot!(hide(chain.run(&["apply", "test"]).to_string()), @r#"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        identity    test is bound to postgresql app_test, and its url leads to postgresql other: another database
                    found     postgresql other is empty, and was never entered by tollgate
                    required  postgresql app_test, incarnation 7670a5a6, or a person's word that this one takes its place
                    remedy    set DATABASE_URL_TEST, the url of test, to that of app_test   # if other is meant: tollgate bind test --emptied --reason '<why>'
    "#);
    other.run("CREATE TABLE theirs (id int)").unwrap();
    assert_snapshot!(hide(chain.run(&["apply", "test"]).to_string()), @r#"
    exit 3
    --- stdout
    refused: test takes nothing as it is

        identity    test is bound to postgresql app_test, and its url leads to postgresql other: another database
                    found     postgresql other was never entered by tollgate
                    required  postgresql app_test, incarnation 7670a5a6
                    remedy    set DATABASE_URL_TEST, the url of test, to that of app_test
    "#);
    assert_snapshot!(hide(chain.run(&["bind", "test", "--reason", "x"]).to_string()), @r#"
    exit 3
    --- stdout
    refused: test is not bound: the target has tables, and no receipt explains them
      found     1 migration counted as applied in test would run again
      required  tollgate's own tables, from a backup of the target, or an empty target
      remedy    set DATABASE_URL_TEST, the url of test, to that of app_test
    "#);
    assert_snapshot!(
        hide(chain.run(&["bind", "test", "--emptied", "--reason", "x"]).to_string()),
        @r#"
    exit 3
    --- stdout
    refused: test is not bound: the target is not empty: what ran there would run a second time
      found     1 table in schema public
      required  an empty target; or, to keep what stands there, bind without --emptied
      remedy    set DATABASE_URL_TEST, the url of test, to that of app_test
    "#
    );
    other.run("DROP TABLE theirs").unwrap();
    // Where it was meant: the command that the remedy names.
    assert_eq!(chain.run(&["reset", "dev", "--yes"]).exit, 0);
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
}
