//! Prisma's table `_prisma_migrations`: reading it, and keeping it as Prisma would.
//!
//! Prisma writes instants as milliseconds since 1970; SQLite's own default, drivers and people write
//! texts. Prisma reads all of them, so they are read here.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row as SqlRow, TransactionBehavior, params};
use time::format_description::well_known::{Rfc2822, Rfc3339};
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::errors;
use crate::model::prisma::TABLE;
use crate::model::{MigrationId, Timestamp};
use crate::targets::history::{History, NewRow, Row, RowEnd};
use crate::targets::{Survey, TargetError, TargetErrorKind};

const NOW: &str = "CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)";

/// Looks, and reads the rows.
pub(super) fn look(
    path: &Path,
    connection: &Connection,
    survey: &mut Survey,
) -> Result<(), TargetError> {
    let told = |error| errors::target(path, &error);
    survey.is_filled = connection
        .query_row(
            "SELECT EXISTS (SELECT 1 FROM main.sqlite_schema WHERE type = 'table' \
             AND name NOT GLOB 'sqlite_*' AND name NOT GLOB 'tollgate_*' AND name <> ?1)",
            [TABLE],
            |row| row.get(0),
        )
        .map_err(told)?;
    survey.is_prisma_8 = connection
        .table_exists(Some("main"), "prisma_contract")
        .map_err(told)?;
    if !is_there(connection).map_err(told)? {
        return Ok(());
    }
    let mut statement = connection
        .prepare(
            "SELECT id, migration_name, checksum, started_at, finished_at, rolled_back_at, \
             applied_steps_count, substr(logs, 1, 4000) FROM main._prisma_migrations",
        )
        .map_err(told)?;
    let mut found = statement.query([]).map_err(told)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(told)? {
        rows.push(read(path, row)?);
    }
    // Sorted here, because instants of several forms do not sort in SQL.
    rows.sort_by(|one, other| (one.started, &one.id).cmp(&(other.started, &other.id)));
    survey.history = Some(History { rows, locked: None });
    Ok(())
}

/// Whether Prisma's table is there.
pub(super) fn is_there(connection: &Connection) -> rusqlite::Result<bool> {
    connection.table_exists(Some("main"), TABLE)
}

fn read(path: &Path, row: &SqlRow<'_>) -> Result<Row, TargetError> {
    let told = |error| errors::target(path, &error);
    let text = |column: usize| match row.get_ref(column) {
        Ok(ValueRef::Text(text)) => Ok(Some(String::from_utf8_lossy(text).into_owned())),
        Ok(ValueRef::Null) => Ok(None),
        Ok(_) => Ok(Some(String::new())),
        Err(error) => Err(told(error)),
    };
    let instant = |column: usize, name: &str| match row.get_ref(column).map_err(told)? {
        ValueRef::Null => Ok(None),
        ValueRef::Integer(millis) => Ok(Some(Timestamp::from_unix_millis(millis))),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a clock's milliseconds fit"
        )]
        ValueRef::Real(millis) => Ok(Some(Timestamp::from_unix_millis(millis as i64))),
        ValueRef::Text(text) => std::str::from_utf8(text)
            .ok()
            .and_then(from_text)
            .map(Some)
            .ok_or_else(|| unreadable(path, name)),
        ValueRef::Blob(_) => Err(unreadable(path, name)),
    };
    Ok(Row {
        id: text(0)?.unwrap_or_default(),
        migration: MigrationId::new(text(1)?.unwrap_or_default()),
        checksum: text(2)?.unwrap_or_default(),
        started: instant(3, "started_at")?.ok_or_else(|| unreadable(path, "started_at"))?,
        finished: instant(4, "finished_at")?,
        rolled_back: instant(5, "rolled_back_at")?,
        steps: match row.get_ref(6).map_err(told)? {
            ValueRef::Integer(steps) => u32::try_from(steps).unwrap_or(0),
            _ => 0,
        },
        logs: text(7)?,
    })
}

fn unreadable(path: &Path, column: &str) -> TargetError {
    TargetError {
        kind: TargetErrorKind::Other,
        fact: format!(
            "{}: {TABLE} holds a row whose {column} is no instant",
            path.display()
        ),
        remedy: Some(format!(
            "write milliseconds since 1970 into {column}, as Prisma does"
        )),
    }
}

/// An instant as a text, in every form that Prisma reads.
fn from_text(text: &str) -> Option<Timestamp> {
    let plain = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let at: OffsetDateTime = PrimitiveDateTime::parse(text, &plain)
        .map(PrimitiveDateTime::assume_utc)
        .or_else(|_| OffsetDateTime::parse(text, &Rfc3339))
        .or_else(|_| OffsetDateTime::parse(text, &Rfc2822))
        .ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000)
        .ok()
        .map(Timestamp::from_unix_millis)
}

