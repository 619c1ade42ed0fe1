//! modified: every applied migration has the bytes that ran.

use super::reset::may_reset;
use super::{Finding, Gate, World, claims, restore, shell};
use crate::digest::differs_only_in_line_endings;
use crate::ledger::view::Success;
use crate::model::ReceiptKind;
use crate::planner::FileFacts;

/// Where it may be undone, and ran nowhere else, an edit is run by `redo`; elsewhere the bytes that ran are put
/// back.
fn remedy(world: &World<'_>, file: &FileFacts<'_>, ran: &Success, only_endings: bool) -> String {
    let here = world.inputs.environment;
    let back = restore(world, here, file.migration, ran);
    let mut others = world.inputs.view.environments();
    let ran_elsewhere =
        others.any(|(name, there)| name != here && there.applied.contains_key(file.migration));
    let is_newest = || {
        let mut applied = world.here.applied.values();
        applied.all(|other| other.receipt.seq <= ran.receipt.seq)
    };
    // Its reversal is the one that stood beside the bytes that ran.
    let has_a_reversal = || {
        ran.down
            .is_some_and(|down| world.inputs.kept.contains(&down))
    };
    let is_redone = !only_endings
        && ran.kind.is_evidence()
        && may_reset(world.inputs.policy, here)
        && !ran_elsewhere
        && is_newest()
        && has_a_reversal();
    match is_redone {
        true => format!(
            "tollgate redo {}   # or take the edit back: {back}",
            shell(file.migration.as_str())
        ),
        false => back,
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
