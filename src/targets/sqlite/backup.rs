//! Taking a backup by SQLite's own online backup, and putting one into a new file.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _};

use super::connection::{Missing, connect_own};
use super::{data, errors, fingerprint, store};
use crate::model::DataMode;
use crate::model::entry::ReceiptRef;
use crate::targets::address::Address;
use crate::targets::backup::{
    BackupNews, BackupRequest, Look, NewDatabase, PIECE, Sink, TakenBackup, Watch, cannot_write,
    interrupted, new_file, read_through,
};
use crate::targets::{TargetError, TargetErrorKind};

/// So many pages are copied between two looks at whoever waits: 4 MiB of the usual ones.
const PAGES: i32 = 1024;
/// How long to wait where another program writes in this moment.
const PAUSE: Duration = Duration::from_millis(20);

pub(super) fn take(
    path: &Path,
    busy: Duration,
    request: &BackupRequest<'_>,
    watch: &mut Watch<'_>,
) -> Result<TakenBackup, TargetError> {
    let told = |error| errors::target(path, &error);
    let source = connect_own(path, Missing::Refuse, busy)?;
    // One read transaction, until the last page is copied: all that is read in it is of one moment.
    let moment = source.unchecked_transaction().map_err(told)?;
    let receipt = head(path, &moment)?;
    let schema = fingerprint::schema(path, fingerprint::objects(&moment).map_err(told)?)?;
    let data = match request.look {
        Look::No => None,
        Look::BySize | Look::As(_) => {
            (watch.tell)(BackupNews::Doing("reading the data, to compare with"));
            let mode = match request.look {
                Look::As(mode) => mode,
                Look::No | Look::BySize => DataMode::for_size(data::size(path, &moment)?),
            };
            let read = data::read_within(&moment, mode).map_err(told)?;
            Some((mode, read.data))
        }
    };
    copy(path, &source, busy, request.into, watch)?;
    moment.rollback().map_err(told)?;
    crate::failpoint::hit("backup.copied");
    look_through(request.into, watch)?;
    sync(request.into)?;
    (watch.tell)(BackupNews::Doing("hashing it"));
    let written = read_through(request.into, watch).map_err(|error| match error.kind() {
        std::io::ErrorKind::Interrupted => interrupted("what was begun is taken back"),
        _ => errors::io("read", request.into, &error),
    })?;
    Ok(TakenBackup {
        made_by: format!("sqlite {}", rusqlite::version()),
        server: rusqlite::version().to_owned(),
        written,
        receipt,
        schema,
        data,
    })
}

fn head(path: &Path, moment: &Connection) -> Result<Option<ReceiptRef>, TargetError> {
    let told = |error| errors::target(path, &error);
    if !store::is_entered(moment).map_err(told)? {
        return Ok(None);
    }
    let row: Option<(i64, String)> = moment
        .query_row(
            "SELECT seq, hash FROM main.tollgate_receipt ORDER BY seq DESC LIMIT 1",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
        .map_err(told)?;
    let Some((seq, hash)) = row else {
        return Ok(None);
    };
    Ok(Some(ReceiptRef {
        seq: store::unsigned(seq),
        hash: store::parsed(path, "tollgate_receipt", &hash)?,
    }))
}

fn copy(
    path: &Path,
    source: &Connection,
    busy: Duration,
    into: &Path,
    watch: &mut Watch<'_>,
) -> Result<(), TargetError> {
    new_file(into).map_err(|error| cannot_write(into, 0, &error))?;
    crate::failpoint::hit("backup.created");
    let told = |error: rusqlite::Error| errors::target(into, &error);
    let mut copy = open(into).map_err(told)?;
    // It is nobody's until it is whole and renamed: a journal of its own would only be in the way.
    let page: u32 = source
        .query_row("PRAGMA page_size", [], |row| row.get(0))
        .map_err(|error| errors::target(path, &error))?;
    for pragma in ["PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF"] {
        copy.execute_batch(pragma).map_err(told)?;
    }
    let backup = Backup::new(source, &mut copy).map_err(told)?;
    let begun = Instant::now();
    let mut waiting = None;
    loop {
        if (watch.give_up)() {
            return Err(interrupted("what was begun is taken back"));
        }
        crate::failpoint::hit("backup.write.before");
        let step = backup.step(PAGES);
        crate::failpoint::hit("backup.write.after");
        let progress = backup.progress();
        let [of, left] = [progress.pagecount, progress.remaining]
            .map(|pages| u64::try_from(pages).unwrap_or(0) * u64::from(page));
        let done = of.saturating_sub(left);
        let step = step.map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => cannot_write(into, done, &ErrorKind::StorageFull.into()),
            _ => told(error),
        })?;
        (watch.tell)(BackupNews::Bytes {
            done,
            of: Some(of),
            took: begun.elapsed(),
        });
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => waiting = None,
            _ => {
                let since = *waiting.get_or_insert_with(Instant::now);
                if since.elapsed() > busy {
                    return Err(TargetError {
                        kind: TargetErrorKind::Locked,
                        fact: format!(
                            "{} is locked by another program that writes to it",
                            path.display()
                        ),
                        remedy: Some(
                            "close the other program or let it end, then run the command again"
                                .to_owned(),
                        ),
                    });
                }
                std::thread::sleep(PAUSE);
            }
        }
    }
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
}

