//! baseline: what another tool made in a target is taken in before anything runs over it.

use super::{Finding, Gate, World, shell};
use crate::planner::{Inputs, Live};

/// What stands in a target that tollgate never entered is not known, and so neither is what is pending.
pub(crate) fn is_untold(inputs: &Inputs<'_>) -> bool {
    inputs
        .live
        .is_some_and(|live| live.unknown_history > 0 || has_unknown_tables(inputs, live))
}

/// Prisma refuses it as P3005.
fn has_unknown_tables(inputs: &Inputs<'_>, live: &Live) -> bool {
    let in_the_way = live.has_history_elsewhere && live.is_filled && !live.is_prisma_8;
    in_the_way && inputs.prisma.is_some()
}

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let Some(live) = world.inputs.live else {
        return Vec::new();
    };
    let environment = world.inputs.environment;
    if live.unknown_history > 0 {
        return vec![Finding {
            gate: Gate::Baseline,
            migration: None,
            fact: "Prisma migrated this database, and its history was not taken in".to_owned(),
            found: vec![format!("{} in Prisma's table", many(live.unknown_history))],
            required: "the history in the ledger, so that nothing runs a second time".to_owned(),
            remedy: format!("tollgate baseline {environment}"),
        }];
    }
    if has_unknown_tables(world.inputs, live) {
        return vec![Finding {
            gate: Gate::Baseline,
            migration: None,
            fact: "the database has tables, and neither a receipt nor Prisma's table tells what made them"
                .to_owned(),
            found: vec!["tables without a history".to_owned()],
            required: "an empty database, or a person's word for the migrations that made its tables"
                .to_owned(),
            remedy: remedy(world),
        }];
    }
    Vec::new()
}

/// What is worth saying of tables that no receipt explains, in a tree that is not Prisma's.
pub(super) fn advice(world: &World<'_>) -> Option<Finding> {
    let Some(live) = world.inputs.live else {
        return never_looked(world);
    };
    // In a tree of Prisma's only the application's schema is looked at, as Prisma does.
    let looks = world.inputs.prisma.is_none() && live.unknown_history == 0;
    (live.has_history_elsewhere && looks && !live.is_prisma_8).then(|| Finding {
        gate: Gate::Baseline,
        migration: None,
        fact: "the target has tables, and tollgate never entered it before".to_owned(),
        found: vec!["tables without a receipt".to_owned()],
        required: "tables that no migration made; or a person's word for those that made them"
            .to_owned(),
        remedy: remedy(world),
    })
}

/// Offline nobody knows whether Prisma migrated an environment that was never looked at.
fn never_looked(world: &World<'_>) -> Option<Finding> {
    let inputs = world.inputs;
    let tree = inputs.prisma?;
    let matters = world.here.target.is_none() && !tree.is_for_another(inputs.engine);
    (matters && !world.pending.is_empty()).then(|| Finding {
        gate: Gate::Baseline,
        migration: None,
        fact: "this ledger knows no target there: what Prisma applied there counts as pending here"
            .to_owned(),
        found: vec!["no contact yet".to_owned()],
        required: "the history in the ledger, where there is one".to_owned(),
        remedy: format!("tollgate baseline {}", inputs.environment),
    })
}

fn many(rows: usize) -> String {
    match rows {
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    }
}

fn remedy(world: &World<'_>) -> String {
    let first = world.inputs.files.first().map_or_else(
        || "0_init".to_owned(),
        |file| shell(file.migration.as_str()),
    );
    format!(
        "tollgate baseline {} --to {first} --reason '<why>'   # if migrations made them: name the last one",
        world.inputs.environment
    )
}
