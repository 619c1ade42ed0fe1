//! order: every pending migration comes after every applied one.

use super::{Finding, Gate, World, shell};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some((newest, ran)) = world.here.applied.last_key_value() else {
        return Vec::new();
    };
    let late = world.pending.iter().filter(|file| file.migration < newest);
    late.map(|file| Finding {
        gate: Gate::Order,
        migration: Some(file.migration.clone()),
        fact: "it comes before a migration that was applied here already".to_owned(),
        found: vec![format!("{newest} was applied {}", ran.at.minute())],
        required: "a name that sorts after every applied migration".to_owned(),
        remedy: format!("tollgate restamp {}", shell(file.migration.as_str())),
    })
    .collect()
}
