//! Which bytes of a migration are reversed, and by which bytes of its `down.sql`.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Checksum;
use crate::ledger::view::{EnvironmentView, Versions, View};
use crate::model::{EnvironmentName, MigrationId, Policy, Rehearsal};
use crate::planner::{DownFacts, FileFacts};

/// The bytes of `migration.sql` that are to be reversed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Up {
    /// Their checksum; `None` where it was taken over and nobody knows it.
    pub checksum: Option<Checksum>,
    /// Where they ran, in the order of the chain.
    pub places: Vec<EnvironmentName>,
    /// Other bytes that ran elsewhere.
    pub others: Vec<(Checksum, Vec<EnvironmentName>)>,
    /// The `down.sql` that stood beside them, where that is known.
    pub down: Option<Checksum>,
}

/// Where bytes are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The file as it is.
    Disk,
    /// The ledger, which kept them.
    Ledger,
}

/// The bytes of a `down.sql`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Down {
    /// Their checksum.
    pub checksum: Checksum,
    /// Where they are.
    pub source: Source,
    /// Where they were rehearsed with the bytes that are to be reversed, and how that came out; in the order of
    /// the chain.
    pub rehearsed: Vec<(EnvironmentName, Rehearsal)>,
    /// Whether they are those that stood beside the bytes that ran.
    pub stood_beside: bool,
    /// Whether another `down.sql` stands there now, and is not taken.
    pub is_not_the_file: bool,
}

impl Down {
    /// Where they passed.
    pub fn passed(&self) -> impl Iterator<Item = (&EnvironmentName, Rehearsal)> {
        let held = self.rehearsed.iter();
        held.filter(|(_, result)| result.passed())
            .map(|(name, result)| (name, *result))
    }
}

/// What the choice is made from.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// What the ledger knows.
    pub view: &'a View,
    /// The chain.
    pub policy: &'a Policy,
    /// The checksums whose bytes the ledger keeps.
    pub kept: &'a BTreeSet<Checksum>,
    /// The migration.
    pub migration: &'a MigrationId,
    /// Its folder, where it is there.
    pub file: Option<&'a FileFacts<'a>>,
}

/// Chooses the bytes of both scripts; nothing where it ran nowhere, no `down.sql` where there is none.
///
/// Of the environments that have it the last one of the chain says which bytes are reversed. Of several
/// reversals one that passed a rehearsal with these bytes goes before one that did not, the one on disk
/// before one that only the ledger has; where none did, the one that stood beside the bytes that ran.
#[must_use]
pub fn choose(known: &Known<'_>) -> Option<(Up, Option<Down>)> {
    let up = up(known)?;
    let down = down(known, &up);
    Some((up, down))
}

/// The environments in the order of the chain; what only the ledger speaks of stands before.
fn places<'a>(known: &Known<'a>) -> Vec<(&'a EnvironmentName, &'a EnvironmentView)> {
    let mut all: Vec<_> = known.view.environments().collect();
    all.sort_by_key(|(name, _)| known.policy.index(name).map_or(0, |place| place + 1));
    all
}

fn up(known: &Known<'_>) -> Option<Up> {
    let migration = known.migration;
    let mut versions = Vec::new();
    for (name, here) in places(known) {
        if let Some(ran) = here.applied.get(migration) {
            add(&mut versions, ran.checksum, name, ran.down);
        }
    }
    if versions.is_empty() {
        // Where every target of it is gone, somebody's may still be there.
        for (name, here) in places(known) {
            for (checksum, ran) in here
                .evidence
                .get(migration)
                .into_iter()
                .flat_map(Versions::iter)
            {
                add(&mut versions, Some(checksum), name, ran.down);
            }
        }
    }
    let known_down = |version: &Option<Checksum>| {
        let everywhere = known.view.environments();
        let mut proven = everywhere.filter_map(|(_, there)| {
            let ran = there.evidence.get(migration)?.get((*version)?)?;
            ran.down
        });
        proven.next()
    };
    let Version {
        checksum,
        places,
        down,
    } = versions.pop()?;
    let others = versions
        .into_iter()
        .filter_map(|other| Some((other.checksum?, other.places)));
    Some(Up {
        checksum,
        places,
        others: others.collect(),
        down: down.or_else(|| known_down(&checksum)),
    })
}

/// One version of the bytes that ran.
struct Version {
    checksum: Option<Checksum>,
    places: Vec<EnvironmentName>,
    down: Option<Checksum>,
}

/// The version that was heard of last stands last.
fn add(
    versions: &mut Vec<Version>,
    checksum: Option<Checksum>,
    name: &EnvironmentName,
    down: Option<Checksum>,
) {
    let place = versions.iter().position(|known| known.checksum == checksum);
    let mut version = place.map_or_else(
        || Version {
            checksum,
            places: Vec::new(),
            down: None,
        },
        |place| versions.remove(place),
    );
    if !version.places.contains(name) {
        version.places.push(name.clone());
    }
    version.down = down.or(version.down);
    versions.push(version);
}

fn down(known: &Known<'_>, up: &Up) -> Option<Down> {
    let on_disk = known.file.and_then(|file| file.down).map(says);
    let mut held: BTreeMap<Checksum, Vec<(EnvironmentName, Rehearsal)>> = BTreeMap::new();
    for (name, here) in places(known) {
        for ((of, down), rehearsed) in here.rehearsals_of(known.migration) {
            if Some(*of) == up.checksum {
                let places = held.entry(*down).or_default();
                places.push((name.clone(), rehearsed.down.result));
            }
        }
    }
    let source = |checksum: Checksum| match on_disk {
        Some(there) if there == checksum => Some(Source::Disk),
        _ => known.kept.contains(&checksum).then_some(Source::Ledger),
    };
    let passes = |checksum: &Checksum| {
        let places = held.get(checksum).into_iter().flatten();
        places.filter(|(_, result)| result.passed()).count()
    };
    let proven = || {
        let had = held.keys().filter(|it| source(**it).is_some());
        let passed = had.filter(|it| passes(it) > 0);
        passed.max_by_key(|it| passes(it)).copied()
    };
    let checksum = on_disk
        .filter(|there| passes(there) > 0)
        .or_else(proven)
        .or_else(|| up.down.filter(|beside| source(*beside).is_some()))
        .or(on_disk)?;
    Some(Down {
        checksum,
        source: source(checksum)?,
        rehearsed: held.remove(&checksum).unwrap_or_default(),
        stood_beside: up.down == Some(checksum),
        is_not_the_file: on_disk.is_some_and(|there| there != checksum),
    })
}

fn says(down: DownFacts<'_>) -> Checksum {
    down.checksum
}
