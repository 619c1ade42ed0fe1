//! Running the steps of a plan: one by one, or several at once where the target can be given them in one
//! go without a doubt about what ran.
//!
//! Several at once: their intents stand in the ledger before any of them is sent, each names the one that
//! it is queued behind, and what is told while they run is what their receipts tell.

use std::time::Duration;

use super::apply::{End, Report};
use super::step::{
    Begun, Ready, StepEnd, after_unknown, begin_all, read, row_beside, run_step, told,
};
use super::{Event, Run, WorkflowError};
use crate::model::{EnvironmentName, Fact, MigrationId, Receipt, ReceiptKind, Timestamp, Waiver};
use crate::planner::{Plan, Step};
use crate::targets::history::{History, NewRow};
use crate::targets::{Applied, Heard, Target};

/// So many steps are sent at once at most: what may have been committed unseen when this program is killed.
const MOST_STEPS: usize = 64;
/// So many bytes of scripts.
const MOST_BYTES: usize = 1024 * 1024;
/// So long the steps that are sent at once should take, because whoever asks to stop waits for them.
const PATIENCE: Duration = Duration::from_secs(2);
/// Outcomes that are known for so long are written, whatever else still runs.
const UNWRITTEN: Duration = Duration::from_secs(1);

/// How many steps are sent at once.
struct Width(usize);

impl Width {
    /// Fewer where the last ones took long.
    fn learn(&mut self, steps: usize, took: Duration) {
        let each = took / u32::try_from(steps.max(1)).unwrap_or(u32::MAX);
        let fit = PATIENCE.as_micros() / each.as_micros().max(1);
        self.0 = usize::try_from(fit).map_or(MOST_STEPS, |fit| fit.clamp(1, MOST_STEPS));
    }
}

/// How a number of steps ended.
struct Ended {
    /// So many of them, from the first on, succeeded.
    succeeded: usize,
    /// How the one after them ended, where not all did.
    stopped: Option<StepEnd>,
}

/// Runs the steps; `kept` is Prisma's table as it stood before, where it is kept. The flag says that the
/// connection is gone although nothing failed.
pub(super) fn execute(
    run: &mut Run<'_>,
    mut target: Box<dyn Target>,
    plan: Plan,
    kept: Option<&History>,
) -> Result<(Report, bool), WorkflowError> {
    let mut applied = Vec::new();
    // The first one alone: nothing is known yet of how long they take.
    let mut width = Width(1);
    let end = loop {
        let rest = &plan.steps[applied.len()..];
        if rest.is_empty() {
            keep_if(run, &plan.environment, target.as_mut(), &applied);
            break End::Done;
        }
        if (run.interrupted)() {
            keep_if(run, &plan.environment, target.as_mut(), &applied);
            break End::Interrupted;
        }
        let ready = at_once(run, target.as_mut(), rest, width.0)?;
        let sent = ready.len();
        let begun = (run.now)();
        let Ended { succeeded, stopped } = run_some(run, target.as_mut(), &plan, ready, kept)?;
        width.learn(sent, between(begun, (run.now)()));
        let ids = |steps: &[Step]| -> Vec<MigrationId> {
            steps.iter().map(|step| step.migration.clone()).collect()
        };
        applied.extend(ids(&rest[..succeeded]));
        let Some(stopped) = stopped else { continue };
        let Some(step) = rest.get(succeeded) else {
            continue;
        };
        match stopped {
            StepEnd::Succeeded(_) => {}
            StepEnd::Failed(error, left) => {
                // What it left is explained by no receipt.
                if left.is_none() {
                    keep_if(run, &plan.environment, target.as_mut(), &applied);
                }
                break End::Failed {
                    migration: step.migration.clone(),
                    error,
                    left,
                };
            }
            StepEnd::Unknown(error) => {
                drop(target);
                let end = after_unknown(run, &plan.environment, step, error);
                let cut_off = matches!(end, End::Done);
                if cut_off {
                    // Those that were sent behind it may have succeeded too.
                    let sent = &rest[succeeded..sent];
                    let stands = |step: &&Step| stands(run, &plan.environment, step);
                    let steps = sent.iter().take_while(stands);
                    applied.extend(steps.map(|step| step.migration.clone()));
                }
                return Ok((report(plan, applied, end), cut_off));
            }
        }
    };
    Ok((report(plan, applied, end), false))
}

fn report(plan: Plan, applied: Vec<MigrationId>, end: End) -> Report {
    Report {
        plan,
        applied,
        rehearsals: Vec::new(),
        end,
    }
}

/// Whether the target has the very bytes of a step, as far as the ledger knows.
fn stands(run: &Run<'_>, environment: &EnvironmentName, step: &Step) -> bool {
    let here = run.ledger.view().get(environment);
    let applied = here.and_then(|here| here.applied.get(&step.migration));
    applied.is_some_and(|ran| ran.checksum == Some(step.checksum))
}

/// The next steps that are sent at once: at least one, and others only where nothing has to be looked at
/// between them.
fn at_once<'s, 'a: 's>(
    run: &Run<'a>,
    target: &mut dyn Target,
    steps: &'s [Step],
    most: usize,
) -> Result<Vec<Ready<'s>>, WorkflowError> {
    let engine = target.engine();
    let mut all: Vec<Ready<'_>> = Vec::new();
    let mut bytes: usize = 0;
    for step in steps.iter().take(most) {
        let ready = read(run, engine, step)?;
        let is_whole = step.kind == ReceiptKind::Atomic && step.done == 0;
        let may = is_whole && target.may_queue(ready.script, &ready.analysis);
        bytes = bytes.saturating_add(ready.script.len());
        if all.is_empty() {
            all.push(ready);
            if !may || bytes > MOST_BYTES {
                break;
            }
        } else if may && bytes <= MOST_BYTES {
            all.push(ready);
        } else {
            break;
        }
    }
    Ok(all)
}

