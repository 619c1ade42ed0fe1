//! Rehearsing in place: both scripts in one transaction, which is always rolled back.
//!
//! `BEGIN IMMEDIATE` is held throughout, so nobody writes meanwhile and no difference is another's. A script
//! cannot end that transaction: SQLite itself refuses BEGIN, COMMIT, ROLLBACK, ATTACH and DETACH to it, and
//! whether the transaction still stands is asked after each statement all the same.

mod fence;
mod fit;
mod fulltext;
mod session;

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Error, ErrorCode};

use super::apply::Place;
use super::connection::{self, Missing};
use super::foreign_keys::Violations;
use super::statements::Script;
use super::{comparable, data, errors, fingerprint, store};
use crate::model::{DataMode, SchemaObject};
use crate::targets::{
    Fault, RehearsalError, RehearsalRequest, RehearsalRun, RehearsalStep, RehearsedScript,
    ScriptError, State, TargetError, TargetErrorKind,
};
use fence::Fence;
use fit::{fit, unused_name};
use fulltext::Sound;
use session::{Numbers, Sequences, Session};

/// After so many of SQLite's own steps it asks whether the time is over: a fraction of a millisecond.
const ASKED_EACH: i32 = 1_000;

/// Runs the rehearsal and leaves nothing behind. `is_there`: whether the file is; where it is not, an empty
/// database in memory stands for it.
pub(super) fn rehearse(
    place: &Place<'_>,
    is_there: bool,
    request: &RehearsalRequest<'_>,
    tell: &mut dyn FnMut(&str),
) -> Result<RehearsalRun, RehearsalError> {
    let off = [fit(&request.first)?, fit(&request.second)?];
    let busy = place.busy.min(request.bound);
    let told = |error: Error| trouble(place.path, &error);
    let connection = if is_there {
        connection::connect(place.path, Missing::Refuse, busy)
    } else {
        connection::in_memory()
    };
    let mut stage = Stage {
        path: place.path,
        connection: connection.map_err(told)?,
        is_mixed: off[0] != off[1],
        off,
        savepoint: unused_name(request),
        mode: request.data,
        bound: request.bound,
        begun: Instant::now(),
        sound: Sound::default(),
        notes: Vec::new(),
    };
    // Inside the transaction this would do nothing.
    let foreign_keys = !(off[0] || off[1]);
    stage.own(|on| on.pragma_update(None, "foreign_keys", foreign_keys))?;
    let session = Session::of(&stage.connection).map_err(told)?;
    stage.own(|on| on.execute_batch("BEGIN IMMEDIATE"))?;
    stage.begun = Instant::now();
    crate::failpoint::hit("sqlite.rehearse.begun");
    let played = stage
        // What does not fit into the cache is written to the file, for which nobody may read it. SQLite
        // does without where somebody does, and without this it would wait for them, page after page.
        .own(|on| on.busy_timeout(Duration::ZERO))
        .and_then(|()| stage.play(request, &session, tell));
    tell("rolling back");
    crate::failpoint::hit("sqlite.rehearse.rollback.before");
    let (path, begun) = (stage.path, stage.begun);
    let Stage {
        mut notes,
        connection,
        ..
    } = stage;
    let rolled_back = roll_back(path, connection);
    crate::failpoint::hit("sqlite.rehearse.rollback.after");
    let locked = if is_there {
        begun.elapsed()
    } else {
        notes.push("the file is not there yet, and an empty one in memory stood for it".to_owned());
        Duration::ZERO
    };
    // What did not roll back outweighs whatever went wrong before.
    rolled_back?;
    let (states, first_anew, faults) = played?;
    Ok(RehearsalRun {
        states,
        first_anew,
        faults,
        locked,
        notes,
    })
}

/// What SQLite said of anything but a script's own fault.
fn trouble(path: &Path, error: &Error) -> RehearsalError {
    let error = errors::target(path, error);
    if error.kind == TargetErrorKind::Locked {
        return RehearsalError::Busy { what: error.fact };
    }
    error.into()
}

/// Ends the transaction and the connection; verified. Where a failure ended it already, SQLite has rolled
/// back by itself.
fn roll_back(path: &Path, mut connection: Connection) -> Result<(), RehearsalError> {
    let undone = if connection.is_autocommit() {
        Ok(())
    } else {
        // It must not be stopped, however late it is.
        connection
            .progress_handler(0, None::<fn() -> bool>)
            .and_then(|()| connection.execute_batch("ROLLBACK"))
    };
    let stands = !connection.is_autocommit();
    // Closing rolls back too, whatever is open.
    drop(connection);
    match undone {
        Err(error) if stands => Err(errors::target(path, &error).into()),
        _ => Ok(()),
    }
}

type Played = ([State; 4], Option<State>, Vec<Fault>);

