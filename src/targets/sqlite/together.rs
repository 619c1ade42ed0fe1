//! Several scripts in one transaction, each with its receipt: one wait for the disk instead of several for
//! each of them.
//!
//! Only scripts that cannot tell the difference. Whatever goes another way than smoothly undoes all of it,
//! and then each runs alone, which tells exactly what is wrong and with which of them. So a run that is
//! killed here leaves nothing of any of them, or all of them with their receipts.

use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::apply::{self, Place};
use super::connection::{self, Missing};
use super::statements::Script;
use super::{history, store};
use crate::model::{Receipt, StoredReceipt};
use crate::sql::{Analysis, pipelinable};
use crate::targets::{Applied, ApplyError, Attempt, Heard, News};

/// A transaction is committed when it is this old, whatever else waits: others write to the file too.
const LONGEST: Duration = Duration::from_millis(250);

/// What a script may not mention, in small letters. A word in a comment, or in a longer word, is enough:
/// it costs no more than a transaction of its own.
///
/// What is left in the connection for the next script (`pragma`, `temp`), what is asked of it (`changes`,
/// `last_insert_rowid`), receipts and Prisma's rows, which are written after the last script, and
/// violations that wait for a COMMIT (`deferr`), which the next script could mend.
const ALONE: [&[u8]; 7] = [
    b"pragma",
    b"temp",
    b"changes",
    b"last_insert_rowid",
    b"tollgate",
    b"prisma",
    DEFERRED,
];
const DEFERRED: &[u8] = b"deferr";

/// Statements that end the transaction or reach beyond it; analysis found none, and SQLite has the last word.
const REACHING: [&str; 9] = [
    "BEGIN",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SAVEPOINT",
    "RELEASE",
    "PRAGMA",
    "ATTACH",
    "DETACH",
];

/// Whether a script may share its transaction.
pub(super) fn may_queue(script: &str, analysis: &Analysis) -> bool {
    pipelinable(analysis) && !mentions(script.as_bytes())
}

/// Whether one of the words is there, in one pass.
fn mentions(script: &[u8]) -> bool {
    script.iter().enumerate().any(|(place, byte)| {
        let first = byte.to_ascii_lowercase();
        matches!(first, b'p' | b't' | b'c' | b'l' | b'd')
            && ALONE.iter().any(|word| {
                let text = script.get(place..place + word.len());
                text.is_some_and(|text| text.eq_ignore_ascii_case(word))
            })
    })
}

/// Why several did not run together.
enum Not {
    /// Nothing of any of them stands.
    Undone,
    /// It is not known whether they stand.
    Unknown(ApplyError),
}

impl From<rusqlite::Error> for Not {
    fn from(_: rusqlite::Error) -> Self {
        Self::Undone
    }
}

pub(super) fn apply_all(
    place: &Place<'_>,
    attempts: &[Attempt<'_>],
    hear: &mut dyn FnMut(Heard<'_>),
) -> Result<(), ApplyError> {
    let mut rest = attempts;
    let mut shared = connection::connect(place.path, Missing::Refuse, place.busy).ok();
    while let Some((first, others)) = rest.split_first() {
        if let Some(connection) = shared.as_ref().filter(|_| !others.is_empty()) {
            match together(place, connection, rest) {
                Ok(applied) => {
                    rest = rest.get(applied.len()..).unwrap_or_default();
                    for applied in applied {
                        hear(Heard::Applied(applied));
                    }
                    continue;
                }
                Err(Not::Unknown(error)) => return Err(error),
                Err(Not::Undone) => {}
            }
        }
        // It would stand in the way of one that runs alone; and after trouble all of them do.
        shared = None;
        let progress = &mut |progress| hear(Heard::News(News::Progress(progress)));
        let applied = apply::apply(place, first, progress)?;
        hear(Heard::Applied(applied));
        rest = others;
    }
    Ok(())
}

/// As many of them as time allows: at least one.
fn together(
    place: &Place<'_>,
    connection: &Connection,
    attempts: &[Attempt<'_>],
) -> Result<Vec<Applied>, Not> {
    apply::begin(connection)?;
    let result = run(place, connection, attempts);
    if matches!(result, Err(Not::Undone)) {
        apply::roll_back(place, connection).map_err(Not::Unknown)?;
    }
    result
}

fn run(
    place: &Place<'_>,
    connection: &Connection,
    attempts: &[Attempt<'_>],
) -> Result<Vec<Applied>, Not> {
    let begun = Instant::now();
    if defers(connection)? {
        return Err(Not::Undone);
    }
    let mut ran = 0;
    for attempt in attempts {
        script(connection, attempt)?;
        ran += 1;
        if begun.elapsed() >= LONGEST {
            break;
        }
    }
    // From here on only tollgate's own statements.
    connection::own(connection)?;
    let mut all = Vec::with_capacity(ran);
    for attempt in attempts.iter().take(ran) {
        let kind = attempt.atomic_kind();
        let receipt = receipt(connection, attempt, kind)?;
        all.push(Applied { receipt, kind });
    }
    store::count_tables(connection)?;
    if !store::is_entered(connection)? || !place.lock.is_still_held() {
        return Err(Not::Undone);
    }
    crate::failpoint::hit("sqlite.commit.before");
    let committed = connection.execute_batch("COMMIT");
    crate::failpoint::hit("sqlite.commit.after");
    match committed {
        Ok(()) => {}
        Err(error) if apply::is_uncertain(&error) => {
            return Err(Not::Unknown(apply::unknown(place, &error)));
        }
        Err(_) => return Err(Not::Undone),
    }
    // As a script finds it. In a connection that has no transaction open this cannot fail.
    connection
        .pragma_update(None, "recursive_triggers", false)
        .map_err(|error| Not::Unknown(apply::unknown(place, &error)))?;
    Ok(all)
}

/// Whether a table's foreign keys may wait for the COMMIT.
fn defers(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND sql LIKE '%' || ?1 || '%')",
        [String::from_utf8_lossy(DEFERRED)],
        |row| row.get(0),
    )
}

fn script(connection: &Connection, attempt: &Attempt<'_>) -> Result<(), Not> {
    if attempt.must_be_atomic().is_some() {
        return Err(Not::Undone);
    }
    let script = Script::new(attempt.script);
    let mut steps = script.steps(connection, attempt.analysis.statements());
    while let Some(step) = steps.next().map_err(|trouble| trouble.0)? {
        if REACHING.contains(&step.word().as_str()) {
            return Err(Not::Undone);
        }
        step.run().map_err(|trouble| trouble.0)?;
        if connection.is_autocommit() {
            return Err(Not::Undone);
        }
    }
    Ok(())
}

fn receipt(
    connection: &Connection,
    attempt: &Attempt<'_>,
    kind: crate::model::ReceiptKind,
) -> Result<StoredReceipt, Not> {
    let receipt = Receipt {
        kind,
        ..attempt.receipt.clone()
    };
    let stored = receipt.stored().map_err(|_| Not::Undone)?;
    if !store::put_receipt(connection, &receipt, &stored)? {
        return Err(Not::Undone);
    }
    if let Some(row) = attempt.row {
        history::insert(connection, row)?;
    }
    Ok(stored)
}
