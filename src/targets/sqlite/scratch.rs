//! A database of one's own beside the file of a target.

use std::fs::OpenOptions;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, Error, ErrorCode};

use super::connection::{self, Missing};
use super::{BUSY, canonical, errors, lock};
use crate::targets::address::Address;
use crate::targets::{Beginning, Scratch, ScratchError, Target, TargetError, TargetErrorKind};

/// What stands between the name of the target's file and the eight digits of a scratch file.
pub(in crate::targets) const MARK: &str = ".tollgate-scratch-";
/// What SQLite and the run's lock put beside a file.
const BESIDE: [&str; 4] = ["-wal", "-shm", "-journal", ".tollgate-lock"];
/// Pages that are copied at one go.
const PAGES: i32 = 4_096;

/// A file beside that of a target, `<file>.tollgate-scratch-<8 hex>`, only for its owner to read.
#[derive(Debug)]
pub struct SqliteScratch {
    address: Address,
    name: String,
    files: Files,
}

/// The file and what stands beside it. Dropping this deletes them.
#[derive(Debug)]
struct Files {
    path: PathBuf,
    is_gone: bool,
}

/// Makes a scratch database beside the file of a target, under the run's lock: those that crashes left are
/// deleted before. A target that is not there is copied as an empty one. The file of an empty one has no
/// bytes yet: so it is nobody else's to read from the beginning.
///
/// # Errors
/// [`ScratchError`]; nothing is left behind.
pub fn scratch(path: &Path, beginning: Beginning) -> Result<SqliteScratch, ScratchError> {
    let path = canonical(path);
    let (folder, file) = parts(&path)?;
    std::fs::create_dir_all(folder).map_err(|error| told("create the folder", folder, &error))?;
    sweep(folder, &file).map_err(|error| told("read the folder", folder, &error))?;
    let name = format!("{file}{MARK}{:08x}", getrandom::u32().unwrap_or(0));
    let made = folder.join(&name);
    create(&made).map_err(|error| told("create", &made, &error))?;
    // From here on whatever goes wrong takes the file with it.
    let scratch = SqliteScratch {
        address: Address::Sqlite(made.clone()),
        name,
        files: Files {
            path: made,
            is_gone: false,
        },
    };
    crate::failpoint::hit("sqlite.scratch.created");
    let is_there = path
        .try_exists()
        .map_err(|error| told("read", &path, &error))?;
    if beginning == Beginning::Copy && is_there {
        copy(&path, &scratch.files.path)?;
        crate::failpoint::hit("sqlite.scratch.copied");
    }
    Ok(scratch)
}

impl Scratch for SqliteScratch {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> Result<Box<dyn Target>, TargetError> {
        crate::targets::open(&self.address)
    }

    fn address(&self) -> &Address {
        &self.address
    }

    fn discard(mut self: Box<Self>) -> Result<(), TargetError> {
        self.files.delete()
    }
}

impl Files {
    fn delete(&mut self) -> Result<(), TargetError> {
        if self.is_gone {
            return Ok(());
        }
        self.is_gone = true;
        delete(&self.path).map_err(|error| errors::io("delete", &self.path, &error))?;
        crate::failpoint::hit("sqlite.scratch.deleted");
        Ok(())
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What cannot be deleted now is when the next one is made.
        let _ = self.delete();
    }
}

/// The folder and the name of a target's file.
fn parts(path: &Path) -> Result<(&Path, String), TargetError> {
    let name = path.file_name().map(|name| name.to_string_lossy());
    let folder = path.parent().map(|folder| match folder {
        empty if empty.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    });
    match (folder, name) {
        (Some(folder), Some(name)) => Ok((folder, name.into_owned())),
        _ => Err(TargetError {
            kind: TargetErrorKind::Configuration,
            fact: format!("\"{}\" does not name a file", path.display()),
            remedy: None,
        }),
    }
}

fn told(doing: &str, path: &Path, error: &io::Error) -> ScratchError {
    let said = errors::io(doing, path, error);
    match said.kind {
        TargetErrorKind::ReadOnly => ScratchError::NotAllowed { why: said.fact },
        _ => said.into(),
    }
}

fn create(path: &Path) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // SQLite gives what it puts beside a file the same rights.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

/// Deletes what scratch databases of this file a crash left. One whose lock is held is somebody's.
fn sweep(folder: &Path, file: &str) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name();
        let left = name.to_str().and_then(|name| scratch_of(name, file));
        if let Some(left) = left {
            let path = folder.join(left);
            if !lock::is_held(&path) {
                // Whatever is in its way is no reason not to make another one.
                let _ = delete(&path);
            }
        }
    }
    Ok(())
}

/// The name of the scratch database that a file is, or stands beside.
fn scratch_of<'a>(name: &'a str, file: &str) -> Option<&'a str> {
    let digits = name.strip_prefix(file)?.strip_prefix(MARK)?;
    let number = digits.get(..8)?;
    let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let suffix = &digits[8..];
    (number.bytes().all(is_hex) && (suffix.is_empty() || BESIDE.contains(&suffix)))
        .then(|| &name[..name.len() - suffix.len()])
}

/// What stands beside goes first: a journal alone would be taken for that of a file with this name.
fn delete(path: &Path) -> io::Result<()> {
    for suffix in BESIDE.iter().copied().chain([""]) {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        match std::fs::remove_file(&name) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Copies the target by SQLite's online backup. It is of one moment: the reading transaction stands until
/// all of it is copied, so that others who write do not make it begin anew.
fn copy(from: &Path, to: &Path) -> Result<(), ScratchError> {
    let read = |error: Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ScratchError::NotCopied {
            why: errors::target(from, &error).fact,
        },
        _ => errors::target(from, &error).into(),
    };
    let wrote = |error: Error| ScratchError::from(errors::target(to, &error));
    let source = connection::connect(from, Missing::Refuse, BUSY).map_err(read)?;
    source
        .execute_batch("BEGIN; SELECT count(*) FROM main.sqlite_schema;")
        .map_err(read)?;
    let mut copy = Connection::open(to).map_err(wrote)?;
    // A crash in the middle leaves a file that is swept away, whatever is in it.
    copy.execute_batch("PRAGMA synchronous = OFF")
        .map_err(wrote)?;
    let backup = Backup::new(&source, &mut copy).map_err(wrote)?;
    loop {
        match backup.step(PAGES).map_err(wrote)? {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Only another program that found the copy can lock it.
            _ => {
                return Err(ScratchError::NotCopied {
                    why: format!("{} is locked by another program", to.display()),
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scratch_files_of_this_very_file_are_known() {
        let name = "dev.db.tollgate-scratch-0123abcd";
        assert_eq!(scratch_of(name, "dev.db"), Some(name));
        for suffix in BESIDE {
            assert_eq!(scratch_of(&format!("{name}{suffix}"), "dev.db"), Some(name));
        }
        for other in [
            "dev.db",
            "dev.db-wal",
            "my-dev.db.tollgate-scratch-0123abcd",
            "dev.db.tollgate-scratch-0123abc",
            "dev.db.tollgate-scratch-0123ABCD",
            "dev.db.tollgate-scratch-0123abcd.bak",
            "dev.db.tollgate-scratch-0123abcde",
            "dev.db.tollgate-scratch-0123abcé",
        ] {
            assert_eq!(scratch_of(other, "dev.db"), None, "{other}");
        }
    }
}
