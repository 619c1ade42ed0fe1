//! What one script leaves on the connection for the next, which in earnest has one of its own.

use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{Connection, params};

use crate::targets::Fault;
use crate::targets::sqlite::fingerprint::quoted;

/// What a script may set and SQLite tells, as whole numbers. None of them lasts; `foreign_keys` cannot be
/// set inside a transaction.
const SETTINGS: [&str; 11] = [
    "automatic_index",
    "cache_size",
    "cell_size_check",
    "defer_foreign_keys",
    "ignore_check_constraints",
    "legacy_alter_table",
    "query_only",
    "read_uncommitted",
    "recursive_triggers",
    "reverse_unordered_selects",
    "trusted_schema",
];

/// The settings that every script starts from.
#[derive(Debug)]
pub(super) struct Session {
    settings: Vec<(&'static str, i64)>,
}

impl Session {
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Self> {
        let read = SETTINGS.iter().map(|name| {
            let value = connection.pragma_query_value(None, name, |row| row.get(0))?;
            Ok((*name, value))
        });
        Ok(Self {
            settings: read.collect::<rusqlite::Result<_>>()?,
        })
    }

    /// Sets them again, and drops what is temporary.
    pub(super) fn restore(&self, connection: &Connection) -> rusqlite::Result<()> {
        for (name, value) in &self.settings {
            connection.pragma_update(None, name, value)?;
        }
        // SQLite does not tell this one.
        connection.pragma_update(None, "case_sensitive_like", false)?;
        let temporary: Vec<(String, String)> = connection
            .prepare(include_str!("temporary.sql"))?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        for (kind, name) in temporary {
            let name = quoted(&name);
            connection.execute_batch(&format!("DROP {kind} IF EXISTS temp.{name}"))?;
        }
        Ok(())
    }
}

/// The last numbers of tables with AUTOINCREMENT. Rolled back with everything else, but a script and its
/// reversal within one transaction leave them further on.
#[derive(Debug)]
pub(super) struct Sequences {
    rows: Vec<(Value, Value)>,
}

impl Sequences {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        if !is_there(connection)? {
            return Ok(Self { rows: Vec::new() });
        }
        let rows = connection
            .prepare("SELECT name, seq FROM main.sqlite_sequence")?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        Ok(Self { rows })
    }

    /// Sets all of them to what they were.
    pub(super) fn restore(&self, connection: &Connection) -> rusqlite::Result<()> {
        // The table comes with the first that needs it, and stays.
        if !is_there(connection)? {
            return Ok(());
        }
        connection.execute("DELETE FROM main.sqlite_sequence", [])?;
        for (name, seq) in &self.rows {
            connection.execute(
                "INSERT INTO main.sqlite_sequence (name, seq) VALUES (?1, ?2)",
                params![name, seq],
            )?;
        }
        Ok(())
    }
}

/// The last number that each table with AUTOINCREMENT gave away.
#[derive(Debug)]
pub(super) struct Numbers(BTreeMap<String, i64>);

impl Numbers {
    pub(super) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        if !is_there(connection)? {
            return Ok(Self(BTreeMap::new()));
        }
        let kept: Vec<(String, Option<Value>)> = connection
            .prepare(include_str!("numbered.sql"))?
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<rusqlite::Result<_>>()?;
        let mut out = BTreeMap::new();
        for (name, seq) in kept {
            let sql = format!("SELECT max(_rowid_) FROM main.{}", quoted(&name));
            let newest = connection.query_row(&sql, [], |row| row.get(0))?;
            // SQLite goes on behind the greater of the two.
            let last = whole(seq).max(whole(newest)).max(0);
            out.insert(name, last);
        }
        Ok(Self(out))
    }

    /// The tables that would give away numbers once more that they gave away before.
    pub(super) fn behind(&self, before: &Self) -> Vec<Fault> {
        let stand = before.0.iter().filter_map(|(name, was)| {
            let is = self.0.get(name)?;
            (is < was).then(|| Fault {
                subject: name.clone(),
                what: format!(
                    "its next number is {} afterwards, and was {}",
                    is.saturating_add(1),
                    was.saturating_add(1)
                ),
            })
        });
        stand.collect()
    }
}

/// What is no whole number counts as none.
fn whole(value: Option<Value>) -> i64 {
    match value {
        Some(Value::Integer(number)) => number,
        _ => 0,
    }
}

fn is_there(connection: &Connection) -> rusqlite::Result<bool> {
    connection.table_exists(Some("main"), "sqlite_sequence")
}
