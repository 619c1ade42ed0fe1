//! What Prisma warned of in the comments of its scripts, and whether a rule says it too.

use std::collections::BTreeMap;

use tollgate::lint::{Finding, Look};
use tollgate::sql::changes::{Column, ConstraintKind, Deed, Name};

use super::Migration;

/// How the warnings came out, by kind.
#[derive(Default)]
pub(super) struct Tally(BTreeMap<(&'static str, String), usize>);

/// The kinds of warnings: words of each, and the rules that say the same.
const KINDS: [(&str, &str, &[&str]); 13] = [
    (
        "drops a column",
        "You are about to drop the column",
        &["drop-column"],
    ),
    (
        "drops a table",
        "You are about to drop the `",
        &["drop-table"],
    ),
    (
        "recreates a column",
        "would be dropped and recreated. This will lead to data loss",
        &["drop-column"],
    ),
    (
        "recreates a required column",
        "No cast exists, the column would be dropped and recreated",
        &["drop-column", "required-column"],
    ),
    (
        "casts, and may lose",
        "The data in that column could be lost",
        &["lossy-type", "cast-may-fail"],
    ),
    (
        "casts, and may fail",
        "This cast may fail",
        &["lossy-type", "cast-may-fail"],
    ),
    (
        "changes the primary key",
        "The primary key for the",
        &["primary-key", "drop-table"],
    ),
    (
        "adds a unique constraint",
        "A unique constraint covering",
        &["unique"],
    ),
    ("removes labels of an enum", "on the enum", &["drop-label"]),
    (
        "adds a required column",
        "Added the required column",
        &["required-column"],
    ),
    (
        "adds one with a default of Prisma's",
        "with a prisma-level default value",
        &["required-column"],
    ),
    (
        "makes a column required",
        "Made the column",
        &["set-not-null"],
    ),
    (
        "makes a list of a single value",
        "from a scalar field to a list field",
        &["cast-may-fail", "lossy-type", "drop-column"],
    ),
];

/// Compares a tree's warnings with what was found, and says how many were missed.
pub(super) fn compare(tree: &[Migration], look: &Look, tally: &mut Tally) -> usize {
    let mut missed = 0;
    for (place, migration) in tree.iter().enumerate() {
        let its: Vec<&Finding> = look
            .findings
            .iter()
            .filter(|finding| finding.migration == migration.id)
            .collect();
        for warning in warned(&migration.text) {
            let Some((kind, _, rules)) = KINDS.iter().find(|(_, words, _)| warning.contains(words))
            else {
                // What a person wrote there. A new kind of Prisma's would show up here too.
                println!("  no warning of Prisma's: {}: {warning}", migration.id);
                continue;
            };
            let outcome = outcome(&tree[..=place], &its, kind, rules, warning);
            if outcome == "missed" {
                println!("  MISSED {}: {warning}", migration.id);
                missed += 1;
            }
            *tally.0.entry((kind, outcome)).or_default() += 1;
        }
    }
    missed
}

impl Tally {
    pub(super) fn print(&self) {
        println!("\n| Prisma warned that it | and here | times |\n| --- | --- | --- |");
        for ((kind, outcome), count) in &self.0 {
            println!("| {kind} | {outcome} | {count} |");
        }
    }
}

/// The lines of a block `/* Warnings: ... */`.
fn warned(text: &str) -> impl Iterator<Item = &str> {
    text.split("/*")
        .skip(1)
        .filter_map(|rest| rest.split("*/").next())
        .filter(|block| {
            block
                .trim_start()
                .to_ascii_lowercase()
                .starts_with("warning")
        })
        .flat_map(str::lines)
        .filter_map(|line| line.trim().strip_prefix("- "))
}

fn outcome(
    tree: &[Migration],
    its: &[&Finding],
    kind: &str,
    rules: &[&str],
    warning: &str,
) -> String {
    let names: Vec<&str> = warning.split('`').skip(1).step_by(2).collect();
    let listed = |text: &str| -> Vec<String> {
        text.trim_matches(['[', ']'])
            .split(',')
            .map(|name| name.trim().to_owned())
            .collect()
    };
    // The column stands before the table, where there is one.
    let is_about = |finding: &Finding| match (names.as_slice(), &finding.subject) {
        ([only], None) => finding.fact.contains(only),
        ([table], Some((found, _))) => found.name == *table,
        ([columns, table, ..], Some((found, column))) => {
            found.name == *table
                && (column.as_ref().is_some_and(|column| column == columns)
                    || listed(columns)
                        .iter()
                        .all(|column| finding.fact.contains(column.as_str())))
        }
        ([columns, ..], None) => finding.fact.contains(columns),
        ([], _) => false,
    };
    let said = its
        .iter()
        .find(|finding| rules.contains(&finding.rule.code) && is_about(finding));
    if let Some(said) = said {
        return format!("found: `{}`", said.rule.code);
    }
    excuse(tree, kind, &names).unwrap_or_else(|| "missed".to_owned())
}

/// Why nothing is found, where that is right; told from the script alone.
fn excuse(tree: &[Migration], kind: &str, names: &[&str]) -> Option<String> {
    let migration = tree.last()?;
    let deeds = || migration.changes.iter().map(|change| &change.deed);
    let is = |name: &Name, wanted: &str| name.name == wanted;
    let (column, table) = match names {
        [column, table, ..] => (*column, *table),
        [table] => ("", *table),
        [] => return None,
    };
    let makes_table = deeds()
        .any(|deed| matches!(deed, Deed::CreateTable { table: made, .. } if is(made, table)));
    if makes_table {
        return Some("the script makes the table itself".to_owned());
    }
    let is_emptied = deeds().any(
        |deed| matches!(deed, Deed::Delete { table: of, filtered: false, .. } if is(of, table)),
    );
    if is_emptied && !kind.starts_with("drops") {
        return Some("certain: the script deletes every row first".to_owned());
    }
    let added = |wanted: &str| -> Option<&Column> {
        deeds().find_map(|deed| match deed {
            Deed::AddColumn {
                table: to, column, ..
            } if is(to, table) && column.name == wanted => Some(column),
            _ => None,
        })
    };
    match kind {
        "adds a unique constraint" => {
            let columns: Vec<&str> = column
                .trim_matches(['[', ']'])
                .split(',')
                .map(str::trim)
                .collect();
            let is_written = deeds().any(|deed| match deed {
                Deed::CreateIndex {
                    table: on,
                    unique: true,
                    columns: its,
                    ..
                } => is(on, table) && *its == columns,
                Deed::AddConstraint {
                    table: on,
                    constraint,
                } => {
                    is(on, table)
                        && constraint.kind == ConstraintKind::Unique
                        && constraint.columns == columns
                }
                _ => false,
            });
            if !is_written {
                return Some("the script no longer does it: edited by hand".to_owned());
            }
            let empty = columns.iter().any(|column| {
                added(column).is_some_and(|column| column.default.is_none() && !column.not_null)
            });
            if empty {
                return Some(
                    "certain: the script adds the column, and it has no values yet".to_owned(),
                );
            }
            has_key(tree, table, &columns)
                .then(|| "certain: a key on some of these columns stands".to_owned())
        }
        "adds a required column" | "adds one with a default of Prisma's" => {
            let edited =
                added(column).is_none_or(|column| !column.not_null || column.default.is_some());
            edited.then(|| "the script no longer does it: edited by hand".to_owned())
        }
        "makes a column required" => {
            let does = deeds().any(|deed| matches!(deed, Deed::SetNotNull { table: of, column: its } if is(of, table) && its == column));
            let asks = format!("\"{column}\" IS NULL");
            let fills = deeds().any(|deed| match deed {
                Deed::Update {
                    table: of, columns, ..
                } => is(of, table) && columns.iter().any(|one| one == column),
                Deed::Delete { table: of, .. } => is(of, table) && migration.text.contains(&asks),
                _ => false,
            });
            if !does {
                Some("the script no longer does it: edited by hand".to_owned())
            } else if fills {
                Some("the script fills the column, or deletes such rows, first".to_owned())
            } else {
                None
            }
        }
        "drops a column" | "recreates a column" | "recreates a required column" => {
            let does = deeds().any(|deed| matches!(deed, Deed::DropColumn { table: of, column: its, .. } if is(of, table) && its == column));
            (!does).then(|| "the script no longer does it: edited by hand".to_owned())
        }
        "drops a table" => {
            let does =
                deeds().any(|deed| matches!(deed, Deed::Drop { name, .. } if is(name, table)));
            (!does).then(|| "the script no longer does it: edited by hand".to_owned())
        }
        "changes the primary key" => {
            let does = deeds().any(|deed| matches!(deed, Deed::AddConstraint { table: on, constraint } if is(on, table) && constraint.kind == ConstraintKind::PrimaryKey));
            if !does {
                return Some("the script no longer does it: edited by hand".to_owned());
            }
            let uses_index = deeds().any(|deed| matches!(deed, Deed::AddConstraint { table: on, constraint } if is(on, table) && constraint.using_index.is_some()));
            if uses_index {
                return Some("certain: a unique index on it stands".to_owned());
            }
            let columns: Vec<&str> = deeds()
                .filter_map(|deed| match deed {
                    Deed::AddConstraint {
                        table: on,
                        constraint,
                    } if is(on, table) && constraint.kind == ConstraintKind::PrimaryKey => {
                        Some(&constraint.columns)
                    }
                    _ => None,
                })
                .flatten()
                .map(String::as_str)
                .collect();
            has_key(tree, table, &columns)
                .then(|| "certain: a key on some of these columns stands".to_owned())
        }
        _ => None,
    }
}

/// Whether a script of the tree makes a key of a table on some of these columns.
fn has_key(tree: &[Migration], table: &str, columns: &[&str]) -> bool {
    let is_among = |its: &[String]| {
        !its.is_empty()
            && its.len() <= columns.len()
            && its.iter().all(|one| columns.contains(&one.as_str()))
    };
    let is_key =
        |kind: &ConstraintKind| matches!(kind, ConstraintKind::PrimaryKey | ConstraintKind::Unique);
    let changes = tree.iter().flat_map(|migration| &migration.changes);
    changes.map(|change| &change.deed).any(|deed| match deed {
        Deed::CreateTable {
            table: made,
            constraints,
            ..
        } if made.name == table => constraints
            .iter()
            .any(|constraint| is_key(&constraint.kind) && is_among(&constraint.columns)),
        Deed::AddConstraint {
            table: on,
            constraint,
        } if on.name == table => is_key(&constraint.kind) && is_among(&constraint.columns),
        _ => false,
    })
}
