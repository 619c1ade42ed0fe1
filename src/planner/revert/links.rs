//! Which migrations reverse which.

use std::collections::BTreeMap;

use crate::ledger::view::{EnvironmentView, View};
use crate::model::MigrationId;
use crate::model::reverting::reverts_of;
use crate::planner::FileFacts;

/// Every rollback that is known, by its own id: its script says so, or, where its folder is gone, the entry
/// that was written beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links(BTreeMap<MigrationId, MigrationId>);

impl Links {
    /// Reads them.
    #[must_use]
    pub fn read(files: &[FileFacts<'_>], view: &View) -> Self {
        // One that never ran and is gone was taken back.
        let ran = |id: &MigrationId| {
            let mut everywhere = view.environments();
            everywhere
                .any(|(_, here)| here.applied.contains_key(id) || here.evidence.contains_key(id))
        };
        let told = view
            .reverts()
            .rollbacks()
            .filter(|(id, _)| ran(id))
            .map(|(id, rollback)| (id.clone(), rollback.reverts.clone()));
        let mut links: BTreeMap<MigrationId, MigrationId> = told.collect();
        for file in files {
            match reverts_of(file.script) {
                Some(reverts) if reverts < *file.migration => {
                    links.insert(file.migration.clone(), reverts);
                }
                // Nothing reverses itself, or what comes after it.
                _ => {
                    links.remove(file.migration);
                }
            }
        }
        Self(links)
    }

    /// The migration that this one reverses.
    #[must_use]
    pub fn reverted_by(&self, rollback: &MigrationId) -> Option<&MigrationId> {
        self.0.get(rollback)
    }

    /// The rollbacks of a migration, the newest last.
    pub fn rollbacks_of<'a>(
        &'a self,
        migration: &'a MigrationId,
    ) -> impl DoubleEndedIterator<Item = &'a MigrationId> {
        self.0
            .iter()
            .filter(move |(_, reverts)| *reverts == migration)
            .map(|(rollback, _)| rollback)
    }

    /// The rollback of a migration that is not itself reversed, whether it ran anywhere or not.
    #[must_use]
    pub fn standing<'a>(&'a self, migration: &'a MigrationId) -> Option<&'a MigrationId> {
        self.rollbacks_of(migration)
            .rev()
            .find(|rollback| self.standing(rollback).is_none())
    }

    /// The rollback that reversed a migration in an environment: it is applied there, after it, and was not
    /// reversed itself.
    #[must_use]
    pub fn reversed_in<'a>(
        &'a self,
        migration: &'a MigrationId,
        here: &EnvironmentView,
    ) -> Option<&'a MigrationId> {
        let ran = here.applied.get(migration)?;
        self.rollbacks_of(migration).rev().find(|rollback| {
            let applied = here.applied.get(rollback);
            applied.is_some_and(|applied| applied.receipt.seq > ran.receipt.seq)
                && self.reversed_in(rollback, here).is_none()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{Checksum, Sha256};

    fn links(scripts: &[(&str, &str)]) -> Links {
        let ids: Vec<MigrationId> = scripts
            .iter()
            .map(|(id, _)| MigrationId::new(*id))
            .collect();
        let files: Vec<FileFacts<'_>> = ids
            .iter()
            .zip(scripts)
            .map(|(migration, (_, script))| FileFacts {
                migration,
                checksum: Checksum::of(script.as_bytes()),
                sha256: Sha256::of(script.as_bytes()),
                script,
                down: None,
            })
            .collect();
        Links::read(&files, &View::default())
    }

    #[test]
    fn a_rollback_that_is_reversed_does_not_stand() {
        let id = MigrationId::new;
        let links = links(&[
            ("1_a", "SELECT 1;"),
            ("2_b", "-- tollgate:reverts 1_a\nSELECT 1;"),
            ("3_c", "-- tollgate:reverts 2_b\nSELECT 1;"),
            ("4_d", "-- tollgate:reverts 9_z\nSELECT 1;"),
        ]);
        assert_eq!(links.standing(&id("1_a")), None);
        assert_eq!(links.standing(&id("2_b")), Some(&id("3_c")));
        assert_eq!(links.reverted_by(&id("3_c")), Some(&id("2_b")));
        assert_eq!(links.reverted_by(&id("4_d")), None, "it comes after it");
    }
}
