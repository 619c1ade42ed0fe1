//! The table `_prisma_migrations`, in which Prisma records what it ran: read as it stands, and kept as
//! Prisma would, so that either tool can go on where the other one was.
//!
//! The rows are facts of another tool: what they prove is judged in `planner::history`.

use crate::digest::Sha256;
use crate::model::prisma::{row_id, said_row_id};
use crate::model::{AttemptId, MigrationId, Receipt, ReceiptKind, Timestamp};

/// Prisma's table, as it stands in a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Its rows, in the order in which they were started. A name may stand more than once.
    pub rows: Vec<Row>,
    /// What has to be done before rows can be written there, as a command; `None` where they can.
    pub locked: Option<String>,
}

/// One row of Prisma's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// A UUID where Prisma or tollgate wrote it; anything where a person did.
    pub id: String,
    /// The folder's name.
    pub migration: MigrationId,
    /// SHA-256 of the script in hexadecimal digits, where Prisma or tollgate wrote it.
    pub checksum: String,
    /// When it was begun.
    pub started: Timestamp,
    /// When it succeeded.
    pub finished: Option<Timestamp>,
    /// When somebody said that nothing of it stands: it is pending again.
    pub rolled_back: Option<Timestamp>,
    /// How many steps ran: 0 where nothing did, and somebody said that it stands.
    pub steps: u32,
    /// What the database said, where it failed.
    pub logs: Option<String>,
}

impl Row {
    /// Whether Prisma takes the migration for applied by this row.
    #[must_use]
    pub const fn is_applied(&self) -> bool {
        self.finished.is_some() && self.rolled_back.is_none()
    }

    /// Whether Prisma refuses to go on because of this row, as P3009.
    #[must_use]
    pub const fn is_failed(&self) -> bool {
        self.finished.is_none() && self.rolled_back.is_none()
    }

    /// Whether tollgate wrote it of a failed attempt, in whatever ledger. What is left of such a one the
    /// journal tells.
    #[must_use]
    pub fn is_tollgates_failure(&self) -> bool {
        self.tollgates_attempt().is_some()
    }

    /// The attempt of tollgate's that wrote it, in whatever ledger; `None` where Prisma or a person did.
    #[must_use]
    pub fn tollgates_attempt(&self) -> Option<AttemptId> {
        let attempt = self.failed_attempt()?;
        (row_id(attempt) == self.id).then_some(attempt)
    }

    /// Whether tollgate wrote it of an attempt that left nothing.
    #[must_use]
    pub fn left_nothing(&self) -> bool {
        let logs = self
            .logs
            .as_deref()
            .and_then(|logs| logs.strip_prefix(MARK));
        logs.and_then(|logs| logs.get(32..)).is_some_and(|said| {
            said.strip_prefix(": ")
                .is_some_and(|said| said.starts_with(NOTHING))
        })
    }

    fn failed_attempt(&self) -> Option<AttemptId> {
        let logs = self.logs.as_deref()?.strip_prefix(MARK)?;
        logs.get(..32)?.parse().ok()
    }
}

/// How the logs of a failure begin that tollgate recorded.
const MARK: &str = "tollgate attempt ";

/// What they say next of one that left nothing.
pub(crate) const NOTHING: &str = "nothing of it stands";

/// A row to write: what the target itself knows (its clock, which rows stand open) is left to it.
///
/// Writing it also says of rows of the same migration that stand open that they were rolled back, as
/// `prisma migrate resolve` does before a migration runs again. A row whose id is there already is brought
/// up to it: one that stands open to its end, one that is said to have failed to what is known by now. A
/// success that stands stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    /// The id, a UUID of version 4.
    pub id: String,
    /// The folder's name.
    pub migration: MigrationId,
    /// SHA-256 of the script.
    pub checksum: Sha256,
    /// When it was begun, by the client's clock.
    pub started: Timestamp,
    /// How it ended.
    pub end: RowEnd,
    /// Rows that go with it, by their ids: failures of tollgate's with other bytes. Beside a success they
    /// would make `prisma migrate dev` take it for edited, and ask to reset the database.
    pub replaces: Vec<String>,
}

