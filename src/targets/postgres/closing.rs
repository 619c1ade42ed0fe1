//! The messages around a script: A before it, C behind it.

use super::history;
use super::lock::{HOLDS, LOST_DEEP};
use super::protocol::{find, first_error, recover, refusal, refuse_broken, unknown};
use super::receipt::{self, RECORDED_AT};
use super::runtime::{Answer, Session};
use super::schema;
use super::template::{fill, quoted, text};
use crate::model::{AttemptId, Receipt, ReceiptKind, StoredReceipt, Timestamp};
use crate::sql::only_defines;
use crate::targets::history::NewRow;
use crate::targets::{Applied, ApplyError, Attempt, ScriptError, TargetError, TargetErrorKind};

const CLOSE: &str = include_str!("sql/close.sql");
const PREPARE: &str = include_str!("sql/prepare.sql");
const CLOSE_PREPARED: &str = include_str!("sql/close_prepared.sql");
/// The place of the INSERT of the receipt among the statements of [`CLOSE`], from 0, where nothing
/// follows its RESET ALL.
const INSERT_PLACE: usize = 7;
/// The place of what writes it among the statements of [`CLOSE_PREPARED`].
const EXECUTE_PLACE: usize = 3;

/// Message A: the transaction that the script runs in. Nothing but this, so that a script may begin
/// with SET TRANSACTION ISOLATION LEVEL. Not in one message with the script: a syntax error there
/// would undo the BEGIN, and what follows would run.
pub(super) fn opening(attempt: AttemptId) -> String {
    format!("BEGIN; SET LOCAL tollgate.attempt = '{attempt}'")
}

/// The same, where the statement that closes is not prepared yet. Within the transaction: where it fails the
/// script must not run.
fn preparing(attempt: AttemptId) -> String {
    let values = [("lost", LOST_DEEP), ("recorded_at", RECORDED_AT)];
    format!(
        "BEGIN; {} SET LOCAL tollgate.attempt = '{attempt}'",
        fill(PREPARE, &values)
    )
}

/// A receipt, ready to be written.
pub(super) struct Closing {
    attempt: AttemptId,
    kind: ReceiptKind,
    stored: StoredReceipt,
    message: String,
    /// Where the answer tells of the row that was written.
    place: usize,
    /// Whether its COMMIT waits for the disk.
    is_durable: bool,
    is_prepared: bool,
}

/// How C is made.
struct How<'a> {
    /// Whether the run's lock is lost, as SQL.
    lost: &'a str,
    /// One more statement for the same transaction, or nothing.
    journal: &'a str,
    /// The receipts before it that were not looked at since they were written.
    unlooked: &'a [StoredReceipt],
    is_durable: bool,
}

fn ready(receipt: &Receipt, kind: ReceiptKind) -> Result<(Receipt, StoredReceipt), ApplyError> {
    let receipt = Receipt {
        kind,
        ..receipt.clone()
    };
    let stored = receipt::stored(&receipt).map_err(unknown)?;
    Ok((receipt, stored))
}

fn beside(session: &Session, row: Option<&NewRow>) -> String {
    row.map_or_else(String::new, |row| history::insert(session, row))
}

/// The messages of scripts that are sent at once, one behind the other. Those that only define things are
/// closed in one statement, which is prepared with the first of them; the last of all looks at their
/// receipts, and waits for the disk.
pub(super) struct Batch<'s> {
    session: &'s Session,
    is_prepared: bool,
    unlooked: Vec<StoredReceipt>,
}

impl<'s> Batch<'s> {
    pub(super) fn new(session: &'s Session) -> Self {
        Self {
            session,
            is_prepared: false,
            unlooked: Vec::new(),
        }
    }

    /// A, the script and C of the next one.
    pub(super) fn messages(
        &mut self,
        attempt: &Attempt<'_>,
        is_last: bool,
    ) -> Result<([String; 3], Closing), ApplyError> {
        let statements = attempt.analysis.statements();
        let defines = statements.is_some_and(|them| only_defines(attempt.script, them));
        let (opening, closing);
        if defines && !is_last && !self.session.has_event_triggers() {
            opening = match self.is_prepared {
                true => self::opening(attempt.receipt.attempt),
                false => preparing(attempt.receipt.attempt),
            };
            closing = Closing::prepared(self.session, attempt)?;
            self.unlooked.push(closing.stored.clone());
        } else {
            opening = self::opening(attempt.receipt.attempt);
            closing = Closing::in_window(self.session, attempt, &self.unlooked, is_last)?;
            self.unlooked.clear();
        }
        // What is not prepared takes with it what is.
        self.is_prepared = closing.is_prepared;
        let script = attempt.script.to_owned();
        Ok(([opening, script, closing.message.clone()], closing))
    }
}

impl Closing {
    /// Makes message C. `journal` is one more statement for the same transaction, or
    /// nothing; `row` goes into Prisma's table in it, where that is kept.
    pub(super) fn new(
        session: &Session,
        receipt: &Receipt,
        kind: ReceiptKind,
        journal: &str,
        row: Option<&NewRow>,
    ) -> Result<Self, ApplyError> {
        let (receipt, stored) = ready(receipt, kind)?;
        let how = How {
            lost: &format!("NOT EXISTS ({HOLDS})"),
            journal,
            unlooked: &[],
            is_durable: true,
        };
        Ok(Self::make(session, &receipt, stored, row, &how))
    }

