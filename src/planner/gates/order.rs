//! order: every pending migration comes after every applied one.

use super::{Finding, Gate, World, shell};
use crate::model::{EnvironmentName, MigrationId};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some((newest, ran)) = world.here.applied.last_key_value() else {
        return Vec::new();
    };
    let late = world.pending.iter().filter(|file| file.migration < newest);
    late.map(|file| {
        let mut found = vec![format!("{newest} was applied {}", ran.at.minute())];
        let remedy = match fixed_by(world, file.migration) {
            None => format!("tollgate restamp {}", shell(file.migration.as_str())),
            Some(name) => {
                found.push(format!("{name} has it under this name, so it can no longer get another"));
                format!(
                    "none by a command of this version: give {} a target from before {newest}, then tollgate bind {} --reason '<why>'",
                    world.inputs.environment, world.inputs.environment
                )
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
