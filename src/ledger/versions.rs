//! What succeeded of one migration, by its bytes.

use std::sync::Arc;

use crate::digest::Checksum;
use crate::ledger::view::Success;

/// The successes of a migration, by the checksum of what ran, in the order of the checksums.
///
/// Nearly every migration has one version. A map has room for eleven in its smallest node, and a success is
/// large: in a ledger of 10,000 migrations that was most of what the tool held in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Versions(pub(super) Vec<(Checksum, Arc<Success>)>);

impl Versions {
    /// The success of these bytes.
    #[must_use]
    pub fn get(&self, checksum: Checksum) -> Option<&Success> {
        let place = self.place(checksum).ok()?;
        self.0.get(place).map(|(_, success)| success.as_ref())
    }

    /// Each version, with its success.
    pub fn iter(&self) -> impl Iterator<Item = (Checksum, &Success)> {
        self.0
            .iter()
            .map(|(checksum, success)| (*checksum, success.as_ref()))
    }

    /// How many versions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts one in, in the place of the one that these bytes had.
    pub(super) fn put(&mut self, checksum: Checksum, success: Arc<Success>) {
        match self.place(checksum) {
            Ok(place) => {
                if let Some(held) = self.0.get_mut(place) {
                    held.1 = success;
                }
            }
            Err(place) => {
                self.0.reserve_exact(1);
                self.0.insert(place, (checksum, success));
            }
        }
    }

    fn place(&self, checksum: Checksum) -> Result<usize, usize> {
        self.0.binary_search_by_key(&checksum, |(known, _)| *known)
    }
}

impl FromIterator<(Checksum, Arc<Success>)> for Versions {
    fn from_iter<T: IntoIterator<Item = (Checksum, Arc<Success>)>>(all: T) -> Self {
        let mut versions = Self::default();
        for (checksum, success) in all {
            versions.put(checksum, success);
        }
        versions
    }
}
