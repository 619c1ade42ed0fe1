//! What the policy asked, and when that changed: a gate that was weakened is part of the evidence.

use serde::Serialize;

use super::Known;
use super::population::place;
use crate::model::{EnvironmentName, Fact, Timestamp};

/// A change of what is asked of an environment, as the first run that met it saw it.
#[derive(Debug, Serialize)]
pub struct PolicyChange {
    /// Where.
    pub environment: EnvironmentName,
    /// When a run first met it: the file may have been edited before.
    pub at: Timestamp,
    /// Who ran that.
    pub by: String,
    /// The digest of the whole policy since then.
    pub policy: String,
    /// What changed, by the words of `tollgate.toml`: `approvals: 1, was 2`.
    pub changes: Vec<String>,
    /// The entry: `writer/number`.
    pub entry: String,
}

/// Those in scope, the oldest first.
pub(super) fn changes(known: &Known<'_>) -> Vec<PolicyChange> {
    let scope = known.inputs.scope;
    let mut out = Vec::new();
    for (_, entry) in &known.entries {
        let Fact::Policy(seen) = &entry.fact else {
            continue;
        };
        if !scope.covers(entry.at) || !scope.has(&seen.environment) {
            continue;
        }
        let words = seen.was.keys().chain(seen.is.keys());
        let mut words: Vec<&String> = words.collect();
        words.sort();
        words.dedup();
        let changed = words
            .into_iter()
            .filter(|word| seen.was.get(*word) != seen.is.get(*word));
        let nothing = "not said".to_owned();
        let told = changed.map(|word| {
            format!(
                "{word}: {}, was {}",
                seen.is.get(word).unwrap_or(&nothing),
                seen.was.get(word).unwrap_or(&nothing)
            )
        });
        out.push(PolicyChange {
            environment: seen.environment.clone(),
            at: entry.at,
            by: entry.by.actor.0.clone(),
            policy: seen.policy.to_string(),
            changes: told.collect(),
            entry: place(entry),
        });
    }
    out
}
