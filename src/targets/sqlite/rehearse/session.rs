//! What one script leaves on the connection for the next, which in earnest has one of its own.

use rusqlite::types::Value;
use rusqlite::{Connection, params};

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

fn is_there(connection: &Connection) -> rusqlite::Result<bool> {
    connection.table_exists(Some("main"), "sqlite_sequence")
}
