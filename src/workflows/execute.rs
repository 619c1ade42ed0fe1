//! Running the steps of a plan: one by one, or several at once where the target can be given them in one
//! go without a doubt about what ran.
//!
//! Several at once: their intents stand in the ledger before any of them is sent, each names the one that
//! it is queued behind, and what is told while they run is what their receipts tell. While the first half of
//! them runs, the intents of the next half are written: the target does not wait for the ledger.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::time::Duration;

use super::apply::{End, Report};
use super::step::{
    self, Begun, Ready, StepEnd, after_unknown, begin_all, row_beside, run_step, told,
};
use super::{Event, Run, WorkflowError};
use crate::model::{EnvironmentName, Fact, MigrationId, Receipt, ReceiptKind, Timestamp, Waiver};
use crate::planner::{Plan, Step};
use crate::targets::history::{History, NewRow};
use crate::targets::{Applied, Attempt, Heard, Queue, Target};

/// So many steps are on their way at once at most: what may have been committed unseen when this program is killed.
const MOST_STEPS: usize = 64;
/// So long the steps that are sent at once should take, because whoever asks to stop waits for them.
const PATIENCE: Duration = Duration::from_secs(2);
/// Outcomes that are known for so long are written, whatever else still runs.
const UNWRITTEN: Duration = Duration::from_secs(1);

/// How many steps are on their way at once.
#[derive(Clone, Copy)]
struct Width(usize);

impl Width {
    /// So many are sent in one go: half of them, while the other half runs.
    fn batch(self) -> usize {
        self.0.div_ceil(2)
    }

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
    let mut read = VecDeque::new();
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
        if read.is_empty() {
            read = step::read(run, target.engine(), rest)?;
        }
        let ready = at_once(target.as_mut(), &mut read, width);
        let sent = ready.len();
        let ended = run_some(run, target.as_mut(), &plan, ready, &mut width, kept)?;
        let Ended { succeeded, stopped } = ended;
        if succeeded < sent {
            // Those behind it were taken out, and did not run.
            read.clear();
        }
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

/// Those of them that are sent at once: at least one, and others only where nothing has to be looked at
/// between them.
fn at_once<'s>(
    target: &mut dyn Target,
    read: &mut VecDeque<Ready<'s>>,
    width: Width,
) -> Vec<Ready<'s>> {
    let mut may = |ready: &Ready<'_>| {
        let is_whole = ready.step.kind == ReceiptKind::Atomic && ready.step.done == 0;
        is_whole && target.may_queue(ready.script, &ready.analysis)
    };
    let most = match width.0 {
        1 => 1,
        _ => read.len(),
    };
    let together = read.iter().take(most).take_while(|ready| may(ready));
    let together = together.count().max(1).min(read.len());
    read.drain(..together).collect()
}

