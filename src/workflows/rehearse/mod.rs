//! rehearse: run a migration's reversal where it leaves nothing behind, compare, and record how it came out.

mod in_place;
mod record;
mod scratch;

use std::time::Duration;

use super::apply::{self, Entering, before_entering};
use super::contact::{Contact, contact};
use super::tie::enter;
use super::{Event, Run, WorkflowError, target_error, write_reversal};
use crate::digest::differs_only_in_line_endings;
use crate::model::{
    DataMode, DownLabel, EnvironmentName, MigrationId, Rehearsal, Stage, Timestamp,
};
use crate::planner::gates::redone::redo;
use crate::planner::gates::shell;
use crate::planner::rehearsal::{Direction, Judgement, unfit};
use crate::planner::{DownFacts, FileFacts, Finding, Gate, Plan, Verdict};
use crate::sql::{self, Analysis};
use crate::targets::{Earlier, ScriptError, Target};
use scratch::Scratched;

/// What to rehearse.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The verb that a refusal is recorded under.
    pub verb: &'static str,
    /// Where.
    pub environment: &'a EnvironmentName,
    /// Which migration; where none is named every pending one, or else the newest.
    pub migration: Option<&'a MigrationId>,
    /// Only on a scratch database.
    pub scratch: bool,
    /// How closely to look at the data; by its size where nothing is said.
    pub data: Option<DataMode>,
    /// How long others may have to wait for what it holds in place.
    pub bound: Duration,
}

/// How long others may have to wait where nothing is said: 30 s.
pub const BOUND: Duration = Duration::from_secs(30);

/// How it ended.
#[derive(Debug)]
pub enum End {
    /// A gate is not met that a rehearsal has to meet too; nothing ran.
    Refused(Box<Plan>),
    /// Nothing is pending and nothing is applied.
    Nothing,
    /// What each rehearsal came to, in order; the last one may have failed, and ended it.
    Held(Vec<Report>),
    /// Somebody asked to stop: these were held, and the others were not.
    Interrupted(Vec<Report>),
}

/// How the rehearsal of one migration came out.
#[derive(Debug)]
pub struct Report {
    /// Which.
    pub migration: MigrationId,
    /// When it was begun.
    pub at: Timestamp,
    /// Where the same `migration.sql` succeeded before.
    pub before: Option<Before>,
    /// What became of it.
    pub outcome: Outcome,
}

/// The same `migration.sql` succeeded elsewhere, where an edit does not run by itself any more.
#[derive(Debug, Clone)]
pub struct Before {
    /// Where, in the order of the chain.
    pub environments: Vec<EnvironmentName>,
    /// The command by which an edit runs there, where there is one.
    pub redo: Option<String>,
}

/// What became of a rehearsal.
#[derive(Debug)]
pub enum Outcome {
    /// Its `down.sql` says that it is irreversible: there is nothing to rehearse.
    Irreversible(String),
    /// It could not be held.
    NotHeld {
        /// Why, as a clause.
        why: String,
        /// One thing to do.
        remedy: String,
    },
    /// It was held.
    Held(Box<Held>),
}

/// A rehearsal that was held.
#[derive(Debug)]
pub struct Held {
    /// Which script went first.
    pub direction: Direction,
    /// Where.
    pub stage: Stage,
    /// Why not in place, as a clause, where it was not.
    pub why_not_in_place: Option<String>,
    /// How closely the data was looked at.
    pub data: DataMode,
    /// How many tables stood before, and how many rows.
    pub tables: usize,
    /// How many rows they had.
    pub rows: u64,
    /// How long its locks could have stood in anybody's way; `None` on a scratch database.
    pub locked: Option<Duration>,
    /// How it came out.
    pub end: HeldEnd,
    /// What rolling back does not undo, or was not looked at, a clause each.
    pub notes: Vec<String>,
}

/// How a rehearsal that was held came out.
#[derive(Debug)]
pub enum HeldEnd {
    /// It ran to its end.
    Judged(Box<Judgement>),
    /// A script failed.
    Failed(Box<Broken>),
}

/// A script failed in a rehearsal.
#[derive(Debug)]
pub struct Broken {
    /// Which file: `migration.sql` or `down.sql`.
    pub file: &'static str,
    /// Whether that was the second time that it ran.
    pub again: bool,
    /// What the target said.
    pub error: ScriptError,
    /// Where the first script failed the second time: what the other one did not reverse, which is most
    /// often what it stumbles over.
    pub judgement: Option<Box<Judgement>>,
}

