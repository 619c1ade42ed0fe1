//! One step of a plan: the intent to the ledger, the script and its receipt to the target, the outcome to
//! the ledger.

use super::apply::End;
use super::contact::contact;
use super::history::failed_row;
use super::receipt::receipt_after;
use super::{Event, Run, WorkflowError};
use crate::digest::Checksum;
use crate::model::entry::{Ending, Failure, Intent, Outcome, Progress, ReceiptRef};
use crate::model::{AttemptId, DownBytes, EnvironmentName, Fact, Receipt, ReceiptKind, Waiver};
use crate::planner::{FileFacts, Plan, Step};
use crate::sql::{self, Analysis};
use crate::targets::history::{History, NewRow};
use crate::targets::{ApplyError, Attempt, News, ScriptError, Target, TargetError};

/// How one step ended.
pub(super) enum StepEnd {
    Succeeded(ReceiptKind),
    Failed(Box<ScriptError>, Option<Progress>),
    Unknown(Box<TargetError>),
}

/// One step: the intent to the ledger, the script and its receipt to the target, the outcome to the
/// ledger.
pub(super) fn run_step(
    run: &mut Run<'_>,
    target: &mut dyn Target,
    plan: &Plan,
    step: &Step,
    kept: Option<&History>,
) -> Result<StepEnd, WorkflowError> {
    let usage = |what: String| WorkflowError::Usage {
        what,
        remedy: "tollgate plan".to_owned(),
    };
    let Some(identity) = plan.target.as_ref() else {
        return Err(usage(format!("{} has no target yet", plan.environment)));
    };
    let files = run.files;
    let file: &FileFacts<'_> = files
        .binary_search_by(|file| file.migration.cmp(&step.migration))
        .ok()
        .and_then(|place| files.get(place))
        .filter(|file| file.checksum == step.checksum)
        .ok_or_else(|| usage(format!("{} is no longer what was planned", step.migration)))?;
    let analysis: Analysis = sql::analyse(target.engine(), file.script);
    let attempt = AttemptId::from_bytes((run.random)());
    let at = (run.now)();
    let is_first = plan.steps.first() == Some(step);
    let waivers = plan.waived.iter().map(|waived| &waived.waiver);
    let waivers: Vec<Waiver> = waivers
        .filter(|waiver| is_first || waiver.is_shown_with(&step.migration))
        .cloned()
        .collect();
    run.in_use.extend(waivers.iter().map(|waiver| waiver.entry));
    let intent = Intent {
        attempt,
        environment: plan.environment.clone(),
        target: identity.incarnation,
        migration: step.migration.clone(),
        blake3: step.checksum,
        sha256: step.sha256,
        receipt: step.kind,
        plan: plan.id,
        from: (step.done > 0).then_some(step.done + 1),
        preview: run.policy.is_outside(&plan.environment),
        down: file.down.map(|down| DownBytes {
            blake3: down.checksum,
            sha256: down.sha256,
        }),
        waivers,
        release: plan.release.clone(),
        debt: plan.debt_of(step, run.policy),
        policy: Some(plan.policy),
    };
    let down = file.down.map(|down| (down.checksum, down.script));
    let bytes: Vec<(Checksum, &[u8])> = [(step.checksum, file.script)]
        .into_iter()
        .chain(down)
        .map(|(checksum, script)| (checksum, script.as_bytes()))
        .collect();
    run.kept.extend(bytes.iter().map(|(checksum, _)| *checksum));
    let head = run
        .ledger
        .append_with(at, run.by, Fact::Intent(intent.clone()), bytes)?;
    let before = run
        .ledger
        .view()
        .get(&plan.environment)
        .and_then(|here| here.head());
    let receipt = Receipt {
        at,
        ..receipt_after(run, &intent, step.kind, head, before)
    };

    let row = NewRow::beside(&receipt).zip(kept);
    let row = row.map(|(row, history)| row.in_place_of_failures(history));
    let mut told = |news: News<'_>| {
        (run.events)(match news {
            News::Progress(progress) => Event::Progressed { step, progress },
            News::Note(text) => Event::Noted {
                environment: &plan.environment,
                step,
                text,
            },
        });
    };
    // What can stop half-way says so to Prisma before it begins.
    if let Some(open) = NewRow::begun(&receipt).filter(|_| row.is_some())
        && step.kind != ReceiptKind::Atomic
    {
        target
            .keep_history(&[open])
            .map_err(|error| super::target_error(&plan.environment, error))?;
    }
    let result = target.apply(
        &Attempt {
            script: file.script,
            analysis: &analysis,
            done: step.done,
            receipt: &receipt,
            row: row.as_ref(),
        },
        &mut told,
    );
    let outcome = |outcome: Ending| Outcome {
        attempt,
        environment: plan.environment.clone(),
        migration: step.migration.clone(),
        outcome,
        receipt: None,
        kind: None,
        settled: false,
        progress: None,
        error: None,
        how: None,
    };
    match result {
        Ok(applied) => {
            let hash = Receipt::hash_of(&applied.receipt.body);
            run.record(Fact::Outcome(Outcome {
                receipt: Some(ReceiptRef {
                    seq: applied.receipt.seq,
                    hash,
                }),
                kind: Some(applied.kind),
                ..outcome(Ending::Succeeded)
            }))?;
            Ok(StepEnd::Succeeded(applied.kind))
        }
        Err(ApplyError::Failed { error, left }) => {
            let line = error
                .at
                .as_ref()
                .map(|at| sql::position(file.script, at.start).line as u64);
            let message = (run.clean)(&error.message);
            if kept.is_some() {
                let row = failed_row(attempt, &step.migration, step.sha256, at, left, &message);
                // Without it the attempt stays open, and the next contact writes it from the intent.
                if target.keep_history(&[row]).is_err() {
                    return Ok(StepEnd::Failed(error, left));
                }
            }
            let failure = Failure {
                message,
                code: error.code.clone(),
                line,
            };
            run.record(Fact::Outcome(Outcome {
                progress: left,
                error: Some(failure),
                ..outcome(Ending::Failed)
            }))?;
            Ok(StepEnd::Failed(error, left))
        }
        Err(ApplyError::Unknown { error }) => {
            let failure = Failure {
                message: (run.clean)(&error.fact),
                code: None,
                line: None,
            };
            run.record(Fact::Outcome(Outcome {
                error: Some(failure),
                ..outcome(Ending::Unknown)
            }))?;
            Ok(StepEnd::Unknown(error))
        }
    }
}

/// The client could not tell. One new contact at once: it settles what it can from the receipt.
pub(super) fn after_unknown(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    step: &Step,
    error: Box<TargetError>,
) -> End {
    let contact = contact(run, environment);
    let (settled, again) = match contact {
        Ok(_) => (true, None),
        Err(error) => (false, Some(error.to_string())),
    };
    let here = run.ledger.view().get(environment);
    let applied = here.and_then(|here| here.applied.get(&step.migration));
    let open = here.is_some_and(|here| {
        here.open
            .values()
            .any(|open| open.intent.migration == step.migration)
    });
    let migration = step.migration.clone();
    if settled && applied.is_some_and(|ran| ran.checksum == Some(step.checksum)) {
        return End::Done;
    }
    if settled && !open {
        let standing = here.and_then(|here| here.standing.get(&step.migration));
        return End::CutOff {
            progress: standing.map(|standing| standing.progress),
            migration,
            error,
        };
    }
    End::Unknown {
        migration,
        error,
        again,
    }
}
