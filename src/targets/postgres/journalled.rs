//! A script that controls its transactions itself, or cannot stand in one: statement by statement,
//! each on its own, with a journal of how far it came.

use std::collections::BTreeSet;

use super::error::{script_error, session_error};
use super::journal::{self, Note};
use super::protocol::{Closing, NotClosed, db_error, recover, refuse_broken, unknown};
use super::runtime::Session;
use super::template::fill;
use crate::model::ReceiptKind;
use crate::model::entry::Progress;
use crate::sql::{Statement, StatementKind};
use crate::targets::{Applied, ApplyError, Attempt, ScriptError, TargetError};

const INVALID_INDEXES: &str = include_str!("sql/invalid_indexes.sql");

pub(super) fn apply(
    session: &Session,
    attempt: &Attempt<'_>,
    statements: &[Statement],
    progress: &mut dyn FnMut(Progress),
) -> Result<Applied, ApplyError> {
    let of = statements.len() as u64;
    let closing = Closing::new(attempt.receipt, ReceiptKind::Journalled, "")?;
    let mut run = Run {
        session,
        attempt,
        statements,
        of,
        done: 0,
        pending: None,
        block: None,
    };
    let step = |place: usize| place as u64 + 1;
    for (place, statement) in statements.iter().enumerate() {
        run.begin(step(place))?;
        run.send(step(place), statement)?;
        if run.block.is_none() {
            run.end(step(place));
            progress(Progress { done: run.done, of });
        }
    }
    if let Some(begun) = run.block {
        let statement = &statements[usize::try_from(begun - 1).unwrap_or(0)];
        let error = ScriptError {
            message: "the script leaves a transaction open: there is no COMMIT for the last BEGIN. What it did in that transaction was rolled back".to_owned(),
            hint: Some("end the script with COMMIT, or take BEGIN out".to_owned()),
            at: Some(statement.range.clone()),
            ..ScriptError::default()
        };
        return Err(run.fail(begun, error, false));
    }
    run.flush()?;
    match closing.record(session) {
        Ok(applied) => Ok(applied),
        Err(NotClosed::Unknown(error)) => Err(error),
        // Every statement stands; only the receipt is missing.
        Err(NotClosed::Failed(error)) => Err(ApplyError::Failed {
            error,
            left: Some(Progress { done: of, of }),
        }),
    }
}

/// One run of a script.
struct Run<'a> {
    session: &'a Session,
    attempt: &'a Attempt<'a>,
    statements: &'a [Statement],
    of: u64,
    /// Everything up to this step ended, and stands.
    done: u64,
    /// A `done` row that is not written yet: it goes out with the next `begun`.
    pending: Option<Note<'a>>,
    /// The step at which the script's own open transaction began.
    block: Option<u64>,
}

