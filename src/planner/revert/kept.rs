//! What a migration took with it, and which backup still has it.

use std::collections::BTreeMap;

use super::losses::{column_in_a_label, in_a_label, losses};
use crate::ledger::view::{Backup, EnvironmentView};
use crate::model::MigrationId;
use crate::model::entry::{BackupKind, Engine};
use crate::model::rehearsal::COLUMN_ORDER;
use crate::sql::{
    analyse,
    changes::{Change, Deed, Name, changes},
};

/// What the migration itself destroyed and its reversal brings back empty at best, by table and column, as far
/// as the texts tell. Where the reversal writes rows into the table it may well fill it again, and it is its
/// label that tells.
#[must_use]
pub fn destroyed(engine: Engine, up: &str, down: Option<&str>) -> Vec<String> {
    let read = |script: &str| changes(engine, script, &analyse(engine, script));
    let down: Vec<Change> = down.map(read).unwrap_or_default();
    let fills = |name: &String| {
        down.iter().any(|change| match &change.deed {
            Deed::Insert { table, .. } | Deed::Update { table, .. } => {
                let table = in_a_label(engine, table);
                *name == table || name.starts_with(&format!("{table}."))
            }
            _ => false,
        })
    };
    let up = read(up);
    // A column that the script itself added had nothing in it, and rows that it chose may have had nothing either.
    let had_nothing = |name: &String| {
        let is = |table: &Name, column: &str| *name == column_in_a_label(engine, table, column);
        up.iter().any(|change| match &change.deed {
            Deed::AddColumn { table, column, .. } => is(table, &column.name),
            Deed::Update {
                table,
                columns,
                filtered: true,
                ..
            } => columns.iter().any(|column| is(table, column)),
            _ => false,
        })
    };
    let mut lost = losses(engine, &up);
    lost.retain(|name| name != COLUMN_ORDER && !fills(name) && !had_nothing(name));
    lost
}

/// The backups of an environment's target of which nobody said that they are not good: the newest word on a
/// file counts.
#[must_use]
pub fn good_backups(here: &EnvironmentView) -> Vec<&Backup> {
    let mut files: BTreeMap<&str, &Backup> = BTreeMap::new();
    let mut all = Vec::new();
    for backup in &here.backups {
        match &backup.entry.what {
            BackupKind::File { file, .. } => {
                files.insert(file, backup);
            }
            BackupKind::Attested { .. } => all.push(backup),
        }
    }
    all.extend(files.into_values());
    all.retain(|backup| !matches!(&backup.entry.what, BackupKind::File { bad: Some(_), .. }));
    all
}

/// The newest backup that is a file and was taken before the migration ran there.
#[must_use]
pub fn file_before<'a>(here: &'a EnvironmentView, migration: &MigrationId) -> Option<&'a str> {
    let ran = here.applied.get(migration)?.receipt.seq;
    let good = good_backups(here).into_iter();
    let before = good.filter(|backup| {
        let newest = backup.entry.receipt.as_ref();
        newest.is_none_or(|newest| newest.seq < ran)
    });
    let file = |backup: &'a Backup| match &backup.entry.what {
        BackupKind::File { file, .. } => Some((backup.entry.taken, file.as_str())),
        BackupKind::Attested { .. } => None,
    };
    before.filter_map(file).max().map(|(_, file)| file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_reversal_brings_back_empty_is_told_and_what_it_fills_is_its_labels() {
        let drop = "ALTER TABLE users DROP COLUMN email; DROP TABLE old;";
        let of = |down: &str| destroyed(Engine::Sqlite, drop, Some(down));
        let empty = "CREATE TABLE old (id); ALTER TABLE users ADD COLUMN email TEXT;";
        assert_eq!(of(empty), ["users.email", "old"]);
        assert_eq!(
            of(&format!(
                "{empty} UPDATE users SET email = (SELECT e FROM kept);"
            )),
            ["old"]
        );
        assert_eq!(destroyed(Engine::Sqlite, drop, None).len(), 2);
        for nothing in [
            "ALTER TABLE a ADD COLUMN b; UPDATE a SET b = 1;",
            "UPDATE a SET b = 1 WHERE b IS NULL;",
        ] {
            assert!(
                destroyed(Engine::Sqlite, nothing, None).is_empty(),
                "{nothing}"
            );
        }
        assert_eq!(
            destroyed(Engine::Sqlite, "UPDATE a SET b = 1;", None),
            ["a.b"]
        );
    }
}
