//! What SQLite and the file system say, as a target's errors and a script's.

use std::io;
use std::ops::Range;
use std::path::Path;

use rusqlite::{Error, ErrorCode};

use super::codes;
use crate::sql::said_without_passwords;
use crate::targets::{ScriptError, TargetError, TargetErrorKind};

/// What SQLite said of anything but a script.
pub(super) fn target(path: &Path, error: &Error) -> TargetError {
    let file = path.display();
    let said = message(error);
    let code = error.sqlite_error_code();
    let (kind, fact, remedy) = match code {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
            TargetErrorKind::Locked,
            format!("{file} is locked by another program that writes to it"),
            Some("close the other program or let it end, then run the command again".to_owned()),
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => (
            TargetErrorKind::ReadOnly,
            format!("{file} cannot be written: {said}"),
            Some(writable(path)),
        ),
        Some(ErrorCode::NotADatabase) => (
            TargetErrorKind::Other,
            format!("{file} is not a SQLite database"),
            Some("name the database's own file in tollgate.toml (url = \"sqlite:...\")".to_owned()),
        ),
        Some(ErrorCode::DatabaseCorrupt) => (
            TargetErrorKind::Other,
            format!("{file} is damaged: {said}"),
            Some(format!(
                "sqlite3 '{file}' 'PRAGMA integrity_check', then restore a backup"
            )),
        ),
        Some(ErrorCode::DiskFull) => (
            TargetErrorKind::Other,
            format!("the disk that holds {file} is full"),
            Some("free space there, then run the command again".to_owned()),
        ),
        Some(ErrorCode::SystemIoFailure) => (
            TargetErrorKind::Other,
            format!("the disk that holds {file} did not do what was asked: {said}"),
            Some("df -h, and look at that disk, then run the command again".to_owned()),
        ),
        Some(ErrorCode::CannotOpen) => (
            TargetErrorKind::Unreachable,
            format!("cannot open {file}: {}", why_not_open(path)),
            None,
        ),
        _ => (TargetErrorKind::Other, format!("{file}: {said}"), None),
    };
    TargetError { kind, fact, remedy }
}

/// What the file system said while `doing` something with `path`.
pub(super) fn io(doing: &str, path: &Path, error: &io::Error) -> TargetError {
    let fact = format!("cannot {doing} {}: {}", path.display(), plain(error));
    let (kind, remedy) = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            (TargetErrorKind::ReadOnly, Some(writable(path)))
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => (
            TargetErrorKind::Other,
            Some("free space on that disk, then run the command again".to_owned()),
        ),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            (TargetErrorKind::Unreachable, None)
        }
        _ => (TargetErrorKind::Other, None),
    };
    TargetError { kind, fact, remedy }
}

/// What SQLite said of a script, and where; without the passwords of the script.
pub(super) fn script(error: &Error, at: Option<Range<usize>>) -> ScriptError {
    let script = match error {
        Error::SqlInputError { sql, .. } => sql.as_str(),
        _ => "",
    };
    ScriptError {
        message: said_without_passwords(&message(error), script),
        code: error
            .sqlite_extended_error_code()
            .and_then(codes::name)
            .map(str::to_owned),
        at,
        ..ScriptError::default()
    }
}

/// A fact of tollgate's own about a script: nothing that SQLite said.
pub(super) fn own(message: impl Into<String>) -> ScriptError {
    ScriptError {
        message: message.into(),
        ..ScriptError::default()
    }
}

/// SQLite's message alone, without the statement that rusqlite adds to it.
pub(super) fn message(error: &Error) -> String {
    match error {
        Error::SqlInputError { msg, .. } | Error::SqliteFailure(_, Some(msg)) => msg.clone(),
        other => other.to_string(),
    }
}

/// "Permission denied", without "(os error 13)".
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}

/// SQLite says only "unable to open database file"; the file system knows more.
fn why_not_open(path: &Path) -> String {
    if path.is_dir() {
        return "it is a folder".to_owned();
    }
    match std::fs::File::open(path) {
        Err(error) => plain(&error),
        Ok(_) => "SQLite needs to write its journal beside it, and could not".to_owned(),
    }
}

fn writable(path: &Path) -> String {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or_else(|| Path::new("."));
    format!("chmod u+w '{}' '{}'", folder.display(), path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_has_its_kind_and_a_remedy() {
        let of = |code| {
            target(
                Path::new("state/dev.db"),
                &rusqlite::Error::SqliteFailure(
                    rusqlite::ffi::Error::new(code),
                    Some("said".to_owned()),
                ),
            )
        };
        let cases = [
            (
                rusqlite::ffi::SQLITE_BUSY,
                TargetErrorKind::Locked,
                "locked by another program",
            ),
            (
                rusqlite::ffi::SQLITE_READONLY,
                TargetErrorKind::ReadOnly,
                "cannot be written",
            ),
            (
                rusqlite::ffi::SQLITE_NOTADB,
                TargetErrorKind::Other,
                "is not a SQLite database",
            ),
            (
                rusqlite::ffi::SQLITE_CORRUPT,
                TargetErrorKind::Other,
                "is damaged",
            ),
            (
                rusqlite::ffi::SQLITE_FULL,
                TargetErrorKind::Other,
                "is full",
            ),
        ];
        for (code, kind, part) in cases {
            let error = of(code);
            assert_eq!(error.kind, kind, "{error}");
            assert!(error.fact.contains(part), "{error}");
            assert!(error.remedy.is_some(), "{error}");
        }
        let denied = io(
            "create",
            Path::new("state/dev.db"),
            &io::Error::from_raw_os_error(13),
        );
        assert_eq!(denied.kind, TargetErrorKind::ReadOnly);
        assert_eq!(denied.fact, "cannot create state/dev.db: Permission denied");
        assert_eq!(
            denied.remedy.as_deref(),
            Some("chmod u+w 'state' 'state/dev.db'")
        );
    }

    #[test]
    fn codes_have_their_names() {
        assert_eq!(codes::name(2067), Some("SQLITE_CONSTRAINT_UNIQUE"));
        assert_eq!(codes::name(787), Some("SQLITE_CONSTRAINT_FOREIGNKEY"));
        assert_eq!(codes::name(1), Some("SQLITE_ERROR"));
        assert_eq!(codes::name(13), Some("SQLITE_FULL"));
    }
}
