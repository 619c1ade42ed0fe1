//! A migration that cannot be wrapped in one transaction: statement by statement, with a journal.
//!
//! An ordinary statement and the row that says that it is done are committed together. So are a
//! transaction of the script's own and its row, which is written just before its COMMIT. Only a
//! statement that SQLite will not have in a transaction (VACUUM, some PRAGMAs, ATTACH) or that ends
//! one otherwise (RELEASE) is announced before, and may be found begun and not done after a crash.

use rusqlite::{Connection, Error};

use super::apply::{Place, begin, failed, is_uncertain, record, undo, unknown};
use super::connection::{self, Missing};
use super::foreign_keys::Violations;
use super::journal::What;
use super::statements::{Script, Step, Trouble};
use super::{errors, journal};
use crate::model::Receipt;
use crate::model::entry::{Engine, Progress};
use crate::sql::{self, Statement, StatementKind};
use crate::targets::{Applied, ApplyError, Attempt, ScriptError, TargetError, TargetErrorKind};

pub(super) fn apply(
    place: &Place<'_>,
    attempt: &Attempt<'_>,
    statements: &[Statement],
    progress: &mut dyn FnMut(Progress),
) -> Result<Applied, ApplyError> {
    let of = statements.len() as u64;
    let stands = Progress {
        done: attempt.done,
        of,
    };
    let left = (attempt.done > 0).then_some(stands);
    let none = |error: Error| failed(errors::script(&error, None), left);
    let connection = connection::connect(place.path, Missing::Refuse, place.busy).map_err(none)?;
    start(&connection, attempt, stands).map_err(none)?;

    let mut run = Run {
        connection: &connection,
        place,
        apart: attempt.script.to_ascii_lowercase().contains("changes"),
        receipt: attempt.receipt,
        of,
        standing: attempt.done,
        announced: None,
    };
    let mut before = None;
    let skip = usize::try_from(attempt.done).unwrap_or(usize::MAX);
    let script = Script::new(attempt.script);
    // What the statements that stand have set on their connection is set again on this one.
    let again = sql::session_of(Engine::Sqlite, attempt.script, statements, skip);
    for place_of in again.unwrap_or_default() {
        let range = statements[place_of].range.clone();
        let ran = connection.execute_batch(&attempt.script[range.clone()]);
        ran.map_err(|error| run.stop(place, errors::script(&error, Some(range))))?;
    }
    if attempt.done > 0 && !foreign_keys_are_on(&connection).map_err(none)? {
        before = Some(Violations::read(&connection));
    }
    let offset = match statements.get(skip) {
        Some(next) => next.range.start,
        None => attempt.script.len(),
    };
    let mut steps = script.steps_from(offset, &connection, Some(statements));
    let mut number = attempt.done;
    loop {
        let step = match steps.next() {
            Ok(Some(step)) => step,
            Ok(None) => break,
            Err(trouble) => return Err(run.stop(place, trouble.1)),
        };
        if step.foreign_keys() == Some(false) && before.is_none() && connection.is_autocommit() {
            before = Some(Violations::read(&connection));
        }
        let kind = statements
            .get(usize::try_from(number).unwrap_or(usize::MAX))
            .map(|statement| statement.kind);
        number += 1;
        run.of = run.of.max(number);
        match run.step(step, number, kind) {
            Ok(()) => {}
            // Another run may be at work: what is open is rolled back, and nothing runs on.
            Err(trouble) if trouble.1.message == UNLOCKED => return Err(unlocked(place)),
            Err(trouble) if is_uncertain(&trouble.0) => return Err(unknown(place, &trouble.0)),
            Err(trouble) => return Err(run.stop(place, trouble.1)),
        }
        progress(Progress {
            done: number,
            of: run.of,
        });
    }
    if !connection.is_autocommit() {
        let said = errors::own(format!(
            "the script leaves a transaction of its own open: what follows statement {} ends \
             without COMMIT, and was rolled back",
            run.standing
        ));
        return Err(run.stop(place, said));
    }
    if let Some(said) = before.and_then(|before| Violations::read(&connection).added_since(&before))
    {
        return Err(run.stop(place, said));
    }
    let of = Progress {
        done: run.of,
        of: run.of,
    };
    drop(connection);
    record(place, attempt.receipt, attempt.row, of)
}

const UNLOCKED: &str = "the lock file was deleted or replaced meanwhile";

fn unlocked(place: &Place<'_>) -> ApplyError {
    ApplyError::Unknown {
        error: Box::new(TargetError {
            kind: TargetErrorKind::Locked,
            fact: format!(
                "the lock file of {} was deleted or replaced while a script ran",
                place.path.display()
            ),
            remedy: None,
        }),
    }
}

