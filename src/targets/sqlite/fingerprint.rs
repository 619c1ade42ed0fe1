//! The schema's fingerprint: what stands in the file, and what was kept of it.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

use super::{errors, store};
use crate::model::entry::ReceiptRef;
use crate::model::{Schema, SchemaObject};
use crate::targets::fingerprint::READING;
use crate::targets::{KeptSchema, TargetError, TargetErrorKind};

const OBJECTS: &str = include_str!("schema_objects.sql");
const COLUMNS: &str = include_str!("schema_columns.sql");
const TABLE: &str = include_str!("fingerprint.sql");

/// What stands there, of one moment.
pub(super) fn read(path: &Path, connection: &mut Connection) -> Result<Schema, TargetError> {
    let objects = connection
        .transaction()
        .and_then(|moment| objects(&moment))
        .map_err(|error| errors::target(path, &error))?;
    schema(path, objects)
}

/// The objects as a schema.
pub(super) fn schema(path: &Path, objects: Vec<SchemaObject>) -> Result<Schema, TargetError> {
    Schema::new(objects).map_err(|error| TargetError {
        kind: TargetErrorKind::Other,
        fact: format!("{}: {error}", path.display()),
        remedy: None,
    })
}

/// What stands there, in the transaction that is open.
pub(super) fn objects(connection: &Connection) -> rusqlite::Result<Vec<SchemaObject>> {
    let mut out = Vec::new();
    let mut found = connection.prepare(OBJECTS)?;
    let mut rows = found.query([])?;
    while let Some(row) = rows.next()? {
        let (kind, name, sql) = (text(row, 0)?, text(row, 1)?, text(row, 3)?);
        let mut object = SchemaObject::new(&kind, &name);
        match &*kind {
            "table" if !is_virtual(&sql) => columns(connection, &mut object)?,
            "index" | "trigger" => object.push("table", &text(row, 2)?),
            _ => {}
        }
        object.push("sql", &sql);
        out.push(object);
    }
    Ok(out)
}

/// A line for each column: the text of a table alone does not show at once which of them changed.
fn columns(connection: &Connection, table: &mut SchemaObject) -> rusqlite::Result<()> {
    let mut found = connection.prepare_cached(COLUMNS)?;
    let mut rows = found.query([&table.name.clone()])?;
    while let Some(row) = rows.next()? {
        // Beside the key, which has no colon and no line feed, whatever the column is called.
        let mut words = vec![quoted(&text(row, 0)?), text(row, 1)?];
        if row.get(2)? {
            words.push("NOT NULL".to_owned());
        }
        if row.get_ref(3)? != ValueRef::Null {
            words.push(format!("DEFAULT {}", text(row, 3)?));
        }
        match row.get(4)? {
            0 => {}
            place => words.push(format!("PRIMARY KEY {place}")),
        }
        match row.get(5)? {
            2 => words.push("GENERATED VIRTUAL".to_owned()),
            3 => words.push("GENERATED STORED".to_owned()),
            _ => {}
        }
        words.retain(|word| !word.is_empty());
        table.push("column", &words.join(" "));
    }
    Ok(())
}

pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The columns of a virtual table are its module's, which may not be at hand.
fn is_virtual(sql: &str) -> bool {
    let mut words = sql.split_whitespace().map(str::to_ascii_uppercase);
    words.next().as_deref() == Some("CREATE") && words.next().as_deref() == Some("VIRTUAL")
}

/// A file may hold names that are no UTF-8.
pub(super) fn text(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(column)? {
        ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    })
}

/// Keeps it beside the newest receipt: all of it or nothing.
pub(super) fn keep(
    path: &Path,
    connection: &mut Connection,
    receipt: ReceiptRef,
    schema: &Schema,
) -> Result<(), TargetError> {
    let body = schema.to_text();
    let seq = store::signed(receipt.seq);
    connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .and_then(|change| {
            change.execute_batch(TABLE)?;
            // A row of a later receipt is of a chain that is gone.
            change.execute("DELETE FROM main.tollgate_fingerprint WHERE seq >= ?1", [seq])?;
            change.execute("UPDATE main.tollgate_fingerprint SET body = NULL WHERE body IS NOT NULL", [])?;
            change.execute(
                "INSERT INTO main.tollgate_fingerprint (seq, hash, digest, body, reading) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![seq, receipt.hash.to_string(), Schema::digest_of(&body).to_string(), body, READING],
            )?;
            change.commit()
        })
        .map_err(|error| errors::target(path, &error))
}

/// What was kept by the newest run that kept anything.
pub(super) fn kept(
    path: &Path,
    connection: &Connection,
) -> Result<Option<KeptSchema>, TargetError> {
    let told = |error| errors::target(path, &error);
    if !is_there(connection).map_err(told)? {
        return Ok(None);
    }
    let row: Option<(i64, String, String, String)> = connection
        .query_row(
            "SELECT seq, hash, digest, body FROM main.tollgate_fingerprint \
             WHERE body IS NOT NULL AND reading = ?1 ORDER BY seq DESC LIMIT 1",
            [READING],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .optional()
        .map_err(told)?;
    let Some((seq, hash, digest, text)) = row else {
        return Ok(None);
    };
    Ok(Some(KeptSchema {
        receipt: ReceiptRef {
            seq: store::unsigned(seq),
            hash: store::parsed(path, "tollgate_fingerprint", &hash)?,
        },
        digest: store::parsed(path, "tollgate_fingerprint", &digest)?,
        text,
    }))
}

/// Takes away what was kept: the target was emptied.
pub(super) fn forget(connection: &Connection) -> rusqlite::Result<()> {
    if is_there(connection)? {
        connection.execute("DELETE FROM main.tollgate_fingerprint", [])?;
    }
    Ok(())
}

fn is_there(connection: &Connection) -> rusqlite::Result<bool> {
    connection.table_exists(Some("main"), "tollgate_fingerprint")
}