/// Whether the copy is a sound database: what is damaged in the source is damaged in it.
fn look_through(into: &Path, watch: &mut Watch<'_>) -> Result<(), TargetError> {
    (watch.tell)(BackupNews::Doing("looking through the copy"));
    let told = |error: rusqlite::Error| errors::target(into, &error);
    let copy = open(into).map_err(told)?;
    let said: Vec<String> = copy
        .prepare("PRAGMA integrity_check(5)")
        .and_then(|mut check| {
            let rows = check.query_map([], |row| row.get(0))?;
            rows.collect()
        })
        .map_err(told)?;
    if said == ["ok"] {
        // A clean goodbye takes away what SQLite keeps beside a file that has a write-ahead log.
        return copy.close().map_err(|(_, error)| told(error));
    }
    Err(TargetError {
        kind: TargetErrorKind::Other,
        fact: format!(
            "the database is damaged, and so would its backup be: {}",
            said.join("; ")
        ),
        remedy: Some(
            "tollgate restore '<the newest sound backup>' --into '<a new file>'".to_owned(),
        ),
    })
}

fn sync(path: &Path) -> Result<(), TargetError> {
    File::options()
        .write(true)
        .open(path)
        .and_then(|file| file.sync_all())
        .map_err(|error| cannot_write(path, 0, &error))?;
    crate::failpoint::hit("backup.synced");
    Ok(())
}

/// Names a new file. Nothing is made until something is restored into it.
pub(super) fn create(path: &Path) -> Result<NewDatabase, TargetError> {
    let fact = match path.try_exists() {
        Ok(false) if path.file_name().is_some() => {
            return Ok(NewDatabase {
                address: Address::Sqlite(path.to_owned()),
                shown: path.display().to_string(),
                beside: None,
            });
        }
        Ok(false) => format!("{} does not name a file", path.display()),
        Ok(true) => format!(
            "{} is there already, and nothing is ever restored over a file",
            path.display()
        ),
        Err(error) => return Err(errors::io("look at", path, &error)),
    };
    Err(TargetError {
        kind: TargetErrorKind::Other,
        fact,
        // Whoever knows how it was typed names another one.
        remedy: None,
    })
}

/// Copies a backup to a file that is not there: whole or not at all. A scratch database begins as an empty
/// file, which is nobody's until it is filled.
pub(super) fn restore(from: &Path, into: &Path, watch: &mut Watch<'_>) -> Result<(), TargetError> {
    if into.metadata().is_ok_and(|known| known.len() == 0) {
        return copy_file(from, Sink::over(into)?, watch);
    }
    let part = part(into);
    let copied = Sink::create(&part)
        .and_then(|sink| copy_file(from, sink, watch))
        .and_then(|()| {
            crate::failpoint::hit("sqlite.restore.rename.before");
            put(&part, into)?;
            crate::failpoint::hit("sqlite.restore.rename.after");
            Ok(())
        });
    if copied.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    copied
}

fn part(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

fn copy_file(from: &Path, mut sink: Sink, watch: &mut Watch<'_>) -> Result<(), TargetError> {
    let read = |error: &std::io::Error| errors::io("read", from, error);
    let mut source = File::open(from).map_err(|error| read(&error))?;
    let of = source.metadata().map(|known| known.len()).ok();
    let begun = Instant::now();
    let mut piece = vec![0; PIECE];
    loop {
        if (watch.give_up)() {
            return Err(interrupted("what was begun is taken back"));
        }
        match source.read(&mut piece).map_err(|error| read(&error))? {
            0 => break,
            count => sink.write(piece.get(..count).unwrap_or_default())?,
        }
        (watch.tell)(BackupNews::Bytes {
            done: sink.size(),
            of,
            took: begun.elapsed(),
        });
    }
    sink.finish().map(drop)
}

/// Gives the copy its name, where nobody has it meanwhile: a rename would take it from whoever has.
fn put(part: &Path, into: &Path) -> Result<(), TargetError> {
    std::fs::hard_link(part, into).map_err(|error| cannot_write(into, 0, &error))?;
    std::fs::remove_file(part).map_err(|error| cannot_write(part, 0, &error))?;
    if let Some(folder) = into.parent() {
        // So that the name is on the disk, and not only what it names.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
    }
    Ok(())
}
