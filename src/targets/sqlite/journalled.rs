//! A migration that cannot be wrapped in one transaction: statement by statement, with a journal.
//!
//! An ordinary statement and the row that says that it is done are committed together. So are a
//! transaction of the script's own and its row, which is written just before its COMMIT. Only a
//! statement that SQLite will not have in a transaction (VACUUM, some PRAGMAs, ATTACH) or that ends
//! one otherwise (RELEASE) is announced before, and may be found begun and not done after a crash.

use rusqlite::{Connection, Error};

use super::apply::{Place, begin, failed, is_uncertain, journal, record, undo, unknown};
use super::connection::{self, Missing};
use super::foreign_keys::Violations;
use super::statements::{Script, Step, Trouble};
use super::store::What;
use super::{errors, store};
use crate::model::Receipt;
use crate::model::entry::Progress;
use crate::sql::{Statement, StatementKind};
use crate::targets::{Applied, ApplyError, Attempt, ScriptError};

pub(super) fn apply(
    place: &Place<'_>,
    attempt: &Attempt<'_>,
    statements: &[Statement],
    progress: &mut dyn FnMut(Progress),
) -> Result<Applied, ApplyError> {
    let of = statements.len() as u64;
    let none = |error: Error| failed(errors::script(&error, None), None);
    journal(
        place,
        attempt.receipt,
        What::Begun,
        Progress { done: 0, of },
    )
    .map_err(none)?;

    let connection = connection::connect(place.path, Missing::Refuse, place.busy).map_err(none)?;
    let mut run = Run {
        connection: &connection,
        receipt: attempt.receipt,
        of,
        standing: 0,
        announced: None,
    };
    let mut before = None;
    let script = Script::new(attempt.script);
    let mut steps = script.steps(&connection, Some(statements));
    let mut number = 0;
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
    record(place, attempt.receipt, of)
}

struct Run<'a> {
    connection: &'a Connection,
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
        step: Step<'_>,
        number: u64,
        kind: Option<StatementKind>,
    ) -> Result<(), Trouble> {
        let word = step.word();
        if !self.connection.is_autocommit() {
            // A COMMIT takes the row with it, or neither is there.
            let commits = matches!(word.as_str(), "COMMIT" | "END");
            if commits {
                self.write(What::Done, number, None)?;
            }
            step.run()?;
            if self.connection.is_autocommit() {
                if !commits {
                    self.write(What::Done, number, None)?;
                }
                self.ended(number);
            }
            return Ok(());
        }
        // Some PRAGMAs are ordinary to a parser and still refuse to run in a transaction.
        let ordinary = kind == Some(StatementKind::Ordinary)
            && !matches!(word.as_str(), "PRAGMA" | "VACUUM" | "ATTACH" | "DETACH");
        if ordinary {
            begin(self.connection).map_err(told)?;
            step.run()?;
            self.write(What::Done, number, None)?;
            self.connection.execute_batch("COMMIT").map_err(told)?;
            self.ended(number);
            return Ok(());
        }
        if word != "BEGIN" {
            self.write(What::Begun, number, Some(&step.text))?;
            self.announced = Some(number);
        }
        step.run()?;
        if self.connection.is_autocommit() {
            self.write(What::Done, number, None)?;
            self.ended(number);
        }
        Ok(())
    }

    fn ended(&mut self, number: u64) {
        self.standing = number;
        self.announced = None;
    }

    fn write(&self, what: What, number: u64, statement: Option<&str>) -> Result<(), Trouble> {
        let progress = Progress {
            done: number,
            of: self.of,
        };
        store::add_journal(self.connection, self.receipt, what, progress, statement).map_err(
            |error| {
                let said = errors::own(format!(
                    "the journal could not be written: {}",
                    errors::message(&error)
                ));
                Box::new((error, said))
            },
        )
    }

    /// The attempt failed: rolls back what is open, and says what stands.
    fn stop(&self, place: &Place<'_>, said: ScriptError) -> ApplyError {
        let left = Progress {
            done: self.standing,
            of: self.of,
        };
        let error = undo(place, self.connection, said, Some(left));
        if let (Some(number), ApplyError::Failed { .. }) = (self.announced, &error) {
            // Without this row the attempt looks less certain than it is, never more.
            let _ = self.write(What::Undone, number, None);
        }
        error
    }
}

fn told(error: Error) -> Trouble {
    let said = errors::script(&error, None);
    Box::new((error, said))
}
