//! Waivers: refusals that somebody accepted, as far as they count for this plan.

use super::{FileFacts, Finding, Gate, World};
use crate::ledger::view;
use crate::model::{EnvironmentName, Waiver};

/// A refusal that somebody accepted. It refuses nothing, and is shown all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// What is refused without it.
    pub finding: Finding,
    /// Who accepted it, and why.
    pub waiver: Waiver,
}

/// Takes out of the refusals those that somebody accepted. Where two people accepted the same, both are
/// named, and both are spent.
pub(super) fn take(world: &World<'_>, refusals: Vec<Finding>) -> (Vec<Finding>, Vec<Waived>) {
    let mut known = world.inputs.view.waivers(world.inputs.environment);
    known.retain(|waived| counts(world, waived));
    let mut waived = Vec::new();
    let rest = refusals.into_iter().filter(|finding| {
        let before = waived.len();
        let about = |waiver: &Waiver| {
            finding.gate.as_str() == waiver.gate
                && finding.migration.as_ref() == Some(&waiver.migration)
        };
        let all = known.iter().map(|known| &known.waiver);
        waived.extend(all.filter(|waiver| about(waiver)).map(|waiver| Waived {
            finding: finding.clone(),
            waiver: waiver.clone(),
        }));
        waived.len() == before
    });
    let rest = rest.collect();
    (rest, waived)
}

fn counts(world: &World<'_>, waived: &view::Waived) -> bool {
    let environment = world.inputs.environment;
    let policy = world.inputs.policy;
    let waiver = &waived.waiver;
    let Some(gate) = Gate::from_word(&waiver.gate).filter(|gate| gate.is_waivable()) else {
        return false;
    };
    // What came by sync was written under another policy, perhaps.
    if policy.never_waives(environment, gate.as_str()) {
        return false;
    }
    let ran = world.here.applied.get(&waiver.migration);
    let file = world.file(&waiver.migration);
    let is_of_these_bytes = match gate {
        Gate::Missing => ran.is_some_and(|ran| ran.checksum == Some(waived.blake3)),
        Gate::Modified if ran.is_none() => false,
        _ => file.is_some_and(|file| file.checksum == waived.blake3),
    };
    is_of_these_bytes
        && (gate != Gate::Rehearsal || is_of_this_reversal(world, waived))
        && (lasts(world, environment, waived) || goes_on(world, waived))
}

/// Whether the reversal is the one that stood there: another script was not accepted.
fn is_of_this_reversal(world: &World<'_>, waived: &view::Waived) -> bool {
    let file = world.file(&waived.waiver.migration);
    file.is_some_and(|file| waived.down == file.down.map(|down| down.checksum))
}

/// The waiver that will count when these bytes come to another environment: what its gate would refuse there is
/// accepted already, as far as it lasts.
pub(super) fn ahead(
    world: &World<'_>,
    environment: &EnvironmentName,
    gate: Gate,
    file: &FileFacts<'_>,
) -> Option<Waiver> {
    if world.inputs.policy.never_waives(environment, gate.as_str()) {
        return None;
    }
    let known = world.inputs.view.waivers(environment).into_iter();
    let mut counting = known.filter(|waived| {
        waived.waiver.gate == gate.as_str()
            && waived.waiver.migration == *file.migration
            && waived.blake3 == file.checksum
            && waived.down
                == file
                    .down
                    .map(|down| down.checksum)
                    .filter(|_| gate == Gate::Rehearsal)
            && lasts(world, environment, waived)
    });
    counting.next().map(|waived| waived.waiver)
}

/// Whether it is still to be used: once, or for as long as the policy says.
fn lasts(world: &World<'_>, environment: &EnvironmentName, waived: &view::Waived) -> bool {
    let Some(long) = world.inputs.policy.waivers_last(environment) else {
        return waived.spent_by.is_empty();
    };
    let (now, at) = (world.inputs.now, waived.waiver.at);
    let old = now.unix_millis().saturating_sub(at.unix_millis());
    // One of the future would last for ever: a clock is wrong.
    u128::try_from(old).is_ok_and(|old| old <= long.as_millis())
}

/// Whether what was begun under it goes on: in this very run, or after what stands of the migration.
fn goes_on(world: &World<'_>, waived: &view::Waived) -> bool {
    let migration = &waived.waiver.migration;
    let standing = world.here.standing.get(migration);
    let journals = world.inputs.live.map_or(&[][..], |live| &live.journals);
    let left = journals
        .iter()
        .filter(|journal| journal.migration == *migration)
        .map(|journal| journal.attempt)
        .chain(standing.map(|standing| standing.attempt));
    world.inputs.in_use.contains(&waived.waiver.entry)
        || left
            .into_iter()
            .any(|attempt| waived.spent_by.contains(&attempt))
}
