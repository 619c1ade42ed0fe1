//! Others who read and write meanwhile, and for how long they wait.

use std::time::{Duration, Instant};

use tollgate::targets::RehearsalError;

use super::{BOUND, EVERYTHING, dump, made, rehearse, rehearse_and_tell, rehearse_as};
use crate::Bench as _;
use crate::support::analysed;

#[test]
fn a_busy_target_is_given_up_within_the_bound() {
    let bench = made(EVERYTHING);
    let other = bench.connect();
    other
        .execute_batch("BEGIN IMMEDIATE; DELETE FROM log")
        .unwrap();
    let nothing = analysed("");
    let begun = Instant::now();
    let outcome = rehearse_as(
        &bench,
        ("", &nothing),
        ("", &nothing),
        Duration::from_millis(300),
    );
    // Far from the five seconds that a statement waits otherwise.
    assert!(begun.elapsed() < Duration::from_secs(4));
    match outcome {
        Err(RehearsalError::Busy { what }) => {
            assert!(what.contains("locked by another program"), "{what}")
        }
        other => panic!("{other:?}"),
    }
    other.execute_batch("ROLLBACK").unwrap();
    rehearse(&bench, "", "").unwrap();
}

#[test]
fn nobody_waits_for_longer_than_the_bound() {
    let bench = made("CREATE TABLE t (a)");
    let before = dump(&bench);
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO t SELECT i FROM n";
    // Too many for the time, each of them short. The last one would fail, if it were reached.
    let many = "INSERT INTO t VALUES (1);\n".repeat(400_000) + "DROP TABLE missing";
    for (up, down) in [(endless, ""), ("", endless), (&*many, "")] {
        // The scripts of these cases are not what is tried: reading them is.
        let nothing = analysed("");
        let outcome = rehearse_as(
            &bench,
            (up, &nothing),
            (down, &nothing),
            Duration::from_millis(200),
        );
        match outcome {
            Err(RehearsalError::Busy { what }) => {
                assert!(
                    what.ends_with("would have been locked for longer than 0.2 s"),
                    "{what}"
                );
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(dump(&bench), before);
        bench.run("BEGIN IMMEDIATE; ROLLBACK").unwrap();
    }
}

/// Nobody writes meanwhile, so that nothing of theirs looks like a difference; until the end of the cache
/// whoever reads does not notice.
#[test]
fn others_read_and_do_not_write_meanwhile() {
    let bench = made("CREATE TABLE t (a); INSERT INTO t VALUES (1)");
    let other = bench.connect();
    other.busy_timeout(Duration::ZERO).unwrap();
    let script = analysed("");
    let mut asked = 0;
    let run = rehearse_and_tell(
        &bench,
        ("INSERT INTO t VALUES (2)", &script),
        ("DELETE FROM t WHERE a = 2", &script),
        BOUND,
        &mut |_| {
            asked += 1;
            let rows: i64 = other
                .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
                .unwrap();
            assert_eq!(rows, 1);
            let error = other.execute("INSERT INTO t VALUES (3)", []).unwrap_err();
            assert_eq!(
                error.sqlite_error_code(),
                Some(rusqlite::ErrorCode::DatabaseBusy)
            );
        },
    );
    let run = run.unwrap();
    assert!(asked >= 5, "{asked}");
    assert_eq!(run.states[0], run.states[2]);
    assert!(run.locked > Duration::ZERO);
    other.execute("INSERT INTO t VALUES (3)", []).unwrap();
    assert_eq!(bench.ask("SELECT count(*) FROM t"), 2);
}

/// The file itself is not written while somebody reads it, however little fits into the cache, and nobody
/// waits for that.
#[test]
fn whoever_reads_all_the_time_does_not_hold_it_up() {
    for wal in [false, true] {
        let bench = made("CREATE TABLE t (a)");
        let other = bench.connect();
        if wal {
            other.pragma_update(None, "journal_mode", "wal").unwrap();
        }
        let before = dump(&bench);
        other
            .execute_batch("BEGIN; SELECT count(*) FROM t;")
            .unwrap();
        let up = "PRAGMA cache_size = 5;
                  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
                  INSERT INTO t SELECT zeroblob(3000) FROM n";
        let run = rehearse(&bench, up, "DELETE FROM t").unwrap();
        assert_eq!(run.states[0], run.states[2]);
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(dump(&bench), before);
    }
}
