//! Rows of `tollgate.journal`.

use tokio_postgres::Error;

use super::runtime::Session;
use super::template::{fill, text};
use crate::digest::Checksum;
use crate::targets::Attempt;

const JOURNAL: &str = include_str!("sql/journal.sql");

/// One row.
pub(super) struct Note<'a> {
    /// The statement's place, from 1.
    pub(super) step: u64,
    /// `begun`, `done` or `failed`.
    pub(super) what: &'static str,
    /// Its exact bytes.
    pub(super) statement: &'a str,
}

/// The INSERT for some rows, to be sent inside a transaction.
pub(super) fn insert(attempt: &Attempt<'_>, of: u64, notes: &[Note<'_>]) -> String {
    let rows: Vec<String> = notes
        .iter()
        .map(|note| {
            format!(
                "('{}', {}, {}, {of}, '{}', '{}')",
                attempt.receipt.attempt,
                text(attempt.receipt.migration.as_str()),
                note.step,
                note.what,
                Checksum::of(note.statement.as_bytes()),
            )
        })
        .collect();
    format!(
        "INSERT INTO tollgate.journal (attempt, migration, step, of, what, statement) VALUES {};",
        rows.join(", ")
    )
}

/// Writes some rows, committed before this returns.
pub(super) fn write(
    session: &Session,
    attempt: &Attempt<'_>,
    of: u64,
    notes: &[Note<'_>],
) -> Result<(), Error> {
    let sql = fill(JOURNAL, &[("journal", &insert(attempt, of, notes))]);
    session.query(&sql).map(drop)
}
