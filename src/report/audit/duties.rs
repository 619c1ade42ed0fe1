//! Whether those who wrote, reviewed and applied a change were different people.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Known, Row};
use crate::model::approval::NOT_SIGNED;
use crate::model::{Actor, Approval, MigrationId};

/// Whether those who wrote, reviewed and applied were different people.
#[derive(Debug, Serialize)]
pub struct Duties {
    /// `met`, `not met` or `not shown`.
    pub state: &'static str,
    /// Why.
    pub why: String,
}

/// Who is on record as having reviewed it: after broken glass, and nobody else.
pub(super) fn reviewers(known: &Known<'_>, id: &MigrationId) -> BTreeSet<String> {
    let runs = known.debts.iter().flat_map(|(_, debt)| &debt.runs);
    runs.filter(|run| run.migration == *id)
        .filter_map(|run| run.review.as_ref().map(|review| review.by.0.clone()))
        .collect()
}

/// Whether both are one person, as far as their names tell.
fn same(one: &str, other: &str) -> bool {
    Actor(one.to_owned()).is_same(&Actor(other.to_owned()))
}

/// Of one change, as far as the rows about it and git tell.
pub(super) fn duties(
    known: &Known<'_>,
    rows: &[&Row],
    authors: Option<&[String]>,
    reviewers: &BTreeSet<String>,
) -> Duties {
    let applied = rows.iter().filter(|row| row.outcome == "succeeded");
    let in_production: BTreeSet<&str> = applied
        .clone()
        .filter(|row| Some(&row.environment) == known.production())
        .map(|row| row.by.as_str())
        .collect();
    if in_production.is_empty() {
        return Duties {
            state: "not shown",
            why: "it did not run in production in this scope".to_owned(),
        };
    }
    let appliers = in_production.iter().copied().collect::<Vec<_>>().join(", ");
    if let Some(reviewer) = reviewers
        .iter()
        .find(|it| !in_production.contains(it.as_str()))
    {
        return Duties {
            state: "met",
            why: format!("applied by {appliers}, reviewed afterwards by {reviewer}"),
        };
    }
    let is_applier = |name: &str| in_production.iter().any(|by| same(by, name));
    let others: Vec<&Approval> = applied
        .filter(|row| Some(&row.environment) == known.production())
        .flat_map(|row| &row.approvals)
        .filter(|it| !is_applier(&it.approver.0))
        .collect();
    // Whoever applied it may have typed any name.
    let is_own = |it: &&&Approval| it.typed_by.as_ref().is_some_and(|by| is_applier(&by.0));
    let told = |all: &[&&Approval]| {
        let all: BTreeSet<String> = all.iter().map(|it| it.by()).collect();
        all.into_iter().collect::<Vec<_>>().join(", ")
    };
    let (own, approvers): (Vec<&&Approval>, Vec<&&Approval>) = others.iter().partition(is_own);
    if !approvers.is_empty() {
        return Duties {
            state: "met",
            why: format!(
                "applied by {appliers}, approved before by {} ({NOT_SIGNED})",
                told(&approvers)
            ),
        };
    }
    let duties = by_authors(known, rows, authors, &in_production);
    if own.is_empty() {
        return duties;
    }
    let why = format!(
        "approved before by {}, in words of whoever applied it; {}",
        told(&own),
        duties.why
    );
    Duties { why, ..duties }
}

/// The same where nobody else approved or reviewed it.
fn by_authors(
    known: &Known<'_>,
    rows: &[&Row],
    authors: Option<&[String]>,
    in_production: &BTreeSet<&str>,
) -> Duties {
    let appliers = in_production.iter().copied().collect::<Vec<_>>().join(", ");
    let everyone: BTreeSet<&str> = rows.iter().map(|row| row.by.as_str()).collect();
    let proven = rows.iter().any(|row| {
        Some(&row.environment) == known.production()
            && row.outcome == "succeeded"
            && row.chain.state == "full"
    });
    let control = match proven {
        true => {
            "compensating control: the same bytes had succeeded in every earlier environment, by a gate that the applier could not pass by without a record"
        }
        false => {
            "compensating control: none; the chain of evidence has an exception, which is recorded"
        }
    };
    match authors {
        Some([]) | None => Duties {
            state: match everyone.len() {
                1 => "not met",
                _ => "not shown",
            },
            why: match everyone.len() {
                1 => format!("{appliers} alone is on record; {control}"),
                _ => format!(
                    "applied by {appliers}; the author is {}, and no reviewer is on record; {control}",
                    match authors {
                        None => "not in the ledger",
                        Some(_) => "not known to git",
                    }
                ),
            },
        },
        // The names of git and of the machine are written differently; that one is the other is not said.
        Some(authors)
            if authors.iter().all(|author| {
                !in_production
                    .iter()
                    .any(|by| Actor((*by).to_owned()).is_author(author))
            }) =>
        {
            Duties {
                state: "met",
                why: format!(
                    "written by {}, applied by {appliers}, as far as names tell; no reviewer is on record",
                    authors.join(", ")
                ),
            }
        }
        Some(authors) => Duties {
            state: "not met",
            why: format!(
                "written by {}, applied by {appliers}; {control}",
                authors.join(", ")
            ),
        },
    }
}
