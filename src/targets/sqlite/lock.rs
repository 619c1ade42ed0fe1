//! The run's lock: a lock file beside the database, held as long as the file is open.
//!
//! The operating system gives it back when the process ends, however it ends, so the file itself
//! stays and means nothing: who holds it is asked of the system, and the text in it only names them.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::errors;
use crate::targets::{TargetError, TargetErrorKind};

/// The lock, held. Dropping it gives it back.
#[derive(Debug)]
pub(super) struct RunLock {
    path: PathBuf,
    file: File,
}

/// `dev.db` is locked by `dev.db.tollgate-lock`.
pub(super) fn path_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".tollgate-lock");
    PathBuf::from(name)
}

/// Whether somebody holds the lock of `database` now, as far as that can be told. Makes no file.
pub(super) fn is_held(database: &Path) -> bool {
    let file = File::open(path_of(database));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

impl RunLock {
    /// Takes the lock of `database`, creating the lock file and its folder.
    pub(super) fn take(
        database: &Path,
        wait: Duration,
        give_up: &dyn Fn() -> bool,
        waiting: &mut dyn FnMut(&str),
    ) -> Result<Self, TargetError> {
        let path = path_of(database);
        if let Some(folder) = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
        {
            std::fs::create_dir_all(folder)
                .map_err(|error| errors::io("create the folder", folder, &error))?;
        }
        let started = Instant::now();
        let mut told = false;
        loop {
            crate::failpoint::hit("sqlite.lock.before");
            let mut file = open(&path)?;
            match file.try_lock() {
                Ok(()) => {
                    let lock = Self {
                        path: path.clone(),
                        file,
                    };
                    // Someone may have deleted the file between opening and locking it; then this
                    // is the lock of nothing.
                    if lock.is_still_held() {
                        crate::failpoint::hit("sqlite.lock.taken");
                        lock.sign()?;
                        crate::failpoint::hit("sqlite.lock.signed");
                        return Ok(lock);
                    }
                    continue;
                }
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(errors::io("lock", &path, &error)),
            }
            let holder = holder(&mut file);
            if !told {
                told = true;
                waiting(&holder);
            }
            if give_up() {
                return Err(TargetError {
                    kind: TargetErrorKind::Interrupted,
                    fact: format!(
                        "interrupted while waiting for the lock of {}, held by {holder}",
                        database.display()
                    ),
                    remedy: None,
                });
            }
            let left = wait.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(TargetError {
                    kind: TargetErrorKind::Locked,
                    fact: format!(
                        "{} is locked by {holder}, and {} s of waiting are over",
                        database.display(),
                        wait.as_secs_f32()
                    ),
                    remedy: Some("let the other run end, then run the command again".to_owned()),
                });
            }
            std::thread::sleep(pause().min(left));
        }
    }

    /// Whether the file at the lock's path is still the one that is locked. Where it was deleted,
    /// another runner could take a new one.
    pub(super) fn is_still_held(&self) -> bool {
        match (self.file.metadata(), std::fs::metadata(&self.path)) {
            (Ok(ours), Ok(there)) => same_file(&ours, &there),
            _ => false,
        }
    }

    fn sign(&self) -> Result<(), TargetError> {
        let write = || -> std::io::Result<()> {
            let mut file = &self.file;
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{}", std::process::id())
        };
        write().map_err(|error| errors::io("write", &self.path, &error))
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        crate::failpoint::hit("sqlite.lock.before-release");
        // So that nobody is named who no longer holds it. A failure changes nothing: the lock goes
        // with the file handle.
        let _ = self.file.set_len(0);
        crate::failpoint::hit("sqlite.lock.unsigned");
    }
}

fn open(path: &Path) -> Result<File, TargetError> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| errors::io("create the lock file", path, &error))
}

/// Who holds the lock, as far as the file tells.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.take(64).read_to_string(&mut text);
    match (read, text.trim().parse::<u32>()) {
        (Ok(_), Ok(pid)) => format!("process {pid}"),
        _ => "another process".to_owned(),
    }
}

/// 20 to 80 ms, drawn each time, so that several who wait do not ask in step.
fn pause() -> Duration {
    let drawn = getrandom::u32().unwrap_or(0);
    Duration::from_millis(20 + u64::from(drawn % 61))
}

#[cfg(unix)]
fn same_file(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    one.dev() == other.dev() && one.ino() == other.ino()
}

/// Elsewhere a file that is open cannot be deleted or replaced.
#[cfg(not(unix))]
fn same_file(_: &std::fs::Metadata, _: &std::fs::Metadata) -> bool {
    true
}
