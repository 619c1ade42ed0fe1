//! Others at work: a retry or a clear answer, never a result that is theirs, and nobody who waits longer
//! than the bound.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tollgate::model::DataMode;
use tollgate::targets::{RehearsalError, TargetErrorKind};

use super::{LONG, again, busy, dump, locked, lost, rehearse, rehearse_within};
use crate::support::{Database, run};

const BOUND: Duration = Duration::from_millis(1500);
/// So much more than the bound may pass on a machine that has other things to do.
const SLACK: Duration = Duration::from_secs(6);

fn until(database: &Database, holds: &str) {
    let begun = Instant::now();
    while database.ask(&format!("SELECT {holds}")) != "t" {
        assert!(begun.elapsed() < Duration::from_secs(30), "{holds}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Ends whoever else is in the database and says this.
fn end(database: &Database, query: &str) {
    database.ask(&format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '{query}%'"
    ));
}

/// Nothing of a rehearsal's session is left in the database: a lock, a transaction, a statement.
fn nothing_left(database: &Database) {
    until(
        database,
        "NOT EXISTS (SELECT FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
           WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
             AND l.locktype IN ('relation', 'transactionid'))",
    );
}

#[test]
fn a_lock_of_another_session_is_waited_for_no_longer_than_the_bound() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id serial); INSERT INTO t DEFAULT VALUES")
        .unwrap();
    let before = dump(&database);
    for (held, up) in [
        (
            "LOCK TABLE t IN SHARE MODE",
            "ALTER TABLE t ADD COLUMN x int",
        ),
        ("LOCK TABLE t", "SELECT 1"),
        ("ALTER SEQUENCE t_id_seq INCREMENT BY 1", "SELECT 1"),
    ] {
        let hold = format!("BEGIN; {held}; SELECT pg_sleep(60)");
        std::thread::scope(|scope| {
            scope.spawn(|| run(&database.superuser_url(), &hold));
            until(
                &database,
                "EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'BEGIN; %sleep%' AND wait_event = 'PgSleep' AND datname = current_database())",
            );
            let mut target = locked(&database);
            let begun = Instant::now();
            let what = busy(rehearse_within(
                &mut target,
                up,
                "SELECT 1",
                DataMode::Full,
                BOUND,
            ));
            let waited = begun.elapsed();
            end(&database, "BEGIN; ");
            // Named as where a script is applied.
            assert!(
                what.contains("it waited for a lock held by session")
                    || what.contains("public.t is in use by the session"),
                "{what}"
            );
            assert!(what.contains(held), "{what}");
            assert!(waited < BOUND * 2 + SLACK, "{held}: {waited:?}");
            // And then it goes.
            rehearse(&mut target, "SELECT 1", "SELECT 1").unwrap();
        });
    }
    nothing_left(&database);
    assert!(dump(&database) == before);
}

#[test]
fn whoever_waits_for_a_rehearsal_waits_no_longer_than_the_bound() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
        .unwrap();
    let before = dump(&database);
    for up in [
        "LOCK TABLE t; SELECT pg_sleep(60)",
        // Whatever it sets for itself, and whatever it catches.
        "SET statement_timeout = 0; SET lock_timeout = 0; LOCK TABLE t; SELECT pg_sleep(60)",
        "SET statement_timeout = 0; LOCK TABLE t; DO $$ BEGIN LOOP BEGIN PERFORM pg_sleep(60); EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$",
    ] {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                until(&database, "EXISTS (SELECT FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock' AND granted)");
                let begun = Instant::now();
                run(&database.superuser_url(), "UPDATE t SET id = id").unwrap();
                begun.elapsed()
            });
            let mut target = locked(&database);
            let what = busy(rehearse_within(
                &mut target,
                up,
                "SELECT 1",
                DataMode::Full,
                BOUND,
            ));
            assert!(what.contains("within"), "{what}");
            let waited = other.join().unwrap();
            assert!(waited < BOUND + SLACK, "{up}: {waited:?}");
            rehearse(&mut target, "SELECT 1", "SELECT 1").unwrap();
        });
        nothing_left(&database);
    }
    assert!(dump(&database) == before);
}

