//! failed: no attempt failed half-way. One that failed and left nothing is only mentioned.

use super::{Finding, Gate, World, shell};
use crate::ledger::view::Failed;
use crate::model::entry::Progress;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let environment = world.inputs.environment;
    let finding = |failed: &Failed| {
        let migration = &failed.attempted.intent.migration;
        let mut found = vec![format!("failed {}{}", failed.at.minute(), said(failed))];
        if let Some(progress) = failed.progress {
            found.push(standing(progress));
        }
        Finding {
            gate: Gate::Failed,
            migration: Some(migration.clone()),
            fact: "it failed half-way and may have left something behind".to_owned(),
            found,
            required: "what it left undone by hand, and a person's word for it".to_owned(),
            remedy: format!(
                "tollgate resolve {environment} {} --not-applied --reason '<what you undid>'",
                shell(migration.as_str())
            ),
        }
    };
    world.here.partial.values().map(finding).collect()
}

/// A script that failed and was rolled back may be tried again; the last error is worth a look.
pub(super) fn advice(world: &World<'_>) -> Vec<Finding> {
    let finding = |failed: &Failed| {
        let intent = &failed.attempted.intent;
        let file = world
            .pending
            .iter()
            .find(|file| *file.migration == intent.migration)?;
        let same = file.checksum == intent.blake3;
        same.then(|| Finding {
            gate: Gate::Failed,
            migration: Some(intent.migration.clone()),
            fact: if failed.error.is_some() {
                "the same bytes failed here before, and were rolled back".to_owned()
            } else {
                "an attempt with the same bytes was cut off here, and left nothing".to_owned()
            },
            found: vec![format!("{}{}", failed.at.minute(), said(failed))],
            required: "nothing: it is tried again".to_owned(),
            remedy: format!(
                "tollgate log --migration {}",
                shell(intent.migration.as_str())
            ),
        })
    };
    world.here.failed.values().filter_map(finding).collect()
}

/// What stands of a journalled attempt, BEGIN and COMMIT counted as the statements that they are.
pub(crate) fn standing(progress: Progress) -> String {
    match progress {
        Progress { done: 0, of } => format!(
            "none of its {of} statements ended; the one that failed may have left something"
        ),
        Progress { done, of } => format!("{done} of {of} statements stand in the target"),
    }
}

fn said(failed: &Failed) -> String {
    failed
        .error
        .as_ref()
        .map_or_else(String::new, |error| format!(": {}", error.message))
}
