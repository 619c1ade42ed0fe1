//! The planner: files, ledger and policy in, a plan out. Pure.
//!
//! [`plan`] derives what is pending, asks every gate in [`gates::GATES`], and returns either the
//! steps or every refusal. It has no clock, no network, no environment and no file system.

mod effects;
pub mod emergency;
pub mod gates;
mod glance;
pub mod glass;
pub(crate) mod half;
pub mod history;
mod id;
mod notes;
pub mod premises;
pub mod rehearsal;
pub mod revert;
pub mod saved;
mod waivers;
mod why;

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::{ChainHash, Checksum, Sha256};
use crate::ledger::view::{Backup, EnvironmentView, View};
use crate::lint::{Look, Topic};
use crate::model::entry::{Engine, Place, ReceiptRef, TargetIdentity};
use crate::model::prisma::PrismaTree;
use crate::model::{
    Actor, DataLoss, EnvironmentName, Kind, MigrationId, Policy, ReceiptKind, RehearsedDown,
    Release, Timestamp, Waiver, WriterId,
};
use crate::sql::Analysis;
use crate::sql::changes::Name;
use crate::targets::{Journal, Rows};

pub use effects::{StepEffect, StepFinding};
pub use gates::Gate;
pub use gates::approval::Approving;
pub use glance::{Block, Glance, Waiting, glance};
pub use glass::{Broken, Glass};
pub(crate) use half::goes_on;
pub use waivers::Waived;
pub use why::{Answer, State};

/// A migration on disk, as far as the planner cares.
#[derive(Debug, Clone, Copy)]
pub struct FileFacts<'a> {
    /// The folder's name.
    pub migration: &'a MigrationId,
    /// BLAKE3 of `migration.sql`.
    pub checksum: Checksum,
    /// SHA-256 of `migration.sql`.
    pub sha256: Sha256,
    /// The text of `migration.sql`.
    pub script: &'a str,
    /// The prepared reversal, where one stands beside it.
    pub down: Option<DownFacts<'a>>,
}

/// A `down.sql`, as far as the planner cares.
#[derive(Debug, Clone, Copy)]
pub struct DownFacts<'a> {
    /// BLAKE3 of `down.sql`.
    pub checksum: Checksum,
    /// SHA-256 of `down.sql`.
    pub sha256: Sha256,
    /// The text of `down.sql`.
    pub script: &'a str,
}

/// Everything that a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// Where to.
    pub environment: &'a EnvironmentName,
    /// The kind of database there: it decides how scripts are read.
    pub engine: Engine,
    /// The chain.
    pub policy: &'a Policy,
    /// The migrations on disk, sorted by id.
    pub files: &'a [FileFacts<'a>],
    /// The folder of the migrations, as a user would type it.
    pub folder: &'a str,
    /// What Prisma's lock file says, where the migrations are a tree of Prisma's.
    pub prisma: Option<&'a PrismaTree>,
    /// What the ledger knows.
    pub view: &'a View,
    /// The checksums whose bytes the ledger keeps, so that a remedy may promise them.
    pub kept: &'a BTreeSet<Checksum>,
    /// Plan only up to this pending migration.
    pub to: Option<&'a MigrationId>,
    /// What was read from the target under the lock; `None` when planning offline.
    pub live: Option<&'a Live>,
    /// The instant to plan at: only the age of a backup depends on it, and that of a waiver where the
    /// policy says how long one lasts.
    pub now: Timestamp,
    /// The waivers under which this very run began something: what is left of its plan goes on under
    /// them, although they are spent.
    pub in_use: &'a BTreeSet<Place>,
    /// What is to be said yes to, where the environment asks for approvals.
    pub approving: Approving<'a>,
}