fn run_some(
    run: &mut Run<'_>,
    target: &mut dyn Target,
    plan: &Plan,
    mut ready: Vec<Ready<'_>>,
    kept: Option<&History>,
) -> Result<Ended, WorkflowError> {
    if ready.len() > 1 {
        return run_all(run, target, plan, ready, kept);
    }
    let Some(ready) = ready.pop() else {
        return Ok(Ended {
            succeeded: 0,
            stopped: None,
        });
    };
    let step = ready.step;
    (run.events)(Event::Begun {
        environment: &plan.environment,
        step,
    });
    let begun = (run.now)();
    Ok(match run_step(run, target, plan, ready, kept)? {
        StepEnd::Succeeded(kind) => {
            tell_applied(run, plan, step, kind, begun);
            Ended {
                succeeded: 1,
                stopped: None,
            }
        }
        stopped => Ended {
            succeeded: 0,
            stopped: Some(stopped),
        },
    })
}

fn tell_applied(run: &mut Run<'_>, plan: &Plan, step: &Step, kind: ReceiptKind, begun: Timestamp) {
    let took = between(begun, (run.now)());
    let waivers: Vec<Waiver> = plan.waivers_of(&step.migration).cloned().collect();
    (run.events)(Event::Applied {
        environment: &plan.environment,
        step,
        kind,
        took,
        waivers: &waivers,
    });
}

/// Several at once.
fn run_all(
    run: &mut Run<'_>,
    target: &mut dyn Target,
    plan: &Plan,
    ready: Vec<Ready<'_>>,
    kept: Option<&History>,
) -> Result<Ended, WorkflowError> {
    let all = begin_all(run, plan, ready)?;
    let rows: Vec<Option<NewRow>> = all
        .iter()
        .map(|(_, receipt)| row_beside(receipt, kept))
        .collect();
    let attempts = all.iter().zip(&rows);
    let attempts: Vec<_> = attempts
        .map(|((begun, receipt), row)| begun.attempt(receipt, row.as_ref()))
        .collect();
    let mut course = Course::begin(run, plan, &all);
    let result = target.apply_all(&attempts, &mut |heard| course.hear(heard));
    let Course {
        succeeded,
        mut known,
        trouble,
        ..
    } = course;
    let mut stopped = None;
    if let Err(error) = result
        && let Some((begun, _)) = all.get(succeeded)
    {
        let is_over = matches!(error, crate::targets::ApplyError::Failed { .. });
        let (end, fact) = begun.stopped(run, target, error, kept.is_some());
        let now = (run.now)();
        known.extend(fact.map(|fact| (now, fact)));
        if is_over {
            let behind = all.iter().skip(succeeded + 1);
            known.extend(behind.map(|(begun, _)| (now, begun.not_run())));
        }
        stopped = Some(end);
    }
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    run.ledger.append_all(run.by, known, &[])?;
    Ok(Ended { succeeded, stopped })
}

/// What is heard of steps that run one behind the other.
struct Course<'r, 'a, 'b> {
    run: &'r mut Run<'a>,
    plan: &'b Plan,
    all: &'b [(Begun<'b>, Receipt)],
    succeeded: usize,
    /// When the one that runs now was begun, at the earliest.
    since: Timestamp,
    /// Outcomes that the ledger is not yet told of, and since when.
    known: Vec<(Timestamp, Fact)>,
    trouble: Option<WorkflowError>,
}

impl<'r, 'a, 'b> Course<'r, 'a, 'b> {
    fn begin(run: &'r mut Run<'a>, plan: &'b Plan, all: &'b [(Begun<'b>, Receipt)]) -> Self {
        let since = (run.now)();
        let mut course = Self {
            run,
            plan,
            all,
            succeeded: 0,
            since,
            known: Vec::new(),
            trouble: None,
        };
        course.tell_begun();
        course
    }

    fn tell_begun(&mut self) {
        if let Some((begun, _)) = self.all.get(self.succeeded) {
            (self.run.events)(Event::Begun {
                environment: &self.plan.environment,
                step: begun.ready.step,
            });
        }
    }

    fn hear(&mut self, heard: Heard<'_>) {
        let Some((begun, _)) = self.all.get(self.succeeded) else {
            return;
        };
        let step = begun.ready.step;
        match heard {
            Heard::News(news) => (self.run.events)(told(&self.plan.environment, step, news)),
            Heard::Applied(applied) => self.applied(begun, &applied),
        }
    }

    fn applied(&mut self, begun: &Begun<'_>, applied: &Applied) {
        let now = (self.run.now)();
        self.known.push((now, begun.succeeded(applied)));
        tell_applied(
            self.run,
            self.plan,
            begun.ready.step,
            applied.kind,
            self.since,
        );
        self.since = now;
        self.succeeded += 1;
        let oldest = self.known.first().map_or(now, |(at, _)| *at);
        if between(oldest, now) >= UNWRITTEN && self.trouble.is_none() {
            let known = std::mem::take(&mut self.known);
            // The others run on; what the ledger could not be told of the next contact tells it.
            self.trouble = self
                .run
                .ledger
                .append_all(self.run.by, known, &[])
                .err()
                .map(WorkflowError::from);
        }
        self.tell_begun();
    }
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
