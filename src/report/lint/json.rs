//! For programs: `tollgate/lint/v1`.

use serde_json::{Value, json};

use super::{Report, Told};

/// Everything, notes and what is allowed included.
#[must_use]
pub fn json(report: &Report<'_>) -> Value {
    let counts = report.counts();
    let since = report.since.map(
        |since| json!({ "revision": since.revision, "commit": since.commit, "base": since.base }),
    );
    json!({
        "schema": "tollgate/lint/v1",
        "verdict": if report.refuses() { "refused" } else { "passed" },
        "engine": report.engine,
        "since": since,
        "migrations": report.migrations,
        "findings": report.findings.iter().map(one).collect::<Vec<Value>>(),
        "errors": counts.errors,
        "warnings": counts.warnings,
        "notes": counts.notes,
        "allowed": counts.allowed,
    })
}

fn one(told: &Told<'_>) -> Value {
    let finding = told.finding;
    let place = told.place;
    json!({
        "rule": finding.rule.code,
        "level": told.level.as_str(),
        "topic": finding.rule.topic.as_str(),
        "migration": finding.migration,
        "file": told.path,
        "line": place.map(|(begin, _)| begin.line),
        "column": place.map(|(begin, _)| begin.column),
        "end_line": place.map(|(_, end)| end.line),
        "end_column": place.map(|(_, end)| end.column),
        "fact": finding.fact,
        "consequence": finding.consequence,
        "help": finding.help,
        "allowed": finding.allowed,
    })
}
