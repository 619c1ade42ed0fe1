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
    /// The attempts that were begun under it, and those whose receipts name it.
    pub spent_by: BTreeSet<AttemptId>,
}

/// What is known of an environment's waivers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Waivers {
    pub(super) said: BTreeMap<Place, (Waiver, Checksum)>,
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
        self.said.insert(place, (waiver, waived.blake3));
    }

    /// An attempt was begun under these, or its receipt names them.
    pub(super) fn spend(&mut self, waivers: &[Waiver], attempt: AttemptId) {
        for waiver in waivers {
            self.spent.entry(waiver.entry).or_default().insert(attempt);
        }
    }

    /// Every waiver, in the order of their entries' places.
    pub(super) fn all(&self) -> impl Iterator<Item = Waived> {
        self.said.iter().map(|(place, (waiver, blake3))| Waived {
            waiver: waiver.clone(),
            blake3: *blake3,
            spent_by: self.spent.get(place).cloned().unwrap_or_default(),
        })
    }
}
