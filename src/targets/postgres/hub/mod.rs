//! The hub on PostgreSQL: see [`crate::targets::hub`] for what it is.
//!
//! A contact needs nothing of its session but one transaction at a time, each of which sets for itself
//! what it depends on. So a pooler may stand between, in session or in transaction mode.

mod add;
mod said;

use std::time::Duration;
use std::vec::IntoIter;

use tokio_postgres::SimpleQueryRow;

use super::connect;
use super::runtime::Session;
use super::survey::{cell, number, parse};
use super::template::{fill, text};
use crate::model::WriterId;
use crate::targets::TargetError;
use crate::targets::address::PostgresSettings;
use crate::targets::hub::{HubChain, HubRow};

const BEGIN: &str = include_str!("../sql/hub_begin.sql");
const LOCK: &str = include_str!("../sql/hub_lock.sql");
const LOOK: &str = include_str!("../sql/hub_look.sql");
const MAKE_SCHEMA: &str = include_str!("../sql/hub_schema.sql");
const MAKE_TABLE: &str = include_str!("../sql/hub.sql");
const SUMMARY: &str = include_str!("../sql/hub_summary.sql");
const ROWS: &str = include_str!("../sql/hub_rows.sql");

/// The version of the schema that this tool makes and reads: the comment of its table names it.
const VERSION: u32 = 1;
/// What stands before the version there.
const VERSION_FOLLOWS: &str = "tollgate hub, version ";

/// What one message brings: so many rows, and no more once their bodies come to so many bytes.
const BATCH_ROWS: usize = 1000;
const BATCH_BYTES: usize = 2 * 1024 * 1024;
/// How much longer than connecting an answer may take.
const ANSWERS: u32 = 5;

/// A hub, connected. Made and used by one thread.
///
/// After an error of the kind `Unreachable` it must be dropped; any other leaves it
/// usable, and nothing half done.
pub struct Hub {
    session: Session,
    settings: PostgresSettings,
    /// How long the answer to one message may take.
    answers: Duration,
    /// What the database was found to be. Kept from the first look that found the schema: from then on
    /// nothing of it changes under this session.
    state: Option<State>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("at", &self.settings.to_string())
            .finish_non_exhaustive()
    }
}

/// What a look at the database found.
#[derive(Debug, Clone)]
struct State {
    is_standby: bool,
    encoding: String,
    has_schema: bool,
    /// The version that the table says, or what it says instead; `None` where there is no table.
    version: Option<Result<u32, String>>,
}

impl State {
    fn read(row: &SimpleQueryRow) -> Result<Self, TargetError> {
        let version = if cell(row, "has_table")? == "t" {
            let comment = cell(row, "comment")?;
            let digits = comment.strip_prefix(VERSION_FOLLOWS).map(|rest| {
                let end = rest.find(|c: char| !c.is_ascii_digit());
                &rest[..end.unwrap_or(rest.len())]
            });
            let known = digits.and_then(|digits| digits.parse().ok());
            Some(known.ok_or_else(|| comment.to_owned()))
        } else {
            None
        };
        Ok(Self {
            is_standby: cell(row, "standby")? == "t",
            encoding: cell(row, "encoding")?.to_owned(),
            has_schema: cell(row, "has_schema")? == "t",
            version,
        })
    }
}

impl Hub {
    /// Connects. Nothing is changed, and nothing is looked at yet: the database may be no hub.
    ///
    /// `patience` is how long connecting may take in all before the hub counts as not reachable; the
    /// settings' own `connect_timeout` may end it sooner. Each answer afterwards may take five times as
    /// long: a hub that holds a lock, or is busy, must not hold whoever has better things to do.
    ///
    /// # Errors
    /// `Unreachable`, `Authentication` or `Configuration` of [`TargetErrorKind`](crate::targets::TargetErrorKind).
    pub fn open(settings: &PostgresSettings, patience: Duration) -> Result<Self, TargetError> {
        match connect::within(settings, patience) {
            Ok(session) => Ok(Self {
                session,
                settings: settings.clone(),
                answers: patience.saturating_mul(ANSWERS),
                state: None,
            }),
            Err(error) => Err(said::not_connected(settings, error)),
        }
    }

