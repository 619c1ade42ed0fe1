//! debt: what was applied here through broken glass is paid for: the runs that were skipped succeeded in the
//! environments before, and somebody else reviewed it.

pub(crate) use super::promotion::and;
use super::reset::may_reset;
use super::{Finding, Gate, World, promotion, restore_bytes, shell};
use crate::ledger::view::{OpenedDebt, Owed};
use crate::model::{Actor, EnvironmentName, Kind};

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
        remedy: remedy(world, world.inputs.environment, debt),
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
fn remedy(world: &World<'_>, environment: &EnvironmentName, debt: &OpenedDebt) -> String {
    let Some(owed) = debt.unpaid().max_by_key(|run| &run.migration) else {
        return format!(
            "tollgate post-review {environment} {} --note '<what was found>'   # by somebody else than {}",
            shell(&debt.incident.0),
            people(debt)
        );
    };
    run_it(world, environment, owed)
}

fn run_it(world: &World<'_>, environment: &EnvironmentName, owed: &Owed) -> String {
    let inputs = world.inputs;
    let (migration, checksum) = (&owed.migration, owed.checksum);
    // How it ended is found out first: perhaps nothing of it stands.
    let here = inputs.view.get(environment);
    if here.is_some_and(|here| here.open.contains_key(&owed.attempt)) {
        return format!("tollgate apply {environment} --dry-run");
    }
    let owing: Vec<&EnvironmentName> = owed.unpaid.iter().collect();
    let mut names = owing.iter();
    if let Some(gone) = names.find(|name| inputs.policy.position(name).is_none()) {
        return format!("edit tollgate.toml: put {gone} back into the chain");
    }
    let file = world.file(migration);
    let Some(file) = file.filter(|file| file.checksum == checksum) else {
        return restore_bytes(world, environment, migration, checksum);
    };
    let first = owing.first().copied();
    let lasts = first.filter(|first| inputs.policy.kind(first) != Kind::Ephemeral);
    let ran = lasts.and_then(|first| {
        let there = inputs.view.get(first)?;
        Some((first, there.applied.get(migration)?))
    });
    match ran {
        None => promotion::way(world, file, &owing),
        // It ran through broken glass there as well: what is owed for that comes first.
        Some((first, ran)) if !ran.debts.is_empty() && ran.checksum == Some(checksum) => {
            let debts = inputs.view.debts(first);
            let has = |debt: &&OpenedDebt| {
                let mut runs = debt.runs.iter();
                debt.is_open() && runs.any(|run| run.attempt == ran.attempt)
            };
            match debts.iter().find(has) {
                Some(debt) if first != environment => remedy(world, first, debt),
                _ => format!("tollgate status   # what {first} owes"),
            }
        }
        // Other bytes stand there, or nothing proves them: these run only where nothing does.
        Some((first, _)) if may_reset(inputs.policy, first) => {
            format!("tollgate reset {first}   # and then: tollgate apply {first}")
        }
        Some((first, _)) => {
            format!("tollgate bind {first} --emptied --reason '<why>'   # after emptying {first}")
        }
    }
}

/// Who broke the glass.
#[must_use]
pub(crate) fn people(debt: &OpenedDebt) -> String {
    let names: Vec<&str> = debt.by.iter().map(|Actor(name)| name.as_str()).collect();
    names.join(" and ")
}
