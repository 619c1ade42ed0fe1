//! What every gate says of a plan, met or not, and how: the proof that a release is read with.

use std::collections::BTreeSet;

use super::gates::{GATES, backup, order, told};
use super::{Asked, FileFacts, Finding, Gate, Waived, World};
use crate::ledger::view::{Soaking, Success};
use crate::model::{DataLoss, EnvironmentName, MigrationId};

/// What one gate says of one migration, or of the whole environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The gate.
    pub gate: Gate,
    /// The migration it is about; `None` where it is about the whole environment.
    pub migration: Option<MigrationId>,
    /// What it says.
    pub state: State,
}

/// What a gate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It is met: by what, line by line.
    Met(Vec<String>),
    /// It is not met, and only warns here.
    Warned(Finding),
    /// It is not met, and somebody accepted that.
    Waived(Waived),
    /// It is not met.
    Refused(Finding),
    /// The environment does not ask for it.
    NotAsked,
}

impl State {
    /// Whether it stands in the way.
    #[must_use]
    pub const fn refuses(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// The word used in output.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Met(_) => "met",
            Self::Warned(_) => "warned",
            Self::Waived(_) => "waived",
            Self::Refused(_) => "refused",
            Self::NotAsked => "not-asked",
        }
    }
}

/// What every gate says, in their order: of each pending migration where it is about steps, else of the
/// environment; and whatever a gate found of others.
pub(super) fn answers(world: &World<'_>, asked: &Asked) -> Vec<Answer> {
    let mut all = Vec::new();
    for (gate, _) in GATES {
        let gate = *gate;
        let found = found(gate, asked);
        let subjects: BTreeSet<Option<&MigrationId>> =
            found.iter().map(|(subject, _)| *subject).collect();
        let answer = |migration: Option<&MigrationId>, state| Answer {
            gate,
            migration: migration.cloned(),
            state,
        };
        if !is_asked(world, gate) {
            all.push(answer(None, State::NotAsked));
            continue;
        }
        if gate.is_about_steps() {
            let steps = world.pending.iter().enumerate();
            let met = steps.filter(|(_, file)| !subjects.contains(&Some(file.migration)));
            all.extend(met.map(|(place, file)| {
                answer(
                    Some(file.migration),
                    State::Met(step_met(world, gate, place, file)),
                )
            }));
        } else if found.is_empty() {
            all.push(answer(None, State::Met(met(world, gate))));
        }
        all.extend(
            found
                .into_iter()
                .map(|(subject, state)| answer(subject, state)),
        );
    }
    all
}

fn found(gate: Gate, asked: &Asked) -> Vec<(Option<&MigrationId>, State)> {
    let refused = asked.refusals.iter();
    let refused = refused.map(|it| (it, State::Refused(it.clone())));
    let warned = asked.warnings.iter();
    let warned = warned.map(|it| (it, State::Warned(it.clone())));
    let waived = asked.waived.iter();
    let waived = waived.map(|it| (&it.finding, State::Waived(it.clone())));
    let all = refused.chain(waived).chain(warned);
    all.filter(|(finding, _)| finding.gate == gate)
        .map(|(finding, state)| (finding.migration.as_ref(), state))
        .collect()
}

/// Whether the environment asks for it at all.
fn is_asked(world: &World<'_>, gate: Gate) -> bool {
    let inputs = world.inputs;
    let require = inputs.policy.require(inputs.environment);
    let asks = |what: fn(&crate::model::Require) -> bool| require.is_some_and(what);
    match gate {
        Gate::Promotion => world.position > 0,
        Gate::Prisma => inputs.prisma.is_some(),
        Gate::DataLoss => inputs.policy.data_loss(inputs.environment) != DataLoss::Allow,
        Gate::Rehearsal => asks(|it| it.rehearsal.is_some()),
        Gate::Backup => asks(|it| it.backup.is_some()),
        Gate::Approval => asks(|it| it.approvals.is_some()),
        Gate::Lint => asks(|it| it.lint.is_some()),
        Gate::Hold => asks(|it| !it.hold.is_empty()),
        Gate::Soak => asks(|it| it.soak.is_some()) && world.position > 0,
        Gate::Freeze => asks(|it| !it.freeze.is_empty()),
        Gate::Hours => asks(|it| !it.allow.is_empty()),
        Gate::Debt => {
            asks(|it| it.break_glass.is_some()) || !inputs.view.debts(inputs.environment).is_empty()
        }
        Gate::Identity
        | Gate::Chain
        | Gate::Baseline
        | Gate::Unknown
        | Gate::Failed
        | Gate::Missing
        | Gate::Modified
        | Gate::Order
        | Gate::Script
        | Gate::Reverted => true,
        Gate::Premise => false,
    }
}