    /// Makes the schema `tollgate_hub` where it is missing; nothing where it is there. Many may do it at
    /// once. Needs CREATE on the database, or on a schema of this name that was made for it and is empty.
    /// Who made it owns it, and [grants](crate::targets::hub) the others what they need.
    ///
    /// # Errors
    /// `Configuration` for a hub of a newer version, a table that is no hub's, or a
    /// database that is not encoded in UTF-8; `ReadOnly` for a hot standby; otherwise
    /// what the server says. Nothing is half done.
    pub fn prepare(&mut self) -> Result<(), TargetError> {
        const DOING: &str = "making its schema";
        let state = self.look()?;
        if state.version.is_some() {
            return Ok(());
        }
        if state.is_standby {
            return Err(said::standby(&self.settings));
        }
        if state.encoding != "UTF8" {
            return Err(said::wrong_encoding(&self.settings, &state.encoding));
        }
        self.send(
            &format!("{}{}", begin("READ WRITE"), fill(LOCK, &[])),
            DOING,
        )?;
        // Whoever held the lock before may have made it. This sees what was committed until now.
        let rows = self.send(&fill(LOOK, &[]), DOING)?;
        let state = match self.known(&rows) {
            Ok(state) => state,
            Err(error) => {
                self.send("ROLLBACK", DOING)?;
                return Err(error);
            }
        };
        let mut sql = String::new();
        if state.version.is_none() {
            if !state.has_schema {
                sql.push_str(&fill(MAKE_SCHEMA, &[]));
            }
            sql.push_str(&fill(MAKE_TABLE, &[]));
        }
        sql.push_str("COMMIT;");
        self.send(&sql, DOING).map(drop)
    }

    /// Whether the schema is there, in the version that this tool knows. Needs no grants.
    ///
    /// # Errors
    /// `Configuration` for a hub of a newer version, and for a table that is no hub's;
    /// otherwise what the server says.
    pub fn is_prepared(&mut self) -> Result<bool, TargetError> {
        Ok(self.look()?.version.is_some())
    }

    /// What the hub holds, a line for each writer, in the order of their ids. The digests are computed now,
    /// from what stands there now.
    ///
    /// # Errors
    /// `Configuration` where the database is no hub, or one of a newer version; otherwise
    /// what the server says.
    pub fn summary(&mut self) -> Result<Vec<HubChain>, TargetError> {
        self.enter()?;
        let rows = self.ask(&fill(SUMMARY, &[]), "reading what it holds")?;
        let chain = |row: &SimpleQueryRow| {
            Ok(HubChain {
                writer: parse(row, "writer")?,
                entries: number(row, "entries")?,
                lowest: number(row, "lowest")?,
                highest: number(row, "highest")?,
                digest: parse(row, "digest")?,
            })
        };
        rows.iter()
            .map(chain)
            .collect::<Result<_, TargetError>>()
            .map_err(|_| said::unreadable(&self.settings))
    }

