//! Scripts looked at in tests, and what was found as a reader sees it.

use std::fmt::Write as _;

use super::{Before, Level, Look, Script, look};
use crate::model::MigrationId;
use crate::model::entry::Engine;
use crate::sql::analyse;
use crate::sql::changes::changes;

/// Looks at the last script after all others stand.
pub(super) fn look_at(engine: Engine, scripts: &[&str]) -> Look {
    look_at_several(engine, scripts, 1, false)
}

/// Looks at the last so many scripts as one plan.
pub(super) fn look_at_several(
    engine: Engine,
    scripts: &[&str],
    planned: usize,
    is_empty: bool,
) -> Look {
    let read: Vec<_> = (scripts.iter().enumerate())
        .map(|(place, text)| {
            let id = MigrationId::new(format!("2025010100000{place}_m{place}"));
            let analysis = analyse(engine, text);
            assert!(analysis.statements().is_some(), "{analysis:?}: {text}");
            let changes = changes(engine, text, &analysis);
            (id, *text, analysis, changes)
        })
        .collect();
    let read: Vec<_> = read
        .iter()
        .map(|(migration, text, analysis, changes)| Script {
            migration,
            text,
            analysis,
            changes,
        })
        .collect();
    let (standing, plan) = read.split_at(scripts.len() - planned);
    look(engine, Before { standing, is_empty }, plan)
}

/// What is found in the last script, one rule only, as text.
pub(super) fn found(code: &str, engine: Engine, scripts: &[&str]) -> String {
    let look = look_at(engine, scripts);
    let mut out = String::new();
    let script = scripts.last().unwrap();
    for finding in &look.findings {
        if finding.rule.code == code {
            let level = match finding.rule.level {
                Level::Error => "error",
                Level::Warning => "warning",
                Level::Note => "note",
            };
            writeln!(
                out,
                "{level}: {}\n  at    {}\n  then  {}\n  help  {}",
                finding.fact,
                script[finding.range.clone()].replace('\n', " "),
                finding.consequence,
                finding.help
            )
            .unwrap();
        }
    }
    out
}

/// Nothing is found by this rule.
pub(super) fn silent(code: &str, engine: Engine, scripts: &[&str]) {
    assert_eq!(found(code, engine, scripts), "", "{scripts:?}");
}
