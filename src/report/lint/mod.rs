//! What `lint` found: a model, and one function for each format.

mod github;
mod json;
mod page;
mod sarif;
mod text;

pub use github::{annotations, summary};
pub use json::json;
pub use page::{explain, sections};
pub use sarif::sarif;
pub use text::text;

use crate::lint::{Finding, Level};
use crate::model::MigrationId;
use crate::model::entry::Engine;
use crate::sql::{Position, Positions};

/// Everything that was found, and in what.
#[derive(Debug, Clone)]
pub struct Report<'a> {
    /// How the scripts were read.
    pub engine: Engine,
    /// What they were compared with.
    pub since: Option<Since<'a>>,
    /// The migrations that were looked at, in order.
    pub migrations: Vec<&'a MigrationId>,
    /// What was found, by migration and place; without rules that are off.
    pub findings: Vec<Told<'a>>,
}

/// A revision that the tree was compared with.
#[derive(Debug, Clone, Copy)]
pub struct Since<'a> {
    /// As it was typed.
    pub revision: &'a str,
    /// The commit that it names.
    pub commit: &'a str,
    /// The commit in which this branch parted from it.
    pub base: &'a str,
}

/// One finding, with what it takes to show it.
#[derive(Debug, Clone)]
pub struct Told<'a> {
    /// What was found.
    pub finding: &'a Finding,
    /// How much it weighs here.
    pub level: Level,
    /// The script's path, as a user in the project's folder would type it.
    pub path: String,
    /// The script's text; `None` where it is gone.
    pub script: Option<&'a str>,
    /// From where to where in the script, the end not included; `None` where it is about the whole.
    place: Option<(Position, Position)>,
}

/// What is known of a finding beside it: how much it weighs here, its script's path and text.
pub type Beside<'a> = (Level, String, Option<&'a str>);

/// Findings with what it takes to show them; without those of which nothing is known beside them. They
/// come by migration and place: a script is walked through once, however many there are.
#[must_use]
pub fn told<'a>(
    findings: &'a [Finding],
    beside: impl Fn(&'a Finding) -> Option<Beside<'a>>,
) -> Vec<Told<'a>> {
    let mut walk: Option<(&MigrationId, Positions<'a>)> = None;
    let mut out = Vec::new();
    for finding in findings {
        let Some((level, path, script)) = beside(finding) else {
            continue;
        };
        let place = script.filter(|_| !finding.range.is_empty()).map(|script| {
            let mut positions = match walk.take() {
                Some((of, positions)) if *of == finding.migration => positions,
                _ => Positions::new(script),
            };
            let begin = positions.of(finding.range.start);
            // Of the next one the beginning may stand before this one's end.
            let end = positions.clone().of(finding.range.end);
            walk = Some((&finding.migration, positions));
            (begin, end)
        });
        out.push(Told {
            finding,
            level,
            path,
            script,
            place,
        });
    }
    out
}

/// How many there are of each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Errors that are not allowed.
    pub errors: usize,
    /// Warnings that are not allowed.
    pub warnings: usize,
    /// Notes that are not allowed.
    pub notes: usize,
    /// What scripts allow.
    pub allowed: usize,
}

impl Report<'_> {
    /// Whether something of level error is not allowed.
    #[must_use]
    pub fn refuses(&self) -> bool {
        self.counts().errors > 0
    }

    /// How many there are of each.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for told in &self.findings {
            let place = match told.level {
                _ if told.finding.allowed.is_some() => &mut counts.allowed,
                Level::Error => &mut counts.errors,
                Level::Warning => &mut counts.warnings,
                Level::Note => &mut counts.notes,
            };
            *place += 1;
        }
        counts
    }
}

impl Told<'_> {
    /// The part of the script that is meant; empty where it is about the whole.
    fn words(&self) -> &str {
        let words = self
            .script
            .and_then(|script| script.get(self.finding.range.clone()));
        words.unwrap_or_default()
    }

    /// All that is told, line by line.
    fn message(&self) -> String {
        let finding = self.finding;
        format!(
            "{}\n{}\nhelp: {}",
            finding.fact, finding.consequence, finding.help
        )
    }
}
