//! What waits at an environment, since when, and what blocks it: in as few words as there are.
//!
//! It asks the gates of the plan themselves. Of very many migrations the first are looked at, and the rest
//! is counted: each of those waits behind the first ones anyway.

use std::collections::BTreeMap;

use super::gates::{freeze, soak};
use super::{Asked, FileFacts, Finding, Gate, Inputs, World, ask, ready_place, world};
use crate::ledger::view::EnvironmentView;
use crate::model::{EnvironmentName, Kind, MigrationId, Timestamp};

/// So many of the waiting migrations are looked at.
const MOST: usize = 200;

/// One environment at a glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glance {
    /// Which.
    pub environment: EnvironmentName,
    /// The first of the migrations that wait there, in order.
    pub waiting: Vec<Waiting>,
    /// How many wait behind them, and were not looked at.
    pub more: usize,
    /// What blocks the environment as a whole, or is about what is applied there.
    pub blocked: Vec<Block>,
    /// The newest look at the schema that found something, with how much, where nothing ran there since.
    pub drift: Option<(u64, Timestamp)>,
}

/// One migration that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Which.
    pub migration: MigrationId,
    /// Since these bytes succeeded in the environment before; in the first one, since they were first seen.
    /// `None` where nobody knows.
    pub since: Option<Timestamp>,
    /// What blocks it.
    pub blocks: Vec<Block>,
    /// Whether it could go now, after those before it.
    pub is_ready: bool,
}

/// A gate that is not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The gate.
    pub gate: Gate,
    /// The migration it is about, where it blocks more than that one.
    pub migration: Option<MigrationId>,
    /// Until when, where time alone meets it.
    pub until: Option<Timestamp>,
    /// The environments in which these bytes never succeeded.
    pub missing_in: Vec<EnvironmentName>,
}

/// Looks at one environment, offline.
#[must_use]
pub fn glance(inputs: &Inputs<'_>) -> Glance {
    let nothing = EnvironmentView::default();
    let there = inputs.view.get(inputs.environment).unwrap_or(&nothing);
    let drift = drift(there);
    // What comes and goes has nothing of its own that could wait, nor what is everybody's where this ledger
    // has none: what was proven in another one is through.
    let elsewhere = match inputs.policy.kind(inputs.environment) {
        Kind::Ordinary => false,
        Kind::Personal => there.target.is_none(),
        Kind::Ephemeral => true,
    };
    let is_through = |file: &FileFacts<'_>| {
        elsewhere && there.evidence_of(file.migration, file.checksum).is_some()
    };
    let waits = inputs.files.iter().filter(|file| match elsewhere {
        true => !is_through(file),
        false => !there.applied.contains_key(file.migration),
    });
    let waits: Vec<&FileFacts<'_>> = waits.collect();
    let empty = Glance {
        environment: inputs.environment.clone(),
        waiting: Vec::new(),
        more: 0,
        blocked: Vec::new(),
        drift,
    };
    if waits.is_empty() && elsewhere {
        return empty;
    }
    let seen = waits.len().min(MOST);
    let inputs = Inputs {
        to: seen
            .checked_sub(1)
            .and_then(|last| waits.get(last))
            .map(|last| last.migration),
        ..*inputs
    };
    let world = world(&inputs, &nothing);
    let Asked { refusals, .. } = ask(&world);
    let untils = Untils {
        soaks: soak::ends(&world),
        thaws: freeze::thaws(&world),
        opens: freeze::opens(&world),
    };
    let ids: Vec<&MigrationId> = world.pending.iter().map(|file| file.migration).collect();
    let ready = match (refusals.is_empty(), ready_place(&ids, &refusals)) {
        (true, _) => ids.len(),
        (false, last) => last.map_or(0, |last| last + 1),
    };
    let mut of_steps: BTreeMap<&MigrationId, Vec<Block>> = BTreeMap::new();
    let mut blocked = Vec::new();
    for refusal in &refusals {
        let block = untils.block(&world, refusal);
        match &refusal.migration {
            Some(migration) if ids.binary_search(&migration).is_ok() => {
                of_steps.entry(migration).or_default().push(block);
            }
            migration => blocked.push(Block {
                migration: migration.clone(),
                ..block
            }),
        }
    }
    let pending = world.pending.iter().enumerate();
    let waiting = pending.filter(|(_, file)| !is_through(file));
    Glance {
        waiting: waiting
            .map(|(place, file)| Waiting {
                migration: file.migration.clone(),
                since: since(&world, there, file),
                blocks: of_steps.remove(file.migration).unwrap_or_default(),
                is_ready: place < ready,
            })
            .collect(),
        more: waits.len() - seen,
        blocked,
        ..empty
    }
}

/// Since when it could have come, or stands there unfinished.
fn since(world: &World<'_>, there: &EnvironmentView, file: &FileFacts<'_>) -> Option<Timestamp> {
    if let Some(before) = world.before().last() {
        let before = world.inputs.view.get(before)?;
        return Some(before.evidence_of(file.migration, file.checksum)?.at);
    }
    let id = file.migration;
    let of = |attempt: &MigrationId| attempt == id;
    let others = there.evidence_of(id, file.checksum).map(|known| known.at);
    let failed = there.failed.get(id).map(|failed| failed.at);
    let partial = there.partial.values();
    let partial = partial.filter(|it| of(&it.attempted.intent.migration));
    let open = there.open.values().filter(|it| of(&it.intent.migration));
    let seen = others.into_iter().chain(failed);
    let seen = seen.chain(partial.map(|it| it.at));
    seen.chain(open.map(|it| it.at)).min()
}

fn drift(there: &EnvironmentView) -> Option<(u64, Timestamp)> {
    let looked = there.looked.as_ref()?;
    let found = looked.differences.filter(|found| *found > 0)?;
    let changed = there.applied.values().map(|ran| ran.receipt.seq).max();
    let is_newer = changed <= looked.receipt;
    is_newer.then_some((found, looked.at))
}

/// When time alone meets a gate.
struct Untils {
    soaks: BTreeMap<MigrationId, Timestamp>,
    thaws: Option<Timestamp>,
    opens: Option<Timestamp>,
}

impl Untils {
    fn block(&self, world: &World<'_>, refusal: &Finding) -> Block {
        let subject = refusal.migration.as_ref();
        let file = subject.and_then(|subject| world.file(subject));
        let missing_in = file
            .filter(|_| refusal.gate == Gate::Promotion)
            .map(|file| {
                let proven = |name: &&EnvironmentName| {
                    let there = world.inputs.view.get(name);
                    there.is_some_and(|it| it.evidence_of(file.migration, file.checksum).is_some())
                };
                let missing = world.before().filter(|name| !proven(name));
                missing.cloned().collect()
            });
        Block {
            gate: refusal.gate,
            migration: None,
            until: match refusal.gate {
                Gate::Soak => subject.and_then(|subject| self.soaks.get(subject).copied()),
                Gate::Freeze => self.thaws,
                Gate::Hours => self.opens,
                _ => None,
            },
            missing_in: missing_in.unwrap_or_default(),
        }
    }
}
