//! apply: plan under the lock, refuse or run.

use super::contact::{Contact, contact, contact_with, lock_and_survey, never_entered};
use super::execute::execute;
use super::history::{is_kept, make_ready, may_write};
use super::tie::enter;
use super::{Event, Run, WorkflowError};
use crate::digest::ChainHash;
use crate::model::entry::{
    BrokeGlass, Chained, Engine, PolicySeen, Progress, Refused, RefusedGate,
};
use crate::model::{EnvironmentName, Fact, MigrationId};
use crate::planner::gates::chain::only_grew;
use crate::planner::premises::{self, Held};
use crate::planner::{self, Gate, Glass, Inputs, Plan, Verdict};
use crate::sql::changes::Name;
use crate::targets::{Earlier, ScriptError, Survey, Target, TargetError};

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
    /// Only one of several parts, of which the whole was told: its plan is told where it is refused.
    pub is_part: bool,
    /// Whether a backup is taken and all of it tried anew, where that is all that is missing: then no
    /// refusal is told and recorded.
    pub backs_up: bool,
    /// The saved plan to hold to. It ends where its last step does.
    pub saved: Option<Held<'a>>,
    /// Glass that is broken for it: what may be skipped is no refusal.
    pub glass: Option<&'a Glass>,
}

impl Request<'_> {
    /// Whether the refusal of a plan is put right by whoever asked, and is none yet.
    fn puts_right(&self, plan: &Plan) -> bool {
        self.backs_up && lacks_a_backup(plan)
    }
}

/// Whether a backup is all that a plan lacks.
pub(super) fn lacks_a_backup(plan: &Plan) -> bool {
    let mut refusals = plan.refusals.iter();
    !plan.refusals.is_empty() && refusals.all(|refusal| refusal.gate == Gate::Backup)
}

/// How it ended.
#[derive(Debug)]
pub struct Report {
    /// The plan that was shown and, if it was ready, run.
    pub plan: Plan,
    /// The steps that succeeded, in order.
    pub applied: Vec<MigrationId>,
    /// The rehearsals that were held on the way, in order.
    pub rehearsals: Vec<super::rehearse::Report>,
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
    /// The last of the rehearsals did not pass; what was applied before it stands.
    NotRehearsed,
    /// Somebody asked to stop; what was begun was ended first.
    Interrupted,
}

/// Applies what is pending in one environment.
///
/// # Errors
/// [`WorkflowError`]; what was done before stands, and is in the ledger.
pub fn apply(run: &mut Run<'_>, request: &Request<'_>) -> Result<Report, WorkflowError> {
    let environment = request.environment;
    let entering = before_entering(run, request)?;
    if let Entering::Refused(plan, _) = entering {
        let plan = *plan;
        if !request.puts_right(&plan) {
            (run.events)(Event::Planned(&plan));
            run.record(refused(request.verb, &plan))?;
        }
        return Ok(Report {
            plan,
            applied: Vec::new(),
            rehearsals: Vec::new(),
            end: End::Refused,
        });
    }
    let Contact {
        mut target,
        mut live,
        is_new,
        history,
    } = entering.contact(run, environment)?;
    let mut plan = plan(run, request, target.as_ref(), &live);
    let keeps = is_kept(run, target.as_ref(), history.as_ref());
    if plan.verdict() == Verdict::Ready && keeps {
        may_write(environment, history.as_ref())?;
    }
    if plan.verdict() == Verdict::Ready && is_new && !request.dry_run {
        enter(run, environment, target.as_mut(), Earlier::Keep, None)?;
        live.is_unmet = false;
        live.is_new = true;
        plan = self::plan(run, request, target.as_ref(), &live);
    }
    if !is_new {
        count_rows(&mut plan, target.as_mut());
    }
    if request.puts_right(&plan) {
        return Ok(Report {
            plan,
            applied: Vec::new(),
            rehearsals: Vec::new(),
            end: End::Refused,
        });
    }
    if plan.verdict() == Verdict::Ready
        && plan.glass.as_ref().is_some_and(|it| it.skipped.is_empty())
    {
        return Err(super::break_glass::nothing_to_skip(environment, request.to));
    }
    if !request.is_part || plan.verdict() == Verdict::Refused {
        (run.events)(Event::Planned(&plan));
    }
    let end = match plan.verdict() {
        Verdict::Refused => {
            remember_policy(run, environment)?;
            run.record(refused(request.verb, &plan))?;
            End::Refused
        }
        Verdict::UpToDate => {
            remember_chain(run)?;
            remember_policy(run, environment)?;
            // Receipts that came after Prisma's table, or a crash between the two.
            if keeps && !is_new && !request.dry_run {
                make_ready(run, environment, target.as_mut(), history.as_ref())?;
            }
            End::UpToDate
        }
        Verdict::Ready if request.dry_run => End::Ready,
        Verdict::Ready => {
            remember_chain(run)?;
            remember_policy(run, environment)?;
            if !is_new {
                super::verify::notice(run, environment, target.as_mut())?;
            }
            if keeps {
                make_ready(run, environment, target.as_mut(), history.as_ref())?;
            }
            say_broken(run, &plan)?;
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
        rehearsals: Vec::new(),
        end,
    })
}

