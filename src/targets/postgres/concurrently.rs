//! Statements that work CONCURRENTLY, and another session that waits for the run's lock inside a
//! statement, as Prisma does for 10 s.
//!
//! Such a session holds a snapshot, which the index's build waits for, while it waits for us: after a
//! second the server ends one of the two with 40P01, ours as a rule, and leaves an INVALID index. What
//! this very statement left is dropped once nobody waits any more, and the statement is tried again.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::error::session_error;
use super::lock;
use super::protocol::db_error;
use super::runtime::{Answer, Session};
use super::template::{fill, or_null};
use crate::sql::{IndexWork, Word, index_work, words};
use crate::targets::TargetError;

const LEFTOVER: &str = include_str!("sql/leftover.sql");
const WAITERS: &str = include_str!("sql/waiters.sql");
/// How often a statement is sent at most.
const TRIES: u32 = 4;
/// How long others may wait for the run's lock before the next try comes all the same: Prisma gives
/// up after 10 s.
const PATIENCE: Duration = Duration::from_secs(15);

/// Sends one statement, `text`, by `run`, and again where a deadlock ended one that works
/// CONCURRENTLY. The answer is the last try's; what a last failed try left behind is still there.
///
/// A failed statement of this kind runs in no transaction block, so the session needs no cleaning
/// and keeps what the script has set.
pub(super) fn send(
    session: &Session,
    text: &str,
    run: &dyn Fn() -> Answer,
    note: &mut dyn FnMut(&str),
) -> Result<Answer, TargetError> {
    let Some(work) = Work::read(text) else {
        return Ok(run());
    };
    let before = work.leftovers(session)?;
    for next in 2..=TRIES {
        let answer = run();
        if db_error(&answer).is_none_or(|error| error.code().code() != "40P01") {
            return Ok(answer);
        }
        note(&format!(
            "was cut off by a deadlock with a session that waits for the run's lock; waiting until it has gone, then try {next} of {TRIES}"
        ));
        wait(session)?;
        let after = work.leftovers(session)?;
        for (_, name) in after.difference(&before) {
            let dropped = session.query(&format!("DROP INDEX CONCURRENTLY {name}"));
            match dropped {
                Ok(_) => note(&format!(
                    "dropped the INVALID index {name} that the cut-off statement left"
                )),
                // Somebody is in the way again: the statement's own error says more.
                Err(error) if error.as_db_error().is_some() => return Ok(answer),
                Err(error) => {
                    return Err(session_error(&error, "dropping an INVALID index"));
                }
            }
        }
    }
    Ok(run())
}

/// What a statement that works CONCURRENTLY may leave.
enum Work {
    /// `DROP INDEX`: the index itself, INVALID, for the next try to drop.
    Drop,
    /// `CREATE INDEX` or `REINDEX INDEX`: an index that was not there before. What `REINDEX` of more
    /// than one index leaves is not touched: it stands on several tables.
    Build(IndexWork),
}

impl Work {
    fn read(text: &str) -> Option<Self> {
        let mut statements = words(text);
        let (Some(statement), true) = (statements.pop(), statements.is_empty()) else {
            return None;
        };
        let is = |at: usize, keyword| {
            statement
                .get(at)
                .is_some_and(|word: &Word| word.is(keyword))
        };
        if is(0, "drop") && is(1, "index") && is(2, "concurrently") {
            return Some(Self::Drop);
        }
        let begins = is(0, "create") || is(0, "reindex");
        let work = index_work(&statement).filter(|_| begins)?;
        let one = work.creates || work.index.is_some();
        (work.concurrently && one).then_some(Self::Build(work))
    }

    /// The INVALID indexes that may be this statement's, by oid and name.
    fn leftovers(&self, session: &Session) -> Result<BTreeSet<(String, String)>, TargetError> {
        let Self::Build(work) = self else {
            return Ok(BTreeSet::new());
        };
        let quoted = |name: &Option<Vec<String>>| {
            let quote = |part: &String| format!("\"{}\"", part.replace('"', "\"\""));
            name.as_ref()
                .map(|parts| parts.iter().map(quote).collect::<Vec<_>>().join("."))
        };
        // An index that is created has no name to be looked up by before.
        let index = (!work.creates).then(|| quoted(&work.index)).flatten();
        let sql = fill(
            LEFTOVER,
            &[
                ("table", &or_null(quoted(&work.table).as_deref())),
                ("index", &or_null(index.as_deref())),
            ],
        );
        let rows = session
            .query(&sql)
            .map_err(|error| session_error(&error, "looking for invalid indexes"))?;
        let is_ours = |name: &str| match &work.index {
            Some(parts) if work.creates => parts.last().is_some_and(|own| own == name),
            Some(_) => name.contains("_ccnew") || name.contains("_ccold"),
            None => true,
        };
        Ok(rows
            .iter()
            .filter(|row| row.get("index").is_some_and(is_ours))
            .filter_map(|row| Some((row.get("oid")?.to_owned(), row.get("name")?.to_owned())))
            .collect())
    }
}

/// Waits until nobody waits for the run's lock, and a moment longer.
fn wait(session: &Session) -> Result<(), TargetError> {
    let begun = Instant::now();
    loop {
        session.sleep(lock::pause());
        let rows = session
            .query(&fill(WAITERS, &[]))
            .map_err(|error| session_error(&error, "looking who waits for the run's lock"))?;
        if rows.is_empty() || begun.elapsed() > PATIENCE {
            return Ok(());
        }
    }
}
