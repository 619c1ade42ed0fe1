//! The run's lock: an advisory lock of the session, with Prisma's number, so that Prisma and
//! tollgate keep out of each other's way too.

use std::time::{Duration, Instant};

use tokio_postgres::SimpleQueryRow;

use super::blocker::said;
use super::error::session_error;
use super::runtime::Session;
use super::template::fill;
use crate::targets::{TargetError, TargetErrorKind};

const TRY: &str = "SELECT pg_catalog.pg_try_advisory_lock(72707369)";
const HOLDER: &str = include_str!("sql/holder.sql");
/// A query that has a row while this session holds the lock.
pub(super) const HOLDS: &str = include_str!("sql/holds.sql");

/// Takes the lock once more, so that [`LOST_DEEP`] can tell whether it is held.
pub(super) const DEEPEN: &str = TRY;
/// Whether the lock is not held by this session, which has taken it twice, as SQL. It gives it back once and
/// takes it once more, which others do not see: the view of all locks costs the server a sixth of all that it
/// does for a small migration. A script that gives it back a single time has not lost it.
pub(super) const LOST_DEEP: &str =
    "NOT (pg_catalog.pg_advisory_unlock(72707369) AND pg_catalog.pg_try_advisory_lock(72707369))";
const SHALLOW: &str = "SELECT pg_catalog.pg_advisory_unlock(72707369); SELECT CASE WHEN EXISTS ({holds}) THEN true ELSE pg_catalog.pg_try_advisory_lock(72707369) END";

/// Holds the lock once again where it was taken twice, so that giving it back a single time is losing it.
pub(super) fn shallow(session: &Session) -> Result<(), TargetError> {
    if !session.is_deep() {
        return Ok(());
    }
    let rows = session
        .query(&fill(SHALLOW, &[("holds", HOLDS)]))
        .map_err(|error| session_error(&error, "looking at the run's lock"))?;
    session.set_deep(false);
    if rows.last().and_then(|row| row.get(0)) == Some("t") {
        return Ok(());
    }
    Err(TargetError {
        kind: TargetErrorKind::Locked,
        fact: "a script gave the run's lock back, and another run has taken it".to_owned(),
        remedy: Some("wait until that run has ended, then try again".to_owned()),
    })
}

/// Takes the lock if it is free now, where the condition holds, as SQL.
pub(super) fn try_if(condition: &str) -> String {
    format!("SELECT CASE WHEN {condition} THEN pg_catalog.pg_try_advisory_lock(72707369) END")
}

/// Takes the lock, if it is free now.
pub(super) fn try_take(session: &Session) -> Result<bool, TargetError> {
    session.set_deep(false);
    let rows = session
        .query(TRY)
        .map_err(|error| session_error(&error, "taking the run's lock"))?;
    Ok(rows.first().and_then(|row| row.get(0)) == Some("t"))
}

/// Waits for the lock. Each try is a statement of its own: a wait inside a statement would hold a
/// snapshot, and `CREATE INDEX CONCURRENTLY` by the holder would wait for it in turn.
pub(super) fn take(
    session: &Session,
    wait: Duration,
    give_up: &dyn Fn() -> bool,
    waiting: &mut dyn FnMut(&str),
) -> Result<(), TargetError> {
    let begun = Instant::now();
    let mut told = false;
    loop {
        if give_up() {
            return Err(TargetError {
                kind: TargetErrorKind::Interrupted,
                fact: "the wait for the run's lock was interrupted".to_owned(),
                remedy: None,
            });
        }
        crate::failpoint::hit("postgres.lock.before");
        if try_take(session)? {
            crate::failpoint::hit("postgres.lock.after");
            return Ok(());
        }
        let left = wait.saturating_sub(begun.elapsed());
        if left.is_zero() || !told {
            let holder = holder(session)?;
            if left.is_zero() {
                return Err(TargetError {
                    kind: TargetErrorKind::Locked,
                    fact: format!("the run's lock is held by {holder}"),
                    remedy: Some(
                        "wait until that run has ended, or end it if it is known to be dead"
                            .to_owned(),
                    ),
                });
            }
            waiting(&holder);
            told = true;
        }
        session.sleep(pause().min(left));
    }
}

/// Between two tries: 100 to 355 ms, so that two who wait do not keep step.
pub(super) fn pause() -> Duration {
    let mut byte = [0u8];
    // Without random numbers the pause is only less well spread.
    let _ = getrandom::fill(&mut byte);
    Duration::from_millis(100 + u64::from(byte[0]))
}

/// The holder in words, as far as this role may see.
fn holder(session: &Session) -> Result<String, TargetError> {
    let rows = session
        .query(&fill(HOLDER, &[]))
        .map_err(|error| session_error(&error, "looking for the holder of the run's lock"))?;
    Ok(rows
        .first()
        .map_or_else(|| "a session that has just ended".to_owned(), describe))
}

/// A session in words.
pub(super) fn describe(row: &SimpleQueryRow) -> String {
    let column = |name: &str| row.get(name).filter(|text| !text.is_empty());
    let mut out = format!(
        "the session with pid {}",
        column("pid").unwrap_or("unknown")
    );
    for (name, lead) in [
        ("usename", ", user "),
        ("application_name", ", application "),
        ("state", ", "),
        ("query_start", " since "),
    ] {
        if let Some(text) = column(name) {
            out.push_str(lead);
            out.push_str(text);
        }
    }
    out.push_str(&said(column("query")));
    out
}
