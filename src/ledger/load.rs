//! What stands in a ledger's file: verified, put in order and added up.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, Params, params};

use super::assemble::assemble;
use super::chain::{RowRef, Walk, stray};
use super::error::{Behind, LedgerError, LedgerErrorKind};
use super::head::Written;
use super::order;
use super::read::{Entries, Loaded, check_is_ledger, gone};
use super::snapshot::{self, Resumed, sound};
use super::view::View;
use crate::digest::{ChainHash, Checksum};
use crate::model::entry::Head;
use crate::model::{Entry, Fact, Policy, WriterId};

/// The writer that goes on in this file, and where the file stood.
pub(super) type Place = Option<(WriterId, String)>;

/// What is asked of a ledger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) entries: Entries,
    pub(super) written: Written,
    /// Whether every entry is to be verified and folded, also where a snapshot stands for most of them.
    pub(super) whole: bool,
}

impl Wanted {
    /// What the entries add up to.
    pub(super) fn state(written: Written) -> Self {
        Self {
            entries: Entries::Drop,
            written,
            whole: false,
        }
    }

    /// The same, from the entries alone.
    pub(super) fn whole(written: Written) -> Self {
        Self {
            whole: true,
            ..Self::state(written)
        }
    }
}

pub(super) const MAIN: &str = "SELECT writer, number, hash, body FROM entry ORDER BY position";
const ASIDE: &str = "SELECT writer, number, hash, body FROM aside \
     WHERE hash NOT IN (SELECT hash FROM entry) ORDER BY position";

pub(super) fn load(
    path: &Path,
    connection: &Connection,
    wanted: Wanted,
    policy: &Policy,
) -> Result<(Loaded, Place), LedgerError> {
    let unsound = |unsound| LedgerError::new(path, LedgerErrorKind::Unsound(unsound));
    let mut loaded = Loaded::default();
    let version = check_is_ledger(path, connection)?;
    if version == 0 {
        gone(path, wanted.written)?;
        return Ok((loaded, None));
    }
    let place = place(path, connection)?;
    let writer = place.as_ref().map(|(writer, _)| *writer);
    if version > 2
        && !wanted.whole
        && wanted.entries == Entries::Drop
        && is_there(path, connection, wanted.written)?
        && let Some(resumed) = snapshot::resume(path, connection, (writer, policy))?
    {
        let Resumed {
            view,
            walk,
            source,
            after,
            ..
        } = resumed;
        loaded.view = view;
        loaded.heads = walk.heads().copied().collect();
        loaded.source = source;
        loaded.unfolded = after;
        loaded.kept = kept(path, connection)?;
        return Ok((loaded, place));
    }
    let mut due = wanted.written.head();
    let mut walk = Walk::default();
    let mut line = Line::default();
    each(path, connection, MAIN, [], &mut |row| {
        let (hash, entry) = sound(path, &mut walk, row)?;
        loaded.unfolded += 1;
        let here =
            |due: Head| (due.writer, due.number, due.hash) == (entry.writer, entry.number, hash);
        due = due.filter(|due| !here(*due));
        if line.goes_on(&entry, hash) {
            loaded.view.step(&entry);
        }
        if wanted.entries == Entries::Keep {
            loaded.entries.push((hash, entry));
        }
        Ok(())
    })?;
    loaded.heads = walk.heads().copied().collect();
    if let Some(written) = due {
        let behind = Behind {
            written,
            ends: walk.head(written.writer).map(|head| head.number),
            sound: loaded.heads,
        };
        let kind = LedgerErrorKind::Behind(Box::new(behind));
        return Err(LedgerError::new(path, kind));
    }
    let mut aside = Vec::new();
    if version > 1 {
        each(path, connection, ASIDE, [], &mut |row| {
            aside.push(stray(row).map_err(unsound)?);
            Ok(())
        })?;
    }
    if line.is_broken || !aside.is_empty() {
        let mut main = std::mem::take(&mut loaded.entries);
        if wanted.entries == Entries::Drop {
            each(path, connection, MAIN, [], &mut |row| {
                let entry = Entry::from_body(row.body);
                let read = entry.map(|entry| (Entry::hash_of(row.body.as_bytes()), entry));
                main.extend(read);
                Ok(())
            })?;
        }
        let (counted, strays) = assemble(main, aside);
        let ordered = order::sort(counted);
        let mut view = View::default();
        for (_, entry) in &ordered {
            view.step(entry);
        }
        loaded.view = view;
        loaded.strays = strays;
        if wanted.entries == Entries::Keep {
            loaded.entries = ordered;
        }
    }
    loaded.kept = kept(path, connection)?;
    loaded.view.stand(writer, None, policy);
    Ok((loaded, place))
}

/// The same from all entries, compared with what a snapshot tells.
///
/// # Errors
/// As [`load`].
pub(super) fn load_and_compare(
    path: &Path,
    connection: &Connection,
    written: Written,
    policy: &Policy,
) -> Result<(Loaded, snapshot::Agreement), LedgerError> {
    let (loaded, place) = load(path, connection, Wanted::whole(written), policy)?;
    let agreement = match check_is_ledger(path, connection)? {
        ..3 => snapshot::Agreement::None,
        _ => {
            let writer = place.map(|(writer, _)| writer);
            snapshot::compare(path, connection, &loaded.view, (writer, policy))?
        }
    };
    Ok((loaded, agreement))
}

