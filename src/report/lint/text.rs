//! For people.

use super::{Report, Told};
use crate::lint::Level;
use crate::report::snippet::{self, Weight};
use crate::report::{Paint, count};

/// What was found, down to a level; what is allowed is shown beside notes.
#[must_use]
pub fn text(report: &Report<'_>, shown: Level, paint: Paint) -> String {
    let mut out = String::new();
    let is_shown = |told: &&Told<'_>| match told.finding.allowed {
        Some(_) => shown == Level::Note,
        None => told.level >= shown,
    };
    for told in report.findings.iter().filter(is_shown) {
        out.push_str(&one(told, paint));
        out.push('\n');
    }
    out.push_str(&summary(report, shown, paint));
    out
}

fn one(told: &Told<'_>, paint: Paint) -> String {
    let finding = told.finding;
    let weight = match (&finding.allowed, told.level) {
        (Some(_), _) => Weight::Allowed,
        (None, Level::Error) => Weight::Error,
        (None, Level::Warning) => Weight::Warning,
        (None, Level::Note) => Weight::Note,
    };
    let code = Some(finding.rule.code);
    let mut out = match (told.script, finding.range.is_empty()) {
        (Some(script), false) => snippet::draw(
            weight,
            code,
            &finding.fact,
            &told.path,
            script,
            finding.range.clone(),
            paint,
        ),
        _ => snippet::title(weight, code, &finding.fact, &told.path, paint),
    };
    let mut lines = vec![("so", &finding.consequence)];
    match &finding.allowed {
        Some(reason) => lines.push(("reason", reason)),
        None => lines.push(("help", &finding.help)),
    }
    for (label, said) in lines {
        if !said.is_empty() {
            let said = said.replace('\n', "\n            ");
            out.push_str(&format!("  {label:<9} {said}\n"));
        }
    }
    out
}

fn summary(report: &Report<'_>, shown: Level, paint: Paint) -> String {
    let counts = report.counts();
    let scripts = count(report.migrations.len(), "migration");
    let since = report.since.map_or(String::new(), |since| {
        format!(" changed since {}", since.revision)
    });
    let mut found = Vec::new();
    if counts.errors > 0 {
        found.push(paint.bad(&count(counts.errors, "error")));
    }
    if counts.warnings > 0 {
        found.push(paint.warn(&count(counts.warnings, "warning")));
    }
    let mut out = match found.is_empty() {
        true => format!("{} {scripts}{since}\n", paint.good("nothing wrong in")),
        false => format!("{} in {scripts}{since}\n", found.join(" and ")),
    };
    let mut hidden = Vec::new();
    if counts.warnings > 0 && shown == Level::Error {
        hidden.push(("warning", count(counts.warnings, "warning")));
    }
    if shown != Level::Note {
        if counts.notes > 0 {
            hidden.push(("note", count(counts.notes, "note")));
        }
        if counts.allowed > 0 {
            hidden.push(("note", format!("{} allowed", counts.allowed)));
        }
    }
    if let Some((level, _)) = hidden.last() {
        let what: Vec<&str> = hidden.iter().map(|(_, what)| what.as_str()).collect();
        out.push_str(&format!(
            "  {} not shown: tollgate lint --level {level}\n",
            what.join(" and ")
        ));
    }
    let first = report
        .findings
        .iter()
        .find(|told| told.finding.allowed.is_none() && told.level >= shown);
    if let Some(first) = first {
        let code = first.finding.rule.code;
        out.push_str(&format!("\n  why       tollgate lint --explain {code}\n"));
        if counts.errors > 0 {
            out.push_str(
                "  meant so  -- tollgate:allow <rule> <reason>, in a line above the statement\n",
            );
        }
    }
    out
}
