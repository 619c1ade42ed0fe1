//! The gates: one file each. [`GATES`] reads as the policy.

pub(crate) mod chain;
mod failed;
pub mod identity;
mod missing;
mod modified;
mod order;
mod promotion;
pub(crate) mod reset;
mod script;
mod unknown;

use std::fmt;

pub(crate) use failed::{remedy as resolve, standing};

use super::{Finding, World};
use crate::digest::Checksum;
use crate::ledger::view::Success;
use crate::model::{EnvironmentName, MigrationId};

/// What a gate finds in a world: nothing where it is met.
type Check = fn(&World<'_>) -> Vec<Finding>;

/// Every gate that is always on, in the order in which they are asked and shown.
pub(crate) const GATES: &[(Gate, Check)] = &[
    (Gate::Identity, identity::check),
    (Gate::Chain, chain::check),
    (Gate::Unknown, unknown::check),
    (Gate::Failed, failed::check),
    (Gate::Missing, missing::check),
    (Gate::Modified, modified::check),
    (Gate::Order, order::check),
    (Gate::Promotion, promotion::check),
    (Gate::Script, script::check),
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
    /// A target with tables that no receipt explains. Only ever a warning.
    Baseline,
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
            Self::Missing => "missing",
            Self::Modified => "modified",
            Self::Order => "order",
            Self::Promotion => "promotion",
            Self::Script => "script",
            Self::Baseline => "baseline",
        }
    }

    /// Whether it only warns in the first environment of several: there, people switch branches,
    /// edit and merge.
    #[must_use]
    pub const fn warns_in_first(self) -> bool {
        matches!(self, Self::Missing | Self::Modified | Self::Order)
    }

    /// Whether its findings are about single steps, so that the steps before them could go.
    #[must_use]
    pub const fn is_about_steps(self) -> bool {
        matches!(self, Self::Order | Self::Promotion | Self::Script)
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is worth saying and refuses nothing, whatever the environment.
pub(crate) fn advice(world: &World<'_>) -> Vec<Finding> {
    let mut advice = failed::advice(world);
    advice.extend(script::advice(world));
    advice.extend(promotion::advice(world));
    if world
        .inputs
        .live
        .is_some_and(|live| live.has_history_elsewhere)
    {
        advice.push(Finding {
            gate: Gate::Baseline,
            migration: None,
            fact: "the target has tables, and tollgate never entered it before".to_owned(),
            found: vec!["tables without a receipt".to_owned()],
            required: "an empty target; to take in a history that it already has is `baseline`, which a later version brings"
                .to_owned(),
            remedy: format!(
                "tollgate apply {} --dry-run   # go on only if no migration made these tables",
                world.inputs.environment
            ),
        });
    }
    advice
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
    restore_bytes(world, name, migration, ran.checksum)
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
        let path = format!("*/{migration}/migration.sql");
        format!(
            "git log --all --stat -- {}   # then git checkout <commit> -- <path>",
            shell(&path)
        )
    }
}
