//! The lint rules on real migration trees: `tests/lint-trees FOLDER...`.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::exit,
    reason = "a tool of the developers: it reads files, prints, and panics where something is wrong"
)]

mod squawk;
mod warnings;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use tollgate::lint::{Finding, Level, Look, Script, Topic, look_each, rules};
use tollgate::model::MigrationId;
use tollgate::model::entry::Engine;
use tollgate::sql::changes::{Change, changes};
use tollgate::sql::{Analysis, analyse_all};

/// A migration of a tree, read.
struct Migration {
    id: MigrationId,
    text: String,
    analysis: Analysis,
    changes: Vec<Change>,
}

fn main() {
    let folders: Vec<String> = std::env::args().skip(1).collect();
    let (mut scripts, mut missed) = (0, 0);
    let mut findings: Vec<Finding> = Vec::new();
    let mut tally = warnings::Tally::default();
    let mut other = squawk::Tally::default();
    for folder in &folders {
        let tree = tree(Path::new(folder));
        let engine = engine(Path::new(folder));
        let begun = Instant::now();
        let look = looked(engine, &tree);
        println!(
            "{folder}: {} scripts, looked at in {:?}",
            tree.len(),
            begun.elapsed()
        );
        scripts += tree.len();
        for migration in &tree {
            if let Analysis::NotAnalysed(why) = &migration.analysis {
                println!("  not analysed: {}: {why:?}", migration.id);
            }
        }
        missed += warnings::compare(&tree, &look, &mut tally);
        if engine == Engine::Postgresql {
            squawk::compare(&tree, &look, &mut other);
        }
        if std::env::var("SHOW").is_ok() {
            show(&look);
        }
        findings.extend(look.findings);
    }
    table(scripts, &findings);
    tally.print();
    other.print(scripts);
    if missed > 0 {
        println!("\n{missed} warnings of Prisma were missed");
        std::process::exit(1);
    }
}

fn tree(folder: &Path) -> Vec<Migration> {
    let mut folders: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("migration.sql").is_file())
        .collect();
    folders.sort();
    let texts: Vec<(MigrationId, String)> = folders
        .iter()
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let text = std::fs::read_to_string(path.join("migration.sql")).unwrap();
            (MigrationId::new(name), text)
        })
        .collect();
    let engine = engine(folder);
    let scripts: Vec<&str> = texts.iter().map(|(_, text)| text.as_str()).collect();
    let analyses = analyse_all(engine, &scripts);
    let begun = Instant::now();
    let read: Vec<Vec<Change>> = scripts
        .iter()
        .zip(&analyses)
        .map(|(text, analysis)| changes(engine, text, analysis))
        .collect();
    println!(
        "{}: changes read in {:?}",
        folder.display(),
        begun.elapsed()
    );
    texts
        .into_iter()
        .zip(analyses)
        .zip(read)
        .map(|(((id, text), analysis), changes)| Migration {
            id,
            text,
            analysis,
            changes,
        })
        .collect()
}

/// As Prisma's lock file says.
fn engine(folder: &Path) -> Engine {
    let lock = std::fs::read_to_string(folder.join("migration_lock.toml")).unwrap_or_default();
    if lock.contains("sqlite") {
        Engine::Sqlite
    } else {
        Engine::Postgresql
    }
}

fn looked(engine: Engine, tree: &[Migration]) -> Look {
    let scripts: Vec<Script<'_>> = tree
        .iter()
        .map(|migration| Script {
            migration: &migration.id,
            text: &migration.text,
            analysis: &migration.analysis,
            changes: &migration.changes,
        })
        .collect();
    // The first script finds nothing, and needs none of this.
    let places: Vec<usize> = (0..tree.len()).collect();
    look_each(engine, &scripts, &places)
}

fn show(look: &Look) {
    for finding in &look.findings {
        if finding.rule.level > Level::Note {
            println!(
                "  {} {}: {}",
                finding.rule.code, finding.migration, finding.fact
            );
        }
    }
}

fn table(scripts: usize, findings: &[Finding]) {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in findings {
        *counts.entry(finding.rule.code).or_default() += 1;
    }
    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
    let per_hundred = |count: usize| count as f64 * 100.0 / scripts as f64;
    println!("\n| rule | level | found | per 100 scripts |\n| --- | --- | --- | --- |");
    for rule in rules::all() {
        if matches!(rule.topic, Topic::Order) || rule.code.starts_with("allow-") {
            continue;
        }
        let level = match rule.level {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "note",
        };
        let count = counts.get(rule.code).copied().unwrap_or_default();
        println!(
            "| `{}` | {level} | {count} | {:.1} |",
            rule.code,
            per_hundred(count)
        );
    }
    let shown = findings
        .iter()
        .filter(|finding| finding.rule.level > Level::Note);
    let shown = shown.count();
    let quiet: std::collections::BTreeSet<_> = findings
        .iter()
        .filter(|finding| finding.rule.level > Level::Note)
        .map(|finding| &finding.migration)
        .collect();
    let loss = findings
        .iter()
        .filter(|finding| finding.rule.level > Level::Note && finding.rule.topic == Topic::DataLoss)
        .count();
    println!(
        "\n{scripts} scripts; shown by default: {shown} findings, {:.1} per 100 scripts, in {} scripts",
        per_hundred(shown),
        quiet.len()
    );
    println!(
        "of them about loss: {loss}, {:.1} per 100 scripts; about anything else: {}, {:.1} per 100 scripts",
        per_hundred(loss),
        shown - loss,
        per_hundred(shown - loss)
    );
}
