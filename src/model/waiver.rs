//! A waiver: a refusal that someone accepted.

use serde::{Deserialize, Serialize};

use super::{Actor, Timestamp};

/// A waiver, as an intent and a receipt carry it beside the step that it was for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The gate, by its word: `data-loss`.
    pub gate: String,
    /// Why.
    pub reason: String,
    /// Who accepted it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
}
