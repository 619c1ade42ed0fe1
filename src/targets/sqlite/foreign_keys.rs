//! Rows that point nowhere, before and after a script that ran without foreign keys.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::errors;
use crate::targets::ScriptError;

/// What `PRAGMA foreign_key_check` says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Violations {
    /// How often each row (table, rowid, parent) points nowhere.
    Rows(BTreeMap<(String, Option<i64>, String), u64>),
    /// The check itself fails, for instance where a parent has no unique index.
    Unchecked(String),
}

impl Violations {
    pub(super) fn read(connection: &Connection) -> Self {
        match read(connection) {
            Ok(rows) => Self::Rows(rows),
            Err(error) => Self::Unchecked(errors::message(&error)),
        }
    }

    /// What a script added to `before`; `None` where it added nothing. A database that was not
    /// clean before may stay as it was.
    pub(super) fn added_since(&self, before: &Self) -> Option<ScriptError> {
        let nothing = BTreeMap::new();
        let message = match (self, before) {
            (Self::Unchecked(now), Self::Unchecked(then)) if now == then => return None,
            (Self::Unchecked(now), _) => format!("the foreign keys cannot be checked: {now}"),
            (Self::Rows(now), before) => {
                let then = match before {
                    Self::Rows(then) => then,
                    Self::Unchecked(_) => &nothing,
                };
                let mut added = now
                    .iter()
                    .filter(|(row, count)| then.get(*row).is_none_or(|before| before < count));
                let ((table, rowid, parent), _) = added.next()?;
                let row = rowid.map_or_else(|| "a row".to_owned(), |rowid| format!("row {rowid}"));
                let more = match added.count() {
                    0 => String::new(),
                    more => format!(", and {more} more"),
                };
                format!(
                    "the script leaves rows that point nowhere: {row} of {table} has no row in \
                     {parent}{more}"
                )
            }
        };
        Some(ScriptError {
            code: Some("SQLITE_CONSTRAINT_FOREIGNKEY".to_owned()),
            ..errors::own(message)
        })
    }
}

type Rows = BTreeMap<(String, Option<i64>, String), u64>;

fn read(connection: &Connection) -> rusqlite::Result<Rows> {
    let mut statement = connection.prepare("PRAGMA foreign_key_check")?;
    let mut rows = statement.query([])?;
    let mut out = BTreeMap::new();
    while let Some(row) = rows.next()? {
        *out.entry((row.get(0)?, row.get(1)?, row.get(2)?))
            .or_default() += 1;
    }
    Ok(out)
}
