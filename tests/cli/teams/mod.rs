//! docs/TEAMS.md is true: its pipelines are run job by job, with a fresh ledger each, on real databases, and
//! every other command of the page is typed. What CI systems do themselves (services, approvals, secrets,
//! artifacts) is played here as their files ask for it, and not proven.

pub(crate) mod page;
pub(crate) mod team;
mod troubles;

use std::collections::BTreeSet;

use page::{Job, Page, System};
use team::{Artifact, Team, USERS};

/// Commands of the page that no test of it types, and why.
const NOT_RUN: [(&str, &str); 1] = [(
    "tollgate baseline prod",
    "a database with a history of another tool: docs/PRISMA.md, held by tests/prisma",
)];

/// Lines of its `sh` blocks that are none of tollgate's.
const SHELL: [(&str, &str); 2] = [
    (
        "cargo install --locked --git https://git.example.org/your-team/tollgate --rev COMMIT",
        "the reader's own, with an address that is an example",
    ),
    (
        "git add migrations evidence && git commit -m \"Add email\"",
        "git's; `Team::commits` stands for it",
    ),
];

#[test]
fn github_with_the_hub() {
    a_pipeline_is_true(0, System::Github, true);
}

#[test]
fn github_without_a_hub() {
    a_pipeline_is_true(1, System::Github, false);
}

#[test]
fn gitlab_with_the_hub() {
    a_pipeline_is_true(2, System::Gitlab, true);
}

#[test]
fn gitlab_without_a_hub() {
    a_pipeline_is_true(3, System::Gitlab, false);
}

fn a_pipeline_is_true(place: usize, system: System, with_hub: bool) {
    let team = Team::new(with_hub);
    assert_eq!(team.page.blocks("yaml").len(), 4);
    let jobs = team.page.pipeline(place);
    let [pull_request, test, prod] = jobs.as_slice() else {
        panic!("three jobs")
    };
    shapes(pull_request, test, prod, system);

    // Nothing was in anybody's dev.
    let never = "these bytes never succeeded in dev";
    let first = team.runs(pull_request);
    if with_hub {
        first.refused("tollgate apply ci", never);
    } else {
        let command = "tollgate sync --from-dir evidence";
        assert_eq!(
            (first.exit, first.last.as_str()),
            (1, command),
            "{}",
            first.text
        );
        assert!(first.text.contains("there is no folder"), "{}", first.text);
    }

    let ada = team.laptop("ada");
    assert_eq!(team.types(&ada, "tollgate apply dev", &[]).exit, 0);
    if !with_hub {
        let shot = team.types(&ada, "tollgate log export --to-dir evidence", &[]);
        assert_eq!(shot.exit, 0, "{shot}");
        team.commits(&ada);
    }

    // Straight to prod, with all that is known by then.
    if !with_hub {
        assert_eq!(ada.run(&["log", "export", "state/test.jsonl"]).exit, 0);
        let bytes = std::fs::read(ada.path().join("state/test.jsonl")).unwrap();
        let (name, file) = match system {
            System::Github => ("test-ledger", "test.jsonl"),
            System::Gitlab => ("test", "state/test.jsonl"),
        };
        let artifact = Artifact {
            file: file.to_owned(),
            bytes,
        };
        team.artifacts
            .borrow_mut()
            .insert(name.to_owned(), artifact);
    }
    let skipped = team.runs(prod);
    skipped.refused(
        "tollgate plan prod",
        "these bytes never succeeded in ci and test",
    );
    assert_eq!(tables(team.prod()), "0");
    if with_hub {
        // And a push to main past the pull request.
        team.runs(test)
            .refused("tollgate apply test", "these bytes never succeeded in ci");
    }

    team.runs(pull_request).passed("ci: 1 migration applied");
    team.runs(test).passed("test: 1 migration applied");
    let first = team.runs(prod);
    first.passed("prod: tollgate was never there");
    first.passed("prod: 1 migration applied");
    assert_eq!(tables(team.prod()), "1");
    let receipt = team.prod().ask("SELECT body FROM tollgate.receipt");
    let name = format!("{system:?}").to_lowercase();
    let origin = format!("\"actor\":\"bob\",\"origin\":{{\"kind\":\"ci\",\"system\":\"{name}\"");
    assert!(receipt.contains(&origin), "{receipt}");

    // Once more: a pull request has a new database, the others have nothing to do.
    team.runs(pull_request).passed("ci: 1 migration applied");
    team.runs(test).passed("test: nothing to do");
    let second = team.runs(prod);
    second.passed("verified: prod: no drift");
    second.passed("prod: nothing to do");

    // One byte after it ran, and in nobody's dev.
    let script = std::fs::read_to_string(team.tree.script(USERS)).unwrap();
    team.tree
        .write(USERS, &format!("{script}-- one more thought\n"));
    team.runs(pull_request).refused("tollgate apply ci", never);
    team.tree.write(USERS, &script);

    // The next one, by somebody else.
    let next = "20251102000000_email";
    let bob = team.laptop("bob");
    bob.write(next, "ALTER TABLE users ADD email text;\n");
    team.commits(&bob);
    team.runs(pull_request).refused("tollgate apply ci", never);
    if !with_hub {
        assert_eq!(
            team.types(&bob, "tollgate sync --from-dir evidence", &[])
                .exit,
            0
        );
    }
    assert_eq!(team.types(&bob, "tollgate apply dev", &[]).exit, 0);
    if !with_hub {
        team.types(&bob, "tollgate log export --to-dir evidence", &[]);
    }
    team.commits(&bob);
    team.runs(pull_request).passed("ci: 2 migrations applied");
    team.runs(test).passed("test: 1 migration applied");

    // Somebody was in prod by hand.
    team.prod()
        .run("CREATE INDEX by_hand ON users (id)")
        .unwrap();
    team.runs(prod)
        .refused("tollgate verify prod", "drift: prod: 1 object");
    team.prod().run("DROP INDEX by_hand").unwrap();
    team.runs(prod).passed("prod: 1 migration applied");
    assert_eq!(
        team.prod().ask("SELECT count(*) FROM tollgate.receipt"),
        "2"
    );
}