/// What was read from the target under the lock and is not in the ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Live {
    /// The target is not the one that the ledger knows.
    pub identity: Option<Finding>,
    /// The target has tables, and tollgate never entered it before.
    pub has_history_elsewhere: bool,
    /// The environment is ephemeral, and its target is a new one: nothing that is known stands there.
    pub is_unmet: bool,
    /// This very run entered the target, and nothing ran there since.
    pub is_new: bool,
    /// Some of these tables stand in the application's schema.
    pub is_filled: bool,
    /// How many rows Prisma's table has, where tollgate never entered the target.
    pub unknown_history: usize,
    /// Prisma 8 keeps its record there.
    pub is_prisma_8: bool,
    /// What Prisma's table says beyond the receipts and does not prove, in a target that was entered.
    pub claims: Vec<history::Claim>,
    /// The newest attempt in the target's journal of each migration that is not applied and of which
    /// something may stand: this ledger's own, and those of others, of which it knows nothing.
    pub journals: Vec<Journal>,
    /// The target's INVALID indexes, qualified and quoted.
    pub invalid_indexes: Vec<String>,
}

/// Ordered steps, or every refusal. Plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// See [`Plan::id`]'s digest in `docs/LEDGER.md`.
    pub id: ChainHash,
    /// Where to.
    pub environment: EnvironmentName,
    /// The target that it was made for; `None` before the first contact.
    pub target: Option<TargetIdentity>,
    /// The head of the target's receipts that it was made for.
    pub head: Option<ReceiptRef>,
    /// The pending migrations, in order. They run only if nothing is refused.
    pub steps: Vec<Step>,
    /// Every gate that is not met.
    pub refusals: Vec<Finding>,
    /// Gates that only warn here.
    pub warnings: Vec<Finding>,
    /// What would be refused, and somebody accepted.
    pub waived: Vec<Waived>,
    /// Where it goes through broken glass, for what, and what would be refused without that.
    pub glass: Option<Broken>,
    /// The backup that it stands on, where the environment asks for one and nothing is pending without it.
    /// Not in the id: it comes and goes with the instant.
    pub backup: Option<Backup>,
    /// The last of the steps that could go if the plan ended there; only where something is refused.
    pub ready_to: Option<MigrationId>,
    /// How many rows stand in tables that the steps' findings and effects are about, where they were
    /// counted. Not in the id.
    pub rows: BTreeMap<Name, Rows>,
    /// The digest of the policy that it was made under. The id has the policy itself.
    pub policy: ChainHash,
    /// The saved plan that it holds to; `None` where it holds to none. Not in the id.
    pub release: Option<Release>,
}

/// What a plan comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The steps may run.
    Ready,
    /// At least one gate is not met.
    Refused,
    /// There is nothing to do.
    UpToDate,
}

impl Verdict {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Refused => "refused",
            Self::UpToDate => "up-to-date",
        }
    }
}

/// One pending migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The migration.
    pub migration: MigrationId,
    /// BLAKE3 of the bytes to run.
    pub checksum: Checksum,
    /// SHA-256 of the same bytes.
    pub sha256: Sha256,
    /// How it will run.
    pub kind: ReceiptKind,
    /// How many of its statements stand already and are not sent again.
    pub done: u64,
    /// How many statements it has, where the script was analysed.
    pub statements: Option<usize>,
    /// What a reader should know: why it is journalled, why it was not analysed.
    pub notes: Vec<String>,
    /// Where these bytes succeeded before.
    pub proofs: Vec<Proof>,
    /// Where its reversal, as it stands on disk, was rehearsed before and passed.
    pub rehearsals: Vec<RehearsalProof>,
    /// What each of its statements comes to; nothing of a script that was not analysed.
    pub effects: Vec<StepEffect>,
    /// What is worth knowing of it.
    pub findings: Vec<StepFinding>,
}

/// A success that a step stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Where.
    pub environment: EnvironmentName,
    /// When.
    pub at: Timestamp,
    /// Who applied it there.
    pub by: Actor,
    /// Its receipt there.
    pub receipt: ReceiptRef,
    /// The ledger that applied.
    pub writer: WriterId,
    /// The environment whose receipt tells of it, where nothing else does.
    pub told_by: Option<EnvironmentName>,
    /// The gates that were waived for it there.
    pub waivers: Vec<Waiver>,
}

