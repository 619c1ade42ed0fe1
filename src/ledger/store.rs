//! The ledger's file: opening, reading, appending.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _, TransactionBehavior, params};

use super::chain::{Row, Unsound, Walk};
use super::error::{LedgerError, LedgerErrorKind};
use super::place::{self, Lock};
use super::view::View;
use crate::digest::{ChainHash, Checksum};
use crate::model::entry::{Head, Opened};
use crate::model::{Entry, Fact, Provenance, Timestamp, WriterId};

const KEEP_SCRIPT: &str = "INSERT INTO script (checksum, bytes) SELECT ?1, ?2 \
     WHERE NOT EXISTS (SELECT 1 FROM script WHERE checksum = ?1)";
const SCHEMA: &str = include_str!("schema/001.sql");
/// The newest schema that this tool knows; `PRAGMA user_version` of the file.
const SCHEMA_VERSION: i64 = 1;
/// `PRAGMA application_id`: "TOLL". A SQLite file without it is somebody else's database.
const APPLICATION_ID: i64 = 0x544f_4c4c;

/// Everything that is read of a ledger.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The state that the entries add up to.
    pub view: View,
    /// The newest entry of each writer.
    pub heads: Vec<Head>,
    /// The entries, in order of arrival.
    pub entries: Vec<(ChainHash, Entry)>,
    /// The checksums of every script whose bytes are kept.
    pub kept: BTreeSet<Checksum>,
}

/// How to open a ledger for writing.
pub struct Opening<'a> {
    /// What this machine is known by; part of the ledger's place.
    pub machine: &'a str,
    /// How long to wait for another process.
    pub wait: Duration,
    /// Asked at every poll of the lock.
    pub give_up: &'a dyn Fn() -> bool,
    /// Told once who holds the lock.
    pub waiting: &'a mut dyn FnMut(&str),
    /// Draws a writer's id.
    pub random: &'a dyn Fn() -> [u8; 16],
}

/// A ledger open for writing. The lock is held until it is dropped.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    connection: Connection,
    view: View,
    head: Option<Head>,
    writer: WriterId,
    /// What a new writer goes on from; written with its first entry.
    opening: Option<(Opened, String)>,
    /// Where the file stands.
    place: String,
    _lock: Lock,
}

/// Reads a ledger without writing anything. A ledger that does not exist is an empty one.
///
/// # Errors
/// [`LedgerErrorKind::Corrupt`] and [`LedgerErrorKind::Unsound`] when it must not be trusted.
pub fn read(path: &Path) -> Result<Loaded, LedgerError> {
    match open_read_only(path)? {
        Some(connection) => Ok(load(path, &connection)?.0),
        None => Ok(Loaded::default()),
    }
}

/// The bytes of a script that was applied, from a ledger that is not open for writing.
///
/// # Errors
/// As [`read`]; also when the bytes no longer have their checksum.
pub fn read_script(path: &Path, checksum: Checksum) -> Result<Option<Vec<u8>>, LedgerError> {
    match open_read_only(path)? {
        Some(connection) => script(path, &connection, checksum),
        None => Ok(None),
    }
}

fn open_read_only(path: &Path) -> Result<Option<Connection>, LedgerError> {
    let exists = path
        .try_exists()
        .map_err(|error| LedgerError::io(path, &error))?;
    if !exists {
        return Ok(None);
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)
        .map_err(|error| LedgerError::sqlite(path, &error))?;
    connection
        .busy_timeout(Duration::from_secs(5))
        .map_err(|error| LedgerError::sqlite(path, &error))?;
    // In a folder that cannot be written SQLite cannot make the shared-memory file of the WAL. When
    // no WAL is there, the file alone is the whole ledger and may be read as it is.
    if connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        .is_err()
        && !place_wal(path).exists()
    {
        let uri = format!(
            "file:{}?immutable=1",
            path.to_string_lossy()
                .replace('%', "%25")
                .replace('?', "%3f")
                .replace('#', "%23")
        );
        let immutable = Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
            .map_err(|error| LedgerError::sqlite(path, &error))?;
        check_is_ledger(path, &immutable)?;
        return Ok(Some(immutable));
    }
    check_is_ledger(path, &connection)?;
    Ok(Some(connection))
}

fn place_wal(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push("-wal");
    path.with_file_name(name)
}

