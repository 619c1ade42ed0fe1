//! missing: every applied migration is on disk.

use super::{Finding, Gate, World, restore};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let gone = world
        .here
        .applied
        .iter()
        .filter(|(migration, _)| world.file(migration).is_none());
    gone.map(|(migration, ran)| Finding {
        gate: Gate::Missing,
        migration: Some(migration.clone()),
        fact: "it was applied here and its folder is gone".to_owned(),
        found: vec![format!(
            "applied {} by {} ({})",
            ran.at.minute(),
            ran.by,
            ran.checksum.short()
        )],
        required: "the folder of every applied migration, with the bytes that ran".to_owned(),
        remedy: restore(world, world.inputs.environment, migration, ran),
    })
    .collect()
}
