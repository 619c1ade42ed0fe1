//! approval: so many people said yes to the very plan that is applied, none of them whoever applies it, nor,
//! where the policy says so, an author of what it applies. An approval is of one saved plan, so what was not
//! saved cannot have one. It cannot be waived: whoever may waive alone would be one who may approve alone.

use std::collections::BTreeMap;

use super::{Finding, Gate, World, shell};
use crate::digest::ChainHash;
use crate::ledger::view::EnvironmentView;
use crate::model::approval::NOT_SIGNED;
use crate::model::{Actor, Approval, EnvironmentName, RequiredApprovals, Timestamp};
use crate::planner::premises::Held;
use crate::planner::saved::SavedPlan;

/// What is to be said yes to.
#[derive(Debug, Clone, Copy)]
pub enum Approving<'a> {
    /// The plan as it is made: nobody read it.
    Unsaved,
    /// The plan is being saved, in this file: it is read afterwards.
    Saving(&'a str),
    /// A saved plan.
    Held(Held<'a>),
}

/// What is known of the approvals of a saved plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approvals<'a> {
    /// Those that count: of each person the first.
    pub count: Vec<&'a Approval>,
    /// Those that do not, and why, as a clause.
    pub others: Vec<(&'a Approval, String)>,
}

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let environment = world.inputs.environment;
    let Some(asked) = world.inputs.policy.approvals(environment) else {
        return Vec::new();
    };
    if world.pending.is_empty() {
        return Vec::new();
    }
    match world.inputs.approving {
        Approving::Saving(_) => Vec::new(),
        Approving::Unsaved => vec![unsaved(world, asked)],
        Approving::Held(held) => missing(world, held, asked).into_iter().collect(),
    }
}

/// A plan that is being saved waits for its approvals.
pub(super) fn advice(world: &World<'_>) -> Option<Finding> {
    let environment = world.inputs.environment;
    let asked = world.inputs.policy.approvals(environment)?;
    let Approving::Saving(file) = world.inputs.approving else {
        return None;
    };
    (!world.pending.is_empty()).then(|| Finding {
        gate: Gate::Approval,
        migration: None,
        fact: format!(
            "{environment} takes it once {}",
            approve_it(asked.count.get())
        ),
        found: Vec::new(),
        required: required(asked),
        remedy: approve(file),
    })
}

/// What is known of the environment, whichever target it has.
fn known<'a>(world: &World<'a>) -> Option<&'a EnvironmentView> {
    world.inputs.view.get(world.inputs.environment)
}

fn unsaved(world: &World<'_>, asked: RequiredApprovals) -> Finding {
    let environment = world.inputs.environment;
    let to = world.inputs.to;
    let to = to.map_or_else(String::new, |to| format!(" --to {}", shell(to.as_str())));
    Finding {
        gate: Gate::Approval,
        migration: None,
        fact: format!(
            "{environment} takes only saved plans that were approved, and this one is not saved"
        ),
        found: waiting(world),
        required: required(asked),
        remedy: format!(
            "tollgate plan {environment}{to} --out release.plan.json   # then approve, and apply --plan"
        ),
    }
}

/// So many plans are named.
const MOST: usize = 4;

/// The plans that were approved and of which nothing ran yet: the newest approvals first.
fn waiting(world: &World<'_>) -> Vec<String> {
    let Some(here) = known(world) else {
        return Vec::new();
    };
    let has_run = |plan: &ChainHash| {
        let mut ran = here.applied.values().filter_map(|ran| ran.release.as_ref());
        ran.any(|release| release.id == *plan)
    };
    let mut plans = here.approved_plans();
    plans.retain(|it| !has_run(&it.plan));
    plans.sort_by_key(|it| std::cmp::Reverse(it.approvals.iter().map(|it| it.at).max()));
    let told = plans.iter().take(MOST).map(|it| {
        let names: Vec<String> = it.approvals.iter().map(Approval::told).collect();
        format!(
            "approved: saved plan {}: {}",
            it.plan.short(),
            names.join("; ")
        )
    });
    told.collect()
}

