//! apply: plan under the lock, refuse or run.

use std::time::Duration;

use super::contact::{Contact, contact, enter, never_entered, receipt_after};
use super::history::{failed_row, is_kept, make_ready, may_write};
use super::{Event, Run, WorkflowError};
use crate::model::entry::{
    Chained, Ending, Failure, Intent, Outcome, Progress, ReceiptRef, Refused, RefusedGate,
};
use crate::model::{
    AttemptId, EnvironmentName, Fact, MigrationId, Receipt, ReceiptKind, Timestamp,
};
use crate::planner::gates::chain::only_grew;
use crate::planner::{self, FileFacts, Inputs, Plan, Step, Verdict};
use crate::sql::{self, Analysis};
use crate::targets::history::{History, NewRow};
use crate::targets::{ApplyError, Attempt, Earlier, News, ScriptError, Target, TargetError};

/// What to apply.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The verb that the refusal is recorded under.
    pub verb: &'static str,
    /// Where to.
    pub environment: &'a EnvironmentName,
    /// Only up to this migration.
    pub to: Option<&'a MigrationId>,
    /// Connect, lock, settle and check, and run nothing.
    pub dry_run: bool,
}

/// How it ended.
#[derive(Debug)]
pub struct Report {
    /// The plan that was shown and, if it was ready, run.
    pub plan: Plan,
    /// The steps that succeeded, in order.
    pub applied: Vec<MigrationId>,
    /// How it ended.
    pub end: End,
}

/// How it ended.
#[derive(Debug)]
pub enum End {
    /// Every step succeeded.
    Done,
    /// There was nothing to do.
    UpToDate,
    /// A dry run: the plan is ready.
    Ready,
    /// A gate was not met; nothing was changed.
    Refused,
    /// A script failed.
    Failed {
        /// Which.
        migration: MigrationId,
        /// What the target said.
        error: Box<ScriptError>,
        /// What remains of it: `None`, nothing.
        left: Option<Progress>,
    },
    /// The connection broke, and a new one told what stands: the next run goes on there.
    CutOff {
        /// Which.
        migration: MigrationId,
        /// What the client saw.
        error: Box<TargetError>,
        /// What stands of it: `None`, nothing.
        progress: Option<Progress>,
    },
    /// The client cannot tell how a script ended, and could not settle it at once.
    Unknown {
        /// Which.
        migration: MigrationId,
        /// What the client saw.
        error: Box<TargetError>,
        /// Why a new contact could not tell either, where there was none.
        again: Option<String>,
    },
    /// Somebody asked to stop; what was begun was ended first.
    Interrupted,
}

/// Applies what is pending in one environment.
///
/// # Errors
/// [`WorkflowError`]; what was done before stands, and is in the ledger.
pub fn apply(run: &mut Run<'_>, request: &Request<'_>) -> Result<Report, WorkflowError> {
    let environment = request.environment;
    if let Some(plan) = refused_before_entering(run, request)? {
        (run.events)(Event::Planned(&plan));
        run.record(refused(request.verb, &plan))?;
        return Ok(Report {
            plan,
            applied: Vec::new(),
            end: End::Refused,
        });
    }
    let Contact {
        mut target,
        live,
        is_new,
        history,
    } = contact(run, environment)?;
    let mut plan = plan(run, request, target.as_ref(), &live);
    let keeps = is_kept(run, target.as_ref(), history.as_ref());
    if plan.verdict() == Verdict::Ready && keeps {
        may_write(environment, history.as_ref())?;
    }
    if plan.verdict() == Verdict::Ready && is_new && !request.dry_run {
        enter(run, environment, target.as_mut(), Earlier::Keep, None)?;
        plan = self::plan(run, request, target.as_ref(), &live);
    }
    (run.events)(Event::Planned(&plan));
    let end = match plan.verdict() {
        Verdict::Refused => {
            run.record(refused(request.verb, &plan))?;
            End::Refused
        }
        Verdict::UpToDate => {
            remember_chain(run)?;
            // Receipts that came after Prisma's table, or a crash between the two.
            if keeps && !is_new && !request.dry_run {
                make_ready(run, environment, target.as_mut(), history.as_ref())?;
            }
            End::UpToDate
        }
        Verdict::Ready if request.dry_run => End::Ready,
        Verdict::Ready => {
            remember_chain(run)?;
            if keeps {
                make_ready(run, environment, target.as_mut(), history.as_ref())?;
            }
            let kept = keeps.then(|| history.unwrap_or_default());
            let (report, cut_off) = execute(run, target, plan, kept.as_ref())?;
            return if cut_off {
                resume(run, request, report)
            } else {
                Ok(report)
            };
        }
    };
    Ok(Report {
        plan,
        applied: Vec::new(),
        end,
    })
}

/// Keeps the chain in the ledger when it is new or only grew; one that lost something needs `bind`.
fn remember_chain(run: &mut Run<'_>) -> Result<(), WorkflowError> {
    let known = run.ledger.view().chain();
    if run.policy.chain().eq(known) || !only_grew(known, run.policy) {
        return Ok(());
    }
    let environments = run.policy.chain().cloned().collect();
    run.record(Fact::Chained(Chained {
        environments,
        without: Vec::new(),
        reason: None,
    }))?;
    Ok(())
}

