//! docs/RELEASE.md is true: its pipelines are read as YAML and run step by step by a shell, in new checkouts,
//! on SQLite; its Makefile is run by make. What a forge does itself (approvals, secrets, artifacts,
//! expressions) is played as the files ask for it, and not proven.

mod forge;
mod pipeline;

use forge::{EMAIL, Forge};
use pipeline::Job;

use crate::teams::page::{Page, System};

#[test]
fn the_pipeline_for_github_is_true() {
    a_pipeline_is_true(System::Github);
}

#[test]
fn the_pipeline_for_gitlab_is_true() {
    a_pipeline_is_true(System::Gitlab);
}

fn a_pipeline_is_true(system: System) {
    let page = Page::of("RELEASE.md");
    let jobs = pipeline::read(&page, system);
    let [review, test, plan, apply] = jobs.as_slice() else {
        panic!("four jobs")
    };
    shapes(review, test, plan, apply, system);
    let forge = Forge::new(&page);
    let on_github = system == System::Github;

    // A pull request with a migration that nobody ran.
    let bob = forge.clone("email");
    let email = "ALTER TABLE users ADD COLUMN email TEXT;\n";
    forge.migrates(&bob, EMAIL, email);
    forge.pushes(&bob, "email");
    let refused = forge.runs(review, "email");
    refused.refused("tollgate plan test", "these bytes never succeeded in dev");
    if on_github {
        let at = format!(
            "::error file=migrations/{EMAIL}/migration.sql,line=1,title=test%3A promotion::"
        );
        assert!(refused.text.contains(&at), "{}", refused.text);
        assert!(
            refused.summary.starts_with("## `test`: refused"),
            "{}",
            refused.summary
        );
    }

    // To prod what is on main, which ran in dev.
    forge.runs(test, "main").passed("test: 1 migration applied");
    let saved = forge.runs(plan, "main");
    saved.passed("prod: tollgate was never there");
    if on_github {
        for part in [
            "## `prod`: ready",
            "## Saved plan: 1 migration for prod",
            "CREATE TABLE users",
        ] {
            assert!(saved.summary.contains(part), "{part}: {}", saved.summary);
        }
    } else {
        let page = forge.artifacts.borrow()["plan"].join("release/review.html");
        assert!(
            std::fs::read_to_string(page)
                .unwrap()
                .contains("CREATE TABLE users")
        );
    }
    assert!(forge.starts(apply, "push"));
    assert!(forge.columns("prod").is_empty());
    let applied = forge.runs(apply, "main");
    applied.passed("prod: 1 migration applied");
    assert_eq!(forge.columns("prod"), ["id", "name"]);
    assert_eq!(applied.summary.contains("### Applied"), on_github);
    let name = if on_github { "github" } else { "gitlab" };
    let change = if on_github { "run-7" } else { "pipeline-7" };
    let (receipt,): (String,) = forge
        .database("prod")
        .query_row("SELECT body FROM tollgate_receipt", [], |row| {
            Ok((row.get(0)?,))
        })
        .unwrap();
    for held in [
        format!("\"actor\":\"bob\",\"origin\":{{\"kind\":\"ci\",\"system\":\"{name}\""),
        format!("\"change\":\"{change}\""),
    ] {
        assert!(receipt.contains(&held), "{held}: {receipt}");
    }
    // Started again, and the whole pipeline once more.
    forge.runs(apply, "main").passed("prod: nothing to do");
    forge.runs(test, "main").passed("test: nothing to do");
    forge.runs(plan, "main").passed("prod: up to date");
    if on_github {
        assert!(!forge.starts(apply, "push"), "there is nothing to apply");
    } else {
        let ended = forge.runs(apply, "main");
        ended.passed("");
        assert!(!ended.text.contains("prod:"), "{}", ended.text);
    }

    // The next one: bob ran it in dev, it passes its review, and is merged.
    forge.proves(&bob);
    forge.pushes(&bob, "email");
    forge.runs(review, "email").passed("test can take");
    forge.merges(&bob);
    // Past test.
    let early = forge.runs(plan, "main");
    early.refused(
        "tollgate plan prod",
        "these bytes never succeeded in dev and test",
    );
    assert!(
        !on_github
            || early
                .summary
                .starts_with("## `prod`: refused, for 1 reason")
    );
    forge.runs(test, "main").passed("test: 1 migration applied");
    forge.runs(plan, "main").passed("prod can take 1 migration");

    // Somebody was in prod by hand, between the yes and the run.
    forge
        .database("prod")
        .execute_batch("CREATE INDEX by_hand ON users (name)")
        .unwrap();
    forge
        .runs(apply, "main")
        .refused("tollgate verify prod", "drift: prod: 1 object");
    forge
        .database("prod")
        .execute_batch("DROP INDEX by_hand")
        .unwrap();
    // Somebody altered the artifact.
    let (kept, folder) = match system {
        System::Github => ("release", ""),
        System::Gitlab => ("plan", "release"),
    };
    let file = forge.artifacts.borrow()[kept]
        .join(folder)
        .join("prod.plan.json");
    let good = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, good.replace("email TEXT", "email BLOB")).unwrap();
    forge
        .runs(apply, "main")
        .refused("tollgate apply prod --plan", "premise");
    assert_eq!(forge.columns("prod"), ["id", "name"]);
    std::fs::write(&file, &good).unwrap();
    forge
        .runs(apply, "main")
        .passed("prod: 1 migration applied");
    assert_eq!(forge.columns("prod"), ["id", "name", "email"]);
}