/// Tells how many rows stand in what the plan destroys, fails on, or reads or writes as a whole.
fn count_rows(plan: &mut Plan, target: &mut dyn Target) {
    let tables: Vec<Name> = plan.worth_counting().into_iter().cloned().collect();
    if tables.is_empty() {
        return;
    }
    let rows = target.count_rows(&tables.iter().collect::<Vec<_>>());
    plan.tell_rows(rows);
}

/// Says before the first step that glass is broken for the plan, and past what.
fn say_broken(run: &mut Run<'_>, plan: &Plan) -> Result<(), WorkflowError> {
    let Some(broken) = &plan.glass else {
        return Ok(());
    };
    let migrations = plan.steps.iter().map(|step| step.migration.clone());
    crate::failpoint::hit("break-glass.before");
    run.record(Fact::BrokeGlass(BrokeGlass {
        environment: plan.environment.clone(),
        plan: plan.id,
        incident: broken.incident.clone(),
        reason: broken.reason.clone(),
        skipped: broken.gates(),
        migrations: migrations.collect(),
        review_by: broken.review_by,
    }))?;
    crate::failpoint::hit("break-glass.after");
    Ok(())
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
        over: Vec::new(),
        reason: None,
    }))?;
    Ok(())
}

/// Keeps in the ledger what the policy asks of an environment, when it is not what was last known of it: so
/// whoever reads the ledger sees which gates were asked, and when that changed.
pub(super) fn remember_policy(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
) -> Result<(), WorkflowError> {
    let is = run.policy.asks(environment);
    let here = run.ledger.view().get(environment);
    let was = match here.and_then(|here| here.known_policy()) {
        Some(known) => known.seen.is.clone(),
        None => run.policy.asks_unsaid(environment),
    };
    if was != is {
        run.record(Fact::Policy(PolicySeen {
            environment: environment.clone(),
            policy: run.policy.digest(),
            was,
            is,
        }))?;
    }
    Ok(())
}

/// How a contact begins.
pub(super) enum Entering {
    /// Not at all: neither side knows the other, and the plan is refused anyway.
    Refused(Box<Plan>, Reached),
    /// With what was reached on the way.
    Goes(Reached),
}

/// What was reached; nothing where a contact has a connection of its own.
type Reached = Option<(Box<dyn Target>, Survey)>;

impl Entering {
    /// The whole contact.
    pub(super) fn contact(
        self,
        run: &mut Run<'_>,
        environment: &EnvironmentName,
    ) -> Result<Contact, WorkflowError> {
        let (Self::Refused(_, reached) | Self::Goes(reached)) = self;
        match reached {
            Some(reached) => contact_with(run, environment, reached),
            None => contact(run, environment),
        }
    }
}

/// A refusal leaves nothing in a target that neither side knows: not even the lock of an embedded database,
/// which is a file. A server's leaves no trace, so there the contact goes on with what was reached.
pub(super) fn before_entering(
    run: &mut Run<'_>,
    request: &Request<'_>,
) -> Result<Entering, WorkflowError> {
    let environment = request.environment;
    if run
        .ledger
        .view()
        .get(environment)
        .is_some_and(|here| here.target.is_some())
    {
        return Ok(Entering::Goes(None));
    }
    let told = |error| super::target_error(environment, error);
    let mut target = (run.connect)(environment).map_err(told)?;
    let leaves_a_file = target.engine() == Engine::Sqlite;
    let survey = if leaves_a_file {
        target.survey().map_err(told)?
    } else {
        lock_and_survey(run, environment, target.as_mut())?
    };
    let plan = survey
        .recorded
        .is_none()
        .then(|| plan(run, request, target.as_ref(), &never_entered(&survey)))
        .filter(|plan| plan.verdict() == Verdict::Refused);
    let reached = (!leaves_a_file).then_some((target, survey));
    Ok(match plan {
        Some(plan) => Entering::Refused(Box::new(plan), reached),
        None => Entering::Goes(reached),
    })
}

pub(super) fn plan(
    run: &Run<'_>,
    request: &Request<'_>,
    target: &dyn Target,
    live: &planner::Live,
) -> Plan {
    let inputs = Inputs {
        environment: request.environment,
        engine: target.engine(),
        policy: run.policy,
        files: run.files,
        folder: run.folder,
        prisma: run.prisma,
        view: run.ledger.view(),
        kept: &run.kept,
        to: request.to,
        live: Some(live),
        now: (run.now)(),
        in_use: &run.in_use,
        approving: planner::Approving::Unsaved,
    };
    let plan = match request.saved {
        Some(held) => {
            let by = Some(&run.by.actor);
            premises::plan_under(&inputs, Held { by, ..held })
        }
        None => planner::plan(&inputs),
    };
    match request.glass {
        Some(glass) => plan.through(glass, run.policy),
        None => plan,
    }
}

/// Records that a file was not applied, because it is no saved plan for that environment, or not unaltered:
/// `plan` is the id that it names.
///
/// # Errors
/// [`WorkflowError`]: the ledger cannot be written.
pub fn refused_file(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    plan: ChainHash,
) -> Result<(), WorkflowError> {
    let gates = vec![RefusedGate {
        gate: Gate::Premise.as_str().to_owned(),
        migration: None,
    }];
    run.record(Fact::Refused(Refused {
        verb: "apply".to_owned(),
        environment: environment.clone(),
        plan,
        gates,
    }))?;
    Ok(())
}

pub(super) fn refused(verb: &str, plan: &Plan) -> Fact {
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
