//! A waiver: a refusal that someone accepted.

use serde::{Deserialize, Serialize};

use super::entry::Place;
use super::{Actor, MigrationId, Timestamp};

/// A waiver, as an intent and a receipt carry it beside the step that it was for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The gate, by its word: `data-loss`.
    pub gate: String,
    /// The migration whose refusal it accepts: the step's own, or one that is applied there already
    /// (`modified`, `missing`) and stood in the way of the whole plan.
    pub migration: MigrationId,
    /// Why.
    pub reason: String,
    /// Who accepted it.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// The entry that says so.
    pub entry: Place,
}

impl Waiver {
    /// Whether it is shown with a step: it is about that migration, or about one that is applied and
    /// stood in the way of every step.
    #[must_use]
    pub fn is_shown_with(&self, migration: &MigrationId) -> bool {
        self.migration == *migration || matches!(self.gate.as_str(), "modified" | "missing")
    }

    /// For people: "order waived by ada: the hotfix goes first".
    #[must_use]
    pub fn told(&self) -> String {
        format!("{} waived by {}: {}", self.gate, self.actor, self.why())
    }

    /// The reason in one line, whoever wrote the entry.
    #[must_use]
    pub fn why(&self) -> String {
        one_line(&self.reason)
    }
}

/// A text as one line of a comment.
#[must_use]
pub fn one_line(text: &str) -> String {
    let plain: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