/// What the page says of its jobs, as far as the files say it.
fn shapes(review: &Job, test: &Job, plan: &Job, apply: &Job, system: System) {
    let all = [review, test, plan, apply];
    let names = all.map(|job| job.name.as_str());
    assert_eq!(names, ["review", "test", "plan", "apply"]);
    assert!(all.iter().all(|job| job.system == system));
    let needs = all.map(|job| job.needs.as_deref());
    assert_eq!(needs, [None, None, Some("test"), Some("plan")]);
    let environments = all.map(|job| job.environment.as_deref());
    assert_eq!(
        environments,
        [None, None, Some("production-plan"), Some("production")]
    );
    let alone = all.map(|job| job.alone.as_deref());
    assert_eq!(alone, [None, Some("test"), None, Some("production")]);
    // Of GitHub the environment's reviewers approve, of GitLab whoever may start it.
    assert_eq!(
        all.map(|job| job.is_manual),
        [false, false, false, system == System::Gitlab]
    );
    if system == System::Github {
        let given = all.map(|job| job.variables.keys().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(
            given,
            [
                vec![],
                vec!["DATABASE_URL_TEST"],
                vec!["DATABASE_URL_PROD"],
                vec!["DATABASE_URL_PROD"]
            ]
        );
    }
}

#[test]
fn the_makefile_is_true() {
    let page = Page::of("RELEASE.md");
    let forge = Forge::new(&page);
    let ada = forge.clone("email");
    forge.migrates(&ada, EMAIL, "ALTER TABLE users ADD COLUMN email TEXT;\n");
    forge.proves(&ada);
    forge.pushes(&ada, "main");

    let desk = forge.clone("main");
    let env = format!(
        "DATABASE_URL_TEST={}\nDATABASE_URL_PROD={}\n",
        forge.url("test"),
        forge.url("prod")
    );
    std::fs::write(desk.join(".env"), env).unwrap();
    let make = |what: &str| forge.shell(&desk, &format!("make {what}"), &[]);
    let must = |what: &str, said: &str| {
        let (exit, text) = make(what);
        assert!(exit == 0 && text.contains(said), "make {what}: {text}");
    };
    must("status", "promotion: not in test");
    let (exit, text) = make("plan");
    assert!(
        exit == 2 && text.contains("which change is it? make plan CHANGE=CHG-123"),
        "{text}"
    );
    let (exit, text) = make("plan CHANGE=CHG-123");
    assert!(
        exit == 2 && text.contains("these bytes never succeeded in test"),
        "{text}"
    );
    must("test", "test: 2 migrations applied");
    must("status", "2 migrations wait, all ready");
    must("plan CHANGE=CHG-123", "change    CHG-123");
    must("review", EMAIL);
    let (exit, text) = make("approve");
    assert!(exit == 2 && text.contains("who says yes?"), "{text}");
    must("approve WHO='Grace H'", "Grace H");
    must("apply", "prod: 2 migrations applied");
    assert_eq!(forge.columns("prod"), ["id", "name", "email"]);
    must("status", "nothing waits");

    // The commands of the first section, in their order, for the next migration.
    let next = "20251105000000_add_phone";
    let script = "ALTER TABLE users ADD COLUMN phone TEXT;\n";
    forge.migrates(&ada, next, script);
    forge.proves(&ada);
    forge.pushes(&ada, "main");
    forge.must(
        &desk,
        "git add -A && git commit -qm evidence && git pull -q --no-rebase origin main",
        &[],
    );
    must("test", "test: 1 migration applied");
    let commands = page
        .blocks("sh")
        .remove(0)
        .replace("20251105_add_email", next);
    let told = forge.must(&desk, &commands, &[]);
    assert!(told.contains("prod: 1 migration applied"), "{told}");

    let makefile = page.blocks("make").remove(0);
    let targets = makefile
        .lines()
        .find_map(|line| line.strip_prefix(".PHONY: "));
    assert_eq!(
        targets,
        Some("look status test plan review approve apply"),
        "all of them were made"
    );
}
