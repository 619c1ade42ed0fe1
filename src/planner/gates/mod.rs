//! The gates: one file each. [`GATES`] reads as the policy.

pub mod approval;
pub(crate) mod backup;
pub(crate) mod baseline;
pub(crate) mod chain;
pub(crate) mod data_loss;
pub(crate) mod debt;
pub(crate) mod elsewhere;
mod failed;
pub(super) mod freeze;
mod hold;
pub mod identity;
mod lint;
mod missing;
mod modified;
pub(crate) mod order;
mod prisma;
mod promotion;
pub(crate) mod redone;
mod rehearsal;
pub(crate) mod reset;
mod reverted;
mod script;
pub(super) mod soak;
mod unknown;

use std::fmt;

pub(crate) use failed::{remedy as resolve, standing};
pub(crate) use prisma::provider;
pub(crate) use promotion::told;

use super::{Finding, World, history};
use crate::digest::Checksum;
use crate::ledger::view::Success;
use crate::model::{EnvironmentName, MigrationId};

/// What a gate finds in a world: nothing where it is met.
type Check = fn(&World<'_>) -> Vec<Finding>;

/// Every gate, in the order in which they are asked and shown: first those that are always on, then those
/// that an environment asks for.
pub(crate) const GATES: &[(Gate, Check)] = &[
    (Gate::Identity, identity::check),
    (Gate::Chain, chain::check),
    (Gate::Baseline, baseline::check),
    (Gate::Prisma, prisma::check),
    (Gate::Unknown, unknown::check),
    (Gate::Failed, failed::check),
    (Gate::Debt, debt::check),
    (Gate::Missing, missing::check),
    (Gate::Modified, modified::check),
    (Gate::Order, order::check),
    (Gate::Promotion, promotion::check),
    (Gate::Script, script::check),
    (Gate::DataLoss, data_loss::check),
    (Gate::Lint, lint::check),
    (Gate::Hold, hold::check),
    (Gate::Soak, soak::check),
    (Gate::Freeze, freeze::check),
    (Gate::Hours, freeze::check_hours),
    (Gate::Rehearsal, rehearsal::check),
    (Gate::Backup, backup::check),
    (Gate::Approval, approval::check),
];

/// One condition that a plan must meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Gate {
    /// The target is the one that the environment is bound to, and no other environment is.
    Identity,
    /// Every environment that the ledger knows to stand before this one still does.
    Chain,
    /// No attempt's end is unknown.
    Unknown,
    /// No attempt failed half-way.
    Failed,
    /// What was applied there through broken glass is paid for.
    Debt,
    /// Every applied migration is on disk.
    Missing,
    /// Every applied migration has the bytes that ran.
    Modified,
    /// Every pending migration comes after every applied one.
    Order,
    /// The same bytes succeeded in every environment before this one.
    Promotion,
    /// The script can be sent.
    Script,
    /// What a script destroys, it says that it may.
    DataLoss,
    /// What another tool made in the target was taken in. Of tables alone, outside a tree of Prisma's, it
    /// only warns.
    Baseline,
    /// Prisma would run the same scripts, in the same order.
    Prisma,
    /// Nothing was found in a script that is as grave as the environment refuses.
    Lint,
    /// Nobody holds a step back.
    Hold,
    /// Every step stood in the environment before for long enough.
    Soak,
    /// No freeze holds.
    Freeze,
    /// It is an hour in which something may be applied.
    Hours,
    /// The reversal of every step was rehearsed in each environment before this one.
    Rehearsal,
    /// There is a backup of the target, as the environment asks for it.
    Backup,
    /// So many people said yes to the very plan that is applied.
    Approval,
    /// A migration and its rollback are both pending. It only warns.
    Reverted,
    /// What a saved plan was made from is as it was. Asked of saved plans alone, beside the gates.
    Premise,
}