fn tables(of: &crate::server::Database) -> String {
    of.ask("SELECT count(*) FROM pg_class WHERE relname = 'users'")
}

/// What the page says of its jobs, as far as the files say it.
fn shapes(pull_request: &Job, test: &Job, prod: &Job, system: System) {
    let names: Vec<&str> = [pull_request, test, prod]
        .map(|job| job.name.as_str())
        .to_vec();
    assert_eq!(names, ["pull-request", "test", "prod"]);
    assert!(
        [pull_request, test, prod]
            .iter()
            .all(|job| job.system == system)
    );
    assert!(pull_request.on_pull_request && pull_request.has_server);
    assert!(!test.on_pull_request && !prod.on_pull_request);
    assert_eq!(prod.needs.as_deref(), Some("test"));
    assert!(prod.approved && !test.approved && !pull_request.approved);
    assert_eq!(prod.environment.as_deref(), Some("prod"));
    assert_eq!(
        (test.alone.as_deref(), prod.alone.as_deref()),
        (Some("test"), Some("prod"))
    );
    for job in [pull_request, test] {
        assert!(!job.variables.contains_key("DATABASE_URL_PROD"), "{job:?}");
    }
    assert!(!pull_request.variables.contains_key("DATABASE_URL_TEST"));
}

#[test]
fn a_pull_request_of_a_fork_has_no_secrets() {
    let mut team = Team::new(true);
    let ada = team.laptop("ada");
    assert_eq!(ada.run(&["apply", "dev"]).exit, 0);
    // What is not there is empty.
    team.hub = Some(String::new());
    for place in [0, 2] {
        let job = team.page.pipeline(place).remove(0);
        let ended = team.runs(&job);
        ended.refused(
            "tollgate apply ci",
            "dev: nothing, and this ledger knows no target there",
        );
    }
}

