//! What can be wrong with a ledger.

use std::fmt;
use std::path::{Path, PathBuf};

use super::chain::Unsound;
use crate::model::entry::Head;

/// A ledger could not do what was asked. Nothing was changed.
#[derive(Debug)]
pub struct LedgerError {
    /// The file.
    pub path: PathBuf,
    /// What kind of trouble.
    pub kind: LedgerErrorKind,
}

/// What kind of trouble.
#[derive(Debug)]
pub enum LedgerErrorKind {
    /// The file is no SQLite database, or damaged, or no ledger.
    Corrupt(String),
    /// The entries do not add up.
    Unsound(Box<Unsound>),
    /// The entries add up, and some that were written here are gone.
    Behind(Box<Behind>),
    /// Another process holds the ledger; its pid, where it left one.
    Locked(Option<String>),
    /// The wait for the lock was interrupted.
    Interrupted,
    /// Written by a newer version: it may be read, not written.
    Newer {
        /// The schema's number in the file.
        found: i64,
        /// The newest that this tool knows.
        known: i64,
    },
    /// The disk is full.
    Full,
    /// The file or its folder cannot be written.
    ReadOnly(String),
    /// Reading or writing failed: a disk that fails, a quota, a limit on the size of files.
    Io(String),
    /// Whatever else SQLite or the file system said.
    Other(String),
}

/// What was written here and is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The newest entry that was written here.
    pub written: Head,
    /// The newest entry of that writer that is there; `None` where there is none.
    pub ends: Option<u64>,
    /// Heads of the chains, which are sound as far as they go.
    pub sound: Vec<Head>,
}

impl fmt::Display for Behind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Head { writer, number, .. } = self.written;
        match self.ends {
            Some(ends) if ends >= number => write!(
                f,
                "entry {number} of writer {writer} is another one than was written here"
            ),
            Some(ends) => write!(
                f,
                "it ends at entry {ends} of writer {writer}, and entry {number} was written here"
            ),
            None if self.sound.is_empty() => write!(
                f,
                "it is gone or empty, and entry {number} of writer {writer} was written here"
            ),
            None => write!(
                f,
                "it has no entry of writer {writer}, and entry {number} was written here"
            ),
        }
    }
}

impl LedgerError {
    pub(crate) fn new(path: &Path, kind: LedgerErrorKind) -> Self {
        Self {
            path: path.to_owned(),
            kind,
        }
    }

    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let kind = match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                LedgerErrorKind::ReadOnly(error.to_string())
            }
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => LedgerErrorKind::Full,
            _ => LedgerErrorKind::Other(error.to_string()),
        };
        Self::new(path, kind)
    }

    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let said = error.to_string();
        let kind = match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                LedgerErrorKind::Corrupt(said)
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                LedgerErrorKind::Locked(None)
            }
            Some(ErrorCode::DiskFull) => LedgerErrorKind::Full,
            Some(ErrorCode::SystemIoFailure) => LedgerErrorKind::Io(said),
            Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => {
                LedgerErrorKind::ReadOnly(said)
            }
            _ => LedgerErrorKind::Other(said),
        };
        Self::new(path, kind)
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        match &self.kind {
            LedgerErrorKind::Corrupt(said) => {
                write!(f, "the ledger {path} is damaged or is no ledger: {said}")
            }
            LedgerErrorKind::Unsound(unsound) => {
                write!(f, "the ledger {path} is not sound: {unsound}")
            }
            LedgerErrorKind::Behind(behind) => {
                write!(f, "the ledger {path} has lost entries: {behind}")
            }
            LedgerErrorKind::Io(said) => {
                write!(f, "the ledger {path} could not be read or written: {said}")
            }
            LedgerErrorKind::Locked(Some(pid)) => {
                write!(f, "the ledger {path} is held by process {pid}")
            }
            LedgerErrorKind::Locked(None) => {
                write!(f, "the ledger {path} is held by another process")
            }
            LedgerErrorKind::Interrupted => {
                write!(f, "interrupted while waiting for the ledger {path}")
            }
            LedgerErrorKind::Newer { found, known } => write!(
                f,
                "the ledger {path} was written by a newer tollgate (schema {found}; this one knows {known})"
            ),
            LedgerErrorKind::Full => {
                write!(f, "the disk is full: the ledger {path} cannot be written")
            }
            LedgerErrorKind::ReadOnly(said) => {
                write!(f, "the ledger {path} cannot be opened for writing: {said}")
            }
            LedgerErrorKind::Other(said) => write!(f, "the ledger {path} cannot be used: {said}"),
        }
    }
}

impl std::error::Error for LedgerError {}
