//! The row of a receipt, and receipts of a history that tollgate did not make: written without running
//! anything.

use tokio_postgres::SimpleQueryRow;

use super::error::session_error;
use super::lock::HOLDS;
use super::runtime::Session;
use super::template::{fill, or_null, text};
use crate::model::{Receipt, StoredReceipt, Timestamp};
use crate::targets::{TargetError, TargetErrorKind};

const LOCKED: &str = include_str!("sql/locked.sql");
const RECEIPT: &str = include_str!("sql/receipt.sql");
/// The server's clock when the row `r` was written, in whole milliseconds of Unix time. Every name is
/// qualified: a script's own must not answer.
pub(super) const RECORDED_AT: &str =
    "pg_catalog.floor(EXTRACT(epoch FROM r.recorded_at) OPERATOR(pg_catalog.*) '1000')";

/// Reads [`RECORDED_AT`] from the column `recorded_at`; `None` where there is none.
pub(super) fn recorded_at(row: &SimpleQueryRow) -> Option<Timestamp> {
    let cell = row.try_get("recorded_at").ok().flatten()?;
    Some(Timestamp::from_unix_millis(cell.parse().ok()?))
}

/// The receipt as it will stand.
pub(super) fn stored(receipt: &Receipt) -> Result<StoredReceipt, TargetError> {
    receipt.stored().map_err(|error| TargetError {
        kind: TargetErrorKind::Other,
        fact: format!("nothing was sent: the receipt cannot be written as JSON: {error}"),
        remedy: None,
    })
}

/// The INSERT for it, to be sent inside a transaction.
pub(super) fn insert(receipt: &Receipt, stored: &StoredReceipt) -> String {
    let values = [
        ("seq", &*receipt.seq.to_string()),
        ("prev", &prev(receipt)),
        ("hash", &stored.hash),
        ("migration", &text(receipt.migration.as_str())),
        ("attempt", &receipt.attempt.to_string()),
        ("kind", receipt.kind.as_str()),
        ("body", &or_null(Some(&stored.body))),
    ];
    fill(RECEIPT, &values)
}

/// The place of the one before it, as SQL.
pub(super) fn prev(receipt: &Receipt) -> String {
    match receipt.seq {
        0 | 1 => "NULL".to_owned(),
        seq => (seq - 1).to_string(),
    }
}

/// Writes all of them or none.
pub(super) fn write_all(
    session: &Session,
    receipts: &[Receipt],
) -> Result<Vec<StoredReceipt>, TargetError> {
    let Some(first) = receipts.first() else {
        return Ok(Vec::new());
    };
    let attempt = first.attempt.to_string();
    let mut sql = String::from("BEGIN; SET LOCAL synchronous_commit = on;\n");
    sql.push_str(&fill(LOCKED, &[("holds", HOLDS), ("attempt", &attempt)]));
    let mut all = Vec::with_capacity(receipts.len());
    for receipt in receipts {
        let stored = stored(receipt)?;
        sql.push_str(&insert(receipt, &stored));
        all.push(stored);
    }
    let last = receipts.last().unwrap_or(first);
    sql.push_str(&format!(
        "SELECT {RECORDED_AT} AS recorded_at FROM tollgate.receipt AS r WHERE r.seq BETWEEN {} AND {} ORDER BY r.seq;",
        first.seq, last.seq
    ));
    sql.push_str("COMMIT;");
    match session.query(&sql) {
        Ok(rows) => {
            let told = rows.iter().filter_map(recorded_at);
            for (stored, told) in all.iter_mut().zip(told) {
                stored.recorded_at = Some(told);
            }
            Ok(all)
        }
        Err(error) => {
            // Whatever is open goes; a session that is closed has rolled back already.
            let _ = session.query("ROLLBACK");
            Err(session_error(&error, "writing the receipts"))
        }
    }
}
