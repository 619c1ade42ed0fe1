//! The matrix of migrations by environments: `status`, and the end of `promote`.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Paint, glass, padded, waiver_json, width};
use crate::digest::{Checksum, Sha256};
use crate::ledger::view::{EnvironmentView, OpenedDebt, View};
use crate::model::{
    Debt, EnvironmentName, Kind, MigrationId, Origin, Policy, ReceiptKind, Release, Timestamp,
    Waiver,
};
use crate::planner::FileFacts;
use crate::planner::revert::Links;

/// What a migration is in an environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// On disk, and no receipt.
    Pending,
    /// A receipt for the bytes on disk.
    Applied,
    /// The newest attempt failed.
    Failed,
    /// An attempt's end is not known.
    Unknown,
    /// A receipt for other bytes than those on disk.
    Modified,
    /// A receipt, and no folder on disk.
    Missing,
    /// It stood there before tollgate came, and nothing proves its bytes.
    Baselined,
    /// It was applied, and a later migration that is applied too reversed it.
    Reverted,
}

impl State {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Modified => "modified",
            Self::Missing => "missing",
            Self::Baselined => "baselined",
            Self::Reverted => "reverted",
        }
    }
}

/// The matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matrix {
    /// The environments, in the order of the chain.
    pub environments: Vec<EnvironmentName>,
    /// The migrations, by id.
    pub rows: Vec<Row>,
    /// What each environment is, beside them.
    pub kinds: Vec<Kind>,
    /// Whether each environment stands outside the chain, beside them.
    pub outside: Vec<bool>,
    /// Environments that this ledger never looked at, where it looked at another: what they have counts as
    /// pending until a contact tells.
    pub not_looked_at: Vec<EnvironmentName>,
    /// The debts of each environment, beside them: open and paid.
    pub debts: Vec<Vec<OpenedDebt>>,
    /// When it was looked.
    pub now: Timestamp,
}

/// One migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub migration: MigrationId,
    /// Of the bytes on disk; `None` where its folder is gone.
    pub checksum: Option<Checksum>,
    /// One for each environment; `None` where it never was and, without a folder, cannot come.
    pub cells: Vec<Option<Cell>>,
}

/// One migration in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// What it is there.
    pub state: State,
    /// The migration that reversed it there.
    pub reverted_by: Option<MigrationId>,
    /// Of the bytes that ran there.
    pub checksum: Option<Checksum>,
    /// When it got there, or failed.
    pub at: Option<Timestamp>,
    /// Who did it.
    pub by: Option<String>,
    /// The other tool that ran it, where one did: `prisma`.
    pub origin: Option<&'static str>,
    /// Whether it counts as applied on a person's word alone (`resolve --applied`).
    pub by_word: bool,
    /// Whose success it is that counts as evidence, where it was not in the database that this ledger
    /// has there: a colleague's own, or one that is gone.
    pub proven_by: Option<String>,
    /// The gates that were waived for it.
    pub waivers: Vec<Waiver>,
    /// The saved plan that it ran under.
    pub release: Option<Release>,
    /// What it owed when it came through broken glass.
    pub debt: Option<Debt>,
    /// Whether that is still owed.
    pub is_owed: bool,
}

impl Cell {
    /// What is shown in its place.
    fn word(&self) -> String {
        match self.is_owed {
            true => format!("{} (debt)", self.state.as_str()),
            false => self.state.as_str().to_owned(),
        }
    }
}

