//! Databases: one small synchronous trait, and its two implementations.
//!
//! Every implementation passes the one conformance suite in `tests/conformance`.
//!
//! The story of a contact, told by the workflows: [`Target::lock`]; [`Target::survey`];
//! [`Target::initialise`] where tollgate was never there; [`Target::apply`] for each step, or
//! [`Target::apply_all`] for several; drop.

pub mod address;
pub mod backup;
mod fingerprint;
pub mod history;
pub mod hub;
pub mod postgres;
mod rehearse;
mod reset;
mod scratch;
pub mod sqlite;

use backup::{BackupRequest, TakenBackup, Watch};
pub use fingerprint::KeptSchema;
use history::{History, NewRow};
pub use rehearse::{
    Fault, RehearsalError, RehearsalRequest, RehearsalRun, RehearsalStep, RehearsedScript, State,
};
pub use reset::{Emptied, Gone, Inventory, Part};
pub use scratch::{Beginning, Scratch, ScratchError, scratch};

use std::collections::BTreeMap;
use std::time::Duration;

use crate::digest::Checksum;
use crate::model::entry::{Engine, Progress, ReceiptRef, TargetIdentity, Verdict};
use crate::model::{
    AttemptId, Data, DataMode, EnvironmentName, IncarnationId, MigrationId, Receipt, ReceiptKind,
    Schema, StoredReceipt,
};
use crate::sql::Analysis;
use crate::sql::changes::Name;

/// One database, connected.
///
/// After any error a target must be dropped, except after [`ApplyError::Failed`], which leaves it
/// locked, clean and usable. Dropping it gives the lock back.
pub trait Target {
    /// The kind of database.
    fn engine(&self) -> Engine;

    /// Takes the run's lock: one runner at a time on a target, whatever ledger it uses.
    ///
    /// PostgreSQL: `pg_try_advisory_lock(72707369)` (Prisma's number), polled with jitter outside a
    /// transaction. SQLite: a lock file beside the database. `give_up` is asked at every poll (an
    /// interrupt); `waiting` is told once, with the holder, when the lock was not free at once.
    ///
    /// # Errors
    /// [`TargetErrorKind::Locked`] when the wait is over, with the holder as far as it is known.
    fn lock(
        &mut self,
        wait: Duration,
        give_up: &dyn Fn() -> bool,
        waiting: &mut dyn FnMut(&str),
    ) -> Result<(), TargetError>;

    /// Reads what stands in the target, without writing. Receipts are read under the lock when it
    /// is held; the caller verifies their chain.
    ///
    /// # Errors
    /// Whatever the server or the file says.
    fn survey(&mut self) -> Result<Survey, TargetError>;

    /// Creates tollgate's own tables where they are missing and writes the identity row, replacing
    /// one that was there. The receipts that stand there are kept or archived, in the same
    /// transaction.
    ///
    /// # Errors
    /// Whatever the server or the file says; nothing is half done.
    fn initialise(
        &mut self,
        environment: &EnvironmentName,
        incarnation: IncarnationId,
        earlier: Earlier,
    ) -> Result<TargetIdentity, TargetError>;

    /// What stands there besides tollgate's own, and whether [`Self::empty`] would drop it. Writes
    /// nothing.
    ///
    /// # Errors
    /// Whatever the server or the file says.
    fn inventory(&mut self) -> Result<Inventory, TargetError>;

    /// Drops what is the application's and this role's, archives the receipts and begins a new life,
    /// in one transaction: see [`Inventory`] for what goes.
    ///
    /// # Errors
    /// Whatever the server or the file says. Nothing is half done; after
    /// [`TargetErrorKind::Unreachable`] only a new contact can tell whether it was done.
    fn empty(
        &mut self,
        environment: &EnvironmentName,
        incarnation: IncarnationId,
    ) -> Result<Emptied, TargetError>;