/// A rehearsal of a step's reversal that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RehearsalProof {
    /// Where.
    pub environment: EnvironmentName,
    /// Which reversal, and how it came out.
    pub down: RehearsedDown,
    /// When.
    pub at: Timestamp,
    /// Who held it.
    pub by: Actor,
    /// The environment whose receipt tells of it, where nothing else does.
    pub told_by: Option<EnvironmentName>,
}

/// A gate that is not met: a refusal, or a warning where the gate is lenient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The gate.
    pub gate: Gate,
    /// The migration it is about; `None` where it is about the whole environment.
    pub migration: Option<MigrationId>,
    /// The fact, as a clause: "these bytes never succeeded in test".
    pub fact: String,
    /// What was found, line by line.
    pub found: Vec<String>,
    /// What is required.
    pub required: String,
    /// One thing to do, as a command to type.
    pub remedy: String,
}

impl Plan {
    /// What the plan comes to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if !self.refusals.is_empty() {
            Verdict::Refused
        } else if self.steps.is_empty() {
            Verdict::UpToDate
        } else {
            Verdict::Ready
        }
    }

    /// The tables whose rows are worth counting: what is destroyed in them, fails on them, or reads or
    /// writes all of them.
    #[must_use]
    pub fn worth_counting(&self) -> BTreeSet<&Name> {
        let findings = self.steps.iter().flat_map(|step| &step.findings);
        findings
            .filter(|it| {
                matches!(
                    it.finding.rule.topic,
                    Topic::DataLoss | Topic::MayFail | Topic::Locks
                )
            })
            .filter_map(|it| it.finding.subject.as_ref().map(|(table, _)| table))
            .collect()
    }

    /// Takes in how many rows stand in those tables, and tells it wherever a loss is told.
    pub fn tell_rows(&mut self, rows: BTreeMap<Name, Rows>) {
        self.rows = rows;
        let waived = self.waived.iter_mut().map(|waived| &mut waived.finding);
        let findings = self
            .refusals
            .iter_mut()
            .chain(&mut self.warnings)
            .chain(waived);
        for finding in findings.filter(|finding| finding.gate == Gate::DataLoss) {
            let mut steps = self.steps.iter();
            let step = steps.find(|step| Some(&step.migration) == finding.migration.as_ref());
            if let Some(step) = step {
                let losses = gates::data_loss::lines(&step.findings, &self.rows);
                if !losses.is_empty() {
                    finding.found = losses;
                }
            }
        }
    }

    /// The waivers that are shown with a step.
    pub fn waivers_of(&self, migration: &MigrationId) -> impl Iterator<Item = &Waiver> {
        let all = self.waived.iter().map(|waived| &waived.waiver);
        all.filter(move |waiver| waiver.is_shown_with(migration))
    }
}

/// What the gates look at: the inputs and what follows from them.
#[derive(Debug)]
pub(crate) struct World<'a> {
    pub(crate) inputs: &'a Inputs<'a>,
    /// The environment's place in the chain: so many stand before it. 0 outside the chain.
    pub(crate) position: usize,
    /// What the ledger knows of the environment.
    pub(crate) here: &'a EnvironmentView,
    /// Migrations on disk without a receipt in the target, in order, up to `to`.
    pub(crate) pending: Vec<FileFacts<'a>>,
    /// The pending migrations' scripts, read; beside `pending`.
    pub(crate) analyses: Vec<Analysis>,
    /// What the pending scripts do, as far as it can be read.
    pub(crate) look: Look,
}

impl<'a> World<'a> {
    pub(crate) fn file(&self, migration: &MigrationId) -> Option<&'a FileFacts<'a>> {
        let files = self.inputs.files;
        let place = files
            .binary_search_by(|file| file.migration.cmp(migration))
            .ok()?;
        files.get(place)
    }

