//! Broken glass, for people and for machines: what a plan skips, and the debts that stand for it.

use serde_json::{Value, json};

use super::{Paint, count};
use crate::ledger::view::{OpenedDebt, Owed};
use crate::model::{Debt, EnvironmentName, Policy, Timestamp};
use crate::planner::gates::debt::{and, found, people};
use crate::planner::gates::shell;
use crate::planner::{Broken, Plan};

/// What a plan goes past, and what is owed for it afterwards. Ends in a line feed.
#[must_use]
pub fn shown(plan: &Plan, broken: &Broken, policy: &Policy, paint: Paint) -> String {
    let environment = &plan.environment;
    let mut out = format!(
        "{} {}\n",
        paint.bad("break glass:"),
        paint.bold(&format!(
            "{} to {environment} without the proof, for incident {}: {}",
            count(plan.steps.len(), "migration"),
            broken.incident,
            broken.reason
        ))
    );
    for step in &plan.steps {
        out.push_str(&format!(
            "  {}  {}\n",
            step.migration,
            step.checksum.short()
        ));
    }
    out.push_str(&format!("\n  it skips\n{}", skipped(broken, paint)));
    out.push_str("\n  it opens a debt\n");
    for step in &plan.steps {
        let owes = plan
            .debt_of(step, policy)
            .map_or_else(Vec::new, |it| it.owes);
        if !owes.is_empty() {
            let names: Vec<&EnvironmentName> = owes.iter().collect();
            let verb = if owes.len() == 1 { "owes" } else { "owe" };
            out.push_str(&format!(
                "    {} {verb} the run of {}\n",
                and(&names),
                step.migration
            ));
        }
    }
    out.push_str(&format!(
        "    somebody else reviews it by {}\n    until both are done {environment} takes no ordinary plan, and the run is no evidence of anything\n",
        broken.review_by.minute()
    ));
    out
}

/// The refusals that are skipped, a line each.
#[must_use]
pub fn skipped(broken: &Broken, paint: Paint) -> String {
    let line = |it: &crate::planner::Finding| {
        let subject = it
            .migration
            .as_ref()
            .map_or_else(String::new, |of| format!("{of}: "));
        format!(
            "    {} {subject}{}\n",
            paint.warn(&format!("{:<11}", it.gate.as_str())),
            it.fact
        )
    };
    broken.skipped.iter().map(line).collect()
}

/// The command that goes on with it.
#[must_use]
pub fn command(environment: &EnvironmentName, broken: &Broken) -> String {
    let to = broken
        .to
        .as_ref()
        .map_or_else(String::new, |to| format!(" --to {}", shell(to.as_str())));
    format!(
        "tollgate break-glass {environment} --reason {} --incident {}{to}",
        shell(&broken.reason),
        shell(&broken.incident.0)
    )
}

/// A debt of an environment as lines, with what is owed.
#[must_use]
pub fn lines(environment: &EnvironmentName, debt: &OpenedDebt, now: Timestamp) -> Vec<String> {
    let state = match (debt.is_open(), debt.is_overdue(now)) {
        (_, true) => "OVERDUE",
        (true, false) => "open",
        (false, false) => "paid",
    };
    let mut lines = vec![format!(
        "{environment}: debt of incident {}, {state}: {} through broken glass",
        debt.incident,
        count(debt.runs.len(), "run")
    )];
    lines.extend(found(debt).into_iter().map(|line| format!("  {line}")));
    lines
}

/// What a success owes or owed, in a document.
pub(crate) fn of_success(debt: &Debt, is_open: bool) -> Value {
    json!({
        "incident": debt.incident,
        "reason": debt.reason,
        "skipped": debt.skipped,
        "owes": debt.owes,
        "review_by": debt.review_by,
        "open": is_open,
    })
}

/// A debt of an environment, in a document.
#[must_use]
pub fn debt_json(environment: &EnvironmentName, debt: &OpenedDebt, now: Timestamp) -> Value {
    let run = |run: &Owed| {
        json!({
            "migration": run.migration,
            "checksum": run.checksum,
            "at": run.at,
            "by": run.by,
            "skipped": run.debt.skipped,
            "owes": run.unpaid,
            "reviewed": run.review.as_ref().map(|review| json!({
                "by": review.by,
                "at": review.at,
                "note": review.note,
            })),
        })
    };
    json!({
        "environment": environment,
        "incident": debt.incident,
        "reason": debt.reason,
        "at": debt.at,
        "by": debt.by,
        "review_by": debt.review_by,
        "open": debt.is_open(),
        "overdue": debt.is_overdue(now),
        "runs": debt.runs.iter().map(run).collect::<Vec<_>>(),
    })
}

/// How a review came out, for people. Ends in a line feed.
#[must_use]
pub fn reviewed(
    environment: &EnvironmentName,
    debt: &OpenedDebt,
    is_new: bool,
    paint: Paint,
) -> String {
    let mut out = match is_new {
        true => format!(
            "{} incident {} in {environment}, broken by {}\n",
            paint.good("reviewed:"),
            debt.incident,
            people(debt)
        ),
        false => format!(
            "incident {} in {environment} was reviewed already: nothing to do\n",
            debt.incident
        ),
    };
    match debt.unpaid().next() {
        None => out.push_str(&format!(
            "the debt is paid\n\n  next      tollgate plan {environment}\n"
        )),
        Some(_) => {
            for line in found(debt)
                .iter()
                .filter(|line| line.contains(" the run of "))
            {
                out.push_str(&format!("  {line}\n"));
            }
            out.push_str(&format!(
                "the debt stays open until they ran\n\n  next      tollgate plan {environment}   # and its remedy\n"
            ));
        }
    }
    out
}