    /// Runs one script forward and leaves its receipt, atomic or journalled. `tell` hears how it goes.
    ///
    /// # Errors
    /// [`ApplyError`], which says whether anything may remain.
    fn apply(
        &mut self,
        attempt: &Attempt<'_>,
        tell: &mut dyn FnMut(News<'_>),
    ) -> Result<Applied, ApplyError>;

    /// Whether a script may be one of several for [`Self::apply_all`]: everything about it is known before
    /// it is sent, and it waits for nothing that is only known after the one before it.
    fn may_queue(&mut self, _script: &str, _analysis: &Analysis) -> bool {
        false
    }

    /// Runs several scripts forward that [may be queued](Self::may_queue), in this order, each as
    /// [`Self::apply`] does, and none after one that has no receipt. Each receipt follows the one before it. `hear` hears how it goes, and of every
    /// receipt once it stands; the one that an error is about is the first of which it heard of none.
    ///
    /// # Errors
    /// [`ApplyError`], about that one. After [`ApplyError::Failed`] none of those behind it ran; after
    /// [`ApplyError::Unknown`] how they ended is not known either.
    fn apply_all(
        &mut self,
        attempts: &[Attempt<'_>],
        hear: &mut dyn FnMut(Heard<'_>),
    ) -> Result<(), ApplyError> {
        for attempt in attempts {
            let applied = self.apply(attempt, &mut |news| hear(Heard::News(news)))?;
            hear(Heard::Applied(applied));
        }
        Ok(())
    }

    /// The same for steps that are handed over while earlier ones run, as long as there are any.
    ///
    /// # Errors
    /// As [`Self::apply_all`], of all that were handed over.
    fn apply_queue<'a>(&mut self, queue: &mut dyn Queue<'a>) -> Result<(), ApplyError> {
        loop {
            let attempts = queue.more();
            if attempts.is_empty() {
                return Ok(());
            }
            self.apply_all(&attempts, &mut |heard| queue.hear(heard))?;
        }
    }

    /// How long an answer takes where there is next to nothing to do, as far as it was seen.
    fn way(&self) -> Duration {
        Duration::ZERO
    }

    /// Waits until everything that was committed here survives a crash of the server, whoever did it.
    ///
    /// # Errors
    /// [`TargetError`]: the connection broke.
    fn flush(&mut self) -> Result<(), TargetError> {
        Ok(())
    }

    /// Leaves the receipt of an attempt whose work is known to stand, without running anything: the
    /// journal says that all `of` statements ended, or, with `word`, a person says so. `row` is written
    /// beside it into Prisma's table, where that is kept.
    ///
    /// # Errors
    /// Whatever the server or the file says; nothing is half done, but after a connection that broke
    /// only a new contact can tell whether the receipt stands.
    fn close(
        &mut self,
        receipt: &Receipt,
        word: Option<&Word>,
        of: u64,
        row: Option<&NewRow>,
    ) -> Result<StoredReceipt, TargetError>;

    /// Adds a person's word about an attempt to the journal, for every ledger to read. Where it says that
    /// nothing stands, rows of Prisma's that stand open are said to be rolled back with it.
    ///
    /// # Errors
    /// Whatever the server or the file says; nothing is half done.
    fn resolve(
        &mut self,
        attempt: AttemptId,
        migration: &MigrationId,
        word: &Word,
    ) -> Result<(), TargetError>;

    /// Creates Prisma's table where it is missing, and writes rows, in one transaction. A row that is
    /// there already is brought up to the new one, as [`NewRow`] says.
    ///
    /// # Errors
    /// Whatever the server or the file says; nothing is half done.
    fn keep_history(&mut self, rows: &[NewRow]) -> Result<(), TargetError>;

    /// Writes receipts of a history that tollgate did not make, in one transaction, in this order.
    ///
    /// # Errors
    /// Whatever the server or the file says; nothing is half done, but after a connection that broke
    /// only a new contact can tell whether they stand.
    fn take_in(&mut self, receipts: &[Receipt]) -> Result<Vec<StoredReceipt>, TargetError>;

    /// Reads what stands there, as texts that do not depend on the session: definitions, owners, grants,
    /// comments, never data and no sequence's last value. Writes nothing. A file that is missing, and a
    /// SQLite file without objects, is an empty schema; an empty PostgreSQL database has `public` and
    /// its extensions.
    ///
    /// Left out: what is the system's, tollgate's or an extension's, temporary objects, and Prisma's
    /// table `_prisma_migrations` with its parts. Not read on PostgreSQL: operator classes and families,
    /// conversions, transforms, languages, access methods, user mappings, subscriptions, security labels,
    /// large objects, roles, and what is set for the database or a role.
    ///
    /// On PostgreSQL it is of these schemas: `public`; the application's, as the identity row, the URL
    /// and `current_schema()` name it; and every one that the session's role, or a role that it is a
    /// member of, owns or owns something in: a superuser is a member of every role. What others own
    /// elsewhere is not seen, because a hosted service changes its own schemas (`auth`, `storage` ...) at
    /// any time. Of what stands in no schema: event triggers and foreign data wrappers of those roles;
    /// publications, foreign servers, casts and default privileges of theirs, and those that concern
    /// something in scope; extensions all of them. So two roles may see two schemas of one database: a digest is compared
    /// with one that the same role took. Texts are the server's own words, and another major version may
    /// choose others.
    ///
    /// # Errors
    /// Whatever the server or the file says.
    fn schema(&mut self) -> Result<Schema, TargetError>;

    /// Keeps what [`Self::schema`] read, in a table of its own beside the receipts: to be called under the
    /// run's lock after a run, with the newest receipt, in a target that was entered. It takes the place
    /// of what an earlier run kept, of which only the digest stays. No evidence.
    ///
    /// # Errors
    /// Whatever the server or the file says; nothing is half done.
    fn keep_schema(&mut self, receipt: ReceiptRef, schema: &Schema) -> Result<(), TargetError>;

    /// Keeps [`Self::schema`] as it stands now, which may be megabytes, with as few copies as can be.
    ///
    /// # Errors
    /// [`TargetError`].
    fn keep_present_schema(&mut self, receipt: ReceiptRef) -> Result<(), TargetError> {
        let schema = self.schema()?;
        self.keep_schema(receipt, &schema)
    }

    /// What was kept last, unverified; `None` where nothing was, where the target was emptied since, and
    /// where it was read in another way, so that a difference would say nothing: by a version of
    /// tollgate that asked for other properties, or from another major version of the server.
    ///
    /// # Errors
    /// Whatever the server or the file says, or a row that cannot be read.
    fn kept_schema(&mut self) -> Result<Option<KeptSchema>, TargetError>;

    /// The size of what [`Self::data`] reads, in bytes, as far as it is known without reading it.
    ///
    /// # Errors
    /// Whatever the server or the file says.
    fn data_size(&mut self) -> Result<u64, TargetError>;

    /// Counts and hashes what stands in the tables, of one moment, in the server and in bounded memory: of
    /// the tables that [`Self::schema`] reads, partitions each by itself, and materialized views. Writes
    /// nothing. Left out: foreign tables, large objects, and what a virtual table of SQLite's computes.
    ///
    /// # Errors
    /// Whatever the server or the file says; on PostgreSQL also where this role may not read all rows of a
    /// table: its rights, or row level security.
    fn data(&mut self, mode: DataMode) -> Result<Data, TargetError>;

    /// How many rows stand in these tables, where that is known soon: in a second for all of them. To be
    /// called outside of any transaction. A table that is not there, is a view, or may not be read has
    /// none, and one whose name has no schema is the application's. Writes nothing, and is no error.
    fn count_rows(&mut self, tables: &[&Name]) -> BTreeMap<Name, Rows>;

    /// Takes a backup of the whole database, of one moment, into a new file. To be called under the run's
    /// lock. Writes nothing to the target.
    ///
    /// PostgreSQL: `pg_dump` of a moment that this session holds open. SQLite: its online backup, looked
    /// through afterwards.
    ///
    /// # Errors
    /// Whatever the server, the program or the file says; the file that was begun is the caller's to remove.
    fn back_up(
        &mut self,
        request: &BackupRequest<'_>,
        watch: &mut Watch<'_>,
    ) -> Result<TakenBackup, TargetError>;

    /// Rehearses two scripts in place, on a session of its own: see [`RehearsalRequest`]. To be called under
    /// the run's lock. `tell` hears in words what is being done.
    ///
    /// # Errors
    /// [`RehearsalError`]; nothing of it stands.
    fn rehearse(
        &mut self,
        request: &RehearsalRequest<'_>,
        tell: &mut dyn FnMut(&str),
    ) -> Result<RehearsalRun, RehearsalError>;
}

/// How many rows a table has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// They were counted.
    Exactly(u64),
    /// The database estimates them: it has not looked at each for some time.
    About(u64),
}

/// For people: `1,204 rows`, `about 1.2 million rows`.
impl std::fmt::Display for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Exactly(1) => f.write_str("1 row"),
            Self::Exactly(count) => write!(f, "{} rows", thousands(*count)),
            Self::About(count) => match count {
                0..1_000_000 => write!(f, "about {} rows", thousands(two_digits(*count))),
                1_000_000..1_000_000_000 => {
                    let tenths = count / 100_000;
                    write!(f, "about {}.{} million rows", tenths / 10, tenths % 10)
                }
                _ => {
                    let tenths = count / 100_000_000;
                    write!(f, "about {}.{} billion rows", tenths / 10, tenths % 10)
                }
            },
        }
    }
}