impl<'a> Run<'a> {
    fn text(&self, step: u64) -> &'a str {
        usize::try_from(step - 1)
            .ok()
            .and_then(|place| self.statements.get(place))
            .and_then(|statement| self.attempt.script.get(statement.range.clone()))
            .unwrap_or_default()
    }

    /// Says that a statement is about to be sent. Within the script's own transaction nothing can
    /// be written that would outlive a rollback, so the journal goes by whole transactions.
    fn begin(&mut self, step: u64) -> Result<(), ApplyError> {
        if self.block.is_some() {
            return Ok(());
        }
        let begun = Note {
            step,
            what: "begun",
            statement: self.text(step),
        };
        let notes: Vec<Note<'_>> = self.pending.take().into_iter().chain([begun]).collect();
        self.write(&notes)
    }

    /// Says that everything up to a statement has ended.
    fn end(&mut self, step: u64) {
        self.done = step;
        self.pending = Some(Note {
            step,
            what: "done",
            statement: self.text(step),
        });
    }

    /// Writes the last `done`.
    fn flush(&mut self) -> Result<(), ApplyError> {
        match self.pending.take() {
            Some(note) => self.write(&[note]),
            None => Ok(()),
        }
    }

    fn write(&self, notes: &[Note<'_>]) -> Result<(), ApplyError> {
        journal::write(self.session, self.attempt, self.of, notes)
            .map_err(|error| unknown(session_error(&error, "writing the journal")))
    }

    /// Sends one statement alone, and looks whether a transaction is open after it.
    fn send(&mut self, step: u64, statement: &Statement) -> Result<(), ApplyError> {
        let text = self.text(step);
        let concurrently = text.to_ascii_uppercase().contains("CONCURRENTLY");
        let before = if concurrently {
            invalid_indexes(self.session).map_err(unknown)?
        } else {
            BTreeSet::new()
        };
        let ran = self.session.run(text);
        refuse_broken(&[&ran])?;
        if let Some(error) = db_error(&ran) {
            let start = statement.range.start;
            let mut said = script_error(error, text, start, Some(statement.range.clone()));
            let traces = matches!(statement.kind, StatementKind::NotWrappable(_))
                || (self.block.is_none() && may_commit_inside(text));
            if concurrently {
                // An open transaction of the script's own is aborted now; the catalog cannot be
                // read in it.
                recover(self.session).map_err(unknown)?;
                let after = invalid_indexes(self.session).map_err(unknown)?;
                name_invalid(&mut said, after.difference(&before));
            }
            return Err(self.fail(step, said, traces));
        }
        if let StatementKind::TransactionControl(name) = statement.kind {
            let open = in_transaction(self.session).map_err(unknown)?;
            // COMMIT AND CHAIN: what was open stands, and another transaction is open.
            if open && self.block.is_some() && matches!(name, "COMMIT" | "END") {
                self.end(step);
                self.block = Some(step);
            } else {
                self.block = open.then(|| self.block.unwrap_or(step));
            }
        }
        Ok(())
    }

    /// The run has failed at a step: cleans up and says what stands. `traces` says that the failed
    /// statement does its work in several transactions, some of which may stand.
    fn fail(&mut self, step: u64, error: ScriptError, traces: bool) -> ApplyError {
        if let Err(error) = recover(self.session) {
            return unknown(error);
        }
        let mut notes: Vec<Note<'_>> = self.pending.take().into_iter().collect();
        notes.push(Note {
            step,
            what: "failed",
            statement: self.text(step),
        });
        if let Err(error) = journal::write(self.session, self.attempt, self.of, &notes)
            && error.as_db_error().is_none()
        {
            return unknown(session_error(&error, "writing the journal"));
        }
        let left = Progress {
            done: self.done,
            of: self.of,
        };
        ApplyError::Failed {
            error: Box::new(error),
            left: (traces || self.done > 0).then_some(left),
        }
    }
}

/// Whether a statement runs a procedure or a block of code, which outside a transaction may commit in
/// its middle and fail after that.
fn may_commit_inside(statement: &str) -> bool {
    let first: String = statement
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect();
    first.eq_ignore_ascii_case("DO") || first.eq_ignore_ascii_case("CALL")
}

/// Whether a transaction of the script's own is open. Two statements that take no snapshot: after
/// BEGIN a script may still say SET TRANSACTION ISOLATION LEVEL.
fn in_transaction(session: &Session) -> Result<bool, TargetError> {
    // Outside a transaction SET LOCAL lasts to the end of its own message.
    let [set, shown] =
        session.pipeline(["SET LOCAL tollgate.block = 'open'", "SHOW tollgate.block"]);
    let trouble = |error| session_error(&error, "looking for an open transaction");
    set.into_rows().map_err(trouble)?;
    let rows = match shown.into_rows() {
        Ok(rows) => rows,
        // Never set before, and not now: there is no such setting.
        Err(error) if error.code().is_some_and(|code| code.code() == "42704") => return Ok(false),
        Err(error) => return Err(trouble(error)),
    };
    Ok(rows.first().and_then(|row| row.get(0)) == Some("open"))
}

fn invalid_indexes(session: &Session) -> Result<BTreeSet<(String, String)>, TargetError> {
    let rows = session
        .query(&fill(INVALID_INDEXES, &[]))
        .map_err(|error| session_error(&error, "looking for invalid indexes"))?;
    Ok(rows
        .iter()
        .filter_map(|row| Some((row.get(0)?.to_owned(), row.get(1)?.to_owned())))
        .collect())
}

fn name_invalid<'a>(error: &mut ScriptError, left: impl Iterator<Item = &'a (String, String)>) {
    let names: Vec<&str> = left.map(|(_, name)| name.as_str()).collect();
    if names.is_empty() {
        return;
    }
    let drops: Vec<String> = names
        .iter()
        .map(|name| format!("DROP INDEX CONCURRENTLY {name};"))
        .collect();
    let ours = format!(
        "an INVALID index was left behind: {}; before the next try: {}",
        names.join(", "),
        drops.join(" ")
    );
    error.hint = Some(match error.hint.take() {
        Some(hint) => format!("{hint}\n{ours}"),
        None => ours,
    });
}
