//! order: every pending migration comes after every applied one.

use super::{Finding, Gate, World, shell, waive};
use crate::model::{EnvironmentName, Kind, MigrationId};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some((newest, ran)) = world.here.applied.last_key_value() else {
        return Vec::new();
    };
    let late = world.pending.iter().filter(|file| file.migration < newest);
    late.map(|file| {
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
    let newest_here = world.here.applied.last_key_value().map(|(id, _)| id);
    let told_here = |migration| {
        let late = newest_here.is_some_and(|newest| migration < newest);
        late && !policy.is_lenient_in(inputs.environment)
    };
    // An ephemeral environment has a new target at any time, which takes them in their order.
    let strict: Vec<&EnvironmentName> = policy
        .chain()
        .filter(|name| *name != inputs.environment && !policy.is_lenient_in(name))
        .filter(|name| policy.kind(name) != Kind::Ephemeral)
        .collect();
    let mut advice = Vec::new();
    for file in &world.pending {
        let migration = file.migration;
        let late = strict.iter().filter_map(|name| {
            let there = inputs.view.get(name)?;
            let (newest, ran) = there.applied.last_key_value()?;
            let is_late = migration < newest && !there.applied.contains_key(migration);
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
