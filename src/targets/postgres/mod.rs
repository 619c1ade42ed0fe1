//! PostgreSQL.
//!
//! One session, which holds the run's lock; simple queries only. How a script is sent depends on
//! what reading it found:
//!
//! - `atomic`: inside a transaction of ours, the receipt in it too.
//! - `window`: several of those, sent at once.
//! - `alone`: not analysed; tried as atomic, one message at a time, and its traces looked at.
//! - `journalled`: statement by statement outside a transaction of ours, with a journal.
//!
//! Why each step is as it is was measured; see `docs/` and the comments in `sql/`.

mod alone;
mod arrival;
mod atomic;
mod backup;
mod blocker;
mod client;
mod closing;
mod concurrently;
mod connect;
mod data;
mod error;
mod fingerprint;
mod history;
pub(super) mod hub;
mod invalid;
mod journal;
mod journalled;
mod lock;
mod protocol;
mod receipt;
mod rehearse;
mod reset;
mod restore;
mod retry;
mod rows;
mod runtime;
mod schema;
mod scratch;
mod session;
mod survey;
mod template;
mod tls;
mod window;

pub(super) use scratch::PREFIX as SCRATCH_PREFIX;
pub use scratch::{PostgresScratch, scratch};

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::address::PostgresSettings;
use super::backup::{
    BackupRequest, NewDatabase, Programs, RestoreError, Rights, TakenBackup, Watch,
};
use super::history::NewRow;
use super::{
    Applied, ApplyError, Attempt, Earlier, Emptied, Heard, Inventory, KeptSchema, News, Queue,
    RehearsalError, RehearsalRequest, RehearsalRun, Rows, ScriptError, Survey, Target, TargetError,
    TargetErrorKind, Word,
};
use crate::model::entry::{Engine, ReceiptRef, TargetIdentity, Verdict};
use crate::model::{
    AttemptId, Data, DataMode, EnvironmentName, IncarnationId, MigrationId, Receipt, ReceiptKind,
    Schema, StoredReceipt,
};
use crate::sql::changes::Name;
use crate::sql::{Analysis, StatementKind};
use blocker::Blocker;
use runtime::Session;
use session::Backend;

/// One PostgreSQL database, connected.
pub struct PostgresTarget {
    session: Session,
    backend: Backend,
    /// What marks the session, until it is looked at with the first thing that is asked of it.
    unseen: Option<String>,
    /// What was read in the same go in which the lock was taken.
    read: Option<Result<Survey, TargetError>>,
    settings: PostgresSettings,
    /// How long to wait for locks in all, once the run's lock is held.
    lock_wait: Option<Duration>,
}

impl std::fmt::Debug for PostgresTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresTarget")
            .field("locked", &self.lock_wait.is_some())
            .finish_non_exhaustive()
    }
}

/// Refuses settings that say of themselves that no session of one's own is to be had there.
///
/// # Errors
/// [`TargetErrorKind::Configuration`], with what in the URL says so.
pub fn check(settings: &PostgresSettings) -> Result<(), TargetError> {
    session::refuse_pooled(settings)
}

/// Connects to a database that may be written to. Nothing is changed in it.
///
/// # Errors
/// [`TargetErrorKind::Unreachable`], [`TargetErrorKind::Authentication`],
/// [`TargetErrorKind::Configuration`]; [`TargetErrorKind::ReadOnly`] for a hot standby.
pub fn open(settings: &PostgresSettings) -> Result<PostgresTarget, TargetError> {
    let connect::Connected { session, backend } = connect::connect(settings)?;
    Ok(PostgresTarget {
        session,
        backend,
        unseen: None,
        read: None,
        settings: settings.clone(),
        lock_wait: None,
    })
}

/// Connects. What [`open`] looks at beside is looked at with the first thing that is asked of the target,
/// which saves a message's way there and back.
///
/// # Errors
/// [`TargetErrorKind::Unreachable`], [`TargetErrorKind::Authentication`],
/// [`TargetErrorKind::Configuration`].
pub(super) fn reach(settings: &PostgresSettings) -> Result<PostgresTarget, TargetError> {
    let connect::Opened { session, mark } = connect::reach(settings)?;
    Ok(PostgresTarget {
        session,
        backend: Backend::default(),
        unseen: Some(mark),
        read: None,
        settings: settings.clone(),
        lock_wait: None,
    })
}

