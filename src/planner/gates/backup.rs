//! backup: there is a backup of the target, of after its last change, no older than the policy says.
//!
//! A target that tollgate never entered and that has no tables has nothing to lose, and needs none. One
//! that has tables needs one most of all: nothing here knows how to make them again. Offline nobody can
//! tell the two apart, so there it only warns.

use std::collections::BTreeMap;

use super::{Finding, Gate, World};
use crate::ledger::view::{Backup, Life};
use crate::model::entry::BackupKind;
use crate::model::{RequiredBackup, Timestamp};

/// More candidates than so many are not told.
const MOST: usize = 3;

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(required) = required(world) else {
        return Vec::new();
    };
    if !has_something(world) || stands_on(world).is_some() {
        return Vec::new();
    }
    vec![unmet(world, required)]
}

/// What is worth saying offline of a target that was never met.
pub(super) fn advice(world: &World<'_>) -> Option<Finding> {
    let required = required(world)?;
    let never_met = world.inputs.live.is_none() && world.here.target.is_none();
    never_met.then(|| Finding {
        gate: Gate::Backup,
        migration: None,
        fact: "this ledger knows no target there: where tables stand, a backup is needed first"
            .to_owned(),
        found: vec!["no contact yet".to_owned()],
        required: words(required),
        remedy: remedy(world, required),
    })
}

/// The backup that a plan stands on: the newest one with which nothing is wrong. `None` where none is
/// asked for, too.
pub(in crate::planner) fn stands_on(world: &World<'_>) -> Option<Backup> {
    let required = required(world)?;
    candidates(world.here)
        .into_iter()
        .find(|backup| wrong(backup, world.here, required, world.inputs.now).is_empty())
        .cloned()
}

fn required(world: &World<'_>) -> Option<RequiredBackup> {
    let policy = world.inputs.policy.require(world.inputs.environment)?;
    policy.backup.filter(|_| !world.pending.is_empty())
}

/// Whether there is something to lose: in what was entered before, always.
fn has_something(world: &World<'_>) -> bool {
    match world.inputs.live {
        Some(live) if live.is_new => live.has_history_elsewhere || live.is_filled,
        _ if world.here.target.is_some() => true,
        Some(live) => live.has_history_elsewhere || live.is_filled || live.unknown_history > 0,
        None => false,
    }
}

fn unmet(world: &World<'_>, required: RequiredBackup) -> Finding {
    let all = candidates(world.here);
    let mut found: Vec<String> = all
        .iter()
        .take(MOST)
        .map(|backup| {
            let wrong = wrong(backup, world.here, required, world.inputs.now);
            format!("{}: {}", name(backup), wrong.join("; "))
        })
        .collect();
    match all.len().checked_sub(MOST) {
        None | Some(0) if all.is_empty() => found.push("none in the ledger".to_owned()),
        None | Some(0) => {}
        Some(more) => found.push(format!("and {more} more, none of which counts")),
    }
    Finding {
        gate: Gate::Backup,
        migration: None,
        fact: match all.is_empty() {
            true => "there is no backup of this target".to_owned(),
            false => "no backup of this target counts".to_owned(),
        },
        found,
        required: words(required),
        remedy: remedy(world, required),
    }
}

fn words(required: RequiredBackup) -> String {
    let verified = match required.verified {
        true => ", restored and found equal",
        false => "",
    };
    format!(
        "a backup taken after its last change, no older than {}{verified}",
        length(required.max_age.as_millis())
    )
}

fn remedy(world: &World<'_>, required: RequiredBackup) -> String {
    let verify = match required.verified {
        true => " --verify",
        false => "",
    };
    format!("tollgate backup {}{verify}", world.inputs.environment)
}

/// The backups of the target, newest first; of one file the newest word counts.
fn candidates(here: &Life) -> Vec<&Backup> {
    let mut files: BTreeMap<&str, &Backup> = BTreeMap::new();
    let mut all = Vec::new();
    for backup in &here.backups {
        match &backup.entry.what {
            BackupKind::File { file, .. } => {
                files.insert(file, backup);
            }
            BackupKind::Attested { .. } => all.push(backup),
        }
    }
    all.extend(files.into_values());
    all.sort_by_key(|backup| std::cmp::Reverse((backup.entry.taken, backup.at)));
    all
}

/// What a backup is called, for people.
#[must_use]
pub(crate) fn name(backup: &Backup) -> String {
    let taken = backup.entry.taken.minute();
    match &backup.entry.what {
        BackupKind::File { file, .. } => format!("{taken} {file}"),
        BackupKind::Attested { place } => format!("{taken} attested, not seen: {place}"),
    }
}

/// Everything that is wrong with a backup, a clause each.
fn wrong(backup: &Backup, here: &Life, required: RequiredBackup, now: Timestamp) -> Vec<String> {
    let mut wrong = Vec::new();
    let taken = backup.entry.taken;
    let old = now.unix_millis().saturating_sub(taken.unix_millis());
    match u128::try_from(old) {
        Err(_) => wrong.push(format!(
            "it is of the future: a clock was set back, now it is {}",
            now.minute()
        )),
        Ok(old) if old > required.max_age.as_millis() => {
            wrong.push(format!("too old: {}", length(old)));
        }
        Ok(_) => {}
    }
    if let Some(change) = here.last_change() {
        match backup.entry.receipt {
            Some(of) if here.receipts.get(&of.seq) != Some(&of.hash) => {
                wrong.push(format!("receipt {} of it is none of this target's", of.seq));
            }
            Some(of) if of.seq >= change.seq => {}
            _ => wrong.push(format!(
                "taken before the last change, receipt {}",
                change.seq
            )),
        }
    }
    match &backup.entry.what {
        BackupKind::File { bad: Some(bad), .. } => {
            wrong.push(format!("it was looked at, and is not good: {bad}"));
        }
        BackupKind::File { verified: None, .. } if required.verified => {
            wrong.push("nobody restored it, so nobody knows whether it can be".to_owned());
        }
        BackupKind::Attested { .. } if required.verified => {
            wrong.push("attested, not seen: it never counts as verified".to_owned());
        }
        BackupKind::File { .. } | BackupKind::Attested { .. } => {}
    }
    wrong
}

/// How old something is, in its largest two units: `2 h 5 min`.
#[must_use]
pub(crate) fn age(taken: Timestamp, now: Timestamp) -> String {
    let old = now.unix_millis().saturating_sub(taken.unix_millis());
    u128::try_from(old).map_or_else(|_| "not yet".to_owned(), length)
}

/// A length of time in the largest two units of which there is something, cut off.
pub(crate) fn length(millis: u128) -> String {
    const UNITS: [(u128, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut left = millis / 1_000;
    let mut words = Vec::new();
    for (seconds, unit) in UNITS {
        let whole = left / seconds;
        left %= seconds;
        if whole > 0 {
            words.push(format!("{whole} {unit}"));
        }
        if words.len() == 2 {
            break;
        }
    }
    match words.is_empty() {
        true => "0 s".to_owned(),
        false => words.join(" "),
    }
}

#[cfg(test)]
mod tests;
