//! Reading and writing tollgate's own tables.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{errors, fingerprint, history, journal};
use crate::model::entry::{Engine, TargetIdentity};
use crate::model::{EnvironmentName, IncarnationId, Receipt, StoredReceipt};
use crate::targets::{Earlier, Gone, Observed, Recorded, Survey, TargetError, TargetErrorKind};

/// The version of the tables that this tool reads and writes.
const SCHEMA: i64 = 1;

/// What a file that is not there, or has no tables, holds.
pub(super) fn nothing(path: &Path) -> Survey {
    Survey {
        observed: Observed {
            engine: Engine::Sqlite,
            system: None,
            database: None,
            name: name(path),
        },
        recorded: None,
        receipts: Vec::new(),
        journals: Vec::new(),
        invalid_indexes: Vec::new(),
        has_other_tables: false,
        gone: None,
        history: None,
        is_filled: false,
        is_prisma_8: false,
    }
}

/// Reads everything in one transaction, so that all of it is of one moment.
pub(super) fn survey(path: &Path, connection: &mut Connection) -> Result<Survey, TargetError> {
    let told = |error| errors::target(path, &error);
    let moment = connection.transaction().map_err(told)?;
    let mut survey = nothing(path);
    survey.has_other_tables = moment
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'table' \
             AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'tollgate_*')",
            [],
            |row| row.get(0),
        )
        .map_err(told)?;
    history::look(path, &moment, &mut survey)?;
    let entered = is_entered(&moment).map_err(told)?;
    if !entered {
        return Ok(survey);
    }
    survey.recorded = identity(path, &moment)?;
    if let Some(recorded) = &mut survey.recorded {
        recorded.follows = lives(path, &moment)?;
    }
    survey.receipts = receipts(&moment).map_err(told)?;
    if !survey.has_other_tables {
        survey.gone = gone(&moment).map_err(told)?;
    }
    survey.journals = journal::read(path, &moment)?;
    Ok(survey)
}

