//! Tying an environment to a target: what the ledger is told of it, and what of it others are told.

use super::{Event, Run, WorkflowError, target_error};
use crate::digest::ChainHash;
use crate::model::entry::{Bound, TargetIdentity};
use crate::model::{EnvironmentName, Fact, IncarnationId, Kind};
use crate::targets::{Earlier, Survey, Target};

/// Takes in that the target was emptied, which its identity says and the ledger missed.
pub(super) fn take_in_emptied(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    identity: TargetIdentity,
) -> Result<(), WorkflowError> {
    let reason = "it was emptied, as the target says".to_owned();
    let name = identity.name.clone();
    tie(run, environment, identity, Some(reason))?;
    (run.events)(Event::WasEmptied {
        environment,
        name: &name,
    });
    Ok(())
}

/// Enters a target that neither side knew: its identity row first, then the ledger's entry. A crash
/// between the two leaves a target that says where it belongs, which the next contact takes in.
pub(super) fn enter(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    earlier: Earlier,
    reason: Option<String>,
) -> Result<(), WorkflowError> {
    let incarnation = IncarnationId::from_bytes((run.random)());
    let identity = target
        .initialise(environment, incarnation, earlier)
        .map_err(|error| target_error(environment, error))?;
    bound(run, environment, identity, reason)
}

pub(super) fn bound(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: TargetIdentity,
    reason: Option<String>,
) -> Result<(), WorkflowError> {
    let name = target.name.clone();
    tie(run, environment, target, reason)?;
    (run.events)(Event::Bound {
        environment,
        name: &name,
    });
    Ok(())
}

/// Remembers what the present target is called now, where that is not what it was called: a database that
/// was renamed, a file that was moved. Whether it was.
pub(super) fn renamed(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    survey: &Survey,
    reason: Option<String>,
) -> Result<bool, WorkflowError> {
    let here = run.ledger.view().get(environment);
    let Some(known) = here.and_then(|here| here.target.clone()) else {
        return Ok(false);
    };
    let name = &survey.observed.name;
    if known.name == *name {
        return Ok(false);
    }
    let target = TargetIdentity {
        name: name.clone(),
        ..known.clone()
    };
    tie(run, environment, target, reason)?;
    (run.events)(Event::Renamed {
        environment,
        from: &known.name,
        to: name,
    });
    Ok(true)
}

/// Writes the entry, with what this target takes the place of. A new target of an ephemeral environment
/// takes nothing's place: others may be at work in theirs.
fn tie(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: TargetIdentity,
    reason: Option<String>,
) -> Result<(), WorkflowError> {
    let here = run.ledger.view().get(environment);
    let present = here.and_then(|here| here.target.as_ref());
    let present = present.map(|present| present.incarnation);
    let replaces = present
        .filter(|present| *present != target.incarnation)
        .filter(|_| run.policy.kind(environment) != Kind::Ephemeral);
    run.record(Fact::Bound(Bound {
        environment: environment.clone(),
        target,
        reason,
        replaces,
        lost: Vec::new(),
    }))?;
    Ok(())
}

/// The receipts that the ledger holds of the present target and that do not stand there.
pub(super) fn gone(
    run: &Run<'_>,
    environment: &EnvironmentName,
    survey: &Survey,
) -> Vec<ChainHash> {
    let Some(here) = run.ledger.view().get(environment) else {
        return Vec::new();
    };
    let stands = |seq: u64, hash: &ChainHash| {
        let mut rows = survey.receipts.iter();
        rows.any(|row| row.seq == seq && row.hash == hash.to_string())
    };
    let held = here.receipts.iter();
    held.filter(|(seq, hash)| !stands(**seq, hash))
        .map(|(_, hash)| *hash)
        .collect()
}

/// Says that the present target was put back to an earlier point: what stands there is taken in anew, and
/// what stood there after that point is not believed to stand, whoever tells of it.
pub(super) fn put_back(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    survey: &Survey,
    reason: String,
) -> Result<(), WorkflowError> {
    let here = run.ledger.view().get(environment);
    let Some(target) = here.and_then(|here| here.target.clone()) else {
        return Ok(());
    };
    let lost = gone(run, environment, survey);
    let name = target.name.clone();
    run.record(Fact::Bound(Bound {
        environment: environment.clone(),
        replaces: Some(target.incarnation),
        target,
        reason: Some(reason),
        lost,
    }))?;
    (run.events)(Event::Bound {
        environment,
        name: &name,
    });
    Ok(())
}

/// Says that this ledger itself was at the target, where it knows that only from others: what it goes on to
/// say is said of this one.
pub(super) fn meet(run: &mut Run<'_>, environment: &EnvironmentName) -> Result<(), WorkflowError> {
    let view = run.ledger.view();
    let target = view.get(environment).and_then(|here| here.target.clone());
    let Some(target) = target else { return Ok(()) };
    if view.met(environment, run.ledger.writer()) == Some(target.incarnation) {
        return Ok(());
    }
    tie(run, environment, target, None)
}
