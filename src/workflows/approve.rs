//! approve: somebody says yes to a saved plan.

use super::{Run, WorkflowError};
use crate::model::entry::{Approved, Engine, RefusedGate};
use crate::model::{Actor, Approval, EnvironmentName, Fact};
use crate::planner::gates::approval::{by_author, judged, nobody, not_yours, unmade};
use crate::planner::premises::{self, Held};
use crate::planner::{self, Approving, Finding, Gate, Inputs, Verdict};

/// What is said yes to, and by whom.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The plan. It was read, and is for an environment of the policy.
    pub held: Held<'a>,
    /// The kind of database there.
    pub engine: Engine,
    /// Who says yes, by the name that was given.
    pub approver: &'a Actor,
    /// What they have to say.
    pub note: Option<&'a str>,
}

/// What came of it.
#[derive(Debug)]
pub struct Report {
    /// How it ended.
    pub end: End,
    /// The approvals that count, with this one.
    pub approvals: Vec<Approval>,
    /// What would be refused if it were applied now, beside what refuses the approval: it may be over by then.
    pub later: Vec<Finding>,
}

/// How it ended.
#[derive(Debug)]
pub enum End {
    /// It was recorded.
    Recorded(Approval),
    /// The same person had approved it before; nothing was written.
    Before(Approval),
    /// The plan is wholly done; nothing was written.
    UpToDate,
    /// It was refused.
    Refused(Vec<Finding>),
}

/// Records an approval, where the plan could still be applied as far as it is known offline.
///
/// # Errors
/// [`WorkflowError`]: the ledger cannot be written.
pub fn approve(run: &mut Run<'_>, request: &Request<'_>) -> Result<Report, WorkflowError> {
    let Request { held, approver, .. } = *request;
    let content = &held.saved.content;
    let environment = &content.environment;
    let now = (run.now)();
    let plan = premises::plan_under(
        &Inputs {
            environment,
            engine: request.engine,
            policy: run.policy,
            files: run.files,
            folder: run.folder,
            prisma: run.prisma,
            view: run.ledger.view(),
            kept: &run.kept,
            to: None,
            live: None,
            now,
            in_use: &run.in_use,
            approving: Approving::Unsaved,
        },
        held,
    );
    let is_done = plan.verdict() == Verdict::UpToDate;
    let (mut refusals, later): (Vec<Finding>, Vec<Finding>) = plan
        .refusals
        .into_iter()
        .filter(|finding| finding.gate != Gate::Approval)
        .partition(|finding| finding.gate == Gate::Premise);
    if now < content.made && content.expires.is_none() {
        refusals.push(unmade(held.saved, now));
    }
    let asked = run.policy.approvals(environment);
    let not_by_author = asked.is_some_and(|asked| asked.not_by_author);
    if let Some(why) = by_author(held.saved, approver).filter(|_| not_by_author) {
        refusals.push(
            nobody(environment, held)
                .unwrap_or_else(|| not_yours(environment, held, approver, why)),
        );
    }
    let end = if is_done {
        End::UpToDate
    } else if !refusals.is_empty() {
        record_refusal(run, environment, &refusals)?;
        End::Refused(refusals)
    } else if let Some(known) = counting(run, held, not_by_author)
        .into_iter()
        .find(|known| known.approver.is_same(approver))
    {
        End::Before(known)
    } else {
        let note = request.note;
        let fact = Fact::Approved(Approved {
            environment: environment.clone(),
            plan: held.saved.id,
            approver: approver.clone(),
            note: note.map(|note| crate::model::one_line(&(run.clean)(note))),
        });
        let head = run.ledger.append(now, run.by, fact)?;
        let here = run.ledger.view().get(environment);
        let all = here.map_or_else(Vec::new, |here| here.approvals_of(held.saved.id));
        let own = all
            .into_iter()
            .find(|known| known.entry.writer == head.writer && known.entry.number == head.number);
        match own {
            Some(own) => End::Recorded(own.clone()),
            None => {
                return Err(WorkflowError::Contradiction {
                    environment: environment.clone(),
                    what: "the approval was written, and the ledger does not have it".to_owned(),
                    remedy: Some("tollgate verify".to_owned()),
                });
            }
        }
    };
    Ok(Report {
        end,
        approvals: counting(run, held, not_by_author),
        later,
    })
}

/// The approvals that count, whoever applies it.
fn counting(run: &Run<'_>, held: Held<'_>, not_by_author: bool) -> Vec<Approval> {
    let environment = &held.saved.content.environment;
    let here = run.ledger.view().get(environment);
    let known = judged(here, held, (run.now)(), not_by_author);
    known.count.into_iter().cloned().collect()
}

fn record_refusal(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    refusals: &[planner::Finding],
) -> Result<(), WorkflowError> {
    let gates = refusals.iter().map(|it| RefusedGate {
        gate: it.gate.as_str().to_owned(),
        migration: it.migration.clone(),
    });
    run.refuse_all("approve", environment, gates.collect())
}
