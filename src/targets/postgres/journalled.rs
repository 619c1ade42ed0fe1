//! A script that controls its transactions itself, or cannot stand in one: statement by statement,
//! with a journal of how far it came.
//!
//! An ordinary statement and the row that says that it is done are one transaction. So are a
//! transaction of the script's own and its row, which is written just before its COMMIT. After a
//! crash the journal then tells exactly what stands. Only what PostgreSQL will not have in a
//! transaction (CREATE INDEX CONCURRENTLY, VACUUM, code that may commit) is announced before, and
//! may be found begun and not done.

use std::collections::BTreeSet;

use tokio_postgres::error::DbError;

use super::closing::{Closing, NotClosed};
use super::concurrently;
use super::error::{script_error, session_error};
use super::invalid;
use super::journal::{self, Note, insert, insert_finished};
use super::protocol::{Found, db_error, recover, refusal, refuse_broken, unknown};
use super::runtime::Session;
use super::survey::INVALID_INDEXES;
use super::template::fill;
use crate::model::entry::{Engine, Progress};
use crate::model::{AttemptId, ReceiptKind};
use crate::sql::{self, Statement, StatementKind};
use crate::targets::{Applied, ApplyError, Attempt, ScriptError, TargetError};

pub(super) fn apply(
    session: &Session,
    attempt: &Attempt<'_>,
    statements: &[Statement],
    progress: &mut dyn FnMut(Progress),
    note: &mut dyn FnMut(&str),
) -> Result<Applied, ApplyError> {
    let of = statements.len() as u64;
    let receipt = attempt.receipt;
    let finished = insert_finished(receipt.attempt, &receipt.migration, of);
    let closing = Closing::new(
        session,
        receipt,
        ReceiptKind::Journalled,
        &finished,
        attempt.row,
    )?;
    let mut run = Run {
        session,
        attempt,
        statements,
        of,
        done: attempt.done,
        block: None,
        read_only: mentions(attempt.script, &["read_only", "read only"]),
    };
    run.start()?;
    let skip = usize::try_from(attempt.done).unwrap_or(usize::MAX);
    for (place, statement) in statements.iter().enumerate().skip(skip) {
        run.statement(place as u64 + 1, statement, note)?;
        if run.block.is_none() {
            progress(Progress { done: run.done, of });
        }
    }
    if let Some(block) = run.block {
        let statement = &statements[usize::try_from(block.begun - 1).unwrap_or(0)];
        let error = ScriptError {
            message: "the script leaves a transaction open: there is no COMMIT for the last BEGIN. What it did in that transaction was rolled back".to_owned(),
            hint: Some("end the script with COMMIT, or take BEGIN out".to_owned()),
            at: Some(statement.range.clone()),
            ..ScriptError::default()
        };
        return Err(run.fail(block.begun, error, false));
    }
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
    /// The script's own transaction that is open.
    block: Option<Block>,
    /// The script speaks of read-only transactions, in which no row of ours could be written.
    read_only: bool,
}

/// A transaction of the script's own.
#[derive(Clone, Copy)]
struct Block {
    /// The step that it began with.
    begun: u64,
    /// It was announced before, because no row can be written in it.
    announced: bool,
}

