//! SQLite, the embedded target: one file.
//!
//! Every migration runs on a connection of its own, so that nothing that a script sets (PRAGMA,
//! ATTACH, temporary tables, an open transaction) reaches the next one; several share one where they
//! set nothing and ask for nothing of it. Between calls no connection is open; what a
//! [`SqliteTarget`] holds is the lock.

mod apply;
mod backup;
mod codes;
mod comparable;
mod connection;
mod data;
mod errors;
mod fingerprint;
mod foreign_keys;
mod history;
mod journal;
mod journalled;
mod lock;
mod rehearse;
mod reset;
mod rows;
mod scratch;
mod statements;
mod store;
mod together;

pub use comparable::comparable;
pub(super) use scratch::MARK as SCRATCH_MARK;
pub use scratch::{SqliteScratch, scratch};

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use connection::{Missing, connect_own};
use lock::RunLock;
use rusqlite::Connection;

use super::backup::{BackupRequest, NewDatabase, TakenBackup, Watch};
use super::history::NewRow;
use super::{
    Applied, ApplyError, Attempt, Earlier, Emptied, Heard, Inventory, KeptSchema, News,
    RehearsalError, RehearsalRequest, RehearsalRun, Rows, Survey, Target, TargetError,
    TargetErrorKind, Word,
};
use crate::model::entry::{Engine, Progress, ReceiptRef, TargetIdentity, Verdict};
use crate::model::{
    AttemptId, Data, DataMode, EnvironmentName, IncarnationId, MigrationId, Receipt, Schema,
    StoredReceipt,
};
use crate::sql::Analysis;
use crate::sql::changes::Name;

/// How long a statement waits for another program that writes to the file.
const BUSY: Duration = Duration::from_secs(5);

/// A SQLite file, which need not be there yet.
#[derive(Debug)]
pub struct SqliteTarget {
    path: PathBuf,
    busy: Duration,
    lock: Option<RunLock>,
}

/// Names a SQLite file as a target. Touches nothing: [`Target::survey`] of a missing file finds an
/// empty target and leaves it missing, [`Target::lock`] creates the folder and the lock file
/// `<file>.tollgate-lock`, and [`Target::initialise`] the file.
///
/// # Errors
/// [`TargetErrorKind::Configuration`] where the path names no file.
pub fn open(path: &Path) -> Result<SqliteTarget, TargetError> {
    if path.file_name().is_none() || path.is_dir() {
        return Err(TargetError {
            kind: TargetErrorKind::Configuration,
            fact: format!("\"{}\" does not name a file", path.display()),
            remedy: Some(
                "name the database's file in tollgate.toml, for instance \
                 url = \"sqlite:state/dev.db\""
                    .to_owned(),
            ),
        });
    }
    Ok(SqliteTarget {
        // Two spellings of one file must have one lock.
        path: canonical(path),
        busy: BUSY,
        lock: None,
    })
}

/// The path with its symbolic links resolved, as far as it exists.
fn canonical(path: &Path) -> PathBuf {
    if let Ok(whole) = path.canonicalize() {
        return whole;
    }
    match (
        path.parent().and_then(|folder| folder.canonicalize().ok()),
        path.file_name(),
    ) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

impl SqliteTarget {
    /// Sets how long a statement waits for another program that writes to the file; 5 s otherwise.
    #[must_use]
    pub fn with_busy_timeout(mut self, busy: Duration) -> Self {
        self.busy = busy;
        self
    }

    fn place(&self) -> Result<apply::Place<'_>, TargetError> {
        let lock = self.lock.as_ref().ok_or_else(|| self.unlocked())?;
        Ok(apply::Place {
            path: &self.path,
            busy: self.busy,
            lock,
        })
    }

    /// A connection to the file; `None` where it is not there.
    fn connect_where_it_is(&self) -> Result<Option<Connection>, TargetError> {
        match self.path.try_exists() {
            Ok(true) => connect_own(&self.path, Missing::Refuse, self.busy).map(Some),
            Ok(false) => Ok(None),
            Err(error) => Err(errors::io("read", &self.path, &error)),
        }
    }

    fn unlocked(&self) -> TargetError {
        TargetError {
            kind: TargetErrorKind::Locked,
            fact: format!("the lock of {} is not held", self.path.display()),
            remedy: None,
        }
    }
}

/// Names a new file to restore into.
///
/// # Errors
/// Where it is there already, or cannot be.
pub fn create(path: &Path) -> Result<NewDatabase, TargetError> {
    backup::create(path)
}

/// Copies a backup to a file that is not there yet, or is empty.
pub(super) fn restore(from: &Path, into: &Path, watch: &mut Watch<'_>) -> Result<(), TargetError> {
    backup::restore(from, into, watch)
}

impl Target for SqliteTarget {
    fn engine(&self) -> Engine {
        Engine::Sqlite
    }

    fn lock(
        &mut self,
        wait: Duration,
        give_up: &dyn Fn() -> bool,
        waiting: &mut dyn FnMut(&str),
    ) -> Result<(), TargetError> {
        if self.lock.is_none() {
            self.lock = Some(RunLock::take(&self.path, wait, give_up, waiting)?);
        }
        Ok(())
    }

    fn survey(&mut self) -> Result<Survey, TargetError> {
        match self.connect_where_it_is()? {
            Some(mut connection) => store::survey(&self.path, &mut connection),
            None => Ok(store::nothing(&self.path)),
        }
    }