impl Report {
    /// Whether it passed, or there was nothing to rehearse.
    #[must_use]
    pub fn is_well(&self) -> bool {
        match &self.outcome {
            Outcome::Irreversible(_) => true,
            Outcome::NotHeld { .. } => false,
            Outcome::Held(held) => held.result().passed(),
        }
    }
}

impl Held {
    /// The result.
    #[must_use]
    pub fn result(&self) -> Rehearsal {
        match &self.end {
            HeldEnd::Judged(judgement) => judgement.result,
            HeldEnd::Failed(_) => Rehearsal::Failed,
        }
    }

    /// What the same rehearsal on a scratch database saw, and this one could not.
    fn take_over(&mut self, beside: Self) {
        let (HeldEnd::Judged(here), HeldEnd::Judged(there)) = (&mut self.end, beside.end) else {
            return;
        };
        if here.result == Rehearsal::Lossless && there.result == Rehearsal::Lossy {
            here.result = there.result;
            here.lost = there.lost;
            here.column_order = there.column_order;
            here.remarks = there.remarks;
        }
    }
}

/// A migration to be rehearsed, read.
struct Subject<'a> {
    file: FileFacts<'a>,
    down: DownFacts<'a>,
    label: DownLabel,
    up: Analysis,
    reversal: Analysis,
}

/// Rehearses the reversal of one migration, or of everything pending.
///
/// # Errors
/// [`WorkflowError`]; nothing of a rehearsal stands in the target.
pub fn rehearse(run: &mut Run<'_>, request: &Request<'_>) -> Result<End, WorkflowError> {
    let environment = request.environment;
    never_in_the_last(run, request)?;
    let applying = apply::Request {
        verb: request.verb,
        environment,
        to: request.migration,
        dry_run: false,
        is_part: true,
        backs_up: false,
        saved: None,
        glass: None,
    };
    let mut entering = before_entering(run, &applying)?;
    if let Entering::Refused(plan, reached) = entering {
        if let Some(plan) = blocked(*plan, true) {
            return refused(run, request, plan);
        }
        entering = Entering::Goes(reached);
    }
    let Contact {
        mut target,
        mut live,
        is_new,
        ..
    } = entering.contact(run, environment)?;
    let mut plan = apply::plan(run, &applying, target.as_ref(), &live);
    let is_applied = |run: &Run<'_>, id: &MigrationId| {
        let here = run.ledger.view().get(environment);
        !is_new && here.is_some_and(|here| here.applied.contains_key(id))
    };
    let named_is_applied = request.migration.is_some_and(|id| is_applied(run, id));
    if let Some(plan) = blocked(plan.clone(), !named_is_applied) {
        return refused(run, request, plan);
    }
    if is_new {
        enter(run, environment, target.as_mut(), Earlier::Keep, None)?;
        live.is_unmet = false;
        plan = apply::plan(run, &applying, target.as_ref(), &live);
    }
    let pending: Vec<MigrationId> = plan
        .steps
        .iter()
        .map(|step| step.migration.clone())
        .collect();
    let subjects: Vec<MigrationId> = match request.migration {
        Some(migration) => vec![migration.clone()],
        None if !pending.is_empty() => pending.clone(),
        None => newest(run, environment).into_iter().collect(),
    };
    if subjects.is_empty() {
        return Ok(End::Nothing);
    }
    let mut stage = Setting {
        target: Some(target),
        pending,
        scratched: None,
    };
    let mut reports = Vec::new();
    let mut stopped = false;
    for migration in &subjects {
        stopped = (run.interrupted)();
        if stopped {
            break;
        }
        let report = one(run, request, &mut stage, migration)?;
        (run.events)(Event::Rehearsed {
            environment,
            report: &report,
            on_the_way: request.verb != "rehearse",
        });
        let goes_on = !matches!(&report.outcome, Outcome::Held(held) if !held.result().passed());
        reports.push(report);
        if !goes_on {
            break;
        }
    }
    if let Some(scratched) = stage.scratched.take() {
        scratched.discard(run, environment);
    }
    Ok(match stopped {
        true => End::Interrupted(reports),
        false => End::Held(reports),
    })
}

/// What the rehearsals of one command share.
struct Setting {
    /// The target under its lock; `None` only while it is copied.
    target: Option<Box<dyn Target>>,
    /// What is pending there, in order.
    pending: Vec<MigrationId>,
    /// The scratch database that the last one was held on: the next one goes on there.
    scratched: Option<Scratched>,
}

impl Setting {
    fn target(&mut self, environment: &EnvironmentName) -> Result<&mut dyn Target, WorkflowError> {
        match &mut self.target {
            Some(target) => Ok(target.as_mut()),
            None => Err(target_error(environment, scratch::lost())),
        }
    }
}

