//! The real program, as processes: exit codes, signals, locks, pipes.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use crate::project::Project;
use crate::server::Database;

const SLOW: &str = "SELECT pg_sleep(2); CREATE TABLE slow (id int);\n";

fn tollgate(project: &Project, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
    command.args(arguments).current_dir(project.path());
    command.env_clear().envs(&project.variables);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A project whose dev is a PostgreSQL database.
fn on_postgres(migrations: &[(&str, &str)]) -> (Project, Database) {
    let mut project = Project::with(migrations);
    let database = Database::new();
    let config = "[[environment]]\nname = \"dev\"\nurl = \"env:DATABASE_URL\"\n";
    std::fs::write(project.path().join("tollgate.toml"), config).unwrap();
    project
        .variables
        .insert("DATABASE_URL".to_owned(), database.url());
    (project, database)
}

fn text(output: &Output) -> String {
    format!(
        "{:?}\n{}{}",
        output.status.code(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Reads stderr until a line holds a word, and returns what follows as it comes.
fn wait_for(child: &mut Child, word: &str) -> impl Iterator<Item = String> + use<> {
    let mut lines = BufReader::new(child.stderr.take().unwrap())
        .lines()
        .map_while(Result::ok);
    assert!(
        lines.any(|line| line.contains(word)),
        "it never said {word}"
    );
    lines
}

/// Waits until the slow script runs in this database.
fn wait_until_it_sleeps(database: &Database) {
    let running = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(2)%' \
                   AND pid <> pg_backend_pid() AND datname = current_database()";
    // Bounded, so that a run that never gets there fails the test instead of holding it for ever.
    for _ in 0..6_000 {
        if database.ask(running) != "0" {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("the slow script never ran");
}

#[test]
fn exit_codes_are_those_of_the_contract() {
    let project = Project::with(&[("20251101000000_a", "CREATE TABLE a (id INTEGER);\n")]);
    let code = |arguments: &[&str]| {
        tollgate(&project, arguments)
            .output()
            .unwrap()
            .status
            .code()
    };
    assert_eq!(code(&["plan", "dev"]), Some(0));
    assert_eq!(code(&["plan", "prod"]), Some(3));
    assert_eq!(code(&["plan", "nowhere"]), Some(2));
    assert_eq!(code(&["--version"]), Some(0));
    project.write("20251102000000_b", "broken\n");
    assert_eq!(code(&["apply", "dev"]), Some(1));
    std::fs::write(project.path().join("state/ledger.db"), "no ledger").unwrap();
    assert_eq!(code(&["status"]), Some(4));
}

/// Ctrl-C while a migration runs: it ends, nothing after it begins, and the exit code is 130.
#[test]
fn an_interrupt_lets_the_running_migration_end() {
    let (project, database) = on_postgres(&[
        ("20251101000000_slow", SLOW),
        ("20251102000000_next", "CREATE TABLE next (id int);\n"),
    ]);
    let mut child = tollgate(&project, &["apply", "dev"]).spawn().unwrap();
    let rest = wait_for(&mut child, "2 migrations to apply");
    wait_until_it_sleeps(&database);
    let kill = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(kill.success());
    let told: Vec<String> = rest.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{told:?}");
    assert!(
        told.iter().any(|line| line.contains("1 migration left")),
        "{told:?}"
    );
    assert_eq!(database.ask("SELECT count(*) FROM tollgate.receipt"), "1");
    let again = tollgate(&project, &["apply", "dev"]).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", text(&again));
}

/// The client is killed in the middle; the next run settles what it left, by itself.
#[test]
fn a_killed_run_is_settled_by_the_next_one() {
    let (project, database) = on_postgres(&[("20251101000000_slow", SLOW)]);
    let mut child = tollgate(&project, &["apply", "dev"]).spawn().unwrap();
    let rest = wait_for(&mut child, "1 migration to apply");
    wait_until_it_sleeps(&database);
    child.kill().unwrap();
    child.wait().unwrap();
    drop(rest);
    assert_eq!(
        tollgate(&project, &["plan", "dev"])
            .output()
            .unwrap()
            .status
            .code(),
        Some(3)
    );
    let again = tollgate(&project, &["apply", "dev"]).output().unwrap();
    assert_eq!(again.status.code(), Some(0), "{}", text(&again));
    assert!(
        text(&again).contains("settled 20251101000000_slow"),
        "{}",
        text(&again)
    );
    assert_eq!(database.ask("SELECT count(*) FROM slow"), "0");
    assert_eq!(database.ask("SELECT count(*) FROM tollgate.receipt"), "1");
}

/// Two machines, two ledgers, one empty target: one applies, the other waits, finds the receipt and
/// has nothing to do.
#[test]
fn two_runners_on_one_target_take_turns() {
    let (one, database) = on_postgres(&[("20251101000000_slow", SLOW)]);
    let mut other = Project::with(&[("20251101000000_slow", SLOW)]);
    std::fs::copy(
        one.path().join("tollgate.toml"),
        other.path().join("tollgate.toml"),
    )
    .unwrap();
    other.variables.clone_from(&one.variables);
    let first = tollgate(&one, &["apply", "dev"]).spawn().unwrap();
    wait_until_it_sleeps(&database);
    let second = tollgate(&other, &["apply", "dev"]).spawn().unwrap();
    let outputs = [first, second].map(|child| child.wait_with_output().unwrap());
    for output in &outputs {
        assert_eq!(output.status.code(), Some(0), "{}", text(output));
    }
    let all = outputs.iter().map(text).collect::<String>();
    assert!(all.contains("waiting for the lock"), "{all}");
    assert!(
        all.contains("took in 1 receipt") && all.contains("nothing to do"),
        "{all}"
    );
    assert_eq!(database.ask("SELECT count(*) FROM tollgate.receipt"), "1");
}

/// Two processes on one ledger take turns; one that cannot wait names the holder.
#[test]
fn two_processes_on_one_ledger_take_turns() {
    let (project, _database) = on_postgres(&[("20251101000000_slow", SLOW)]);
    let mut first = tollgate(&project, &["apply", "dev"]).spawn().unwrap();
    let rest = wait_for(&mut first, "1 migration to apply");
    let second = tollgate(&project, &["apply", "dev", "--lock-wait", "0"])
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(1), "{}", text(&second));
    assert!(
        text(&second).contains(&format!("held by process {}", first.id())),
        "{}",
        text(&second)
    );
    // Whoever only looks does not wait, and is told that what is being run is not lost.
    let at_work = format!(
        "process {} is at work on this ledger: what it is running is told as unknown until it has ended\n",
        first.id()
    );
    for look in [&["status"][..], &["status", "dev"], &["plan", "dev"]] {
        let looked = tollgate(&project, look).output().unwrap();
        let said = text(&looked);
        assert!(said.contains(&at_work), "{look:?}: {said}");
    }
    let third = tollgate(&project, &["apply", "dev"]).output().unwrap();
    assert_eq!(third.status.code(), Some(0), "{}", text(&third));
    assert_eq!(first.wait().unwrap().code(), Some(0));
    drop(rest);
    let looked = tollgate(&project, &["status"]).output().unwrap();
    assert!(!text(&looked).contains("at work"), "{}", text(&looked));
}

/// `tollgate log | head -1` is no failure.
#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let project = Project::with(&[("20251101000000_a", "CREATE TABLE a (id INTEGER);\n")]);
    project.run(&["promote", "prod"]);
    let mut child = tollgate(&project, &["log"]).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(output.stderr.is_empty(), "{}", text(&output));
}

/// The crash suite's points are in no program that a user gets: the variable means nothing there.
#[cfg(not(feature = "failpoints"))]
#[test]
fn without_the_feature_no_variable_ends_the_program() {
    for spec in [
        "ledger.append.before",
        "cli.verb-ended=pause:held",
        "list:points",
        "nonsense=",
    ] {
        let project = Project::with(&[("20251101000000_a", "CREATE TABLE a (id INTEGER);\n")]);
        let output = tollgate(&project, &["apply", "dev"])
            .env("TOLLGATE_FAILPOINT", spec)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{spec}: {}", text(&output));
        for file in ["held", "points"] {
            assert!(!project.path().join(file).exists(), "{spec} made {file}");
        }
    }
}
