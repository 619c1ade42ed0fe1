//! A snapshot of the state, kept in the ledger's file, so that a long ledger opens as fast as a short one.
//!
//! It is no evidence. It stands for the first so many entries in their order, and names the newest of each
//! writer among them; whoever opens the ledger folds what comes after, and verifies those entries. What is
//! damaged, of another version, or does not agree with the entries is not used: then all entries are
//! folded. `tollgate verify` folds all of them anyway, and compares ([`compare`]).
//!
//! Most of a long history is never asked for again: databases of CI that are gone, attempts that ended. So
//! the lives of targets and the attempts stand by themselves, and are read when an entry speaks of them
//! ([`Source::fetch`]).

mod codec;
mod compare;
mod make;
mod parts;
mod source;

pub(super) use compare::compare;
pub(super) use make::make;
pub(super) use source::Source;

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::chain::{Unsound, Walk};
use super::error::{LedgerError, LedgerErrorKind};
use super::load::{each, strays_stand};
use super::order::{self, Key};
use super::view::{View, says};
use crate::digest::ChainHash;
use crate::model::entry::Head;
use crate::model::{Entry, EnvironmentName, IncarnationId, Policy, WriterId};
use codec::{Damaged, Kept, Reader, Writer};
use parts::{Covered, Folded};

/// Of the program and of the fold: raised whenever entries add up to something else, or are written in
/// another way, than before.
const VERSION: &str = concat!("tollgate ", env!("CARGO_PKG_VERSION"), " fold 4");
/// The context of a part's digest.
const CONTEXT: &str = "tollgate 2026 ledger snapshot v1";
/// So many of the newest entries are never in a snapshot: each opening verifies them, and what arrives
/// late from others finds its place among them.
pub(super) const NEWEST: u64 = 512;
/// A snapshot is made anew when so many more entries have come.
pub(super) const WORTH: u64 = 1024;
/// What comes after a snapshot is put in order in memory; where it is more than this, all is folded.
const MOST: u64 = 200_000;

/// How a snapshot and the entries agree; what `verify` finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// There is none, or another version wrote it.
    None,
    /// It is damaged, or entries came since that belong before its last one: nothing reads it.
    Unused,
    /// It is what the entries up to its last one add up to; so many are they.
    Same(u64),
    /// It is read, and tells something else than the entries.
    Differs,
}

/// The state, folded from a snapshot.
pub(super) struct Resumed {
    pub(super) view: View,
    pub(super) walk: Walk,
    pub(super) source: Source,
    /// How many entries came after it.
    pub(super) after: u64,
    covered: Covered,
}

fn digest(part: &str, body: &[u8]) -> ChainHash {
    ChainHash::of_pieces(CONTEXT, &[part.as_bytes(), &[0], body])
}

fn name_of(environment: &EnvironmentName, life: IncarnationId) -> String {
    format!("life {environment} {life}")
}

fn name_of_bindings(environment: &EnvironmentName, place: usize) -> String {
    format!("bindings {environment} {place}")
}

const PART: &str = "SELECT digest, body FROM snapshot WHERE part = ?1 AND version = ?2";

/// Reads one part; `None` where it is not there, or is not what was written.
fn part<T: Kept>(connection: &Connection, name: &str, known: Option<ChainHash>) -> Option<T> {
    let mut statement = connection.prepare_cached(PART).ok()?;
    let mut rows = statement.query([name, VERSION]).ok()?;
    let row = rows.next().ok()??;
    let written = ChainHash::from_bytes(row.get(0).ok()?);
    let body = row.get_ref(1).ok()?.as_blob().ok()?;
    if digest(name, body) != written || known.is_some_and(|known| known != written) {
        return None;
    }
    let mut reader = Reader::new(body).ok()?;
    let thing = T::take(&mut reader).ok()?;
    reader.end().ok()?;
    Some(thing)
}

fn whole<T: Kept>(thing: &T) -> Vec<u8> {
    let mut out = Writer::default();
    thing.put(&mut out);
    out.finish()
}

/// Whether a file has a snapshot of this version, whatever it is worth.
fn stands(connection: &Connection) -> bool {
    let sql = "SELECT 1 FROM snapshot WHERE part = 'state' AND version = ?1";
    let found = connection.query_row(sql, [VERSION], |_| Ok(()));
    matches!(found.optional(), Ok(Some(())))
}

fn folded(connection: &Connection) -> Option<Folded> {
    let mut folded: Folded = part(connection, "state", None)?;
    for (environment, lives) in &folded.lives {
        let here = folded.view.environments.get_mut(environment)?;
        here.held = lives.lives.clone();
    }
    Some(folded)
}

/// A snapshot, and the entries after it in their order.
struct Begun {
    folded: Folded,
    walk: Walk,
    tail: Vec<(Key, ChainHash, Entry)>,
}

