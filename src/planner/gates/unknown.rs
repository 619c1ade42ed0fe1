//! unknown: no attempt's end is unknown.

use super::{Finding, Gate, World, shell};
use crate::model::ReceiptKind;
use crate::targets::Journal;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let environment = world.inputs.environment;
    let finding = |attempted: &crate::ledger::view::Attempted| {
        let migration = &attempted.intent.migration;
        // Offline nobody knows. Under the lock every atomic attempt was settled from the receipts,
        // and what is still open is journalled: only a person can look.
        let settles_itself = world.inputs.live.is_none();
        let remedy = if settles_itself {
            format!("tollgate apply {environment} --dry-run")
        } else {
            let name = shell(migration.as_str());
            format!(
                "tollgate resolve {environment} {name} --not-applied --reason '<what you found and undid>'"
            )
        };
        let how = match attempted.intent.receipt {
            ReceiptKind::Atomic => "atomic: all of it or nothing",
            ReceiptKind::Journalled => "journalled: it may have stopped anywhere",
        };
        Finding {
            gate: Gate::Unknown,
            migration: Some(migration.clone()),
            fact: "an attempt was begun and its end is not known".to_owned(),
            found: vec![format!(
                "begun {} by {} ({how})",
                attempted.at.minute(),
                attempted.by
            )],
            required: "the end of every attempt, from the target's receipts or from a person"
                .to_owned(),
            remedy,
        }
    };
    let ours = world.here.open.values().map(finding);
    let foreign = world
        .inputs
        .live
        .map_or(&[][..], |live| live.foreign.as_slice());
    ours.chain(
        foreign
            .iter()
            .map(|journal| begun_elsewhere(world, journal)),
    )
    .collect()
}

/// What the target's journal shows of a run under another ledger: on another machine, or one that was
/// lost. It may be running no more (the lock is ours), and nobody here knows how far it came.
fn begun_elsewhere(world: &World<'_>, journal: &Journal) -> Finding {
    let Journal {
        migration,
        progress,
        in_flight,
        ..
    } = journal;
    let next = if *in_flight {
        ", and one more was begun"
    } else {
        ""
    };
    Finding {
        gate: Gate::Unknown,
        migration: Some(migration.clone()),
        fact: "another ledger began it here, and it never ended".to_owned(),
        found: vec![format!(
            "the target's journal: {} of {} statements ended{next}",
            progress.done, progress.of
        )],
        required: "the end of every attempt, from the target's receipts or from a person"
            .to_owned(),
        remedy: format!(
            "tollgate resolve {} {} --not-applied --reason '<what you found and undid>'",
            world.inputs.environment,
            shell(migration.as_str())
        ),
    }
}
