//! One migration: whole in one transaction, or, where it will not have that, as it manages itself.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, Error, ErrorCode};

use super::connection::{self, Missing};
use super::foreign_keys::Violations;
use super::journal::What;
use super::lock::RunLock;
use super::statements::Script;
use super::{errors, history, journal, journalled, store};
use crate::model::entry::Progress;
use crate::model::{Receipt, ReceiptKind, StoredReceipt};
use crate::sql::{Statement, StatementKind};
use crate::targets::history::NewRow;
use crate::targets::{
    Applied, ApplyError, Attempt, ScriptError, TargetError, TargetErrorKind, Word,
};

/// Where a migration runs.
pub(super) struct Place<'a> {
    pub(super) path: &'a Path,
    pub(super) busy: Duration,
    pub(super) lock: &'a RunLock,
}

/// A script that could not be analysed counts as one statement.
const WHOLE: Progress = Progress { done: 0, of: 1 };

pub(super) fn apply(
    place: &Place<'_>,
    attempt: &Attempt<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Applied, ApplyError> {
    if let Some(error) = attempt.must_be_atomic() {
        return Err(failed(error, None));
    }
    match attempt.analysis.statements() {
        Some(statements) if attempt.analysis.receipt_kind() == ReceiptKind::Journalled => {
            journalled::apply(place, attempt, statements, progress)
        }
        statements => whole(place, attempt, statements, progress),
    }
}

/// How a script is sent whole.
#[derive(Debug, Clone, Copy)]
struct Manner {
    /// In a transaction of ours.
    wrapped: bool,
    /// With foreign keys: `PRAGMA foreign_keys` does nothing inside a transaction, so where a script
    /// turns them off it has to be done before.
    foreign_keys: bool,
}

enum Ended {
    Applied(Applied),
    /// Nothing stands; it has to be sent again in another manner.
    Again(Manner),
}

/// Runs a script in one transaction. What the analysis did not tell is found out from the statements
/// as SQLite splits them, before they run: a `PRAGMA foreign_keys = OFF`, or a BEGIN of the script's
/// own. Then everything is rolled back and the script is sent again, in the manner that it needs.
fn whole(
    place: &Place<'_>,
    attempt: &Attempt<'_>,
    statements: Option<&[Statement]>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Applied, ApplyError> {
    let turns_off = |statement: &Statement| statement.kind == StatementKind::ForeignKeys(false);
    let mut manner = Manner {
        wrapped: true,
        foreign_keys: !statements.is_some_and(|all| all.iter().any(turns_off)),
    };
    // A script that was not analysed may end our transaction, so its journal is opened before.
    let mut journal = false;
    loop {
        if !journal && (statements.is_none() || !manner.wrapped) {
            open_journal(place, attempt)?;
            journal = true;
        }
        match once(place, attempt, statements, manner, progress) {
            Ok(Ended::Applied(applied)) => return Ok(applied),
            Ok(Ended::Again(next)) => manner = next,
            Err(error) => {
                match error {
                    ApplyError::Failed { left: None, .. } if journal => {
                        close_journal(place, attempt, What::Undone);
                    }
                    ApplyError::Failed { .. } if journal => {
                        close_journal(place, attempt, What::Failed);
                    }
                    _ => {}
                }
                return Err(error);
            }
        }
    }
}

fn once(
    place: &Place<'_>,
    attempt: &Attempt<'_>,
    statements: Option<&[Statement]>,
    manner: Manner,
    progress: &mut dyn FnMut(Progress),
) -> Result<Ended, ApplyError> {
    let none = |error: Error| failed(errors::script(&error, None), None);
    let connection = connection::connect(place.path, Missing::Refuse, place.busy).map_err(none)?;
    connection
        .pragma_update(None, "foreign_keys", manner.foreign_keys)
        .map_err(none)?;
    let mut before = (!manner.foreign_keys).then(|| Violations::read(&connection));
    if manner.wrapped {
        begin(&connection).map_err(|error| failed(busy(place, &error), None))?;
    }

    // Whether the script ended the transaction that it was put in; whether it wrote in the one that
    // is open now; whether it wrote anything that a ROLLBACK can no longer reach.
    let (mut ended, mut wrote, mut stands) = (!manner.wrapped, false, false);
    let left = |stands: bool| stands.then_some(WHOLE);
    let script = Script::new(attempt.script);
    let mut steps = script.steps(&connection, statements);
    let mut done = 0;
    loop {
        let step = match steps.next() {
            Ok(Some(step)) => step,
            Ok(None) => break,
            Err(trouble) => return Err(undo(place, &connection, trouble.1, left(stands))),
        };
        let word = step.word();
        let sets_foreign_keys = step.foreign_keys();
        if !ended && word == "BEGIN" {
            roll_back(place, &connection)?;
            return Ok(Ended::Again(Manner {
                wrapped: false,
                foreign_keys: true,
            }));
        }
        if sets_foreign_keys == Some(false) && before.is_none() {
            if !ended {
                roll_back(place, &connection)?;
                return Ok(Ended::Again(Manner {
                    foreign_keys: false,
                    ..manner
                }));
            }
            before = Some(Violations::read(&connection));
        }
        let writes = !step.is_readonly();
        let changes = connection.total_changes();
        if let Err(trouble) = step.run() {
            let (error, said) = *trouble;
            if ended && is_uncertain(&error) {
                return Err(unknown(place, &error));
            }
            // OR FAIL keeps what a statement changed before it failed.
            let kept = ended && connection.is_autocommit() && connection.total_changes() != changes;
            return Err(undo(
                place,
                &connection,
                said,
                left(stands || (kept && !wrote)),
            ));
        }
        done += 1;
        wrote |= writes;
        if connection.is_autocommit() {
            stands |= wrote && word != "ROLLBACK";
            wrote = false;
            ended = true;
        }
        if let Some(statements) = statements {
            progress(Progress {
                done,
                of: done.max(statements.len() as u64),
            });
        }
    }

    if ended && !connection.is_autocommit() {
        let said =
            errors::own("the script leaves a transaction of its own open: it ends without COMMIT");
        return Err(undo(place, &connection, said, left(stands)));
    }
    if let Some(said) = before.and_then(|before| Violations::read(&connection).added_since(&before))
    {
        return Err(undo(place, &connection, said, left(stands)));
    }
    if statements.is_none() {
        progress(Progress { done: 1, of: 1 });
    }
    if !ended {
        let applied = seal(
            place,
            &connection,
            attempt.receipt,
            attempt.row,
            attempt.atomic_kind(),
            None,
        )?;
        return Ok(Ended::Applied(applied));
    }
    drop(connection);
    record(place, attempt.receipt, attempt.row, WHOLE).map(Ended::Applied)
}

/// Writes the last row of the journal and the receipt of a script whose work already stands, on a
/// connection that the script never touched.
pub(super) fn record(
    place: &Place<'_>,
    receipt: &Receipt,
    row: Option<&NewRow>,
    of: Progress,
) -> Result<Applied, ApplyError> {
    let of = Progress { done: of.of, ..of };
    let left = Some(of);
    let told = |error: Error| failed(unrecorded(&errors::message(&error)), left);
    let connection = connection::connect(place.path, Missing::Refuse, place.busy).map_err(told)?;
    begin(&connection).map_err(told)?;
    journal::add(&connection, receipt, What::Finished, of, None).map_err(|error| {
        undo(
            place,
            &connection,
            unrecorded(&errors::message(&error)),
            left,
        )
    })?;
    seal(
        place,
        &connection,
        receipt,
        row,
        ReceiptKind::Journalled,
        left,
    )
}

/// Puts the receipt, and Prisma's row beside it, into the transaction that is open, and commits it.
fn seal(
    place: &Place<'_>,
    connection: &Connection,
    receipt: &Receipt,
    row: Option<&NewRow>,
    kind: ReceiptKind,
    left: Option<Progress>,
) -> Result<Applied, ApplyError> {
    let receipt = Receipt {
        kind,
        ..receipt.clone()
    };
    let stored = receipt
        .stored()
        .map_err(|error| undo(place, connection, unrecorded(&error.to_string()), left))?;
    let added = connection::own(connection)
        .and_then(|()| store::add_receipt(connection, &receipt, &stored))
        .and_then(|added| {
            row.map_or(Ok(()), |row| history::insert(connection, row))
                .map(|()| added)
        });
    let entered = added.and_then(|added| Ok((added, store::is_entered(connection)?)));
    let why_not = match entered {
        Ok((true, true)) if place.lock.is_still_held() => None,
        Ok((true, true)) => Some("the lock file was deleted or replaced meanwhile".to_owned()),
        Ok((true, false)) => Some("the script dropped a table of tollgate's own".to_owned()),
        Ok((false, _)) => Some("it was not there after it was written".to_owned()),
        Err(error) => Some(errors::message(&error)),
    };
    if let Some(why) = why_not {
        return Err(undo(place, connection, unrecorded(&why), left));
    }
    crate::failpoint::hit("sqlite.commit.before");
    let committed = connection.execute_batch("COMMIT");
    crate::failpoint::hit("sqlite.commit.after");
    match committed {
        Ok(()) => Ok(Applied {
            receipt: stored,
            kind,
        }),
        Err(error) if is_uncertain(&error) => Err(unknown(place, &error)),
        Err(error) => {
            let said = match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseBusy) => busy(place, &error),
                _ => errors::script(&error, None),
            };
            Err(undo(place, connection, said, left))
        }
    }
}

