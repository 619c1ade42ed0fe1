//! reverted: says what it means that a migration and its rollback are both pending. It refuses nothing: they
//! were proven together, and go together.

use super::{Finding, Gate, World, promotion::and, shell};
use crate::model::rehearsal::COLUMN_ORDER;
use crate::model::reverting::verbatim;
use crate::model::{DownLabel, EnvironmentName, MigrationId, Rehearsal};
use crate::planner::FileFacts;
use crate::planner::revert::{Links, losses};
use crate::sql::changes::changes;

pub(super) fn advice(world: &World<'_>) -> Vec<Finding> {
    let links = Links::read(world.inputs.files, world.inputs.view);
    let of = |(place, file): (usize, &FileFacts<'_>)| {
        let rollback = links.standing(file.migration)?;
        let pending = world
            .pending
            .iter()
            .find(|other| other.migration == rollback);
        match pending {
            Some(rollback) => Some(both(world, place, file, rollback)),
            None if !world.here.applied.contains_key(rollback) => {
                Some(without(world, file.migration, rollback))
            }
            None => None,
        }
    };
    world.pending.iter().enumerate().filter_map(of).collect()
}

/// Both run here, one after the other.
fn both(
    world: &World<'_>,
    place: usize,
    file: &FileFacts<'_>,
    rollback: &FileFacts<'_>,
) -> Finding {
    let environment = world.inputs.environment;
    let lost = lost(world, place, file, rollback);
    let has_it = |name: &&EnvironmentName| {
        let there = world.inputs.view.get(name);
        there.is_some_and(|there| there.applied.contains_key(file.migration))
    };
    let places: Vec<&EnvironmentName> = world
        .inputs
        .policy
        .names()
        .filter(|name| *name != environment)
        .filter(has_it)
        .collect();
    let mut found = vec![match lost.as_slice() {
        [] => "lost on the way: nothing that their scripts tell of".to_owned(),
        names => format!("lost on the way: what stands here in {}", names.join(", ")),
    }];
    found.push(match places.as_slice() {
        [] => "what came after them was written with both there".to_owned(),
        _ => format!(
            "neither can be left out: {} {} them, and what came after was proven on top of both",
            and(&places),
            if places.len() == 1 { "has" } else { "have" }
        ),
    });
    Finding {
        gate: Gate::Reverted,
        migration: Some(file.migration.clone()),
        fact: format!(
            "it was reversed by {} before it came here: both will run",
            rollback.migration
        ),
        found,
        required: "nothing, if it is meant so".to_owned(),
        remedy: match lost.is_empty() {
            true => format!("tollgate apply {environment}"),
            false => format!("tollgate backup {environment} --verify   # before both run"),
        },
    }
}

/// The plan ends before the rollback.
fn without(world: &World<'_>, migration: &MigrationId, rollback: &MigrationId) -> Finding {
    let environment = world.inputs.environment;
    Finding {
        gate: Gate::Reverted,
        migration: Some(migration.clone()),
        fact: format!(
            "it was reversed by {rollback}, which is not in this plan: it would stand here until that runs"
        ),
        found: vec![format!("pending here too: {rollback}")],
        required: "nothing, if it is meant so".to_owned(),
        remedy: format!(
            "tollgate plan {environment} --to {}",
            shell(rollback.as_str())
        ),
    }
}

/// What the migration takes away and its rollback does not bring back.
fn lost(
    world: &World<'_>,
    place: usize,
    file: &FileFacts<'_>,
    rollback: &FileFacts<'_>,
) -> Vec<String> {
    let script = verbatim(rollback.script);
    let label = script
        .or_else(|| file.down.map(|down| down.script))
        .and_then(|script| DownLabel::read(script).ok());
    let mut lost = label.map(|label| label.losses()).unwrap_or_default();
    if !is_lossless(world, file)
        && let Some(analysis) = world.analyses.get(place)
    {
        let engine = world.inputs.engine;
        lost.extend(losses(engine, &changes(engine, file.script, analysis)));
    }
    let mut once: Vec<String> = Vec::new();
    for name in lost {
        if name != COLUMN_ORDER && !once.contains(&name) {
            once.push(name);
        }
    }
    once
}

/// Whether a rehearsal saw that its reversal brings back everything.
fn is_lossless(world: &World<'_>, file: &FileFacts<'_>) -> bool {
    world.inputs.view.environments().any(|(_, there)| {
        let mut held = there.rehearsals_of(file.migration);
        held.any(|((up, _), rehearsed)| {
            *up == file.checksum && rehearsed.down.result == Rehearsal::Lossless
        })
    })
}
