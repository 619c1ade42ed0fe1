//! What counts of all the entries that a ledger holds, its own and those that came from elsewhere:
//! pure, and the same whatever came first.
//!
//! Two entries of one writer with one number are an **equivocation**: a ledger that was copied without
//! being noticed, or somebody who writes what never happened. Neither counts, nor what follows them,
//! until a person says which to believe. A **gap** is where entries are missing that others follow: what
//! lies behind it is kept and counts for nothing until they come.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::ChainHash;
use crate::model::entry::Believed;
use crate::model::{Entry, Fact, Timestamp, WriterId};

/// Two entries of one writer with one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The writer.
    pub writer: WriterId,
    /// The number that both have.
    pub number: u64,
    /// The entries with that number, by their hashes.
    pub twins: Vec<Twin>,
    /// The one that a person said to believe.
    pub believed: Option<ChainHash>,
}

/// One of two entries with one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    /// Its hash.
    pub hash: ChainHash,
    /// The entry; `None` where it did not come, and is known by an entry that names it.
    pub entry: Option<Entry>,
}

/// Entries that are missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The writer.
    pub writer: WriterId,
    /// The first number that is missing.
    pub from: u64,
    /// The last number that is missing.
    pub upto: u64,
    /// How many entries lie behind it.
    pub behind: usize,
}

/// What is in the ledger and does not simply count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Strays {
    /// Every equivocation, by writer; those on which a person has spoken too.
    pub forks: Vec<Fork>,
    /// Every gap, by writer.
    pub gaps: Vec<Gap>,
}

impl Strays {
    /// The equivocations on which nobody has spoken.
    pub fn unsettled(&self) -> impl Iterator<Item = &Fork> {
        self.forks.iter().filter(|fork| fork.believed.is_none())
    }
}

/// Takes from everything that is held what counts. `main` is chains without gaps; `aside` are sound
/// entries that could not be put among them. Returns the chains that count, each in its order.
pub(super) fn assemble(
    main: Vec<(ChainHash, Entry)>,
    aside: Vec<(ChainHash, Entry)>,
) -> (Vec<(ChainHash, Entry)>, Strays) {
    let odd: BTreeSet<WriterId> = aside.iter().map(|(_, entry)| entry.writer).collect();
    let (mut counted, strange): (Vec<_>, Vec<_>) = main
        .into_iter()
        .partition(|(_, entry)| !odd.contains(&entry.writer));
    let mut pools: BTreeMap<WriterId, BTreeMap<u64, BTreeMap<ChainHash, Entry>>> = BTreeMap::new();
    for (hash, entry) in strange.into_iter().chain(aside) {
        let of_writer = pools.entry(entry.writer).or_default();
        let of_number = of_writer.entry(entry.number).or_default();
        of_number.insert(hash, entry);
    }
    let mut strays = Strays::default();
    // First who has no two entries with one number: their word on others' counts, with or without a gap.
    let mut forked = Vec::new();
    for (writer, pool) in pools {
        let (mut chain, mut alone) = (Vec::new(), Strays::default());
        walk(writer, pool.clone(), &Said::new(), &mut chain, &mut alone);
        if alone.forks.is_empty() {
            counted.append(&mut chain);
            strays.gaps.append(&mut alone.gaps);
        } else {
            forked.push((writer, pool));
        }
    }
    let said = believed(&counted);
    for (writer, pool) in forked {
        walk(writer, pool, &said, &mut counted, &mut strays);
    }
    (counted, strays)
}

type Said = BTreeMap<(WriterId, u64), ChainHash>;

/// What people said to believe; the last word on each.
fn believed(entries: &[(ChainHash, Entry)]) -> Said {
    let mut words: Vec<(Timestamp, ChainHash, &Believed)> = entries
        .iter()
        .filter_map(|(hash, entry)| match &entry.fact {
            Fact::Believed(word) => Some((entry.at, *hash, word)),
            _ => None,
        })
        .collect();
    words.sort_by_key(|(at, hash, _)| (*at, *hash));
    let last = words.into_iter();
    last.map(|(_, _, word)| ((word.writer, word.number), word.hash))
        .collect()
}

fn walk(
    writer: WriterId,
    mut pool: BTreeMap<u64, BTreeMap<ChainHash, Entry>>,
    said: &Said,
    counted: &mut Vec<(ChainHash, Entry)>,
    strays: &mut Strays,
) {
    let mut chain: Vec<(ChainHash, Entry)> = Vec::new();
    // Behind an entry that was believed only what follows it counts; the rest belongs to the other.
    let mut chosen = false;
    let mut number = 1;
    while let Some(mut here) = pool.remove(&number) {
        let head = chain.last().map(|(hash, _)| *hash);
        if chosen {
            here.retain(|_, entry| entry.prev == head);
        }
        let word = said.get(&(writer, number)).copied();
        let word = word.filter(|hash| here.contains_key(hash));
        let fork = |number: u64, twins: Vec<Twin>, believed| Fork {
            writer,
            number,
            twins,
            believed,
        };
        let twins = |here: &BTreeMap<ChainHash, Entry>| {
            let twin = |(hash, entry): (&ChainHash, &Entry)| Twin {
                hash: *hash,
                entry: Some(entry.clone()),
            };
            here.iter().map(twin).collect::<Vec<_>>()
        };
        let entry = match (here.len(), word) {
            (0, _) => break,
            (1, _) => here.pop_first(),
            (_, Some(hash)) => {
                strays.forks.push(fork(number, twins(&here), word));
                chosen = true;
                here.remove_entry(&hash)
            }
            (_, None) => {
                strays.forks.push(fork(number, twins(&here), None));
                pool.clear();
                break;
            }
        };
        let Some((hash, entry)) = entry else { break };
        if entry.prev != head {
            // It names another entry before it than the one that is here.
            let before = number.saturating_sub(1);
            let named = entry.prev.map(|hash| Twin { hash, entry: None });
            let held = chain.last().map(|(hash, entry)| Twin {
                hash: *hash,
                entry: Some(entry.clone()),
            });
            let mut twins: Vec<Twin> = held.into_iter().chain(named).collect();
            twins.sort_by_key(|twin| twin.hash);
            let word = said.get(&(writer, before)).copied();
            let word = word.filter(|word| Some(*word) == head);
            strays.forks.push(fork(before, twins, word));
            if word.is_some() {
                chosen = true;
                continue;
            }
            chain.pop();
            pool.clear();
            break;
        }
        chain.push((hash, entry));
        number += 1;
    }
    if !chosen && let Some((&first, _)) = pool.first_key_value() {
        strays.gaps.push(Gap {
            writer,
            from: number,
            upto: first.saturating_sub(1),
            behind: pool.values().map(BTreeMap::len).sum(),
        });
    }
    counted.append(&mut chain);
}
