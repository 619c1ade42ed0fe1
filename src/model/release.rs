//! A release: the saved plan that something ran under.

use serde::{Deserialize, Serialize};

use super::Approval;
use super::approval::NOT_SIGNED;
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
    /// Who approved it, as far as it counted when the attempt was begun.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

impl Release {
    /// For people: `saved plan 5e3074996baf (CHG-123), approved by bo, cy, recorded, not signed`.
    #[must_use]
    pub fn told(&self) -> String {
        let change = self.change.as_ref();
        let change = change.map_or_else(String::new, |change| format!(" ({change})"));
        let names: Vec<&str> = self
            .approvals
            .iter()
            .map(|it| it.approver.0.as_str())
            .collect();
        let approved = match names.as_slice() {
            [] => String::new(),
            names => format!(", approved by {}, {NOT_SIGNED}", names.join(", ")),
        };
        format!("saved plan {}{change}{approved}", self.id.short())
    }
}
