//! What the population comes to: chains of evidence, exceptions, debts, drift.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Known, Row};
use crate::digest::Checksum;
use crate::model::{EnvironmentName, Fact, Timestamp};

/// What a row's chain of evidence is: whether the same bytes had succeeded in every earlier environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Chain {
    /// `full`, `broken`, or `not-asked` where there is nothing to prove.
    pub state: &'static str,
    /// The earlier successes of the same bytes: `dev 2025-11-04 10:12 UTC`.
    pub proofs: Vec<String>,
    /// What is lacking, or was accepted, as clauses.
    pub exceptions: Vec<String>,
}

/// The counts of page one.
#[derive(Debug, Default, Serialize)]
pub struct Verdicts {
    /// The last environment of the chain; `None` where no chain is known.
    pub production: Option<EnvironmentName>,
    /// Changes that succeeded in production.
    pub production_changes: usize,
    /// Of these, those whose same bytes had succeeded in every earlier environment, with nothing accepted.
    pub full_chain: usize,
    /// The rows of the others.
    pub exceptions: Vec<usize>,
    /// Rows of attempts, whatever their end.
    pub attempts: usize,
    /// Attempts that succeeded, in any environment.
    pub succeeded: usize,
    /// Attempts that failed.
    pub failures: usize,
    /// Attempts whose end is not known.
    pub unknown: usize,
    /// Rows of refusals: one for each migration that was kept out.
    pub refusals: usize,
    /// The entries that these come from: times that a verb was refused.
    pub refused_runs: usize,
    /// The changes among them: what a gate says of the target alone is about none.
    pub kept_out: usize,
    /// Rows that stand on a waiver.
    pub waived: usize,
    /// Changes that reverse others, and undone ones, that succeeded.
    pub reverts: usize,
    /// Broken glass, as of the instant of the report.
    pub glass: Vec<Glass>,
    /// Incidents whose debt is open.
    pub glass_open: usize,
    /// Incidents whose review is late.
    pub glass_overdue: usize,
    /// The newest look at each environment's schema.
    pub drift: Vec<Drift>,
}

/// What was opened through broken glass.
#[derive(Debug, Serialize)]
pub struct Glass {
    /// Where.
    pub environment: EnvironmentName,
    /// The incident.
    pub incident: String,
    /// Why.
    pub reason: String,
    /// Who broke the glass.
    pub by: Vec<String>,
    /// Since when.
    pub at: Timestamp,
    /// Until when it has to be reviewed.
    pub review_by: Timestamp,
    /// `paid`, `open` or `overdue`.
    pub state: &'static str,
    /// The reviews: who, when, what was found.
    pub reviews: Vec<String>,
    /// The runs that are still owed: `migration in environment`.
    pub unpaid: Vec<String>,
    /// The migrations.
    pub migrations: Vec<String>,
}

/// A look at an environment's schema.
#[derive(Debug, Serialize)]
pub struct Drift {
    /// Where.
    pub environment: EnvironmentName,
    /// When; `None` where nobody looked.
    pub at: Option<Timestamp>,
    /// Objects that are not as the newest run left them; `None` where there was nothing to compare.
    pub differences: Option<u64>,
}

/// Says of each row what its chain of evidence is, takes what is asked for, and counts.
pub(super) fn judge(known: &Known<'_>, mut rows: Vec<Row>) -> (Verdicts, Vec<Row>) {
    let proven = proven(&rows);
    for row in &mut rows {
        row.chain = chain(known, &proven, row);
        // What is an exception is said once.
        let exceptions = &row.chain.exceptions;
        row.notes.retain(|note| !exceptions.contains(note));
    }
    let scope = known.inputs.scope;
    rows.retain(|row| scope.has(&row.environment) && scope.covers(row.at));
    (verdicts(known, &rows), rows)
}

type Proven = BTreeMap<(EnvironmentName, String, String), Timestamp>;

/// When each script first succeeded in each environment.
fn proven(rows: &[Row]) -> Proven {
    let mut out = Proven::new();
    for row in rows.iter().filter(|row| row.evidence == Some(true)) {
        let (Some(migration), Some(blake3)) = (&row.migration, &row.blake3) else {
            continue;
        };
        let at = row.ended.unwrap_or(row.at);
        let key = (
            row.environment.clone(),
            migration.to_string(),
            blake3.clone(),
        );
        let first = out.entry(key).or_insert(at);
        *first = (*first).min(at);
    }
    out
}

