//! Files that are not there, cannot be read or cannot be written: each with its name, what comes of it, and a
//! command.

use insta::assert_snapshot;

use crate::project::{Project, Shot};

const USERS: &str = "20251101000000_users";

fn project() -> Project {
    Project::with(&[(USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n")])
}

fn run(project: &Project, arguments: &[&str]) -> Shot {
    let shot = project.run(arguments);
    assert!(!shot.to_string().contains("os error"), "{shot}");
    assert!(shot.stderr.contains("\n  remedy   "), "{shot}");
    shot
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let project = project();
    assert_snapshot!(run(&project, &["review", "nope.json"]), @r#"
    exit 1
    --- stderr
    error: there is no file nope.json
      nothing was read, and nothing was changed

      remedy   tollgate plan prod --out nope.json   # writes one
    "#);
    assert_snapshot!(run(&project, &["approve", "nope.json", "--as", "bo"]), @r#"
    exit 1
    --- stderr
    error: there is no file nope.json
      nothing was read, and nothing was changed

      remedy   tollgate plan prod --out nope.json   # writes one
    "#);
    assert_snapshot!(run(&project, &["apply", "dev", "--plan", "nope.json"]), @r#"
    exit 1
    --- stderr
    error: there is no file nope.json
      nothing was read, and nothing was changed

      remedy   tollgate plan dev --out nope.json   # writes one
    "#);
    assert_snapshot!(run(&project, &["sync", "--from", "nope"]), @r#"
    exit 1
    --- stderr
    error: there is no file nope
      nothing was read, and nothing was changed

      remedy   ls [project]   # and name one that is there
    "#);
    assert_snapshot!(run(&project, &["restore", "nope.dump", "--into", "a.db"]), @r#"
    exit 1
    --- stderr
    error: there is no file nope.dump
      nothing was restored

      remedy   tollgate backup prod --list   # names those there are
    "#);
}

#[test]
fn what_is_no_file_of_text_is_said() {
    let project = project();
    std::fs::write(project.path().join("tollgate.toml"), b"# caf\xe9\n").unwrap();
    assert_snapshot!(run(&project, &["status"]), @r#"
    exit 1
    --- stderr
    error: [project]/tollgate.toml is not UTF-8
      nothing was read, and nothing was changed

      remedy   iconv -f LATIN1 -t UTF-8 [project]/tollgate.toml > [project]/tollgate.toml.utf8 && mv [project]/tollgate.toml.utf8 [project]/tollgate.toml   # or from what it was written in
    "#);
}

#[test]
fn what_cannot_be_written_is_named() {
    let project = project();
    std::fs::write(project.path().join("taken"), "").unwrap();
    assert_snapshot!(run(&project, &["report", "--out", "taken/report"]), @r#"
    exit 1
    --- stderr
    error: [project]/taken/report cannot be written: Not a directory
      nothing was written there

      remedy   ls -ld [project]/taken   # is no folder: name another place
    "#);
    assert_snapshot!(run(&project, &["plan", "dev", "--out", "nowhere/a.plan.json"]), @r#"
    exit 1
    --- stderr
    there is no ledger yet (state/ledger.db): what a target has is known after the first apply
    error: [project]/nowhere/a.plan.json cannot be written: there is no folder [project]/nowhere
      nothing was written there

      remedy   mkdir -p [project]/nowhere
    "#);
    std::fs::remove_dir_all(project.path().join("migrations")).unwrap();
    std::fs::write(project.path().join("migrations"), "").unwrap();
    assert_snapshot!(run(&project, &["new", "add_email"]), @r#"
    exit 1
    --- stderr
    error: [project]/migrations/20251104101200_add_email cannot be written: Not a directory
      nothing was written there

      remedy   ls -ld [project]/migrations   # is no folder: name another place
    "#);
}

#[test]
fn a_name_that_no_folder_can_have_is_not_tried() {
    let project = project();
    let name = "add_column ".repeat(30);
    assert_snapshot!(run(&project, &["new", &name]), @r#"
    exit 2
    --- stderr
    error: a name of 329 characters is more than a folder's may have everywhere: 200 at most
      nothing was written

      remedy   tollgate new add_column_add_column_add_column_add_column_add_column_add
    "#);
    let long = "a".repeat(300);
    let shot = run(&project, &["new", &long]);
    assert_eq!(shot.exit, 2, "{shot}");
    assert_eq!(
        std::fs::read_dir(project.path().join("migrations"))
            .unwrap()
            .count(),
        1
    );
    let fits = "a".repeat(200);
    assert_eq!(project.run(&["new", &fits]).exit, 0);
}