/// A number of which only the first two digits are meant.
fn two_digits(count: u64) -> u64 {
    let mut unit = 1;
    while count / unit >= 100 {
        unit *= 10;
    }
    count / unit * unit
}

/// `1,204`.
fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What is told while a script runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News<'a> {
    /// How far it came.
    Progress(Progress),
    /// Something that somebody who waits wants to know, in words, without a full stop: which
    /// session's lock stands in the way, that a statement is tried again.
    Note(&'a str),
}

/// What is told while several scripts run, always of the first one of which the same was not told yet.
#[derive(Debug)]
pub enum Heard<'a> {
    /// How it goes.
    News(News<'a>),
    /// It is committed with its receipt. Whether that survives a crash of the server is not known before
    /// [`Self::Applied`] tells it: others may run until then.
    Ran,
    /// Its receipt stands.
    Applied(Applied),
}

/// Whoever hands over steps while earlier ones still run.
pub trait Queue<'a> {
    /// The next ones, each of which [may be queued](Target::may_queue) and follows the one before it;
    /// none where there are none now. Asked again as the others end, and at the latest when all have.
    fn more(&mut self) -> Vec<Attempt<'a>>;
    /// What is told while they run.
    fn hear(&mut self, heard: Heard<'_>);
}

/// What becomes of the receipts that stand in a target when its identity row is written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earlier {
    /// They stay: what they prove still stands there, as in a copy.
    Keep,
    /// They go to the archive table: the target was emptied, and they prove nothing about it now.
    Archive,
}