    /// The same for one of several that are sent at once, under a lock that was taken twice. One that is not
    /// durable is so as soon as a later one that is, is acknowledged.
    fn in_window(
        session: &Session,
        attempt: &Attempt<'_>,
        unlooked: &[StoredReceipt],
        is_durable: bool,
    ) -> Result<Self, ApplyError> {
        let (receipt, stored) = ready(attempt.receipt, attempt.atomic_kind())?;
        let how = How {
            lost: LOST_DEEP,
            journal: "",
            unlooked,
            is_durable,
        };
        Ok(Self::make(session, &receipt, stored, attempt.row, &how))
    }

    fn make(
        session: &Session,
        receipt: &Receipt,
        stored: StoredReceipt,
        row: Option<&NewRow>,
        how: &How<'_>,
    ) -> Self {
        let after_reset = schema::after_reset(session);
        let hashes = how.unlooked.iter().chain([&stored]);
        let hashes: Vec<&str> = hashes.map(|stored| stored.hash.as_str()).collect();
        let first = how.unlooked.first().unwrap_or(&stored).seq;
        let message = fill(
            CLOSE,
            &[
                ("lost", how.lost),
                ("durable", if how.is_durable { "on" } else { "off" }),
                ("journal", how.journal),
                ("beside", &beside(session, row)),
                ("attempt", &receipt.attempt.to_string()),
                ("first", &first.to_string()),
                ("last", &stored.seq.to_string()),
                ("hashes", &hashes.join(" ")),
                ("recorded_at", RECORDED_AT),
                ("receipt", &receipt::insert(receipt, &stored)),
                ("after_reset", &after_reset),
            ],
        );
        Self {
            attempt: receipt.attempt,
            kind: receipt.kind,
            stored,
            message,
            place: INSERT_PLACE + usize::from(!after_reset.is_empty()),
            is_durable: how.is_durable,
            is_prepared: false,
        }
    }

    /// The same as one statement that was prepared, for a script that only defines things, and of which the
    /// receipt is looked at later.
    fn prepared(session: &Session, attempt: &Attempt<'_>) -> Result<Self, ApplyError> {
        let (receipt, stored) = ready(attempt.receipt, attempt.atomic_kind())?;
        let message = fill(
            CLOSE_PREPARED,
            &[
                ("attempt", &receipt.attempt.to_string()),
                ("seq", &receipt.seq.to_string()),
                ("prev", &receipt::prev(&receipt)),
                ("hash", &stored.hash),
                ("migration", &text(receipt.migration.as_str())),
                ("kind", receipt.kind.as_str()),
                ("body", &quoted(&stored.body)),
                ("beside", &beside(session, attempt.row)),
            ],
        );
        Ok(Self {
            attempt: receipt.attempt,
            kind: receipt.kind,
            stored,
            message,
            place: EXECUTE_PLACE,
            is_durable: false,
            is_prepared: true,
        })
    }

    /// Message C.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Whether its COMMIT waits until it survives a crash, and all before it do.
    pub(super) fn is_durable(&self) -> bool {
        self.is_durable
    }

    /// The success that the answers to A, the script and C prove, if they do.
    pub(super) fn proved(&self, answers: &[Answer; 3]) -> Option<Applied> {
        let [.., closed] = answers;
        let is_clean = answers.iter().all(|answer| answer.error.is_none());
        (is_clean && self.wrote(closed)).then(|| self.stands(told(closed)))
    }

    /// The success, where the receipt is known to stand, written at `recorded_at` by the server's clock.
    pub(super) fn stands(&self, recorded_at: Option<Timestamp>) -> Applied {
        Applied {
            receipt: StoredReceipt {
                recorded_at,
                ..self.stored.clone()
            },
            kind: self.kind,
        }
    }

    fn wrote(&self, answer: &Answer) -> bool {
        answer.ended.get(self.place) == Some(&1)
    }

    /// The success that C's answer proves.
    pub(super) fn applied(self, answer: &Answer) -> Result<Applied, ApplyError> {
        if !self.wrote(answer) {
            return Err(unknown(swallowed()));
        }
        Ok(self.stands(told(answer)))
    }

    /// Writes the receipt in a transaction of its own, after a script that had none of ours.
    pub(super) fn record(self, session: &Session) -> Result<Applied, NotClosed> {
        // READ WRITE: the script may have set default_transaction_read_only for the session.
        let opening = opening(self.attempt).replacen("BEGIN", "BEGIN READ WRITE", 1);
        let [opened, closed] = session.pipeline([&opening, self.message()]);
        let answers = [&opened, &closed];
        refuse_broken(&answers).map_err(NotClosed::Unknown)?;
        let Some(error) = first_error(&answers) else {
            return self.applied(&closed).map_err(NotClosed::Unknown);
        };
        let refusal = refusal(error, self.attempt);
        recover(session).map_err(|error| NotClosed::Unknown(unknown(error)))?;
        let found = find(session, &[self.attempt]).map_err(NotClosed::Unknown)?;
        if let Some(recorded_at) = found.get(&self.attempt) {
            return Ok(self.stands(*recorded_at));
        }
        Err(NotClosed::Failed(Box::new(refusal.error)))
    }
}

/// A rule or trigger that a script put on the table could have swallowed the row.
pub(super) fn swallowed() -> TargetError {
    TargetError {
        kind: TargetErrorKind::Other,
        fact: "the server took the receipt and wrote no row: the table tollgate.receipt was tampered with".to_owned(),
        remedy: Some("look for rules and triggers on tollgate.receipt".to_owned()),
    }
}

/// When C's receipt was written, by the server's clock.
fn told(answer: &Answer) -> Option<Timestamp> {
    answer.rows.iter().find_map(receipt::recorded_at)
}

/// Why [`Closing::record`] left no receipt.
pub(super) enum NotClosed {
    /// The server refused; the session was recovered.
    Failed(Box<ScriptError>),
    /// The client cannot tell.
    Unknown(ApplyError),
}
