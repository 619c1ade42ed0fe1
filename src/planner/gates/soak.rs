//! soak: a migration has stood in the environment before for as long as the policy says, without a mishap.
//!
//! What never succeeded there is the gate promotion's to say.

use std::collections::BTreeMap;
use std::time::Duration;

use super::backup::length;
use super::{Finding, Gate, World, shell};
use crate::ledger::view::Soaking;
use crate::model::{EnvironmentName, MigrationId, Timestamp};
use crate::planner::FileFacts;
use crate::planner::revert::Links;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let require = world.inputs.policy.require(world.inputs.environment);
    let (Some(soak), Some(before)) = (require.and_then(|it| it.soak), world.before().last()) else {
        return Vec::new();
    };
    if world.pending.is_empty() {
        return Vec::new();
    }
    let links = Links::read(world.inputs.files, world.inputs.view);
    let of = |file: &FileFacts<'_>| {
        let since = since(world, before, file, links.standing(file.migration))?;
        finding(world, before, file.migration, soak, since)
    };
    world.pending.iter().filter_map(of).collect()
}

/// When each of the pending migrations has stood there for long enough, where that can be told.
pub(in crate::planner) fn ends(world: &World<'_>) -> BTreeMap<MigrationId, Timestamp> {
    let require = world.inputs.policy.require(world.inputs.environment);
    let (Some(soak), Some(before)) = (require.and_then(|it| it.soak), world.before().last()) else {
        return BTreeMap::new();
    };
    let links = Links::read(world.inputs.files, world.inputs.view);
    let end =
        |file: &FileFacts<'_>| match since(world, before, file, links.standing(file.migration))? {
            Since::At(at, _) if at <= world.inputs.now => {
                Some((file.migration.clone(), end(at, soak)))
            }
            Since::At(..) | Since::Gone => None,
        };
    world.pending.iter().filter_map(end).collect()
}

fn end(since: Timestamp, soak: Duration) -> Timestamp {
    let soak = i64::try_from(soak.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_unix_millis(since.unix_millis().saturating_add(soak))
}

/// From when it is counted.
enum Since {
    /// From here, for this reason.
    At(Timestamp, String),
    /// It stood there, and does not now.
    Gone,
}

/// From when it is counted; `None` where it never succeeded there.
fn since(
    world: &World<'_>,
    before: &EnvironmentName,
    file: &FileFacts<'_>,
    rollback: Option<&MigrationId>,
) -> Option<Since> {
    let there = world.inputs.view.get(before)?;
    let kind = world.inputs.policy.kind(before);
    let (succeeded, failed) = match there.soaking(file.migration, file.checksum, kind) {
        Soaking::Never => return None,
        Soaking::Gone => return Some(Since::Gone),
        Soaking::Since { succeeded, failed } => (succeeded, failed),
    };
    let mut since = (succeeded, "succeeded".to_owned());
    if let Some(at) = failed {
        since = (at, "succeeded, and failed there again".to_owned());
    }
    let reversed = rollback.and_then(|rollback| Some((there.applied.get(rollback)?.at, rollback)));
    if let Some((at, rollback)) = reversed.filter(|(at, _)| *at > since.0) {
        since = (at, format!("reversed by {rollback}"));
    }
    Some(Since::At(since.0, since.1))
}

fn finding(
    world: &World<'_>,
    before: &EnvironmentName,
    migration: &MigrationId,
    soak: Duration,
    since: Since,
) -> Option<Finding> {
    let environment = world.inputs.environment;
    let now = world.inputs.now;
    let wanted = length(soak.as_millis());
    let required = format!("{wanted} in {before}, from its success or the last mishap there");
    let unmet = |fact: String, found: String, remedy: String| Finding {
        gate: Gate::Soak,
        migration: Some(migration.clone()),
        fact,
        found: vec![found],
        required: required.clone(),
        remedy,
    };
    let (at, why) = match since {
        Since::At(at, why) => (at, why),
        Since::Gone => {
            return Some(unmet(
                format!("these bytes stood in {before} once, and do not stand there now"),
                format!("{before}: its present target does not have them"),
                format!("tollgate apply {before} --to {}", shell(migration.as_str())),
            ));
        }
    };
    let stood = now.unix_millis().saturating_sub(at.unix_millis());
    let Ok(stood) = u128::try_from(stood) else {
        return Some(unmet(
            format!("how long it stood in {before} cannot be told: a clock was set back"),
            format!(
                "{before}: {why} {}, and now it is {}",
                at.minute(),
                now.minute()
            ),
            format!(
                "tollgate log --migration {}   # whose clock was it?",
                shell(migration.as_str())
            ),
        ));
    };
    if stood >= soak.as_millis() {
        return None;
    }
    let end = end(at, soak);
    Some(unmet(
        format!(
            "it stood in {before} for {}, and has to for {wanted}",
            length(stood)
        ),
        format!("{before}: {why} {}", at.minute()),
        format!("tollgate plan {environment}   # from {} on", end.minute()),
    ))
}