/// Makes a new, empty database on the server of a target.
///
/// # Errors
/// Where it is there already, or this role may not; nothing is left behind.
pub fn create(settings: &PostgresSettings, name: &str) -> Result<NewDatabase, TargetError> {
    restore::create(settings, name)
}

/// Drops a database that [`create`] made, from a session in another one.
pub(super) fn drop_database(beside: &PostgresSettings, name: &str) -> Result<(), TargetError> {
    restore::discard(beside, name)
}

/// Puts a backup into an empty database.
///
/// # Errors
/// [`RestoreError`]; what was begun there stays.
pub(super) fn restore(
    from: &Path,
    made_by: &str,
    settings: &PostgresSettings,
    rights: Rights,
    programs: &Programs,
    watch: &mut Watch<'_>,
) -> Result<(), RestoreError> {
    restore::restore(from, made_by, settings, rights, programs, watch)
}

impl Target for PostgresTarget {
    fn engine(&self) -> Engine {
        Engine::Postgresql
    }

    fn lock(
        &mut self,
        wait: Duration,
        give_up: &dyn Fn() -> bool,
        waiting: &mut dyn FnMut(&str),
    ) -> Result<(), TargetError> {
        if self.lock_wait.is_some() {
            return Ok(());
        }
        if self.unseen.is_some() && !give_up() {
            crate::failpoint::hit("postgres.lock.before");
            let is_locked = self.arrive(true)?;
            if is_locked {
                crate::failpoint::hit("postgres.lock.after");
                self.lock_wait = Some(wait);
                return Ok(());
            }
        }
        lock::take(&self.session, wait, give_up, waiting)?;
        self.lock_wait = Some(wait);
        Ok(())
    }

    fn survey(&mut self) -> Result<Survey, TargetError> {
        if self.unseen.is_some() {
            self.arrive(false)?;
        }
        match self.read.take() {
            Some(read) => read,
            None => survey::survey(&self.session),
        }
    }

    fn initialise(
        &mut self,
        environment: &EnvironmentName,
        incarnation: IncarnationId,
        earlier: Earlier,
    ) -> Result<TargetIdentity, TargetError> {
        self.must_be_locked()?;
        survey::initialise(&self.session, environment, incarnation, earlier)
    }

    fn inventory(&mut self) -> Result<Inventory, TargetError> {
        self.look()?;
        reset::inventory(&self.session)
    }

    fn empty(
        &mut self,
        environment: &EnvironmentName,
        incarnation: IncarnationId,
    ) -> Result<Emptied, TargetError> {
        self.must_be_locked()?;
        reset::empty(&self.session, environment, incarnation)
    }

