//! The ledger's file, open for writing: one process at a time, one entry after another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::assemble::Strays;
use super::error::{LedgerError, LedgerErrorKind};
use super::head::{self, HeadFile, Written};
use super::load::{Wanted, kept, load, script};
use super::merge::by_writer;
use super::place::{self, Lock};
use super::read::{APPLICATION_ID, SCHEMA_VERSION, check_is_ledger, gone, wal_alone};
use super::snapshot::{self, NEWEST, Source, WORTH};
use super::view::View;
use crate::digest::{ChainHash, Checksum};
use crate::model::entry::{Head, Opened};
use crate::model::{Entry, Fact, Policy, Provenance, Timestamp, WriterId};

const HAS_SCRIPT: &str = "SELECT EXISTS (SELECT 1 FROM script WHERE checksum = ?1)";
/// As plain values: SQLite would copy what a SELECT yields for each use of it, and a script may be long.
const KEEP_SCRIPT: &str = "INSERT INTO script (checksum, bytes) VALUES (?1, ?2)";
/// The schema's steps: a file that has the first n lacks those after them.
const SCHEMA: [&str; 3] = [
    include_str!("schema/001.sql"),
    include_str!("schema/002.sql"),
    include_str!("schema/003.sql"),
];

/// How to open a ledger for writing.
pub struct Opening<'a> {
    /// What this machine, and this run of it, is known by; part of the ledger's place.
    pub machine: &'a str,
    /// How long to wait for another process.
    pub wait: Duration,
    /// Asked at every poll of the lock.
    pub give_up: &'a dyn Fn() -> bool,
    /// Told once who holds the lock.
    pub waiting: &'a mut dyn FnMut(&str),
    /// Draws a writer's id.
    pub random: &'a dyn Fn() -> [u8; 16],
    /// The environments, of which some have a target of their own for each writer.
    pub policy: &'a Policy,
}

/// A ledger open for writing. The lock is held until it is dropped.
#[derive(Debug)]
pub struct Ledger {
    pub(super) path: PathBuf,
    pub(super) connection: Connection,
    pub(super) view: View,
    pub(super) strays: Strays,
    /// Where the rest of the snapshot stands that the state was folded from.
    pub(super) source: Source,
    /// How many entries are in no snapshot.
    pub(super) unfolded: u64,
    /// The newest entry of each writer.
    pub(super) heads: BTreeMap<WriterId, Head>,
    pub(super) policy: Policy,
    pub(super) head: Option<Head>,
    pub(super) writer: WriterId,
    /// What a new writer goes on from; written with its first entry.
    opening: Option<(Opened, String)>,
    /// Where the file stands.
    place: String,
    /// The newest entry, remembered beside the file.
    newest: HeadFile,
    _lock: Lock,
}

