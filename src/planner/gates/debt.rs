//! debt: what was applied here through broken glass is paid for: the runs that were skipped succeeded in the
//! environments before, and somebody else reviewed it.

pub(crate) use super::promotion::and;
use super::{Finding, Gate, World, promotion, restore_bytes, shell};
use crate::ledger::view::{OpenedDebt, Owed};
use crate::model::{Actor, EnvironmentName};

/// No debt is open, where something is to be applied.
pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    match world.pending.is_empty() {
        true => Vec::new(),
        false => findings(world),
    }
}

/// Where nothing is to be applied an open debt is told.
pub(super) fn advice(world: &World<'_>) -> Vec<Finding> {
    match world.pending.is_empty() {
        true => findings(world),
        false => Vec::new(),
    }
}

fn findings(world: &World<'_>) -> Vec<Finding> {
    let debts = world.inputs.view.debts(world.inputs.environment);
    let open = debts.iter().filter(|debt| debt.is_open());
    open.map(|debt| finding(world, debt)).collect()
}

fn finding(world: &World<'_>, debt: &OpenedDebt) -> Finding {
    let incident = &debt.incident;
    Finding {
        gate: Gate::Debt,
        migration: None,
        fact: match debt.is_overdue(world.inputs.now) {
            true => format!(
                "the review of incident {incident} is OVERDUE since {}: glass was broken here for it",
                debt.review_by.minute()
            ),
            false => {
                format!("glass was broken here for incident {incident}, and that is not paid for")
            }
        },
        found: found(debt),
        required: required(debt),
        remedy: remedy(world, debt),
    }
}

/// What is known of a debt, line by line.
#[must_use]
pub(crate) fn found(debt: &OpenedDebt) -> Vec<String> {
    let mut found = vec![format!(
        "broken {} by {}: {}",
        debt.at.minute(),
        people(debt),
        debt.reason
    )];
    found.extend(debt.unpaid().map(|run| {
        let owed: Vec<&EnvironmentName> = run.unpaid.iter().collect();
        let verb = if owed.len() == 1 { "owes" } else { "owe" };
        format!(
            "{} {verb} the run of {} ({})",
            and(&owed),
            run.migration,
            run.checksum.short()
        )
    }));
    found.push(match debt.lacks_review() {
        true => format!("nobody else reviewed it: due {}", debt.review_by.minute()),
        false => reviewed(debt),
    });
    found
}

/// Who reviewed it: the last of them, where there are several.
fn reviewed(debt: &OpenedDebt) -> String {
    let reviews = debt.runs.iter().filter_map(|run| run.review.as_ref());
    reviews
        .max_by_key(|review| review.at)
        .map_or_else(String::new, |review| {
            format!(
                "reviewed {} by {}: {}",
                review.at.minute(),
                review.by,
                review.note
            )
        })
}

fn required(debt: &OpenedDebt) -> String {
    let runs = debt.unpaid().next().map(|_| {
        let mut names: Vec<&EnvironmentName> = debt.unpaid().flat_map(|run| &run.unpaid).collect();
        names.sort_unstable();
        names.dedup();
        format!("success of the same bytes in {}", and(&names))
    });
    let review = debt
        .lacks_review()
        .then(|| format!("a review by somebody else than {}", people(debt)));
    let both: Vec<String> = runs.into_iter().chain(review).collect();
    both.join(", and ")
}

/// First the runs: whoever reviews it wants to know how they came out.
fn remedy(world: &World<'_>, debt: &OpenedDebt) -> String {
    let inputs = world.inputs;
    let Some(owed) = debt.unpaid().max_by_key(|run| &run.migration) else {
        return format!(
            "tollgate post-review {} {} --note '<what was found>'   # by somebody else than {}",
            inputs.environment,
            shell(&debt.incident.0),
            people(debt)
        );
    };
    run_it(world, owed)
}

fn run_it(world: &World<'_>, owed: &Owed) -> String {
    let migration = &owed.migration;
    let file = world.file(migration);
    match file.filter(|file| file.checksum == owed.checksum) {
        Some(file) => {
            let there: Vec<&EnvironmentName> = owed.unpaid.iter().collect();
            match there
                .iter()
                .find(|name| world.inputs.policy.position(name).is_none())
            {
                Some(gone) => format!("edit tollgate.toml: put {gone} back into the chain"),
                None => promotion::way(world, file, &there),
            }
        }
        None => restore_bytes(world, world.inputs.environment, migration, owed.checksum),
    }
}

/// Who broke the glass.
#[must_use]
pub(crate) fn people(debt: &OpenedDebt) -> String {
    let names: Vec<&str> = debt.by.iter().map(|Actor(name)| name.as_str()).collect();
    names.join(" and ")
}
