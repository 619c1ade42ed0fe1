//! failed: no attempt failed half-way, and one that was cut off half-way can be continued. One
//! that failed and left nothing is only mentioned.

use super::{Finding, Gate, World, claims, restore_bytes, shell};
use crate::ledger::view::Failed;
use crate::model::entry::Progress;
use crate::model::{EnvironmentName, MigrationId};
use crate::planner::half::{self, Half, Obstacle, half, obstacle};
use crate::sql;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let mut findings = failed(world);
    findings.extend(cannot_go_on(world));
    findings.extend(claims(world, Gate::Failed));
    findings
}

fn failed(world: &World<'_>) -> Vec<Finding> {
    let environment = world.inputs.environment;
    // Under the lock the newest attempt in the target's journal tells what stands now: another ledger's
    // may have gone on, or the target was put back to before it.
    let answered = |failed: &&Failed| {
        let intent = &failed.attempted.intent;
        let Some(live) = world.inputs.live else {
            return true;
        };
        let mut journals = live.journals.iter();
        match journals.find(|journal| journal.migration == intent.migration) {
            Some(journal) => journal.attempt == intent.attempt,
            None => intent.receipt.is_atomic(),
        }
    };
    let finding = |failed: &Failed| {
        let intent = &failed.attempted.intent;
        let migration = &intent.migration;
        let mut found = vec![format!("failed {}{}", failed.at.minute(), said(failed))];
        if let Some(progress) = failed.progress {
            found.push(standing(progress));
        }
        for index in world
            .inputs
            .live
            .map_or(&[][..], |live| &live.invalid_indexes)
        {
            found.push(format!(
                "the catalog: {index} is INVALID; first DROP INDEX CONCURRENTLY {index};"
            ));
        }
        let goes_on = |progress: &Progress| {
            world.file(migration).is_some_and(|file| {
                file.checksum == intent.blake3
                    && half::goes_on(world.inputs.engine, file, *progress)
            })
        };
        Finding {
            gate: Gate::Failed,
            migration: Some(migration.clone()),
            fact: "it failed half-way and may have left something behind".to_owned(),
            found,
            required:
                "what it left behind undone by hand, or its cause put right; and a person's word for it"
                    .to_owned(),
            remedy: remedy(environment, migration, failed.progress.filter(goes_on)),
        }
    };
    world
        .here
        .partial
        .values()
        .filter(answered)
        .map(finding)
        .collect()
}

/// How a person settles an attempt that failed half-way. `progress` is given where the same bytes
/// may be continued.
pub(crate) fn remedy(
    environment: &EnvironmentName,
    migration: &MigrationId,
    progress: Option<Progress>,
) -> String {
    let name = shell(migration.as_str());
    match progress {
        Some(Progress { done, .. }) if done > 0 => format!(
            "tollgate resolve {environment} {name} --continue-at {} --reason '<what you put right>'   # or undo all of it, and --not-applied",
            done + 1
        ),
        _ => format!(
            "tollgate resolve {environment} {name} --not-applied --reason '<what you undid>'"
        ),
    }
}

/// What stands half-way for certain, and cannot be continued: its script was edited or is gone, or
/// needs what was lost with the session.
fn cannot_go_on(world: &World<'_>) -> Vec<Finding> {
    let live = world.inputs.live.map_or(&[][..], |live| &live.journals);
    let live = live.iter().map(|journal| &journal.migration);
    let begun: std::collections::BTreeSet<&MigrationId> =
        world.here.standing.keys().chain(live).collect();
    let finding = |migration: &MigrationId| {
        let half = half(world.inputs, world.here, migration)?;
        let Progress { done, of } = half.progress;
        let stands = format!(
            "the first {done} of {of} statements of {} stand in the target",
            half.script.short()
        );
        let Some(file) = world.file(migration) else {
            return Some(edited(
                world,
                migration,
                &half,
                stands,
                "its folder is gone",
            ));
        };
        let engine = world.inputs.engine;
        match obstacle(engine, file, &sql::analyse(engine, file.script), &half)? {
            Obstacle::Edited => {
                let now = format!("the script on disk is {}", file.checksum.short());
                Some(edited(world, migration, &half, stands, &now))
            }
            Obstacle::Other(why) => Some(Finding {
                gate: Gate::Failed,
                migration: Some(migration.clone()),
                fact: "it stopped half-way and cannot be continued".to_owned(),
                found: vec![stands, why],
                required: "the rest run by hand, or what stands undone, and a person's word for it"
                    .to_owned(),
                remedy: format!(
                    "tollgate resolve {} {} --not-applied --reason '<what you undid>'   # or run the rest by hand, and --applied",
                    world.inputs.environment,
                    shell(migration.as_str())
                ),
            }),
        }
    };
    begun
        .into_iter()
        .filter(|migration| !world.here.applied.contains_key(migration))
        .filter_map(finding)
        .collect()
}

fn edited(
    world: &World<'_>,
    migration: &MigrationId,
    half: &Half,
    stands: String,
    now: &str,
) -> Finding {
    Finding {
        gate: Gate::Failed,
        migration: Some(migration.clone()),
        fact: "it stopped half-way, and an edited script is never continued".to_owned(),
        found: vec![stands, now.to_owned()],
        required: format!(
            "the bytes that were begun, {}; or what stands undone by hand, and --not-applied",
            half.script.short()
        ),
        remedy: restore_bytes(world, world.inputs.environment, migration, half.script),
    }
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
