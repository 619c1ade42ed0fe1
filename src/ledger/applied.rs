//! What is applied to one target.

use std::collections::BTreeMap;
use std::collections::btree_map;
use std::sync::Arc;

use super::life::Success;
use crate::model::MigrationId;

/// What its receipts prove, by migration, in the order of the migrations. A success is large, and most often it is
/// evidence as well: then both share it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied(pub(super) BTreeMap<MigrationId, Arc<Success>>);

impl Applied {
    /// The success of a migration.
    #[must_use]
    pub fn get(&self, migration: &MigrationId) -> Option<&Success> {
        self.0.get(migration).map(Arc::as_ref)
    }

    /// Whether a migration is applied.
    #[must_use]
    pub fn contains_key(&self, migration: &MigrationId) -> bool {
        self.0.contains_key(migration)
    }

    /// Each migration, with its success.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.0.iter())
    }

    /// Each migration.
    pub fn keys(&self) -> impl Iterator<Item = &MigrationId> {
        self.0.keys()
    }

    /// Each success.
    pub fn values(&self) -> impl Iterator<Item = &Success> {
        self.0.values().map(Arc::as_ref)
    }

    /// The last migration, by its name, among those that are asked for, and its success.
    pub fn last_of(
        &self,
        is_asked: impl Fn(&MigrationId) -> bool,
    ) -> Option<(&MigrationId, &Success)> {
        let mut newest_first = self.0.iter().rev();
        let found = newest_first.find(|(migration, _)| is_asked(migration));
        found.map(|(migration, success)| (migration, success.as_ref()))
    }

    /// The last migration, by its name, and its success.
    #[must_use]
    pub fn last_key_value(&self) -> Option<(&MigrationId, &Success)> {
        self.0
            .last_key_value()
            .map(|(migration, success)| (migration, success.as_ref()))
    }

    /// How many they are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Each migration, with its success.
#[derive(Debug, Clone)]
pub struct Iter<'a>(btree_map::Iter<'a, MigrationId, Arc<Success>>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a MigrationId, &'a Success);

    fn next(&mut self) -> Option<Self::Item> {
        let (migration, success) = self.0.next()?;
        Some((migration, success))
    }
}

impl<'a> IntoIterator for &'a Applied {
    type Item = (&'a MigrationId, &'a Success);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
