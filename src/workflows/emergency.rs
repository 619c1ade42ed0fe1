//! emergency: one step of the procedure after another, each the same as its verb would take it. No gate is
//! skipped.

use super::apply::Report;
use super::contact::contact;
use super::promote::pass;
use super::rehearse::{self, rehearse};
use super::{Event, Run, WorkflowError, backup};
use crate::ledger::view::View;
use crate::model::entry::{Emergency, RefusedGate};
use crate::model::{EnvironmentName, Fact, IncidentId, MigrationId};
use crate::planner::emergency::{Procedure, Step};
use crate::planner::gates::shell;

/// What came of a step.
#[derive(Debug)]
pub enum Taken {
    /// A backup.
    Backup(backup::Ended),
    /// A rehearsal.
    Rehearsed(rehearse::End),
    /// What was applied.
    Applied(Box<Report>),
}

/// Looks at the last environment, whether the migration stands there at all.
///
/// # Errors
/// [`WorkflowError`] where it does not, or the target is another one.
pub fn look(
    run: &mut Run<'_>,
    last: &EnvironmentName,
    migration: &MigrationId,
) -> Result<(), WorkflowError> {
    let contact = contact(run, last)?;
    if let Some(finding) = contact.live.identity {
        run.refuse_all(
            "emergency",
            last,
            vec![RefusedGate {
                gate: finding.gate.as_str().to_owned(),
                migration: None,
            }],
        )?;
        return Err(WorkflowError::Refused {
            what: format!("{last}: {}", finding.fact),
            remedy: finding.remedy,
        });
    }
    let here = run.ledger.view().get(last).filter(|_| !contact.is_new);
    if !here.is_some_and(|here| here.applied.contains_key(migration)) {
        return Err(not_there(run.ledger.view(), last, migration));
    }
    Ok(())
}

/// It is not applied in the last environment, so that it is no emergency there.
#[must_use]
pub fn not_there(view: &View, last: &EnvironmentName, migration: &MigrationId) -> WorkflowError {
    let name = shell(migration.as_str());
    let mut everywhere = view.environments();
    let ran = everywhere.any(|(_, there)| there.applied.contains_key(migration));
    WorkflowError::Usage {
        what: format!("{migration} is not applied in {last}, so nothing is to be reversed there"),
        remedy: match ran {
            true => format!(
                "tollgate revert {name} --reason '<why>'   # where it went wrong on its way"
            ),
            false => "tollgate status".to_owned(),
        },
    }
}

/// Opens an emergency.
///
/// # Errors
/// [`WorkflowError`]; no emergency was opened.
pub fn open(
    run: &mut Run<'_>,
    last: &EnvironmentName,
    migration: &MigrationId,
    reason: &str,
) -> Result<IncidentId, WorkflowError> {
    look(run, last, migration)?;
    let incident = IncidentId::from_bytes((run.random)());
    let reason = crate::planner::revert::one_line(&(run.clean)(reason));
    run.record(Fact::Emergency(Emergency {
        incident,
        migration: migration.clone(),
        environment: last.clone(),
        reason,
    }))?;
    crate::failpoint::hit("emergency.opened");
    Ok(incident)
}

/// Takes a step, but for the writing of files, which is not done here.
///
/// # Errors
/// [`WorkflowError`]; what was done before stands, and the same step is tried again the next time.
pub fn take(
    run: &mut Run<'_>,
    procedure: &Procedure,
    step: &Step,
) -> Result<Option<Taken>, WorkflowError> {
    let last = &procedure.last;
    let Some(rollback) = &procedure.rollback else {
        return match step {
            Step::Backup => back_up(run, last).map(Some),
            _ => Ok(None),
        };
    };
    Ok(match step {
        Step::Write => None,
        Step::Backup => Some(back_up(run, last)?),
        Step::Before {
            environment,
            migrations,
        } => match migrations.last() {
            Some(to) => {
                let report = pass(run, environment, last, Some(to))?;
                Some(Taken::Applied(Box::new(report)))
            }
            None => None,
        },
        Step::Rehearse(environment) => {
            let request = rehearse::Request {
                verb: "emergency",
                environment,
                migration: Some(rollback),
                scratch: false,
                data: None,
                bound: rehearse::BOUND,
            };
            Some(Taken::Rehearsed(rehearse(run, &request)?))
        }
        Step::Apply(environment) => {
            let report = pass(run, environment, last, Some(rollback))?;
            Some(Taken::Applied(Box::new(report)))
        }
    })
}

fn back_up(run: &mut Run<'_>, last: &EnvironmentName) -> Result<Taken, WorkflowError> {
    let required = run.policy.require(last);
    let verified = required
        .and_then(|required| required.backup)
        .is_some_and(|backup| backup.verified);
    let request = backup::Request {
        environment: last,
        verify: verified,
        data: None,
        keep: None,
    };
    let ended = backup::take(run, &request)?;
    if let backup::Ended::Done(report) = &ended {
        (run.events)(Event::BackedUp(report));
    }
    Ok(Taken::Backup(ended))
}
