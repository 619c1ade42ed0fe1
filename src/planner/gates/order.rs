//! order: every pending migration comes after every applied one. A name without a stamp says nothing of when it
//! comes, and sorts after every one that has: those that have one are not asked to come after it.

use super::{Finding, Gate, World, shell, waive};
use crate::ledger::view::{EnvironmentView, Success};
use crate::model::{EnvironmentName, Kind, MigrationId};
use crate::planner::waivers;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let late = world.pending.iter().filter_map(|file| {
        let (newest, ran) = newest_for(world.here, file.migration)?;
        (file.migration < newest).then_some((file, newest, ran))
    });
    late.map(|(file, newest, ran)| {
        let mut found = vec![format!("{newest} was applied {}", ran.at.minute())];
        let remedy = match fixed_by(world, file.migration) {
            None => restamp(file.migration),
            Some(name) => {
                found.push(fixed(name));
                let here = world.inputs.environment;
                match world.inputs.policy.never_waives(here, Gate::Order.as_str()) {
                    false => waive(here, Gate::Order, file.migration),
                    true => format!(
                        "give {here} a target from before {newest}, then: tollgate bind {here} --reason '<why>'"
                    ),
                }
            }
        };
        Finding {
            gate: Gate::Order,
            migration: Some(file.migration.clone()),
            fact: "it comes before a migration that was applied here already".to_owned(),
            found,
            required: "a name that sorts after every applied migration".to_owned(),
            remedy,
        }
    })
    .collect()
}

/// What is in its place here, and will be refused in another environment of the chain: one that lenient
/// environments let pass would be found out only there, after it was proven under a name that no longer
/// changes.
pub(super) fn advice(world: &World<'_>) -> Vec<Finding> {
    let inputs = world.inputs;
    let policy = inputs.policy;
    if policy.is_outside(inputs.environment) {
        return Vec::new();
    }
    let told_here = |migration| {
        let newest = newest_for(world.here, migration);
        let late = newest.is_some_and(|(newest, _)| migration < newest);
        late && !policy.is_lenient_in(inputs.environment)
    };
    // An ephemeral environment has a new target at any time, which takes them in their order.
    let strict: Vec<&EnvironmentName> = policy
        .chain()
        .filter(|name| *name != inputs.environment && !policy.is_lenient_in(name))
        .filter(|name| policy.kind(name) != Kind::Ephemeral)
        .collect();
    let mut advice = without_stamp(world);
    advice.extend(before_one_without(world));
    for file in &world.pending {
        let migration = file.migration;
        let late = strict.iter().filter_map(|name| {
            let there = inputs.view.get(name)?;
            let (newest, ran) = newest_for(there, migration)?;
            let is_late = migration < newest
                && !there.applied.contains_key(migration)
                && waivers::ahead(world, name, Gate::Order, file).is_none();
            is_late.then_some((*name, newest, ran))
        });
        let late: Vec<_> = late.collect();
        if late.is_empty() || told_here(migration) {
            continue;
        }
        let names: Vec<&str> = late.iter().map(|(name, ..)| name.as_str()).collect();
        let mut found: Vec<String> = late
            .iter()
            .map(|(name, newest, ran)| format!("{name}: {newest} was applied {}", ran.at.minute()))
            .collect();
        let remedy = match fixed_by(world, migration) {
            None => restamp(migration),
            Some(name) => {
                found.push(fixed(name));
                format!(
                    "tollgate new '<what of it {} still needs>'",
                    names.join(" and ")
                )
            }
        };
        advice.push(Finding {
            gate: Gate::Order,
            migration: Some(migration.clone()),
            fact: format!(
                "it comes too late for {}, and will be refused there",
                names.join(" and ")
            ),
            found,
            required: "a name that sorts after every applied migration".to_owned(),
            remedy,
        });
    }
    advice
}

/// The newest migration that is applied somewhere and that this one has to come after.
pub(crate) fn newest_for<'a>(
    there: &'a EnvironmentView,
    migration: &MigrationId,
) -> Option<(&'a MigrationId, &'a Success)> {
    let is_asked = |id: &MigrationId| migration.stamp().is_none() || id.stamp().is_some();
    there.applied.last_of(is_asked)
}

/// Names without a stamp among such that have one, before they are applied anywhere and can no longer change. A
/// tree in which no name has one has an order of its own.
fn without_stamp(world: &World<'_>) -> Vec<Finding> {
    let inputs = world.inputs;
    if world.position > 0 {
        return Vec::new();
    }
    let files = || inputs.files.iter().map(|file| file.migration);
    let is_alone = inputs.files.len() == 1 && inputs.prisma.is_none();
    if !is_alone && !files().any(|id| id.stamp().is_some()) {
        return Vec::new();
    }
    let ran = |id: &MigrationId| {
        let mut everywhere = inputs.view.environments();
        everywhere
            .any(|(_, there)| there.applied.contains_key(id) || there.evidence.contains_key(id))
    };
    let pending = world.pending.iter().map(|file| file.migration);
    pending
        // What begins like a hidden folder comes before every stamp, and stays there.
        .filter(|id| id.stamp().is_none() && id.as_str() > "9" && !ran(id))
        .map(|id| Finding {
            gate: Gate::Order,
            migration: Some(id.clone()),
            fact:
                "its name has no stamp: it sorts after every one that has, also those still to come"
                    .to_owned(),
            found: vec![format!("{}/{id}", inputs.folder)],
            required: "14 digits before its name, before it is applied anywhere".to_owned(),
            remedy: restamp(id),
        })
        .collect()
}

/// Where one without a stamp is applied, a new database takes what comes now before it: told where an edit is
/// still free.
fn before_one_without(world: &World<'_>) -> Vec<Finding> {
    if world.position > 0 {
        return Vec::new();
    }
    let Some((last, ran)) = world.here.applied.last_key_value() else {
        return Vec::new();
    };
    let pending = world.pending.iter().map(|file| file.migration);
    pending
        .filter(|id| last.stamp().is_none() && id.stamp().is_some() && *id < last)
        .map(|id| Finding {
            gate: Gate::Order,
            migration: Some(id.clone()),
            fact: format!(
                "a new database runs it before {last}, which has no stamp and ran first here"
            ),
            found: vec![format!("{last} was applied {}", ran.at.minute())],
            required: "that neither needs the other".to_owned(),
            remedy: format!(
                "edit {}/{id}/migration.sql, where it needs what {last} makes",
                world.inputs.folder
            ),
        })
        .collect()
}

fn restamp(migration: &MigrationId) -> String {
    format!("tollgate restamp {}", shell(migration.as_str()))
}

fn fixed(name: &EnvironmentName) -> String {
    format!("{name} has it under this name, so it can no longer get another")
}

/// An environment in which it was applied, so that a new name would make it run there again; the first
/// of several forgives that.
fn fixed_by<'a>(world: &World<'a>, migration: &MigrationId) -> Option<&'a EnvironmentName> {
    let policy = world.inputs.policy;
    let mut strict = policy.chain().filter(|name| policy.holds_to_names(name));
    strict.find(|name| {
        let there = world.inputs.view.get(name);
        there.is_some_and(|there| there.applied.contains_key(migration))
    })
}
