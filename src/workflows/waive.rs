//! waive: a person accepts what one gate refuses of one migration in one environment.

use super::{Run, WorkflowError};
use crate::digest::Checksum;
use crate::model::entry::{Engine, Waived};
use crate::model::{EnvironmentName, Fact, MigrationId, Waiver};
use crate::planner::gates::shell;
use crate::planner::{self, Gate, Inputs, Plan};

/// What is to be accepted.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Where.
    pub environment: &'a EnvironmentName,
    /// The kind of database there: it decides how scripts are read.
    pub engine: Engine,
    /// Which gate.
    pub gate: Gate,
    /// Of which migration.
    pub migration: &'a MigrationId,
    /// Why.
    pub reason: &'a str,
}

/// Records a waiver, where the plan refuses exactly that as far as it is known offline. Returns the plan
/// as it is with it, and the waiver.
///
/// # Errors
/// [`WorkflowError::Usage`] where the gate cannot be waived, or nothing of it is refused;
/// [`WorkflowError::Refused`] where the policy says that nobody can waive it.
pub fn waive(run: &mut Run<'_>, request: &Request<'_>) -> Result<(Plan, Waiver), WorkflowError> {
    let Request {
        environment,
        gate,
        migration,
        ..
    } = *request;
    if !gate.is_waivable() {
        let can: Vec<&str> = Gate::waivable().map(Gate::as_str).collect();
        return Err(WorkflowError::Usage {
            what: format!(
                "{gate} cannot be waived: {}",
                match gate {
                    Gate::Approval =>
                        "it asks for the word of others, and a waiver is the word of one",
                    _ => "it says what is not known or cannot run, and nobody can answer for that",
                }
            ),
            remedy: format!(
                "tollgate plan {environment}   # and its remedy; {} can be waived",
                list(&can)
            ),
        });
    }
    if run.policy.never_waives(environment, gate.as_str()) {
        run.refuse("waive", environment, gate, Some(migration))?;
        return Err(WorkflowError::Refused {
            what: format!("{gate} can never be waived in {environment}, as its policy says"),
            remedy: format!("tollgate plan {environment}   # its remedy is the way"),
        });
    }
    let before = plan(run, request);
    let about = |finding: &planner::Finding| {
        finding.gate == gate && finding.migration.as_ref() == Some(migration)
    };
    let bytes = bytes(run, request);
    let (Some(blake3), true) = (bytes, before.refusals.iter().any(about)) else {
        return Err(nothing_to_accept(request, &before));
    };
    // It will be read by others, and for ever.
    let reason = crate::model::one_line(&(run.clean)(request.reason));
    let at = (run.now)();
    let head = run.ledger.append(
        at,
        run.by,
        Fact::Waived(Waived {
            environment: environment.clone(),
            gate: gate.as_str().to_owned(),
            migration: migration.clone(),
            blake3,
            down: down(run, request),
            reason: reason.clone(),
        }),
    )?;
    let waiver = Waiver {
        gate: gate.as_str().to_owned(),
        migration: migration.clone(),
        reason,
        actor: run.by.actor.clone(),
        at,
        entry: crate::model::entry::Place {
            writer: head.writer,
            number: head.number,
        },
    };
    Ok((plan(run, request), waiver))
}

fn plan(run: &Run<'_>, request: &Request<'_>) -> Plan {
    planner::plan(&Inputs {
        environment: request.environment,
        engine: request.engine,
        policy: run.policy,
        files: run.files,
        folder: run.folder,
        prisma: run.prisma,
        view: run.ledger.view(),
        kept: &run.kept,
        to: None,
        live: None,
        now: (run.now)(),
        in_use: &run.in_use,
        approving: planner::Approving::Unsaved,
    })
}

/// The bytes that it is about: those on disk, or of a migration whose folder is gone those that ran.
fn bytes(run: &Run<'_>, request: &Request<'_>) -> Option<Checksum> {
    if request.gate != Gate::Missing {
        return Some(run.file(request.migration)?.checksum);
    }
    let here = run.ledger.view().get(request.environment)?;
    here.applied.get(request.migration)?.checksum
}

/// The prepared reversal that it is about: what is accepted of one was not accepted of another.
fn down(run: &Run<'_>, request: &Request<'_>) -> Option<Checksum> {
    let file = run.file(request.migration)?;
    file.down
        .filter(|_| request.gate == Gate::Rehearsal)
        .map(|down| down.checksum)
}

fn nothing_to_accept(request: &Request<'_>, plan: &Plan) -> WorkflowError {
    let Request {
        environment,
        gate,
        migration,
        ..
    } = *request;
    let is_about = |gate_of: &str, subject: Option<&MigrationId>| {
        gate_of == gate.as_str() && subject == Some(migration)
    };
    let waiver = plan.waived.iter().map(|waived| &waived.waiver);
    let mut known = waiver.filter(|waiver| is_about(&waiver.gate, Some(&waiver.migration)));
    if let Some(waiver) = known.next() {
        return WorkflowError::Usage {
            what: format!(
                "{gate} of {migration} is waived in {environment} already, by {}: {}",
                waiver.actor, waiver.reason
            ),
            remedy: format!("tollgate plan {environment}"),
        };
    }
    let warns = plan
        .warnings
        .iter()
        .any(|finding| is_about(finding.gate.as_str(), finding.migration.as_ref()));
    if warns {
        return WorkflowError::Usage {
            what: format!("{gate} only warns of {migration} in {environment}, and refuses nothing"),
            remedy: format!("tollgate apply {environment}"),
        };
    }
    let others: Vec<&str> = plan
        .refusals
        .iter()
        .filter(|finding| finding.migration.as_ref() == Some(migration))
        .map(|finding| finding.gate.as_str())
        .collect();
    let but = match others.is_empty() {
        true => String::new(),
        false => format!("; {} does", list(&others)),
    };
    WorkflowError::Usage {
        what: format!("{gate} refuses nothing of {migration} in {environment}{but}"),
        remedy: format!(
            "tollgate plan {environment} --to {}",
            shell(migration.as_str())
        ),
    }
}

fn list(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}
