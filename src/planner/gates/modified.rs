//! modified: every applied migration has the bytes that ran.

use super::{Finding, Gate, World, claims, redone, restore};
use crate::digest::differs_only_in_line_endings;
use crate::ledger::view::Success;
use crate::model::ReceiptKind;
use crate::planner::FileFacts;

/// Where it may be undone, and ran nowhere else, an edit is run by `redo`; elsewhere the bytes that ran are put
/// back.
fn remedy(world: &World<'_>, file: &FileFacts<'_>, ran: &Success, only_endings: bool) -> String {
    let here = world.inputs.environment;
    let back = restore(world, here, file.migration, ran);
    let inputs = world.inputs;
    let redo = || {
        let (policy, view, kept) = (inputs.policy, inputs.view, inputs.kept);
        redone::redo(policy, view, kept, here, file.migration, ran)
    };
    match (!only_endings).then(redo).flatten() {
        Some(redo) => format!("{redo}   # or take the edit back: {back}"),
        None => back,
    }
}

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let differs = |(migration, ran): (&_, &crate::ledger::view::Success)| {
        let file = world.file(migration)?;
        let differs = ran.has_other_bytes(file.checksum, file.sha256);
        let only_endings = || {
            ran.checksum
                .is_some_and(|ran| differs_only_in_line_endings(file.script.as_bytes(), &ran))
        };
        let accepted = ran.kind == ReceiptKind::Baselined;
        let (when, how) = match accepted {
            true => ("after it was accepted here", "accepted"),
            false => ("after it ran here", "ran"),
        };
        differs.then(|| Finding {
            gate: Gate::Modified,
            migration: Some(file.migration.clone()),
            fact: if only_endings() {
                format!("only its line endings were changed {when}")
            } else {
                format!("it was edited {when}")
            },
            found: vec![
                format!("{how:<5} {} {} by {}", ran.bytes(), ran.at.minute(), ran.by),
                format!(
                    "{:<w$} {}",
                    "file",
                    file.checksum.short(),
                    w = how.len().max(5)
                ),
            ],
            required: format!("the bytes that ran, {}", ran.bytes()),
            remedy: remedy(world, file, ran, only_endings()),
        })
    };
    let ours = world.here.applied.iter().filter_map(differs);
    ours.chain(claims(world, Gate::Modified)).collect()
}
