//! The report as Markdown. What comes from the ledger stands in code spans, longer than any run of backticks
//! in it: it makes no link, no mention and no HTML.

use super::files::Flush;
use super::page::sections;
use super::{Change, Report, Row};

/// The report as Markdown.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut out = String::new();
    write(report, &mut out, &mut |_| {});
    out
}

/// The same, part by part.
pub(super) fn write(report: &Report, out: &mut String, flush: Flush<'_>) {
    out.push_str("# Change report: evidence from the ledger\n");
    for section in sections(report) {
        out.push_str(&format!("\n## {}\n\n| | |\n| --- | --- |\n", section.title));
        for line in &section.lines {
            out.push_str(&format!(
                "| {} | {} |\n",
                code(&line.label),
                code(&line.says)
            ));
        }
    }
    out.push_str("\n## What this report does not prove\n\n");
    for limit in &report.does_not_prove {
        out.push_str(&format!("- {limit}\n"));
    }
    out.push_str("\n## Matrix\n\n| migration |");
    for name in &report.matrix.environments {
        out.push_str(&format!(" {} |", code(name.as_str())));
    }
    out.push_str("\n| --- |");
    out.push_str(&" --- |".repeat(report.matrix.environments.len()));
    out.push('\n');
    for row in &report.matrix.rows {
        out.push_str(&format!("| {} |", code(row.migration.as_str())));
        for cell in &row.cells {
            let said = cell.as_ref().map_or_else(
                || "-".to_owned(),
                |cell| {
                    let at = cell
                        .at
                        .map_or_else(String::new, |at| format!(", {}", at.minute()));
                    let by = cell
                        .by
                        .as_ref()
                        .map_or_else(String::new, |by| format!(" by {by}"));
                    let owed = if cell.owed { " (debt)" } else { "" };
                    format!("{}{owed}{at}{by}", cell.state)
                },
            );
            out.push_str(&format!(" {} |", code(&said)));
        }
        out.push('\n');
        flush(out);
    }
    out.push_str("\n## Population\n\n| row | at (UTC) | what | environment | migration | outcome | by | chain | notes |\n");
    out.push_str("| ---: | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for row in &report.population {
        out.push_str(&population(row));
        flush(out);
    }
    out.push_str("\n## Changes\n");
    for change in &report.changes {
        out.push_str(&one(change));
        flush(out);
    }
    out.push_str("\n## Controls\n\nEvidence supporting, never \"compliant\".\n\n| framework | control | asks | state | evidence |\n");
    out.push_str("| --- | --- | --- | --- | --- |\n");
    for it in &report.controls {
        out.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            it.framework, it.control, it.asks, it.state, it.says
        ));
    }
}

fn population(row: &Row) -> String {
    let notes: Vec<&str> = row
        .gates
        .iter()
        .chain(&row.notes)
        .chain(&row.chain.exceptions)
        .map(String::as_str)
        .collect();
    let migration = row.migration.as_ref().map_or("-", |it| it.as_str());
    format!(
        "| {} | {} | {} | {} | {} | {} | {} | {} | {} |\n",
        row.number,
        row.at,
        code(&row.action),
        code(row.environment.as_str()),
        code(migration),
        row.outcome,
        code(&row.by),
        row.chain.state,
        code(&notes.join("; "))
    )
}

fn one(change: &Change) -> String {
    let mut out = format!("\n### {}\n\n", code(change.migration.as_str()));
    for (label, says) in change.facts() {
        out.push_str(&format!("- {label}: {}\n", code(&says)));
    }
    if let Some(sql) = &change.sql {
        let fence = "`".repeat(longest_run(sql).max(2) + 1);
        out.push_str(&format!("\n{fence}sql\n{}\n{fence}\n", sql.trim_end()));
    }
    out
}

/// A code span that nothing in the text ends, and no cell of a table is ended by.
fn code(text: &str) -> String {
    if text.is_empty() {
        return "-".to_owned();
    }
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .replace('|', "\u{2502}");
    let ticks = "`".repeat(longest_run(&line) + 1);
    match line.starts_with('`') || line.ends_with('`') {
        true => format!("{ticks} {line} {ticks}"),
        false => format!("{ticks}{line}{ticks}"),
    }
}

/// The longest run of backticks.
fn longest_run(text: &str) -> usize {
    let runs = text.split(|c| c != '`');
    runs.map(str::len).max().unwrap_or(0)
}
