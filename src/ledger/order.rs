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
    /// When, for each entry of each writer, by number from 1.
    times: BTreeMap<WriterId, Vec<i64>>,
}

impl Order {
    /// The place of the next entry.
    pub(super) fn key(&mut self, entry: &Entry) -> Key {
        let at = entry.at.unix_millis();
        let own = self
            .times
            .get(&entry.writer)
            .and_then(|times| times.last())
            .copied();
        let after = match &entry.fact {
            Fact::Opened(opened) => opened.after.and_then(|head| self.time(head)),
            _ => None,
        };
        let time = at
            .max(own.unwrap_or(i64::MIN))
            .max(after.map_or(i64::MIN, |after| after.saturating_add(1)));
        self.times.entry(entry.writer).or_default().push(time);
        (time, entry.writer, entry.number)
    }

    fn time(&self, head: Head) -> Option<i64> {
        let place = usize::try_from(head.number.checked_sub(1)?).ok()?;
        self.times.get(&head.writer)?.get(place).copied()
    }
}

/// Puts entries in their order. Those of each writer must stand in theirs, from number 1 without gaps.
pub(super) fn sort(entries: Vec<(ChainHash, Entry)>) -> Vec<(ChainHash, Entry)> {
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
    let mut order = Order::default();
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
        .into_iter()
        .map(|(_, hash, entry)| (hash, entry))
        .collect()
}