/// The connection of a rehearsal, and what it knows.
struct Stage<'a> {
    path: &'a Path,
    connection: Connection,
    /// Whether the first script and the second turn foreign keys off.
    off: [bool; 2],
    /// Whether only one does.
    is_mixed: bool,
    /// What the names of our savepoints begin with.
    savepoint: String,
    mode: DataMode,
    bound: Duration,
    /// When the lock was got.
    begun: Instant,
    /// The full-text indexes that agreed with their content at some point.
    sound: Sound,
    notes: Vec<String>,
}

impl Stage<'_> {
    fn play(
        &mut self,
        request: &RehearsalRequest<'_>,
        session: &Session,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Played, RehearsalError> {
        let (begun, bound) = (self.begun, self.bound);
        let is_over = move || begun.elapsed() > bound;
        self.own(|on| on.progress_handler(ASKED_EACH, Some(is_over)))?;
        let beginning = format!("{}beginning", self.savepoint);
        let (sequences, numbers) = self.own(|on| Ok((Sequences::read(on)?, Numbers::read(on)?)))?;

        tell("looking at what stands there");
        let before = self.look()?;
        self.unsound()?;
        self.own(|on| on.execute_batch(&format!("SAVEPOINT {beginning}")))?;
        tell("running the first script");
        self.run(RehearsalStep::First, &request.first, session)
            .map_err(|error| seen(error, [&before]))?;
        let first = self.look()?;
        tell("running the second script");
        self.run(RehearsalStep::Second, &request.second, session)
            .map_err(|error| seen(error, [&before, &first]))?;
        let second = self.look()?;
        let faults = self.own(|on| Numbers::read(on))?.behind(&numbers);
        // What rolls back with a failure does so with an honest reversal too: numbers are drawn anew.
        self.own(|on| sequences.restore(on))?;
        tell("running the first script again");
        self.run(RehearsalStep::FirstAgain, &request.first, session)
            .map_err(|error| seen(error, [&before, &first, &second]))?;
        let again = self.look()?;

        let is_same = again.schema.without_column_order() == first.schema.without_column_order();
        let first_anew = if is_same && again.data != first.data {
            tell("running the first script alone once more");
            self.own(|on| on.execute_batch(&format!("ROLLBACK TO {beginning}")))?;
            self.run(RehearsalStep::First, &request.first, session)?;
            Some(self.look()?)
        } else {
            None
        };
        Ok(([before, first, second, again], first_anew, faults))
    }

    /// Something of our own.
    fn own<T>(
        &mut self,
        act: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<T, RehearsalError> {
        let done = act(&mut self.connection);
        done.map_err(|error| self.trouble(&error))
    }

    fn trouble(&self, error: &Error) -> RehearsalError {
        match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => self.too_long(),
            _ => trouble(self.path, error),
        }
    }

    fn too_long(&self) -> RehearsalError {
        RehearsalError::Busy {
            what: format!(
                "{} would have been locked for longer than {} s",
                self.path.display(),
                self.bound.as_secs_f32()
            ),
        }
    }

    /// What stands there now.
    fn look(&mut self) -> Result<State, RehearsalError> {
        let mode = self.mode;
        let (objects, header, mut reading) = self.own(|on| {
            Ok((
                fingerprint::objects(on)?,
                header(on)?,
                data::read_within(on, mode)?,
            ))
        })?;
        if mode != DataMode::Counts {
            let unread = self.own(|on| fulltext::read(on, &mut reading.data))?;
            reading.left_out.extend(unread);
        }
        let schema = comparable(&fingerprint::schema(self.path, objects)?);
        let mut objects = schema.objects().to_vec();
        objects.extend(header);
        for table in reading.left_out {
            self.note(&format!(
                "what the virtual table {table} holds was not looked at"
            ));
        }
        Ok(State {
            schema: fingerprint::schema(self.path, objects)?,
            data: reading.data,
        })
    }

    /// A full-text index that does not agree with its content any more. Where rows are only counted none is
    /// asked: it takes as long as reading them all.
    fn unsound(&mut self) -> Result<Option<ScriptError>, RehearsalError> {
        if self.mode == DataMode::Counts {
            if !self.own(|on| fulltext::indexes(on))?.is_empty() {
                self.note("whether full-text indexes agree with their content was not looked at");
            }
            return Ok(None);
        }
        let mut sound = std::mem::take(&mut self.sound);
        let found = self.own(|on| sound.check(on))?;
        self.sound = sound;
        Ok(found.map(|index| {
            let (name, content) = (index.name, index.content);
            errors::own(if content.is_empty() {
                format!("the full-text index {name} is damaged")
            } else {
                format!(
                    "the full-text index {name} does not agree with its content {content} any more"
                )
            })
        }))
    }

    fn note(&mut self, note: &str) {
        if !self.notes.iter().any(|known| known == note) {
            self.notes.push(note.to_owned());
        }
    }

    /// Runs a script as on a connection of its own, and holds it to what its COMMIT would.
    fn run(
        &mut self,
        step: RehearsalStep,
        script: &RehearsedScript<'_>,
        session: &Session,
    ) -> Result<(), RehearsalError> {
        crate::failpoint::hit("sqlite.rehearse.script.before");
        let savepoint = format!("{}script", self.savepoint);
        let (before, was_entered) = self.own(|on| {
            on.execute_batch(&format!("SAVEPOINT {savepoint}"))?;
            Ok((Violations::read(on), store::is_entered(on)?))
        })?;
        // Where foreign keys are off only for the other script's sake.
        let is_watched = self.is_mixed && !self.off[usize::from(step == RehearsalStep::Second)];
        let mut family = Vec::new();
        if is_watched {
            family = self.own(|on| fence::family(on))?;
        }
        let fence = self.own(Fence::raise)?;
        let ran = self.statements(step, script);
        self.own(|on| fence.lower(on))?;
        ran?;
        if is_watched {
            family.extend(self.own(|on| fence::family(on))?);
            if let Some(table) = fence.written(&family) {
                return Err(RehearsalError::Unfit {
                    why: format!(
                        "one script turns foreign keys off, and the other writes to {table} and \
                         relies on them"
                    ),
                });
            }
        }
        // The savepoints that it left open are not there for the next one.
        self.own(|on| on.execute_batch(&format!("RELEASE {savepoint}")))?;
        self.own(|on| session.restore(on))?;
        let after = Violations::read(&self.connection);
        if let Some(error) = after.added_since(&before) {
            self.in_time()?;
            return Err(failed(step, error));
        }
        if was_entered && !self.own(|on| store::is_entered(on))? {
            let why = errors::own("the script dropped a table of tollgate's own");
            return Err(failed(step, why));
        }
        if let Some(error) = self.unsound()? {
            return Err(failed(step, error));
        }
        crate::failpoint::hit("sqlite.rehearse.script.after");
        Ok(())
    }

    fn statements(
        &self,
        step: RehearsalStep,
        script: &RehearsedScript<'_>,
    ) -> Result<(), RehearsalError> {
        let text = Script::new(script.script);
        let mut steps = text.steps(&self.connection, script.analysis.statements());
        loop {
            let outcome = steps.next().and_then(|statement| match statement {
                None => Ok(None),
                Some(statement) => {
                    let word = statement.word();
                    statement.run().map(|()| Some(word))
                }
            });
            match outcome {
                Ok(None) => return Ok(()),
                Ok(Some(word)) if self.connection.is_autocommit() => {
                    return Err(self.escaped(&word));
                }
                Ok(Some(_)) => self.in_time()?,
                Err(trouble) => {
                    let (error, said) = *trouble;
                    return Err(self.of_script(step, &error, said));
                }
            }
        }
    }

    /// What a failed statement means: not everything is the script's fault.
    fn of_script(&self, step: RehearsalStep, error: &Error, said: ScriptError) -> RehearsalError {
        match error.sqlite_error_code() {
            Some(ErrorCode::AuthorizationForStatementDenied) => RehearsalError::Unfit {
                why: "a script controls the transaction itself, or attaches another file"
                    .to_owned(),
            },
            Some(
                ErrorCode::OperationInterrupted
                | ErrorCode::DatabaseBusy
                | ErrorCode::DiskFull
                | ErrorCode::SystemIoFailure
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
                | ErrorCode::CannotOpen
                | ErrorCode::OutOfMemory,
            ) => self.trouble(error),
            _ => failed(step, said),
        }
    }

    /// SQLite asks only within long statements; many short ones take their time too.
    fn in_time(&self) -> Result<(), RehearsalError> {
        if self.begun.elapsed() > self.bound {
            return Err(self.too_long());
        }
        Ok(())
    }

    /// The backstop: a statement got past the fence.
    fn escaped(&self, word: &str) -> RehearsalError {
        let file = self.path.display();
        TargetError {
            kind: TargetErrorKind::Other,
            fact: format!(
                "a script ended the rehearsal's transaction in {file} ({word}): what it did until \
                 then may stand"
            ),
            remedy: Some(format!(
                "sqlite3 '{file}' .dump, and compare it with a backup before anything else runs"
            )),
        }
        .into()
    }
}

fn failed(step: RehearsalStep, error: ScriptError) -> RehearsalError {
    RehearsalError::Failed {
        step,
        error: Box::new(error),
        seen: Vec::new(),
    }
}

/// A script's failure with what was seen before it.
fn seen<const N: usize>(error: RehearsalError, states: [&State; N]) -> RehearsalError {
    match error {
        RehearsalError::Failed { step, error, .. } => RehearsalError::Failed {
            step,
            error,
            seen: states.map(Clone::clone).to_vec(),
        },
        other => other,
    }
}

/// What a script may write into the file's header, where it is not the default. No part of the schema's
/// fingerprint.
fn header(connection: &Connection) -> rusqlite::Result<Vec<SchemaObject>> {
    let mut out = Vec::new();
    for name in ["application_id", "user_version"] {
        let value: i64 = connection.pragma_query_value(Some("main"), name, |row| row.get(0))?;
        if value != 0 {
            let mut object = SchemaObject::new("pragma", name);
            object.push("value", &value.to_string());
            out.push(object);
        }
    }
    Ok(out)
}