fn missing(world: &World<'_>, held: Held<'_>, asked: RequiredApprovals) -> Option<Finding> {
    let known = judged(known(world), held, world.inputs.now, asked.not_by_author);
    let (count, wanted) = (known.count.len(), usize::from(asked.count.get()));
    let left = wanted.checked_sub(count).filter(|left| *left > 0)?;
    let counted = known
        .count
        .iter()
        .map(|it| format!("approved: {}", it.told()));
    let others = known.others.iter();
    let others = others.map(|(it, why)| format!("does not count: {}; {why}", it.told()));
    let unknown = unknown_authors(held.saved).filter(|_| asked.not_by_author);
    let fact = match (count, &unknown) {
        (_, Some(_)) => "whether an approver wrote it cannot be told".to_owned(),
        (0, _) if wanted == 1 => "nobody whose word counts approved it".to_owned(),
        (0, _) => format!("nobody whose word counts approved it, and {wanted} people have to"),
        _ if left == 1 => format!("1 approval is missing of {wanted}"),
        _ => format!("{left} approvals are missing of {wanted}"),
    };
    let mut found: Vec<String> = counted.chain(others).collect();
    found.extend(unknown.clone());
    Some(Finding {
        gate: Gate::Approval,
        migration: None,
        fact,
        found,
        required: format!(
            "{}, of the saved plan {}",
            required(asked),
            held.saved.id.short()
        ),
        remedy: match unknown {
            Some(_) => anew(world.inputs.environment, held),
            None => approve(held.file),
        },
    })
}

/// The approvals of a plan that is held to, as they count at an instant.
#[must_use]
pub fn judged<'a>(
    here: Option<&'a EnvironmentView>,
    held: Held<'_>,
    now: Timestamp,
    not_by_author: bool,
) -> Approvals<'a> {
    let Some(here) = here else {
        return Approvals::default();
    };
    let saved = held.saved;
    // Whoever applied a part of it before applies it as well.
    let ran = here.applied.values().filter(|ran| {
        let release = ran.release.as_ref();
        release.is_some_and(|release| release.id == saved.id)
    });
    let appliers: Vec<&Actor> = ran.map(|ran| &ran.by).chain(held.by).collect();
    let mut known = Approvals::default();
    let mut first: BTreeMap<String, &Approval> = BTreeMap::new();
    let mut all = here.approvals_of(saved.id);
    all.sort_by_key(|approval| (approval.at, approval.entry));
    for approval in all {
        let who = &approval.approver;
        let why = if appliers.iter().any(|by| by.is_same(who)) {
            Some(format!("{who} applies it"))
        } else if approval.at < saved.content.made {
            Some(format!(
                "said at {}, and the plan was made at {}: a clock is wrong",
                approval.at, saved.content.made
            ))
        } else if approval.at > now {
            Some(format!(
                "said at {}, and now it is {now}: a clock is wrong",
                approval.at
            ))
        } else if not_by_author {
            by_author(saved, who)
        } else {
            None
        };
        match why {
            Some(why) => known.others.push((approval, why)),
            None if first.contains_key(&who.key()) => {}
            None => {
                first.insert(who.key(), approval);
                known.count.push(approval);
            }
        }
    }
    known
}

/// Why an author's approval does not count; `None` where it is no author's.
#[must_use]
pub fn by_author(saved: &SavedPlan, who: &Actor) -> Option<String> {
    let steps = &saved.content.steps;
    if let Some(step) = steps.iter().find(|step| step.authors.is_empty()) {
        return Some(format!("who wrote {} is not known", step.migration));
    }
    let wrote = steps.iter().find_map(|step| {
        let mut authors = step.authors.iter();
        let author = authors.find(|author| who.is_author(author))?;
        Some(format!("{author} wrote {}", step.migration))
    })?;
    Some(wrote)
}

