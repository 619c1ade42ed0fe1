//! Reading a ledger's file: nothing here writes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use super::chain::{Row, Unsound, Walk};
use super::error::{LedgerError, LedgerErrorKind};
use super::view::View;
use crate::digest::{ChainHash, Checksum};
use crate::model::entry::Head;
use crate::model::{Entry, WriterId};

/// The newest schema that this tool knows; `PRAGMA user_version` of the file.
pub(super) const SCHEMA_VERSION: i64 = 1;
/// `PRAGMA application_id`: "TOLL". A SQLite file without it is somebody else's database.
pub(super) const APPLICATION_ID: i64 = 0x544f_4c4c;

/// Everything that is read of a ledger.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The state that the entries add up to.
    pub view: View,
    /// The newest entry of each writer.
    pub heads: Vec<Head>,
    /// The entries, in order of arrival; only [`read`] gives them.
    pub entries: Vec<(ChainHash, Entry)>,
    /// The checksums of every script whose bytes are kept.
    pub kept: BTreeSet<Checksum>,
}

/// Reads a ledger with all its entries, without writing anything. A ledger that does not exist is an
/// empty one.
///
/// # Errors
/// [`LedgerErrorKind::Corrupt`] and [`LedgerErrorKind::Unsound`] when it must not be trusted.
pub fn read(path: &Path) -> Result<Loaded, LedgerError> {
    read_as(path, Entries::Keep)
}

/// As [`read`], verified as well, without the entries: what they add up to is much smaller.
///
/// # Errors
/// As [`read`].
pub fn read_state(path: &Path) -> Result<Loaded, LedgerError> {
    read_as(path, Entries::Drop)
}

/// Whether the entries are wanted, or only what they add up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entries {
    Keep,
    Drop,
}

fn read_as(path: &Path, entries: Entries) -> Result<Loaded, LedgerError> {
    let Some(connection) = open_read_only(path)? else {
        return Ok(Loaded::default());
    };
    match load(path, &connection, entries) {
        Ok((loaded, _)) => Ok(loaded),
        Err(error) => {
            // What a newer version wrote may be of kinds that this one cannot read.
            let found = check_is_ledger(path, &connection)?;
            if found > SCHEMA_VERSION && matches!(error.kind, LedgerErrorKind::Unsound(_)) {
                let kind = LedgerErrorKind::Newer {
                    found,
                    known: SCHEMA_VERSION,
                };
                return Err(LedgerError::new(path, kind));
            }
            Err(error)
        }
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

pub(super) type Place = Option<(WriterId, String)>;

pub(super) fn load(
    path: &Path,
    connection: &Connection,
    entries: Entries,
) -> Result<(Loaded, Place), LedgerError> {
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
        if entries == Entries::Keep {
            loaded.entries.push((hash, entry));
        }
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

pub(super) fn kept(
    path: &Path,
    connection: &Connection,
) -> Result<BTreeSet<Checksum>, LedgerError> {
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

pub(super) fn script(
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
