//! Locks that others hold: waited for within bounds, tried again where nothing was done, and named.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tollgate::model::entry::Engine;
use tollgate::sql::analyse;
use tollgate::targets::address::Timeouts;
use tollgate::targets::postgres::open;
use tollgate::targets::{Applied, ApplyError, Attempt, News, Target, TargetErrorKind};

use crate::bench::{Bench, failed};
use crate::support::{Database, run};

pub(crate) type Ended = Result<Vec<Vec<Option<String>>>, String>;

/// Runs SQL in another session, beside the test; waits until `holds` is true.
pub(crate) fn beside(database: &Database, sql: &str, holds: &str) -> JoinHandle<Ended> {
    let (url, sql) = (database.superuser_url(), sql.to_owned());
    let other = std::thread::spawn(move || run(&url, &sql));
    until(database, holds);
    other
}

fn until(database: &Database, holds: &str) {
    let begun = Instant::now();
    while database.ask(&format!("SELECT {holds}")) != "t" {
        assert!(begun.elapsed() < Duration::from_secs(30), "{holds}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Ends the sessions whose query looks like this.
fn end(database: &Database, query: &str) {
    database.ask(&format!(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '{query}%'"
    ));
}

pub(crate) fn with_lock_timeout(database: Database, millis: u64) -> Bench {
    let mut settings = database.settings();
    settings.timeouts = Timeouts {
        lock: Some(Duration::from_millis(millis)),
        statement: Some(Duration::from_secs(60)),
    };
    let target = open(&settings).unwrap();
    Bench::with(database, target)
}

/// Applies a script; `heard` is told what is told.
fn apply(
    bench: &mut Bench,
    script: &str,
    heard: &mut dyn FnMut(&str),
) -> Result<Applied, ApplyError> {
    let analysis = analyse(Engine::Postgresql, script);
    let receipt = bench.receipt(script, &analysis);
    let attempt = Attempt {
        script,
        analysis: &analysis,
        done: 0,
        receipt: &receipt,
        row: None,
    };
    bench.target.apply(&attempt, &mut |news| {
        if let News::Note(text) = news {
            heard(text);
        }
    })
}

const HOLD: &str = "BEGIN; LOCK TABLE t; SELECT pg_sleep(120); COMMIT";
const HELD: &str = "EXISTS (SELECT FROM pg_locks WHERE relation = 't'::regclass AND mode = 'AccessExclusiveLock' AND granted)";

#[test]
fn a_lock_that_comes_free_is_had_with_one_receipt() {
    let mut bench = with_lock_timeout(Database::new(), 1_000);
    bench.apply("CREATE TABLE t (n int)").unwrap();
    let other = beside(&bench.database, HOLD, HELD);
    let pid = bench.database.ask("SELECT pid FROM pg_stat_activity WHERE query LIKE 'BEGIN; LOCK%' AND datname = current_database()");
    let url = bench.database.superuser_url();
    let database = bench.database.name().to_owned();
    let mut notes = Vec::new();
    let outcome = apply(&mut bench, "INSERT INTO t VALUES (1)", &mut |note| {
        notes.push(note.to_owned());
        if notes.len() == 2 {
            run(&url, &format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}' AND query LIKE 'BEGIN; LOCK%'")).unwrap();
        }
    });
    outcome.unwrap();
    assert!(other.join().unwrap().is_err());
    let expected = |place: u32| {
        format!(
            "waits for a lock held by session {pid} (user tollgate_test, active, AccessExclusiveLock on t): {HOLD}; try {place} of 5"
        )
    };
    assert_eq!(notes, [expected(2), expected(3)]);
    assert_eq!(bench.database.ask("SELECT count(*) FROM t"), "1");
    assert_eq!(bench.receipts(), 2);
}

#[test]
fn a_lock_that_does_not_come_free_is_given_up() {
    for plain in [false, true] {
        let database = if plain {
            Database::plain()
        } else {
            Database::new()
        };
        let mut bench = with_lock_timeout(database, 200);
        bench.apply("CREATE TABLE t (n int)").unwrap();
        let other = beside(&bench.database, HOLD, HELD);
        let mut notes = 0;
        let script = "CREATE TABLE evil (id int); INSERT INTO t VALUES (1)";
        let (error, left) = failed(apply(&mut bench, script, &mut |_| notes += 1));
        assert_eq!(error.code.as_deref(), Some("55P03"));
        assert_eq!((left, notes), (None, 4));
        let hint = error.hint.unwrap();
        assert!(
            hint.starts_with("given up after 5 tries; wait until the session that holds the lock has ended, or end it; it was held by session "),
            "{hint}"
        );
        let shown = if plain {
            "not shown to this role"
        } else {
            HOLD
        };
        assert!(hint.contains(shown), "{hint}");
        assert!(!bench.has_table("evil"));
        end(&bench.database, "BEGIN; LOCK");
        let _ = other.join();
        // The session and the chain are as they should be.
        bench.apply("INSERT INTO t VALUES (1)").unwrap();
        assert_eq!(bench.receipts(), 2);
    }
}

/// What is journalled is never tried again: its earlier statements stand.
#[test]
fn a_journalled_script_is_tried_once() {
    let mut bench = with_lock_timeout(Database::new(), 100);
    bench.apply("CREATE TABLE t (n int)").unwrap();
    let other = beside(&bench.database, HOLD, HELD);
    let mut heard = Vec::new();
    let script = "CREATE TABLE s (id int); VACUUM s; INSERT INTO t VALUES (1)";
    let (error, left) = failed(apply(&mut bench, script, &mut |note| {
        heard.push(note.to_owned());
    }));
    assert_eq!(error.code.as_deref(), Some("55P03"));
    assert_eq!(left.map(|left| left.done), Some(2));
    assert!(heard.is_empty(), "{heard:?}");
    end(&bench.database, "BEGIN; LOCK");
    let _ = other.join();
}

/// `--lock-wait 0` is one try, with a timeout that the script itself sets too.
#[test]
fn no_wait_is_one_try() {
    let database = Database::new();
    let mut target = database.open();
    target.lock(Duration::ZERO, &|| false, &mut |_| {}).unwrap();
    let mut bench = Bench::with(database, target);
    bench.apply("CREATE TABLE t (n int)").unwrap();
    let other = beside(&bench.database, HOLD, HELD);
    let mut heard = Vec::new();
    let script = "SET lock_timeout = 100; INSERT INTO t VALUES (1)";
    let (error, left) = failed(apply(&mut bench, script, &mut |note| {
        heard.push(note.to_owned());
    }));
    assert!(error.hint.unwrap().starts_with("given up after one try"));
    assert_eq!(left, None);
    assert!(heard.is_empty(), "{heard:?}");
    end(&bench.database, "BEGIN; LOCK");
    let _ = other.join();
}

#[test]
fn a_lost_deadlock_is_tried_again() {
    let mut bench = Bench::superuser();
    bench
        .apply("CREATE TABLE a (n int); CREATE TABLE b (n int)")
        .unwrap();
    // Never the victim itself: it looks for deadlocks too late.
    let other = beside(
        &bench.database,
        "SET deadlock_timeout = '10min'; BEGIN; LOCK TABLE b;
         DO $$ BEGIN
           WHILE NOT EXISTS (SELECT FROM pg_locks WHERE relation = 'b'::regclass AND NOT granted) LOOP
             PERFORM pg_sleep(0.01);
           END LOOP;
         END $$;
         LOCK TABLE a; COMMIT; SELECT pg_sleep(3)",
        "EXISTS (SELECT FROM pg_locks WHERE relation = 'b'::regclass AND mode = 'AccessExclusiveLock' AND granted)",
    );
    let mut notes = Vec::new();
    let script = "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)";
    apply(&mut bench, script, &mut |note| notes.push(note.to_owned())).unwrap();
    other.join().unwrap().unwrap();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(
        notes[0].starts_with("waits for a lock held by session ")
            && notes[0].contains("user tollgate_test")
            && notes[0].ends_with("; try 2 of 5"),
        "{notes:?}"
    );
    assert_eq!(bench.database.ask("SELECT count(*) FROM a, b"), "1");
    assert_eq!(bench.receipts(), 2);
}

/// What Prisma does for 10 s: it waits for the run's lock inside a statement.
const WAIT: &str = "SET deadlock_timeout = '10min'; SET statement_timeout = '3s'; SELECT pg_advisory_lock(72707369)";
/// The same in a transaction that has read the table: that is what dropping an index waits for.
const READ_AND_WAIT: &str = "SET deadlock_timeout = '10min'; SET statement_timeout = '3s'; BEGIN; LOCK TABLE t IN ACCESS SHARE MODE; SELECT pg_advisory_lock(72707369)";
const WAITS: &str = "EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369 AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";

#[test]
fn concurrent_work_outlasts_a_session_that_waits_for_the_lock() {
    for (script, after) in [
        ("CREATE INDEX CONCURRENTLY i ON t (n)", "i:t old:t"),
        (
            "SET search_path = public; CREATE UNIQUE INDEX CONCURRENTLY ON t (n)",
            "old:t t_n_idx:t",
        ),
        ("REINDEX INDEX CONCURRENTLY old", "old:t"),
        ("DROP INDEX CONCURRENTLY old", ""),
    ] {
        let mut bench = Bench::superuser();
        bench
            .apply("CREATE TABLE t (n int); INSERT INTO t VALUES (1); CREATE INDEX old ON t (n)")
            .unwrap();
        let drops_one = script.starts_with("DROP");
        let wait = if drops_one { READ_AND_WAIT } else { WAIT };
        let other = beside(&bench.database, wait, WAITS);
        let mut notes = Vec::new();
        let applied = apply(&mut bench, script, &mut |note| notes.push(note.to_owned()));
        assert!(applied.is_ok(), "{script}: {applied:?} {notes:?}");
        assert!(other.join().unwrap().unwrap_err().contains("57014"));
        assert!(
            notes[0].starts_with("was cut off by a deadlock"),
            "{script}: {notes:?}"
        );
        let drops = notes
            .iter()
            .filter(|note| note.starts_with("dropped"))
            .count();
        assert_eq!(drops, usize::from(!drops_one), "{notes:?}");
        let indexes = "SELECT string_agg(indexrelid::regclass || ':' || (CASE WHEN indisvalid THEN 't' ELSE 'f' END), ' ' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = 't'::regclass";
        assert_eq!(bench.database.ask(indexes), after, "{script}");
        assert_eq!(bench.receipts(), 2);
    }
}

/// Another's INVALID index, and a deadlock that was not about us, are left alone.
#[test]
fn only_its_own_leftover_is_dropped() {
    let mut bench = Bench::superuser();
    bench
        .apply("CREATE TABLE t (n int); INSERT INTO t VALUES (1), (1); CREATE TABLE u (n int)")
        .unwrap();
    failed(bench.apply("CREATE UNIQUE INDEX CONCURRENTLY theirs ON t (n)"));
    let other = beside(&bench.database, WAIT, WAITS);
    apply(
        &mut bench,
        "CREATE INDEX CONCURRENTLY ours ON t (n)",
        &mut |_| {},
    )
    .unwrap();
    let _ = other.join();
    let found = "SELECT string_agg(indexrelid::regclass || ' ' || indisvalid, ', ' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = 't'::regclass";
    assert_eq!(bench.database.ask(found), "ours true, theirs false");
}

/// Who may not see what others run is told so.
#[test]
fn the_holder_is_named_as_far_as_it_may_be_seen() {
    for plain in [false, true] {
        let database = if plain {
            Database::plain()
        } else {
            Database::new()
        };
        let hold = "SELECT pg_advisory_lock(72707369); SELECT pg_sleep(120)";
        let held = WAITS.replace("NOT granted", "granted");
        let other = beside(&database, hold, &held);
        let mut target = database.open();
        let error = target
            .lock(Duration::ZERO, &|| false, &mut |_| {})
            .unwrap_err();
        assert_eq!(error.kind, TargetErrorKind::Locked);
        let pid = database.ask("SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_advisory_lock%' AND datname = current_database()");
        assert!(
            error.fact.starts_with(&format!(
                "the run's lock is held by the session with pid {pid}, user tollgate_test"
            )),
            "{error}"
        );
        let end_of_it = if plain {
            "; what it runs is not shown to this role (GRANT pg_read_all_stats shows it)".to_owned()
        } else {
            format!(": {hold}")
        };
        assert!(error.fact.ends_with(&end_of_it), "{error}");
        end(&database, "SELECT pg_advisory_lock");
        let _ = other.join();
    }
}