/// A target that neither side knows is not even locked when the plan is refused anyway: a refusal leaves
/// nothing there, not a file.
fn refused_before_entering(
    run: &Run<'_>,
    request: &Request<'_>,
) -> Result<Option<Plan>, WorkflowError> {
    let environment = request.environment;
    if run
        .ledger
        .view()
        .get(environment)
        .is_some_and(|here| here.target.is_some())
    {
        return Ok(None);
    }
    let told = |error| super::target_error(environment, error);
    let mut target = (run.connect)(environment).map_err(told)?;
    let survey = target.survey().map_err(told)?;
    if survey.recorded.is_some() {
        return Ok(None);
    }
    let plan = plan(run, request, target.as_ref(), &never_entered(&survey));
    Ok((plan.verdict() == Verdict::Refused).then_some(plan))
}

fn plan(run: &Run<'_>, request: &Request<'_>, target: &dyn Target, live: &planner::Live) -> Plan {
    planner::plan(&Inputs {
        environment: request.environment,
        engine: target.engine(),
        policy: run.policy,
        files: run.files,
        prisma: run.prisma,
        view: run.ledger.view(),
        kept: &run.kept,
        to: request.to,
        live: Some(live),
    })
}

fn refused(verb: &str, plan: &Plan) -> Fact {
    let gates = plan.refusals.iter().map(|refusal| RefusedGate {
        gate: refusal.gate.as_str().to_owned(),
        migration: refusal.migration.clone(),
    });
    Fact::Refused(Refused {
        verb: verb.to_owned(),
        environment: plan.environment.clone(),
        plan: plan.id,
        gates: gates.collect(),
    })
}

/// How one step ended.
enum StepEnd {
    Succeeded(ReceiptKind),
    Failed(Box<ScriptError>, Option<Progress>),
    Unknown(Box<TargetError>),
}

/// The connection broke, and the step it broke in turned out to have succeeded: what is left is
/// planned and run anew. Each round has applied at least one step, so this ends.
fn resume(
    run: &mut Run<'_>,
    request: &Request<'_>,
    before: Report,
) -> Result<Report, WorkflowError> {
    let mut report = apply(run, request)?;
    report.applied.splice(0..0, before.applied);
    if matches!(report.end, End::UpToDate) {
        report.end = End::Done;
    }
    Ok(report)
}

/// Runs the steps; `kept` is Prisma's table as it stood before, where it is kept. The flag says that the connection is gone although nothing failed.
fn execute(
    run: &mut Run<'_>,
    mut target: Box<dyn Target>,
    plan: Plan,
    kept: Option<&History>,
) -> Result<(Report, bool), WorkflowError> {
    let environment = plan.environment.clone();
    let mut applied = Vec::new();
    for step in &plan.steps {
        if (run.interrupted)() {
            keep_if(run, &environment, target.as_mut(), &applied);
            return Ok((
                Report {
                    plan,
                    applied,
                    end: End::Interrupted,
                },
                false,
            ));
        }
        (run.events)(Event::Begun {
            environment: &environment,
            step,
        });
        let begun = (run.now)();
        let migration = step.migration.clone();
        let end = match run_step(run, target.as_mut(), &plan, step, kept)? {
            StepEnd::Succeeded(kind) => {
                let took = between(begun, (run.now)());
                (run.events)(Event::Applied {
                    environment: &environment,
                    step,
                    kind,
                    took,
                });
                applied.push(migration);
                continue;
            }
            StepEnd::Failed(error, left) => {
                // What it left is explained by no receipt.
                if left.is_none() {
                    keep_if(run, &environment, target.as_mut(), &applied);
                }
                End::Failed {
                    migration,
                    error,
                    left,
                }
            }
            StepEnd::Unknown(error) => {
                drop(target);
                after_unknown(run, &environment, step, error)
            }
        };
        let cut_off = matches!(end, End::Done);
        if cut_off {
            applied.push(step.migration.clone());
        }
        return Ok((Report { plan, applied, end }, cut_off));
    }
    keep_if(run, &environment, target.as_mut(), &applied);
    Ok((
        Report {
            plan,
            applied,
            end: End::Done,
        },
        false,
    ))
}

/// Keeps the schema as this run left it, where it applied something.
fn keep_if(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    applied: &[MigrationId],
) {
    if !applied.is_empty() {
        super::verify::keep(run, environment, target);
    }
}

fn between(begun: Timestamp, ended: Timestamp) -> Duration {
    let millis = ended.unix_millis().saturating_sub(begun.unix_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// One step: the intent to the ledger, the script and its receipt to the target, the outcome to the
/// ledger.
fn run_step(
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
    };
    let bytes = Some((step.checksum, file.script.as_bytes()));
    let head = run
        .ledger
        .append_with(at, run.by, Fact::Intent(intent.clone()), bytes)?;
    run.kept.insert(step.checksum);
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
fn after_unknown(
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
