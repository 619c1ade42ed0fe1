//! The locks of PostgreSQL 15, and what makes it read or write a whole table.
//!
//! | statement | lock | work |
//! | --- | --- | --- |
//! | `CREATE INDEX`; with `CONCURRENTLY` | SHARE; SHARE UPDATE EXCLUSIVE | reads |
//! | `DROP INDEX`; with `CONCURRENTLY` | ACCESS EXCLUSIVE; SHARE UPDATE EXCLUSIVE | |
//! | `DROP TABLE`, `TRUNCATE` | ACCESS EXCLUSIVE | |
//! | `ADD COLUMN` | ACCESS EXCLUSIVE | writes where each row gets a value of its own (volatile default, identity, serial, stored expression); reads for a check, a unique column, NOT NULL without a default |
//! | `ALTER COLUMN TYPE` | ACCESS EXCLUSIVE | writes, unless the bytes stay what they are (a longer `varchar`, `text`, more digits of `numeric` at the same scale, more digits of a second) |
//! | `SET NOT NULL` | ACCESS EXCLUSIVE | reads |
//! | foreign key | SHARE ROW EXCLUSIVE, on both tables | reads, unless NOT VALID |
//! | `CHECK` | ACCESS EXCLUSIVE | reads, unless NOT VALID |
//! | `UNIQUE`, `PRIMARY KEY`, `EXCLUDE` | ACCESS EXCLUSIVE | reads, unless USING INDEX |
//! | `VALIDATE CONSTRAINT`, `ATTACH PARTITION` | SHARE UPDATE EXCLUSIVE | reads |
//! | `SET STATISTICS`, `SET (...)`, `CLUSTER ON` | SHARE UPDATE EXCLUSIVE | |
//! | triggers, made, enabled and disabled | SHARE ROW EXCLUSIVE | |
//! | `SET LOGGED`, `SET TABLESPACE`, `SET ACCESS METHOD` | ACCESS EXCLUSIVE | writes |
//! | every other `ALTER TABLE`; renames | ACCESS EXCLUSIVE | |
//! | `INSERT`, `UPDATE`, `DELETE` | ROW EXCLUSIVE | writes, where no WHERE stands |

use super::{Part, table_of, volatile};
use crate::lint::Work::{self, None as Nothing, Rewrite, Scan};
use crate::lint::at::At;
use crate::sql::changes::{Column, ConstraintKind, Deed, Name, ObjectKind};

const ROW_EXCLUSIVE: &str = "ROW EXCLUSIVE";
const SHARE_UPDATE_EXCLUSIVE: &str = "SHARE UPDATE EXCLUSIVE";
const SHARE: &str = "SHARE";
const SHARE_ROW_EXCLUSIVE: &str = "SHARE ROW EXCLUSIVE";
const ACCESS_EXCLUSIVE: &str = "ACCESS EXCLUSIVE";

/// What a change does to what stood.
pub(super) fn part(at: &At<'_>) -> Part {
    let taken = |lock: &'static str, work: Work| Part {
        table: table_of(at.deed).cloned(),
        lock: Some(lock),
        work,
    };
    // A new table that refers to an old one locks that one.
    let is_old = |table: &Name| at.picture.is_old_table(table);
    if let Deed::CreateTable {
        table,
        columns,
        constraints,
        ..
    } = at.deed
    {
        let keys = constraints
            .iter()
            .filter_map(|constraint| match &constraint.kind {
                ConstraintKind::Foreign(to) => Some(to),
                _ => None,
            });
        let inline = columns
            .iter()
            .filter_map(|column| column.references.as_ref());
        // A table may refer to itself.
        let mut others = keys.chain(inline).filter(|to| !at.same(to, table));
        return if others.any(is_old) {
            Part {
                table: None,
                ..taken(SHARE_ROW_EXCLUSIVE, Nothing)
            }
        } else {
            Part::default()
        };
    }
    if let Some(table) = table_of(at.deed) {
        if at.picture.is_old_table(table) {
            return of_table(at, &taken);
        }
        if let Deed::AddConstraint { constraint, .. } = at.deed
            && let ConstraintKind::Foreign(to) = &constraint.kind
            && is_old(to)
        {
            return taken(SHARE_ROW_EXCLUSIVE, Nothing);
        }
        return Part::default();
    }
    of_object(at, &taken)
}