/// Builds the matrix from what is on disk and what the ledger knows.
#[must_use]
pub fn build(policy: &Policy, files: &[FileFacts<'_>], view: &View, now: Timestamp) -> Matrix {
    let environments: Vec<EnvironmentName> = policy.names().cloned().collect();
    let links = Links::read(files, view);
    let nothing = EnvironmentView::default();
    let views: Vec<&EnvironmentView> = environments
        .iter()
        .map(|name| view.get(name).unwrap_or(&nothing))
        .collect();
    let kinds: Vec<Kind> = policy.names().map(|name| policy.kind(name)).collect();
    let outside = policy.names().map(|name| policy.is_outside(name)).collect();
    let on_disk = files.iter().map(|file| file.migration);
    let known = views.iter().flat_map(|view| {
        let open = view.open.values().map(|open| &open.intent.migration);
        let partial = view
            .partial
            .values()
            .map(|failed| &failed.attempted.intent.migration);
        let standing = view.standing.keys();
        view.applied
            .keys()
            .chain(open)
            .chain(partial)
            .chain(standing)
    });
    let ids: BTreeSet<&MigrationId> = on_disk.chain(known).collect();
    let row = |id: &MigrationId| {
        let file = files
            .binary_search_by(|file| file.migration.cmp(id))
            .ok()
            .and_then(|place| files.get(place));
        let checksum = file.map(|file| file.checksum);
        let bytes = file.map(|file| (file.checksum, file.sha256));
        Row {
            migration: id.clone(),
            checksum,
            cells: kinds
                .iter()
                .zip(&views)
                .map(|(kind, view)| {
                    elsewhere(cell(view, id, bytes, &links), *kind, view, id, checksum)
                })
                .collect(),
        }
    };
    let is_bound = |view: &&EnvironmentView| view.target.is_some();
    let looked = views.iter().any(is_bound);
    // Everybody's own, and what comes and goes, need not be looked at from here.
    let not_looked_at = environments
        .iter()
        .zip(&views)
        .zip(&kinds)
        .filter(|((_, view), kind)| looked && !is_bound(view) && **kind == Kind::Ordinary)
        .map(|((name, _), _)| name.clone())
        .collect();
    let debts: Vec<Vec<OpenedDebt>> = environments.iter().map(|name| view.debts(name)).collect();
    let mut rows: Vec<Row> = ids.into_iter().map(row).collect();
    for row in &mut rows {
        for (cell, debts) in row.cells.iter_mut().zip(&debts) {
            if let Some(cell) = cell {
                let mut open = debts.iter().filter(|debt| debt.is_open());
                cell.is_owed = open.any(|debt| {
                    let mut runs = debt.runs.iter();
                    runs.any(|run| {
                        run.migration == row.migration && cell.checksum == Some(run.checksum)
                    })
                });
            }
        }
    }
    Matrix {
        rows,
        debts,
        now,
        not_looked_at,
        environments,
        kinds,
        outside,
    }
}

/// What is pending in the database that this ledger has there may have succeeded in another one. Where it
/// has none of its own, or each is a new one, that is what there is to show.
fn elsewhere(
    cell: Option<Cell>,
    kind: Kind,
    view: &EnvironmentView,
    id: &MigrationId,
    checksum: Option<Checksum>,
) -> Option<Cell> {
    let pending = cell
        .as_ref()
        .is_some_and(|cell| cell.state == State::Pending);
    let proof = checksum.and_then(|checksum| view.evidence_of(id, checksum));
    let Some(proof) = proof.filter(|_| pending && kind != Kind::Ordinary) else {
        return cell;
    };
    let own = kind == Kind::Personal && view.target.is_some();
    Some(Cell {
        state: if own { State::Pending } else { State::Applied },
        checksum: (!own).then_some(proof.checksum).flatten(),
        at: (!own).then_some(proof.at),
        by: (!own).then(|| proof.by.0.clone()),
        origin: None,
        by_word: false,
        proven_by: Some(proof.by.0.clone()),
        reverted_by: None,
        waivers: proof.waivers.clone(),
        release: None,
        debt: None,
        is_owed: false,
    })
}

fn cell(
    view: &EnvironmentView,
    id: &MigrationId,
    file: Option<(Checksum, Sha256)>,
    links: &Links,
) -> Option<Cell> {
    if let Some(open) = view.open.values().find(|open| open.intent.migration == *id) {
        return Some(Cell {
            state: State::Unknown,
            checksum: Some(open.intent.blake3),
            at: Some(open.at),
            by: Some(open.by.0.clone()),
            origin: None,
            by_word: false,
            proven_by: None,
            reverted_by: None,
            waivers: Vec::new(),
            release: None,
            debt: None,
            is_owed: false,
        });
    }
    if let Some(ran) = view.applied.get(id) {
        let reverted = links.reversed_in(id, view);
        let state = match file {
            None if ran.checksum.is_none() => State::Baselined,
            None => State::Missing,
            Some((checksum, sha256)) if ran.has_other_bytes(checksum, sha256) => State::Modified,
            Some(_) if reverted.is_some() => State::Reverted,
            Some(_) if ran.kind == ReceiptKind::Baselined => State::Baselined,
            Some(_) => State::Applied,
        };
        return Some(Cell {
            state,
            checksum: ran.checksum,
            at: Some(ran.at),
            by: Some(ran.by.0.clone()),
            origin: matches!(ran.origin, Origin::Prisma { .. }).then_some("prisma"),
            by_word: ran.kind == ReceiptKind::Resolved,
            proven_by: None,
            reverted_by: reverted.cloned(),
            waivers: ran.waivers.clone(),
            release: ran.release.clone(),
            debt: ran.debts.first().cloned(),
            is_owed: false,
        });
    }
    let partial = view
        .partial
        .values()
        .find(|failed| failed.attempted.intent.migration == *id);
    if let Some(failed) = partial.or_else(|| view.failed.get(id)) {
        return Some(Cell {
            state: State::Failed,
            checksum: Some(failed.attempted.intent.blake3),
            at: Some(failed.at),
            by: Some(failed.attempted.by.0.clone()),
            origin: None,
            by_word: false,
            proven_by: None,
            reverted_by: None,
            waivers: Vec::new(),
            release: None,
            debt: None,
            is_owed: false,
        });
    }
    if let Some(standing) = view.standing.get(id) {
        return Some(Cell {
            state: State::Failed,
            checksum: Some(standing.script),
            at: Some(standing.at),
            by: None,
            origin: None,
            by_word: false,
            proven_by: None,
            reverted_by: None,
            waivers: Vec::new(),
            release: None,
            debt: None,
            is_owed: false,
        });
    }
    // Without a folder there is nothing to apply, and nothing was applied here.
    file.map(|_| Cell {
        state: State::Pending,
        checksum: None,
        at: None,
        by: None,
        origin: None,
        by_word: false,
        proven_by: None,
        reverted_by: None,
        waivers: Vec::new(),
        release: None,
        debt: None,
        is_owed: false,
    })
}

/// The matrix for people, ending in a line feed.
#[must_use]
pub fn text(matrix: &Matrix, paint: Paint) -> String {
    if matrix.rows.is_empty() {
        return "no migrations\n".to_owned();
    }
    let names: Vec<String> = matrix
        .rows
        .iter()
        .map(|row| row.migration.to_string())
        .collect();
    let first = names
        .iter()
        .map(|name| width(name))
        .max()
        .unwrap_or(0)
        .max("migration".len());
    let columns: Vec<usize> = matrix
        .environments
        .iter()
        .enumerate()
        .map(|(place, name)| {
            let cells = matrix
                .rows
                .iter()
                .filter_map(|row| row.cells.get(place)?.as_ref());
            let longest = cells.map(|cell| cell.word().len()).max();
            width(name.as_str())
                .max("modified".len())
                .max(longest.unwrap_or(0))
        })
        .collect();

    let mut header = padded("migration", first);
    for (name, columns) in matrix.environments.iter().zip(&columns) {
        header.push_str("  ");
        header.push_str(&padded(name.as_str(), *columns));
    }
    let mut out = format!("{}\n", paint.bold(header.trim_end()));
    for (row, name) in matrix.rows.iter().zip(&names) {
        let mut line = padded(name, first);
        for (place, (cell, columns)) in row.cells.iter().zip(&columns).enumerate() {
            let word = cell.as_ref().map_or_else(|| "-".to_owned(), Cell::word);
            let word = if place + 1 == row.cells.len() {
                word
            } else {
                padded(&word, *columns)
            };
            line.push_str("  ");
            line.push_str(&match cell.as_ref().map(|cell| cell.state) {
                Some(_) if cell.as_ref().is_some_and(|cell| cell.is_owed) => paint.warn(&word),
                Some(State::Applied) => paint.good(&word),
                Some(State::Pending | State::Reverted) | None => paint.dim(&word),
                Some(State::Failed | State::Unknown) => paint.bad(&word),
                Some(State::Modified | State::Missing | State::Baselined) => paint.warn(&word),
            });
        }
        out.push_str(&line);
        out.push('\n');
    }
    out.push_str(&footer(matrix));
    out
}

/// What the words of the matrix do not tell: who ran what counts as applied, and what was never looked at.
fn footer(matrix: &Matrix) -> String {
    let told = |counts: &dyn Fn(&Cell) -> bool| -> Option<String> {
        let of = |place: usize| {
            let cells = matrix.rows.iter().filter_map(|row| row.cells.get(place));
            cells.flatten().filter(|cell| counts(cell)).count()
        };
        let told: Vec<String> = (0..)
            .zip(&matrix.environments)
            .filter(|(place, _)| of(*place) > 0)
            .map(|(place, name)| format!("{} in {name}", of(place)))
            .collect();
        (!told.is_empty()).then(|| told.join(", "))
    };
    let mut lines = Vec::new();
    let by_prisma = |cell: &Cell| cell.origin.is_some() && cell.state != State::Baselined;
    lines.extend(told(&by_prisma).map(|told| format!("applied by Prisma: {told}")));
    let by_word = |cell: &Cell| cell.by_word;
    lines.extend(
        told(&by_word).map(|told| format!("applied on a person's word, no evidence: {told}")),
    );
    let baselined = |cell: &Cell| cell.state == State::Baselined;
    lines.extend(
        told(&baselined).map(|told| format!("baselined, there without proof of its bytes: {told}")),
    );
    lines.extend(waived(matrix));
    for (name, debts) in matrix.environments.iter().zip(&matrix.debts) {
        lines.extend(
            debts
                .iter()
                // What was paid is in the log and in the report for ever.
                .filter(|debt| debt.is_open())
                .flat_map(|debt| glass::lines(name, debt, matrix.now)),
        );
    }
    lines.extend(others(matrix));
    for (name, _) in matrix
        .environments
        .iter()
        .zip(&matrix.outside)
        .filter(|(_, outside)| **outside)
    {
        lines.push(format!("{name}: outside the chain, never evidence"));
    }
    for name in &matrix.not_looked_at {
        lines.push(format!(
            "{name}: this ledger knows no target there; tollgate sync {name}"
        ));
    }
    if lines.is_empty() {
        return String::new();
    }
    format!("\n{}\n", lines.join("\n"))
}

/// The successes that stand on waivers, by environment: whatever else is shown of them, this is too.
fn waived(matrix: &Matrix) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, name) in matrix.environments.iter().enumerate() {
        for row in &matrix.rows {
            let cell = row.cells.get(place).and_then(Option::as_ref);
            let waivers = cell.map_or(&[][..], |cell| &cell.waivers);
            lines.extend(waivers.iter().map(|waiver| {
                let about = match waiver.migration == row.migration {
                    true => String::new(),
                    false => format!(" of {}", waiver.migration),
                };
                format!(
                    "{name}: {} with {}{about} waived by {}: {}",
                    row.migration,
                    waiver.gate,
                    waiver.actor,
                    waiver.why()
                )
            }));
        }
    }
    lines
}

