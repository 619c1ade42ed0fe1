//! Reading a ledger's file: nothing here writes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rusqlite::{Connection, OpenFlags};

use super::assemble::Strays;
use super::error::{Behind, LedgerError, LedgerErrorKind};
use super::head::{self, Written};
use super::load::{Wanted, exchanged, exported, load, load_and_compare, script, scripts};
use super::snapshot::{Agreement, Source};
use super::view::View;
use crate::digest::{ChainHash, Checksum};
use crate::model::entry::Head;
use crate::model::{Entry, Policy};

/// The newest schema that this tool knows; `PRAGMA user_version` of the file.
pub(super) const SCHEMA_VERSION: i64 = 3;
/// `PRAGMA application_id`: "TOLL". A SQLite file without it is somebody else's database.
pub(super) const APPLICATION_ID: i64 = 0x544f_4c4c;

/// SQLite's, in bytes: what is shorter it takes for an empty database.
const SMALLEST_PAGE: u64 = 512;

/// Everything that is read of a ledger.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The state that the entries add up to.
    pub view: View,
    /// The newest entry of each writer.
    pub heads: Vec<Head>,
    /// What is held and does not simply count: equivocations and gaps.
    pub strays: Strays,
    /// The entries that count, in their order; only [`read`] gives them.
    pub entries: Vec<(ChainHash, Entry)>,
    /// The checksums of every script whose bytes are kept.
    pub kept: BTreeSet<Checksum>,
    /// Where the rest of a snapshot stands that the state was folded from.
    pub(super) source: Source,
    /// How many entries were folded, one by one.
    pub(super) unfolded: u64,
}

/// Reads a ledger with all its entries, without writing anything. A ledger that does not exist is an
/// empty one.
///
/// # Errors
/// [`LedgerErrorKind::Corrupt`] and [`LedgerErrorKind::Unsound`] when it must not be trusted.
pub fn read(path: &Path, policy: &Policy) -> Result<Loaded, LedgerError> {
    read_as(path, Entries::Keep, policy)
}

/// What the entries add up to, without them. Where a snapshot stands for the older ones, only what comes
/// after it is read, and verified; see [`verify`].
///
/// # Errors
/// As [`read`].
pub fn read_state(path: &Path, policy: &Policy) -> Result<Loaded, LedgerError> {
    read_as(path, Entries::Drop, policy)
}

/// Reads and verifies every entry, and compares what they add up to with the snapshot, where there is one.
///
/// # Errors
/// As [`read`].
pub fn verify(path: &Path, policy: &Policy) -> Result<(Loaded, Agreement), LedgerError> {
    let written = head::read(path);
    let Some(verified) = reading(path, |connection| {
        load_and_compare(path, connection, written, policy)
    }) else {
        gone(path, written)?;
        return Ok((Loaded::default(), Agreement::None));
    };
    verified
}

/// The exact bytes of every entry that the ledger holds, verified, in the order of arrival; those that
/// do not count too.
///
/// # Errors
/// As [`read`].
pub fn read_bodies(path: &Path) -> Result<Vec<String>, LedgerError> {
    let written = head::read(path);
    let Some(bodies) = reading(path, |connection| {
        load(path, connection, Wanted::whole(written), &Policy::default())?;
        exported(path, connection)
    }) else {
        gone(path, written)?;
        return Ok(Vec::new());
    };
    bodies
}

/// Whether the entries are wanted, or only what they add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entries {
    Keep,
    Drop,
}

fn read_as(path: &Path, entries: Entries, policy: &Policy) -> Result<Loaded, LedgerError> {
    // First what was written, then what is there: entries only come.
    let written = head::read(path);
    let wanted = Wanted {
        entries,
        ..Wanted::state(written)
    };
    let Some(loaded) = reading(path, |connection| load(path, connection, wanted, policy)) else {
        gone(path, written)?;
        return Ok(Loaded::default());
    };
    loaded.map(|(loaded, _)| loaded)
}

/// Whether a ledger without a single entry may be one that was never written.
///
/// # Errors
/// [`LedgerErrorKind::Behind`] where an entry was written here.
pub(super) fn gone(path: &Path, written: Written) -> Result<(), LedgerError> {
    let Some(written) = written.head() else {
        return Ok(());
    };
    let behind = Behind {
        written,
        ends: None,
        sound: Vec::new(),
    };
    let kind = LedgerErrorKind::Behind(Box::new(behind));
    Err(LedgerError::new(path, kind))
}

