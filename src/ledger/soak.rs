//! Since when a migration has stood in an environment without a mishap: what `soak` counts from.

use super::view::EnvironmentView;
use crate::digest::Checksum;
use crate::model::{Kind, MigrationId, Timestamp};

/// What an environment knows of some bytes, for `soak`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Soaking {
    /// They never succeeded there.
    Never,
    /// They succeeded once, and its present target does not have them.
    Gone,
    /// They stand there.
    Since {
        /// When they succeeded; where the target was made anew, the last time.
        succeeded: Timestamp,
        /// The newest failure of the migration after that, of whatever bytes and on whatever target.
        failed: Option<Timestamp>,
    },
}

impl EnvironmentView {
    /// Since when exactly these bytes of a migration stand in this environment.
    ///
    /// Of one ordinary database its present target tells, where this ledger ever met it. Of what comes and
    /// goes, and of what everybody has their own of, the first success does: another target is no news.
    #[must_use]
    pub fn soaking(&self, migration: &MigrationId, checksum: Checksum, kind: Kind) -> Soaking {
        let Some(first) = self.evidence_of(migration, checksum) else {
            return Soaking::Never;
        };
        let here = self.applied.get(migration);
        let succeeded = match (kind, &self.target) {
            (Kind::Ordinary, Some(_)) => match here {
                Some(ran) if ran.checksum == Some(checksum) => ran.at,
                _ => return Soaking::Gone,
            },
            _ => first.at,
        };
        let last = self.last_failure.get(migration).copied();
        let failed = last.filter(|at| *at > succeeded);
        Soaking::Since { succeeded, failed }
    }
}