fn run_some(
    run: &mut Run<'_>,
    target: &mut dyn Target,
    plan: &Plan,
    mut ready: Vec<Ready<'_>>,
    width: &mut Width,
    kept: Option<&History>,
) -> Result<Ended, WorkflowError> {
    if ready.len() > 1 {
        return run_all(run, target, plan, ready, width, kept);
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
    let end = run_step(run, target, plan, ready, kept)?;
    let took = between(begun, (run.now)());
    // Those that are sent at once do not wait for the link one by one.
    width.learn(1, took.saturating_sub(target.way()));
    Ok(match end {
        StepEnd::Succeeded(kind) => {
            tell_applied(run, plan, step, kind, took);
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

fn tell_applied(run: &mut Run<'_>, plan: &Plan, step: &Step, kind: ReceiptKind, took: Duration) {
    let waivers: Vec<Waiver> = plan.waivers_of(&step.migration).cloned().collect();
    (run.events)(Event::Applied {
        environment: &plan.environment,
        step,
        kind,
        took,
        waivers: &waivers,
    });
}

/// Steps of which the intents stand, with the receipts to leave and the rows beside them.
type Batch<'b> = Vec<(Begun<'b>, Receipt, Option<NewRow>)>;

/// Several, one behind the other, some of them at once.
fn run_all(
    run: &mut Run<'_>,
    target: &mut dyn Target,
    plan: &Plan,
    ready: Vec<Ready<'_>>,
    width: &mut Width,
    kept: Option<&History>,
) -> Result<Ended, WorkflowError> {
    let batches: Vec<OnceCell<Batch<'_>>> = ready.iter().map(|_| OnceCell::new()).collect();
    let begun = (run.now)();
    let mut course = Course {
        run,
        plan,
        kept,
        width,
        ready: ready.into(),
        batches: batches.iter(),
        all: Vec::new(),
        ran: 0,
        succeeded: 0,
        begun,
        since: begun,
        took: VecDeque::new(),
        known: Vec::new(),
        trouble: None,
    };
    let result = target.apply_queue(&mut course);
    let Course {
        run,
        all,
        succeeded,
        mut known,
        trouble,
        ..
    } = course;
    let mut stopped = None;
    if let Err(error) = result
        && let Some((begun, ..)) = all.get(succeeded)
    {
        let is_over = matches!(error, crate::targets::ApplyError::Failed { .. });
        let (end, fact) = begun.stopped(run, target, error, kept.is_some());
        let now = (run.now)();
        known.extend(fact.map(|fact| (now, fact)));
        if is_over {
            let behind = all.iter().skip(succeeded + 1);
            known.extend(behind.map(|(begun, ..)| (now, begun.not_run())));
        }
        stopped = Some(end);
    }
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    run.ledger.append_all(run.by, known, &[])?;
    Ok(Ended { succeeded, stopped })
}

/// Steps that run one behind the other, and what is heard of them.
struct Course<'r, 'a, 'b> {
    run: &'r mut Run<'a>,
    plan: &'b Plan,
    kept: Option<&'b History>,
    width: &'r mut Width,
    /// Those that were not begun yet.
    ready: VecDeque<Ready<'b>>,
    /// Where the next ones stand once they are begun.
    batches: std::slice::Iter<'b, OnceCell<Batch<'b>>>,
    /// Those that were begun.
    all: Vec<&'b (Begun<'b>, Receipt, Option<NewRow>)>,
    /// So many of them ran, as far as it was heard.
    ran: usize,
    /// So many are known to stand.
    succeeded: usize,
    begun: Timestamp,
    /// When the one that runs now was begun, at the earliest.
    since: Timestamp,
    /// How long those took that ran and are not known to stand.
    took: VecDeque<Duration>,
    /// Outcomes that the ledger is not yet told of, and since when.
    known: Vec<(Timestamp, Fact)>,
    trouble: Option<WorkflowError>,
}

impl<'b> Queue<'b> for Course<'_, '_, 'b> {
    fn more(&mut self) -> Vec<Attempt<'b>> {
        if self.trouble.is_some() || (self.run.interrupted)() {
            return Vec::new();
        }
        if self.ran > 0 {
            let took = between(self.begun, (self.run.now)());
            self.width.learn(self.ran, took);
        }
        let on_their_way = self.all.len() - self.ran;
        let room = self.width.0.saturating_sub(on_their_way);
        let some = self.width.batch().min(self.ready.len());
        if room < some || some == 0 {
            return Vec::new();
        }
        self.begin(some).unwrap_or_else(|trouble| {
            // Those that are on their way go on.
            self.trouble = Some(trouble);
            Vec::new()
        })
    }

    fn hear(&mut self, heard: Heard<'_>) {
        match heard {
            Heard::News(news) => {
                if let Some((begun, ..)) = self.all.get(self.ran) {
                    let step = begun.ready.step;
                    (self.run.events)(told(&self.plan.environment, step, news));
                }
            }
            Heard::Ran => self.ran(),
            Heard::Applied(applied) => self.applied(&applied),
        }
    }
}

impl<'b> Course<'_, '_, 'b> {
    /// Writes the intents of the next ones.
    fn begin(&mut self, some: usize) -> Result<Vec<Attempt<'b>>, WorkflowError> {
        let Some(place) = self.batches.next() else {
            return Ok(Vec::new());
        };
        let ready = self.ready.drain(..some).collect();
        let last = self.all.last().filter(|_| self.succeeded < self.all.len());
        let last = last.map(|(_, receipt, _)| receipt);
        let known = std::mem::take(&mut self.known);
        let begun = begin_all(self.run, self.plan, ready, last, known)?;
        let rows = begun.into_iter().map(|(begun, receipt)| {
            let row = row_beside(&receipt, self.kept);
            (begun, receipt, row)
        });
        let batch = place.get_or_init(|| rows.collect());
        let is_idle = self.ran == self.all.len();
        self.all.extend(batch);
        if is_idle {
            self.tell_begun();
        }
        let attempts = batch.iter();
        Ok(attempts
            .map(|(begun, receipt, row)| begun.attempt(receipt, row.as_ref()))
            .collect())
    }

    fn tell_begun(&mut self) {
        if let Some((begun, ..)) = self.all.get(self.ran) {
            (self.run.events)(Event::Begun {
                environment: &self.plan.environment,
                step: begun.ready.step,
            });
        }
    }

    fn ran(&mut self) {
        let now = (self.run.now)();
        self.took.push_back(between(self.since, now));
        self.since = now;
        self.ran += 1;
        self.tell_begun();
    }

    fn applied(&mut self, applied: &Applied) {
        // What is told as applied and not as run, ran.
        if self.took.is_empty() {
            self.ran();
        }
        let took = self.took.pop_front().unwrap_or_default();
        let Some((begun, ..)) = self.all.get(self.succeeded) else {
            return;
        };
        let now = (self.run.now)();
        self.known.push((now, begun.succeeded(applied)));
        tell_applied(self.run, self.plan, begun.ready.step, applied.kind, took);
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