/// How what a new row tells of ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowEnd {
    /// It succeeded now.
    Succeeded,
    /// It succeeded then: a receipt proves it, and the row was missing.
    SucceededAt(Timestamp),
    /// Nothing ran, and a person says that it stands: 0 steps, as `prisma migrate resolve --applied`.
    SaidApplied,
    /// The migration was undone: every row of it is said to be rolled back, and none is written.
    Undone,
    /// It failed, with what is to stand in the logs. Where the migration counts as applied by another
    /// row the failure is written as rolled back: it must not stop anybody.
    Failed(String),
}

impl NewRow {
    /// The row beside a receipt that is about to be written.
    #[must_use]
    pub fn beside(receipt: &Receipt) -> Option<Self> {
        let ran = receipt.kind.is_evidence();
        Some(Self {
            id: id_of(receipt.attempt, ran),
            migration: receipt.migration.clone(),
            checksum: receipt.sha256?,
            started: receipt.at,
            end: match receipt.kind {
                ReceiptKind::Undone => RowEnd::Undone,
                _ if ran => RowEnd::Succeeded,
                _ => RowEnd::SaidApplied,
            },
            replaces: Vec::new(),
        })
    }

    /// The same row in the place of tollgate's failures with other bytes.
    #[must_use]
    pub fn in_place_of_failures(mut self, history: &History) -> Self {
        let checksum = self.checksum.to_string();
        let ours = history.rows.iter().filter(|row| {
            row.migration == self.migration
                && row.finished.is_none()
                && row.checksum != checksum
                && row.is_tollgates_failure()
        });
        self.replaces = ours.map(|row| row.id.clone()).collect();
        self
    }

    /// The row of an attempt that is about to begin and may leave something half-way: whoever finds it
    /// open knows that Prisma must not go on.
    #[must_use]
    pub fn begun(receipt: &Receipt) -> Option<Self> {
        let said = "it was begun, and its end is not known yet";
        Some(Self::failed(
            receipt.attempt,
            &receipt.migration,
            receipt.sha256?,
            receipt.at,
            said,
        ))
    }

    /// The row of an attempt that failed. `said` is what the target said, and what is left.
    #[must_use]
    pub fn failed(
        attempt: AttemptId,
        migration: &MigrationId,
        checksum: Sha256,
        started: Timestamp,
        said: &str,
    ) -> Self {
        Self {
            id: row_id(attempt),
            migration: migration.clone(),
            checksum,
            started,
            end: RowEnd::Failed(format!("{MARK}{attempt}: {said}")),
            replaces: Vec::new(),
        }
    }
}

/// The id of the row beside an attempt's receipt: that of a run, or of a person's word.
#[must_use]
pub fn id_of(attempt: AttemptId, ran: bool) -> String {
    if ran {
        row_id(attempt)
    } else {
        said_row_id(attempt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_ours_is_known_by_its_id_and_its_logs() {
        let attempt = AttemptId::from_bytes([7; 16]);
        let new = NewRow::failed(
            attempt,
            &MigrationId::new("1_a"),
            Sha256::of(b""),
            Timestamp::from_unix_millis(0),
            "nothing of it stands\nsyntax error",
        );
        let RowEnd::Failed(logs) = new.end else {
            panic!("a failure");
        };
        let row = Row {
            id: new.id,
            migration: new.migration,
            checksum: new.checksum.to_string(),
            started: new.started,
            finished: None,
            rolled_back: None,
            steps: 0,
            logs: Some(logs),
        };
        assert!(row.is_failed() && row.is_tollgates_failure() && row.left_nothing());
        let half = Row {
            logs: row
                .logs
                .clone()
                .map(|logs| logs.replace("nothing", "1 of 2")),
            ..row.clone()
        };
        assert!(half.is_tollgates_failure() && !half.left_nothing());
        let copied = Row {
            id: "00000000-0000-4000-8000-000000000000".to_owned(),
            ..row.clone()
        };
        assert!(!copied.is_tollgates_failure());
        let other = Row {
            logs: Some("tollgate attempt é".to_owned()),
            ..row
        };
        assert!(!other.is_tollgates_failure());
    }
}
