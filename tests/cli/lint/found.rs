//! What the rules find, as people read it, and what scripts allow.

use insta::assert_snapshot;

use super::since::{branched, commit};
use super::{EMAIL, PHONE, project, sarif};

const LOSES: &str = "ALTER TABLE users DROP COLUMN email;\n\nUPDATE users SET name = 'ada' WHERE id = 1;\nDELETE FROM users;\n";

#[test]
fn a_loss_is_an_error_and_a_note_is_counted() {
    let project = project();
    project.write(PHONE, LOSES);
    assert_snapshot!(project.run(&["lint", PHONE]), @r#"
    exit 3
    --- stdout
    error[drop-column]: drops column users.email
      --> migrations/20251103000000_phone/migration.sql:1:1
      |
    1 | ALTER TABLE users DROP COLUMN email;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      so        its values are gone, in every row
      help      carry the values over first; where that is meant, say so above the statement: -- tollgate:allow drop-column <reason>

    error[delete-without-where]: deletes every row of users
      --> migrations/20251103000000_phone/migration.sql:4:1
      |
    4 | DELETE FROM users;
      | ^^^^^^^^^^^^^^^^^
      so        they are gone, and what refers to them with ON DELETE CASCADE too
      help      say with WHERE which rows are meant; where that is meant, say so above the statement: -- tollgate:allow delete-without-where <reason>

    2 errors in 1 migration
      not shown: 1 note: tollgate lint --level note

      why       tollgate lint --explain drop-column
    "#);
}

#[test]
fn what_a_script_allows_is_counted_and_still_there() {
    let project = project();
    project.write(
        PHONE,
        "-- the last release that read it is gone\n-- tollgate:allow drop-column nobody has mail any more\nALTER TABLE users DROP COLUMN email;\n\nDELETE FROM users; -- tollgate:allow data-loss they are made anew from the directory\n",
    );
    assert_snapshot!(project.run(&["lint", PHONE]), @r#"
    exit 0
    --- stdout
    nothing wrong in 1 migration
      not shown: 2 allowed: tollgate lint --level note
    "#);
    assert_snapshot!(project.run(&["lint", PHONE, "--all"]), @r#"
    exit 0
    --- stdout
    allowed[drop-column]: drops column users.email
      --> migrations/20251103000000_phone/migration.sql:3:1
      |
    3 | ALTER TABLE users DROP COLUMN email;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      so        its values are gone, in every row
      reason    nobody has mail any more

    allowed[delete-without-where]: deletes every row of users
      --> migrations/20251103000000_phone/migration.sql:5:1
      |
    5 | DELETE FROM users; -- tollgate:allow data-loss they are made anew from the directory
      | ^^^^^^^^^^^^^^^^^
      so        they are gone, and what refers to them with ON DELETE CASCADE too
      reason    they are made anew from the directory

    nothing wrong in 1 migration
    "#);
    let (exit, report) = project.json(&["lint", PHONE]);
    assert_eq!(
        (exit, report["allowed"].as_u64(), report["verdict"].as_str()),
        (0, Some(2), Some("passed"))
    );
    let (_, sarif) = sarif(&project, &["lint", PHONE]);
    let suppressed: Vec<&str> = sarif["runs"][0]["results"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|result| result["suppressions"][0]["justification"].as_str())
        .collect();
    assert_eq!(
        suppressed,
        [
            "nobody has mail any more",
            "they are made anew from the directory"
        ]
    );
    // Annotations are for what is open.
    assert!(
        !project
            .run(&["lint", PHONE, "--format", "github"])
            .stdout
            .contains("::error")
    );
}

/// A loss that is turned down in `[lint]` is one for the gate all the same; here it only no longer fails.
#[test]
fn a_rule_about_loss_can_be_turned_down_for_lint() {
    let project = project();
    project.write(PHONE, LOSES);
    let file = project.path().join("tollgate.toml");
    let chain = std::fs::read_to_string(&file).unwrap();
    let lint = "[lint]\noff = [\"delete-without-where\"]\nlevels = { drop-column = \"warning\" }\n";
    std::fs::write(&file, format!("{chain}\n{lint}")).unwrap();
    let (exit, report) = project.json(&["lint", PHONE]);
    assert_eq!(
        (exit, report["errors"].as_u64(), report["warnings"].as_u64()),
        (0, Some(0), Some(1))
    );
}

/// A branch is one plan: what it made itself holds nothing.
#[test]
fn what_the_same_branch_made_is_not_lost() {
    let project = branched();
    project.write(PHONE, "CREATE TABLE phones (id INTEGER PRIMARY KEY);\n");
    project.write("20251104000000_no_phones", "DROP TABLE phones;\n");
    commit(&project, "phones");
    assert_eq!(project.run(&["lint", "--changed-since", "main"]).exit, 0);
    // Each as a plan of its own, it stood before.
    assert_eq!(project.run(&["lint"]).exit, 3);
    project.write(EMAIL, "DROP TABLE users;\n");
    let (exit, report) = project.json(&["lint", "--changed-since", "main"]);
    let found: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["rule"].as_str().unwrap())
        .collect();
    assert_eq!((exit, found), (3, vec!["edited", "drop-table"]));
}

/// In CI the url of a target is not there, and the tree says what it is for.
#[test]
fn locks_are_notes_on_postgresql() {
    let project = crate::project::Project::with(&[
        (
            "20251101000000_users",
            "CREATE TABLE users (id integer PRIMARY KEY, email text);\n",
        ),
        (
            "20251102000000_index",
            "CREATE INDEX users_email ON users (email);\n",
        ),
    ]);
    let file = project.path().join("tollgate.toml");
    std::fs::write(
        &file,
        "[[environment]]\nname = \"prod\"\nurl = \"env:DATABASE_URL_PROD\"\n",
    )
    .unwrap();
    std::fs::write(
        project.path().join("migrations/migration_lock.toml"),
        "provider = \"postgresql\"\n",
    )
    .unwrap();
    assert_snapshot!(project.run(&["lint"]), @r#"
    exit 0
    --- stdout
    nothing wrong in 2 migrations
      not shown: 1 note: tollgate lint --level note
    "#);
    assert_snapshot!(project.run(&["lint", "--level", "note"]), @r#"
    exit 0
    --- stdout
    note[index-lock]: makes index users_email on users
      --> migrations/20251102000000_index/migration.sql:1:1
      |
    1 | CREATE INDEX users_email ON users (email);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      so        writes to the table wait until it is built (SHARE)
      help      where the table is large or busy: CONCURRENTLY, in a migration of its own

    1 note in 2 migrations

      why       tollgate lint --explain index-lock
    "#);
    assert_snapshot!(project.run(&["lint", "--level", "note", "--format", "github"]), @r#"
    exit 0
    --- stdout
    ::notice file=migrations/20251102000000_index/migration.sql,line=1,endLine=1,col=1,endColumn=42,title=index-lock::makes index users_email on users%0Awrites to the table wait until it is built (SHARE)%0Ahelp: where the table is large or busy: CONCURRENTLY, in a migration of its own
    tollgate lint: 0 errors, 0 warnings, 1 note and 0 allowed in 2 migrations
    "#);
}

/// `revert` writes what was agreed into the header, and it covers every statement of the down.sql below it.
#[test]
fn what_a_rollback_destroys_is_allowed_by_its_reason() {
    let project = project();
    project.write(
        EMAIL,
        "ALTER TABLE users ADD COLUMN email TEXT;\nALTER TABLE users ADD COLUMN fax TEXT;\n",
    );
    project.write_down(
        EMAIL,
        "-- tollgate:down lossy: users.email, users.fax\nALTER TABLE users DROP COLUMN fax;\nALTER TABLE users DROP COLUMN email;\n",
    );
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    let shot = project.run(&["revert", EMAIL, "--reason", "mails go astray"]);
    assert_eq!(shot.exit, 0, "{shot}");
    let (exit, report) = project.json(&["lint"]);
    let found: Vec<(&str, &str)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let rule = finding["rule"].as_str().unwrap();
            (rule, finding["allowed"].as_str().unwrap_or("not allowed"))
        })
        .collect();
    let allowed = ("drop-column", "mails go astray");
    assert_eq!((exit, found), (0, vec![allowed, allowed]));
}

/// Nobody looked at it, and that is said.
#[test]
fn a_script_that_cannot_be_read_is_told() {
    let project = project();
    project.write(
        PHONE,
        "ALTER TABLE users ADD phone TEXT;\nCREATE TABEL phones (id INTEGER);\n",
    );
    assert_snapshot!(project.run(&["lint"]), @r#"
    exit 0
    --- stdout
    warning[not-analysed]: cannot be read: near "TABEL": syntax error
      --> migrations/20251103000000_phone/migration.sql:2:8
      |
    2 | CREATE TABEL phones (id INTEGER);
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^
      so        no rule looked at what it does; it runs as the bytes that stand there, alone
      help      correct it if it is wrong; if the server understands it, read it twice, and say in its first line: -- tollgate:allow data-loss <reason>

    1 warning in 3 migrations

      why       tollgate lint --explain not-analysed
    "#);
    project.write(
        PHONE,
        "-- tollgate:allow data-loss read by two, it only makes a table\nCREATE TABEL phones (id INTEGER);\n",
    );
    assert_snapshot!(project.run(&["lint", "--all"]), @r#"
    exit 0
    --- stdout
    allowed[not-analysed]: cannot be read: near "TABEL": syntax error
      --> migrations/20251103000000_phone/migration.sql:2:8
      |
    2 | CREATE TABEL phones (id INTEGER);
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^
      so        no rule looked at what it does; it runs as the bytes that stand there, alone
      reason    read by two, it only makes a table

    nothing wrong in 3 migrations
    "#);
}
