//! One order for the entries of many writers, which depends on nothing but the entries themselves: so
//! two ledgers that hold the same entries add them up to the same state, however they came.
//!
//! Within a writer the numbers are the order. Between writers it is the clocks, which may be wrong: an
//! entry is never put before one of its own writer, nor before the head that its writer goes on from.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::ChainHash;
use crate::model::entry::Head;
use crate::model::{Entry, Fact, WriterId};

/// The place of an entry: when, by a clock that never goes back within a writer, in milliseconds; whose;
/// its number.
pub(super) type Key = (i64, WriterId, u64);

/// Gives entries their places. Each writer's entries must come in their order, and after the entry that
/// the writer goes on from, where that comes at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Order {
    /// When, for each writer's entries.
    pub(super) times: BTreeMap<WriterId, Times>,
}

/// When, for each entry of a writer, by number from 1. Where the fold goes on from a snapshot, the times of
/// the entries that it stands for are not known, but for the newest.
#[derive(Debug, Clone, Default)]
pub(super) struct Times {
    /// So many come before the known ones.
    unknown: u64,
    known: Vec<i64>,
}

impl PartialEq for Times {
    /// What is not known of one cannot be compared.
    fn eq(&self, other: &Self) -> bool {
        (self.len(), self.last()) == (other.len(), other.last())
    }
}

impl Eq for Times {}

impl Times {
    /// So many entries, of which only the newest one's time is known.
    pub(super) fn ending(count: u64, last: i64) -> Self {
        Self {
            unknown: count.saturating_sub(1),
            known: vec![last],
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.unknown.saturating_add(self.known.len() as u64)
    }

    pub(super) fn last(&self) -> Option<i64> {
        self.known.last().copied()
    }

    /// The time of an entry; `None` where there is none, or it is not known.
    fn get(&self, number: u64) -> Option<i64> {
        let place = number.checked_sub(1)?.checked_sub(self.unknown)?;
        self.known.get(usize::try_from(place).ok()?).copied()
    }
}

impl Order {
    /// The place of the next entry.
    pub(super) fn key(&mut self, entry: &Entry) -> Key {
        let at = entry.at.unix_millis();
        let own = self.times.get(&entry.writer).and_then(Times::last);
        let after = match &entry.fact {
            Fact::Opened(opened) => opened.after.and_then(|head| self.time(head)),
            _ => None,
        };
        let time = at
            .max(own.unwrap_or(i64::MIN))
            .max(after.map_or(i64::MIN, |after| after.saturating_add(1)));
        let times = self.times.entry(entry.writer).or_default();
        times.known.push(time);
        (time, entry.writer, entry.number)
    }

    fn time(&self, head: Head) -> Option<i64> {
        self.times.get(&head.writer)?.get(head.number)
    }

    /// Whether the place of an entry can be told: where it goes on from one that a snapshot stands for,
    /// that one's time may not be known.
    pub(super) fn can_place(&self, entry: &Entry) -> bool {
        let Fact::Opened(opened) = &entry.fact else {
            return true;
        };
        opened.after.is_none_or(|after| {
            let times = self.times.get(&after.writer);
            times.is_none_or(|times| after.number == 0 || after.number > times.unknown)
        })
    }
}

/// Puts entries in their order. Those of each writer must stand in theirs, from number 1 without gaps.
pub(super) fn sort(entries: Vec<(ChainHash, Entry)>) -> Vec<(ChainHash, Entry)> {
    let keyed = sort_after(&mut Order::default(), entries);
    let keyed = keyed.into_iter();
    keyed.map(|(_, hash, entry)| (hash, entry)).collect()
}

/// Puts entries that come after others in their order, with their places. Those of each writer must stand
/// in theirs, without gaps.
pub(super) fn sort_after(
    order: &mut Order,
    entries: Vec<(ChainHash, Entry)>,
) -> Vec<(Key, ChainHash, Entry)> {
    let mut writers: BTreeMap<WriterId, Vec<(ChainHash, Entry)>> = BTreeMap::new();
    for (hash, entry) in entries {
        writers.entry(entry.writer).or_default().push((hash, entry));
    }
    let before: BTreeMap<WriterId, WriterId> = writers
        .iter()
        .filter_map(|(writer, chain)| match &chain.first()?.1.fact {
            Fact::Opened(opened) => Some((*writer, opened.after?.writer)),
            _ => None,
        })
        .collect();
    let mut keyed = Vec::new();
    let mut done = BTreeSet::new();
    for writer in writers.keys().copied().collect::<Vec<_>>() {
        // Whoever it goes on from comes first. A circle has no honest writer; it is cut somewhere.
        let mut line = vec![writer];
        while let Some(earlier) = line.last().and_then(|writer| before.get(writer)) {
            if line.contains(earlier) || done.contains(earlier) {
                break;
            }
            line.push(*earlier);
        }
        for writer in line.into_iter().rev() {
            if !done.insert(writer) {
                continue;
            }
            for (hash, entry) in writers.remove(&writer).unwrap_or_default() {
                keyed.push((order.key(&entry), hash, entry));
            }
        }
    }
    keyed.sort_by_key(|(key, ..)| *key);
    keyed
}