/// Refuses an address that no target can be opened at, as far as that is known without connecting.
///
/// # Errors
/// [`TargetErrorKind::Configuration`]: it says of itself that a pooler for transactions answers there.
pub fn check(address: &address::Address) -> Result<(), TargetError> {
    match address {
        address::Address::Sqlite(_) => Ok(()),
        address::Address::Postgresql(settings) => postgres::check(settings),
    }
}

/// Opens the target at an address. An embedded database is only named: its file is made when it is
/// entered.
///
/// # Errors
/// When the server cannot be reached, or does not accept who we are.
pub fn open(address: &address::Address) -> Result<Box<dyn Target>, TargetError> {
    Ok(match address {
        address::Address::Sqlite(path) => Box::new(sqlite::open(path)?),
        address::Address::Postgresql(settings) => Box::new(postgres::reach(settings)?),
    })
}

/// What stands in a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Survey {
    /// What the target is known by as seen from outside: engine, system, database, name.
    pub observed: Observed,
    /// The identity row; `None` where tollgate was never there.
    pub recorded: Option<Recorded>,
    /// Every receipt of this incarnation, by `seq`; unverified.
    pub receipts: Vec<StoredReceipt>,
    /// Attempts whose journal was started, oldest first.
    pub journals: Vec<Journal>,
    /// Indexes that were built concurrently and are INVALID: of PostgreSQL, qualified and quoted.
    pub invalid_indexes: Vec<String>,
    /// Whether there are tables that are not tollgate's.
    pub has_other_tables: bool,
    /// What shows that what the receipts made is gone.
    pub gone: Option<Gone>,
    /// Prisma's table, where it is there.
    pub history: Option<History>,
    /// Whether the application's schema has tables besides Prisma's own, tollgate's and extensions'. On
    /// SQLite the file's.
    pub is_filled: bool,
    /// Whether Prisma 8 keeps its record there, which tollgate does not read.
    pub is_prisma_8: bool,
}

