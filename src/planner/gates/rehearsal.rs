//! rehearsal: the reversal of every step was rehearsed in each environment before this one.

use super::promotion::{and, told};
use super::{Finding, Gate, World, shell};
use crate::model::{DownLabel, EnvironmentName, MigrationId, RequiredRehearsal};
use crate::planner::{DownFacts, FileFacts};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let policy = world.inputs.policy;
    let required = policy
        .require(world.inputs.environment)
        .and_then(|require| require.rehearsal.as_ref());
    let Some(required) = required else {
        return Vec::new();
    };
    let wheres = wheres(world);
    if wheres.is_empty() {
        return Vec::new();
    }
    let pending = world.pending.iter();
    pending
        .filter_map(|file| unmet(world, required, &wheres, file))
        .collect()
}

/// Where the rehearsals must have passed: in every environment before; in a chain of one, there itself.
fn wheres<'a>(world: &World<'a>) -> Vec<&'a EnvironmentName> {
    let policy = world.inputs.policy;
    let alone = policy.chain().count() == 1 && !policy.is_outside(world.inputs.environment);
    match alone {
        true => policy.chain().collect(),
        false => world.before().collect(),
    }
}

fn unmet(
    world: &World<'_>,
    required: &RequiredRehearsal,
    wheres: &[&EnvironmentName],
    file: &FileFacts<'_>,
) -> Option<Finding> {
    let environment = world.inputs.environment;
    let finding = |fact: String, found: Vec<String>, required: String, remedy: String| {
        Some(Finding {
            gate: Gate::Rehearsal,
            migration: Some(file.migration.clone()),
            fact,
            found,
            required,
            remedy,
        })
    };
    let all = and(wheres);
    let name = shell(file.migration.as_str());
    let first = wheres.first()?;
    let Some(down) = file.down else {
        return finding(
            "it has no down.sql, so nobody knows whether it can be reversed".to_owned(),
            vec!["migration.sql alone".to_owned()],
            format!("a down.sql whose rehearsal passed in {all}"),
            format!("tollgate new --down {name} && tollgate rehearse {first} {name}"),
        );
    };
    match DownLabel::read(down.script) {
        Err(what) => {
            return finding(
                format!("its down.sql cannot be rehearsed: {what}"),
                vec![format!("down.sql, {}", down.checksum.short())],
                "-- tollgate:down lossless, lossy: <what> or irreversible: <why>".to_owned(),
                format!("edit its down.sql, then: tollgate rehearse {first} {name}"),
            );
        }
        Ok(DownLabel::Irreversible(_)) if required.irreversible.contains(file.migration) => {
            return None;
        }
        Ok(DownLabel::Irreversible(why)) => {
            return finding(
                "its down.sql says that it is irreversible".to_owned(),
                vec![why],
                format!("that somebody accepts it for {environment}"),
                format!(
                    "edit tollgate.toml, below [environment.require] of {environment}: rehearsal = {{ irreversible = [\"{}\"] }}",
                    file.migration
                ),
            );
        }
        Ok(_) => {}
    }
    let passed = |name: &&&EnvironmentName| {
        let there = world.inputs.view.get(name);
        let known = there
            .and_then(|there| there.rehearsal_of(file.migration, file.checksum, down.checksum));
        known.is_some_and(|known| known.down.result.passed())
    };
    let missing: Vec<&EnvironmentName> = wheres
        .iter()
        .filter(|name| !passed(name))
        .copied()
        .collect();
    let first = missing.first()?;
    // A failure gives way only to somebody who looks as closely.
    let there = world.inputs.view.get(first);
    let failed =
        there.and_then(|there| there.rehearsal_of(file.migration, file.checksum, down.checksum));
    let closely = failed.map_or_else(String::new, |known| {
        format!(" --data {}", known.down.data.as_str())
    });
    finding(
        format!("its reversal was not rehearsed in {}", and(&missing)),
        wheres
            .iter()
            .map(|there| found(world, there, file, down))
            .collect(),
        format!("a rehearsal of these bytes of migration.sql and down.sql that passed in {all}"),
        format!("tollgate rehearse {first} {name}{closely}"),
    )
}

/// What an environment knows of the rehearsal, as one line.
fn found(
    world: &World<'_>,
    name: &EnvironmentName,
    file: &FileFacts<'_>,
    down: DownFacts<'_>,
) -> String {
    let Some(there) = world.inputs.view.get(name) else {
        return format!("{name}: nothing, and this ledger knows no target there");
    };
    let id: &MigrationId = file.migration;
    if let Some(known) = there.rehearsal_of(id, file.checksum, down.checksum) {
        let how = match known.down.result.passed() {
            true => format!("passed, {}", known.down.result.as_str()),
            false => "did not pass".to_owned(),
        };
        return format!(
            "{name}: {how}, {} by {}{}",
            known.at.minute(),
            known.by,
            told(known.told_by.as_ref())
        );
    }
    let mut others: Vec<_> = there.rehearsals_of(id).collect();
    others.sort_by_key(|(_, known)| known.at);
    match others.last() {
        None => format!("{name}: nothing"),
        Some(((up, _), known)) => {
            let which = match *up == file.checksum {
                true => "another down.sql",
                false => "other bytes",
            };
            let how = match known.down.result.passed() {
                true => "passed",
                false => "did not pass",
            };
            format!("{name}: {which} {how}, {}", known.at.minute())
        }
    }
}