    /// The rows of one writer with a higher number than `above`, in the order of their numbers, and of
    /// their hashes where two have one number. Unverified.
    ///
    /// They come as they are taken, in batches of at most 1,000 rows and about 2 MiB, each a transaction of
    /// its own. A row that is added meanwhile comes too, unless its place was passed already.
    pub fn read(&mut self, writer: WriterId, above: u64) -> HubRows<'_> {
        HubRows {
            hub: self,
            writer,
            above,
            // Behind every hash of this number.
            last: (above, "g".to_owned()),
            batch: Vec::new().into_iter(),
            is_over: false,
        }
    }

    /// The state of a database that is a hub, in a version that is known.
    fn enter(&mut self) -> Result<State, TargetError> {
        let state = self.look()?;
        match state.version {
            Some(_) => Ok(state),
            None => Err(said::not_prepared(&self.settings)),
        }
    }

    /// What the database is; a version that is not known is an error.
    fn look(&mut self) -> Result<State, TargetError> {
        if let Some(state) = &self.state {
            return Ok(state.clone());
        }
        let rows = self.ask(&fill(LOOK, &[]), "looking at its schema")?;
        let state = self.known(&rows)?;
        if state.version.is_some() {
            self.state = Some(state.clone());
        }
        Ok(state)
    }

    /// The answer to [`LOOK`], where it is nothing that this tool must keep its hands off.
    fn known(&self, rows: &[SimpleQueryRow]) -> Result<State, TargetError> {
        let state = rows.first().map(State::read).transpose()?;
        let state = state.ok_or_else(|| said::unreadable(&self.settings))?;
        match &state.version {
            None | Some(Ok(VERSION)) => Ok(state),
            Some(Ok(other)) => Err(said::other_version(&self.settings, *other, VERSION)),
            Some(Err(comment)) => Err(said::no_hub(&self.settings, comment)),
        }
    }

    /// One query that only reads, as a transaction of its own.
    fn ask(&self, sql: &str, doing: &str) -> Result<Vec<SimpleQueryRow>, TargetError> {
        self.send(&format!("{}{sql}COMMIT;", begin("READ ONLY")), doing)
    }

    /// Sends one message, and reads its whole answer. `doing` completes "while ...". After an error no
    /// transaction is open.
    fn send(&self, sql: &str, doing: &str) -> Result<Vec<SimpleQueryRow>, TargetError> {
        let answer = self.session.query_within(sql, self.answers);
        let answer = answer.ok_or_else(|| said::no_answer(&self.settings, self.answers, doing))?;
        answer.map_err(|error| {
            self.roll_back();
            said::refused(&self.settings, &error, doing)
        })
    }

    /// A session that is closed has rolled back already.
    fn roll_back(&self) {
        let _ = self.session.query_within("ROLLBACK", self.answers);
    }
}

/// Begins a transaction, with all that it depends on.
fn begin(access: &str) -> String {
    fill(BEGIN, &[("access", access)])
}

/// The rows of one writer, as they are fetched: [`Hub::read`].
#[derive(Debug)]
pub struct HubRows<'a> {
    hub: &'a mut Hub,
    writer: WriterId,
    above: u64,
    /// Number and hash of the newest row that was fetched.
    last: (u64, String),
    batch: IntoIter<HubRow>,
    /// After the last row, or an error.
    is_over: bool,
}

impl HubRows<'_> {
    fn fetch(&mut self) -> Result<IntoIter<HubRow>, TargetError> {
        self.hub.enter()?;
        // What stands above the highest number of the server's is nothing.
        if i64::try_from(self.last.0).is_err() {
            return Ok(Vec::new().into_iter());
        }
        let sql = fill(
            ROWS,
            &[
                ("writer", &self.writer.to_string()),
                ("above", &self.above.to_string()),
                ("number", &self.last.0.to_string()),
                ("hash", &text(&self.last.1)),
                ("rows", &BATCH_ROWS.to_string()),
                ("bytes", &BATCH_BYTES.to_string()),
            ],
        );
        let rows = self.hub.ask(&sql, "reading its entries")?;
        let unreadable = |_| said::unreadable(&self.hub.settings);
        let mut batch = Vec::with_capacity(rows.len());
        let mut bytes = 0;
        for row in &rows {
            let row = HubRow {
                writer: self.writer,
                number: number(row, "number").map_err(unreadable)?,
                hash: cell(row, "hash").map_err(unreadable)?.to_owned(),
                body: cell(row, "body").map_err(unreadable)?.to_owned(),
            };
            let place = (row.number, row.hash.clone());
            // A server that gives the same rows again and again would be asked for ever.
            if place <= self.last {
                return Err(said::unreadable(&self.hub.settings));
            }
            self.last = place;
            bytes += row.body.len();
            batch.push(row);
        }
        // One that neither limit cut short is the last: nobody needs to ask for an empty one.
        self.is_over = batch.len() < BATCH_ROWS && bytes < BATCH_BYTES;
        Ok(batch.into_iter())
    }
}

impl Iterator for HubRows<'_> {
    type Item = Result<HubRow, TargetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(row) = self.batch.next() {
            return Some(Ok(row));
        }
        if self.is_over {
            return None;
        }
        match self.fetch() {
            Ok(batch) => {
                self.batch = batch;
                let row = self.batch.next();
                self.is_over |= row.is_none();
                row.map(Ok)
            }
            Err(error) => {
                self.is_over = true;
                Some(Err(error))
            }
        }
    }
}
