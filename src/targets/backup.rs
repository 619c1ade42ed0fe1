//! Backups of a target, and databases that are made from them: what is asked, and what is told.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::address::Address;
use super::{TargetError, TargetErrorKind, postgres, sqlite};
use crate::digest::{Checksum, Digests, Sha256};
use crate::model::entry::{Engine, ReceiptRef};
use crate::model::{Data, DataMode, Schema, size_in_words};

/// Where programs of the databases' own are looked for: PostgreSQL's `pg_dump` and `pg_restore`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Programs {
    /// The folders, in this order.
    pub folders: Vec<PathBuf>,
}

/// What is asked of a backup.
#[derive(Debug, Clone, Copy)]
pub struct BackupRequest<'a> {
    /// The file to write. It must not be there.
    pub into: &'a Path,
    /// Whether to look at the data too, to compare a restored copy with.
    pub look: Look,
    /// Where programs are looked for.
    pub programs: &'a Programs,
    /// How long to wait for locks of others.
    pub lock_wait: Duration,
}

/// How closely to look at the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Not at all.
    No,
    /// As its size allows.
    BySize,
    /// Like this.
    As(DataMode),
}

/// Whoever waits: told what happens, and asked whether to go on.
pub struct Watch<'a> {
    /// Told what happens.
    pub tell: &'a mut dyn FnMut(BackupNews<'_>),
    /// Whether somebody asked to stop.
    pub give_up: &'a dyn Fn() -> bool,
}

/// What is told meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupNews<'a> {
    /// What is being done, in words: "reading the data".
    Doing(&'a str),
    /// How far it came.
    Bytes {
        /// How many bytes were written, or read.
        done: u64,
        /// Of how many, where that is known.
        of: Option<u64>,
        /// In which time.
        took: Duration,
    },
}

/// A backup that was taken: all of it is of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenBackup {
    /// What wrote it: `pg_dump 15.18`.
    pub made_by: String,
    /// The version of the server, or of the library: `15.18`.
    pub server: String,
    /// The file.
    pub written: Written,
    /// The newest receipt that stood there; `None` where there was none.
    pub receipt: Option<ReceiptRef>,
    /// What stood there.
    pub schema: Schema,
    /// What stood in the tables, where it was looked at.
    pub data: Option<(DataMode, Data)>,
}

/// A file that was written, or read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Its size in bytes.
    pub size: u64,
    /// BLAKE3 of its bytes.
    pub blake3: Checksum,
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
}

/// How much of a backup is put into a new database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Everything, with owners and grants.
    Kept,
    /// Everything but owners and grants: it all belongs to the role that restores.
    Left,
}

/// Why a backup was not restored. What was begun is for the caller to drop.
#[derive(Debug)]
pub enum RestoreError {
    /// This role may not give things to their owners, or grant what was granted.
    NotAllowed {
        /// What the server says.
        why: String,
    },
    /// Anything else.
    Target(Box<TargetError>),
}

impl From<TargetError> for RestoreError {
    fn from(error: TargetError) -> Self {
        Self::Target(Box::new(error))
    }
}

/// A new database that was made to restore into: nothing is in it.
#[derive(Debug)]
pub struct NewDatabase {
    /// Where it is.
    pub address: Address,
    /// For people: `app_copy on 127.0.0.1:5432`, or the file.
    pub shown: String,
    /// The database to drop it from; `None` for a file.
    pub(super) beside: Option<Address>,
}

/// Restores a backup into a database that is empty: the file at its address, or the database on its server.
///
/// # Errors
/// [`RestoreError`].
pub fn restore(
    from: &Path,
    made_by: &str,
    into: &Address,
    rights: Rights,
    programs: &Programs,
    watch: &mut Watch<'_>,
) -> Result<(), RestoreError> {
    match into {
        Address::Sqlite(path) => Ok(sqlite::restore(from, path, watch)?),
        Address::Postgresql(settings) => {
            postgres::restore(from, made_by, settings, rights, programs, watch)
        }
    }
}

/// Makes a new, empty database: of that name, on the server of the target at an address; or names a new
/// file, relative to `base`. The target itself is left alone, and need not be there any more.
///
/// # Errors
/// [`TargetError`], where it is there already too.
pub fn create(target: &Address, name: &str, base: &Path) -> Result<NewDatabase, TargetError> {
    match target {
        Address::Sqlite(_) => sqlite::create(&base.join(name)),
        Address::Postgresql(settings) => postgres::create(settings, name),
    }
}

/// Whether a name, without the folder of a file, is one of the scratch databases beside a target: what
/// stands under it is dropped when one is made.
#[must_use]
pub fn is_of_scratch(target: &Address, name: &str) -> bool {
    match target {
        Address::Sqlite(_) => name.contains(sqlite::SCRATCH_MARK),
        Address::Postgresql(_) => name.starts_with(postgres::SCRATCH_PREFIX),
    }
}