impl<'a> Run<'a> {
    fn text(&self, step: u64) -> &'a str {
        usize::try_from(step - 1)
            .ok()
            .and_then(|place| self.statements.get(place))
            .and_then(|statement| self.attempt.script.get(statement.range.clone()))
            .unwrap_or_default()
    }

    /// The INSERT of one row about a step.
    fn row(&self, step: u64, what: &'static str) -> String {
        let note = Note {
            step,
            what,
            statement: self.text(step),
        };
        insert(self.attempt, self.of, &[note])
    }

    /// Writes rows before or after something that runs outside any transaction.
    /// `traces` says whether the step may have left something if they cannot be.
    fn write(&mut self, step: u64, insert: &str, traces: bool) -> Result<(), ApplyError> {
        let attempt = self.attempt.receipt.attempt;
        let Err(error) = journal::write(self.session, attempt, insert) else {
            return Ok(());
        };
        match error.as_db_error().map(|said| refusal(said, attempt)) {
            Some(refusal) if refusal.found == Found::Unlocked => {
                Err(self.fail(step, refusal.error, traces))
            }
            _ => Err(unknown(session_error(&error, "writing the journal"))),
        }
    }

    /// Starts the journal, and sets again what the statements that stand have set in their session.
    fn start(&mut self) -> Result<(), ApplyError> {
        let rows = insert(self.attempt, self.of, &journal::started(self.attempt));
        self.write(self.done + 1, &rows, false)?;
        let skip = usize::try_from(self.done).unwrap_or(usize::MAX);
        let script = self.attempt.script;
        let again = sql::session_of(Engine::Postgresql, script, self.statements, skip);
        for place in again.unwrap_or_default() {
            let step = place as u64 + 1;
            let ran = self.session.run(self.text(step));
            refuse_broken(&[&ran])?;
            if let Some(error) = db_error(&ran) {
                let range = self.statements[place].range.clone();
                let mut said = script_error(error, self.text(step), range.start, Some(range));
                said.context = Some("while what the statements that stand had set for their session was set again: undo them and resolve --not-applied, or run the rest by hand and resolve --applied".to_owned());
                return Err(self.fail(self.done + 1, said, false));
            }
        }
        Ok(())
    }

    fn statement(
        &mut self,
        step: u64,
        statement: &Statement,
        note: &mut dyn FnMut(&str),
    ) -> Result<(), ApplyError> {
        self.refuse_invalid(step, statement)?;
        if let Some(block) = self.block {
            return self.within(block, step, statement);
        }
        match statement.kind {
            StatementKind::TransactionControl("BEGIN" | "START TRANSACTION") => {
                let announced = !self.takes_a_row(step);
                if announced {
                    let row = self.row(step, "begun");
                    self.write(step, &row, false)?;
                }
                self.send(step, statement)?;
                self.block = Some(Block {
                    begun: step,
                    announced,
                });
                Ok(())
            }
            StatementKind::Ordinary if !self.read_only && !may_commit_inside(self.text(step)) => {
                self.with_its_row(step, statement)
            }
            _ => {
                let row = self.row(step, "begun");
                self.write(step, &row, false)?;
                self.send_alone(step, statement, note)?;
                let row = self.row(step, "done");
                self.write(step, &row, true)?;
                self.done = step;
                Ok(())
            }
        }
    }

    /// An ordinary statement: it and its row are one transaction.
    fn with_its_row(&mut self, step: u64, statement: &Statement) -> Result<(), ApplyError> {
        let text = self.text(step);
        let attempt = self.attempt.receipt.attempt;
        let row = self.row(step, "done");
        let answers = journal::run_with(self.session, attempt, text, &row);
        let [opened, ran, closed] = &answers;
        refuse_broken(&[opened, ran, closed])?;
        let range = statement.range.clone();
        if let Some(error) = db_error(opened).or(db_error(ran)) {
            let said = script_error(error, text, range.start, Some(range));
            return Err(self.fail(step, said, false));
        }
        if let Some(error) = db_error(closed) {
            let said = about_the_row(error, attempt, statement);
            return Err(self.fail(step, said, false));
        }
        self.done = step;
        Ok(())
    }

    /// A statement inside the script's own transaction.
    fn within(&mut self, block: Block, step: u64, statement: &Statement) -> Result<(), ApplyError> {
        let StatementKind::TransactionControl(name) = statement.kind else {
            return self.send(step, statement);
        };
        let commits = matches!(name, "COMMIT" | "END");
        if commits && !block.announced {
            let attempt = self.attempt.receipt.attempt;
            let row = self.row(step, "done");
            let rows = journal::run_within(self.session, attempt, &row);
            refuse_broken(&[&rows])?;
            if let Some(error) = db_error(&rows) {
                let said = about_the_row(error, attempt, statement);
                return Err(self.fail(step, said, false));
            }
        }
        self.send(step, statement)?;
        let open = in_transaction(self.session).map_err(unknown)?;
        if open && !(commits && sql::chains(self.text(step))) {
            // A savepoint's words, or ROLLBACK AND CHAIN: nothing stands that did not before.
            return Ok(());
        }
        if !open || commits {
            self.done = step;
        }
        if block.announced || !commits {
            // What was announced is done; and a ROLLBACK leaves nothing, which is said here.
            if !open {
                let row = self.row(step, "done");
                self.write(step, &row, false)?;
            }
        }
        self.block = open.then_some(Block {
            begun: step,
            ..block
        });
        Ok(())
    }

    /// Whether the transaction that begins at a step can take the journal's row before its COMMIT:
    /// nothing in it changes who we are, or makes it read-only, or hands it over to PREPARE.
    fn takes_a_row(&self, step: u64) -> bool {
        let refuses = |text: &str| {
            mentions(
                text,
                &[
                    "set role",
                    "set local role",
                    "set session role",
                    "authorization",
                    "prepare transaction",
                ],
            )
        };
        let start = usize::try_from(step - 1).unwrap_or(usize::MAX);
        let ends = |statement: &&Statement| {
            matches!(
                statement.kind,
                StatementKind::TransactionControl("COMMIT" | "END" | "ROLLBACK" | "ABORT")
            ) && !sql::chains(&self.attempt.script[statement.range.clone()])
        };
        let rest = self.statements.get(start..).unwrap_or_default();
        let end = rest.iter().position(|statement| ends(&statement));
        let block = &rest[..end.unwrap_or(rest.len())];
        let earlier = &self.statements[..start.min(self.statements.len())];
        !self.read_only
            && !earlier.iter().chain(block).any(|statement| {
                let text = &self.attempt.script[statement.range.clone()];
                refuses(&text.split_whitespace().collect::<Vec<_>>().join(" "))
            })
    }

    /// Sends one statement of the script's own transaction, or the BEGIN of it.
    fn send(&mut self, step: u64, statement: &Statement) -> Result<(), ApplyError> {
        let text = self.text(step);
        let ran = self.session.run(text);
        refuse_broken(&[&ran])?;
        let Some(error) = db_error(&ran) else {
            return Ok(());
        };
        let range = statement.range.clone();
        let said = script_error(error, text, range.start, Some(range));
        Err(self.fail(step, said, false))
    }

    /// Sends one statement that stands outside any transaction.
    fn send_alone(
        &mut self,
        step: u64,
        statement: &Statement,
        note: &mut dyn FnMut(&str),
    ) -> Result<(), ApplyError> {
        let text = self.text(step);
        let concurrently = text.to_ascii_uppercase().contains("CONCURRENTLY");
        let before = if concurrently {
            invalid_indexes(self.session).map_err(unknown)?
        } else {
            BTreeSet::new()
        };
        let run = || self.session.run(text);
        let ran = concurrently::send(self.session, text, &run, note).map_err(unknown)?;
        refuse_broken(&[&ran])?;
        let Some(error) = db_error(&ran) else {
            return Ok(());
        };
        let range = statement.range.clone();
        let mut said = script_error(error, text, range.start, Some(range));
        let traces =
            matches!(statement.kind, StatementKind::NotWrappable(_)) || may_commit_inside(text);
        if concurrently {
            let after = invalid_indexes(self.session).map_err(unknown)?;
            name_invalid(&mut said, after.difference(&before));
        }
        Err(self.fail(step, said, traces))
    }

    /// `IF NOT EXISTS` over an INVALID index does nothing, and would pass for success.
    fn refuse_invalid(&mut self, step: u64, statement: &Statement) -> Result<(), ApplyError> {
        let unsent = "The statement was not sent";
        let found = invalid::in_the_way(self.session, self.text(step), unsent).map_err(unknown)?;
        match found {
            None => Ok(()),
            Some(error) => {
                let at = Some(statement.range.clone());
                Err(self.fail(step, ScriptError { at, ..error }, false))
            }
        }
    }

    /// The run has failed at a step: cleans up and says what stands. `traces` says that the failed
    /// statement does its work in several transactions, some of which may stand.
    fn fail(&mut self, step: u64, error: ScriptError, traces: bool) -> ApplyError {
        if let Err(error) = recover(self.session) {
            return unknown(error);
        }
        let what = if traces { "failed" } else { "undone" };
        let attempt = self.attempt.receipt.attempt;
        if let Err(error) = journal::write(self.session, attempt, &self.row(step, what))
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

/// What the server said of a row that was to be committed with a statement.
fn about_the_row(error: &DbError, attempt: AttemptId, statement: &Statement) -> ScriptError {
    let refusal = refusal(error, attempt);
    let said = match refusal.found {
        Found::Unlocked => refusal.error,
        _ => script_error(error, "", 0, None),
    };
    let after = "after the statement, while its deferred constraints were checked and the journal was written";
    ScriptError {
        at: Some(statement.range.clone()),
        context: said.context.clone().or_else(|| Some(after.to_owned())),
        ..said
    }
}

/// Whether a statement runs a procedure or a block of code, which outside a transaction may commit in
/// its middle and fail after that.
fn may_commit_inside(statement: &str) -> bool {
    let first: String = statement
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect();
    first.eq_ignore_ascii_case("CALL")
        || (first.eq_ignore_ascii_case("DO")
            && mentions(statement, &["commit", "rollback", "call", "execute"]))
}

/// Whether one of some texts stands in another, in whatever case. Too often yes is safe.
pub(super) fn mentions(text: &str, words: &[&str]) -> bool {
    let bytes = text.as_bytes();
    words.iter().any(|word| {
        bytes
            .windows(word.len())
            .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
    })
}

/// Whether a transaction of the script's own is open. Two statements that take no snapshot: after
/// BEGIN a script may still say SET TRANSACTION ISOLATION LEVEL.
fn in_transaction(session: &Session) -> Result<bool, TargetError> {
    // Outside a transaction SET LOCAL lasts to the end of its own message.
    let [set, shown] =
        session.pipeline(["SET LOCAL tollgate.block = 'open'", "SHOW tollgate.block"]);
    let trouble = |error| session_error(error, "looking for an open transaction");
    if let Some(error) = &set.error {
        return Err(trouble(error));
    }
    let rows = match shown.into_rows() {
        Ok(rows) => rows,
        // Never set before, and not now: there is no such setting.
        Err(error) if error.code().is_some_and(|code| code.code() == "42704") => return Ok(false),
        Err(error) => return Err(trouble(&error)),
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
