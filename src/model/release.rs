//! A release: the saved plan that something ran under.

use serde::{Deserialize, Serialize};

use crate::digest::ChainHash;

/// The saved plan that an attempt ran under, as its intent and its receipt carry it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// The saved plan's id.
    pub id: ChainHash,
    /// The change that it belongs to, in somebody's own words: `CHG-123`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<String>,
}

impl Release {
    /// For people: `saved plan 5e3074996baf (CHG-123)`.
    #[must_use]
    pub fn told(&self) -> String {
        let change = self.change.as_ref();
        let change = change.map_or_else(String::new, |change| format!(" ({change})"));
        format!("saved plan {}{change}", self.id.short())
    }
}
