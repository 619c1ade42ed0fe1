//! What a script destroys, as far as its text tells, in the words of a label.

use crate::model::entry::Engine;
use crate::model::rehearsal::COLUMN_ORDER;
use crate::sql::changes::{Change, Deed, Name, ObjectKind};

/// Whether rows, values or what holds them may be gone after it, or it does what cannot be read.
#[must_use]
pub fn destroys(changes: &[Change]) -> bool {
    fn one(deed: &Deed) -> bool {
        match deed {
            Deed::Drop { kind, cascade, .. } => *cascade || holds_rows(*kind),
            Deed::DropColumn { .. } | Deed::Truncate { .. } => true,
            Deed::Update {
                filtered,
                all_but_null,
                ..
            }
            | Deed::Delete {
                filtered,
                all_but_null,
                ..
            } => !filtered || all_but_null.is_some(),
            Deed::Insert { replaces, .. } => *replaces,
            Deed::Unknown { spelled, .. } => spelled.is_empty() || spelled.iter().any(one),
            _ => false,
        }
    }
    changes.iter().any(|change| one(&change.deed))
}

const fn holds_rows(kind: ObjectKind) -> bool {
    matches!(
        kind,
        ObjectKind::Table
            | ObjectKind::MaterializedView
            | ObjectKind::Schema
            | ObjectKind::Type
            | ObjectKind::Domain
            | ObjectKind::Sequence
            | ObjectKind::Extension
            | ObjectKind::ForeignTable
            | ObjectKind::Database
            | ObjectKind::Other
    )
}

/// The tables and columns whose values are gone after it, as a label names them; what the script itself made,
/// and what takes the place of something, is not among them.
#[must_use]
pub fn losses(engine: Engine, changes: &[Change]) -> Vec<String> {
    let mut lost = dropped(engine, changes);
    let made_here = |name: &Name| is_made_here(engine, changes, name);
    for change in changes {
        match &change.deed {
            Deed::Truncate { table, .. } | Deed::Delete { table, .. } if !made_here(table) => {
                lost.push(in_a_label(engine, table));
            }
            Deed::Update { table, columns, .. } if !made_here(table) => {
                lost.extend(
                    columns
                        .iter()
                        .map(|it| column_in_a_label(engine, table, it)),
                );
            }
            _ => {}
        }
    }
    // A column that is made again stands at the end.
    let is_column =
        |deed: &Deed| matches!(deed, Deed::DropColumn { table, .. } if !made_here(table));
    if changes.iter().any(|change| is_column(&change.deed)) {
        lost.push(COLUMN_ORDER.to_owned());
    }
    let mut once: Vec<String> = Vec::new();
    for name in lost {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    once
}

/// Those of them that are not there at all after it.
#[must_use]
pub fn dropped(engine: Engine, changes: &[Change]) -> Vec<String> {
    let made_here = |name: &Name| is_made_here(engine, changes, name);
    let of = |change: &Change| match &change.deed {
        Deed::Drop {
            kind: ObjectKind::Table,
            name,
            ..
        } if !made_here(name) => Some(in_a_label(engine, name)),
        Deed::DropColumn { table, column, .. } if !made_here(table) => {
            Some(column_in_a_label(engine, table, column))
        }
        _ => None,
    };
    changes.iter().filter_map(of).collect()
}

fn is_made_here(engine: Engine, changes: &[Change], name: &Name) -> bool {
    changes.iter().any(|change| match &change.deed {
        Deed::CreateTable { table, .. } => table.may_be(name, engine),
        // The rebuild of a table: another one gets its name.
        Deed::Rename {
            kind: ObjectKind::Table,
            to,
            ..
        } => Name::plain(to.clone()).may_be(name, engine),
        _ => false,
    })
}

pub(super) fn column_in_a_label(engine: Engine, table: &Name, column: &str) -> String {
    format!("{}.{}", in_a_label(engine, table), word(engine, column))
}

/// A name as a label has it: without quotes it is one in any case, so where PostgreSQL tells them apart it
/// gets its quotes.
pub(super) fn in_a_label(engine: Engine, name: &Name) -> String {
    match &name.schema {
        Some(schema) => format!("{}.{}", word(engine, schema), word(engine, &name.name)),
        None => word(engine, &name.name),
    }
}

fn word(engine: Engine, name: &str) -> String {
    let letter = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let is_plain = !name.is_empty()
        && name.chars().all(letter)
        && !name.starts_with(|c: char| c.is_ascii_digit());
    let is_one_in_any_case =
        engine == Engine::Sqlite || name.to_lowercase().as_str() == name && name != "column";
    if is_plain && is_one_in_any_case {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::DownLabel;
    use crate::sql::{analyse, changes::changes};

    fn of(script: &str) -> (Vec<String>, bool) {
        let analysis = analyse(Engine::Sqlite, script);
        let changes = changes(Engine::Sqlite, script, &analysis);
        (losses(Engine::Sqlite, &changes), destroys(&changes))
    }

    #[test]
    fn what_is_gone_is_named_as_a_label_names_it() {
        for (script, lost, destroys) in [
            ("DROP TABLE users;", "users", true),
            (
                "DROP INDEX i; ALTER TABLE \"the users\" DROP COLUMN email;",
                "\"the users\".email, column order",
                true,
            ),
            ("DELETE FROM a; DELETE FROM a WHERE b = 1;", "a", true),
            ("UPDATE a SET b = 1, c = 2;", "a.b, a.c", true),
            ("CREATE TABLE a (b); DROP INDEX i;", "", false),
            (
                "CREATE TABLE new_a (b); INSERT INTO new_a SELECT b FROM a; DROP TABLE a; ALTER TABLE new_a RENAME TO a;",
                "",
                true,
            ),
        ] {
            assert_eq!(
                of(script),
                (
                    lost.split(", ")
                        .filter(|it| !it.is_empty())
                        .map(str::to_owned)
                        .collect(),
                    destroys
                ),
                "{script}"
            );
            if !lost.is_empty() {
                let label = DownLabel::read(&format!("-- tollgate:down lossy: {lost}"));
                assert_eq!(
                    label.map(|label| label.losses().join(", ")),
                    Ok(lost.to_owned())
                );
            }
        }
    }
}
