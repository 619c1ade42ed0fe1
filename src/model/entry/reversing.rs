//! What the entries of reversing say: that a rollback was written, that an emergency began.

use serde::{Deserialize, Serialize};

use crate::digest::{Checksum, Sha256};
use crate::model::{EnvironmentName, IncidentId, MigrationId};

/// A migration was written that reverses another one. It earns its way like any other; this entry, and the
/// line in its script, link the two.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reverted {
    /// The new migration.
    pub migration: MigrationId,
    /// The one that it reverses.
    pub reverts: MigrationId,
    /// BLAKE3 of its `migration.sql`, as it was written.
    pub blake3: Checksum,
    /// SHA-256 of the same bytes.
    pub sha256: Sha256,
    /// Why.
    pub reason: String,
    /// The emergency that it was written in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<IncidentId>,
}

/// An emergency began. What is done of it is told by the entries of its steps; it is over when the migration
/// is reversed in that environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// Its id.
    pub incident: IncidentId,
    /// The migration that is to be reversed.
    pub migration: MigrationId,
    /// The environment that it is about: the last of the chain.
    pub environment: EnvironmentName,
    /// Why.
    pub reason: String,
}