/// Every command of the page that no pipeline has, typed where the page says it is typed.
#[test]
fn every_other_command_of_the_page_is_typed() {
    let team = Team::new(true);
    the_first_day(&team);
    every_day_without_a_hub(&team);
    lasting_databases(&team);
    troubles::all(&team);

    let mut pipelines = BTreeSet::new();
    for place in 0..4 {
        for job in team.page.pipeline(place) {
            let runs = job.steps.into_iter().filter_map(|step| match step {
                page::Step::Run(line) => Some(line),
                _ => None,
            });
            pipelines.extend(runs);
        }
    }
    let ran = team.ran.borrow();
    let not_run: Vec<&str> = NOT_RUN.iter().map(|(command, _)| *command).collect();
    let typed = team.page.typed();
    let left: Vec<&String> = typed
        .iter()
        .filter(|command| !ran.contains(*command) && !pipelines.contains(*command))
        .filter(|command| !not_run.contains(&command.as_str()))
        .collect();
    assert!(left.is_empty(), "on the page and not run: {left:#?}");
    for command in not_run {
        assert!(typed.contains(command), "no more on the page: {command}");
    }
    let others: Vec<String> = team
        .page
        .shell()
        .into_iter()
        .filter(|line| !line.starts_with("tollgate "))
        .collect();
    assert_eq!(
        others,
        SHELL.map(|(line, _)| line),
        "lines of shell that the test does not know"
    );
}

fn the_first_day(team: &Team) {
    let empty = crate::project::Project::empty();
    assert_eq!(team.types(&empty, "tollgate init", &[]).exit, 0);
    let ignored = std::fs::read_to_string(empty.path().join(".gitignore")).unwrap();
    for line in ["/state/", "/.env", "/.env.*"] {
        assert!(ignored.lines().any(|known| known == line), "{ignored}");
    }

    let ada = team.laptop("ada");
    assert_eq!(ada.run(&["apply", "dev"]).exit, 0);
    let bob = team.laptop("bob");
    for command in ["tollgate pull", "tollgate apply dev", "tollgate status"] {
        let shot = team.types(&bob, command, &[]);
        assert_eq!(shot.exit, 0, "{shot}");
    }
    let url = team.database();
    let mut preview = team.laptop("bob");
    preview
        .variables
        .insert("DATABASE_URL_PREVIEW".to_owned(), url);
    preview.write("20251109000000_idea", "CREATE TABLE ideas (id int);\n");
    for _ in 0..2 {
        let shot = team.types(&preview, "tollgate apply preview", &[]);
        assert!(
            shot.stdout.contains("preview: 2 migrations applied"),
            "{shot}"
        );
        let next = team.database();
        preview
            .variables
            .insert("DATABASE_URL_PREVIEW".to_owned(), next);
    }
    // It is evidence for none.
    let ci = team.database();
    preview.variables.insert("DATABASE_URL_CI".to_owned(), ci);
    let shot = preview.run(&["apply", "ci"]);
    assert!(
        shot.exit == 3 && shot.stdout.contains("dev: nothing"),
        "{shot}"
    );
}

fn every_day_without_a_hub(team: &Team) {
    let alone = Team::new(false);
    let ada = alone.laptop("ada");
    let shot = team.types(&ada, "tollgate new add_email", &[]);
    assert_eq!(shot.exit, 0, "{shot}");
    let script = shot.stdout.lines().next().unwrap();
    std::fs::write(
        ada.path().join(script),
        "ALTER TABLE users ADD email text;\n",
    )
    .unwrap();
    assert_eq!(team.types(&ada, "tollgate apply dev", &[]).exit, 0);
    let shot = team.types(&ada, "tollgate log export --to-dir evidence", &[]);
    assert_eq!(shot.exit, 0, "{shot}");
    alone.commits(&ada);
    let bob = alone.laptop("bob");
    let shot = team.types(&bob, "tollgate sync --from-dir evidence", &[]);
    assert!(
        shot.exit == 0 && shot.stdout.contains("evidence: took in"),
        "{shot}"
    );
    // Both write, and neither a file of the other's.
    assert_eq!(bob.run(&["apply", "dev"]).exit, 0);
    let shot = bob.run(&["log", "export", "--to-dir", "evidence"]);
    assert_eq!(shot.exit, 0, "{shot}");
    alone.commits(&bob);
    alone.pulls(&ada);
    assert_eq!(ada.run(&["sync", "--from-dir", "evidence"]).exit, 0);
}

