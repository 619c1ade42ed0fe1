//! promotion: the same bytes succeeded in every environment before this one.

use std::collections::BTreeMap;

use super::{Finding, Gate, World, redone, restore, shell};
use crate::digest::differs_only_in_line_endings;
use crate::ledger::view::{EnvironmentView, Success};
use crate::model::entry::{Intent, Progress};
use crate::model::{EnvironmentName, Kind, MigrationId, ReceiptKind, Waiver};
use crate::planner::FileFacts;
use crate::planner::half::goes_on;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    // One answer for each stretch of the chain: hundreds of migrations share it.
    let mut late_on_the_way = BTreeMap::new();
    let unproven = |file: &FileFacts<'_>| {
        let proven = |name: &&EnvironmentName| {
            let there = world.inputs.view.get(name);
            there.is_some_and(|there| there.evidence_of(file.migration, file.checksum).is_some())
        };
        let missing: Vec<&EnvironmentName> = world.before().filter(|name| !proven(name)).collect();
        let (first, last) = (missing.first()?, missing.last()?);
        let late = *late_on_the_way
            .entry((*first, *last))
            .or_insert_with(|| late(world, first, last));
        Some(Finding {
            gate: Gate::Promotion,
            migration: Some(file.migration.clone()),
            fact: format!("these bytes never succeeded in {}", and(&missing)),
            found: world
                .before()
                .map(|name| found(world, name, file))
                .collect(),
            required: format!(
                "success of {} in {}",
                file.checksum.short(),
                and(&world.before().collect::<Vec<_>>())
            ),
            remedy: remedy(world, file, first, last, late),
        })
    };
    world.pending.iter().filter_map(unproven).collect()
}

/// How the same bytes come to succeed in environments before this one, in their order.
pub(super) fn way(world: &World<'_>, file: &FileFacts<'_>, missing: &[&EnvironmentName]) -> String {
    let (Some(first), Some(last)) = (missing.first(), missing.last()) else {
        return format!("tollgate plan {}", world.inputs.environment);
    };
    remedy(world, file, first, last, late(world, first, last))
}

/// What stands here and never succeeded in an environment before: it came while the chain in
/// tollgate.toml was another one, or under another tool. It cannot be refused any more, only shown.
pub(super) fn advice(world: &World<'_>) -> Option<Finding> {
    let environment = world.inputs.environment;
    let proven = |name: &EnvironmentName, migration: &MigrationId, ran: &Success| {
        let there = world.inputs.view.get(name);
        let known = there.zip(ran.checksum);
        known.is_some_and(|(there, bytes)| there.evidence_of(migration, bytes).is_some())
    };
    let unproven: Vec<&MigrationId> = world
        .here
        .applied
        .iter()
        .filter(|(migration, ran)| !world.before().all(|name| proven(name, migration, ran)))
        .map(|(migration, _)| migration)
        .collect();
    let (first, count) = (unproven.first()?, unproven.len());
    let never = |name: &&EnvironmentName| {
        let there = world.inputs.view.get(name);
        there.is_none_or(|there| there.target.is_none())
    };
    // Everybody's own, and what comes and goes, need not be looked at from here: entries bring it.
    let kind = |name: &&EnvironmentName| world.inputs.policy.kind(name);
    let unlooked = world
        .before()
        .filter(|name| kind(name) == Kind::Ordinary)
        .find(never);
    let found = match count {
        1 => first.to_string(),
        _ => format!("{first} and {} more", count - 1),
    };
    Some(Finding {
        gate: Gate::Promotion,
        migration: None,
        fact: match unlooked {
            Some(name) => format!(
                "this ledger never looked at {name}, so it knows of no success there of what was applied here"
            ),
            None => format!(
                "what was applied here never succeeded in {}",
                and(&world.before().collect::<Vec<_>>())
            ),
        },
        found: vec![found],
        required: "the same chain from the first day, or a look at how it came here".to_owned(),
        remedy: match unlooked {
            Some(name) => {
                format!("tollgate sync {name}   # takes in what its receipts prove")
            }
            None => format!(
                "tollgate log --migration {}   # who applied it to {environment}, and when",
                shell(first.as_str())
            ),
        },
    })
}

/// By what a success is known, where it is not by its own receipt or entry.
pub(crate) fn told(by: Option<&EnvironmentName>) -> String {
    by.map_or_else(String::new, |name| {
        format!(", as its receipt in {name} tells")
    })
}

/// The gates that were waived for a success: they are shown with it for ever.
fn waived(waivers: &[Waiver]) -> String {
    let told: Vec<String> = waivers.iter().map(Waiver::told).collect();
    match told.is_empty() {
        true => String::new(),
        false => format!(" ({})", told.join("; ")),
    }
}

/// What an environment knows of the migration, as one line.
fn found(world: &World<'_>, name: &EnvironmentName, file: &FileFacts<'_>) -> String {
    let Some(there) = world.inputs.view.get(name) else {
        return format!("{name}: nothing, and this ledger knows no target there");
    };
    if let Some(success) = there.evidence_of(file.migration, file.checksum) {
        return format!(
            "{name}: succeeded {} by {}{}{}",
            success.at.minute(),
            success.by,
            told(success.told_by.as_ref()),
            waived(&success.waivers)
        );
    }
    if let Some(ran) = there.applied.get(file.migration) {
        let at = ran.at.minute();
        let is_this = ran.checksum == Some(file.checksum);
        return if let Some(debt) = ran.debts.first() {
            format!(
                "{name}: ran through broken glass {at}, incident {}, which is no evidence",
                debt.incident
            )
        } else if ran.kind == ReceiptKind::Baselined {
            format!("{name}: counts as applied since its baseline, and nothing proves its bytes")
        } else if ran.kind == ReceiptKind::Resolved {
            let bytes = match is_this {
                true => "counts",
                false => "other bytes count",
            };
            format!("{name}: {bytes} as applied on a person's word, {at}")
        } else if is_this {
            format!(
                "{name}: its target is a copy; it ran in {} {at}",
                ran.ran_in
            )
        } else {
            format!("{name}: other bytes succeeded {at} ({})", ran.bytes())
        };
    }
    if let Some(failed) = there.failed.get(file.migration) {
        return format!("{name}: failed {}", failed.at.minute());
    }
    if there
        .partial
        .values()
        .any(|failed| failed.attempted.intent.migration == *file.migration)
    {
        return format!("{name}: failed half-way");
    }
    if let Some(standing) = there.standing.get(file.migration) {
        return format!(
            "{name}: cut off half-way; {}",
            super::standing(standing.progress)
        );
    }
    if there
        .open
        .values()
        .any(|open| open.intent.migration == *file.migration)
    {
        return format!("{name}: begun, its end is not known");
    }
    format!("{name}: nothing")
}