impl Ledger {
    /// Opens the ledger for writing, creating the file and its folder where they are missing. A
    /// ledger that no longer stands where its writer left it, or beside which nothing tells what was
    /// written last, goes on under a new writer, whose first entry names the old head.
    ///
    /// # Errors
    /// [`LedgerError`]; nothing was written.
    pub fn open(path: &Path, opening: Opening<'_>) -> Result<Self, LedgerError> {
        let io = |error: std::io::Error| LedgerError::io(path, &error);
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let lock = place::lock(path, opening.wait, opening.give_up, opening.waiting)?;
        let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
        // Before anything is made: what was written here must not be taken for a ledger not yet begun.
        let written = head::read(path);
        wal_alone(path)?;
        let is_empty = std::fs::metadata(path).map_or(true, |file| file.len() == 0);
        if is_empty {
            gone(path, written)?;
        }
        crate::failpoint::hit("ledger.open.before");
        let mut connection = Connection::open(path).map_err(failed)?;
        crate::failpoint::hit("ledger.open.after");
        // Before it is read, which would leave files beside it.
        if connection.is_readonly("main").map_err(failed)? {
            let said = "the file is read-only".to_owned();
            return Err(LedgerError::new(path, LedgerErrorKind::ReadOnly(said)));
        }
        // Closing would move the write-ahead log into the file: not before the ledger was found sound.
        let on_close = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        connection.set_db_config(on_close, true).map_err(failed)?;
        connection
            .busy_timeout(Duration::from_secs(5))
            .map_err(failed)?;
        connection
            .set_limit(rusqlite::limits::Limit::SQLITE_LIMIT_LENGTH, i32::MAX)
            .map_err(failed)?;
        let version = check_is_ledger(path, &connection)?;
        if version > SCHEMA_VERSION {
            let kind = LedgerErrorKind::Newer {
                found: version,
                known: SCHEMA_VERSION,
            };
            return Err(LedgerError::new(path, kind));
        }
        let (loaded, stood) = load(path, &connection, Wanted::state(written), opening.policy)?;
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(failed)?;
        crate::failpoint::hit("ledger.wal.after");
        connection
            .pragma_update(None, "synchronous", "FULL")
            .map_err(failed)?;
        connection
            .pragma_update(None, "recursive_triggers", "ON")
            .map_err(failed)?;
        if version < SCHEMA_VERSION {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(failed)?;
            for step in SCHEMA.iter().skip(usize::try_from(version).unwrap_or(0)) {
                transaction.execute_batch(step).map_err(failed)?;
            }
            transaction
                .pragma_update(None, "application_id", APPLICATION_ID)
                .map_err(failed)?;
            transaction
                .pragma_update(None, "user_version", SCHEMA_VERSION)
                .map_err(failed)?;
            crate::failpoint::hit("ledger.schema.before-commit");
            transaction.commit().map_err(failed)?;
            crate::failpoint::hit("ledger.schema.after-commit");
        }
        connection.set_db_config(on_close, false).map_err(failed)?;
        let mut newest = HeadFile::open(path);
        if loaded.heads.is_empty() {
            newest.write(None);
        }
        let here = place::of(path, opening.machine)?;
        let place = here.clone();
        let forked = |writer| loaded.strays.forks.iter().any(|fork| fork.writer == writer);
        let (writer, head, start) = match stood {
            // Nothing tells whether entries after these were written here, with the same numbers.
            // Nor may a number be used that stands elsewhere with other bytes.
            Some((writer, stood))
                if stood == here && written != Written::Unknown && !forked(writer) =>
            {
                let head = loaded
                    .heads
                    .iter()
                    .find(|head| head.writer == writer)
                    .copied();
                (writer, head, None)
            }
            Some((old, _)) => {
                let after = loaded.heads.iter().find(|head| head.writer == old).copied();
                (
                    WriterId::from_bytes((opening.random)()),
                    None,
                    Some((Opened { after }, here)),
                )
            }
            None => (
                WriterId::from_bytes((opening.random)()),
                None,
                Some((Opened { after: None }, here)),
            ),
        };
        let mut ledger = Self {
            path: path.to_owned(),
            connection,
            view: loaded.view,
            strays: loaded.strays,
            source: loaded.source,
            unfolded: loaded.unfolded,
            heads: by_writer(loaded.heads),
            policy: opening.policy.clone(),
            head,
            writer,
            opening: start,
            place,
            newest,
            _lock: lock,
        };
        ledger.stand();
        Ok(ledger)
    }

    /// Tells the state whose it is.
    pub(super) fn stand(&mut self) {
        let after = self.opening.as_ref().and_then(|(opened, _)| opened.after);
        self.view.stand(Some(self.writer), after, &self.policy);
        let source = &self.source;
        if source
            .fetch_present(&self.connection, &mut self.view)
            .is_err()
        {
            self.without_snapshot();
        }
    }

    /// A part of the snapshot is gone or damaged: all entries are folded instead.
    fn without_snapshot(&mut self) {
        let wanted = Wanted::whole(Written::Nothing);
        // The file was read a moment ago. Where it cannot be now, what is to be written fails as well.
        if let Ok((loaded, _)) = load(&self.path, &self.connection, wanted, &self.policy) {
            self.take(loaded);
        }
    }

    /// Reads of the snapshot what a fact speaks of and nobody has asked for yet.
    fn fetch(&mut self, fact: &Fact) {
        let (source, view) = (&self.source, &mut self.view);
        if source
            .fetch(&self.connection, view, self.writer, fact)
            .is_err()
        {
            self.without_snapshot();
        }
    }

    /// Throws the snapshot away, and makes it anew from the entries where the ledger is long enough to need one.
    ///
    /// # Errors
    /// As [`Self::snapshot`].
    pub fn rebuild_snapshot(&mut self) -> Result<(), LedgerError> {
        snapshot::make(&self.path, &mut self.connection, (NEWEST, WORTH), true)?;
        self.reload()
    }

    /// Makes a snapshot of all entries but so many of the newest, from the entries alone. By itself one is
    /// made when a ledger is closed to which enough was added.
    ///
    /// # Errors
    /// [`LedgerError`]: there is none then, or the one that there was.
    pub fn snapshot(&mut self, newest: u64) -> Result<(), LedgerError> {
        snapshot::make(&self.path, &mut self.connection, (newest, 0), true)?;
        self.reload()
    }

    /// Makes the snapshot that there is stand for more entries, all but so many of the newest.
    ///
    /// # Errors
    /// As [`Self::snapshot`].
    pub fn further_snapshot(&mut self, newest: u64) -> Result<(), LedgerError> {
        snapshot::make(&self.path, &mut self.connection, (newest, 0), false)?;
        self.reload()
    }

