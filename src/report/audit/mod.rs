//! The report an auditor accepts: one model, built from the entries of the ledger alone, and each file a
//! function from it to bytes. The same entries, scope and options give the same bytes.
//!
//! The population is made, not picked: a row for each attempt, and for each migration of each refusal, that
//! the entries tell of. What is not in the ledger is said to be missing, in the place where it belongs.

mod change;
mod complete;
mod controls;
mod csv;
mod destroys;
mod duties;
mod entries;
mod files;
mod html;
mod markdown;
mod page;
mod policy;
mod population;
mod said;
mod scope;
mod summary;
mod verdict;
mod verify;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::matrix;
use crate::digest::{ChainHash, Checksum, Sha256};
use crate::ledger::View;
use crate::ledger::assemble::Strays;
use crate::ledger::view::OpenedDebt;
use crate::model::entry::Engine;
use crate::model::{Entry, Environment, EnvironmentName, MigrationId, Policy, Timestamp};
use crate::planner::FileFacts;

pub use change::{Change, Version};
pub use complete::{Completeness, Integrity, TargetTold, WriterTold};
pub use controls::Control;
pub use duties::Duties;
pub use entries::EntryTold;
pub use files::{NAMES, Part, each_file};
pub use html::html;
pub use markdown::markdown;
pub use policy::PolicyChange;
pub use population::Row;
pub use scope::Scope;
pub use summary::text;
pub use verdict::{Chain, Drift, Glass, Verdicts};

/// The name and version of the document.
pub const SCHEMA: &str = "tollgate/report/v1";

/// The JSON Schema of the document, as it is shipped.
pub const JSON_SCHEMA: &str = include_str!("report.schema.json");

/// What is said where the ledger holds nothing.
pub const MISSING: &str = "MISSING";

/// What git knows of a migration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// The authors of the commits that touched it.
    pub authors: BTreeSet<String>,
    /// The commit that brought it, and what its message says.
    pub first: Option<(String, String)>,
}

/// What a report is built from.
pub struct Inputs<'a> {
    /// The entries that count, in their order.
    pub entries: &'a [(ChainHash, Entry)],
    /// What the ledger holds and does not simply count.
    pub strays: &'a Strays,
    /// The texts of the scripts that the ledger keeps.
    pub scripts: &'a BTreeMap<Checksum, String>,
    /// What the configuration says of the environments.
    pub policy: &'a Policy,
    /// What git knows of each migration, and the commit at which it was asked; `None` where it was not.
    pub git: Option<(&'a str, &'a BTreeMap<String, Written>)>,
    /// Which part is asked for.
    pub scope: &'a Scope,
    /// The tool and its version.
    pub tool: &'a str,
    /// Whether a text holds something that must never be shown.
    pub is_secret: &'a dyn Fn(&str) -> bool,
}

/// The report.
#[derive(Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: &'static str,
    /// What made it.
    pub tool: String,
    /// What it covers.
    pub scope: ScopeTold,
    /// The environments: the chain in its order, then the others.
    pub environments: Vec<EnvironmentTold>,
    /// The counts that matter.
    pub verdicts: Verdicts,
    /// What was asked of the environments, and changed.
    pub policy_changes: Vec<PolicyChange>,
    /// Entries against receipts.
    pub completeness: Completeness,
    /// Heads, writers, anchors.
    pub integrity: Integrity,
    /// What nobody may conclude from it.
    pub does_not_prove: Vec<String>,
    /// The population.
    pub population: Vec<Row>,
    /// Migrations by environments, as of the instant of the report.
    pub matrix: MatrixTold,
    /// The migrations of the population, each with what is known of it.
    pub changes: Vec<Change>,
    /// Where each control finds its evidence.
    pub controls: Vec<Control>,
    /// Every entry in scope, by its hash.
    pub entries: Vec<EntryTold>,
}

impl Report {
    /// Whether an environment's database has a clock of its own: SQLite's is the process's.
    fn has_own_clock(&self, environment: &EnvironmentName) -> bool {
        let told = self.environments.iter().find(|it| it.name == *environment);
        told.and_then(|it| it.targets.last())
            .is_some_and(|target| target.engine == Engine::Postgresql)
    }
}

