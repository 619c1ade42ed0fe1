//! modified: every applied migration has the bytes that ran.

use super::{Finding, Gate, World, restore};
use crate::digest::Checksum;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let differs = |(migration, ran): (&_, &crate::ledger::view::Success)| {
        let file = world.file(migration)?;
        (file.checksum != ran.checksum).then(|| Finding {
            gate: Gate::Modified,
            migration: Some(file.migration.clone()),
            fact: if only_line_endings(file.script, ran.checksum) {
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
            remedy: restore(world, file.migration, ran),
        })
    };
    world.here.applied.iter().filter_map(differs).collect()
}

/// Whether the file with all its line endings made LF, or all made CRLF, is what ran.
fn only_line_endings(script: &str, ran: Checksum) -> bool {
    let lf = script.replace("\r\n", "\n");
    let crlf = lf.replace('\n', "\r\n");
    Checksum::of(lf.as_bytes()) == ran || Checksum::of(crlf.as_bytes()) == ran
}