/// Reads a snapshot and what comes after it, verified; `None` where it cannot be used.
fn begin(path: &Path, connection: &Connection) -> Result<Option<Begun>, LedgerError> {
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let Some(folded) = folded(connection) else {
        return Ok(None);
    };
    // What waits or contradicts itself is weighed with everything.
    if strays_stand(connection).map_err(failed)? {
        return Ok(None);
    }
    let covered = &folded.covered;
    if !agrees(connection, covered).map_err(failed)? {
        return Ok(None);
    }
    let newest = newest(connection).map_err(failed)?;
    // Where the entry has come since that a writer goes on from, that writer's own stand elsewhere in the order.
    let number = |writer: &WriterId| covered.heads.get(writer).map_or(0, |head| head.number);
    let moves = |(writer, after): (&WriterId, &Head)| {
        covered.heads.contains_key(writer)
            && after.number > number(&after.writer)
            && newest
                .get(&after.writer)
                .is_some_and(|newest| *newest >= after.number)
    };
    if folded.view.after.iter().any(moves) {
        return Ok(None);
    }
    let held: u64 = newest.values().sum();
    let after = held.saturating_sub(covered.count);
    if after > MOST {
        return Ok(None);
    }
    let mut walk = Walk::from_heads(covered.heads.clone());
    let mut entries = Vec::with_capacity(usize::try_from(after).unwrap_or(0));
    for (writer, number) in newest {
        let from = covered.heads.get(&writer).map_or(0, |head| head.number);
        if number > from {
            rest(path, connection, (writer, from), &mut walk, &mut entries)?;
        }
    }
    let mut order = folded.view.order.clone();
    if !entries.iter().all(|(_, entry)| order.can_place(entry)) {
        return Ok(None);
    }
    let tail = order::sort_after(&mut order, entries);
    let follows = |(key, ..): &(Key, ChainHash, Entry)| *key > folded.covered.last;
    Ok(tail
        .first()
        .is_none_or(follows)
        .then_some(Begun { folded, walk, tail }))
}

/// Whether the entries that a snapshot names are there, with those bytes.
fn agrees(connection: &Connection, covered: &Covered) -> rusqlite::Result<bool> {
    let sql = "SELECT body FROM entry WHERE hash = ?1 AND writer = ?2 AND number = ?3";
    let mut statement = connection.prepare(sql)?;
    for head in covered.heads.values() {
        let number = i64::try_from(head.number).unwrap_or(-1);
        let mut rows = statement.query(params![
            head.hash.as_bytes(),
            head.writer.as_bytes(),
            number
        ])?;
        let Some(row) = rows.next()? else {
            return Ok(false);
        };
        let body = row.get_ref(0)?;
        if Entry::hash_of(body.as_bytes().unwrap_or_default()) != head.hash {
            return Ok(false);
        }
    }
    let count: u64 = covered.heads.values().map(|head| head.number).sum();
    Ok(count == covered.count)
}

/// The number of each writer's newest entry. By steps through the index, not through all entries.
fn newest(connection: &Connection) -> rusqlite::Result<BTreeMap<WriterId, u64>> {
    let mut next = connection.prepare(
        "SELECT writer, number FROM entry WHERE writer > ?1 ORDER BY writer DESC, number DESC LIMIT 1",
    )?;
    // From the last writer down: each step finds the newest entry of the writer before.
    let mut below = connection.prepare(
        "SELECT writer, number FROM entry WHERE writer < ?1 ORDER BY writer DESC, number DESC LIMIT 1",
    )?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, [u8; 16]>(0)?, row.get::<_, i64>(1)?));
    let mut newest = BTreeMap::new();
    // The empty blob is before every writer.
    let mut found = next.query_row([&[][..]], read).optional()?;
    while let Some((writer, number)) = found {
        newest.insert(
            WriterId::from_bytes(writer),
            u64::try_from(number).unwrap_or(0),
        );
        found = below.query_row([writer], read).optional()?;
    }
    Ok(newest)
}

/// A writer's entries above a number.
fn rest(
    path: &Path,
    connection: &Connection,
    (writer, above): (WriterId, u64),
    walk: &mut Walk,
    entries: &mut Vec<(ChainHash, Entry)>,
) -> Result<(), LedgerError> {
    let sql = "SELECT writer, number, hash, body FROM entry \
               WHERE writer = ?1 AND number > ?2 ORDER BY number";
    let above = i64::try_from(above).unwrap_or(i64::MAX);
    each(
        path,
        connection,
        sql,
        params![writer.as_bytes(), above],
        &mut |row| {
            entries.push(sound(path, walk, row)?);
            Ok(())
        },
    )
}

/// The next entry of its writer's chain, verified.
pub(super) fn sound(
    path: &Path,
    walk: &mut Walk,
    row: super::chain::RowRef<'_>,
) -> Result<(ChainHash, Entry), LedgerError> {
    let unsound = |unsound| LedgerError::new(path, LedgerErrorKind::Unsound(unsound));
    let (hash, entry) = walk.step_ref(row).map_err(unsound)?;
    says(&entry).map_err(|what| {
        let mut sound: Vec<Head> = walk.heads().copied().collect();
        sound.retain(|head| head.hash != hash);
        unsound(Box::new(Unsound {
            writer: entry.writer.to_string(),
            number: row.number,
            what,
            sound,
        }))
    })?;
    Ok((hash, entry))
}

/// What a snapshot and the entries after it add up to; `None` where there is none that can be used.
///
/// # Errors
/// Where an entry after it does not hold, or the file cannot be read.
pub(super) fn resume(
    path: &Path,
    connection: &Connection,
    policy: (Option<WriterId>, &Policy),
) -> Result<Option<Resumed>, LedgerError> {
    let Some(begun) = begin(path, connection)? else {
        return Ok(None);
    };
    Ok(go_on(connection, begun, policy).ok())
}

fn go_on(
    connection: &Connection,
    begun: Begun,
    (writer, policy): (Option<WriterId>, &Policy),
) -> Result<Resumed, Damaged> {
    let Begun { folded, walk, tail } = begun;
    let mut view = folded.view;
    let source = Source {
        lives: folded.lives,
        is_used: true,
    };
    source.fetch_wanted(connection, &mut view)?;
    for (_, _, entry) in &tail {
        source.fetch(connection, &mut view, entry.writer, &entry.fact)?;
        view.step(entry);
    }
    view.stand(writer, None, policy);
    source.fetch_present(connection, &mut view)?;
    Ok(Resumed {
        view,
        walk,
        source,
        after: tail.len() as u64,
        covered: folded.covered,
    })
}