fn of_table(at: &At<'_>, taken: &dyn Fn(&'static str, Work) -> Part) -> Part {
    match at.deed {
        Deed::CreateIndex {
            concurrently: true, ..
        }
        | Deed::ValidateConstraint { .. } => taken(SHARE_UPDATE_EXCLUSIVE, Scan),
        Deed::CreateIndex { .. } => taken(SHARE, Scan),
        Deed::AddColumn { column, .. } => taken(ACCESS_EXCLUSIVE, added(column)),
        Deed::SetType {
            table,
            column,
            ty,
            using,
        } => {
            let old = at
                .picture
                .column(table, column)
                .map(|known| known.ty.as_str());
            let is_cast = using
                .as_deref()
                .is_none_or(|using| !using.contains('(') || using.contains("::"));
            let stays = is_cast && old.is_some_and(|old| keeps_bytes(old, ty));
            taken(ACCESS_EXCLUSIVE, if stays { Nothing } else { Rewrite })
        }
        Deed::SetNotNull { table, column } => {
            let is_already = at
                .picture
                .column(table, column)
                .is_some_and(|known| known.not_null);
            taken(ACCESS_EXCLUSIVE, if is_already { Nothing } else { Scan })
        }
        Deed::AddConstraint { constraint, .. } => {
            let work = if constraint.not_valid || constraint.using_index.is_some() {
                Nothing
            } else {
                Scan
            };
            match constraint.kind {
                ConstraintKind::Foreign(_) => taken(SHARE_ROW_EXCLUSIVE, work),
                _ => taken(ACCESS_EXCLUSIVE, work),
            }
        }
        Deed::AlterTable { what, .. } => {
            let (lock, work) = other_action(what);
            taken(lock, work)
        }
        Deed::Insert { .. } => taken(ROW_EXCLUSIVE, Nothing),
        Deed::Update { filtered, .. } | Deed::Delete { filtered, .. } => {
            taken(ROW_EXCLUSIVE, if *filtered { Nothing } else { Rewrite })
        }
        _ => taken(ACCESS_EXCLUSIVE, Nothing),
    }
}

/// What adding a column does to the rows.
fn added(column: &Column) -> Work {
    let default = column.default.as_deref();
    if column.is_identity || column.is_generated || default.is_some_and(volatile::may_differ) {
        Rewrite
    } else if column.check
        || column.unique
        || column.primary_key
        || (column.not_null && default.is_none())
        || (column.references.is_some() && default.is_some())
    {
        Scan
    } else {
        Nothing
    }
}

fn other_action(what: &str) -> (&'static str, Work) {
    let begins = |words: &[&str]| words.iter().any(|word| what.starts_with(word));
    if begins(&[
        "SET LOGGED",
        "SET UNLOGGED",
        "SET TABLESPACE",
        "SET ACCESS METHOD",
        "ALTER COLUMN SET EXPRESSION",
    ]) {
        (ACCESS_EXCLUSIVE, Rewrite)
    } else if begins(&["ATTACH PARTITION"]) {
        (SHARE_UPDATE_EXCLUSIVE, Scan)
    } else if begins(&[
        "ENABLE TRIGGER",
        "DISABLE TRIGGER",
        "ENABLE REPLICA",
        "ENABLE ALWAYS",
        "ALTER CONSTRAINT",
    ]) {
        (SHARE_ROW_EXCLUSIVE, Nothing)
    } else if begins(&[
        "ALTER COLUMN SET STATISTICS",
        "CLUSTER ON",
        "SET WITHOUT CLUSTER",
    ]) || what == "SET"
        || what == "RESET"
    {
        (SHARE_UPDATE_EXCLUSIVE, Nothing)
    } else {
        (ACCESS_EXCLUSIVE, Nothing)
    }
}