/// What is not known of who wrote a plan's migrations; `None` where all is.
#[must_use]
pub fn unknown_authors(saved: &SavedPlan) -> Option<String> {
    let steps = saved.content.steps.iter();
    let unknown: Vec<&str> = steps
        .filter(|step| step.authors.is_empty())
        .map(|step| step.migration.as_str())
        .collect();
    let why = match &saved.content.git {
        None => "the plan was made outside a git repository, or before its first commit",
        Some(git) if git.dirty => {
            "the plan was made before every commit of it, or in a clone without its whole history"
        }
        Some(_) => "the plan was made in a clone without its whole history",
    };
    match unknown.as_slice() {
        [] => None,
        [one] => Some(format!("who wrote {one} is not known: {why}")),
        [one, more @ ..] => Some(format!(
            "who wrote {one} and {} more is not known: {why}",
            more.len()
        )),
    }
}

/// Nobody can approve it, because it is not known who wrote it all; `None` where that is known.
#[must_use]
pub fn nobody(environment: &EnvironmentName, held: Held<'_>) -> Option<Finding> {
    let unknown = unknown_authors(held.saved)?;
    Some(Finding {
        gate: Gate::Approval,
        migration: None,
        fact: "whether an approver wrote it cannot be told".to_owned(),
        found: vec![unknown],
        required: "a plan that names the authors of each of its migrations".to_owned(),
        remedy: anew(environment, held),
    })
}

/// An author says yes to their own, where that does not count.
#[must_use]
pub fn not_yours(
    environment: &EnvironmentName,
    held: Held<'_>,
    who: &Actor,
    why: String,
) -> Finding {
    Finding {
        gate: Gate::Approval,
        migration: None,
        fact: format!("an author's approval does not count for {environment}, and {who} is one"),
        found: vec![why],
        required: "somebody who wrote none of it".to_owned(),
        remedy: format!("{}   # somebody else's", approve(held.file)),
    }
}

/// A clock that stands before the plan was made.
#[must_use]
pub fn unmade(saved: &SavedPlan, now: Timestamp) -> Finding {
    Finding {
        gate: Gate::Premise,
        migration: None,
        fact:
            "the clock stands before the plan was made, and an approval from then would not count"
                .to_owned(),
        found: vec![
            format!("made: {}", saved.content.made),
            format!("now:  {now}"),
        ],
        required: "a clock that is right".to_owned(),
        remedy: "date -u   # and put the clock right".to_owned(),
    }
}

/// How a plan comes about of which it is known who wrote what it applies.
fn anew(environment: &EnvironmentName, held: Held<'_>) -> String {
    let plan = format!("tollgate plan {environment} --out {}", shell(held.file));
    match &held.saved.content.git {
        None => {
            format!("{plan}   # in a work tree of the repository, where all of it is committed")
        }
        Some(git) if git.dirty => format!("git status   # commit all of it, and then: {plan}"),
        Some(_) => {
            format!("git fetch --unshallow && {plan}   # in GitHub Actions: fetch-depth: 0")
        }
    }
}

fn approve(file: &str) -> String {
    format!("tollgate approve {} --as '<name>'", shell(file))
}

fn approve_it(count: u8) -> String {
    match count {
        1 => "1 person approved it".to_owned(),
        _ => format!("{count} people approved it"),
    }
}

fn required(asked: RequiredApprovals) -> String {
    match (asked.count.get(), asked.not_by_author) {
        (1, false) => "the approval of 1 person who does not apply it".to_owned(),
        (1, true) => {
            "the approval of 1 person who neither applies it nor wrote a migration in it".to_owned()
        }
        (count, false) => format!("the approvals of {count} people who do not apply it"),
        (count, true) => format!(
            "the approvals of {count} people who neither apply it nor wrote a migration in it"
        ),
    }
}

/// How it is met, line by line.
pub(crate) fn met(world: &World<'_>) -> Vec<String> {
    let inputs = world.inputs;
    let (Approving::Held(held), Some(asked)) = (
        inputs.approving,
        inputs.policy.approvals(inputs.environment),
    ) else {
        return vec!["nothing is pending".to_owned()];
    };
    let known = judged(known(world), held, inputs.now, asked.not_by_author);
    let told = known.count.iter().map(|it| {
        format!(
            "{}, entry {} of ledger {}, {NOT_SIGNED}",
            it.told(),
            it.entry.number,
            it.entry.writer.short()
        )
    });
    told.collect()
}