/// What the report covers.
#[derive(Debug, Serialize)]
pub struct ScopeTold {
    /// What was known then.
    pub as_of: Timestamp,
    /// Rows from this instant on.
    pub from: Option<Timestamp>,
    /// Rows before this instant.
    pub to: Option<Timestamp>,
    /// Rows of these environments; of all where it is empty.
    pub environments: Vec<EnvironmentName>,
    /// Whether names of machines and addresses of CI runs are shown.
    pub with_hosts: bool,
    /// Whether what databases said in errors is shown.
    pub with_errors: bool,
    /// The commit at which git was asked for authors and reasons; `None` where it was not.
    pub authors_at: Option<String>,
}

/// One environment.
#[derive(Debug, Serialize)]
pub struct EnvironmentTold {
    /// Its name.
    pub name: EnvironmentName,
    /// Its place in the chain, from 1; `None` outside it.
    pub place: Option<usize>,
    /// Every target that it was bound to, the oldest first.
    pub targets: Vec<Identity>,
}

/// A target that an environment was bound to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Identity {
    /// When the ledger bound it.
    pub bound: Timestamp,
    /// Drawn when the target was first entered.
    pub incarnation: String,
    /// `postgresql` or `sqlite`.
    pub engine: Engine,
    /// The database's name, or the file's.
    pub name: String,
    /// PostgreSQL: the cluster's system identifier.
    pub system: Option<String>,
    /// PostgreSQL: the database's oid.
    pub database: Option<u32>,
}

/// The matrix.
#[derive(Debug, Serialize)]
pub struct MatrixTold {
    /// The columns.
    pub environments: Vec<EnvironmentName>,
    /// The rows.
    pub rows: Vec<MatrixRow>,
}

/// One migration of the matrix.
#[derive(Debug, Serialize)]
pub struct MatrixRow {
    /// Which.
    pub migration: MigrationId,
    /// One for each column; `None` where nothing of it is known there.
    pub cells: Vec<Option<MatrixCell>>,
}

/// One migration in one environment.
#[derive(Debug, Serialize)]
pub struct MatrixCell {
    /// What it is there.
    pub state: &'static str,
    /// When.
    pub at: Option<Timestamp>,
    /// Who.
    pub by: Option<String>,
    /// Whether it came through broken glass and is not paid for.
    pub owed: bool,
}

/// Everything that the parts of the report are made of.
struct Known<'a> {
    inputs: &'a Inputs<'a>,
    /// The entries up to the instant.
    entries: Vec<&'a (ChainHash, Entry)>,
    /// How many are later.
    later: usize,
    view: View,
    /// The chain, in its order.
    chain: Vec<EnvironmentName>,
    environments: Vec<EnvironmentTold>,
    /// What was opened through broken glass, environment by environment.
    debts: Vec<(EnvironmentName, OpenedDebt)>,
}

impl Known<'_> {
    /// The last environment of the chain.
    fn production(&self) -> Option<&EnvironmentName> {
        self.chain.last()
    }

    /// The kind of database that the scripts ran on.
    fn engine(&self) -> Engine {
        let targets = self.environments.iter().flat_map(|it| &it.targets);
        targets
            .last()
            .map_or(Engine::Sqlite, |target| target.engine)
    }
}

/// Builds the report.
#[must_use]
pub fn build(inputs: &Inputs<'_>) -> Report {
    let known = scope::know(inputs);
    let destroys = destroys::destroys(&known);
    let (verdicts, population) = verdict::judge(&known, population::rows(&known));
    let changes = change::changes(&known, &population, destroys);
    let (completeness, integrity) = complete::complete(&known, &population);
    let matrix = matrix_of(&known, &population);
    let controls = controls::controls(&known, &verdicts, &population, &changes);
    let entries = entries::entries(&known);
    let scope = inputs.scope;
    Report {
        schema: SCHEMA,
        tool: inputs.tool.to_owned(),
        scope: ScopeTold {
            as_of: scope.as_of,
            from: scope.from,
            to: scope.to,
            environments: scope.environments.clone(),
            with_hosts: scope.with_hosts,
            with_errors: scope.with_errors,
            authors_at: inputs.git.map(|(commit, _)| commit.to_owned()),
        },
        verdicts,
        policy_changes: policy::changes(&known),
        completeness,
        integrity,
        does_not_prove: complete::does_not_prove(),
        population,
        matrix,
        changes,
        controls,
        entries,
        environments: known.environments,
    }
}