    /// The path of a file of a migration, as a user would type it.
    pub(crate) fn path(&self, migration: &MigrationId, file: &str) -> String {
        gates::shell(&format!("{}/{migration}/{file}", self.inputs.folder))
    }

    /// The environments that come before this one.
    pub(crate) fn before(&self) -> impl Iterator<Item = &'a EnvironmentName> {
        self.inputs.policy.chain().take(self.position)
    }
}

/// Makes the plan for an environment of the policy. An environment that is not in the policy is a
/// caller's error and is planned as the last of the chain would be, which is the strictest.
#[must_use]
pub fn plan(inputs: &Inputs<'_>) -> Plan {
    let nothing = EnvironmentView::default();
    let world = world(inputs, &nothing);
    let asked = ask(&world);
    made(&world, asked)
}

/// The same, and what every gate says, met or not: the proof that the plan may be read with.
#[must_use]
pub fn plan_and_why(inputs: &Inputs<'_>) -> (Plan, Vec<Answer>) {
    let nothing = EnvironmentView::default();
    let world = world(inputs, &nothing);
    let asked = ask(&world);
    let answers = why::answers(&world, &asked);
    (made(&world, asked), answers)
}

/// What the gates look at. `nothing` is what is known of a target that nobody met.
fn world<'a>(inputs: &'a Inputs<'a>, nothing: &'a EnvironmentView) -> World<'a> {
    // Of an ephemeral environment nobody knows the next target before it is met: it has nothing.
    let unmet = inputs.live.map_or_else(
        || inputs.policy.kind(inputs.environment) == Kind::Ephemeral,
        |live| live.is_unmet,
    );
    let here = match inputs.view.get(inputs.environment) {
        Some(here) if !unmet => here,
        _ => nothing,
    };
    let pending: Vec<FileFacts<'_>> = inputs
        .files
        .iter()
        .filter(|file| !here.applied.contains_key(file.migration))
        .filter(|file| !stands_by_prisma(inputs, file.migration))
        .filter(|_| !gates::baseline::is_untold(inputs))
        .filter(|file| inputs.to.is_none_or(|to| file.migration <= to))
        .copied()
        .collect();
    let scripts: Vec<&str> = pending.iter().map(|file| file.script).collect();
    let analyses = crate::sql::analyse_all(inputs.engine, &scripts);
    World {
        inputs,
        position: match inputs.policy.position(inputs.environment) {
            Some(position) => position,
            None if inputs.policy.is_outside(inputs.environment) => 0,
            None => inputs.policy.environments.len(),
        },
        here,
        look: effects::look(inputs, here, &pending, &analyses),
        analyses,
        pending,
    }
}

/// What the gates said.
pub(crate) struct Asked {
    pub(crate) refusals: Vec<Finding>,
    pub(crate) warnings: Vec<Finding>,
    pub(crate) waived: Vec<Waived>,
}

fn ask(world: &World<'_>) -> Asked {
    let inputs = world.inputs;
    let mut refusals = Vec::new();
    let mut warnings = Vec::new();
    for (gate, check) in gates::GATES {
        let lenient = match gate {
            Gate::DataLoss => inputs.policy.data_loss(inputs.environment) != DataLoss::Refuse,
            _ => gate.warns_in_first() && inputs.policy.is_lenient_in(inputs.environment),
        };
        for finding in check(world) {
            if lenient {
                warnings.push(finding)
            } else {
                refusals.push(finding)
            }
        }
    }
    warnings.extend(gates::advice(world));
    let (refusals, waived) = waivers::take(world, refusals);
    Asked {
        refusals,
        warnings,
        waived,
    }
}