impl NewDatabase {
    /// Drops what was made.
    ///
    /// # Errors
    /// Whatever the server or the file says: then it is still there.
    pub fn discard(self) -> Result<(), TargetError> {
        match (&self.address, &self.beside) {
            (Address::Postgresql(made), Some(Address::Postgresql(beside))) => {
                postgres::drop_database(beside, made.database_name())
            }
            _ => Ok(()),
        }
    }
}

/// What a file's first bytes say that it is a backup of.
///
/// # Errors
/// When it cannot be read.
pub fn kind_of(path: &Path) -> io::Result<Option<Engine>> {
    let mut beginning = Vec::new();
    File::open(path)?.take(16).read_to_end(&mut beginning)?;
    Ok(if beginning.starts_with(b"PGDMP") {
        Some(Engine::Postgresql)
    } else if beginning == b"SQLite format 3\0" {
        Some(Engine::Sqlite)
    } else {
        None
    })
}

/// Reads a file to its end and hashes it.
///
/// # Errors
/// When it cannot be read, or somebody asked to stop ([`io::ErrorKind::Interrupted`]).
pub fn read_through(path: &Path, watch: &mut Watch<'_>) -> io::Result<Written> {
    let mut file = File::open(path)?;
    let of = file.metadata()?.len();
    let begun = std::time::Instant::now();
    let mut digests = Digests::default();
    let mut size = 0;
    let mut piece = vec![0; PIECE];
    loop {
        if (watch.give_up)() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let read = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        digests.update(piece.get(..read).unwrap_or_default());
        size += read as u64;
        (watch.tell)(BackupNews::Bytes {
            done: size,
            of: Some(of),
            took: begun.elapsed(),
        });
    }
    let (blake3, sha256) = digests.finish();
    Ok(Written {
        size,
        blake3,
        sha256,
    })
}

/// How much is read or written at once.
pub(super) const PIECE: usize = 256 * 1024;

/// A new file that only its owner may read, hashed as it is written.
#[derive(Debug)]
pub(super) struct Sink {
    path: PathBuf,
    file: File,
    digests: Digests,
    size: u64,
}

impl Sink {
    pub(super) fn create(path: &Path) -> Result<Self, TargetError> {
        let file = new_file(path).map_err(|error| cannot_write(path, 0, &error))?;
        crate::failpoint::hit("backup.created");
        Ok(Self::into(path, file))
    }

    /// Writes into a file that is there, and empty.
    pub(super) fn over(path: &Path) -> Result<Self, TargetError> {
        let file = OpenOptions::new().write(true).open(path);
        let file = file.map_err(|error| cannot_write(path, 0, &error))?;
        Ok(Self::into(path, file))
    }

    fn into(path: &Path, file: File) -> Self {
        Self {
            path: path.to_owned(),
            file,
            digests: Digests::default(),
            size: 0,
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), TargetError> {
        crate::failpoint::hit("backup.write.before");
        self.file
            .write_all(bytes)
            .map_err(|error| cannot_write(&self.path, self.size, &error))?;
        crate::failpoint::hit("backup.write.after");
        self.digests.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// All of it is on the disk when this returns.
    pub(super) fn finish(self) -> Result<Written, TargetError> {
        self.file
            .sync_all()
            .map_err(|error| cannot_write(&self.path, self.size, &error))?;
        crate::failpoint::hit("backup.synced");
        let (blake3, sha256) = self.digests.finish();
        Ok(Written {
            size: self.size,
            blake3,
            sha256,
        })
    }
}

/// Makes a file that was not there, which only its owner may read.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] where it is there.
pub fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// What the system said while a file of a backup was written.
pub(super) fn cannot_write(path: &Path, written: u64, error: &io::Error) -> TargetError {
    let folder = path.parent().unwrap_or(path);
    let (fact, remedy) = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            (
                format!(
                    "no room for the backup in {}: {}, after {}",
                    folder.display(),
                    plain(error),
                    size_in_words(written)
                ),
                Some(format!(
                    "df -h '{}'   # and make room, or keep fewer backups",
                    folder.display()
                )),
            )
        }
        _ => (
            format!("{} cannot be written: {}", path.display(), plain(error)),
            Some(format!("ls -ld '{}'", folder.display())),
        ),
    };
    TargetError {
        kind: TargetErrorKind::Other,
        fact,
        remedy,
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

/// Somebody asked to stop.
#[must_use]
pub fn interrupted(what: &str) -> TargetError {
    TargetError {
        kind: TargetErrorKind::Interrupted,
        fact: format!("interrupted: {what}"),
        remedy: None,
    }
}
