//! data-loss: what a script destroys, it says that it may. Refused in the last environment of the chain,
//! and told elsewhere, where nothing else is required.

use std::collections::BTreeMap;

use super::reset::may_reset;
use super::{Finding, Gate, World, redone, shell, waive};
use crate::lint::rules::not_analysed;
use crate::lint::{Script, Topic, allow};
use crate::model::{DataLoss, EnvironmentName};
use crate::planner::effects::{StepFinding, is_empty, of_step};
use crate::planner::{FileFacts, waivers};
use crate::sql::Analysis;
use crate::sql::changes::Name;
use crate::targets::Rows;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    if world.inputs.policy.data_loss(world.inputs.environment) == DataLoss::Allow {
        return Vec::new();
    }
    let scripts = world.pending.iter().zip(&world.analyses).enumerate();
    scripts
        .filter_map(|(place, (file, analysis))| {
            let (_, findings) = of_step(&world.look, place, file);
            let losses = lines(&findings, &BTreeMap::new());
            if !losses.is_empty() {
                return Some(finding(world, file, losses, first_line(&findings)));
            }
            let unread = analysis.statements().is_none() && !is_empty(world.inputs, world.here);
            (unread && !is_accepted(world, file, analysis)).then(|| unreadable(world, file))
        })
        .collect()
}

/// What is lost, a line each; not what the script accepts. `rows` as far as they were counted.
pub(crate) fn lines(findings: &[StepFinding], rows: &BTreeMap<Name, Rows>) -> Vec<String> {
    unaccepted(findings)
        .map(|StepFinding { line, finding }| {
            let table = finding.subject.as_ref().map(|(table, _)| table);
            let rows = table.and_then(|table| rows.get(table));
            format!(
                "line {line}: {}; {}{}",
                finding.fact,
                finding.consequence,
                rows.map_or_else(String::new, |rows| format!(" ({rows})"))
            )
        })
        .collect()
}

fn unaccepted(findings: &[StepFinding]) -> impl Iterator<Item = &StepFinding> {
    let losses = findings.iter();
    losses.filter(|it| it.finding.rule.topic == Topic::DataLoss && it.finding.allowed.is_none())
}

fn first_line(findings: &[StepFinding]) -> usize {
    unaccepted(findings).map(|it| it.line).min().unwrap_or(1)
}

fn finding(world: &World<'_>, file: &FileFacts<'_>, found: Vec<String>, line: usize) -> Finding {
    Finding {
        gate: Gate::DataLoss,
        migration: Some(file.migration.clone()),
        fact: format!(
            "it destroys what stands here, and does not say that it may{}",
            ahead(world, file)
        ),
        found,
        required: required(world),
        remedy: remedy(world, file, &format!("above line {line}")),
    }
}

/// A script that no parser of ours could read is applied as it is; what it destroys nobody was told.
fn unreadable(world: &World<'_>, file: &FileFacts<'_>) -> Finding {
    Finding {
        gate: Gate::DataLoss,
        migration: Some(file.migration.clone()),
        fact: format!(
            "what it destroys cannot be read, and it does not say that it may{}",
            ahead(world, file)
        ),
        found: vec![format!(
            "{} bytes that were not analysed",
            file.script.len()
        )],
        required: required(world),
        remedy: remedy(world, file, "in its first line"),
    }
}

/// Whether a script that was not analysed says before everything else that it may destroy what it does:
/// further down it is not known of what.
fn is_accepted(world: &World<'_>, file: &FileFacts<'_>, analysis: &Analysis) -> bool {
    let script = Script {
        migration: file.migration,
        text: file.script,
        analysis,
        changes: &[],
    };
    let said = allow::read(world.inputs.engine, &script).allows;
    said.iter()
        .filter(|allow| allow.covers == allow::Covers::Script)
        .any(|allow| [allow::DATA_LOSS, not_analysed::RULE.code].contains(&&*allow.code))
}

fn required(world: &World<'_>) -> String {
    let environment = world.inputs.environment;
    match world
        .inputs
        .policy
        .never_waives(environment, Gate::DataLoss.as_str())
    {
        false => format!("a reason in the script, or a waiver for {environment}"),
        true => "a reason in the script".to_owned(),
    }
}

/// The first environment, from this one on, that refuses it. Where it ran it is not refused any more.
fn refuses<'a>(world: &World<'a>, file: &FileFacts<'_>) -> Option<&'a EnvironmentName> {
    let policy = world.inputs.policy;
    let here = world.inputs.environment;
    let has_it = |name: &EnvironmentName| {
        let there = world.inputs.view.get(name);
        there.is_some_and(|there| there.applied.contains_key(file.migration))
    };
    let refuses =
        |name: &&EnvironmentName| policy.data_loss(name) == DataLoss::Refuse && !has_it(name);
    if refuses(&here) {
        return Some(here);
    }
    let place = policy.position(here)?;
    policy.chain().skip(place + 1).find(refuses)
}