/// The bytes of a script that was applied, from a ledger that is not open for writing.
///
/// # Errors
/// As [`read`]; also when the bytes no longer have their checksum.
pub fn read_script(path: &Path, checksum: Checksum) -> Result<Option<Vec<u8>>, LedgerError> {
    reading(path, |connection| script(path, connection, checksum)).unwrap_or(Ok(None))
}

/// Every checksum whose kept bytes are not the ones that it is of.
///
/// # Errors
/// As [`read`].
pub fn exchanged_scripts(path: &Path) -> Result<Vec<Checksum>, LedgerError> {
    reading(path, |connection| exchanged(path, connection)).unwrap_or_else(|| Ok(Vec::new()))
}

/// Every script whose bytes are kept, as text, by its checksum.
///
/// # Errors
/// As [`read_script`].
pub fn read_scripts(path: &Path) -> Result<BTreeMap<Checksum, String>, LedgerError> {
    reading(path, |connection| scripts(path, connection)).unwrap_or_else(|| Ok(BTreeMap::new()))
}

/// Reads from the file with a connection that cannot write; `None` where there is no file.
fn reading<T>(
    path: &Path,
    read: impl Fn(&Connection) -> Result<T, LedgerError>,
) -> Option<Result<T, LedgerError>> {
    match path.try_exists() {
        Ok(true) => {}
        Ok(false) => return wal_alone(path).err().map(Err),
        Err(error) => return Some(Err(LedgerError::io(path, &error))),
    }
    // Without a write-ahead log the file alone is the whole ledger. It is then read as one that does
    // not change: SQLite would leave a log and its shared memory behind, and in a folder that cannot
    // be written it could not read at all. That it did not change is looked at afterwards.
    let before = alone(path);
    if before.is_some() {
        let read = open(path, true).and_then(|connection| read(&connection));
        if alone(path) == before {
            return Some(newer_first(path, true, read));
        }
    }
    if let Err(error) = wal_alone(path) {
        return Some(Err(error));
    }
    let read = open(path, false).and_then(|connection| read(&connection));
    Some(newer_first(path, false, read))
}

/// What a newer version wrote may be of kinds that this one cannot read.
fn newer_first<T>(
    path: &Path,
    immutable: bool,
    read: Result<T, LedgerError>,
) -> Result<T, LedgerError> {
    let strange = |error: &LedgerError| {
        matches!(
            error.kind,
            LedgerErrorKind::Unsound(_) | LedgerErrorKind::Other(_)
        )
    };
    if !read.as_ref().is_err_and(strange) {
        return read;
    }
    let found = check_is_ledger(path, &open(path, immutable)?)?;
    if found <= SCHEMA_VERSION {
        return read;
    }
    let known = SCHEMA_VERSION;
    let kind = LedgerErrorKind::Newer { found, known };
    Err(LedgerError::new(path, kind))
}

/// When the file was last written and how long it is, where no write-ahead log has anything to add.
fn alone(path: &Path) -> Option<(SystemTime, u64)> {
    let log = std::fs::metadata(wal(path));
    if log.is_ok_and(|log| log.len() > 0) {
        return None;
    }
    let file = std::fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}

/// A write-ahead log whose ledger is gone, or cut to less than a page: SQLite would delete the log,
/// even when it only reads.
///
/// # Errors
/// [`LedgerErrorKind::Corrupt`].
pub(super) fn wal_alone(path: &Path) -> Result<(), LedgerError> {
    let length = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    if length(path) < SMALLEST_PAGE && length(&wal(path)) > 0 {
        let said = "the file is gone or cut short, and its write-ahead log is there".to_owned();
        return Err(LedgerError::new(path, LedgerErrorKind::Corrupt(said)));
    }
    Ok(())
}

fn open(path: &Path, immutable: bool) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = if immutable {
        let name = path.to_string_lossy();
        let name = name
            .replace('%', "%25")
            .replace('?', "%3f")
            .replace('#', "%23");
        let uri = format!("file:{name}?immutable=1");
        Connection::open_with_flags(uri, flags | OpenFlags::SQLITE_OPEN_URI)
    } else {
        Connection::open_with_flags(path, flags)
    };
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let connection = opened.map_err(failed)?;
    connection
        .busy_timeout(Duration::from_secs(5))
        .map_err(failed)?;
    check_is_ledger(path, &connection)?;
    Ok(connection)
}

/// SQLite's write-ahead log.
fn wal(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push("-wal");
    path.with_file_name(name)
}

/// Whether the file is a ledger; returns its schema's number, 0 for an empty file.
pub(super) fn check_is_ledger(path: &Path, connection: &Connection) -> Result<i64, LedgerError> {
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
    if (1..SMALLEST_PAGE).contains(&length) {
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
