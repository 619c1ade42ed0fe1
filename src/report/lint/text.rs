//! For people.

use super::{Counts, Report, Told};
use crate::lint::Level;
use crate::report::snippet::{self, Spot, Weight};
use crate::report::{Paint, count};
use crate::sql::{Hidden, passwords};

/// What was found, down to a level; what is allowed is shown beside notes.
#[must_use]
pub fn text(report: &Report<'_>, shown: Level, paint: Paint) -> String {
    let mut out = String::new();
    let is_shown = |told: &&Told<'_>| match told.finding.allowed {
        Some(_) => shown == Level::Note,
        None => told.level >= shown,
    };
    // They come by migration, and a script may have many.
    let mut of = None;
    let mut hidden = Vec::new();
    for told in report.findings.iter().filter(is_shown) {
        if of != Some(&told.finding.migration) {
            of = Some(&told.finding.migration);
            hidden = passwords(told.script.unwrap_or_default());
        }
        out.push_str(&one(told, &hidden, paint));
        out.push('\n');
    }
    out.push_str(&summary(report, shown, paint));
    out
}

fn one(told: &Told<'_>, hidden: &[Hidden], paint: Paint) -> String {
    let finding = told.finding;
    let weight = match (&finding.allowed, told.level) {
        (Some(_), _) => Weight::Allowed,
        (None, Level::Error) => Weight::Error,
        (None, Level::Warning) => Weight::Warning,
        (None, Level::Note) => Weight::Note,
    };
    let code = Some(finding.rule.code);
    let mut out = match (told.script, told.place) {
        (Some(script), Some((place, _))) => {
            let spot = Spot {
                path: &told.path,
                script,
                at: finding.range.clone(),
                place,
                hidden,
            };
            snippet::draw(weight, code, &finding.fact, &spot, paint)
        }
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
    let mut found = Vec::new();
    if counts.errors > 0 {
        found.push(paint.bad(&count(counts.errors, "error")));
    }
    if counts.warnings > 0 && shown <= Level::Warning {
        found.push(paint.warn(&count(counts.warnings, "warning")));
    }
    if counts.notes > 0 && shown == Level::Note {
        found.push(count(counts.notes, "note"));
    }
    let what = match found.is_empty() {
        // What is not shown may be wrong, too.
        true if shown == Level::Error && counts.warnings > 0 => paint.good("no error"),
        true => paint.good("nothing wrong"),
        false => found.join(", "),
    };
    let mut out = match (report.migrations.len(), report.since) {
        (0, Some(since)) => format!(
            "{what}; no migration is new or edited since {}\n",
            since.revision
        ),
        (number, Some(since)) => format!(
            "{what} in {} changed since {}\n",
            count(number, "migration"),
            since.revision
        ),
        (number, None) => format!("{what} in {}\n", count(number, "migration")),
    };
    out.push_str(&hidden(counts, shown));
    let is_shown = |told: &&Told<'_>| told.finding.allowed.is_none() && told.level >= shown;
    // The first of those that weigh most.
    let shown = report.findings.iter().filter(is_shown).rev();
    if let Some(first) = shown.max_by_key(|told| told.level) {
        let code = first.finding.rule.code;
        out.push_str(&format!("\n  why       tollgate lint --explain {code}\n"));
    }
    out
}

/// How much there is that is not shown, and how to see it.
fn hidden(counts: Counts, shown: Level) -> String {
    let mut hidden = Vec::new();
    let mut level = "note";
    if counts.warnings > 0 && shown == Level::Error {
        hidden.push(count(counts.warnings, "warning"));
        level = "warning";
    }
    if shown != Level::Note && counts.notes > 0 {
        hidden.push(count(counts.notes, "note"));
        level = "note";
    }
    if shown != Level::Note && counts.allowed > 0 {
        hidden.push(format!("{} allowed", counts.allowed));
        level = "note";
    }
    match hidden.is_empty() {
        true => String::new(),
        false => format!(
            "  not shown: {}: tollgate lint --level {level}\n",
            hidden.join(", ")
        ),
    }
}