/// The fourth way.
fn lasting_databases(team: &Team) {
    let alone = Team::new(false);
    let lasting = "[[environment]]\nname = \"dev\"\nurl = \"env:DATABASE_URL_DEV\"\n\
                   [[environment]]\nname = \"test\"\nurl = \"env:DATABASE_URL_TEST\"\n\
                   [[environment]]\nname = \"prod\"\nurl = \"env:DATABASE_URL_PROD\"\n";
    std::fs::write(alone.tree.path().join("tollgate.toml"), lasting).unwrap();
    let mut ada = alone.laptop("ada");
    ada.variables
        .insert("DATABASE_URL_TEST".to_owned(), alone.test().url());
    assert_eq!(ada.run(&["promote", "test"]).exit, 0);
    let mut manager = alone.laptop("bob");
    manager
        .variables
        .insert("DATABASE_URL_TEST".to_owned(), alone.test().url());
    let shot = team.types(&manager, "tollgate sync test", &[]);
    assert_eq!(shot.exit, 0, "{shot}");
    let shot = manager.run(&["plan", "prod"]);
    assert_eq!(shot.exit, 0, "{shot}");
    assert!(
        shot.stdout.contains("by ada, as its receipt in test tells"),
        "{shot}"
    );
}

/// Without a lasting test database: each job's is a new one, and what succeeded there counts.
#[test]
fn test_may_live_for_ten_minutes() {
    for with_hub in [true, false] {
        let team = Team::new(with_hub);
        let file = team.tree.path().join("tollgate.toml");
        let config = std::fs::read_to_string(&file).unwrap();
        let ci = "[[environment]]\nname = \"ci\"\n";
        let (before, rest) = config.split_once(ci).unwrap();
        let (_, after) = rest.split_once("[[environment]]").unwrap();
        let config = format!("{before}[[environment]]{after}")
            .replace("name = \"test\"\n", "name = \"test\"\nephemeral = true\n");
        std::fs::write(file, config).unwrap();

        let ada = team.laptop("ada");
        assert_eq!(ada.run(&["apply", "dev"]).exit, 0);
        assert_eq!(ada.run(&["log", "export", "--to-dir", "evidence"]).exit, 0);
        team.commits(&ada);
        for _ in 0..2 {
            let mut job = team.laptop("bob");
            if !with_hub {
                assert_eq!(job.run(&["sync", "--from-dir", "evidence"]).exit, 0);
            }
            job.variables
                .insert("DATABASE_URL_TEST".to_owned(), team.database());
            let shot = job.run(&["apply", "test"]);
            assert!(shot.stdout.contains("test: 1 migration applied"), "{shot}");
            assert_eq!(job.run(&["log", "export", "--to-dir", "evidence"]).exit, 0);
            team.commits(&job);
        }
        let mut prod = team.laptop("bob");
        let taken = match with_hub {
            true => prod.run(&["pull"]),
            false => prod.run(&["sync", "--from-dir", "evidence"]),
        };
        assert_eq!(taken.exit, 0, "{taken}");
        prod.variables
            .insert("DATABASE_URL_PROD".to_owned(), team.prod().url());
        let shot = prod.run(&["plan", "prod"]);
        assert!(
            shot.exit == 0 && shot.stdout.starts_with("ready:"),
            "{shot}"
        );
        assert_eq!(prod.run(&["apply", "prod"]).exit, 0);
    }
}

/// The blocks that no program reads are as a program would read them.
#[test]
fn the_lines_for_git_are_those_that_init_writes() {
    let page = Page::read();
    let attributes = page.blocks("gitattributes").remove(0);
    assert_eq!(attributes, "migrations/** -text\nevidence/** -text\n");
}