/// Whose successes count where not everybody has the same database.
fn others(matrix: &Matrix) -> Vec<String> {
    let mut lines = Vec::new();
    for (place, name) in matrix.environments.iter().enumerate() {
        let cells = matrix.rows.iter().filter_map(|row| row.cells.get(place));
        let whose: Vec<&str> = cells
            .flatten()
            .filter_map(|cell| cell.proven_by.as_deref())
            .collect();
        if whose.is_empty() {
            continue;
        }
        let people: BTreeSet<&str> = whose.iter().copied().collect();
        let people: Vec<&str> = people.into_iter().collect();
        let place = match matrix.kinds.get(place) {
            Some(Kind::Ephemeral) => "in earlier databases",
            _ => "in others' databases",
        };
        lines.push(format!(
            "{name}: {} proven {place}, by {}",
            whose.len(),
            people.join(", ")
        ));
    }
    lines
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    environments: &'a [EnvironmentName],
    kinds: serde_json::Map<String, serde_json::Value>,
    migrations: Vec<JsonRow<'a>>,
    not_looked_at: &'a [EnvironmentName],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    debts: Vec<serde_json::Value>,
}

#[derive(Serialize)]
struct JsonRow<'a> {
    migration: &'a MigrationId,
    checksum: Option<Checksum>,
    environments: serde_json::Map<String, serde_json::Value>,
}

