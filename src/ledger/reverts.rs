//! The rollbacks that were written, and the emergencies that they were written in.

use std::collections::BTreeMap;

use crate::digest::Checksum;
use crate::model::entry::{Emergency, Reverted};
use crate::model::{Actor, Entry, EnvironmentName, IncidentId, MigrationId, Timestamp};

/// What the entries say of rollbacks and emergencies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reverts {
    pub(super) rollbacks: BTreeMap<MigrationId, Rollback>,
    pub(super) incidents: BTreeMap<IncidentId, Incident>,
}

/// A migration that reverses another one, as the entry says that was written beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rollback {
    /// The one that it reverses.
    pub reverts: MigrationId,
    /// BLAKE3 of its `migration.sql` as it was written.
    pub checksum: Checksum,
    /// Why.
    pub reason: String,
    /// The emergency that it was written in.
    pub incident: Option<IncidentId>,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
}

/// An emergency that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// Its id.
    pub id: IncidentId,
    /// The migration that is to be reversed.
    pub migration: MigrationId,
    /// Where it matters.
    pub environment: EnvironmentName,
    /// Why.
    pub reason: String,
    /// When it was opened.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
}

impl Reverts {
    /// What the entry beside a rollback says; `None` where there is none.
    #[must_use]
    pub fn rollback(&self, migration: &MigrationId) -> Option<&Rollback> {
        self.rollbacks.get(migration)
    }

    /// Every rollback that an entry tells of, by its own id.
    pub fn rollbacks(&self) -> impl Iterator<Item = (&MigrationId, &Rollback)> {
        self.rollbacks.iter()
    }

    /// Every emergency, the newest last.
    #[must_use]
    pub fn incidents(&self) -> Vec<&Incident> {
        let mut all: Vec<&Incident> = self.incidents.values().collect();
        all.sort_by_key(|incident| (incident.at, incident.id));
        all
    }

    /// The newest word on a rollback counts.
    pub(super) fn take(&mut self, entry: &Entry, said: &Reverted) {
        self.rollbacks.insert(
            said.migration.clone(),
            Rollback {
                reverts: said.reverts.clone(),
                checksum: said.blake3,
                reason: said.reason.clone(),
                incident: said.incident,
                at: entry.at,
                by: entry.by.actor.clone(),
            },
        );
    }

    /// An emergency is opened once.
    pub(super) fn open(&mut self, entry: &Entry, said: &Emergency) {
        let incident = Incident {
            id: said.incident,
            migration: said.migration.clone(),
            environment: said.environment.clone(),
            reason: said.reason.clone(),
            at: entry.at,
            by: entry.by.actor.clone(),
        };
        self.incidents.entry(said.incident).or_insert(incident);
    }
}