/// Whether the file is a ledger; returns its schema's number, 0 for an empty file.
fn check_is_ledger(path: &Path, connection: &Connection) -> Result<i64, LedgerError> {
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let id: i64 = connection
        .pragma_query_value(None, "application_id", |row| row.get(0))
        .map_err(failed)?;
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(failed)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(failed)?;
    if id == APPLICATION_ID && version >= 1 {
        return Ok(version);
    }
    // SQLite takes a file that is shorter than its smallest page for an empty database, and would
    // write over it.
    let length = std::fs::metadata(path)
        .map_err(|error| LedgerError::io(path, &error))?
        .len();
    if (1..512).contains(&length) {
        return Err(LedgerError::new(
            path,
            LedgerErrorKind::Corrupt("it is no SQLite database".to_owned()),
        ));
    }
    if id == 0 && version == 0 && tables == 0 {
        return Ok(0);
    }
    Err(LedgerError::new(
        path,
        LedgerErrorKind::Corrupt("it is a SQLite database of another program".to_owned()),
    ))
}

type Place = Option<(WriterId, String)>;

fn load(path: &Path, connection: &Connection) -> Result<(Loaded, Place), LedgerError> {
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let mut loaded = Loaded::default();
    if check_is_ledger(path, connection)? == 0 {
        return Ok((loaded, None));
    }
    let mut walk = Walk::default();
    let mut statement = connection
        .prepare("SELECT writer, number, hash, body FROM entry ORDER BY position")
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        // SQLite keeps whatever bytes somebody wrote as text. What is no UTF-8 was never hashed, and
        // goes on as the empty text, which is no entry under any hash.
        let body = row.get_ref(3).map_err(failed)?;
        let body = body.as_str().unwrap_or_default().to_owned();
        let row = Row {
            writer: row.get(0).map_err(failed)?,
            number: row.get(1).map_err(failed)?,
            hash: row.get(2).map_err(failed)?,
            body,
        };
        let unsound = |unsound| LedgerError::new(path, LedgerErrorKind::Unsound(unsound));
        let (hash, entry) = walk.step(&row).map_err(unsound)?;
        loaded.view.check(&entry).map_err(|what| {
            let mut sound: Vec<Head> = walk.heads().copied().collect();
            sound.retain(|head| head.hash != hash);
            unsound(Box::new(Unsound {
                writer: entry.writer.to_string(),
                number: row.number,
                what,
                sound,
            }))
        })?;
        loaded.view.step(&entry);
        loaded.entries.push((hash, entry));
    }
    loaded.kept = kept(path, connection)?;
    loaded.heads = walk.heads().copied().collect();
    let place = connection
        .query_row(
            "SELECT writer, place FROM place ORDER BY position DESC LIMIT 1",
            [],
            |row| Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, String>(1)?)),
        )
        .optional()
        .map_err(failed)?
        .map(|(writer, place)| (WriterId::from_bytes(writer), place));
    Ok((loaded, place))
}

fn kept(path: &Path, connection: &Connection) -> Result<BTreeSet<Checksum>, LedgerError> {
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let mut statement = connection
        .prepare("SELECT checksum FROM script")
        .map_err(failed)?;
    let rows = statement
        .query_map([], |row| row.get::<_, [u8; 32]>(0))
        .map_err(failed)?;
    rows.map(|row| row.map(Checksum::from_bytes).map_err(failed))
        .collect()
}

fn script(
    path: &Path,
    connection: &Connection,
    checksum: Checksum,
) -> Result<Option<Vec<u8>>, LedgerError> {
    let bytes: Option<Vec<u8>> = connection
        .query_row(
            "SELECT bytes FROM script WHERE checksum = ?1",
            [checksum.as_bytes()],
            |row| row.get(0),
        )
        .optional()
        .map_err(|error| LedgerError::sqlite(path, &error))?;
    match bytes {
        Some(bytes) if Checksum::of(&bytes) != checksum => Err(LedgerError::new(
            path,
            LedgerErrorKind::Corrupt(format!(
                "the bytes kept for {checksum} have another checksum"
            )),
        )),
        bytes => Ok(bytes),
    }
}