impl Gate {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Chain => "chain",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::Debt => "debt",
            Self::Missing => "missing",
            Self::Modified => "modified",
            Self::Order => "order",
            Self::Promotion => "promotion",
            Self::Script => "script",
            Self::DataLoss => "data-loss",
            Self::Baseline => "baseline",
            Self::Prisma => "prisma",
            Self::Lint => "lint",
            Self::Hold => "hold",
            Self::Soak => "soak",
            Self::Freeze => "freeze",
            Self::Hours => "hours",
            Self::Rehearsal => "rehearsal",
            Self::Backup => "backup",
            Self::Approval => "approval",
            Self::Reverted => "reverted",
            Self::Premise => "premise",
        }
    }

    /// The gate of a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        let mut all = GATES.iter().map(|(gate, _)| *gate);
        all.find(|gate| gate.as_str() == word)
    }

    /// The gates that a person can accept not to be met.
    pub fn waivable() -> impl Iterator<Item = Self> {
        let all = GATES.iter().map(|(gate, _)| *gate);
        all.filter(|gate| gate.is_waivable())
    }

    /// Whether a person can accept that it is not met: it is about one migration, and about what is to be
    /// answered for, not about what is not known or cannot run.
    #[must_use]
    pub const fn is_waivable(self) -> bool {
        match self {
            Self::Missing
            | Self::Modified
            | Self::Order
            | Self::Promotion
            | Self::DataLoss
            | Self::Lint
            | Self::Hold
            | Self::Soak
            | Self::Rehearsal => true,
            Self::Identity
            | Self::Chain
            | Self::Unknown
            | Self::Failed
            | Self::Debt
            | Self::Script
            | Self::Baseline
            | Self::Prisma
            | Self::Freeze
            | Self::Hours
            | Self::Backup
            | Self::Approval
            | Self::Reverted
            | Self::Premise => false,
        }
    }

    /// Whether it only warns in the first environment of several: there, people switch branches,
    /// edit and merge.
    #[must_use]
    pub const fn warns_in_first(self) -> bool {
        matches!(self, Self::Missing | Self::Modified | Self::Order)
    }

    /// Whether it asks for something that `promote` does by itself: it is asked of what is to be applied
    /// for good, and not of a rehearsal.
    #[must_use]
    pub const fn is_met_by_promote(self) -> bool {
        matches!(self, Self::Rehearsal | Self::Backup)
    }

    /// Whether glass can be broken past it: it asks for proof, for time, for a look or for a word, which can be caught up
    /// with. What says whose target it is, what stands in it and whether it can be put back is asked all the
    /// more when somebody is in a hurry, and so is what a script destroys: no later run brings it back.
    #[must_use]
    pub const fn is_skipped_by_glass(self) -> bool {
        match self {
            Self::Promotion
            | Self::Lint
            | Self::Hold
            | Self::Soak
            | Self::Freeze
            | Self::Hours
            | Self::Rehearsal
            | Self::Approval
            | Self::Debt => true,
            Self::Identity
            | Self::Chain
            | Self::Unknown
            | Self::Failed
            | Self::Missing
            | Self::Modified
            | Self::Order
            | Self::Script
            | Self::DataLoss
            | Self::Baseline
            | Self::Prisma
            | Self::Premise
            | Self::Backup
            | Self::Reverted => false,
        }
    }

    /// Whether its findings are about single steps, so that the steps before them could go.
    #[must_use]
    pub const fn is_about_steps(self) -> bool {
        matches!(
            self,
            Self::Order
                | Self::Promotion
                | Self::Script
                | Self::DataLoss
                | Self::Prisma
                | Self::Lint
                | Self::Hold
                | Self::Soak
                | Self::Rehearsal
        )
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What Prisma's table says beyond the receipts, as far as it is a gate's.
fn claims(world: &World<'_>, gate: Gate) -> impl Iterator<Item = Finding> {
    let inputs = world.inputs;
    let claims = inputs.live.map_or(&[][..], |live| &live.claims);
    claims
        .iter()
        .filter_map(move |claim| history::finding(inputs.environment, inputs.files, claim))
        .filter(move |finding| finding.gate == gate)
}

/// What is worth saying and refuses nothing, whatever the environment.
pub(crate) fn advice(world: &World<'_>) -> Vec<Finding> {
    let mut advice = failed::advice(world);
    advice.extend(debt::advice(world));
    advice.extend(order::advice(world));
    advice.extend(script::advice(world));
    advice.extend(promotion::advice(world));
    advice.extend(baseline::advice(world));
    advice.extend(prisma::advice(world));
    advice.extend(backup::advice(world));
    advice.extend(approval::advice(world));
    advice.extend(reverted::advice(world));
    advice
}

/// How to accept a refusal.
fn waive(environment: &EnvironmentName, gate: Gate, migration: &MigrationId) -> String {
    let name = shell(migration.as_str());
    format!("tollgate waive {environment} {gate} {name} --reason '<why>'")
}

/// Quotes a word for a POSIX shell where it needs it.
pub(crate) fn shell(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+=,".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// How to get back the bytes that ran in an environment, by a command that works: from the ledger
/// where it keeps them, else from git's history. The environment is named where other bytes ran in
/// another one, because the command does not guess between them.
fn restore(
    world: &World<'_>,
    name: &EnvironmentName,
    migration: &MigrationId,
    ran: &Success,
) -> String {
    match ran.checksum {
        Some(checksum) => restore_bytes(world, name, migration, checksum),
        None => from_git(migration),
    }
}

/// The same for bytes that only began to run.
fn restore_bytes(
    world: &World<'_>,
    name: &EnvironmentName,
    migration: &MigrationId,
    checksum: Checksum,
) -> String {
    if world.inputs.kept.contains(&checksum) {
        let mut everywhere = world.inputs.view.environments();
        let other_bytes = everywhere.any(|(_, there)| {
            let bytes = there.bytes_of(migration);
            bytes.is_some_and(|other| other != checksum)
        });
        let only = if other_bytes {
            format!(" --environment {name}")
        } else {
            String::new()
        };
        format!("tollgate log restore {}{only}", shell(migration.as_str()))
    } else {
        from_git(migration)
    }
}

/// How to find the bytes that a migration once had, where only git may have them.
pub(crate) fn from_git(migration: &MigrationId) -> String {
    let path = format!("*/{migration}/migration.sql");
    format!(
        "git log --all --stat -- {}   # then git checkout <commit> -- <path>",
        shell(&path)
    )
}
