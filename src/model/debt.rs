//! A debt: what is owed for bytes that were applied without their proof (`break-glass`).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::entry::RefusedGate;
use super::{EnvironmentName, Timestamp};

/// The emergency that glass was broken for, by the name that people gave it: `INC-7`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentName(pub String);

impl fmt::Display for IncidentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What one step owes, as its intent and its receipt carry it. Who broke the glass, and when, is theirs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Debt {
    /// For which incident.
    pub incident: IncidentName,
    /// Why.
    pub reason: String,
    /// The gates that were skipped for it: those about the step, and those about the whole environment.
    pub skipped: Vec<RefusedGate>,
    /// The earlier environments in which the same bytes had not succeeded: they owe the run.
    pub owes: Vec<EnvironmentName>,
    /// Until when somebody else has to review it.
    pub review_by: Timestamp,
}

impl Debt {
    /// For people: "through broken glass, incident INC-7: the site is down".
    #[must_use]
    pub fn told(&self) -> String {
        format!(
            "through broken glass, incident {}: {}",
            self.incident, self.reason
        )
    }
}
