//! Where a ledger stands, and the lock by which processes take turns.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::{LedgerError, LedgerErrorKind};

/// What the file of the lock is called: the ledger's name and this.
pub(super) const LOCK: &str = "lock";

/// Where this ledger stands: the machine and the run of it, the path and the file itself (device and
/// inode, and when it was made, where the system tells). A copy has another inode, a moved file another path, a restored
/// backup usually both; each of them then starts a writer of its own.
///
/// # Errors
/// When the file cannot be looked at.
pub(super) fn of(path: &Path, machine: &str) -> Result<String, LedgerError> {
    let full = path
        .canonicalize()
        .map_err(|error| LedgerError::io(path, &error))?;
    let file = file_number(&full).map_err(|error| LedgerError::io(path, &error))?;
    Ok(format!("{machine}\n{}\n{file}", full.display()))
}

#[cfg(unix)]
fn file_number(path: &Path) -> std::io::Result<String> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path)?;
    let number = format!("{}:{}", metadata.dev(), metadata.ino());
    // A number that became free is given to the next file: what tar or git put back may have it again.
    let made = metadata.created().ok();
    let made = made.and_then(|made| made.duration_since(std::time::UNIX_EPOCH).ok());
    Ok(match made {
        Some(made) => format!("{number}:{}", made.as_nanos()),
        None => number,
    })
}

#[cfg(not(unix))]
fn file_number(path: &Path) -> std::io::Result<String> {
    // The creation time stands in for the file's number, which the standard library does not give.
    let created = std::fs::metadata(path)?.created()?;
    let since = created
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    Ok(since.as_nanos().to_string())
}

/// The ledger's lock, held until dropped. The operating system gives it back when the process ends,
/// however it ends.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        crate::failpoint::hit("ledger.lock.before-release");
    }
}

/// The pid that the file of a lock names.
fn holder(path: &Path) -> Option<String> {
    let mut pid = String::new();
    let read = File::open(path).and_then(|mut file| file.read_to_string(&mut pid));
    let pid = read.ok().map(|_| pid.trim().to_owned());
    pid.filter(|pid| !pid.is_empty())
}

fn process(pid: Option<String>) -> String {
    pid.map_or_else(
        || "another process".to_owned(),
        |pid| format!("process {pid}"),
    )
}

/// Who is at work on a ledger now, in words; `None` where nobody is, or it cannot be told. Waits for nobody,
/// and writes nothing.
#[must_use]
pub fn at_work(ledger: &Path) -> Option<String> {
    let path = beside(ledger, LOCK);
    let file = File::open(&path).ok()?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Some(process(holder(&path))),
        Ok(()) | Err(TryLockError::Error(_)) => None,
    }
}

/// A wait that is shorter is not worth a word.
const SOON: Duration = Duration::from_millis(100);

/// Takes the lock file beside the ledger, waiting at most `wait`.
///
/// # Errors
/// [`LedgerErrorKind::Locked`] with the holder's pid, [`LedgerErrorKind::Interrupted`], or the file
/// system's word.
pub(super) fn lock(
    ledger: &Path,
    wait: Duration,
    give_up: &dyn Fn() -> bool,
    waiting: &mut dyn FnMut(&str),
) -> Result<Lock, LedgerError> {
    let path = beside(ledger, LOCK);
    crate::failpoint::hit("ledger.lock.before");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| LedgerError::io(ledger, &error))?;
    let begun = Instant::now();
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::Error(error)) => return Err(LedgerError::io(ledger, &error)),
            Err(TryLockError::WouldBlock) => {}
        }
        if give_up() {
            return Err(LedgerError::new(ledger, LedgerErrorKind::Interrupted));
        }
        let holder = holder(&path);
        if begun.elapsed() >= wait {
            return Err(LedgerError::new(ledger, LedgerErrorKind::Locked(holder)));
        }
        // A program that is just being started holds what its parent has open for a moment.
        if !told && begun.elapsed() >= SOON {
            told = true;
            waiting(&process(holder));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    crate::failpoint::hit("ledger.lock.taken");
    // The pid is only there to be named in a message; a failure to write it changes nothing.
    let _ = file.set_len(0);
    let _ = writeln!(file, "{}", std::process::id());
    crate::failpoint::hit("ledger.lock.signed");
    Ok(Lock { _file: file })
}

/// A file beside the ledger: `ledger.db` and `lock` make `ledger.db.lock`.
pub(super) fn beside(ledger: &Path, what: &str) -> PathBuf {
    let mut name = ledger.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(what);
    ledger.with_file_name(name)
}
