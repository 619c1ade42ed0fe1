//! Adding entries to the hub.

use super::{BATCH_BYTES, BATCH_ROWS, Hub, begin, said};
use crate::model::Entry;
use crate::targets::TargetError;
use crate::targets::hub::HubRow;
use crate::targets::postgres::template::{fill, text};

const ADD: &str = include_str!("../sql/hub_add.sql");
const DOING: &str = "adding entries";

impl Hub {
    /// Adds entries, of any writers and in any order, in one transaction: all of them or none. Those that
    /// are there already (the same writer, number and hash) are left as they are, so it may be repeated.
    /// Each must follow one that is there or that comes with it. Returns how many were new.
    ///
    /// They go in messages of at most 1,000 rows and about 4 MiB; nothing else is kept of them.
    ///
    /// # Errors
    /// [`TargetErrorKind::ReadOnly`](crate::targets::TargetErrorKind::ReadOnly) for a hot standby;
    /// `Configuration` where the database is no hub, or one of a newer version; `Other` where a row does not
    /// have the hash of its body, and nothing was sent, or the server refuses one. After `Unreachable` only a
    /// new contact can tell whether they were added: adding them again is the way out.
    pub fn add(&mut self, rows: &[HubRow]) -> Result<usize, TargetError> {
        for row in rows {
            if Entry::hash_of(row.body.as_bytes()).hex() != row.hash {
                return Err(said::not_its_hash(&self.settings, row));
            }
        }
        let state = self.enter()?;
        if state.is_standby {
            return Err(said::standby(&self.settings));
        }
        if rows.is_empty() {
            return Ok(0);
        }
        let mut rows: Vec<&HubRow> = rows.iter().collect();
        rows.sort_by(|a, b| key(a).cmp(&key(b)));
        let mut new = 0;
        let mut message = begin("READ WRITE");
        let mut rest = rows.as_slice();
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(next(rest));
            rest = later;
            let values: Vec<String> = batch.iter().map(|row| values(row)).collect();
            message.push_str(&fill(ADD, &[("values", &values.join(",\n"))]));
            if rest.is_empty() {
                message.push_str("COMMIT;");
            }
            crate::failpoint::hit("hub.add.before");
            new += self.insert(&message)?;
            crate::failpoint::hit("hub.add.after");
            message.clear();
        }
        Ok(new)
    }

    /// Sends one message of the transaction. Returns how many rows were new.
    fn insert(&self, message: &str) -> Result<usize, TargetError> {
        let answer = self.session.run_within(message, self.answers);
        let answer = answer.ok_or_else(|| said::no_answer(&self.settings, self.answers, DOING))?;
        if let Some(error) = answer.error {
            self.roll_back();
            return Err(said::not_added(&self.settings, &error, DOING));
        }
        // Only the INSERT touches rows.
        let touched: u64 = answer.ended.iter().sum();
        Ok(usize::try_from(touched).unwrap_or(usize::MAX))
    }
}

/// The order of the table's key.
fn key(row: &HubRow) -> (&[u8; 16], u64, &str) {
    (row.writer.as_bytes(), row.number, &row.hash)
}

/// How many rows the next message takes: at least one.
fn next(rows: &[&HubRow]) -> usize {
    let mut bytes = 0;
    let fits = |row: &&&HubRow| {
        bytes += row.body.len();
        bytes <= BATCH_BYTES
    };
    rows.iter().take(BATCH_ROWS).take_while(fits).count().max(1)
}

/// Nothing of a row is written as it is: numbers, digits, and texts that travel as digits.
fn values(row: &HubRow) -> String {
    format!(
        "('{}', {}, {}, {})",
        row.writer,
        row.number,
        text(&row.hash),
        text(&row.body)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::WriterId;

    #[test]
    fn a_message_takes_so_many_rows_and_bytes_and_always_one() {
        let row = |length: usize| HubRow {
            writer: WriterId::from_bytes([1; 16]),
            number: 1,
            hash: String::new(),
            body: "x".repeat(length),
        };
        let (small, half, big) = (row(1), row(BATCH_BYTES / 2), row(BATCH_BYTES * 2));
        assert_eq!(next(&vec![&small; BATCH_ROWS + 1]), BATCH_ROWS);
        assert_eq!(next(&[&half, &half, &half]), 2);
        assert_eq!(next(&[&big, &small]), 1);
        assert_eq!(next(&[&small, &big]), 1);
    }
}
