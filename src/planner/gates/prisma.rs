//! prisma: a tree that Prisma made is run by tollgate as Prisma would run it, or not at all.

use super::{Finding, Gate, World, shell};
use crate::model::entry::Engine;
use crate::model::prisma::{LOCK_FILE, PrismaTree, locale_order};
use crate::model::{EnvironmentName, MigrationId};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let inputs = world.inputs;
    let wrong = provider(inputs.environment, inputs.engine, inputs.prisma);
    let mut findings: Vec<Finding> = wrong.into_iter().collect();
    findings.extend(newer(world));
    findings.extend(order(world));
    findings
}

/// The scripts are for another kind of database.
pub(crate) fn provider(
    environment: &EnvironmentName,
    engine: Engine,
    tree: Option<&PrismaTree>,
) -> Option<Finding> {
    let tree = tree?;
    tree.is_for_another(engine).then(|| {
        let provider = tree.provider.as_deref().unwrap_or_default();
        Finding {
            gate: Gate::Prisma,
            migration: None,
            fact: format!(
                "the migrations are for {provider}, and the target is {}",
                engine.as_str()
            ),
            found: vec![format!("{LOCK_FILE}: provider = {provider:?}")],
            required: format!("a target of {provider}"),
            remedy: format!(
                "edit tollgate.toml: give {environment} the url of such a target, or name the folder of other migrations"
            ),
        }
    })
}

/// A newer Prisma keeps its record elsewhere, in a form that tollgate does not read.
fn newer(world: &World<'_>) -> Option<Finding> {
    let live = world.inputs.live?;
    live.is_prisma_8.then(|| Finding {
        gate: Gate::Prisma,
        migration: None,
        fact: "Prisma 8 migrated this database, and tollgate does not read what it records"
            .to_owned(),
        found: vec!["prisma_contract in the target".to_owned()],
        required: "a database of Prisma 5, 6 or 7".to_owned(),
        remedy: format!(
            "edit tollgate.toml: give {} the url of such a database",
            world.inputs.environment
        ),
    })
}

/// Pending migrations that Prisma would run at another place. Up to 6.5 it takes folders by their bytes,
/// as tollgate does, and from 6.6 on in the order of a language.
fn order(world: &World<'_>) -> Vec<Finding> {
    if world.inputs.prisma.is_none() || agree(world) {
        return Vec::new();
    }
    let is_pending = |id: &MigrationId| world.pending.iter().any(|file| file.migration == id);
    let mut files = world.inputs.files.iter().map(|file| file.migration);
    // The later one by bytes gets the new name, so that what runs last goes on to run last.
    let partner = |id: &MigrationId| {
        let mut others = world.inputs.files.iter().map(|file| file.migration);
        others.find(|other| disagree(id, other) && (*other < id || !is_pending(other)))
    };
    let mut findings = Vec::new();
    for id in files.by_ref().filter(|id| is_pending(id)) {
        let Some(other) = partner(id) else {
            continue;
        };
        let (before, after) = match other < id {
            true => (other, id),
            false => (id, other),
        };
        findings.push(Finding {
            gate: Gate::Prisma,
            migration: Some(id.clone()),
            fact: format!("Prisma would not run it on the same side of {other} as tollgate"),
            found: vec![
                format!("by the bytes of the names, as tollgate and Prisma up to 6.5: {before}, then {after}"),
                format!("as Prisma from 6.6 on sorts: {after}, then {before}"),
            ],
            required: "names that both sort alike: 14 digits, then _".to_owned(),
            remedy: format!("tollgate restamp {}", shell(id.as_str())),
        });
    }
    findings
}

/// What is applied stays as it is.
pub(super) fn advice(world: &World<'_>) -> Option<Finding> {
    if world.inputs.prisma.is_none() || agree(world) {
        return None;
    }
    let is_applied = |id: &MigrationId| world.here.applied.contains_key(id);
    let files = || world.inputs.files.iter().map(|file| file.migration);
    let (one, other) = files().filter(|id| is_applied(id)).find_map(|one| {
        let mut later = files().filter(|other| one < *other && is_applied(other));
        later
            .find(|other| disagree(one, other))
            .map(|other| (one, other))
    })?;
    Some(Finding {
        gate: Gate::Prisma,
        migration: None,
        fact: "Prisma from 6.6 on sorts two applied migrations the other way round".to_owned(),
        found: vec![format!("{one} and {other}")],
        required: "nothing here: both are applied. A new database gets them in the order of the tool that makes it"
            .to_owned(),
        remedy: "tollgate new '<name>'   # names with 14 digits sort alike everywhere".to_owned(),
    })
}

/// Whether the whole tree has one order in both, which needs only neighbours to be looked at.
fn agree(world: &World<'_>) -> bool {
    world.inputs.files.windows(2).all(|pair| match pair {
        [one, other] => !disagree(one.migration, other.migration),
        _ => true,
    })
}

fn disagree(one: &MigrationId, other: &MigrationId) -> bool {
    one.cmp(other) != locale_order(one.as_str(), other.as_str())
}
