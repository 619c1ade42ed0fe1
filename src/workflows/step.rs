//! One step of a plan: the intent to the ledger, the script and its receipt to the target, the outcome to
//! the ledger.

use std::collections::VecDeque;

use super::apply::End;
use super::contact::contact;
use super::history::failed_row;
use super::receipt::receipt_after;
use super::{Event, Run, WorkflowError};
use crate::digest::Checksum;
use crate::model::entry::{
    Ending, Engine, Failure, Head, How, Intent, Outcome, Progress, ReceiptRef,
};
use crate::model::{
    AttemptId, DownBytes, EnvironmentName, Fact, Receipt, ReceiptKind, Timestamp, Waiver,
};
use crate::planner::{FileFacts, Plan, Step};
use crate::sql::{self, Analysis};
use crate::targets::history::{History, NewRow};
use crate::targets::{Applied, ApplyError, Attempt, News, ScriptError, Target, TargetError};

/// How one step ended.
pub(super) enum StepEnd {
    Succeeded(ReceiptKind),
    Failed(Box<ScriptError>, Option<Progress>),
    Unknown(Box<TargetError>),
}

/// A step whose script was read, before anything of it is written.
pub(super) struct Ready<'a> {
    pub(super) step: &'a Step,
    pub(super) script: &'a str,
    pub(super) analysis: Analysis,
    down: Option<(DownBytes, &'a str)>,
}

/// A step whose intent can be written.
pub(super) struct Begun<'a> {
    pub(super) ready: Ready<'a>,
    pub(super) at: Timestamp,
    pub(super) intent: Intent,
}

/// So many steps are read at once, whether or not they are sent at once.
const MOST_READ: usize = 1024;
/// So many bytes of scripts that were read, but for a longer one alone.
const MOST_BYTES: usize = 1024 * 1024;

/// Reads the scripts of the next steps: of one at least, where there is one.
pub(super) fn read<'s, 'a: 's>(
    run: &Run<'a>,
    engine: Engine,
    steps: &'s [Step],
) -> Result<VecDeque<Ready<'s>>, WorkflowError> {
    let find = |step: &Step| -> Result<&'a FileFacts<'a>, WorkflowError> {
        let files = run.files;
        files
            .binary_search_by(|file| file.migration.cmp(&step.migration))
            .ok()
            .and_then(|place| files.get(place))
            .filter(|file| file.checksum == step.checksum)
            .ok_or_else(|| usage(format!("{} is no longer what was planned", step.migration)))
    };
    let mut files = Vec::new();
    let mut bytes: usize = 0;
    for step in steps.iter().take(MOST_READ) {
        let file = find(step)?;
        bytes = bytes.saturating_add(file.script.len());
        if bytes > MOST_BYTES && !files.is_empty() {
            break;
        }
        files.push(file);
    }
    let scripts: Vec<&str> = files.iter().map(|file| file.script).collect();
    let analyses = sql::analyse_all(engine, &scripts);
    let read = steps.iter().zip(files).zip(analyses);
    Ok(read
        .map(|((step, file), analysis)| Ready {
            step,
            script: file.script,
            analysis,
            down: file.down.map(|down| {
                let bytes = DownBytes {
                    blake3: down.checksum,
                    sha256: down.sha256,
                };
                (bytes, down.script)
            }),
        })
        .collect())
}

fn usage(what: String) -> WorkflowError {
    WorkflowError::Usage {
        what,
        remedy: "tollgate plan".to_owned(),
    }
}

