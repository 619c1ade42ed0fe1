//! hold: nobody holds the migration back, by the policy.

use super::{Finding, Gate, World};
use crate::model::Hold;
use crate::planner::FileFacts;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let held = holds(world);
    let of = |file: &FileFacts<'_>| {
        let hold = held.iter().find(|hold| hold.migration == *file.migration)?;
        Some(finding(world, hold))
    };
    world.pending.iter().filter_map(of).collect()
}

fn holds<'a>(world: &World<'a>) -> &'a [Hold] {
    let policy = world.inputs.policy.require(world.inputs.environment);
    policy.map_or(&[], |require| &require.hold)
}

fn finding(world: &World<'_>, hold: &Hold) -> Finding {
    let environment = world.inputs.environment;
    Finding {
        gate: Gate::Hold,
        migration: Some(hold.migration.clone()),
        fact: format!("it is held back from {environment}"),
        found: vec![format!("hold: {}", hold.reason)],
        required: format!("no hold of it for {environment} in tollgate.toml"),
        remedy: "edit tollgate.toml: take it out of hold, once its reason is gone".to_owned(),
    }
}