/// Whether all of tollgate's own tables are there. A script that dropped one of them has taken the
/// target's memory.
pub(super) fn is_entered(connection: &Connection) -> rusqlite::Result<bool> {
    // Each is looked up by its name: how many other tables there are makes no difference.
    for table in ["tollgate_identity", "tollgate_receipt", "tollgate_journal"] {
        if !connection.table_exists(Some("main"), table)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Creates the tables, writes the identity row, and keeps or archives the receipts that stand there.
pub(super) fn initialise(
    path: &Path,
    connection: &mut Connection,
    environment: &EnvironmentName,
    incarnation: IncarnationId,
    earlier: Earlier,
) -> Result<TargetIdentity, TargetError> {
    let told = |error| errors::target(path, &error);
    let change = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(told)?;
    change
        .execute_batch(include_str!("schema.sql"))
        .map_err(told)?;
    crate::failpoint::hit("sqlite.initialise.schema");
    identity(path, &change)?;
    let how = match earlier {
        Earlier::Keep => "kept",
        Earlier::Archive => "emptied",
    };
    begin_life(&change, environment, incarnation, earlier, how).map_err(told)?;
    crate::failpoint::hit("sqlite.initialise.before-commit");
    change.commit().map_err(told)?;
    crate::failpoint::hit("sqlite.initialise.after-commit");
    Ok(identity_of(path, incarnation))
}

/// Replaces the identity row and remembers how, inside a transaction: the tables are there.
pub(super) fn begin_life(
    change: &Connection,
    environment: &EnvironmentName,
    incarnation: IncarnationId,
    earlier: Earlier,
    how: &str,
) -> rusqlite::Result<()> {
    if earlier == Earlier::Archive {
        change.execute_batch(include_str!("archive.sql"))?;
        fingerprint::forget(change)?;
    }
    change.execute_batch(include_str!("guards.sql"))?;
    change.execute(
        "INSERT INTO main.tollgate_life (incarnation, after, how) \
         SELECT ?1, incarnation, ?2 FROM main.tollgate_identity WHERE incarnation <> ?1",
        params![incarnation.to_string(), how],
    )?;
    change.execute(
        "INSERT OR REPLACE INTO main.tollgate_identity (one, schema, incarnation, environment) \
         VALUES (1, ?1, ?2, ?3)",
        params![SCHEMA, incarnation.to_string(), environment.as_str()],
    )?;
    Ok(())
}

/// What a file is known by once it has an incarnation.
pub(super) fn identity_of(path: &Path, incarnation: IncarnationId) -> TargetIdentity {
    TargetIdentity {
        incarnation,
        engine: Engine::Sqlite,
        system: None,
        database: None,
        name: name(path),
    }
}

/// Adds a receipt inside the transaction that is open, and counts the tables that stand then.
pub(super) fn add_receipt(
    connection: &Connection,
    receipt: &Receipt,
    stored: &StoredReceipt,
) -> rusqlite::Result<bool> {
    let there = put_receipt(connection, receipt, stored)?;
    count_tables(connection)?;
    Ok(there)
}

/// Adds a receipt inside the transaction that is open, and reads it back: a trigger of a script's
/// own could have swallowed it without an error.
pub(super) fn put_receipt(
    connection: &Connection,
    receipt: &Receipt,
    stored: &StoredReceipt,
) -> rusqlite::Result<bool> {
    let seq = signed(stored.seq);
    crate::failpoint::hit("sqlite.receipt.before");
    connection
        .prepare_cached(
            "INSERT INTO main.tollgate_receipt (seq, prev, hash, migration, attempt, kind, body) \
             VALUES (?1, nullif(?1 - 1, 0), ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            seq,
            stored.hash,
            receipt.migration.as_str(),
            receipt.attempt.to_string(),
            receipt.kind.as_str(),
            stored.body
        ])?;
    crate::failpoint::hit("sqlite.receipt.after");
    let there = connection
        .prepare_cached("SELECT hash = ?2 AND body = ?3 FROM main.tollgate_receipt WHERE seq = ?1")?
        .query_row(params![seq, stored.hash, stored.body], |row| row.get(0))
        .optional()?;
    Ok(there.unwrap_or(false))
}

/// Keeps beside the newest receipt how many tables stand with it: it is asked of the newest alone.
pub(super) fn count_tables(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(include_str!("standing.sql"))
}

/// Writes receipts of a history that tollgate did not make: all of them or none.
pub(super) fn take_in(
    path: &Path,
    connection: &mut Connection,
    receipts: &[Receipt],
) -> Result<Vec<StoredReceipt>, TargetError> {
    let told = |error| errors::target(path, &error);
    let change = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(told)?;
    let mut out = Vec::with_capacity(receipts.len());
    for receipt in receipts {
        let unwritten = |why: String| TargetError {
            kind: TargetErrorKind::Other,
            fact: format!("{}: a receipt could not be written: {why}", path.display()),
            remedy: None,
        };
        let stored = receipt
            .stored()
            .map_err(|error| unwritten(error.to_string()))?;
        if !add_receipt(&change, receipt, &stored).map_err(told)? {
            return Err(unwritten(
                "it was not there after it was written".to_owned(),
            ));
        }
        out.push(stored);
    }
    crate::failpoint::hit("sqlite.take-in.before-commit");
    change.commit().map_err(told)?;
    crate::failpoint::hit("sqlite.take-in.after-commit");
    Ok(out)
}

fn identity(path: &Path, connection: &Connection) -> Result<Option<Recorded>, TargetError> {
    let row: Option<(i64, String, String)> = connection
        .query_row(
            "SELECT schema, incarnation, environment FROM main.tollgate_identity",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .optional()
        .map_err(|error| errors::target(path, &error))?;
    let Some((schema, incarnation, environment)) = row else {
        return Ok(None);
    };
    if schema > SCHEMA {
        return Err(TargetError {
            kind: TargetErrorKind::Other,
            fact: format!(
                "{} was written by a newer tollgate (its tables are version {schema}, this one \
                 knows {SCHEMA})",
                path.display()
            ),
            remedy: Some("run this command with that version of tollgate".to_owned()),
        });
    }
    Ok(Some(Recorded {
        incarnation: parsed(path, "tollgate_identity", &incarnation)?,
        environment: parsed(path, "tollgate_identity", &environment)?,
        system: None,
        database: None,
        follows: Vec::new(),
    }))
}

/// The lives before this one, where the target was emptied in between. The table came with a later
/// version than the others did.
fn lives(path: &Path, connection: &Connection) -> Result<Vec<IncarnationId>, TargetError> {
    let told = |error| errors::target(path, &error);
    if !connection
        .table_exists(Some("main"), "tollgate_life")
        .map_err(told)?
    {
        return Ok(Vec::new());
    }
    let texts: Vec<String> = connection
        .prepare(include_str!("lives.sql"))
        .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
        .map_err(told)?;
    let one = |text: &String| parsed(path, "tollgate_life", text);
    texts.iter().map(one).collect()
}

/// No table of the application's is left: whether there were some when the newest receipt was
/// written. What was not counted then raises no alarm.
fn gone(connection: &Connection) -> rusqlite::Result<Option<Gone>> {
    if !connection.table_exists(Some("main"), "tollgate_standing")? {
        return Ok(None);
    }
    let were = connection
        .query_row(
            "SELECT s.tables FROM main.tollgate_standing AS s \
             JOIN main.tollgate_receipt AS r ON r.attempt = s.attempt ORDER BY r.seq DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    Ok(were
        .map(unsigned)
        .filter(|were| *were > 0)
        .map(|were| Gone::Tables { were }))
}

fn receipts(connection: &Connection) -> rusqlite::Result<Vec<StoredReceipt>> {
    connection
        .prepare("SELECT seq, hash, body FROM main.tollgate_receipt ORDER BY seq")?
        .query_map([], |row| {
            Ok(StoredReceipt {
                seq: unsigned(row.get(0)?),
                hash: row.get(1)?,
                body: row.get(2)?,
                // The file's clock is this process's own: it would prove nothing that `at` does not.
                recorded_at: None,
            })
        })?
        .collect()
}

pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(
    path: &Path,
    table: &str,
    text: &str,
) -> Result<T, TargetError> {
    text.parse().map_err(|error| TargetError {
        kind: TargetErrorKind::Other,
        fact: format!("{}: the table {table} was altered: {error}", path.display()),
        remedy: None,
    })
}

fn name(path: &Path) -> String {
    path.file_name().map_or_else(
        || path.display().to_string(),
        |name| name.to_string_lossy().into_owned(),
    )
}

pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