fn never_in_the_last(run: &mut Run<'_>, request: &Request<'_>) -> Result<(), WorkflowError> {
    let environment = request.environment;
    if !run.policy.is_last_of_several(environment) {
        return Ok(());
    }
    run.refuse(
        request.verb,
        environment,
        Gate::Rehearsal,
        request.migration,
    )?;
    let place = run.policy.position(environment).unwrap_or(1);
    let before = run.policy.chain().nth(place - 1).cloned();
    let before = before.unwrap_or_else(|| environment.clone());
    Err(WorkflowError::Refused {
        what: format!(
            "{environment} is the last environment of the chain, and nothing is rehearsed there"
        ),
        remedy: format!("tollgate rehearse {before}"),
    })
}

/// The plan with what a rehearsal has to meet too, where something of it is not met. `about_steps`: whether
/// what is pending is to be rehearsed.
fn blocked(mut plan: Plan, about_steps: bool) -> Option<Plan> {
    // A rehearsal destroys nothing: whatever goes is back before it ends.
    let counts = |finding: &Finding| {
        !finding.gate.is_met_by_promote()
            && finding.gate != Gate::DataLoss
            // Nobody says yes to what leaves nothing behind.
            && finding.gate != Gate::Approval
            && (about_steps || !finding.gate.is_about_steps())
    };
    plan.refusals.retain(counts);
    (plan.verdict() == Verdict::Refused).then_some(plan)
}

fn refused(run: &mut Run<'_>, request: &Request<'_>, plan: Plan) -> Result<End, WorkflowError> {
    run.record(apply::refused(request.verb, &plan))?;
    Ok(End::Refused(Box::new(plan)))
}

/// The newest migration that is applied.
fn newest(run: &Run<'_>, environment: &EnvironmentName) -> Option<MigrationId> {
    let here = run.ledger.view().get(environment)?;
    let last = here.applied.iter().max_by_key(|(_, ran)| ran.receipt.seq);
    last.map(|(migration, _)| migration.clone())
}

/// One migration: read it, hold the rehearsal where it can be held, record it.
fn one(
    run: &mut Run<'_>,
    request: &Request<'_>,
    setting: &mut Setting,
    migration: &MigrationId,
) -> Result<Report, WorkflowError> {
    let environment = request.environment;
    let at = (run.now)();
    let before = before(run, environment, migration);
    let report = |outcome| Report {
        migration: migration.clone(),
        at,
        before: before.clone(),
        outcome,
    };
    let engine = setting.target(environment)?.engine();
    let subject = match subject(run, environment, engine, migration) {
        Ok(subject) => subject,
        Err(outcome) => return Ok(report(outcome)),
    };
    let held = match hold(run, request, setting, &subject)? {
        Ok(held) => held,
        Err((why, remedy)) => return Ok(report(Outcome::NotHeld { why, remedy })),
    };
    let target = setting.target(environment)?;
    record::record(run, environment, target, &subject, &held, at)?;
    Ok(report(Outcome::Held(Box::new(held))))
}

/// Where the bytes on disk ran in the environments before this one.
fn before(run: &Run<'_>, environment: &EnvironmentName, migration: &MigrationId) -> Option<Before> {
    let file = run.file(migration)?;
    let place = run.policy.position(environment)?;
    let view = run.ledger.view();
    let ran: Vec<_> = run
        .policy
        .chain()
        .take(place)
        .filter_map(|name| {
            let ran = view.get(name)?.applied.get(migration)?;
            (ran.checksum == Some(file.checksum)).then_some((name, ran))
        })
        .collect();
    let again = match ran.as_slice() {
        [] => return None,
        [(name, ran)] => redo(run.policy, view, &run.kept, name, migration, ran),
        _ => None,
    };
    Some(Before {
        environments: ran.into_iter().map(|(name, _)| name.clone()).collect(),
        redo: again,
    })
}

/// What helps where a script was edited after it ran.
fn after_an_edit(run: &Run<'_>, environment: &EnvironmentName, file: &FileFacts<'_>) -> String {
    let back = format!("tollgate log restore {}", shell(file.migration.as_str()));
    let view = run.ledger.view();
    let there = view.get(environment);
    let ran = there.and_then(|there| there.applied.get(file.migration));
    let only_endings = ran
        .and_then(|ran| ran.checksum)
        .is_some_and(|ran| differs_only_in_line_endings(file.script.as_bytes(), &ran));
    let again = ran.filter(|_| !only_endings).and_then(|ran| {
        redo(
            run.policy,
            view,
            &run.kept,
            environment,
            file.migration,
            ran,
        )
    });
    match again {
        Some(redo) => format!("{redo}   # or take the edit back: {back}"),
        None => back,
    }
}

