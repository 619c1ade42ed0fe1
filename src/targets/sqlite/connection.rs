//! Opening the file: never a connection that a script has touched.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::errors;
use crate::targets::TargetError;

/// Whether a missing file may be created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missing {
    Create,
    Refuse,
}

/// A new connection with the settings that every script starts from: foreign keys on (Prisma's and
/// rusqlite's default), everything else as SQLite has it.
///
/// Reading also opens for writing: a journal that a crash left behind can only be rolled back so,
/// and SQLite falls back to reading where the file cannot be written.
pub(super) fn connect(
    path: &Path,
    missing: Missing,
    busy: Duration,
) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if missing == Missing::Create {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let connection = Connection::open_with_flags(plain(path), flags)?;
    connection.busy_timeout(busy)?;
    prepared(connection)
}

/// An empty database that no file has, with the same settings.
pub(super) fn in_memory() -> rusqlite::Result<Connection> {
    prepared(Connection::open_in_memory()?)
}

fn prepared(connection: Connection) -> rusqlite::Result<Connection> {
    connection.pragma_update(None, "foreign_keys", true)?;
    // Nobody writes to sqlite_schema itself (PRAGMA writable_schema): a script could take tables out of
    // the file, tollgate's own among them, and leave it damaged without an error.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    Ok(connection)
}

/// The same for tollgate's own statements, with the error as a target's.
pub(super) fn connect_own(
    path: &Path,
    missing: Missing,
    busy: Duration,
) -> Result<Connection, TargetError> {
    connect(path, missing, busy)
        .and_then(|connection| own(&connection).map(|()| connection))
        .map_err(|error| errors::target(path, &error))
}

/// What tollgate's own statements rely on, whatever a script set before: a REPLACE asks the delete
/// triggers, CHECK holds, writing is allowed, and a commit is on the disk when it returns.
///
/// Scripts run without `recursive_triggers`: with it, the common trigger that sets `updated_at` by
/// an UPDATE of its own table would call itself.
pub(super) fn own(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "query_only", false)?;
    connection.pragma_update(None, "ignore_check_constraints", false)?;
    connection.pragma_update(None, "recursive_triggers", true)?;
    if connection.is_autocommit() {
        // Inside a transaction SQLite refuses this one, to a script as well.
        connection.pragma_update(None, "synchronous", "FULL")?;
    }
    Ok(())
}

/// The bundled library reads a name that begins with `file:` as a URI; a path never is one.
fn plain(path: &Path) -> PathBuf {
    if path.is_absolute() {
        path.to_owned()
    } else {
        Path::new(".").join(path)
    }
}