/// The matrix as `tollgate/status/v1`.
#[must_use]
pub fn json(matrix: &Matrix) -> serde_json::Value {
    let cell = |cell: &Cell| {
        let mut document = serde_json::json!({
            "state": cell.state.as_str(),
            "checksum": cell.checksum,
            "at": cell.at,
            "by": cell.by,
            "origin": cell.origin,
            "by_word": cell.by_word,
            "proven_by": cell.proven_by,
            "waived": cell.waivers.iter().map(waiver_json).collect::<Vec<_>>(),
        });
        if let Some(release) = &cell.release {
            document["release"] = serde_json::json!(release);
        }
        if let Some(rollback) = &cell.reverted_by {
            document["reverted_by"] = serde_json::json!(rollback);
        }
        if let Some(debt) = &cell.debt {
            document["broken_glass"] = glass::of_success(debt, cell.is_owed);
        }
        document
    };
    let migrations = matrix.rows.iter().map(|row| JsonRow {
        migration: &row.migration,
        checksum: row.checksum,
        environments: matrix
            .environments
            .iter()
            .zip(&row.cells)
            .filter_map(|(name, state)| Some((name.to_string(), cell(state.as_ref()?))))
            .collect(),
    });
    let document = Document {
        schema: "tollgate/status/v1",
        environments: &matrix.environments,
        kinds: matrix
            .environments
            .iter()
            .zip(matrix.kinds.iter().zip(&matrix.outside))
            .filter_map(|(name, kind)| {
                let word = match kind {
                    (_, true) => "preview",
                    (Kind::Personal, _) => "personal",
                    (Kind::Ephemeral, _) => "ephemeral",
                    (Kind::Ordinary, _) => return None,
                };
                Some((name.to_string(), word.into()))
            })
            .collect(),
        migrations: migrations.collect(),
        not_looked_at: &matrix.not_looked_at,
        debts: matrix
            .environments
            .iter()
            .zip(&matrix.debts)
            .flat_map(|(name, debts)| {
                let one = move |debt| glass::debt_json(name, debt, matrix.now);
                debts.iter().map(one)
            })
            .collect(),
    };
    serde_json::json!(document)
}