/// Reads a migration and its reversal, or says why there is nothing to rehearse.
fn subject<'a>(
    run: &Run<'a>,
    environment: &EnvironmentName,
    engine: crate::model::entry::Engine,
    migration: &MigrationId,
) -> Result<Subject<'a>, Outcome> {
    let again = format!(
        "tollgate rehearse {environment} {}",
        shell(migration.as_str())
    );
    let not_held = |why: String, remedy: String| Outcome::NotHeld { why, remedy };
    let files = run.files;
    let file = files
        .binary_search_by(|file| file.migration.cmp(migration))
        .ok()
        .and_then(|place| files.get(place));
    let Some(file) = file else {
        return Err(not_held(
            "its folder is gone".to_owned(),
            format!("tollgate log restore {}", shell(migration.as_str())),
        ));
    };
    let ran = run.ledger.view().get(environment);
    let ran = ran.and_then(|here| here.applied.get(migration));
    if ran.is_some_and(|ran| ran.has_other_bytes(file.checksum, file.sha256)) {
        return Err(not_held(
            format!("its migration.sql was edited after it ran in {environment}"),
            after_an_edit(run, environment, file),
        ));
    }
    let Some(down) = file.down else {
        return Err(not_held(
            "it has no down.sql".to_owned(),
            format!("{} && {again}", write_reversal(run, migration, None)),
        ));
    };
    let label = DownLabel::read(down.script)
        .map_err(|what| not_held(what, format!("edit its down.sql, then: {again}")))?;
    if let DownLabel::Irreversible(why) = label {
        return Err(Outcome::Irreversible(why));
    }
    let subject = Subject {
        file: *file,
        down,
        label,
        up: sql::analyse(engine, file.script),
        reversal: sql::analyse(engine, down.script),
    };
    let is_empty = |analysis: &Analysis| analysis.statements().is_some_and(<[_]>::is_empty);
    if is_empty(&subject.reversal) && !is_empty(&subject.up) {
        return Err(not_held(
            "its down.sql has no statement, so it reverses nothing".to_owned(),
            format!(
                "{} && {again}",
                write_reversal(run, migration, Some(down.script))
            ),
        ));
    }
    Ok(subject)
}

/// Holds the rehearsal: in place where that is possible, else on a scratch database. The inner error says
/// why it could not be held anywhere, and what to do.
fn hold(
    run: &mut Run<'_>,
    request: &Request<'_>,
    setting: &mut Setting,
    subject: &Subject<'_>,
) -> Result<Result<Held, (String, String)>, WorkflowError> {
    let environment = request.environment;
    let migration = subject.file.migration;
    let is_next = setting.pending.first() == Some(migration);
    let is_newest = newest(run, environment).as_ref() == Some(migration);
    let mut why_not = match () {
        () if request.scratch => Some("--scratch was asked for".to_owned()),
        () if !is_next && !is_newest => Some(match setting.pending.contains(migration) {
            true => "others are pending before it".to_owned(),
            false => "others were applied after it".to_owned(),
        }),
        () => unfit(&subject.up, &subject.reversal),
    };
    let direction = match is_newest {
        true => Direction::DownFirst,
        false => Direction::UpFirst,
    };
    // What stood before an applied migration is not to be seen in its target any more.
    let mut beside = None;
    let mut notes = Vec::new();
    if why_not.is_none() && is_newest {
        match scratch::hold(run, request, setting, subject, None)? {
            Ok(held) if held.result().passed() => {
                notes.push("replayed to just before it on a scratch database, it passed too".to_owned());
                beside = Some(held);
            }
            Ok(held) => return Ok(Ok(held)),
            Err((why, _)) => notes.push(format!(
                "it is only known that up after down equals up, and not that down leaves what stood before: {why}"
            )),
        }
    }
    if why_not.is_none() {
        let target = setting.target(environment)?;
        match (
            in_place::hold(run, request, target, subject, direction)?,
            beside,
        ) {
            (Ok(mut held), beside) => {
                held.notes.extend(notes);
                if let Some(beside) = beside {
                    held.take_over(beside);
                }
                return Ok(Ok(held));
            }
            (Err(why), Some(beside)) => {
                return Ok(Ok(Held {
                    why_not_in_place: Some(why),
                    ..beside
                }));
            }
            (Err(why), None) => why_not = Some(why),
        }
    }
    scratch::hold(run, request, setting, subject, why_not)
}