/// The session that watches the clock is ended while the rehearsal goes on.
#[test]
fn the_bound_holds_without_the_main_session() {
    let database = Database::new();
    database.run("CREATE TABLE t (id int)").unwrap();
    let before = dump(&database);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            until(&database, "EXISTS (SELECT FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock' AND granted)");
            database.ask(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            );
            let begun = Instant::now();
            run(&database.superuser_url(), "SELECT count(*) FROM t").unwrap();
            begun.elapsed()
        });
        let mut target = locked(&database);
        let script = "SET statement_timeout = 0; LOCK TABLE t; SELECT pg_sleep(60)";
        let ended = rehearse_within(&mut target, script, "SELECT 1", DataMode::Full, BOUND);
        assert!(ended.is_err(), "{ended:?}");
        let waited = other.join().unwrap();
        assert!(waited < BOUND + SLACK, "{waited:?}");
    });
    nothing_left(&database);
    assert!(dump(&database) == before);
}

/// Another session writes the rows that the scripts write, all the time.
#[test]
fn rows_that_others_write_are_a_retry_or_an_answer() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id int PRIMARY KEY, n int DEFAULT 0, x int); INSERT INTO t (id) SELECT generate_series(1, 50)")
        .unwrap();
    let (stop, written) = (AtomicBool::new(false), AtomicU32::new(0));
    let url = database.superuser_url();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut longest = Duration::ZERO;
            while !stop.load(Ordering::Relaxed) {
                let begun = Instant::now();
                run(&url, "UPDATE t SET n = n + 1").unwrap();
                longest = longest.max(begun.elapsed());
                written.fetch_add(1, Ordering::Relaxed);
            }
            longest
        });
        let mut target = locked(&database);
        for (up, down) in [
            ("UPDATE t SET x = 1", "UPDATE t SET x = NULL"),
            // Writes the whole table anew, with rows that came after the first look.
            (
                "ALTER TABLE t ALTER x TYPE bigint",
                "ALTER TABLE t ALTER x TYPE int",
            ),
            (
                "ALTER TABLE t ADD COLUMN y int",
                "ALTER TABLE t DROP COLUMN y",
            ),
        ] {
            match rehearse_within(&mut target, up, down, DataMode::Full, BOUND) {
                // What it says is about the scripts.
                Ok(run) => assert_eq!((lost(&run), again(&run)), (vec![], vec![]), "{up}"),
                Err(RehearsalError::Busy { what }) => assert!(
                    what.contains("others")
                        || what.contains("other sessions")
                        || what.contains("within"),
                    "{what}"
                ),
                Err(error) => panic!("{up}: {error:?}"),
            }
        }
        // What is lost is never taken for the others' work.
        match rehearse_within(
            &mut target,
            "UPDATE t SET x = 7",
            "SELECT 1",
            DataMode::Full,
            BOUND,
        ) {
            Ok(run) => assert!(!lost(&run).is_empty()),
            Err(RehearsalError::Busy { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
        stop.store(true, Ordering::Relaxed);
        let longest = writer.join().unwrap();
        assert!(longest < BOUND + SLACK, "{longest:?}");
    });
    assert_eq!(
        database.ask("SELECT DISTINCT n FROM t"),
        written.load(Ordering::Relaxed).to_string()
    );
    nothing_left(&database);
}

/// Writers hold the table while they draw a number, which a rehearsal would keep from them.
#[test]
fn no_writer_is_ended_by_a_rehearsal() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id serial PRIMARY KEY, x int); INSERT INTO t (x) VALUES (1)")
        .unwrap();
    let stop = AtomicBool::new(false);
    let url = database.superuser_url();
    std::thread::scope(|scope| {
        let writers: Vec<_> = [
            "INSERT INTO t (x) VALUES (2)",
            "SELECT nextval('t_id_seq'); INSERT INTO t (x) VALUES (3)",
        ]
        .into_iter()
        .cycle()
        .take(4)
        .map(|sql| {
            let (stop, url) = (&stop, &url);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    run(url, sql)?;
                    std::thread::sleep(Duration::from_millis(5));
                }
                Ok::<_, String>(())
            })
        })
        .collect();
        let mut target = locked(&database);
        for _ in 0..3 {
            let done = rehearse_within(
                &mut target,
                "INSERT INTO t (x) VALUES (7); UPDATE t SET x = 8 WHERE x = 7; ALTER TABLE t ADD COLUMN y int",
                "ALTER TABLE t DROP COLUMN y; DELETE FROM t WHERE x = 8",
                DataMode::Full,
                BOUND,
            );
            match done {
                Ok(run) => assert_eq!(lost(&run), [""; 0]),
                Err(RehearsalError::Busy { .. }) => {}
                Err(error) => panic!("{error:?}"),
            }
        }
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            writer.join().unwrap().unwrap();
        }
    });
    nothing_left(&database);
}

