//! What a baseline took in, or why it did not, for people and for machines.

use serde_json::{Value, json};

use super::{Paint, count, plan};
use crate::model::{EnvironmentName, MigrationId};
use crate::planner::Finding;

/// What was taken in.
#[derive(Debug, Clone, Copy)]
pub struct Taken<'a> {
    /// Where.
    pub environment: &'a EnvironmentName,
    /// What Prisma ran, with the bytes on disk: evidence.
    pub proven: &'a [MigrationId],
    /// What counts as applied on a person's word, with what was found of each.
    pub said: &'a [(MigrationId, &'static str)],
    /// What was rolled back under Prisma, and is pending.
    pub rolled_back: &'a [MigrationId],
    /// What needs somebody.
    pub left: &'a [Finding],
}

/// For people, ending in a line feed.
#[must_use]
pub fn text(taken: &Taken<'_>, paint: Paint) -> String {
    let environment = taken.environment;
    let mut out = String::new();
    let proven = taken.proven.len();
    if proven > 0 {
        out.push_str(&format!(
            "{environment}: {} taken in: Prisma's rows name the very bytes on disk\n",
            count(proven, "migration")
        ));
    }
    let said = taken.said.len();
    if said > 0 {
        let counts = if said == 1 { "counts" } else { "count" };
        out.push_str(&format!(
            "{environment}: {} {counts} as applied without proof, and never as evidence\n",
            count(said, "migration")
        ));
        for (migration, what) in taken.said {
            out.push_str(&format!("  {migration}  {}\n", paint.dim(what)));
        }
    }
    for migration in taken.rolled_back {
        out.push_str(&format!(
            "{environment}: {migration} was rolled back under Prisma, and is pending\n"
        ));
    }
    if out.is_empty() {
        out.push_str(&format!(
            "{environment}: taken in, nothing is applied there\n"
        ));
    }
    if !taken.left.is_empty() {
        out.push_str(&format!(
            "\n{} before anything is applied to {environment}, somebody has to look at {}\n",
            paint.warn("left:"),
            count(taken.left.len(), "migration")
        ));
        out.push_str(&plan::findings(taken.left, paint));
    }
    out.push_str(&format!("\n  next     tollgate plan {environment}\n"));
    out
}

/// A refusal for people, ending in a line feed.
#[must_use]
pub fn refused(environment: &EnvironmentName, findings: &[Finding], paint: Paint) -> String {
    let unproven = findings
        .iter()
        .filter(|finding| finding.migration.is_some())
        .count();
    let what = match unproven {
        0 => format!("{environment} is not taken in"),
        1 => format!("{environment} is not taken in: 1 migration has no proof of its bytes"),
        many => {
            format!("{environment} is not taken in: {many} migrations have no proof of their bytes")
        }
    };
    format!(
        "{} {}\n{}",
        paint.bad("refused:"),
        paint.bold(&what),
        plan::findings(&in_short(findings), paint)
    )
}

/// More than this many of one kind are told as the first, the last and how many.
const TOLD_ONE_BY_ONE: usize = 6;

/// Findings of which there are many alike, once each. The document of `--format json` has every one.
fn in_short(findings: &[Finding]) -> Vec<Finding> {
    let mut out: Vec<Finding> = Vec::new();
    for finding in findings {
        let alike: Vec<&Finding> = findings
            .iter()
            .filter(|other| other.fact == finding.fact && other.migration.is_some())
            .collect();
        let (Some(first), Some(last)) = (alike.first(), alike.last()) else {
            out.push(finding.clone());
            continue;
        };
        if alike.len() <= TOLD_ONE_BY_ONE {
            out.push(finding.clone());
        } else if first.migration == finding.migration {
            let mut told = finding.clone();
            if let Some(last) = &last.migration {
                told.found.push(format!(
                    "and the same of {} more, up to {last}",
                    alike.len() - 1
                ));
            }
            out.push(told);
        }
    }
    out
}

/// As `tollgate/baseline/v1`. `end` is `done`, `nothing` or `refused`.
#[must_use]
pub fn json(end: &str, taken: &Taken<'_>, refusals: &[Finding]) -> Value {
    let said = |(migration, what): &(MigrationId, &'static str)| json!({ "migration": migration, "what": what });
    json!({
        "schema": "tollgate/baseline/v1",
        "environment": taken.environment,
        "end": end,
        "proven": taken.proven,
        "unproven": taken.said.iter().map(said).collect::<Vec<_>>(),
        "rolled_back": taken.rolled_back,
        "left": taken.left.iter().map(plan::finding_json).collect::<Vec<_>>(),
        "refusals": refusals.iter().map(plan::finding_json).collect::<Vec<_>>(),
    })
}
