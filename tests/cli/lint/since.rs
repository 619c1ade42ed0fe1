//! `--changed-since`: the tree against a revision of git's.

use std::process::Command;

use insta::assert_snapshot;

use super::{EMAIL, PHONE, USERS, project, sarif};
use crate::project::{Project, Shot};

const LATE: &str = "20251101120000_late";
const ADDS: &str = "ALTER TABLE users ADD COLUMN phone TEXT;\n";

/// Runs git in the project, whatever the machine's own settings are.
fn git(project: &Project, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(project.path())
        .args(["-c", "user.name=ada", "-c", "user.email=ada@example.org"])
        .args([
            "-c",
            "commit.gpgsign=false",
            "-c",
            "init.defaultBranch=main",
            "-c",
            "core.autocrlf=false",
        ])
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_DATE", "2025-11-04T10:00:00Z")
        .env("GIT_COMMITTER_DATE", "2025-11-04T10:00:00Z")
        .output()
        .unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

pub(crate) fn commit(project: &Project, message: &str) {
    git(project, &["add", "--all"]);
    git(project, &["commit", "--quiet", "-m", message]);
}

/// `main` with two migrations, and a branch that parted there.
pub(crate) fn branched() -> Project {
    let project = project();
    git(&project, &["init", "--quiet"]);
    commit(&project, "begin");
    git(&project, &["checkout", "--quiet", "-b", "feature"]);
    project
}

fn lint(project: &Project) -> Shot {
    project.run(&["lint", "--changed-since", "main"])
}

#[test]
fn only_what_is_new_is_looked_at() {
    let project = branched();
    assert_snapshot!(lint(&project), @r#"
    exit 0
    --- stdout
    nothing wrong; no migration is new or edited since main
    "#);
    // Neither added to the index nor committed, and already part of the branch.
    project.write(PHONE, ADDS);
    assert_snapshot!(lint(&project), @r#"
    exit 0
    --- stdout
    nothing wrong in 1 migration changed since main
    "#);
    let (_, report) = project.json(&["lint", "--changed-since", "main"]);
    assert_eq!(report["migrations"], serde_json::json!([PHONE]));
    assert_eq!(report["since"]["revision"], "main");
    assert_eq!(
        report["since"]["base"],
        git(&project, &["rev-parse", "main"])
    );
    commit(&project, "phone");
    assert_eq!(
        project.json(&["lint", "--changed-since", "main"]).1["migrations"],
        serde_json::json!([PHONE])
    );
}

#[test]
fn what_stands_at_the_revision_is_not_edited_and_not_removed() {
    let project = project();
    let down = project.script(EMAIL).with_file_name("down.sql");
    std::fs::write(down, "ALTER TABLE users DROP COLUMN email;\n").unwrap();
    git(&project, &["init", "--quiet"]);
    commit(&project, "begin");
    git(&project, &["checkout", "--quiet", "-b", "feature"]);
    project.write(USERS, "CREATE TABLE users (id INTEGER PRIMARY KEY);\n");
    std::fs::remove_dir_all(project.script(EMAIL).parent().unwrap()).unwrap();
    assert_snapshot!(lint(&project), @r#"
    exit 3
    --- stdout
    error[edited]: has other bytes than at main
      --> migrations/20251101000000_users/migration.sql
      so        where the old bytes ran it is refused from now on, and elsewhere these have to earn their place again
      help      git checkout 8afb477d4aad -- migrations/20251101000000_users/migration.sql   # and put the change into a new migration

    error[removed]: stands at main and is gone
      --> migrations/20251102000000_email/migration.sql
      so        where it ran every plan is refused from now on, and a new database comes out different
      help      git checkout 8afb477d4aad -- migrations/20251102000000_email   # and reverse it in a new migration

    2 errors in 1 migration changed since main

      why       tollgate lint --explain edited
    "#);
    let (_, sarif) = sarif(&project, &["lint", "--changed-since", "main"]);
    // There is no line in a file that is gone.
    let gone = &sarif["runs"][0]["results"][1];
    assert_eq!(gone["ruleId"], "removed");
    assert!(
        gone["locations"][0]["physicalLocation"]
            .get("region")
            .is_none()
    );
    // The remedies work as they are printed, and bring back what stood beside the script.
    let shot = lint(&project);
    let remedies = shot.stdout.lines().filter_map(|line| {
        let command = line.trim_start().strip_prefix("help      git ")?;
        command.split("   # ").next()
    });
    for remedy in remedies {
        git(&project, &remedy.split(' ').collect::<Vec<_>>());
    }
    assert_eq!(lint(&project).exit, 0);
    assert_eq!(git(&project, &["status", "--porcelain"]), "");
}

#[test]
fn an_edit_can_be_allowed_in_the_script() {
    let project = branched();
    project.write(USERS, "-- tollgate:allow edited it never left this branch's stack\n\nCREATE TABLE users (id INTEGER PRIMARY KEY);\n");
    assert_snapshot!(project.run(&["lint", "--changed-since", "main", "--all"]), @r#"
    exit 0
    --- stdout
    allowed[edited]: has other bytes than at main
      --> migrations/20251101000000_users/migration.sql
      so        where the old bytes ran it is refused from now on, and elsewhere these have to earn their place again
      reason    it never left this branch's stack

    nothing wrong in 1 migration changed since main
    "#);
    let (_, sarif) = sarif(&project, &["lint", "--changed-since", "main"]);
    assert_eq!(
        sarif["runs"][0]["results"][0]["suppressions"],
        serde_json::json!([{ "kind": "inSource", "justification": "it never left this branch's stack" }])
    );
}

/// The migrations stand in a repository of their own, as a submodule does: the remedy is typed where the
/// project is, and works.
#[test]
fn what_stands_in_another_repository_is_restored_there() {
    let project = project();
    let here = project.path().join("migrations");
    let inner = |arguments: &[&str]| {
        let there = ["-C", "migrations"];
        git(&project, &[&there[..], arguments].concat())
    };
    inner(&["init", "--quiet"]);
    inner(&["add", "--all"]);
    inner(&["commit", "--quiet", "-m", "begin"]);
    std::fs::remove_dir_all(here.join(EMAIL)).unwrap();
    let shot = lint(&project);
    let help = shot.stdout.lines().find(|line| line.contains("  help  "));
    let base: String = inner(&["rev-parse", "HEAD"]).chars().take(12).collect();
    let expected = format!(
        "  help      git -C [project]/migrations checkout {base} -- {EMAIL}   # and reverse it in a new migration"
    );
    assert_eq!(help, Some(expected.as_str()), "{shot}");
    inner(&["checkout", &base, "--", EMAIL]);
    assert_eq!(lint(&project).exit, 0);
}

/// Under its new name everything counts as new, and that is said.
#[test]
fn a_folder_that_had_another_name_is_told() {
    let project = branched();
    git(&project, &["mv", "migrations", "database"]);
    let file = project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let moved = format!(
        "migrations = \"database\"\n{}",
        text.replace("migrations = \"migrations\"\n", "")
    );
    std::fs::write(&file, moved).unwrap();
    let shot = lint(&project);
    assert_eq!(shot.exit, 0, "{shot}");
    assert!(
        shot.stderr
            .contains("database has no migration at main: all of it counts as new"),
        "{shot}"
    );
}

#[test]
fn a_new_name_with_the_same_bytes_is_told_as_one() {
    let project = branched();
    project.run(&["restamp", EMAIL]);
    assert_snapshot!(lint(&project), @r#"
    exit 0
    --- stdout
    warning[renamed]: is named 20251102000000_email at main, with the same bytes
      --> migrations/20251104101200_email/migration.sql
      so        where it ran under that name it would run again
      help      keep the old name wherever it may have been applied; otherwise nothing is to be done

    1 warning in 1 migration changed since main

      why       tollgate lint --explain renamed
    "#);
}

/// Before the merge, and although no ledger knows of it.
#[test]
fn what_came_to_the_revision_meanwhile_makes_a_migration_late() {
    let project = branched();
    project.write(LATE, "CREATE TABLE late (id INTEGER PRIMARY KEY);\n");
    commit(&project, "late");
    assert_snapshot!(lint(&project), @r#"
    exit 3
    --- stdout
    error[order]: comes before 20251102000000_email, which stands at main
      --> migrations/20251101120000_late/migration.sql
      so        wherever that one is applied first, this one will be refused
      help      tollgate restamp 20251101120000_late

    1 error in 1 migration changed since main

      why       tollgate lint --explain order
    "#);
    let shot = project.run(&["restamp", LATE]);
    assert_eq!(shot.exit, 0, "{shot}");
    assert_eq!(lint(&project).exit, 0);

    // Another branch is merged first: main is no longer where this one parted from it.
    git(&project, &["add", "--all"]);
    git(&project, &["commit", "--quiet", "-m", "restamped"]);
    git(&project, &["checkout", "--quiet", "main"]);
    project.write(
        "20251201000000_other",
        "CREATE TABLE other (id INTEGER PRIMARY KEY);\n",
    );
    commit(&project, "other");
    git(&project, &["checkout", "--quiet", "feature"]);
    assert_snapshot!(lint(&project), @r#"
    exit 3
    --- stdout
    error[order]: comes before 20251201000000_other, which stands at main
      --> migrations/20251104101200_late/migration.sql
      so        wherever that one is applied first, this one will be refused
      help      tollgate restamp 20251104101200_late

    1 error in 1 migration changed since main

      why       tollgate lint --explain order
    "#);
}

/// Annotations and results stand at paths from the top, text at those that a user in the project types.
#[test]
fn a_project_below_the_top_of_its_repository_is_compared_and_told_by_its_place() {
    let project = project();
    let below = project.path().join("packages/db");
    std::fs::create_dir_all(&below).unwrap();
    for name in ["migrations", "tollgate.toml"] {
        std::fs::rename(project.path().join(name), below.join(name)).unwrap();
    }
    git(&project, &["init", "--quiet"]);
    commit(&project, "begin");
    let script = below.join("migrations").join(EMAIL).join("migration.sql");
    std::fs::write(script, "-- tollgate:allow order\nSELECT 1;\n").unwrap();
    let arguments = ["-C", "packages/db", "lint", "--changed-since", "main"];
    assert_snapshot!(project.run(&[&arguments[..], &["--format", "github"]].concat()), @r#"
    exit 3
    --- stdout
    ::error file=packages/db/migrations/20251102000000_email/migration.sql,line=1,title=edited::has other bytes than at main%0Awhere the old bytes ran it is refused from now on, and elsewhere these have to earn their place again%0Ahelp: git checkout 5804c226626d -- migrations/20251102000000_email/migration.sql   # and put the change into a new migration
    ::error file=packages/db/migrations/20251102000000_email/migration.sql,line=1,endLine=1,col=1,endColumn=24,title=allow-without-reason::allows order without a reason%0Ait is as if it were not there: who reviews it has nothing to agree to%0Ahelp: write why: -- tollgate:allow order <reason>
    tollgate lint: 2 errors, 0 warnings, 0 notes and 0 allowed in 1 migration
    "#);
    let (_, sarif) = sarif(&project, &arguments);
    let place = &sarif["runs"][0]["results"][1]["locations"][0]["physicalLocation"];
    assert_snapshot!(place.to_string(), @r#"{"artifactLocation":{"uri":"packages/db/migrations/20251102000000_email/migration.sql","uriBaseId":"%SRCROOT%"},"region":{"endColumn":24,"endLine":1,"startColumn":1,"startLine":1}}"#);
    let (_, report) = project.json(&arguments);
    assert_eq!(
        report["findings"][0]["file"],
        format!("migrations/{EMAIL}/migration.sql")
    );
}

#[test]
fn what_git_does_not_know_is_an_error_with_a_way_out() {
    let project = branched();
    assert_snapshot!(project.run(&["lint", "--changed-since", "mian"]), @r#"
    exit 2
    --- stderr
    error: git knows no revision "mian" here

      remedy   git branch --all   # and name one of them
    "#);
    assert_snapshot!(project.run(&["lint", "--changed-since=--all"]), @r#"
    exit 2
    --- stderr
    error: git knows no revision "--all" here

      remedy   git branch --all   # and name one of them
    "#);
    git(&project, &["remote", "add", "origin", "/nowhere"]);
    assert_snapshot!(project.run(&["lint", "--changed-since", "origin/main"]), @r#"
    exit 2
    --- stderr
    error: git knows no revision "origin/main" here

      remedy   git fetch origin main
    "#);
    git(&project, &["checkout", "--quiet", "--orphan", "alone"]);
    commit(&project, "alone");
    assert_snapshot!(project.run(&["lint", "--changed-since", "main"]), @r#"
    exit 2
    --- stderr
    error: HEAD and main have no commit in common that git knows
      there is nothing to compare this branch with

      remedy   git log --oneline -5 HEAD   # and name a revision that it comes from
    "#);
}

#[test]
fn without_a_repository_there_is_nothing_to_compare_with() {
    let project = project();
    assert_snapshot!(lint(&project), @r#"
    exit 2
    --- stderr
    error: [project]/migrations is in no work tree of git

      remedy   tollgate lint   # without --changed-since it looks at every migration
    "#);
}

/// As a CI system checks out: the newest commit, and no more.
#[test]
fn a_shallow_clone_is_told_how_to_get_the_rest() {
    let project = branched();
    project.write(PHONE, ADDS);
    commit(&project, "phone");
    let clone = Project::empty();
    let from = format!("file://{}", project.path().display());
    git(
        &clone,
        &[
            "clone", "--quiet", "--depth", "1", "--branch", "feature", &from, ".",
        ],
    );
    assert_snapshot!(clone.run(&["lint", "--changed-since", "origin/main"]), @r#"
    exit 2
    --- stderr
    error: git knows no revision "origin/main" here
      this clone is shallow: it has only the newest commits

      remedy   git fetch --unshallow   # in GitHub Actions: fetch-depth: 0
    "#);
    // With the branch's tip, but not with the commit in which they parted.
    project.run(&["new", "more"]);
    git(&project, &["checkout", "--quiet", "main"]);
    git(
        &project,
        &["commit", "--quiet", "--allow-empty", "-m", "on main"],
    );
    git(
        &clone,
        &[
            "fetch",
            "--quiet",
            "--depth",
            "1",
            "origin",
            "main:refs/remotes/origin/main",
        ],
    );
    assert_snapshot!(clone.run(&["lint", "--changed-since", "origin/main"]), @r#"
    exit 2
    --- stderr
    error: HEAD and origin/main have no commit in common that git knows
      this clone is shallow: the commit in which they parted is not here

      remedy   git fetch --unshallow   # in GitHub Actions: fetch-depth: 0
    "#);
    git(&clone, &["fetch", "--quiet", "--unshallow", "origin"]);
    assert_eq!(
        clone.run(&["lint", "--changed-since", "origin/main"]).exit,
        0
    );
}

/// Line endings that git itself changes are no edit.
#[test]
fn line_endings_that_git_changes_are_no_edit() {
    let project = branched();
    std::fs::write(
        project.path().join(".gitattributes"),
        "*.sql text eol=crlf\n",
    )
    .unwrap();
    let crlf = std::fs::read_to_string(project.script(USERS))
        .unwrap()
        .replace('\n', "\r\n");
    project.write(USERS, &crlf);
    assert_eq!(lint(&project).exit, 0);
    std::fs::write(project.path().join(".gitattributes"), "*.sql -text\n").unwrap();
    assert_eq!(lint(&project).exit, 3);
}