/// The bytes that a migration is known by: those of the furthest environment where it ran or was tried.
fn newest_bytes(known: &Known<'_>) -> BTreeMap<MigrationId, (Checksum, Sha256)> {
    let mut out: BTreeMap<MigrationId, (bool, usize, Checksum, Sha256)> = BTreeMap::new();
    for (name, view) in known.view.environments() {
        let place = known.chain.iter().position(|it| it == name);
        let place = place.map_or(0, |place| place + 1);
        let applied = view
            .applied
            .iter()
            .filter_map(|(id, ran)| Some((id, true, ran.checksum?, ran.sha256?)));
        let open = view.open.values().map(|it| &it.intent);
        let failed = view.failed.values().map(|it| &it.attempted.intent);
        let partial = view.partial.values().map(|it| &it.attempted.intent);
        let tried = open.chain(failed).chain(partial);
        let tried = tried.map(|it| (&it.migration, false, it.blake3, it.sha256));
        for (id, ran, blake3, sha256) in applied.chain(tried) {
            let best = out
                .get(id)
                .is_some_and(|known| (known.0, known.1) >= (ran, place));
            if !best {
                out.insert(id.clone(), (ran, place, blake3, sha256));
            }
        }
    }
    let bytes = out.into_iter();
    bytes
        .map(|(id, (_, _, blake3, sha256))| (id, (blake3, sha256)))
        .collect()
}

fn matrix_of(known: &Known<'_>, population: &[Row]) -> MatrixTold {
    let bytes = newest_bytes(known);
    let asked: BTreeSet<&MigrationId> = population
        .iter()
        .filter_map(|row| row.migration.as_ref())
        .collect();
    let files: Vec<FileFacts<'_>> = bytes
        .iter()
        .map(|(migration, (checksum, sha256))| FileFacts {
            migration,
            checksum: *checksum,
            sha256: *sha256,
            script: known
                .inputs
                .scripts
                .get(checksum)
                .map_or("", String::as_str),
            down: None,
        })
        .collect();
    let environments = known.environments.iter().map(|it| Environment {
        name: it.name.clone(),
        kind: known.inputs.policy.kind(&it.name),
        outside: it.place.is_none(),
        require: Default::default(),
    });
    let policy = Policy {
        environments: environments.collect(),
    };
    let built = matrix::build(&policy, &files, &known.view, known.inputs.scope.as_of);
    let wanted = |name: &EnvironmentName| known.inputs.scope.has(name);
    let columns: Vec<bool> = built.environments.iter().map(wanted).collect();
    let cell = |cell: &matrix::Cell| MatrixCell {
        state: match cell.state {
            matrix::State::Modified => "other bytes",
            matrix::State::Pending => "not there",
            state => state.as_str(),
        },
        at: cell.at,
        by: cell.by.clone(),
        owed: cell.is_owed,
    };
    let rows = built
        .rows
        .iter()
        .filter(|row| asked.contains(&row.migration));
    let rows = rows.map(|row| MatrixRow {
        migration: row.migration.clone(),
        cells: row
            .cells
            .iter()
            .zip(&columns)
            .filter(|(_, wanted)| **wanted)
            .map(|(it, _)| it.as_ref().map(cell))
            .collect(),
    });
    let mut rows: Vec<MatrixRow> = rows.collect();
    // What was refused everywhere, or taken back by a person's word, stands nowhere.
    let known: BTreeSet<MigrationId> = rows.iter().map(|row| row.migration.clone()).collect();
    let nowhere = asked.into_iter().filter(|it| !known.contains(*it));
    rows.extend(nowhere.map(|migration| {
        let there = columns.iter().filter(|wanted| **wanted);
        MatrixRow {
            migration: migration.clone(),
            cells: there
                .map(|_| {
                    Some(MatrixCell {
                        state: "not there",
                        at: None,
                        by: None,
                        owed: false,
                    })
                })
                .collect(),
        }
    }));
    rows.sort_by(|a, b| a.migration.cmp(&b.migration));
    MatrixTold {
        rows,
        environments: built
            .environments
            .into_iter()
            .filter(|name| wanted(name))
            .collect(),
    }
}