/// How a gate about the whole environment is met.
fn met(world: &World<'_>, gate: Gate) -> Vec<String> {
    let inputs = world.inputs;
    let here = world.here;
    let applied = many(here.applied.len());
    if gate == Gate::Approval {
        return super::gates::approval::met(world);
    }
    vec![match gate {
        Gate::Identity => match (&here.target, inputs.live) {
            (None, _) => "this ledger knows no target there: the first contact binds it".to_owned(),
            (Some(target), None) => format!(
                "bound to {} ({}); whether it is still that one is asked under the lock",
                target.name,
                short(&target.incarnation.to_string())
            ),
            (Some(target), Some(_)) => format!(
                "it is {} ({}), the one it is bound to",
                target.name,
                short(&target.incarnation.to_string())
            ),
        },
        Gate::Chain => format!("{}, as the ledger knows it", chain(world)),
        Gate::Baseline => "nothing of another tool's stands there untold".to_owned(),
        Gate::Unknown => "how every attempt ended is known".to_owned(),
        Gate::Failed => "no attempt is left half-way".to_owned(),
        Gate::Debt => match inputs.view.debts(inputs.environment).len() {
            0 => "glass was never broken here".to_owned(),
            1 => "glass was broken here once, and that is paid for".to_owned(),
            times => format!("glass was broken here for {times} incidents, and all is paid for"),
        },
        Gate::Missing | Gate::Modified if here.applied.is_empty() => {
            "nothing is applied here yet".to_owned()
        }
        Gate::Missing => format!("{applied} applied here, each with its folder"),
        Gate::Modified => format!("{applied} applied here, each with the bytes that ran"),
        Gate::Freeze => "no freeze holds now".to_owned(),
        Gate::Hours => match open(world) {
            Some(window) => format!("open: {window}"),
            None => "nothing is pending".to_owned(),
        },
        Gate::Backup => match backup::stands_on(world) {
            Some(known) => format!("{}, by {}", backup::name(&known), known.by),
            None => "there is nothing to lose, or nothing pending".to_owned(),
        },
        _ => "met".to_owned(),
    }]
}

fn open(world: &World<'_>) -> Option<String> {
    let require = world.inputs.policy.require(world.inputs.environment)?;
    let mut windows = require.allow.iter();
    let open = windows.find(|window| window.is_open(world.inputs.now))?;
    Some(open.to_string())
}

/// How a gate about steps is met by one of them.
fn step_met(world: &World<'_>, gate: Gate, place: usize, file: &FileFacts<'_>) -> Vec<String> {
    let inputs = world.inputs;
    match gate {
        Gate::Order => vec![match order::newest_for(world.here, file.migration) {
            Some((newest, _)) => format!("it comes after {newest}, the newest applied here"),
            None => "nothing is applied here yet".to_owned(),
        }],
        Gate::Promotion => world
            .before()
            .filter_map(|name| {
                let there = inputs.view.get(name)?;
                let success = there.evidence_of(file.migration, file.checksum)?;
                Some(format!("{name}: {}", success_in_words(success)))
            })
            .collect(),
        Gate::Script => vec!["it can be sent".to_owned()],
        Gate::DataLoss | Gate::Lint => {
            let (_, findings) = super::effects::of_step(&world.look, place, file);
            let of_gate = findings.iter().filter(|it| {
                (it.finding.rule.topic == crate::lint::Topic::DataLoss) == (gate == Gate::DataLoss)
            });
            let allowed: Vec<String> = of_gate
                .filter_map(|it| {
                    let reason = it.finding.allowed.as_ref()?;
                    Some(format!(
                        "line {}: {}: the script allows it: {reason}",
                        it.line, it.finding.rule.code
                    ))
                })
                .collect();
            match (allowed.is_empty(), gate) {
                (false, _) => allowed,
                (true, Gate::DataLoss) => {
                    vec![
                        "nothing that stands here is destroyed, as far as its text tells"
                            .to_owned(),
                    ]
                }
                (true, _) => vec!["nothing was found that is refused here".to_owned()],
            }
        }
        Gate::Hold => vec!["nobody holds it back".to_owned()],
        Gate::Soak => soaked(world, file),
        Gate::Rehearsal => rehearsed(world, file),
        Gate::Prisma => vec!["Prisma would run it at the same place".to_owned()],
        _ => vec!["met".to_owned()],
    }
}

fn success_in_words(success: &Success) -> String {
    format!(
        "succeeded {} by {}, receipt {} ({}){}",
        success.at.minute(),
        success.by,
        success.receipt.seq,
        short(&success.receipt.hash.to_string()),
        told(success.told_by.as_ref()),
    )
}

fn soaked(world: &World<'_>, file: &FileFacts<'_>) -> Vec<String> {
    let inputs = world.inputs;
    let told = world.before().last().and_then(|before| {
        let there = inputs.view.get(before)?;
        let kind = inputs.policy.kind(before);
        match there.soaking(file.migration, file.checksum, kind) {
            Soaking::Since { succeeded, failed } => {
                let since = failed.unwrap_or(succeeded);
                let stood = inputs
                    .now
                    .unix_millis()
                    .saturating_sub(since.unix_millis())
                    .unsigned_abs();
                Some(format!(
                    "it stood in {before} for {}",
                    backup::length(u128::from(stood))
                ))
            }
            Soaking::Never | Soaking::Gone => None,
        }
    });
    vec![told.unwrap_or_else(|| "that it never stood there is promotion's to say".to_owned())]
}

fn rehearsed(world: &World<'_>, file: &FileFacts<'_>) -> Vec<String> {
    let Some(down) = file.down else {
        return vec!["met".to_owned()];
    };
    let of = |name: &EnvironmentName| {
        let there = world.inputs.view.get(name)?;
        let known = there.rehearsal_of(file.migration, file.checksum, down.checksum)?;
        known.down.result.passed().then(|| {
            format!(
                "{name}: its down.sql was rehearsed {} by {}, and passed",
                known.at.minute(),
                known.by
            )
        })
    };
    let places = world
        .before()
        .chain(std::iter::once(world.inputs.environment));
    let told: Vec<String> = places.filter_map(of).collect();
    match told.is_empty() {
        true => vec!["accepted by name in tollgate.toml as irreversible".to_owned()],
        false => told,
    }
}

fn chain(world: &World<'_>) -> String {
    let names: Vec<&str> = world
        .inputs
        .policy
        .chain()
        .map(|name| name.as_str())
        .collect();
    names.join(", ")
}

/// The first 12 digits: enough to look for.
fn short(id: &str) -> String {
    id.chars().take(12).collect()
}

fn many(count: usize) -> String {
    match count {
        1 => "1 migration".to_owned(),
        _ => format!("{count} migrations"),
    }
}