impl Ledger {
    /// Opens the ledger for writing, creating the file and its folder where they are missing. A
    /// ledger that no longer stands where its writer left it goes on under a new writer, whose first
    /// entry names the old head.
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
        let mut connection = Connection::open(path).map_err(failed)?;
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
        if connection.is_readonly("main").map_err(failed)? {
            let said = "the file is read-only".to_owned();
            return Err(LedgerError::new(path, LedgerErrorKind::ReadOnly(said)));
        }
        connection
            .pragma_update(None, "journal_mode", "WAL")
            .map_err(failed)?;
        connection
            .pragma_update(None, "synchronous", "FULL")
            .map_err(failed)?;
        connection
            .pragma_update(None, "recursive_triggers", "ON")
            .map_err(failed)?;
        if version == 0 {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(failed)?;
            transaction.execute_batch(SCHEMA).map_err(failed)?;
            transaction
                .pragma_update(None, "application_id", APPLICATION_ID)
                .map_err(failed)?;
            transaction
                .pragma_update(None, "user_version", SCHEMA_VERSION)
                .map_err(failed)?;
            transaction.commit().map_err(failed)?;
        }
        let (loaded, stood) = load(path, &connection)?;
        let here = place::of(path, opening.machine)?;
        let place = here.clone();
        let (writer, head, start) = match stood {
            Some((writer, stood)) if stood == here => {
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
        Ok(Self {
            path: path.to_owned(),
            connection,
            view: loaded.view,
            head,
            writer,
            opening: start,
            place,
            _lock: lock,
        })
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
        let found = self.connection.query_row(
            "SELECT EXISTS (SELECT 1 FROM entry WHERE hash = ?1 AND writer = ?2 AND number = ?3)",
            params![
                hash.as_bytes(),
                self.writer.as_bytes(),
                i64::try_from(number).unwrap_or(-1)
            ],
            |row| row.get(0),
        );
        found.map_err(|error| LedgerError::sqlite(&self.path, &error))
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

    /// Appends one fact together with the bytes of the script that it is about.
    ///
    /// # Errors
    /// [`LedgerError`]: neither is then there.
    pub fn append_with(
        &mut self,
        at: Timestamp,
        by: &Provenance,
        fact: Fact,
        script: Option<(Checksum, &[u8])>,
    ) -> Result<Head, LedgerError> {
        let failed = |error: rusqlite::Error| LedgerError::sqlite(&self.path, &error);
        // Kept bytes are never replaced, so wrong ones would stand there for ever.
        if let Some((checksum, bytes)) = script
            && Checksum::of(bytes) != checksum
        {
            let said = format!("an entry was not written: the bytes to keep are not {checksum}");
            return Err(LedgerError::new(&self.path, LedgerErrorKind::Other(said)));
        }
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let mut head = self.head;
        let mut opened = None;
        if let Some((fact, place)) = &self.opening {
            let entry = next(self.writer, None, at, by, Fact::Opened(fact.clone()));
            head = Some(insert(&self.path, &transaction, &entry)?);
            transaction
                .execute(
                    "INSERT INTO place (writer, place) VALUES (?1, ?2)",
                    params![self.writer.as_bytes(), place],
                )
                .map_err(failed)?;
            opened = Some(entry);
        }
        let entry = next(self.writer, head, at, by, fact);
        // An entry that contradicts the ones before it must not stand there for ever.
        self.view.check(&entry).map_err(|what| {
            LedgerError::new(
                &self.path,
                LedgerErrorKind::Other(format!("an entry was not written: {what}")),
            )
        })?;
        let head = insert(&self.path, &transaction, &entry)?;
        if let Some((checksum, bytes)) = script {
            transaction
                .execute(KEEP_SCRIPT, params![checksum.as_bytes(), bytes])
                .map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        for entry in opened.iter().chain([&entry]) {
            self.view.step(entry);
        }
        self.head = Some(head);
        self.opening = None;
        Ok(head)
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

fn next(writer: WriterId, head: Option<Head>, at: Timestamp, by: &Provenance, fact: Fact) -> Entry {
    Entry {
        writer,
        number: head.map_or(1, |head| head.number + 1),
        prev: head.map(|head| head.hash),
        at,
        by: by.clone(),
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
        .execute(
            "INSERT INTO entry (writer, number, hash, body) VALUES (?1, ?2, ?3, ?4)",
            params![entry.writer.as_bytes(), number, hash.as_bytes(), body],
        )
        .map_err(|error| LedgerError::sqlite(path, &error))?;
    Ok(Head {
        writer: entry.writer,
        number: entry.number,
        hash,
    })
}