#[test]
fn what_others_change_meanwhile_is_not_told_as_lost() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE TABLE other (id int); INSERT INTO other VALUES (1)")
        .unwrap();
    for theirs in [
        "TRUNCATE other",
        "INSERT INTO other VALUES (1); ALTER TABLE other ADD COLUMN more int",
        "DROP TABLE other; CREATE TABLE other (id int)",
    ] {
        std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                until(&database, "EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(0.7)%' AND datname = current_database())");
                database.run(theirs).unwrap();
            });
            let mut target = locked(&database);
            let run = rehearse_within(
                &mut target,
                "SELECT pg_sleep(0.7); INSERT INTO t VALUES (2)",
                "DELETE FROM t WHERE id = 2",
                DataMode::Full,
                LONG,
            )
            .unwrap();
            assert_eq!(lost(&run), [""; 0], "{theirs}");
            other.join().unwrap();
        });
    }
}

#[test]
fn a_rehearsal_that_is_killed_leaves_nothing() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id serial); INSERT INTO t DEFAULT VALUES")
        .unwrap();
    let before = dump(&database);
    let mut target = locked(&database);
    for scripts in [
        ["DROP TABLE t; SELECT pg_sleep(60)", "SELECT 1"],
        [
            "INSERT INTO t DEFAULT VALUES",
            "DROP TABLE t; SELECT pg_sleep(60)",
        ],
    ] {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                until(&database, "EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'DROP TABLE t%' AND wait_event = 'PgSleep' AND datname = current_database())");
                end(&database, "DROP TABLE t");
            });
            match rehearse(&mut target, scripts[0], scripts[1]).unwrap_err() {
                RehearsalError::Target(error) => {
                    assert!(
                        matches!(
                            error.kind,
                            TargetErrorKind::Other | TargetErrorKind::Unreachable
                        ),
                        "{error:?}"
                    );
                    assert!(error.fact.contains("rehearsing"), "{error:?}");
                }
                other => panic!("{other:?}"),
            }
        });
        nothing_left(&database);
        assert!(dump(&database) == before);
    }
    // The main session is as it was.
    rehearse(&mut target, "SELECT 1", "SELECT 1").unwrap();
}

/// A number that somebody draws is not waited for where no script could draw one.
#[test]
fn sequences_are_only_held_for_scripts_that_could_draw() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id serial, x text); INSERT INTO t (x) VALUES ('a'); CREATE TABLE u (id int)")
        .unwrap();
    for (up, down, drawn) in [
        (
            "ALTER TABLE u ADD COLUMN x int; LOCK TABLE u",
            "ALTER TABLE u DROP COLUMN x",
            true,
        ),
        (
            "INSERT INTO u VALUES (1); LOCK TABLE u; SELECT pg_sleep(2)",
            "DELETE FROM u",
            false,
        ),
    ] {
        let last = "SELECT last_value FROM t_id_seq";
        let before = database.ask(last);
        let url = database.superuser_url();
        std::thread::scope(|scope| {
            // As soon as the rehearsal holds something of u, for as long as it does.
            let other = scope.spawn(|| {
                until(&database, "EXISTS (SELECT FROM pg_locks WHERE relation = 'u'::regclass AND mode = 'AccessExclusiveLock' AND granted)");
                run(&url, "SET lock_timeout = '1ms'; SELECT nextval('t_id_seq')").is_ok()
            });
            let mut target = locked(&database);
            let run = rehearse(&mut target, up, down).unwrap();
            assert_eq!(lost(&run), [""; 0]);
            let got = other.join().unwrap();
            assert_eq!(got, drawn, "{up}");
        });
        // What others drew stands, and nothing else.
        let expected = before.parse::<i64>().unwrap() + i64::from(drawn);
        assert_eq!(database.ask(last), expected.to_string());
    }
}