    /// Whether a path, links resolved, is this file or one that is kept beside it.
    #[must_use]
    pub fn has_for_its_own(&self, path: &Path) -> bool {
        let ledger = self
            .path
            .canonicalize()
            .unwrap_or_else(|_| self.path.clone());
        path == ledger
            || [head::END, place::LOCK]
                .iter()
                .any(|end| path == place::beside(&ledger, end))
    }

    /// The state that the entries add up to.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The writer that goes on in this file.
    #[must_use]
    pub fn writer(&self) -> WriterId {
        self.writer
    }

    /// Whether the ledger holds this writer's entry of that number with that hash.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn holds(&self, number: u64, hash: ChainHash) -> Result<bool, LedgerError> {
        let number = i64::try_from(number).unwrap_or(-1);
        // Asked for every receipt of a target.
        let asking = self.connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM entry WHERE hash = ?1 AND writer = ?2 AND number = ?3)",
        );
        let found = asking.and_then(|mut asking| {
            asking.query_row(
                params![hash.as_bytes(), self.writer.as_bytes(), number],
                |row| row.get(0),
            )
        });
        found.map_err(|error| LedgerError::sqlite(&self.path, &error))
    }

    /// The entry that the ledger holds of a writer by that number, and its hash.
    ///
    /// # Errors
    /// When the file cannot be read, or holds there what is no entry.
    pub fn entry_of(
        &self,
        writer: WriterId,
        number: u64,
    ) -> Result<Option<(ChainHash, Entry)>, LedgerError> {
        let found: Option<([u8; 32], String)> = self
            .connection
            .query_row(
                "SELECT hash, body FROM entry WHERE writer = ?1 AND number = ?2",
                params![writer.as_bytes(), i64::try_from(number).unwrap_or(-1)],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()
            .map_err(|error| LedgerError::sqlite(&self.path, &error))?;
        let Some((hash, body)) = found else {
            return Ok(None);
        };
        let entry = Entry::from_body(&body)
            .map_err(|what| LedgerError::new(&self.path, LedgerErrorKind::Corrupt(what)))?;
        Ok(Some((ChainHash::from_bytes(hash), entry)))
    }

    /// Goes on under a new writer with this id, whose first entry, written with the next one, names
    /// the present head: for a ledger whose numbers were used once already.
    pub fn begin_anew(&mut self, writer: [u8; 16]) {
        // Where nothing was written yet the place is still to be recorded with the first entry.
        let place = match &self.opening {
            Some((_, place)) => place.clone(),
            None => self.place.clone(),
        };
        self.opening = Some((Opened { after: self.head }, place));
        self.writer = WriterId::from_bytes(writer);
        self.head = None;
        self.stand();
    }

    /// Appends one fact, durably, and returns the entry's place and hash.
    ///
    /// # Errors
    /// [`LedgerError`]: the entry is then not there.
    pub fn append(
        &mut self,
        at: Timestamp,
        by: &Provenance,
        fact: Fact,
    ) -> Result<Head, LedgerError> {
        self.append_with(at, by, fact, None)
    }

    /// Appends one fact together with the bytes of the scripts that it is about.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing of it is then there.
    pub fn append_with<'b>(
        &mut self,
        at: Timestamp,
        by: &Provenance,
        fact: Fact,
        scripts: impl IntoIterator<Item = (Checksum, &'b [u8])>,
    ) -> Result<Head, LedgerError> {
        let scripts: Vec<(Checksum, &[u8])> = scripts.into_iter().collect();
        let heads = self.append_all(by, vec![(at, fact)], &scripts)?;
        heads.last().copied().ok_or_else(|| {
            let said = "an entry was not written".to_owned();
            LedgerError::new(&self.path, LedgerErrorKind::Other(said))
        })
    }

    /// Appends several facts, none of which another one of them follows from, in one transaction and in
    /// this order, together with the bytes of the scripts that they are about.
    ///
    /// # Errors
    /// [`LedgerError`]: nothing of it is then there.
    pub fn append_all(
        &mut self,
        by: &Provenance,
        facts: Vec<(Timestamp, Fact)>,
        scripts: &[(Checksum, &[u8])],
    ) -> Result<Vec<Head>, LedgerError> {
        if facts.is_empty() {
            return Ok(Vec::new());
        }
        // Kept bytes are never replaced, so wrong ones would stand there for ever.
        let is_other = |(checksum, bytes): &&(Checksum, &[u8])| Checksum::of(bytes) != *checksum;
        if let Some((checksum, _)) = scripts.iter().find(is_other) {
            let said = format!("an entry was not written: the bytes to keep are not {checksum}");
            return Err(LedgerError::new(&self.path, LedgerErrorKind::Other(said)));
        }
        for (_, fact) in &facts {
            self.fetch(fact);
        }
        crate::failpoint::hit("ledger.append.before");
        let failed = |error: rusqlite::Error| LedgerError::sqlite(&self.path, &error);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let by = &Arc::new(by.clone());
        let mut head = self.head;
        let mut entries = Vec::with_capacity(facts.len() + 1);
        let mut heads = Vec::with_capacity(facts.len());
        if let (Some((fact, place)), Some((at, _))) = (&self.opening, facts.first()) {
            let entry = next(self.writer, None, *at, by, Fact::Opened(fact.clone()));
            head = Some(insert(&self.path, &transaction, &entry)?);
            transaction
                .execute(
                    "INSERT INTO place (writer, place) VALUES (?1, ?2)",
                    params![self.writer.as_bytes(), place],
                )
                .map_err(failed)?;
            entries.push(entry);
        }
        for (at, fact) in facts {
            let entry = next(self.writer, head, at, by, fact);
            // An entry that contradicts the ones before it must not stand there for ever.
            self.view.check(&entry).map_err(|what| {
                LedgerError::new(
                    &self.path,
                    LedgerErrorKind::Other(format!("an entry was not written: {what}")),
                )
            })?;
            let written = insert(&self.path, &transaction, &entry)?;
            head = Some(written);
            heads.push(written);
            entries.push(entry);
        }
        for (checksum, bytes) in scripts {
            keep_script(&transaction, *checksum, bytes).map_err(failed)?;
            crate::failpoint::hit("ledger.script.after");
        }
        crate::failpoint::hit("ledger.append.before-commit");
        transaction.commit().map_err(failed)?;
        crate::failpoint::hit("ledger.append.after-commit");
        for entry in &entries {
            self.view.step(entry);
            self.unfolded += 1;
        }
        self.head = head;
        if let Some(head) = head {
            self.heads.insert(head.writer, head);
        }
        self.opening = None;
        self.newest.write(head);
        let is_bound = |entry: &Entry| matches!(entry.fact, Fact::Bound(_));
        if entries.iter().any(is_bound)
            && self
                .source
                .fetch_present(&self.connection, &mut self.view)
                .is_err()
        {
            self.without_snapshot();
        }
        Ok(heads)
    }

    /// The checksums of every script whose bytes are kept.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn kept(&self) -> Result<BTreeSet<Checksum>, LedgerError> {
        kept(&self.path, &self.connection)
    }

    /// The bytes of a script that was applied.
    ///
    /// # Errors
    /// When they no longer have their checksum, or the file cannot be read.
    pub fn script(&self, checksum: Checksum) -> Result<Option<Vec<u8>>, LedgerError> {
        script(&self.path, &self.connection, checksum)
    }
}

