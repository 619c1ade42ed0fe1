//! freeze and hours: the policy says when nothing is applied, and when something may be. Both are asked
//! only where something is pending.

use super::backup::length;
use super::{Finding, Gate, World};
use crate::model::{Freeze, Require, Timestamp};

/// No freeze holds at this instant.
pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let now = world.inputs.now;
    let Some(require) = require(world) else {
        return Vec::new();
    };
    let Some(thaws) = thaws(world) else {
        return Vec::new();
    };
    let holding: Vec<&Freeze> = require.freeze.iter().filter(|it| it.holds(now)).collect();
    let environment = world.inputs.environment;
    let found = holding.iter().map(|freeze| {
        format!(
            "{} to {}: {}",
            freeze.from.minute(),
            freeze.to.minute(),
            freeze.reason
        )
    });
    vec![Finding {
        gate: Gate::Freeze,
        migration: None,
        fact: format!("{environment} is frozen"),
        found: found.chain(emergency(world)).collect(),
        required: "a moment outside every freeze in tollgate.toml".to_owned(),
        remedy: after(world, thaws),
    }]
}

/// When the freeze that holds now is over, and none that begins before that holds.
pub(in crate::planner) fn thaws(world: &World<'_>) -> Option<Timestamp> {
    let require = require(world)?;
    let holding = require
        .freeze
        .iter()
        .filter(|it| it.holds(world.inputs.now));
    Some(thawed(require, holding.map(|freeze| freeze.to).max()?))
}

/// When something may be applied again.
pub(in crate::planner) fn opens(world: &World<'_>) -> Option<Timestamp> {
    let windows = require(world)?.allow.iter();
    windows
        .filter_map(|window| window.opens(world.inputs.now))
        .min()
}

/// This instant lies in the hours in which something may be applied.
pub(super) fn check_hours(world: &World<'_>) -> Vec<Finding> {
    let now = world.inputs.now;
    let Some(require) = require(world) else {
        return Vec::new();
    };
    let windows = &require.allow;
    if windows.is_empty() || windows.iter().any(|window| window.is_open(now)) {
        return Vec::new();
    }
    let opening = windows
        .iter()
        .filter_map(|window| Some((window.opens(now)?, window)))
        .min_by_key(|(opens, _)| *opens);
    let mut found: Vec<String> = windows
        .iter()
        .take(1)
        .map(|window| format!("now: {}", window.wall(now)))
        .collect();
    if let Some((opens, window)) = opening {
        let wait = opens.unix_millis().saturating_sub(now.unix_millis());
        found.push(format!(
            "opens: {}, in {}",
            window.wall(opens),
            length(u128::from(wait.unsigned_abs()))
        ));
    }
    found.extend(emergency(world));
    let told: Vec<String> = windows.iter().map(ToString::to_string).collect();
    vec![Finding {
        gate: Gate::Hours,
        migration: None,
        fact: format!(
            "nothing is applied to {} at this hour",
            world.inputs.environment
        ),
        found,
        required: told.join(", or "),
        remedy: after(world, opening.map_or(now, |(opens, _)| opens)),
    }]
}

/// What does not wait, where the policy allows it.
fn emergency(world: &World<'_>) -> Option<String> {
    let environment = world.inputs.environment;
    world.inputs.policy.break_glass(environment)?;
    Some(format!(
        "in an emergency: tollgate break-glass {environment} --reason '<why>' --incident <id>"
    ))
}

fn require<'a>(world: &World<'a>) -> Option<&'a Require> {
    let require = world.inputs.policy.require(world.inputs.environment);
    require.filter(|_| !world.pending.is_empty())
}

/// The end of the freezes that hold at an instant, and of those that begin before they end.
fn thawed(require: &Require, end: Timestamp) -> Timestamp {
    let mut end = end;
    while let Some(later) = require.freeze.iter().find(|it| it.holds(end)) {
        end = later.to;
    }
    end
}

fn after(world: &World<'_>, at: Timestamp) -> String {
    let environment = world.inputs.environment;
    format!("tollgate plan {environment}   # from {} on", at.minute())
}