fn of_object(at: &At<'_>, taken: &dyn Fn(&'static str, Work) -> Part) -> Part {
    match at.deed {
        Deed::Drop {
            kind: ObjectKind::Index,
            name,
            concurrently,
            ..
        } => {
            let is_old = match at.picture.index(name) {
                Some(index) => at.picture.is_old_table(&index.table),
                None => true,
            };
            match (is_old, concurrently) {
                (false, _) => Part::default(),
                (true, true) => taken(SHARE_UPDATE_EXCLUSIVE, Nothing),
                (true, false) => taken(ACCESS_EXCLUSIVE, Nothing),
            }
        }
        Deed::Create {
            kind: ObjectKind::Trigger,
            on: Some(table),
            ..
        } if at.picture.is_old_table(table) => taken(SHARE_ROW_EXCLUSIVE, Nothing),
        Deed::Create {
            kind: ObjectKind::Policy | ObjectKind::Rule,
            on: Some(table),
            ..
        }
        | Deed::Drop {
            on: Some(table), ..
        }
        | Deed::Rename {
            on: Some(table), ..
        } if at.picture.is_old_table(table) => taken(ACCESS_EXCLUSIVE, Nothing),
        Deed::Drop {
            kind:
                kind @ (ObjectKind::View
                | ObjectKind::MaterializedView
                | ObjectKind::Sequence
                | ObjectKind::Schema),
            name,
            ..
        } if at.picture.is_old_other(*kind, name) => taken(ACCESS_EXCLUSIVE, Nothing),
        Deed::Rename {
            kind: ObjectKind::Index,
            ..
        } => taken(SHARE_UPDATE_EXCLUSIVE, Nothing),
        Deed::Other { what } => match what.as_str() {
            "VACUUM FULL" | "CLUSTER" => taken(ACCESS_EXCLUSIVE, Rewrite),
            "REFRESH MATERIALIZED" | "LOCK" | "LOCK TABLE" => taken(ACCESS_EXCLUSIVE, Nothing),
            "REINDEX TABLE" | "REINDEX INDEX" | "REINDEX SCHEMA" => taken(SHARE, Scan),
            _ => Part::default(),
        },
        _ => Part::default(),
    }
}

/// Whether a type's values keep their bytes as another one, so that nothing is written.
fn keeps_bytes(old: &str, new: &str) -> bool {
    let read = |text: &str| {
        let text = text.to_ascii_lowercase();
        let name = text.split('(').next().unwrap_or_default().trim().to_owned();
        let numbers: Vec<u32> = text
            .split_once('(')
            .and_then(|(_, rest)| rest.split_once(')'))
            .map(|(inner, _)| {
                inner
                    .split(',')
                    .filter_map(|one| one.trim().parse().ok())
                    .collect()
            })
            .unwrap_or_default();
        let rest = text
            .split_once(')')
            .map_or("", |(_, rest)| rest)
            .trim()
            .to_owned();
        let name = match name.as_str() {
            "character varying" => "varchar".to_owned(),
            "int4" | "serial" | "integer" => "int".to_owned(),
            "int8" | "bigserial" => "bigint".to_owned(),
            "decimal" => "numeric".to_owned(),
            _ => name,
        };
        (name, numbers, rest)
    };
    let ((old, old_numbers, old_rest), (new, new_numbers, new_rest)) = (read(old), read(new));
    if old_rest != new_rest {
        return false;
    }
    let longer = |place: usize, none: u32| {
        let at = |numbers: &[u32]| numbers.get(place).copied().unwrap_or(none);
        at(&new_numbers) >= at(&old_numbers)
    };
    match (old.as_str(), new.as_str()) {
        ("varchar" | "text", "text") | ("text", "varchar") if new_numbers.is_empty() => true,
        ("varchar", "varchar") => longer(0, u32::MAX),
        ("numeric", "numeric") => {
            new_numbers.is_empty()
                || (longer(0, u32::MAX)
                    && old_numbers.get(1).unwrap_or(&0) == new_numbers.get(1).unwrap_or(&0)
                    && !old_numbers.is_empty())
        }
        ("timestamp", "timestamp") | ("timestamptz", "timestamptz") | ("time", "time") => {
            longer(0, 6)
        }
        ("cidr", "inet") => true,
        (old, new) => old == new && old_numbers == new_numbers,
    }
}