/// Creates the table where it is missing, and writes rows, in one transaction.
pub(super) fn keep(
    path: &Path,
    connection: &mut Connection,
    rows: &[NewRow],
) -> Result<(), TargetError> {
    let told = |error| errors::target(path, &error);
    let change = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(told)?;
    crate::failpoint::hit("sqlite.history.before");
    change
        .execute_batch(include_str!("history.sql"))
        .map_err(told)?;
    for row in rows {
        insert(&change, row).map_err(told)?;
    }
    change.commit().map_err(told)?;
    crate::failpoint::hit("sqlite.history.after");
    Ok(())
}

/// Writes one row in the transaction that is open, or brings the one that is there up to it.
pub(super) fn insert(connection: &Connection, row: &NewRow) -> rusqlite::Result<()> {
    if row.end == RowEnd::Undone {
        // To Prisma, as to tollgate, it is pending again.
        let sql = format!(
            "UPDATE main._prisma_migrations SET rolled_back_at = {NOW} \
             WHERE migration_name = ?1 AND rolled_back_at IS NULL"
        );
        return connection.execute(&sql, [row.migration.as_str()]).map(drop);
    }
    for id in &row.replaces {
        connection.execute(
            "DELETE FROM main._prisma_migrations WHERE id = ?1 AND finished_at IS NULL",
            [id],
        )?;
    }
    roll_back(connection, &row.migration, &row.id)?;
    let (finished, logs, steps) = match &row.end {
        RowEnd::Succeeded => (NOW.to_owned(), None, 1),
        RowEnd::SucceededAt(at) => (at.unix_millis().to_string(), None, 1),
        RowEnd::SaidApplied => (NOW.to_owned(), Some(""), 0),
        RowEnd::Undone => return Ok(()),
        RowEnd::Failed(logs) => ("NULL".to_owned(), Some(logs.as_str()), 0),
    };
    let rolled_back = match &row.end {
        // Where the migration counts as applied by another row, the failure must not stop anybody.
        RowEnd::Failed(_) => format!(
            "CASE WHEN EXISTS (SELECT 1 FROM main._prisma_migrations AS d WHERE d.migration_name = ?3 \
             AND d.finished_at IS NOT NULL AND d.rolled_back_at IS NULL) THEN {NOW} END"
        ),
        _ => "NULL".to_owned(),
    };
    let values = params![
        row.id,
        row.checksum.to_string(),
        row.migration.as_str(),
        logs,
        row.started.unix_millis(),
        steps
    ];
    // A success that stands stays as it is, and so does a failure that was said to be rolled back.
    let (rolled_back_by_now, is_to_be_told) = match &row.end {
        RowEnd::Failed(_) => (
            format!("COALESCE(rolled_back_at, {rolled_back})"),
            "finished_at IS NULL",
        ),
        _ => (
            rolled_back.clone(),
            "(finished_at IS NULL OR rolled_back_at IS NOT NULL)",
        ),
    };
    let told = connection.execute(
        &format!(
            "UPDATE main._prisma_migrations SET finished_at = {finished}, logs = ?4, \
             rolled_back_at = {rolled_back_by_now}, applied_steps_count = ?6 \
             WHERE id = ?1 AND migration_name = ?3 AND ?2 <> '' AND ?5 IS NOT NULL AND {is_to_be_told}"
        ),
        values,
    )?;
    if told > 0 {
        return Ok(());
    }
    connection.execute(
        &format!(
            "INSERT INTO main._prisma_migrations (id, checksum, finished_at, migration_name, logs, \
             rolled_back_at, started_at, applied_steps_count) \
             SELECT ?1, ?2, {finished}, ?3, ?4, {rolled_back}, min(?5, {NOW}), ?6 \
             WHERE NOT EXISTS (SELECT 1 FROM main._prisma_migrations AS h WHERE h.id = ?1)"
        ),
        values,
    )?;
    Ok(())
}

/// Says of a migration's open rows, but the one with this id, that they were rolled back.
pub(super) fn roll_back(
    connection: &Connection,
    migration: &MigrationId,
    but: &str,
) -> rusqlite::Result<()> {
    connection.execute(
        &format!(
            "UPDATE main._prisma_migrations SET rolled_back_at = {NOW} WHERE migration_name = ?1 \
             AND id <> ?2 AND finished_at IS NULL AND rolled_back_at IS NULL"
        ),
        params![migration.as_str(), but],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_in_every_form_that_prisma_reads() {
        let at = Some(Timestamp::from_unix_millis(1_762_251_120_000));
        assert_eq!(from_text("2025-11-04 10:12:00"), at);
        assert_eq!(from_text("2025-11-04T10:12:00Z"), at);
        assert_eq!(from_text("2025-11-04T11:12:00.000+01:00"), at);
        assert_eq!(from_text("Tue, 04 Nov 2025 10:12:00 +0000"), at);
        assert_eq!(from_text("yesterday"), None);
    }
}
