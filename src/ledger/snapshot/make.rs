//! Making a snapshot: further from the one that there is, or from all entries.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, params};

use super::parts::{Covered, Folded};
use super::{
    Begun, Damaged, Source, VERSION, begin, digest, name_of, name_of_bindings, newest, sound, whole,
};
use crate::digest::ChainHash;
use crate::ledger::bindings::Binding;
use crate::ledger::chain::Walk;
use crate::ledger::error::LedgerError;
use crate::ledger::load::{Line, MAIN, each, strays_stand};
use crate::ledger::order::{self, Key};
use crate::ledger::view::View;
use crate::model::entry::Head;
use crate::model::{AttemptId, Entry, IncarnationId, WriterId};

/// Makes a snapshot of all entries but the newest, where that stands for so many more than the one that is
/// there; returns how many entries come after the one that is there now.
///
/// # Errors
/// [`LedgerError`]: nothing was written.
pub(in crate::ledger) fn make(
    path: &Path,
    connection: &mut Connection,
    (newest, worth): (u64, u64),
    anew: bool,
) -> Result<Option<u64>, LedgerError> {
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    crate::failpoint::hit("ledger.snapshot.before");
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(failed)?;
    let forget = "DELETE FROM snapshot; DELETE FROM snapshot_attempt";
    if anew {
        transaction.execute_batch(forget).map_err(failed)?;
    }
    if strays_stand(&transaction).map_err(failed)? {
        transaction.commit().map_err(failed)?;
        return Ok(None);
    }
    let begun = match anew {
        true => None,
        false => begin(path, &transaction)?,
    };
    let made = match begun {
        Some(begun) => match further(&transaction, begun, newest, worth) {
            Ok(Some(made)) => Some(made),
            Ok(None) => return Ok(None),
            Err(Damaged) => from_nothing(path, &transaction, newest, worth)?,
        },
        None => from_nothing(path, &transaction, newest, worth)?,
    };
    let Some(made) = made else {
        transaction.commit().map_err(failed)?;
        return Ok(None);
    };
    if !made.source.is_used {
        transaction.execute_batch(forget).map_err(failed)?;
    }
    let after = made.after;
    save(&transaction, made).map_err(failed)?;
    crate::failpoint::hit("ledger.snapshot.before-commit");
    transaction.commit().map_err(failed)?;
    crate::failpoint::hit("ledger.snapshot.after-commit");
    Ok(Some(after))
}

/// A snapshot to be written.
struct Made {
    view: View,
    covered: Covered,
    source: Source,
    after: u64,
}

fn further(
    connection: &Connection,
    begun: Begun,
    newest: u64,
    worth: u64,
) -> Result<Option<Made>, Damaged> {
    let Begun { folded, tail, .. } = begun;
    let Some(more) = (tail.len() as u64).checked_sub(newest.saturating_add(worth)) else {
        return Ok(None);
    };
    let more = more + worth;
    let mut view = folded.view;
    let mut covered = folded.covered;
    let source = Source {
        lives: folded.lives,
        is_used: true,
    };
    let taken = usize::try_from(more).unwrap_or(usize::MAX);
    for (key, hash, entry) in tail.iter().take(taken) {
        source.fetch(connection, &mut view, entry.writer, &entry.fact)?;
        view.step(entry);
        covered.take(*key, *hash, entry);
    }
    Ok(Some(Made {
        view,
        covered,
        source,
        after: tail.len() as u64 - more,
    }))
}

impl Covered {
    fn take(&mut self, key: Key, hash: ChainHash, entry: &Entry) {
        let head = Head {
            writer: entry.writer,
            number: entry.number,
            hash,
        };
        self.heads.insert(entry.writer, head);
        self.last = key;
        self.count += 1;
    }
}