fn ahead(world: &World<'_>, file: &FileFacts<'_>) -> String {
    let later = refuses(world, file).filter(|name| *name != world.inputs.environment);
    later.map_or_else(String::new, |name| match waived_in(world, name, file) {
        Some(waiver) => format!("; waived for {name} by {}: {}", waiver.actor, waiver.reason),
        None => format!(": {name} will refuse it"),
    })
}

/// The waiver under which an environment still to come will take it.
fn waived_in(
    world: &World<'_>,
    name: &EnvironmentName,
    file: &FileFacts<'_>,
) -> Option<crate::model::Waiver> {
    waivers::ahead(world, name, Gate::DataLoss, file)
}

/// Where the bytes ran anywhere they can no longer change; elsewhere the reason belongs into them, to be
/// reviewed with them.
fn remedy(world: &World<'_>, file: &FileFacts<'_>, place: &str) -> String {
    let ran = ran_in(world, file);
    let refuses = refuses(world, file);
    let later = refuses.filter(|name| *name != world.inputs.environment);
    if let Some(name) = later.filter(|name| waived_in(world, name, file).is_some()) {
        // An edit would be of other bytes than those that were waived.
        return format!("tollgate plan {name}   # shows the waiver: nothing is left to say there");
    }
    let in_the_script = format!(
        "edit {}: write {place}: -- tollgate:allow {} <reason>",
        world.path(file.migration, "migration.sql"),
        allow::DATA_LOSS
    );
    let waivable = refuses.filter(|name| {
        let policy = world.inputs.policy;
        !policy.never_waives(name, Gate::DataLoss.as_str())
    });
    match (ran.first(), refuses) {
        // This very command runs it: an edit comes after it.
        (None, _) if is_about_to_run(world) => match (anew(world, file), waivable) {
            (Some(redo), _) => format!("{in_the_script}, then: {redo}"),
            (None, Some(name)) => waive(name, Gate::DataLoss, file.migration),
            (None, None) => format!(
                "{in_the_script}, then: {}",
                redone::from_the_beginning(world.inputs.environment)
            ),
        },
        (None, _) => in_the_script,
        (Some(_), None) => format!(
            "see that it is meant: tollgate log --migration {}",
            shell(file.migration.as_str())
        ),
        (Some(_), Some(name)) if waivable.is_none() => format!(
            "{in_the_script}, then: {}",
            way_back(world, file, &ran, name)
        ),
        (Some(_), Some(name)) => waive(name, Gate::DataLoss, file.migration),
    }
}

/// The environments in which these bytes ran, in the order of the chain.
pub(super) fn ran_in<'a>(world: &World<'a>, file: &FileFacts<'_>) -> Vec<&'a EnvironmentName> {
    let here = |name: &&EnvironmentName| world.inputs.view.get(name);
    let ran = |name: &&EnvironmentName| {
        here(name).is_some_and(|there| {
            there.evidence_of(file.migration, file.checksum).is_some()
                || there.bytes_of(file.migration) == Some(file.checksum)
        })
    };
    world.inputs.policy.chain().filter(ran).collect()
}

/// Whether it is planned to be run at once, in an environment in which it can be undone again.
fn is_about_to_run(world: &World<'_>) -> bool {
    let (policy, here) = (world.inputs.policy, world.inputs.environment);
    world.inputs.live.is_some()
        && may_reset(policy, here)
        && policy.data_loss(here) == DataLoss::Warn
}

/// How it runs again with other bytes where it is about to run, and may be undone: alone, as long as nothing
/// comes after it.
fn anew(world: &World<'_>, file: &FileFacts<'_>) -> Option<String> {
    let last = world.pending.last();
    let is_last = last.is_some_and(|last| last.migration == file.migration);
    let down = file.down.filter(|down| redone::reverses(down.script));
    (is_last && down.is_some()).then(|| redone::command(file.migration))
}

/// Where nobody can waive it, its bytes have to be others, and those start the chain again: in the first
/// environment they are undone, and of another one a new target is made.
fn way_back(
    world: &World<'_>,
    file: &FileFacts<'_>,
    ran: &[&EnvironmentName],
    last: &EnvironmentName,
) -> String {
    let mut steps = Vec::new();
    for name in ran {
        if may_reset(world.inputs.policy, name) {
            let view = world.inputs.view;
            let there = view.get(name);
            let ran = there.and_then(|there| there.applied.get(file.migration));
            // Elsewhere it is emptied too, so that it need not have run in one environment alone.
            let Some(ran) = ran else { continue };
            let can = redone::is_newest(view, name, ran)
                && ran.kind.is_evidence()
                && file.down.is_some_and(|down| redone::reverses(down.script));
            steps.push(match can {
                true => redone::command(file.migration),
                false => redone::from_the_beginning(name),
            });
        } else {
            steps.push(format!(
                "empty {name}, tollgate bind {name} --emptied --reason '<why>'"
            ));
        }
    }
    steps.push(format!("tollgate promote {last}"));
    steps.join(", then: ")
}