/// Rolls back what is open and says that the script failed; where that cannot be verified, that it
/// is not known what stands.
pub(super) fn undo(
    place: &Place<'_>,
    connection: &Connection,
    said: ScriptError,
    left: Option<Progress>,
) -> ApplyError {
    match roll_back(place, connection) {
        Ok(()) => failed(said, left),
        Err(error) => error,
    }
}

/// Ends the open transaction, if there is one; verified.
pub(super) fn roll_back(place: &Place<'_>, connection: &Connection) -> Result<(), ApplyError> {
    if connection.is_autocommit() {
        return Ok(());
    }
    let outcome = connection.execute_batch("ROLLBACK");
    match outcome {
        _ if connection.is_autocommit() => Ok(()),
        Err(error) => Err(unknown(place, &error)),
        Ok(()) => Err(ApplyError::Unknown {
            error: Box::new(TargetError {
                kind: TargetErrorKind::Other,
                fact: format!("{} did not roll back", place.path.display()),
                remedy: None,
            }),
        }),
    }
}

/// Whether a failed COMMIT, or a failed statement that commits by itself, may have reached the disk.
/// A full disk, a busy file and a violated constraint are known: SQLite has changed nothing.
pub(super) fn is_uncertain(error: &Error) -> bool {
    !matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::DiskFull
                | ErrorCode::ConstraintViolation
                | ErrorCode::ReadOnly
                | ErrorCode::OutOfMemory
                | ErrorCode::TooBig
                | ErrorCode::TypeMismatch
                | ErrorCode::SchemaChanged
                | ErrorCode::OperationAborted
                | ErrorCode::CannotOpen
                | ErrorCode::PermissionDenied
                | ErrorCode::AuthorizationForStatementDenied
                | ErrorCode::Unknown
        )
    )
}