fn from_nothing(
    path: &Path,
    connection: &Connection,
    after: u64,
    worth: u64,
) -> Result<Option<Made>, LedgerError> {
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let total: u64 = newest(connection).map_err(failed)?.values().sum();
    let upto = match total.checked_sub(after) {
        Some(upto) if upto > 0 && upto >= worth => upto,
        _ => return Ok(None),
    };
    let mut view = View::default();
    let mut covered = Covered {
        heads: BTreeMap::new(),
        last: (i64::MIN, WriterId::from_bytes([0; 16]), 0),
        count: 0,
    };
    let mut walk = Walk::default();
    let mut line = Line::default();
    each(path, connection, MAIN, [], &mut |row| {
        if line.is_broken {
            return Ok(());
        }
        // To the end: where the line breaks later, this is not the order.
        let (hash, entry) = sound(path, &mut walk, row)?;
        if line.goes_on(&entry, hash) && covered.count < upto {
            view.step(&entry);
            let times = view.order.times.get(&entry.writer);
            let time = times.and_then(order::Times::last).unwrap_or(i64::MIN);
            covered.take((time, entry.writer, entry.number), hash, &entry);
        }
        Ok(())
    })?;
    if line.is_broken {
        view = View::default();
        covered.heads.clear();
        covered.count = 0;
        let mut walk = Walk::default();
        let mut entries = Vec::new();
        each(path, connection, MAIN, [], &mut |row| {
            entries.push(sound(path, &mut walk, row)?);
            Ok(())
        })?;
        let sorted = order::sort_after(&mut order::Order::default(), entries);
        let taken = usize::try_from(upto).unwrap_or(usize::MAX);
        for (key, hash, entry) in sorted.iter().take(taken) {
            view.step(entry);
            covered.take(*key, *hash, entry);
        }
    }
    Ok(Some(Made {
        view,
        covered,
        source: Source::default(),
        after,
    }))
}

/// So many of the newest bindings of each environment stand in the state itself.
const AT_HAND: usize = 16;
/// So many of the older ones stand together.
const TOGETHER: usize = 64;

fn save(connection: &Connection, made: Made) -> rusqlite::Result<()> {
    let Made {
        mut view,
        covered,
        source,
        ..
    } = made;
    let mut write = connection.prepare(
        "INSERT INTO snapshot (part, version, digest, body) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (part) DO UPDATE SET \
         version = excluded.version, digest = excluded.digest, body = excluded.body",
    )?;
    let mut write = |name: &str, body: &[u8]| {
        let digest = digest(name, body);
        write.execute(params![name, VERSION, digest.as_bytes(), body])?;
        Ok::<_, rusqlite::Error>(digest)
    };
    let mut attempts = connection.prepare(
        "INSERT INTO snapshot_attempt (environment, attempt, life) VALUES (?1, ?2, ?3) \
         ON CONFLICT (environment, attempt) DO UPDATE SET life = excluded.life",
    )?;
    let mut lives = source.lives;
    for (name, here) in &mut view.environments {
        let held = lives.entry(name.clone()).or_default();
        let of_held = held.lives.iter().copied().zip(held.digests.drain(..));
        let mut digests: BTreeMap<IncarnationId, ChainHash> = of_held.collect();
        for (life, known) in &here.lives {
            digests.insert(*life, write(&name_of(name, *life), &whole(known))?);
            match known.backups.is_empty() {
                true => held.wanted.remove(life),
                false => held.wanted.insert(*life),
            };
        }
        held.lives = digests.keys().copied().collect();
        held.digests = digests.into_values().collect();
        // In the order of the key, in which rows are put in quickly.
        let mut at: Vec<(&AttemptId, &IncarnationId)> = here.attempts_at.iter().collect();
        at.sort_unstable();
        for (attempt, life) in at {
            attempts.execute(params![name.as_str(), attempt.as_bytes(), life.as_bytes()])?;
        }
        while let Some(older) = older(&mut here.bindings) {
            let last = older.iter().map(|binding| binding.key).max();
            here.older.newest = here.older.newest.max(last);
            let writers = older.iter().map(|binding| binding.key.1);
            here.older.writers.extend(writers);
            let part = name_of_bindings(name, here.older.parts.len());
            here.older.parts.push(write(&part, &whole(&older))?);
        }
    }
    let folded = Folded {
        covered,
        view,
        lives,
    };
    write("state", &whole(&folded))?;
    Ok(())
}

/// Takes the oldest bindings out that took no other one's place, where there are many of them.
fn older(bindings: &mut Vec<Binding>) -> Option<Vec<Binding>> {
    bindings.sort_by_key(|binding| binding.key);
    let plain = bindings.iter().filter(|binding| binding.replaces.is_none());
    if plain.count() < AT_HAND + TOGETHER {
        return None;
    }
    let mut left = TOGETHER;
    let older = bindings.extract_if(.., |binding| {
        let is_one = binding.replaces.is_none() && left > 0;
        left -= usize::from(is_one);
        is_one
    });
    Some(older.collect())
}
