//! Workflow commands of GitHub Actions: one annotation for each finding.

use super::{Report, Told};
use crate::lint::Level;
use crate::report::count;
use crate::report::github::{self, Annotation};

/// The annotations, down to a level. `prefix` leads from the top of the repository to the project's folder:
/// annotations stand at paths from the top.
#[must_use]
pub fn annotations(report: &Report<'_>, shown: Level, prefix: &str) -> Vec<Annotation> {
    let open = |told: &&Told<'_>| told.finding.allowed.is_none() && told.level >= shown;
    let findings = report.findings.iter().filter(open);
    findings.map(|told| one(told, prefix)).collect()
}

/// The summary as a plain line.
#[must_use]
pub fn summary(report: &Report<'_>) -> String {
    let counts = report.counts();
    format!(
        "tollgate lint: {}, {}, {} and {} allowed in {}\n",
        count(counts.errors, "error"),
        count(counts.warnings, "warning"),
        count(counts.notes, "note"),
        counts.allowed,
        count(report.migrations.len(), "migration"),
    )
}

fn one(told: &Told<'_>, prefix: &str) -> Annotation {
    let mut properties = vec![("file", format!("{prefix}{}", told.path))];
    match told.place {
        Some((begin, end)) => {
            properties.push(("line", begin.line.to_string()));
            properties.push(("endLine", end.line.to_string()));
            // Columns count only where the whole stands on one line.
            if begin.line == end.line {
                properties.push(("col", begin.column.to_string()));
                properties.push(("endColumn", end.column.to_string()));
            }
        }
        None if told.script.is_some() => properties.push(("line", "1".to_owned())),
        None => {}
    }
    properties.push(("title", told.finding.rule.code.to_owned()));
    Annotation {
        level: match told.level {
            Level::Error => github::Level::Error,
            Level::Warning => github::Level::Warning,
            Level::Note => github::Level::Notice,
        },
        properties,
        message: told.message(),
    }
}
