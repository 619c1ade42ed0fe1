//! The waivers of one environment: what people accepted, and which of it was used.
//!
//! A union of what the entries say, so it does not depend on what came first. A waiver is spent once an
//! intent or a receipt names it; whether it counts all the same is the planner's to say.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::Checksum;
use crate::model::entry::{self, Place};
use crate::model::{AttemptId, Entry, Waiver};

/// A waiver that somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// What it says, and who said it.
    pub waiver: Waiver,
    /// BLAKE3 of the bytes that it is about; of others it says nothing.
    pub blake3: Checksum,
    /// BLAKE3 of the `down.sql` that it is about, where it is about one.
    pub down: Option<Checksum>,
    /// The attempts that were begun under it, and those whose receipts name it.
    pub spent_by: BTreeSet<AttemptId>,
}

/// A waiver as its entry says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) waiver: Waiver,
    pub(super) blake3: Checksum,
    pub(super) down: Option<Checksum>,
}

/// What is known of an environment's waivers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Waivers {
    pub(super) said: BTreeMap<Place, Said>,
    pub(super) spent: BTreeMap<Place, BTreeSet<AttemptId>>,
}

impl Waivers {
    pub(super) fn say(&mut self, waived: &entry::Waived, by: &Entry) {
        let place = Place {
            writer: by.writer,
            number: by.number,
        };
        let waiver = Waiver {
            gate: waived.gate.clone(),
            migration: waived.migration.clone(),
            reason: waived.reason.clone(),
            actor: by.by.actor.clone(),
            at: by.at,
            entry: place,
        };
        let said = Said {
            waiver,
            blake3: waived.blake3,
            down: waived.down,
        };
        self.said.insert(place, said);
    }

    /// An attempt was begun under these, or its receipt names them.
    pub(super) fn spend(&mut self, waivers: &[Waiver], attempt: AttemptId) {
        for waiver in waivers {
            self.spent.entry(waiver.entry).or_default().insert(attempt);
        }
    }

    /// Every waiver, in the order of their entries' places.
    pub(super) fn all(&self) -> impl Iterator<Item = Waived> {
        self.said.iter().map(|(place, said)| Waived {
            waiver: said.waiver.clone(),
            blake3: said.blake3,
            down: said.down,
            spent_by: self.spent.get(place).cloned().unwrap_or_default(),
        })
    }
}