pub(super) fn begin(connection: &Connection) -> rusqlite::Result<()> {
    crate::failpoint::hit("sqlite.begin.before");
    connection.execute_batch("BEGIN IMMEDIATE")?;
    crate::failpoint::hit("sqlite.begin.after");
    Ok(())
}

pub(super) fn failed(error: ScriptError, left: Option<Progress>) -> ApplyError {
    ApplyError::Failed {
        error: Box::new(error),
        left,
    }
}

pub(super) fn unknown(place: &Place<'_>, error: &Error) -> ApplyError {
    ApplyError::Unknown {
        error: Box::new(errors::target(place.path, error)),
    }
}

/// An error of taking or ending a transaction, which is not the script's fault.
fn busy(place: &Place<'_>, error: &Error) -> ScriptError {
    ScriptError {
        message: errors::target(place.path, error).fact,
        ..errors::script(error, None)
    }
}

fn unrecorded(why: &str) -> ScriptError {
    errors::own(format!("the receipt could not be written: {why}"))
}

/// Says, before anything is sent, that a script that may end our transaction was begun.
fn open_journal(place: &Place<'_>, attempt: &Attempt<'_>) -> Result<(), ApplyError> {
    let begun = Progress { done: 1, of: 1 };
    let write = || {
        let connection = connection::connect(place.path, Missing::Refuse, place.busy)?;
        connection::own(&connection)?;
        begin(&connection)?;
        journal::start(&connection, attempt.receipt, attempt.script, WHOLE)?;
        let text = Some(attempt.script);
        journal::add(&connection, attempt.receipt, What::Begun, begun, text)?;
        connection.execute_batch("COMMIT")
    };
    write().map_err(|error| failed(busy(place, &error), None))
}

/// Says how the begun script ended. The failure is told whatever becomes of this row: without it the
/// attempt looks less certain than it is, never more.
fn close_journal(place: &Place<'_>, attempt: &Attempt<'_>, what: What) {
    let ended = Progress { done: 1, of: 1 };
    let connection = connection::connect(place.path, Missing::Refuse, place.busy);
    let _ = connection.and_then(|connection| {
        connection::own(&connection)?;
        journal::add(&connection, attempt.receipt, what, ended, None)
    });
}

/// Leaves a receipt without running anything.
pub(super) fn close(
    place: &Place<'_>,
    receipt: &Receipt,
    word: Option<&Word>,
    of: u64,
    row: Option<&NewRow>,
) -> Result<StoredReceipt, TargetError> {
    let told = |error: Error| errors::target(place.path, &error);
    let connection = connection::connect_own(place.path, Missing::Refuse, place.busy)?;
    begin(&connection).map_err(told)?;
    match word {
        Some(word) => journal::add_word(&connection, receipt.attempt, &receipt.migration, word),
        None => {
            let all = Progress { done: of, of };
            journal::add(&connection, receipt, What::Finished, all, None)
        }
    }
    .map_err(told)?;
    match seal(place, &connection, receipt, row, receipt.kind, None) {
        Ok(applied) => Ok(applied.receipt),
        Err(ApplyError::Unknown { error }) => Err(*error),
        Err(ApplyError::Failed { error, .. }) => Err(TargetError {
            kind: TargetErrorKind::Other,
            fact: error.message,
            remedy: None,
        }),
    }
}
