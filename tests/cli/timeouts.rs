//! `lock_timeout` and `statement_timeout` of an environment.

use std::time::{Duration, Instant};

use insta::assert_snapshot;

use crate::on_postgres::{CREATE, Chain};
use crate::project::Project;
use crate::server::run;

/// Adds a line to the first environment.
fn add(project: &Project, line: &str) {
    let file = project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let at = text.find("url = ").unwrap();
    let at = at + text[at..].find('\n').unwrap() + 1;
    std::fs::write(&file, format!("{}{line}\n{}", &text[..at], &text[at..])).unwrap();
}

#[test]
fn a_lock_that_is_not_got_is_tried_for_and_its_holder_named() {
    let chain = Chain::new(&[
        ("20251101000000_users", CREATE),
        ("20251102000000_age", "ALTER TABLE users ADD age int;\n"),
    ]);
    chain.run(&["apply", "dev", "--to", "20251101"]);
    add(
        &chain.project,
        "lock_timeout = \"1s\"\nstatement_timeout = \"1h\"",
    );
    let dev = &chain.databases[0];
    let url = dev.superuser_url();
    let holder = std::thread::spawn(move || {
        run(
            &url,
            "SET application_name = 'report'; BEGIN; SELECT 1 FROM users; SELECT pg_sleep(120)",
        )
    });
    let pid = "SELECT l.pid FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.relation = to_regclass('users') AND a.application_name = 'report'";
    let begun = Instant::now();
    let pid = loop {
        if let Some(row) = dev.run(pid).unwrap().first() {
            break row[0].clone().unwrap();
        }
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(10));
    };
    let mut shot = chain.run(&["apply", "dev"]);
    shot.stderr = shot
        .stderr
        .replace(&format!("session {pid} "), "session 4711 ");
    assert_snapshot!(shot, @r#"
    exit 1
    --- stderr
    dev: 1 migration to apply
    dev: 20251102000000_age waits for a lock held by session 4711 (user tollgate_test, report, active, AccessShareLock on users): SET application_name = 'report'; BEGIN; SELECT 1 FROM users; SELECT pg_sleep(120; try 2 of 5
    dev: 20251102000000_age waits for a lock held by session 4711 (user tollgate_test, report, active, AccessShareLock on users): SET application_name = 'report'; BEGIN; SELECT 1 FROM users; SELECT pg_sleep(120; try 3 of 5
    dev: 20251102000000_age waits for a lock held by session 4711 (user tollgate_test, report, active, AccessShareLock on users): SET application_name = 'report'; BEGIN; SELECT 1 FROM users; SELECT pg_sleep(120; try 4 of 5
    dev: 20251102000000_age waits for a lock held by session 4711 (user tollgate_test, report, active, AccessShareLock on users): SET application_name = 'report'; BEGIN; SELECT 1 FROM users; SELECT pg_sleep(120; try 5 of 5
    error: 20251102000000_age failed in dev: canceling statement due to lock timeout [55P03]
      --> migrations/20251102000000_age/migration.sql:1:1
      |
    1 | ALTER TABLE users ADD age int;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      hint     given up after 5 tries; wait until the session that holds the lock has ended, or end it; it was held by session 4711 (user tollgate_test, report, active, AccessShareLock on users): SET application_name = 'report'; BEGIN; SELECT 1 FROM users; SELECT pg_sleep(120

    dev is as it was: the whole script was rolled back.
      remedy   tollgate apply dev
    "#);
    dev.run(&format!("SELECT pg_terminate_backend({pid})"))
        .unwrap();
    let _ = holder.join();
    assert_eq!(chain.run(&["apply", "dev"]).exit, 0);
    assert_eq!(dev.ask("SELECT count(*) FROM tollgate.receipt"), "2");
}

/// A statement that takes too long fails, and is not tried again.
#[test]
fn a_statement_that_takes_too_long_fails() {
    let chain = Chain::new(&[("20251101000000_slow", "SELECT pg_sleep(60);\n")]);
    add(&chain.project, "statement_timeout = \"200ms\"");
    assert_snapshot!(chain.run(&["apply", "dev"]), @r#"
    exit 1
    --- stderr
    dev: bound to app_dev
    dev: 1 migration to apply
    error: 20251101000000_slow failed in dev: canceling statement due to statement timeout [57014]
      --> migrations/20251101000000_slow/migration.sql:1:1
      |
    1 | SELECT pg_sleep(60);
      | ^^^^^^^^^^^^^^^^^^^

    dev is as it was: the whole script was rolled back.
      remedy   edit migrations/20251101000000_slow/migration.sql, then: tollgate apply dev
    "#);
}

/// Patience is no policy: it does not change what may enter, so a plan that was shown stays the plan.
#[test]
fn timeouts_do_not_change_a_plan() {
    let chain = Chain::new(&[("20251101000000_users", CREATE)]);
    let before = chain.run(&["plan", "dev", "--format", "json"]);
    add(&chain.project, "lock_timeout = \"5s\"");
    let after = chain.run(&["plan", "dev", "--format", "json"]);
    assert_eq!((before.exit, before.stdout), (0, after.stdout));
}

#[test]
fn on_sqlite_they_are_an_error() {
    let project = Project::with(&[]);
    let config =
        "[[environment]]\nname = \"dev\"\nurl = \"sqlite:dev.db\"\nlock_timeout = \"5s\"\n";
    std::fs::write(project.path().join("tollgate.toml"), config).unwrap();
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 2
    --- stderr
    error: dev: lock_timeout is PostgreSQL's, and the url of dev names an SQLite file

      remedy   edit tollgate.toml: remove lock_timeout from dev
    "#);
}
