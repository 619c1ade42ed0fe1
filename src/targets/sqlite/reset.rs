//! Emptying a file: everything that is not tollgate's, and a new life, in one transaction.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::{errors, store};
use crate::model::{EnvironmentName, IncarnationId};
use crate::targets::reset::{add, after};
use crate::targets::{Earlier, Emptied, Inventory, TargetError, TargetErrorKind};

/// Everything that is the application's. The tables behind a virtual one go with it, and cannot be
/// dropped alone; so do the indexes and triggers of a table, but one on tollgate's own is its own.
const OBJECTS: &str = include_str!("objects.sql");

/// What would go. Nothing of the application's ever stays.
pub(super) fn inventory(path: &Path, connection: &Connection) -> Result<Inventory, TargetError> {
    objects(connection)
        .map(|objects| counted(&objects))
        .map_err(|error| errors::target(path, &error))
}

/// Drops it, archives the receipts and begins a new life. All of it or nothing.
pub(super) fn empty(
    path: &Path,
    connection: &mut Connection,
    environment: &EnvironmentName,
    incarnation: IncarnationId,
) -> Result<Emptied, TargetError> {
    let told = |error: rusqlite::Error| {
        let error = errors::target(path, &error);
        TargetError {
            fact: format!("{}; {}", error.fact, after(error.kind)),
            ..error
        }
    };
    // Outside a transaction, or it does nothing: the order in which tables go must not matter.
    connection
        .pragma_update(None, "foreign_keys", false)
        .map_err(told)?;
    let change = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(told)?;
    let objects = objects(&change).map_err(told)?;
    for object in &objects {
        let name = object.name.replace('"', "\"\"");
        let sql = format!("DROP {} IF EXISTS main.\"{name}\"", object.word());
        change.execute_batch(&sql).map_err(|error| {
            let message = errors::message(&error);
            if message.contains("no such module") {
                no_module(path, &object.name, &message)
            } else {
                told(error)
            }
        })?;
    }
    change
        .execute_batch(include_str!("schema.sql"))
        .and_then(|()| {
            store::begin_life(&change, environment, incarnation, Earlier::Archive, "reset")
        })
        // What a script may have written into the file's header.
        .and_then(|()| {
            change.execute_batch("PRAGMA main.user_version = 0; PRAGMA main.application_id = 0")
        })
        .and_then(|()| change.commit())
        .map_err(told)?;
    Ok(Emptied {
        identity: store::identity_of(path, incarnation),
        inventory: counted(&objects),
    })
}

/// A virtual table can only be dropped by the module that made it.
fn no_module(path: &Path, table: &str, message: &str) -> TargetError {
    let file = path.display().to_string().replace('\'', r"'\''");
    TargetError {
        kind: TargetErrorKind::Other,
        fact: format!(
            "the virtual table {table} cannot be dropped: {message}; {}",
            after(TargetErrorKind::Other)
        ),
        remedy: Some(format!(
            "rm '{file}'   # a file that is gone is seen as a target that was reset"
        )),
    }
}

struct Object {
    kind: String,
    name: String,
}

impl Object {
    fn word(&self) -> &str {
        if self.kind == "virtual table" {
            "TABLE"
        } else {
            &self.kind
        }
    }
}

fn objects(connection: &Connection) -> rusqlite::Result<Vec<Object>> {
    connection
        .prepare(OBJECTS)?
        .query_map([], |row| {
            Ok(Object {
                kind: row.get(0)?,
                name: row.get(1)?,
            })
        })?
        .collect()
}

fn counted(objects: &[Object]) -> Inventory {
    let mut inventory = Inventory::default();
    for object in objects {
        add(&mut inventory.goes, None, &object.kind, None, 1);
    }
    inventory.goes.sort();
    inventory
}