fn chain(known: &Known<'_>, proven: &Proven, row: &Row) -> Chain {
    let place = known.chain.iter().position(|it| *it == row.environment);
    let (Some(place), Some(migration), "succeeded", "apply" | "taken-in") =
        (place, &row.migration, row.outcome, row.action.as_str())
    else {
        return Chain {
            state: "not-asked",
            ..Chain::default()
        };
    };
    let mut chain = Chain {
        state: "full",
        ..Chain::default()
    };
    for earlier in &known.chain[..place] {
        let key = row
            .blake3
            .as_ref()
            .map(|blake3| (earlier.clone(), migration.to_string(), blake3.clone()));
        let own = key.and_then(|key| proven.get(&key).copied());
        // A success that only a later receipt, or another ledger's, tells of.
        let at = own.or_else(|| {
            let checksum: Checksum = format!("blake3:{}", row.blake3.as_ref()?).parse().ok()?;
            let there = known.view.get(earlier)?;
            there
                .evidence_of(migration, checksum)
                .map(|success| success.at)
        });
        match at {
            Some(at) if at <= row.ended.unwrap_or(row.at) => {
                chain.proofs.push(format!("{earlier} {}", at.minute()));
            }
            Some(at) => chain.exceptions.push(format!(
                "the same bytes succeeded in {earlier} only later, {}",
                at.minute()
            )),
            None => chain
                .exceptions
                .push(format!("the same bytes have not succeeded in {earlier}")),
        }
    }
    match row.receipt_kind {
        Some("baselined") => chain
            .exceptions
            .push("it stood there before, and nothing proves its bytes".to_owned()),
        Some("resolved") => chain
            .exceptions
            .push("it counts as applied on a person's word".to_owned()),
        _ => {}
    }
    chain
        .exceptions
        .extend(row.waivers.iter().map(|waiver| format!("waiver: {waiver}")));
    if row.incident.is_some() {
        let mut notes = row.notes.iter();
        let told = notes.find(|note| note.starts_with("through broken glass"));
        chain.exceptions.extend(told.cloned());
    }
    if !chain.exceptions.is_empty() {
        chain.state = "broken";
    }
    chain
}

fn verdicts(known: &Known<'_>, rows: &[Row]) -> Verdicts {
    let scope = known.inputs.scope;
    let count = |counts: &dyn Fn(&Row) -> bool| rows.iter().filter(|row| counts(row)).count();
    let production = known.production().cloned();
    let is_change = |row: &Row| {
        Some(&row.environment) == production.as_ref()
            && row.outcome == "succeeded"
            && row.action != "undo"
    };
    let mut refused: Vec<&String> = rows
        .iter()
        .filter(|row| row.kind == "refusal")
        .flat_map(|row| &row.entries)
        .collect();
    refused.sort();
    refused.dedup();
    let reverses = |row: &Row| {
        let reverts = known.view.reverts();
        row.outcome == "succeeded"
            && (row.action == "undo"
                || row
                    .migration
                    .as_ref()
                    .is_some_and(|it| reverts.rollback(it).is_some()))
    };
    let glass = glass(known);
    let kept_out: BTreeSet<_> = rows
        .iter()
        .filter(|row| row.kind == "refusal")
        .filter_map(|row| row.migration.as_ref())
        .collect();
    let kept_out = kept_out.len();
    Verdicts {
        production_changes: count(&is_change),
        full_chain: count(&|row| is_change(row) && row.chain.state == "full"),
        exceptions: rows
            .iter()
            .filter(|row| is_change(row) && row.chain.state != "full")
            .map(|row| row.number)
            .collect(),
        attempts: count(&|row| row.kind == "attempt"),
        succeeded: count(&|row| row.outcome == "succeeded"),
        failures: count(&|row| row.outcome == "failed"),
        unknown: count(&|row| row.outcome == "unknown"),
        refusals: count(&|row| row.kind == "refusal"),
        refused_runs: refused.len(),
        kept_out,
        waived: count(&|row| !row.waivers.is_empty()),
        reverts: count(&reverses),
        glass_open: glass.iter().filter(|it| it.state != "paid").count(),
        glass_overdue: glass.iter().filter(|it| it.state == "overdue").count(),
        glass,
        drift: known
            .environments
            .iter()
            .filter(|it| scope.has(&it.name))
            .map(|it| drift(known, &it.name))
            .collect(),
        production,
    }
}

/// What was opened in the period, and what is open at its end, whenever it was opened.
fn glass(known: &Known<'_>) -> Vec<Glass> {
    let scope = known.inputs.scope;
    let mut out = Vec::new();
    {
        for (environment, debt) in &known.debts {
            let is_open = debt.is_open();
            if !scope.has(environment) || !(is_open || scope.covers(debt.at)) {
                continue;
            }
            let mut reviews: Vec<String> = debt
                .runs
                .iter()
                .filter_map(|run| run.review.as_ref())
                .map(|review| format!("{}, {}: {}", review.by, review.at.minute(), review.note))
                .collect();
            reviews.dedup();
            let mut migrations: Vec<String> = debt
                .runs
                .iter()
                .map(|run| run.migration.to_string())
                .collect();
            migrations.dedup();
            out.push(Glass {
                environment: environment.clone(),
                incident: debt.incident.to_string(),
                reason: debt.reason.clone(),
                by: debt.by.iter().map(ToString::to_string).collect(),
                at: debt.at,
                review_by: debt.review_by,
                state: match (is_open, debt.is_overdue(scope.as_of)) {
                    (false, _) => "paid",
                    (true, true) => "overdue",
                    (true, false) => "open",
                },
                reviews,
                unpaid: debt
                    .unpaid()
                    .flat_map(|run| {
                        run.unpaid
                            .iter()
                            .map(|name| format!("{} in {name}", run.migration))
                    })
                    .collect(),
                migrations,
            });
        }
    }
    out
}

fn drift(known: &Known<'_>, environment: &EnvironmentName) -> Drift {
    let looks = known
        .entries
        .iter()
        .filter_map(|(_, entry)| match &entry.fact {
            Fact::Verified(verified) if verified.environment == *environment => {
                Some((entry.at, verified))
            }
            _ => None,
        });
    let newest = looks.max_by_key(|(at, _)| *at);
    Drift {
        environment: environment.clone(),
        at: newest.map(|(at, _)| at),
        differences: newest.and_then(|(_, verified)| verified.differences),
    }
}