fn remedy(
    world: &World<'_>,
    file: &FileFacts<'_>,
    first: &EnvironmentName,
    last: &EnvironmentName,
    late: Option<&MigrationId>,
) -> String {
    let there: Option<&EnvironmentView> = world.inputs.view.get(first);
    if let Some(there) = there {
        let is_this = |intent: &Intent| intent.migration == *file.migration;
        let mut partial = there.partial.values();
        if let Some(failed) = partial.find(|failed| is_this(&failed.attempted.intent)) {
            let same = failed.attempted.intent.blake3 == file.checksum;
            let goes_on =
                |progress: &Progress| same && goes_on(world.inputs.engine, file, *progress);
            return super::resolve(first, file.migration, failed.progress.filter(goes_on));
        }
        if there.open.values().any(|open| is_this(&open.intent)) {
            return format!("tollgate apply {first} --dry-run");
        }
    }
    // The next database of an ephemeral environment has nothing of it.
    let lasts = world.inputs.policy.kind(first) != Kind::Ephemeral;
    let there = there.filter(|_| lasts);
    match there.and_then(|there| there.applied.get(file.migration)) {
        // It stands there already, so applying it again does nothing.
        Some(ran) if ran.checksum != Some(file.checksum) && ran.is_evidence() => {
            let back = restore(world, first, file.migration, ran);
            let only_endings = ran
                .checksum
                .is_some_and(|ran| differs_only_in_line_endings(file.script.as_bytes(), &ran));
            let (policy, view) = (world.inputs.policy, world.inputs.view);
            let redo = redone::redo(policy, view, world.inputs.kept, first, file.migration, ran);
            match redo.filter(|_| !only_endings) {
                Some(redo) => format!("{redo}   # or take the edit back: {back}"),
                None => back,
            }
        }
        // It may be a database that nobody empties; and nothing makes evidence of it any more.
        Some(ran) if !ran.debts.is_empty() && ran.checksum == Some(file.checksum) => {
            past_glass(world, file, first)
        }
        // What is applied without being evidence runs only once more, on a target that is empty.
        Some(_) if super::reset::may_reset(world.inputs.policy, first) => {
            format!("tollgate reset {first}   # and then: tollgate apply {first}")
        }
        Some(_) => {
            format!("tollgate bind {first} --emptied --reason '<why>'   # after emptying {first}")
        }
        None => {
            if let Some(late) = late.filter(|late| *late <= file.migration) {
                return format!("tollgate restamp {}", shell(late.as_str()));
            }
            let verb = if first == last { "apply" } else { "promote" };
            format!(
                "tollgate {verb} {last} --to {}",
                shell(file.migration.as_str())
            )
        }
    }
}

/// The way past an environment in which the bytes stand through broken glass.
fn past_glass(world: &World<'_>, file: &FileFacts<'_>, first: &EnvironmentName) -> String {
    let (environment, policy) = (world.inputs.environment, world.inputs.policy);
    let name = shell(file.migration.as_str());
    if !policy.never_waives(environment, Gate::Promotion.as_str()) {
        return super::waive(environment, Gate::Promotion, file.migration);
    }
    match policy.break_glass(environment) {
        Some(_) => format!(
            "tollgate break-glass {environment} --reason '<why>' --incident <id> --to {name}"
        ),
        None => {
            format!("tollgate bind {first} --emptied --reason '<why>'   # after emptying {first}")
        }
    }
}

/// The first migration that `order` would refuse half of the way. It must get its new name
/// first: after the environments before have it, it can no longer be renamed.
fn late<'a>(
    world: &World<'a>,
    first: &EnvironmentName,
    last: &EnvironmentName,
) -> Option<&'a MigrationId> {
    let policy = world.inputs.policy;
    let strict = |name: &&EnvironmentName| policy.holds_to_names(name);
    let view = |name| world.inputs.view.get(name);
    let end = policy.position(last).map_or(0, |at| at + 1);
    let on_the_way = || {
        world
            .before()
            .take(end)
            .filter(|name| first != last || *name == first)
    };
    let is_late = |id: &MigrationId| {
        on_the_way().filter(strict).filter_map(view).any(|there| {
            let newest = super::order::newest_for(there, id).map(|(newest, _)| newest);
            !there.applied.contains_key(id) && newest > Some(id)
        })
    };
    let is_fixed = |id: &MigrationId| {
        policy
            .chain()
            .filter(strict)
            .filter_map(view)
            .any(|there| there.applied.contains_key(id))
    };
    let mut files = world.inputs.files.iter().map(|file| file.migration);
    files.find(|id| is_late(id) && !is_fixed(id))
}

/// `dev`, `dev and test`, `dev, test and stage`.
pub(crate) fn and(names: &[&EnvironmentName]) -> String {
    let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