    fn initialise(
        &mut self,
        environment: &EnvironmentName,
        incarnation: IncarnationId,
        earlier: Earlier,
    ) -> Result<TargetIdentity, TargetError> {
        if self.lock.is_none() {
            return Err(self.unlocked());
        }
        crate::failpoint::hit("sqlite.create.before");
        let mut connection = connect_own(&self.path, Missing::Create, self.busy)?;
        crate::failpoint::hit("sqlite.create.after");
        store::initialise(
            &self.path,
            &mut connection,
            environment,
            incarnation,
            earlier,
        )
    }

    fn inventory(&mut self) -> Result<Inventory, TargetError> {
        match self.connect_where_it_is()? {
            Some(connection) => reset::inventory(&self.path, &connection),
            None => Ok(Inventory::default()),
        }
    }

    fn empty(
        &mut self,
        environment: &EnvironmentName,
        incarnation: IncarnationId,
    ) -> Result<Emptied, TargetError> {
        if self.lock.is_none() {
            return Err(self.unlocked());
        }
        let mut connection = connect_own(&self.path, Missing::Create, self.busy)?;
        reset::empty(&self.path, &mut connection, environment, incarnation)
    }

    fn apply(
        &mut self,
        attempt: &Attempt<'_>,
        tell: &mut dyn FnMut(News<'_>),
    ) -> Result<Applied, ApplyError> {
        match self.place() {
            Ok(place) => {
                let progress = &mut |progress: Progress| tell(News::Progress(progress));
                apply::apply(&place, attempt, progress)
            }
            Err(error) => Err(ApplyError::Failed {
                error: Box::new(errors::own(error.fact)),
                left: None,
            }),
        }
    }

    fn may_queue(&mut self, script: &str, analysis: &Analysis) -> bool {
        together::may_queue(script, analysis)
    }

    fn apply_all(
        &mut self,
        attempts: &[Attempt<'_>],
        hear: &mut dyn FnMut(Heard<'_>),
    ) -> Result<(), ApplyError> {
        match self.place() {
            Ok(place) => together::apply_all(&place, attempts, hear),
            Err(error) => Err(ApplyError::Failed {
                error: Box::new(errors::own(error.fact)),
                left: None,
            }),
        }
    }

    fn close(
        &mut self,
        receipt: &Receipt,
        word: Option<&Word>,
        of: u64,
        row: Option<&NewRow>,
    ) -> Result<StoredReceipt, TargetError> {
        apply::close(&self.place()?, receipt, word, of, row)
    }

    fn resolve(
        &mut self,
        attempt: AttemptId,
        migration: &MigrationId,
        word: &Word,
    ) -> Result<(), TargetError> {
        let place = self.place()?;
        let told = |error| errors::target(place.path, &error);
        let mut connection = connect_own(place.path, Missing::Refuse, place.busy)?;
        let change = connection.transaction().map_err(told)?;
        journal::add_word(&change, attempt, migration, word).map_err(told)?;
        if word.verdict == Verdict::NotApplied && history::is_there(&change).map_err(told)? {
            history::roll_back(&change, migration, "").map_err(told)?;
        }
        change.commit().map_err(told)
    }

    fn keep_history(&mut self, rows: &[NewRow]) -> Result<(), TargetError> {
        let place = self.place()?;
        let mut connection = connect_own(place.path, Missing::Refuse, place.busy)?;
        history::keep(place.path, &mut connection, rows)
    }

    fn take_in(&mut self, receipts: &[Receipt]) -> Result<Vec<StoredReceipt>, TargetError> {
        let place = self.place()?;
        let mut connection = connect_own(place.path, Missing::Refuse, place.busy)?;
        store::take_in(place.path, &mut connection, receipts)
    }

    fn schema(&mut self) -> Result<Schema, TargetError> {
        match self.connect_where_it_is()? {
            Some(mut connection) => fingerprint::read(&self.path, &mut connection),
            None => Ok(Schema::default()),
        }
    }

    fn keep_schema(&mut self, receipt: ReceiptRef, schema: &Schema) -> Result<(), TargetError> {
        let place = self.place()?;
        let mut connection = connect_own(place.path, Missing::Refuse, place.busy)?;
        fingerprint::keep(place.path, &mut connection, receipt, schema)
    }

    fn kept_schema(&mut self) -> Result<Option<KeptSchema>, TargetError> {
        match self.connect_where_it_is()? {
            Some(connection) => fingerprint::kept(&self.path, &connection),
            None => Ok(None),
        }
    }

    fn data_size(&mut self) -> Result<u64, TargetError> {
        match self.connect_where_it_is()? {
            Some(connection) => data::size(&self.path, &connection),
            None => Ok(0),
        }
    }

    fn data(&mut self, mode: DataMode) -> Result<Data, TargetError> {
        match self.connect_where_it_is()? {
            Some(mut connection) => data::read(&self.path, &mut connection, mode),
            None => Ok(Data::default()),
        }
    }

    fn count_rows(&mut self, tables: &[&Name]) -> BTreeMap<Name, Rows> {
        match self.connect_where_it_is() {
            Ok(Some(connection)) => rows::count(&self.path, &connection, tables),
            Ok(None) | Err(_) => BTreeMap::new(),
        }
    }

    fn back_up(
        &mut self,
        request: &BackupRequest<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<TakenBackup, TargetError> {
        if self.lock.is_none() {
            return Err(self.unlocked());
        }
        backup::take(&self.path, self.busy, request, watch)
    }

    fn rehearse(
        &mut self,
        request: &RehearsalRequest<'_>,
        tell: &mut dyn FnMut(&str),
    ) -> Result<RehearsalRun, RehearsalError> {
        let place = self.place()?;
        let is_there = self
            .path
            .try_exists()
            .map_err(|error| errors::io("read", &self.path, &error))?;
        rehearse::rehearse(&place, is_there, request, tell)
    }
}