fn place(path: &Path, connection: &Connection) -> Result<Place, LedgerError> {
    let found = connection
        .query_row(
            "SELECT writer, place FROM place ORDER BY position DESC LIMIT 1",
            [],
            |row| Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, String>(1)?)),
        )
        .optional()
        .map_err(|error| LedgerError::sqlite(path, &error))?;
    Ok(found.map(|(writer, place)| (WriterId::from_bytes(writer), place)))
}

/// Whether the entry is there that was written here last. Where it is not, all entries are looked at: then
/// it is told how far they go.
fn is_there(path: &Path, connection: &Connection, written: Written) -> Result<bool, LedgerError> {
    let Some(head) = written.head() else {
        return Ok(true);
    };
    let number = i64::try_from(head.number).unwrap_or(-1);
    let sql = "SELECT EXISTS (SELECT 1 FROM entry WHERE hash = ?1 AND writer = ?2 AND number = ?3)";
    let values = params![head.hash.as_bytes(), head.writer.as_bytes(), number];
    connection
        .query_row(sql, values, |row| row.get(0))
        .map_err(|error| LedgerError::sqlite(path, &error))
}

/// Whether some entry is kept aside and does not count yet.
pub(super) fn strays_stand(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM aside WHERE hash NOT IN (SELECT hash FROM entry))";
    connection.query_row(sql, [], |row| row.get(0))
}

/// Whether the entries come as one line: each writer goes on from the very entry before it. Then the
/// order in which they arrived is their order, and nothing has to be sorted.
#[derive(Default)]
pub(super) struct Line {
    last: Option<Head>,
    pub(super) is_broken: bool,
}

impl Line {
    pub(super) fn goes_on(&mut self, entry: &Entry, hash: ChainHash) -> bool {
        let follows = match (&entry.fact, self.last) {
            (_, Some(last)) if last.writer == entry.writer => true,
            (Fact::Opened(opened), last) => opened.after == last,
            (_, last) => last.is_none(),
        };
        self.is_broken |= !follows;
        self.last = Some(Head {
            writer: entry.writer,
            number: entry.number,
            hash,
        });
        !self.is_broken
    }
}

pub(super) fn each(
    path: &Path,
    connection: &Connection,
    query: &str,
    values: impl Params,
    step: &mut dyn FnMut(RowRef<'_>) -> Result<(), LedgerError>,
) -> Result<(), LedgerError> {
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let mut statement = connection.prepare(query).map_err(failed)?;
    let mut rows = statement.query(values).map_err(failed)?;
    while let Some(row) = rows.next().map_err(failed)? {
        let bytes = |place: usize| Ok(row.get_ref(place)?.as_blob()?);
        // SQLite keeps whatever bytes somebody wrote as text. What is no UTF-8 was never hashed, and
        // goes on as the empty text, which is no entry under any hash.
        let body = row.get_ref(3).map_err(failed)?;
        step(RowRef {
            writer: bytes(0).map_err(failed)?,
            number: row.get(1).map_err(failed)?,
            hash: bytes(2).map_err(failed)?,
            body: body.as_str().unwrap_or_default(),
        })?;
    }
    Ok(())
}

/// The exact bytes of every entry, verified before; those that do not count last.
pub(super) fn exported(path: &Path, connection: &Connection) -> Result<Vec<String>, LedgerError> {
    let mut bodies = Vec::new();
    let mut take = |row: RowRef<'_>| {
        bodies.push(row.body.to_owned());
        Ok(())
    };
    let version = check_is_ledger(path, connection)?;
    if version > 0 {
        each(path, connection, MAIN, [], &mut take)?;
    }
    if version > 1 {
        each(path, connection, ASIDE, [], &mut take)?;
    }
    Ok(bodies)
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

/// The checksums whose kept bytes have another one. One script is in memory at a time.
pub(super) fn exchanged(
    path: &Path,
    connection: &Connection,
) -> Result<Vec<Checksum>, LedgerError> {
    if check_is_ledger(path, connection)? == 0 {
        return Ok(Vec::new());
    }
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let mut statement = connection
        .prepare("SELECT checksum, bytes FROM script ORDER BY checksum")
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut wrong = Vec::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let checksum = Checksum::from_bytes(row.get(0).map_err(failed)?);
        let bytes = row
            .get_ref(1)
            .and_then(|bytes| Ok(bytes.as_bytes()?))
            .map_err(failed)?;
        if Checksum::of(bytes) != checksum {
            wrong.push(checksum);
        }
    }
    Ok(wrong)
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
        Some(bytes) if Checksum::of(&bytes) != checksum => Err(other_bytes(path, checksum)),
        bytes => Ok(bytes),
    }
}

fn other_bytes(path: &Path, checksum: Checksum) -> LedgerError {
    let said = format!("the bytes kept for {checksum} have another checksum");
    LedgerError::new(path, LedgerErrorKind::Corrupt(said))
}

/// Every script that is kept. What is no UTF-8 is shown with a sign in its place.
pub(super) fn scripts(
    path: &Path,
    connection: &Connection,
) -> Result<BTreeMap<Checksum, String>, LedgerError> {
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    if check_is_ledger(path, connection)? == 0 {
        return Ok(BTreeMap::new());
    }
    let mut statement = connection
        .prepare("SELECT checksum, bytes FROM script")
        .map_err(failed)?;
    let mut rows = statement.query([]).map_err(failed)?;
    let mut scripts = BTreeMap::new();
    while let Some(row) = rows.next().map_err(failed)? {
        let checksum = Checksum::from_bytes(row.get(0).map_err(failed)?);
        let bytes: Vec<u8> = row.get(1).map_err(failed)?;
        if Checksum::of(&bytes) != checksum {
            return Err(other_bytes(path, checksum));
        }
        scripts.insert(checksum, String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(scripts)
}
