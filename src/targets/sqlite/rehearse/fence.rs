//! What a script may not do while it is rehearsed, and what it was seen to write.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// Asked by SQLite about each statement, triggers and all, when it is prepared. It stands only while a
/// script runs.
#[derive(Debug)]
pub(super) struct Fence {
    /// The tables that statements write rows of, in lower case.
    written: Arc<Mutex<BTreeSet<String>>>,
}

impl Fence {
    pub(super) fn raise(connection: &mut Connection) -> rusqlite::Result<Self> {
        let fence = Self {
            written: Arc::default(),
        };
        let written = Arc::clone(&fence.written);
        connection.authorizer(Some(move |context: AuthContext<'_>| match context.action {
            AuthAction::Transaction { .. }
            | AuthAction::Attach { .. }
            | AuthAction::Detach { .. } => Authorization::Deny,
            AuthAction::Insert { table_name }
            | AuthAction::Delete { table_name }
            | AuthAction::Update { table_name, .. } => {
                let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
                written.insert(table_name.to_ascii_lowercase());
                Authorization::Allow
            }
            _ => Authorization::Allow,
        }))?;
        Ok(fence)
    }

    pub(super) fn lower(&self, connection: &mut Connection) -> rusqlite::Result<()> {
        connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>)
    }

    /// One of these tables that a statement writes rows of.
    pub(super) fn written<'a>(&self, tables: &'a [String]) -> Option<&'a String> {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        tables.iter().find(|table| written.contains(*table))
    }
}

/// The tables at either end of a foreign key, in lower case.
pub(super) fn family(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    connection
        .prepare(include_str!("family.sql"))?
        .query_map([], |row| row.get(0))?
        .collect()
}