/// What a target is known by as seen from outside. See [`TargetIdentity`] for the fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// The kind of database.
    pub engine: Engine,
    /// PostgreSQL's system identifier; `None` on SQLite, or where the role may not read it.
    pub system: Option<String>,
    /// The database's oid; `None` on SQLite.
    pub database: Option<u32>,
    /// The database's or the file's name.
    pub name: String,
}

/// The identity row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Drawn when tollgate first entered.
    pub incarnation: IncarnationId,
    /// The environment that it was bound to.
    pub environment: EnvironmentName,
    /// The system identifier when it was bound.
    pub system: Option<String>,
    /// The database's oid when it was bound.
    pub database: Option<u32>,
    /// The incarnations that this one follows, newest first, as long as the target was emptied in
    /// between: a ledger that is bound to one of them knows this very target from before.
    pub follows: Vec<IncarnationId>,
}

/// How far a journalled attempt came, as the target tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    /// The attempt.
    pub attempt: AttemptId,
    /// The migration.
    pub migration: MigrationId,
    /// BLAKE3 of the whole script.
    pub script: Checksum,
    /// Statements that ended and stand, of how many.
    pub progress: Progress,
    /// What the newest row says.
    pub last: Last,
    /// A person's word, where there is one: it outweighs what stands above.
    pub word: Option<Word>,
    /// Whether the attempt was started before this target was bound as it is now: in the target that
    /// this one is a copy of.
    pub elsewhere: bool,
}

impl Journal {
    /// How many statements stand, where that is certain: the first so many, and nothing else.
    #[must_use]
    pub fn standing(&self) -> Option<u64> {
        match (&self.word, self.last) {
            (Some(word), _) => Some(word.standing(self.progress)),
            (None, Last::Done | Last::Undone | Last::Finished) => Some(self.progress.done),
            (None, Last::Begun | Last::Failed) => None,
        }
    }

    /// Whether a statement was begun outside any transaction and its end is not known.
    #[must_use]
    pub fn in_flight(&self) -> bool {
        self.word.is_none() && self.last == Last::Begun
    }
}

/// What the newest row of an attempt's journal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// Nothing is in flight.
    Done,
    /// The next statement was begun outside any transaction, and its end is not known.
    Begun,
    /// The next statement failed, and nothing of it stands.
    Undone,
    /// The next statement failed outside any transaction, and may have left something.
    Failed,
    /// The receipt was written.
    Finished,
}

/// A person's word about an attempt, as it stands in the target's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// What stands.
    pub verdict: Verdict,
    /// For `continue-at`: how many statements stand; 0 otherwise.
    pub done: u64,
    /// How many statements the script has.
    pub of: u64,
    /// Why.
    pub reason: String,
}

impl Word {
    fn standing(&self, progress: Progress) -> u64 {
        match self.verdict {
            Verdict::NotApplied | Verdict::Superseded => 0,
            Verdict::Applied => progress.of,
            Verdict::ContinueAt => self.done,
        }
    }
}

