//! modified: every applied migration has the bytes that ran.

use super::{Finding, Gate, World, restore};
use crate::digest::differs_only_in_line_endings;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let differs = |(migration, ran): (&_, &crate::ledger::view::Success)| {
        let file = world.file(migration)?;
        (file.checksum != ran.checksum).then(|| Finding {
            gate: Gate::Modified,
            migration: Some(file.migration.clone()),
            fact: if differs_only_in_line_endings(file.script.as_bytes(), &ran.checksum) {
                "only its line endings were changed after it ran here".to_owned()
            } else {
                "it was edited after it ran here".to_owned()
            },
            found: vec![
                format!(
                    "ran   {} {} by {}",
                    ran.checksum.short(),
                    ran.at.minute(),
                    ran.by
                ),
                format!("file  {}", file.checksum.short()),
            ],
            required: format!("the bytes that ran, {}", ran.checksum.short()),
            remedy: restore(world, world.inputs.environment, file.migration, ran),
        })
    };
    world.here.applied.iter().filter_map(differs).collect()
}