fn made(world: &World<'_>, asked: Asked) -> Plan {
    let Asked {
        refusals,
        warnings,
        waived,
    } = asked;
    let steps: Vec<Step> = world
        .pending
        .iter()
        .zip(&world.analyses)
        .enumerate()
        .map(|(place, (file, analysis))| step(world, place, file, analysis))
        .collect();
    let ready_to = ready_prefix(&steps, &refusals);
    let mut plan = Plan {
        id: ChainHash::from_bytes([0; 32]),
        environment: world.inputs.environment.clone(),
        target: world.here.target.clone(),
        head: world.here.head(),
        steps,
        refusals,
        warnings,
        waived,
        glass: None,
        backup: gates::backup::stands_on(world),
        ready_to,
        rows: BTreeMap::new(),
        policy: world.inputs.policy.digest(),
        release: None,
    };
    plan.id = id::of(&plan, world.inputs.policy);
    plan
}

/// Whether Prisma says that it is applied, without proof: it is not evidence, and must not run again.
fn stands_by_prisma(inputs: &Inputs<'_>, migration: &MigrationId) -> bool {
    let claims = inputs.live.map_or(&[][..], |live| &live.claims);
    claims
        .iter()
        .any(|claim| claim.kind.stands() && claim.row.migration == *migration)
}

fn step(world: &World<'_>, place: usize, file: &FileFacts<'_>, analysis: &Analysis) -> Step {
    let proof = |environment: &EnvironmentName| {
        let success = world
            .inputs
            .view
            .get(environment)?
            .evidence_of(file.migration, file.checksum)?;
        Some(Proof {
            environment: environment.clone(),
            at: success.at,
            by: success.by.clone(),
            receipt: success.receipt,
            writer: success.writer,
            told_by: success.told_by.clone(),
            waivers: success.waivers.clone(),
        })
    };
    let rehearsal = |environment: &EnvironmentName| {
        let there = world.inputs.view.get(environment)?;
        let known = there.rehearsal_of(file.migration, file.checksum, file.down?.checksum)?;
        known.down.result.passed().then(|| RehearsalProof {
            environment: environment.clone(),
            down: known.down.clone(),
            at: known.at,
            by: known.by.clone(),
            told_by: known.told_by.clone(),
        })
    };
    let half = half::half(world.inputs, world.here, file.migration)
        .filter(|half| half::obstacle(world.inputs.engine, file, analysis, half).is_none());
    let mut notes = notes::of(world.inputs.engine, file.script, analysis);
    let done = half.map_or(0, |half| half.progress.done);
    if done > 0 {
        let statements = analysis.statements().map_or(0, <[_]>::len);
        notes.insert(0, notes::going_on(done, statements as u64));
    }
    let (effects, findings) = effects::of_step(&world.look, place, file);
    Step {
        migration: file.migration.clone(),
        checksum: file.checksum,
        sha256: file.sha256,
        kind: analysis.receipt_kind(),
        done,
        statements: analysis.statements().map(<[_]>::len),
        notes,
        proofs: world.before().filter_map(proof).collect(),
        rehearsals: world
            .before()
            .chain(std::iter::once(world.inputs.environment))
            .filter_map(rehearsal)
            .collect(),
        effects,
        findings,
    }
}

/// The last step before the first one that is refused, where nothing else is refused.
fn ready_prefix(steps: &[Step], refusals: &[Finding]) -> Option<MigrationId> {
    let ids: Vec<&MigrationId> = steps.iter().map(|step| &step.migration).collect();
    let last = ready_place(&ids, refusals)?;
    ids.get(last).map(|last| (*last).clone())
}

/// Its place.
fn ready_place(steps: &[&MigrationId], refusals: &[Finding]) -> Option<usize> {
    let mut first = steps.len();
    for refusal in refusals {
        let subject = refusal
            .migration
            .as_ref()
            .filter(|_| refusal.gate.is_about_steps())?;
        first = first.min(steps.iter().position(|step| *step == subject)?);
    }
    if refusals.is_empty() {
        return None;
    }
    first.checked_sub(1)
}
