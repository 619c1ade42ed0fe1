//! Approvals of others: of authors, on other machines, in a ledger that was lost, in files that are none.

use std::process::Command;

use insta::assert_snapshot;

use super::{
    EMAIL, PLAN, UNIQUE, USERS, bytes, held, in_prod, put, refusals, require, save, waiting,
};
use crate::project::Project;

fn approve(project: &Project, name: &str) -> u8 {
    project.run(&["approve", PLAN, "--as", name]).exit
}

fn git(project: &Project, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.org"])
        .args(arguments)
        .current_dir(project.path())
        .env("GIT_AUTHOR_DATE", "2025-11-04T10:12:00Z")
        .env("GIT_COMMITTER_DATE", "2025-11-04T10:12:00Z")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Ada wrote all of it, and Bo one of its migrations too.
fn written_by_ada_and_bo() -> Project {
    let project = waiting();
    require(&project, "approvals = 1, not_by = \"author\"");
    std::fs::write(project.path().join(".gitignore"), "state\n*.plan.json\n").unwrap();
    git(&project, &["init", "-q"]);
    git(
        &project,
        &[
            "add",
            "tollgate.toml",
            ".gitignore",
            &format!("migrations/{USERS}"),
            &format!("migrations/{EMAIL}"),
        ],
    );
    git(&project, &["commit", "-q", "-m", "first"]);
    git(&project, &["add", "."]);
    let bo = "Bo Berg <7+bo@users.noreply.github.com>";
    git(&project, &["commit", "-q", "-m", "second", "--author", bo]);
    project
}

#[test]
fn an_author_approves_nothing_of_their_own() {
    let project = written_by_ada_and_bo();
    save(&project, &[]);
    assert_snapshot!(project.run(&["approve", PLAN, "--as", "Ada"]), @r#"
    exit 3
    --- stdout
    refused: nothing was approved for prod

        approval    an author's approval does not count for prod, and Ada is one
                    found     Ada <ada@example.org> wrote 20251102000000_email
                    required  somebody who wrote none of it
                    remedy    tollgate approve release.plan.json --as '<name>'   # somebody else's
    "#);
    for name in [
        "ADA",
        "ada@example.org",
        "Bo Berg",
        "bo",
        "Somebody <ada@example.org>",
    ] {
        assert_eq!(approve(&project, name), 3, "{name}");
    }
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        approval    nobody whose word counts approved it
                    required  the approval of 1 person who neither applies it nor wrote a migration in it, of the saved plan 17cb2ef1ca80
                    remedy    tollgate approve release.plan.json --as '<name>'
    "#);
    // Where the policy did not ask that yet, it was recorded, and does not count now.
    require(&project, "approvals = 1");
    assert_eq!(approve(&project, "bo"), 0);
    require(&project, "approvals = 1, not_by = \"author\"");
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        approval    nobody whose word counts approved it
                    found     does not count: bo, 2025-11-04 10:12 UTC (typed by alice); Bo Berg <7+bo@users.noreply.github.com> wrote 20251103000000_unique
                    required  the approval of 1 person who neither applies it nor wrote a migration in it, of the saved plan 17cb2ef1ca80
                    remedy    tollgate approve release.plan.json --as '<name>'
    "#);
    assert_eq!(approve(&project, "cy"), 0);
    assert_eq!(held(&project).exit, 0);
    assert_eq!(in_prod(&project), [USERS, EMAIL, UNIQUE]);
}

#[test]
fn where_nobody_knows_who_wrote_it_nobody_can_approve_it() {
    let origin = written_by_ada_and_bo();
    // A clone that has only the newest commit takes all of it for the work of whoever made that.
    let project = waiting();
    require(&project, "approvals = 1, not_by = \"author\"");
    for folder in ["migrations", "tollgate.toml"] {
        let path = project.path().join(folder);
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }
    let from = format!("file://{}", origin.path().display());
    git(&project, &["clone", "-q", "--depth", "1", &from, "clone"]);
    for name in ["migrations", "tollgate.toml", ".git", ".gitignore"] {
        let clone = project.path().join("clone").join(name);
        std::fs::rename(clone, project.path().join(name)).unwrap();
    }
    std::fs::remove_dir_all(project.path().join("clone")).unwrap();
    assert_snapshot!(save(&project, &[]).stderr, @r#"
    warning: nobody can approve it: who wrote 20251102000000_email and 1 more is not known: the plan was made in a clone without its whole history

      remedy   git fetch --unshallow && tollgate plan prod --out release.plan.json   # in GitHub Actions: fetch-depth: 0
    "#);
    assert_snapshot!(project.run(&["approve", PLAN, "--as", "cy"]), @r#"
    exit 3
    --- stdout
    refused: nothing was approved for prod

        approval    whether an approver wrote it cannot be told
                    found     who wrote 20251102000000_email and 1 more is not known: the plan was made in a clone without its whole history
                    required  a plan that names the authors of each of its migrations
                    remedy    git fetch --unshallow && tollgate plan prod --out release.plan.json   # in GitHub Actions: fetch-depth: 0
    "#);
    assert_snapshot!(held(&project), @r#"
    exit 3
    --- stdout
    refused: prod takes nothing as it is

        approval    whether an approver wrote it cannot be told
                    found     who wrote 20251102000000_email and 1 more is not known: the plan was made in a clone without its whole history
                    required  the approval of 1 person who neither applies it nor wrote a migration in it, of the saved plan 20b8d229a378
                    remedy    git fetch --unshallow && tollgate plan prod --out release.plan.json   # in GitHub Actions: fetch-depth: 0
    "#);
    // Nor outside a repository, nor for what is in no commit.
    let outside = waiting();
    require(&outside, "approvals = 1, not_by = \"author\"");
    save(&outside, &[]);
    let (exit, refused) = outside.json(&["approve", PLAN, "--as", "cy"]);
    assert_eq!(exit, 3);
    assert_eq!(refused["refusals"][0]["gate"], "approval");
    let found = refused["refusals"][0]["found"].as_str().unwrap();
    assert!(found.contains("outside a git repository"), "{found}");
}

/// The same project on another machine: the same bytes, a ledger of its own.
fn elsewhere(project: &Project, n: u64) -> Project {
    let other = Project::with(&[]).with_ids(n);
    std::fs::copy(
        project.path().join("tollgate.toml"),
        other.path().join("tollgate.toml"),
    )
    .unwrap();
    for id in [USERS, EMAIL, UNIQUE] {
        other.write(id, &std::fs::read_to_string(project.script(id)).unwrap());
    }
    put(&other, bytes(project));
    other
}

fn carry(from: &Project, to: &Project) {
    let file = to.path().join("carried.jsonl");
    let file = file.to_str().unwrap();
    assert_eq!(from.run(&["log", "export", file]).exit, 0);
    let took = to.run(&["sync", "--from", file]);
    assert_eq!(took.exit, 0, "{took}");
}

#[test]
fn an_approval_on_another_machine_counts_once_it_came_here() {
    let project = waiting();
    require(&project, "approvals = 2");
    save(&project, &[]);
    let mut bo = elsewhere(&project, 2);
    bo.variables.insert("USER".to_owned(), "bo".to_owned());
    // That ledger knows nothing of prod: what it would refuse is said, and no reason to refuse the word.
    assert_snapshot!(bo.run(&["approve", PLAN, "--as", "bo"]), @r#"
    exit 0
    --- stdout
    approved: saved plan 19cfbff3ced9 for prod, by bo: recorded, not signed

      approved  bo, 2025-11-04 10:12 UTC
      asked for 2, 1 missing
      not yet   as this ledger knows it, it would now be refused: promotion

      next      tollgate approve release.plan.json --as '<name>'   # somebody else's
    "#);
    assert_eq!(refusals(&project).len(), 1);
    carry(&bo, &project);
    assert_eq!(
        refusals(&project),
        ["approval -: 1 approval is missing of 2"]
    );
    // The same entries again, and the same word from a third machine, are the same person's.
    carry(&bo, &project);
    let third = elsewhere(&project, 3);
    assert_eq!(approve(&third, "Bo"), 0);
    carry(&third, &project);
    assert_eq!(
        refusals(&project),
        ["approval -: 1 approval is missing of 2"]
    );
    let cy = elsewhere(&project, 4);
    assert_eq!(approve(&cy, "cy"), 0);
    carry(&cy, &project);
    assert_eq!(held(&project).exit, 0);
}

/// What ran under the plan says who had approved it, so the rest goes on for a ledger that knows nothing.
#[test]
fn a_lost_ledger_learns_from_the_receipts_who_approved() {
    let project = waiting();
    require(&project, "approvals = 1");
    save(&project, &[]);
    assert_eq!(approve(&project, "bo"), 0);
    let prod = project.database("prod");
    prod.execute_batch("INSERT INTO users VALUES (1, 'a', ''), (2, 'a', '')")
        .unwrap();
    assert_eq!(held(&project).exit, 1);
    prod.execute_batch("DELETE FROM users WHERE id = 2")
        .unwrap();
    for suffix in ["", "-wal", "-shm", ".head"] {
        let _ = std::fs::remove_file(project.path().join(format!("state/ledger.db{suffix}")));
    }
    for name in ["dev", "test", "prod"] {
        let _ = project.run(&["sync", name]);
    }
    let shot = held(&project);
    assert_eq!(shot.exit, 0, "{shot}");
    let why = project.run(&["why", UNIQUE, "prod"]).stdout;
    assert!(why.contains("approved    bo, "), "{why}");
}

#[test]
fn a_plan_of_another_place_is_not_approved() {
    let mine = waiting();
    save(&mine, &[]);
    // Another project's, with environments of the same names.
    let project = Project::with(&[("20251101000000_shops", "CREATE TABLE shops (id INTEGER);\n")])
        .with_own_ids();
    assert_eq!(project.run(&["promote", "prod"]).exit, 0);
    put(&project, bytes(&mine));
    assert_snapshot!(project.run(&["approve", PLAN, "--as", "bo"]), @r#"
    exit 3
    --- stdout
    refused: nothing was approved for prod

        premise     its target is another one now
                    found     then: sqlite prod.db, incarnation 6f3287cd
                              now:  sqlite prod.db, incarnation d26407b5
                    required  the target that the plan was made for
                    remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew

      20251102000000_email
        premise     its folder is gone
                    required  blake3:0bff6c90c6e8, as the plan has it
                    remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew

      20251103000000_unique
        premise     its folder is gone
                    required  blake3:ebc9676c99b7, as the plan has it
                    remedy    tollgate plan prod --out release.plan.json   # a new plan, to be read anew
    "#);
    assert!(
        project
            .run(&["log", "-n", "1"])
            .stdout
            .contains("refused    approve prod: premise")
    );
    // One that this project has no environment for.
    let config = project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("name = \"prod\"", "name = \"live\"")).unwrap();
    assert_snapshot!(project.run(&["approve", PLAN, "--as", "bo"]), @r#"
    exit 3
    --- stdout
    refused: nothing was approved

        premise     the plan is for prod, and tollgate.toml here has no environment of that name
                    required  a plan of this project
                    remedy    tollgate review release.plan.json   # says what it is of
    "#);
    // Read, it says nothing of approvals, because nobody here knows any.
    let review = project.run(&["review", PLAN]);
    assert_eq!(review.exit, 0);
    assert!(!review.stdout.contains("approvals"), "{review}");
}

#[test]
fn whoever_reads_it_elsewhere_is_told_that_approvals_are_not_known_there() {
    let project = waiting();
    require(&project, "approvals = 2, not_by = \"author\"");
    save(&project, &[]);
    let elsewhere = Project::empty();
    put(&elsewhere, bytes(&project));
    let read = elsewhere.run(&["review", PLAN]);
    assert_eq!(read.exit, 0);
    let (_, told) = read.stdout.split_once("\n  approvals\n").unwrap();
    assert_snapshot!(told, @r#"
      asked for: 2, none by an author; who gave one is in the ledger of its project, and not known here

    policy
      approvals    2, none by an author
      chain        dev, test, prod
      data_loss    refuse
      never_waive  promotion

    next      tollgate approve release.plan.json --as '<name>'
    "#);
    let (_, document) = elsewhere.json(&["review", PLAN]);
    assert!(document["approvals"].is_null());
    let (_, document) = project.json(&["review", PLAN]);
    assert_eq!(document["approvals"]["missing"], 2);
    for format in ["markdown", "html"] {
        let page = elsewhere.run(&["review", PLAN, "--format", format]).stdout;
        assert!(page.contains("Approvals"), "{page}");
        assert!(page.contains("not known here"), "{page}");
    }
    // What somebody says with it is text on every page.
    require(&project, "approvals = 1");
    save(&project, &[]);
    let note = "<script>alert(1)</script> [a](http://example.org) `b`";
    let shot = project.run(&[
        "approve",
        PLAN,
        "--as",
        "Bo <bo@example.org>",
        "--note",
        note,
    ]);
    assert_eq!(shot.exit, 0, "{shot}");
    let page = project.run(&["review", PLAN, "--format", "html"]).stdout;
    assert!(page.contains("&lt;script&gt;alert(1)"), "{page}");
    assert!(!page.contains("<script>"), "{page}");
    let page = project
        .run(&["review", PLAN, "--format", "markdown"])
        .stdout;
    assert!(page.contains("- `` Bo <bo@example.org>, "), "{page}");
}