/// One step, ready to run.
#[derive(Debug, Clone, Copy)]
pub struct Attempt<'a> {
    /// The exact bytes, without NUL, in UTF-8.
    pub script: &'a str,
    /// What reading them found.
    pub analysis: &'a Analysis,
    /// How many of its statements an earlier attempt left standing: they are not sent again. More
    /// than 0 only for an analysed script that is journalled.
    pub done: u64,
    /// The receipt to leave, complete; `kind` is what the plan showed. A target that finds that a
    /// script which was not analysed ended its own transaction sets it to `Journalled`.
    pub receipt: &'a Receipt,
    /// The row to write beside it into Prisma's table, where that is kept.
    pub row: Option<&'a NewRow>,
}

impl Attempt<'_> {
    /// The kind of the receipt of a script that ran in one transaction with it.
    fn atomic_kind(&self) -> ReceiptKind {
        match self.receipt.kind {
            ReceiptKind::Undone => ReceiptKind::Undone,
            _ => ReceiptKind::Atomic,
        }
    }

    /// What is wrong with a script that undoes another one and may stop half-way.
    fn must_be_atomic(&self) -> Option<ScriptError> {
        let undoes = self.receipt.kind == ReceiptKind::Undone;
        let is_atomic = self.analysis.statements().is_some()
            && self.analysis.receipt_kind() == ReceiptKind::Atomic;
        (undoes && !is_atomic).then(|| ScriptError {
            message: "what undoes a migration runs in one transaction, and this script may not. Nothing was sent"
                .to_owned(),
            ..ScriptError::default()
        })
    }
}

/// A success.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The receipt as it stands in the target.
    pub receipt: StoredReceipt,
    /// Its kind, as it came out.
    pub kind: ReceiptKind,
}

/// Why a script has no receipt.
#[derive(Debug)]
pub enum ApplyError {
    /// The target refused. `left` says what remains: `None`, nothing (it was rolled back);
    /// otherwise how many statements of a journalled script stand.
    Failed {
        /// What the target said.
        error: Box<ScriptError>,
        /// What remains.
        left: Option<Progress>,
    },
    /// The client cannot tell: the connection broke, or the driver failed. Only the receipt, read
    /// under the lock by a new contact, can settle it.
    Unknown {
        /// What the client saw.
        error: Box<TargetError>,
    },
}

/// What a target said of a script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScriptError {
    /// The message, as the target gave it.
    pub message: String,
    /// PostgreSQL's SQLSTATE, or the name of SQLite's extended result code.
    pub code: Option<String>,
    /// PostgreSQL's DETAIL.
    pub detail: Option<String>,
    /// PostgreSQL's HINT.
    pub hint: Option<String>,
    /// PostgreSQL's CONTEXT (PL/pgSQL line numbers).
    pub context: Option<String>,
    /// Where in the script, in bytes: a point, or the statement that failed.
    pub at: Option<std::ops::Range<usize>>,
}

/// A target could not do what was asked, apart from a script that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetError {
    /// What kind of trouble.
    pub kind: TargetErrorKind,
    /// The fact, as a sentence without a full stop, without any secret:
    /// "cannot reach the PostgreSQL server at 127.0.0.1:5432: connection refused".
    pub fact: String,
    /// One thing to do, imperative; a command where there is one.
    pub remedy: Option<String>,
}

/// What kind of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetErrorKind {
    /// The URL or its parameters.
    Configuration,
    /// No server, no file, no route, no TLS.
    Unreachable,
    /// The server does not accept who we are.
    Authentication,
    /// The run's lock is held by another.
    Locked,
    /// The wait was interrupted.
    Interrupted,
    /// Read-only: a hot standby, a read-only file or folder.
    ReadOnly,
    /// The server or SQLite said something else.
    Other,
}

impl std::fmt::Display for TargetError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.fact)
    }
}

impl std::error::Error for TargetError {}