/// Starts the journal of an attempt, durably.
fn start(connection: &Connection, attempt: &Attempt<'_>, stands: Progress) -> rusqlite::Result<()> {
    connection::own(connection)?;
    begin(connection)?;
    journal::start(connection, attempt.receipt, attempt.script, stands)?;
    connection.execute_batch("COMMIT")?;
    // Scripts run without: see `connection::own`.
    connection.pragma_update(None, "recursive_triggers", false)
}

fn foreign_keys_are_on(connection: &Connection) -> rusqlite::Result<bool> {
    connection.pragma_query_value(None, "foreign_keys", |row| row.get(0))
}

struct Run<'a> {
    connection: &'a Connection,
    place: &'a Place<'a>,
    /// The script asks how many rows its statements changed, so no row of ours may be written on its
    /// connection: statements are announced before, and said to be done after, on another one.
    apart: bool,
    receipt: &'a Receipt,
    of: u64,
    /// The first so many statements ended, and no ROLLBACK can reach them.
    standing: u64,
    /// The statement that the journal says was begun, and whose end it does not tell yet.
    announced: Option<u64>,
}

impl Run<'_> {
    /// Runs one statement and keeps the journal.
    fn step(
        &mut self,
        step: Step<'_, '_>,
        number: u64,
        kind: Option<StatementKind>,
    ) -> Result<(), Trouble> {
        let word = step.word();
        let text = step.text.clone();
        let text = Some(&*text);
        if !self.connection.is_autocommit() {
            // A COMMIT takes the row with it, or neither is there.
            let commits = matches!(word.as_str(), "COMMIT" | "END") && !self.apart;
            if commits {
                self.write(What::Done, number, text)?;
            }
            step.run()?;
            if self.connection.is_autocommit() {
                if !commits {
                    self.write(What::Done, number, text)?;
                }
                self.ended(number);
            }
            return Ok(());
        }
        // Some PRAGMAs are ordinary to a parser and still refuse to run in a transaction.
        let ordinary = !self.apart
            && kind == Some(StatementKind::Ordinary)
            && !matches!(word.as_str(), "PRAGMA" | "VACUUM" | "ATTACH" | "DETACH");
        if ordinary {
            begin(self.connection).map_err(told)?;
            step.run()?;
            self.write(What::Done, number, text)?;
            crate::failpoint::hit("sqlite.step-commit.before");
            self.connection.execute_batch("COMMIT").map_err(told)?;
            crate::failpoint::hit("sqlite.step-commit.after");
            self.ended(number);
            return Ok(());
        }
        if word != "BEGIN" || self.apart {
            self.write(What::Begun, number, text)?;
            self.announced = Some(number);
        }
        step.run()?;
        if self.connection.is_autocommit() {
            self.write(What::Done, number, text)?;
            self.ended(number);
        }
        Ok(())
    }

    fn ended(&mut self, number: u64) {
        self.standing = number;
        self.announced = None;
    }

    fn write(&self, what: What, number: u64, statement: Option<&str>) -> Result<(), Trouble> {
        if !self.place.lock.is_still_held() {
            // No code of SQLite's: it is uncertain, and told as such.
            return Err(Box::new((Error::InvalidQuery, errors::own(UNLOCKED))));
        }
        let progress = Progress {
            done: number,
            of: self.of,
        };
        let written = if self.connection.is_autocommit() {
            // Also where the script has set its own connection to read only.
            connection::connect(self.place.path, Missing::Refuse, self.place.busy).and_then(
                |connection| {
                    connection::own(&connection)?;
                    journal::add(&connection, self.receipt, what, progress, statement)
                },
            )
        } else {
            journal::add(self.connection, self.receipt, what, progress, statement)
        };
        written.map_err(|error| {
            let said = errors::own(format!(
                "the journal could not be written: {}",
                errors::message(&error)
            ));
            Box::new((error, said))
        })
    }

    /// The attempt failed: rolls back what is open, and says what stands.
    fn stop(&self, place: &Place<'_>, said: ScriptError) -> ApplyError {
        let left = Progress {
            done: self.standing,
            of: self.of,
        };
        // A statement that ended with an error left nothing, whatever it was.
        let left = (self.standing > 0).then_some(left);
        let error = undo(place, self.connection, said, left);
        if matches!(error, ApplyError::Failed { .. }) {
            // Without this row the attempt looks less certain than it is, never more.
            let number = self.announced.unwrap_or(self.standing + 1);
            let _ = self.write(What::Undone, number.min(self.of), None);
        }
        error
    }
}

fn told(error: Error) -> Trouble {
    let said = errors::script(&error, None);
    Box::new((error, said))
}