impl<'a> Ready<'a> {
    /// The intent, not yet written. `behind` is the attempt that it is queued behind.
    pub(super) fn begin(
        self,
        run: &mut Run<'_>,
        plan: &Plan,
        behind: Option<AttemptId>,
    ) -> Result<Begun<'a>, WorkflowError> {
        let Some(identity) = plan.target.as_ref() else {
            return Err(usage(format!("{} has no target yet", plan.environment)));
        };
        let step = self.step;
        let attempt = AttemptId::from_bytes((run.random)());
        let at = (run.now)();
        let is_first = plan.steps.first() == Some(step);
        let waivers = plan.waived.iter().map(|waived| &waived.waiver);
        let waivers: Vec<Waiver> = waivers
            .filter(|waiver| is_first || waiver.is_shown_with(&step.migration))
            .cloned()
            .collect();
        run.in_use.extend(waivers.iter().map(|waiver| waiver.entry));
        run.kept.extend(self.bytes().map(|(checksum, _)| checksum));
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
            down: self.down.map(|(down, _)| down),
            waivers,
            release: plan.release.clone(),
            debt: plan.debt_of(step, run.policy),
            policy: Some(plan.policy),
            behind,
        };
        Ok(Begun {
            ready: self,
            at,
            intent,
        })
    }

    /// What is kept with the intent.
    fn bytes(&self) -> impl Iterator<Item = (Checksum, &'a [u8])> {
        let down = self
            .down
            .map(|(down, script)| (down.blake3, script.as_bytes()));
        [(self.step.checksum, self.script.as_bytes())]
            .into_iter()
            .chain(down)
    }
}

impl Begun<'_> {
    /// The receipt to leave: it names the entry `head`, and follows the receipt `before`.
    pub(super) fn receipt(&self, run: &Run<'_>, head: Head, before: Option<ReceiptRef>) -> Receipt {
        Receipt {
            at: self.at,
            ..receipt_after(run, &self.intent, self.ready.step.kind, head, before)
        }
    }

    /// What is offered to the target.
    pub(super) fn attempt<'b>(
        &'b self,
        receipt: &'b Receipt,
        row: Option<&'b NewRow>,
    ) -> Attempt<'b> {
        Attempt {
            script: self.ready.script,
            analysis: &self.ready.analysis,
            done: self.ready.step.done,
            receipt,
            row,
        }
    }

    fn ended(&self, outcome: Ending) -> Outcome {
        Outcome {
            attempt: self.intent.attempt,
            environment: self.intent.environment.clone(),
            migration: self.intent.migration.clone(),
            outcome,
            receipt: None,
            kind: None,
            settled: false,
            progress: None,
            error: None,
            how: None,
            recorded_at: None,
        }
    }

    pub(super) fn succeeded(&self, applied: &Applied) -> Fact {
        Fact::Outcome(Outcome {
            receipt: Some(ReceiptRef {
                seq: applied.receipt.seq,
                hash: Receipt::hash_of(&applied.receipt.body),
            }),
            kind: Some(applied.kind),
            recorded_at: applied.receipt.recorded_at,
            ..self.ended(Ending::Succeeded)
        })
    }

    /// It was queued behind one that did not succeed.
    pub(super) fn not_run(&self) -> Fact {
        Fact::Outcome(Outcome {
            settled: true,
            how: Some(How::NotRun),
            ..self.ended(Ending::Failed)
        })
    }

    /// The end of one that has no receipt, and what is recorded of it; nothing where it is left for the
    /// next contact.
    pub(super) fn stopped(
        &self,
        run: &Run<'_>,
        target: &mut dyn Target,
        error: ApplyError,
        keeps: bool,
    ) -> (StepEnd, Option<Fact>) {
        match error {
            ApplyError::Failed { error, left } => {
                let line = error
                    .at
                    .as_ref()
                    .map(|at| sql::position(self.ready.script, at.start).line as u64);
                let message = (run.clean)(&error.message);
                if keeps {
                    let Intent {
                        attempt,
                        migration,
                        sha256,
                        ..
                    } = &self.intent;
                    let row = failed_row(*attempt, migration, *sha256, self.at, left, &message);
                    // Without it the attempt stays open, and the next contact writes it from the intent.
                    if target.keep_history(&[row]).is_err() {
                        return (StepEnd::Failed(error, left), None);
                    }
                }
                let failure = Failure {
                    message,
                    code: error.code.clone(),
                    line,
                };
                let fact = Fact::Outcome(Outcome {
                    progress: left,
                    error: Some(failure),
                    ..self.ended(Ending::Failed)
                });
                (StepEnd::Failed(error, left), Some(fact))
            }
            ApplyError::Unknown { error } => {
                let failure = Failure {
                    message: (run.clean)(&error.fact),
                    code: None,
                    line: None,
                };
                let fact = Fact::Outcome(Outcome {
                    error: Some(failure),
                    ..self.ended(Ending::Unknown)
                });
                (StepEnd::Unknown(error), Some(fact))
            }
        }
    }
}