impl Drop for Ledger {
    /// A ledger to which much was added opens fast the next time. It is not worth failing for: without
    /// a snapshot all entries are folded.
    fn drop(&mut self) {
        if self.unfolded >= NEWEST + WORTH && !std::thread::panicking() {
            let _ = snapshot::make(&self.path, &mut self.connection, (NEWEST, WORTH), false);
        }
    }
}

/// Keeps the bytes of a script, where they are not kept yet.
fn keep_script(connection: &Connection, checksum: Checksum, bytes: &[u8]) -> rusqlite::Result<()> {
    let mut has = connection.prepare_cached(HAS_SCRIPT)?;
    if !has.query_row([checksum.as_bytes()], |row| row.get(0))? {
        let mut keep = connection.prepare_cached(KEEP_SCRIPT)?;
        keep.execute(params![checksum.as_bytes(), bytes])?;
    }
    Ok(())
}

fn next(
    writer: WriterId,
    head: Option<Head>,
    at: Timestamp,
    by: &Arc<Provenance>,
    fact: Fact,
) -> Entry {
    Entry {
        writer,
        number: head.map_or(1, |head| head.number + 1),
        prev: head.map(|head| head.hash),
        at,
        by: Arc::clone(by),
        fact,
    }
}

fn insert(path: &Path, connection: &Connection, entry: &Entry) -> Result<Head, LedgerError> {
    let body = entry
        .to_body()
        .map_err(|error| LedgerError::new(path, LedgerErrorKind::Other(error.to_string())))?;
    let hash = Entry::hash_of(body.as_bytes());
    let number = i64::try_from(entry.number)
        .map_err(|error| LedgerError::new(path, LedgerErrorKind::Other(error.to_string())))?;
    connection
        .prepare_cached("INSERT INTO entry (writer, number, hash, body) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut statement| {
            statement.execute(params![
                entry.writer.as_bytes(),
                number,
                hash.as_bytes(),
                body
            ])
        })
        .map_err(|error| LedgerError::sqlite(path, &error))?;
    Ok(Head {
        writer: entry.writer,
        number: entry.number,
        hash,
    })
}
