//! Whether those who wrote, reviewed and applied a change were different people.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Known, Row};
use crate::model::approval::NOT_SIGNED;
use crate::model::{Actor, MigrationId};

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
    let Some(first) = in_production.first() else {
        return Duties {
            state: "not shown",
            why: "it did not run in production in this scope".to_owned(),
        };
    };
    let said = |people: &BTreeSet<&str>| people.iter().copied().collect::<Vec<_>>().join(", ");
    let appliers = said(&in_production);
    if let Some(reviewer) = reviewers
        .iter()
        .find(|it| !in_production.contains(it.as_str()))
    {
        return Duties {
            state: "met",
            why: format!("applied by {appliers}, reviewed afterwards by {reviewer}"),
        };
    }
    let approvers: BTreeSet<&str> = applied
        .filter(|row| Some(&row.environment) == known.production())
        .flat_map(|row| row.approved_by.iter().map(String::as_str))
        .filter(|it| !in_production.iter().any(|by| same(by, it)))
        .collect();
    if !approvers.is_empty() {
        return Duties {
            state: "met",
            why: format!(
                "applied by {appliers}, approved before by {} ({NOT_SIGNED})",
                said(&approvers)
            ),
        };
    }
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
                1 => format!("{first} alone is on record; {control}"),
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
