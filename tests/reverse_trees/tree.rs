//! A tree of migrations, and the database that it is run on.

use std::path::Path;

use rusqlite::Connection;
use tollgate::model::entry::Engine;
use tollgate::model::schema::Schema;
use tollgate::sql::{Analysis, StatementKind, analyse};
use tollgate::targets::Target;
use tollgate::targets::sqlite::comparable;

use crate::support::{Database, run};

/// The scripts of a tree, in the order in which they run.
#[allow(dead_code, reason = "not every crate that runs scripts reads a tree")]
pub(crate) fn scripts(folder: &Path) -> Vec<(String, String)> {
    let mut scripts: Vec<(String, String)> = std::fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .filter_map(|entry| {
            let entry = entry.unwrap();
            let script = std::fs::read_to_string(entry.path().join("migration.sql")).ok()?;
            Some((entry.file_name().to_string_lossy().into_owned(), script))
        })
        .collect();
    scripts.sort();
    scripts
}

/// A database of its own for a tree.
pub(crate) enum Place {
    Postgresql(Database),
    Sqlite(tempfile::TempDir),
}

impl Place {
    pub(crate) fn new(engine: Engine) -> Self {
        match engine {
            Engine::Postgresql => Self::Postgresql(Database::new()),
            Engine::Sqlite => Self::Sqlite(tempfile::tempdir().unwrap()),
        }
    }

    pub(crate) const fn engine(&self) -> Engine {
        match self {
            Self::Postgresql(_) => Engine::Postgresql,
            Self::Sqlite(_) => Engine::Sqlite,
        }
    }

    pub(crate) fn schema(&self) -> Schema {
        match self {
            Self::Postgresql(database) => database.open().schema().unwrap(),
            Self::Sqlite(folder) => {
                let mut target =
                    tollgate::targets::sqlite::open(&folder.path().join("a.db")).unwrap();
                comparable(&target.schema().unwrap())
            }
        }
    }

    /// Runs a script as a whole, or, where it cannot stand in a transaction, a statement at a time.
    pub(crate) fn run(&self, script: &str) -> Result<(), String> {
        let analysis = analyse(self.engine(), script);
        match self {
            Self::Postgresql(database) => {
                let url = database.superuser_url();
                let pieces = match &analysis {
                    Analysis::Analysed(statements)
                        if (statements.iter())
                            .any(|it| matches!(it.kind, StatementKind::NotWrappable(_))) =>
                    {
                        statements
                            .iter()
                            .map(|it| &script[it.range.clone()])
                            .collect()
                    }
                    _ => vec![script],
                };
                for piece in pieces {
                    run(&url, piece)?;
                }
                Ok(())
            }
            Self::Sqlite(folder) => {
                let connection = Connection::open(folder.path().join("a.db")).unwrap();
                let off = analysis.statements().is_some_and(|statements| {
                    (statements.iter()).any(|it| it.kind == StatementKind::ForeignKeys(false))
                });
                let on = if off { "OFF" } else { "ON" };
                connection
                    .execute_batch(&format!("PRAGMA foreign_keys = {on}; BEGIN;"))
                    .map_err(|error| error.to_string())?;
                // What is not committed is rolled back with the connection.
                connection
                    .execute_batch(script)
                    .and_then(|()| connection.execute_batch("COMMIT"))
                    .map_err(|error| error.to_string())
            }
        }
    }
}
