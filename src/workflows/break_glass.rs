//! break-glass: apply without the missing proof, where the policy allows it; post-review: somebody else looked
//! at what was done.

use std::collections::BTreeSet;

use super::apply::{Report, Request as Apply, apply};
use super::promote::apply_with_a_backup;
use super::{Run, WorkflowError};
use crate::ledger::view::OpenedDebt;
use crate::model::entry::{PostReviewed, RefusedGate};
use crate::model::{BreakGlass, EnvironmentName, Fact, IncidentName, Kind, MigrationId, Timestamp};
use crate::planner::gates::shell;
use crate::planner::glass::Refusal;
use crate::planner::revert::one_line;
use crate::planner::{Gate, Glass};

/// What is to be applied without its proof.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Where.
    pub environment: &'a EnvironmentName,
    /// Only up to this migration.
    pub to: Option<&'a MigrationId>,
    /// For which incident.
    pub incident: &'a IncidentName,
    /// Why.
    pub reason: &'a str,
}

/// Looks at the target as a dry run does: what would be applied, and past which gates. Nothing runs.
///
/// # Errors
/// [`WorkflowError::Refused`] where the policy does not allow to break glass there, [`WorkflowError::Usage`]
/// where there is nothing to skip.
pub fn look(run: &mut Run<'_>, request: &Request<'_>) -> Result<Report, WorkflowError> {
    let glass = glass(run, request, None)?;
    apply(run, &asked(request, &glass, true))
}

/// Applies it, past what was shown and nothing else; takes a backup first, where the environment asks for one.
///
/// # Errors
/// As [`look`]; what was done before stands, and is in the ledger.
pub fn break_glass(
    run: &mut Run<'_>,
    request: &Request<'_>,
    confirmed: BTreeSet<Refusal>,
) -> Result<Report, WorkflowError> {
    let glass = glass(run, request, Some(confirmed))?;
    apply_with_a_backup(run, &asked(request, &glass, false))
}

fn asked<'a>(request: &Request<'a>, glass: &'a Glass, dry_run: bool) -> Apply<'a> {
    Apply {
        verb: "break-glass",
        environment: request.environment,
        to: request.to,
        dry_run,
        // What is to be applied was told with the look.
        is_part: !dry_run,
        backs_up: true,
        saved: None,
        glass: Some(glass),
    }
}

fn glass(
    run: &mut Run<'_>,
    request: &Request<'_>,
    confirmed: Option<BTreeSet<Refusal>>,
) -> Result<Glass, WorkflowError> {
    let allowed = allowed(run, request)?;
    let within = i64::try_from(allowed.review_within.as_millis()).unwrap_or(i64::MAX);
    let now = (run.now)().unix_millis();
    Ok(Glass {
        incident: IncidentName(one_line(&(run.clean)(&request.incident.0))),
        reason: one_line(&(run.clean)(request.reason)),
        review_by: Timestamp::from_unix_millis(now.saturating_add(within)),
        to: request.to.cloned(),
        confirmed,
    })
}

/// What the policy says of it.
fn allowed(run: &mut Run<'_>, request: &Request<'_>) -> Result<BreakGlass, WorkflowError> {
    let environment = request.environment;
    if let Some(allowed) = run.policy.break_glass(environment) {
        return Ok(allowed);
    }
    if run.policy.is_outside(environment) || run.policy.kind(environment) != Kind::Ordinary {
        return Err(WorkflowError::Usage {
            what: format!(
                "glass is broken only in an environment of the chain that is one database, and {environment} is none"
            ),
            remedy: format!("tollgate apply {environment}"),
        });
    }
    run.refuse_all(
        "break-glass",
        environment,
        vec![RefusedGate {
            gate: "break-glass".to_owned(),
            migration: None,
        }],
    )?;
    Err(WorkflowError::Refused {
        what: format!(
            "the policy of {environment} lets nobody break glass there; nothing was done"
        ),
        remedy: format!(
            "edit tollgate.toml: break_glass = {{ review_within = \"72h\" }} in [environment.require] of {environment}"
        ),
    })
}

/// Every gate is met, so nobody has to break anything.
pub(super) fn nothing_to_skip(
    environment: &EnvironmentName,
    to: Option<&MigrationId>,
) -> WorkflowError {
    let to = to.map_or_else(String::new, |to| format!(" --to {}", shell(to.as_str())));
    WorkflowError::Usage {
        what: format!("{environment} refuses nothing of it, so there is no glass to break"),
        remedy: format!("tollgate apply {environment}{to}"),
    }
}

/// How a review came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reviewed {
    /// It was written.
    Now,
    /// All of it had been reviewed.
    Before,
}

/// Records that somebody looked at what was done under an incident. Returns the debt as it is with it.
///
/// # Errors
/// [`WorkflowError::Usage`] where no debt of that name is known, [`WorkflowError::Refused`] where whoever
/// reviews it broke the glass.
pub fn post_review(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    incident: &IncidentName,
    note: &str,
) -> Result<(OpenedDebt, Reviewed), WorkflowError> {
    let debt = known(run, environment, incident)?;
    if !debt.lacks_review() {
        return Ok((debt, Reviewed::Before));
    }
    if debt.by.contains(&run.by.actor) {
        run.refuse("post-review", environment, Gate::Debt, None)?;
        return Err(WorkflowError::Refused {
            what: format!(
                "{} broke the glass for {incident}, and nobody reviews their own; nothing was written",
                run.by.actor
            ),
            remedy: format!(
                "tollgate post-review {environment} {} --note '<what was found>'   # by somebody else, in a ledger that has these entries",
                shell(&incident.0)
            ),
        });
    }
    let attempts = debt.runs.iter().filter(|run| run.review.is_none());
    let attempts = attempts.map(|run| run.attempt).collect();
    crate::failpoint::hit("post-review.before");
    let note = one_line(&(run.clean)(note));
    run.record(Fact::PostReviewed(PostReviewed {
        environment: environment.clone(),
        incident: incident.clone(),
        attempts,
        note,
    }))?;
    crate::failpoint::hit("post-review.after");
    Ok((known(run, environment, incident)?, Reviewed::Now))
}

fn known(
    run: &Run<'_>,
    environment: &EnvironmentName,
    incident: &IncidentName,
) -> Result<OpenedDebt, WorkflowError> {
    let all = run.ledger.view().debts(environment);
    let names: Vec<String> = all.iter().map(|debt| debt.incident.to_string()).collect();
    let mut all = all.into_iter();
    all.find(|debt| debt.incident == *incident)
        .ok_or_else(|| WorkflowError::Usage {
            what: match names.as_slice() {
                [] => format!("as this ledger knows, glass was never broken in {environment}"),
                names => format!(
                    "as this ledger knows, glass was not broken in {environment} for {incident}, but for {}",
                    names.join(", ")
                ),
            },
            remedy: match names.as_slice() {
                [] => format!("tollgate sync {environment}   # takes in what its receipts tell"),
                [one, ..] => format!(
                    "tollgate post-review {environment} {} --note '<what was found>'",
                    shell(one)
                ),
            },
        })
}