/// Writes the intents of steps that are to run one behind the other, with the bytes of their scripts, and
/// makes the receipts to leave. `last` is the one that they are queued behind, where one is on its way still;
/// `known` is written in the same go, before them.
pub(super) fn begin_all<'a>(
    run: &mut Run<'_>,
    plan: &Plan,
    ready: Vec<Ready<'a>>,
    last: Option<&Receipt>,
    known: Vec<(Timestamp, Fact)>,
) -> Result<Vec<(Begun<'a>, Receipt)>, WorkflowError> {
    let mut begun: Vec<Begun<'a>> = Vec::with_capacity(ready.len());
    for one in ready {
        let behind = begun.last().map(|before| before.intent.attempt);
        let behind = behind.or_else(|| last.map(|last| last.attempt));
        begun.push(one.begin(run, plan, behind)?);
    }
    let bytes: Vec<(Checksum, &[u8])> = begun.iter().flat_map(|one| one.ready.bytes()).collect();
    let earlier = known.len();
    let mut facts = known;
    let intents = begun
        .iter()
        .map(|one| (one.at, Fact::Intent(one.intent.clone())));
    facts.extend(intents);
    let heads = run.ledger.append_all(run.by, facts, &bytes)?;
    let here = run.ledger.view().get(&plan.environment);
    let mut before = match last {
        Some(last) => Some(reference(last)),
        None => here.and_then(|here| here.head()),
    };
    let mut all = Vec::with_capacity(begun.len());
    for (one, head) in begun.into_iter().zip(heads.into_iter().skip(earlier)) {
        let receipt = one.receipt(run, head, before);
        before = Some(reference(&receipt));
        all.push((one, receipt));
    }
    Ok(all)
}

fn reference(receipt: &Receipt) -> ReceiptRef {
    // Cannot fail for a receipt that is built here; the target would refuse one that does not follow.
    let body = receipt.to_body().unwrap_or_default();
    ReceiptRef {
        seq: receipt.seq,
        hash: Receipt::hash_of(&body),
    }
}

/// The row of Prisma's beside a receipt, where its table is kept.
pub(super) fn row_beside(receipt: &Receipt, kept: Option<&History>) -> Option<NewRow> {
    let row = NewRow::beside(receipt).zip(kept);
    row.map(|(row, history)| row.in_place_of_failures(history))
}

/// What a target tells of a step, as an event.
pub(super) fn told<'a>(
    environment: &'a EnvironmentName,
    step: &'a Step,
    news: News<'a>,
) -> Event<'a> {
    match news {
        News::Progress(progress) => Event::Progressed { step, progress },
        News::Note(text) => Event::Noted {
            environment,
            step,
            text,
        },
    }
}

/// One step: the intent to the ledger, the script and its receipt to the target, the outcome to the
/// ledger.
pub(super) fn run_step(
    run: &mut Run<'_>,
    target: &mut dyn Target,
    plan: &Plan,
    ready: Ready<'_>,
    kept: Option<&History>,
) -> Result<StepEnd, WorkflowError> {
    let step = ready.step;
    let mut all = begin_all(run, plan, vec![ready], None, Vec::new())?;
    let Some((begun, receipt)) = all.pop() else {
        return Err(usage(format!("{} was not begun", step.migration)));
    };
    let row = row_beside(&receipt, kept);
    // What can stop half-way says so to Prisma before it begins.
    if let Some(open) = NewRow::begun(&receipt).filter(|_| row.is_some())
        && step.kind != ReceiptKind::Atomic
    {
        target
            .keep_history(&[open])
            .map_err(|error| super::target_error(&plan.environment, error))?;
    }
    let mut tell = |news: News<'_>| (run.events)(told(&plan.environment, step, news));
    let result = target.apply(&begun.attempt(&receipt, row.as_ref()), &mut tell);
    match result {
        Ok(applied) => {
            run.record(begun.succeeded(&applied))?;
            Ok(StepEnd::Succeeded(applied.kind))
        }
        Err(error) => {
            let (end, fact) = begun.stopped(run, target, error, kept.is_some());
            if let Some(fact) = fact {
                run.record(fact)?;
            }
            Ok(end)
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
