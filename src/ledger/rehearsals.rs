//! The rehearsals of one environment: which of them counts.

use std::collections::BTreeMap;

use crate::digest::Checksum;
use crate::model::entry;
use crate::model::{
    Actor, EarlierSuccess, Entry, EnvironmentName, MigrationId, Receipt, RehearsedDown, Timestamp,
};

/// A rehearsal of a migration's reversal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rehearsed {
    /// Which reversal, and how it came out.
    pub down: RehearsedDown,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// The environment whose receipt tells of it, where nothing else does.
    pub told_by: Option<EnvironmentName>,
}

impl Rehearsed {
    /// The rehearsal that an entry tells of.
    pub(super) fn told(rehearsed: &entry::Rehearsed, entry: &Entry) -> Self {
        Self {
            down: RehearsedDown {
                blake3: rehearsed.down_blake3,
                sha256: rehearsed.down_sha256,
                result: rehearsed.result,
                stage: rehearsed.stage,
                data: rehearsed.data,
            },
            at: entry.at,
            by: entry.by.actor.clone(),
            told_by: None,
        }
    }

    /// The rehearsal that a receipt is of, with the checksum of the migration.
    pub(super) fn of(receipt: &Receipt) -> Option<(Checksum, Self)> {
        let (down, up) = receipt.rehearsal.clone().zip(receipt.blake3)?;
        let rehearsed = Self {
            down,
            at: receipt.at,
            by: receipt.actor.clone(),
            told_by: None,
        };
        Some((up, rehearsed))
    }

    /// The rehearsals in earlier environments that a receipt tells of: where, of which bytes, which.
    pub(super) fn earlier(receipt: &Receipt) -> Vec<(EnvironmentName, Checksum, Self)> {
        let Some(up) = receipt
            .blake3
            .filter(|_| receipt.kind.is_evidence() && !receipt.preview)
        else {
            return Vec::new();
        };
        let of = |proof: &EarlierSuccess| {
            let told = proof.rehearsal.clone()?;
            let rehearsed = Self {
                down: told.down,
                at: told.at,
                by: told.actor,
                told_by: Some(receipt.environment.clone()),
            };
            Some((proof.environment.clone(), up, rehearsed))
        };
        receipt.proofs.iter().filter_map(of).collect()
    }
}

/// Of every pair of scripts there ever was, `migration.sql` and `down.sql`, the rehearsal that counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Rehearsals(
    pub(super) BTreeMap<MigrationId, BTreeMap<(Checksum, Checksum), Rehearsed>>,
);

impl Rehearsals {
    pub(super) fn of_bytes(
        &self,
        migration: &MigrationId,
        up: Checksum,
        down: Checksum,
    ) -> Option<&Rehearsed> {
        self.of_all(migration)?.get(&(up, down))
    }

    pub(super) fn of(
        &self,
        migration: &MigrationId,
    ) -> impl Iterator<Item = (&(Checksum, Checksum), &Rehearsed)> {
        self.of_all(migration).into_iter().flatten()
    }

    fn of_all(
        &self,
        migration: &MigrationId,
    ) -> Option<&BTreeMap<(Checksum, Checksum), Rehearsed>> {
        self.0.get(migration)
    }

    /// The newest counts: what passed on other data may fail on these. What is known by itself goes before
    /// what another receipt tells of it. A failure stands until somebody looks as closely again.
    pub(super) fn take(&mut self, migration: &MigrationId, up: Checksum, rehearsed: Rehearsed) {
        let pair = (up, rehearsed.down.blake3);
        let of_bytes = self.0.entry(migration.clone()).or_default();
        let place = |one: &Rehearsed| (one.at, one.told_by.is_none());
        let gives_way = |known: &Rehearsed| {
            let looked_closer = known.down.data < rehearsed.down.data;
            let stands = !known.down.result.passed() && looked_closer;
            place(known) <= place(&rehearsed) && !stands
        };
        if of_bytes.get(&pair).is_none_or(gives_way) {
            of_bytes.insert(pair, rehearsed);
        }
    }
}