    fn apply(
        &mut self,
        attempt: &Attempt<'_>,
        tell: &mut dyn FnMut(News<'_>),
    ) -> Result<Applied, ApplyError> {
        let lock_wait = self.must_be_locked().map_err(protocol::unknown)?;
        let unsendable = unsendable(attempt)
            .or_else(|| attempt.must_be_atomic())
            .or_else(|| misread(&self.session, attempt));
        let unsendable = match unsendable {
            Some(error) => Some(error),
            None => invalid::in_the_way(&self.session, attempt.script, "Nothing was sent")
                .map_err(protocol::unknown)?,
        };
        if let Some(error) = unsendable {
            return Err(ApplyError::Failed {
                error: Box::new(error),
                left: None,
            });
        }
        if window::makes_event_triggers(attempt.script) {
            self.session.set_event_triggers(true);
        }
        lock::shallow(&self.session).map_err(protocol::unknown)?;
        schema::ensure(&self.session)?;
        let tell = RefCell::new(tell);
        let progress = &mut |progress| tell.borrow_mut()(News::Progress(progress));
        let note = &mut |note: &str| tell.borrow_mut()(News::Note(note));
        let session = &self.session;
        match attempt.analysis {
            Analysis::NotAnalysed(_) => alone::apply(session, attempt, progress),
            Analysis::Analysed(statements) => match attempt.analysis.receipt_kind() {
                ReceiptKind::Atomic => {
                    let blocker = Blocker::new(&self.settings, self.backend);
                    retry::on_lock(session, &blocker, lock_wait, note, None, || {
                        atomic::apply(session, attempt, statements, progress)
                    })
                }
                _ => journalled::apply(session, attempt, statements, progress, note),
            },
        }
    }

    fn may_queue(&mut self, script: &str, analysis: &Analysis) -> bool {
        !self.backend.is_serializable && window::may_queue(&self.session, script, analysis)
    }

    fn apply_all(
        &mut self,
        attempts: &[Attempt<'_>],
        hear: &mut dyn FnMut(Heard<'_>),
    ) -> Result<(), ApplyError> {
        let lock_wait = self.must_be_locked().map_err(protocol::unknown)?;
        let blocker = Blocker::new(&self.settings, self.backend);
        let mut all = window::Whole::new(attempts, hear);
        window::apply(&self.session, &blocker, lock_wait, &mut all)
    }

    fn apply_queue<'a>(&mut self, queue: &mut dyn Queue<'a>) -> Result<(), ApplyError> {
        let lock_wait = self.must_be_locked().map_err(protocol::unknown)?;
        let blocker = Blocker::new(&self.settings, self.backend);
        window::apply(&self.session, &blocker, lock_wait, queue)
    }

    fn way(&self) -> Duration {
        self.session.way()
    }

    fn flush(&mut self) -> Result<(), TargetError> {
        self.look()?;
        protocol::flush(&self.session)
    }

    fn close(
        &mut self,
        receipt: &Receipt,
        word: Option<&Word>,
        of: u64,
        row: Option<&NewRow>,
    ) -> Result<StoredReceipt, TargetError> {
        self.must_be_locked()?;
        let journal = match word {
            Some(word) => journal::insert_word(receipt.attempt, &receipt.migration, word),
            None => journal::insert_finished(receipt.attempt, &receipt.migration, of),
        };
        let told = |error| match error {
            ApplyError::Unknown { error } => *error,
            ApplyError::Failed { error, .. } => not_closed(&error),
        };
        let closing = closing::Closing::new(&self.session, receipt, receipt.kind, &journal, row)
            .map_err(told)?;
        match closing.record(&self.session) {
            Ok(applied) => Ok(applied.receipt),
            Err(closing::NotClosed::Unknown(error)) => Err(told(error)),
            Err(closing::NotClosed::Failed(error)) => Err(not_closed(&error)),
        }
    }

    fn resolve(
        &mut self,
        attempt: AttemptId,
        migration: &MigrationId,
        word: &Word,
    ) -> Result<(), TargetError> {
        self.must_be_locked()?;
        let rows = format!(
            "{}{}",
            journal::insert_word(attempt, migration, word),
            match word.verdict {
                Verdict::NotApplied => history::said_rolled_back(&self.session, migration)?,
                _ => String::new(),
            }
        );
        journal::write(&self.session, attempt, &rows)
            .map_err(|error| error::session_error(&error, "writing the journal"))
    }

    fn keep_history(&mut self, rows: &[NewRow]) -> Result<(), TargetError> {
        self.must_be_locked()?;
        history::keep(&self.session, rows)
    }

    fn take_in(&mut self, receipts: &[Receipt]) -> Result<Vec<StoredReceipt>, TargetError> {
        self.must_be_locked()?;
        receipt::write_all(&self.session, receipts)
    }

    fn schema(&mut self) -> Result<Schema, TargetError> {
        self.look()?;
        fingerprint::read(&self.session)
    }

    fn keep_schema(&mut self, receipt: ReceiptRef, schema: &Schema) -> Result<(), TargetError> {
        self.must_be_locked()?;
        fingerprint::keep(&self.session, receipt, schema.to_text())
    }

    fn keep_present_schema(&mut self, receipt: ReceiptRef) -> Result<(), TargetError> {
        self.must_be_locked()?;
        let text = fingerprint::read(&self.session)?.to_text();
        fingerprint::keep(&self.session, receipt, text)
    }

    fn kept_schema(&mut self) -> Result<Option<KeptSchema>, TargetError> {
        self.look()?;
        fingerprint::kept(&self.session)
    }

    fn data_size(&mut self) -> Result<u64, TargetError> {
        self.look()?;
        data::size(&self.session)
    }

    fn data(&mut self, mode: DataMode) -> Result<Data, TargetError> {
        self.look()?;
        data::read(&self.session, mode)
    }

    fn count_rows(&mut self, tables: &[&Name]) -> BTreeMap<Name, Rows> {
        if self.look().is_err() {
            return BTreeMap::new();
        }
        rows::count(&self.session, tables)
    }

    fn back_up(
        &mut self,
        request: &BackupRequest<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<TakenBackup, TargetError> {
        self.must_be_locked()?;
        backup::take(&self.session, &self.settings, request, watch)
    }

    fn rehearse(
        &mut self,
        request: &RehearsalRequest<'_>,
        tell: &mut dyn FnMut(&str),
    ) -> Result<RehearsalRun, RehearsalError> {
        self.must_be_locked()?;
        rehearse::rehearse(&self.session, &self.settings, request, tell)
    }
}

/// The server refused a receipt that was to be written alone.
fn not_closed(error: &ScriptError) -> TargetError {
    TargetError {
        kind: TargetErrorKind::Other,
        fact: format!("the receipt could not be written: {}", error.message),
        remedy: error.hint.clone(),
    }
}

impl PostgresTarget {
    /// Looks at the session for the first time, tries to take the lock where that is wanted, and reads what
    /// stands there, in one go. Whether the lock was taken; what was read waits for [`Target::survey`].
    fn arrive(&mut self, takes_lock: bool) -> Result<bool, TargetError> {
        let Some(mark) = self.unseen.take() else {
            return Ok(false);
        };
        let asked = survey::Asked::new(&self.session);
        let arrived = arrival::arrive(
            &self.session,
            &self.settings,
            &mark,
            takes_lock,
            &asked.messages(),
        )?;
        self.backend = arrived.backend;
        // What is read without the lock, where it was wanted, is not what will stand when it is had.
        if arrived.is_ours && (arrived.is_locked || !takes_lock) {
            self.read = Some(survey::read(&self.session, arrived.answers));
        }
        Ok(arrived.is_locked)
    }

    /// Looks at the session, where that was not done yet.
    fn look(&mut self) -> Result<(), TargetError> {
        self.read = None;
        if let Some(mark) = self.unseen.take() {
            let arrived = arrival::arrive(&self.session, &self.settings, &mark, false, &[])?;
            self.backend = arrived.backend;
        }
        Ok(())
    }

    /// How long to wait for locks.
    fn must_be_locked(&mut self) -> Result<Duration, TargetError> {
        self.read = None;
        self.lock_wait.ok_or_else(|| TargetError {
            kind: TargetErrorKind::Other,
            fact: "nothing was sent: the run's lock is not held".to_owned(),
            remedy: None,
        })
    }
}

/// A script that the server would read by other rules than the parser did: what every gate looked at is not what
/// would run.
fn misread(session: &Session, attempt: &Attempt<'_>) -> Option<ScriptError> {
    attempt.analysis.statements()?;
    let at = session.misreads(attempt.script)?;
    Some(ScriptError {
        message: "standard_conforming_strings is off here, so this backslash means another thing than was read and looked at, and the string may end elsewhere. Nothing was sent"
            .to_owned(),
        hint: Some(
            "write the string as E'...' with doubled backslashes, or turn the setting on: ALTER DATABASE ... SET standard_conforming_strings = on"
                .to_owned(),
        ),
        at: Some(at..at + 1),
        ..ScriptError::default()
    })
}

/// What must not be sent at all.
///
/// COPY FROM STDIN: nothing can feed it, and the server drops the connection at the next message.
/// COPY TO STDOUT: the driver gives up on the answer while the server goes on, so that a success
/// would look like an unknown outcome; a migration has no use for it. PREPARE TRANSACTION that the
/// script does not finish: the work would neither be there nor be gone.
fn unsendable(attempt: &Attempt<'_>) -> Option<ScriptError> {
    let statements = attempt.analysis.statements()?;
    for (place, statement) in statements.iter().enumerate() {
        let (message, hint) = match statement.kind {
            StatementKind::CopyFromStdin => (
                "COPY ... FROM STDIN cannot run in a migration: there is no standard input to read. Nothing was sent",
                "write the rows as INSERT ... VALUES",
            ),
            StatementKind::CopyToStdout => (
                "COPY ... TO STDOUT cannot run in a migration: there is nowhere for the rows to go. Nothing was sent",
                "take the statement out",
            ),
            StatementKind::TransactionControl("PREPARE TRANSACTION")
                if !statements[place..].iter().any(|later| {
                    matches!(
                        later.kind,
                        StatementKind::TransactionControl("COMMIT PREPARED" | "ROLLBACK PREPARED")
                    )
                }) =>
            {
                (
                    "PREPARE TRANSACTION without COMMIT PREPARED after it: the work would neither be there nor be gone. Nothing was sent",
                    "take the statement out, or finish it with COMMIT PREPARED in the same script",
                )
            }
            _ => continue,
        };
        return Some(ScriptError {
            message: message.to_owned(),
            hint: Some(hint.to_owned()),
            at: Some(statement.range.clone()),
            ..ScriptError::default()
        });
    }
    None
}
