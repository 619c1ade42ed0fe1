//! What is done after each script, as it is done after one that is applied: deferred constraints are
//! checked, and the session becomes what it was. And before anything else: whether the script is still
//! where it was meant to be.

use tokio_postgres::Error;

use super::super::runtime::Session;
use super::super::schema;
use super::super::survey::{cell, parse};
use super::super::template::fill;
use crate::targets::{TargetError, TargetErrorKind};

const FENCE: &str = include_str!("../sql/rehearse/fence.sql");
const STANDS: &str = include_str!("../sql/rehearse/stands.sql");
const DEFERRED: &str = include_str!("../sql/rehearse/deferred.sql");
const TEMPORARY: &str = include_str!("../sql/rehearse/temporary.sql");

/// The transaction of a rehearsal, and what keeps it from being committed.
pub(super) struct Fence {
    transaction: String,
    oid: String,
}

/// Where a script was found.
pub(super) enum Found {
    /// Where it belongs.
    Inside,
    /// In the transaction, and the fence is gone.
    Unfenced,
    /// In another transaction, or in none.
    Outside,
}

impl Fence {
    /// Puts it up, in a transaction that is open.
    pub(super) fn put_up(session: &Session) -> Result<Self, Error> {
        let rows = session.query(&fill(FENCE, &[]))?;
        let asked = |column: &str| {
            let cell = rows
                .iter()
                .find_map(|row| row.try_get(column).ok().flatten());
            cell.unwrap_or_default().to_owned()
        };
        Ok(Self {
            transaction: asked("transaction"),
            oid: asked("fence"),
        })
    }

    /// Whether the session is still behind it.
    pub(super) fn look(&self, session: &Session) -> Result<Found, Error> {
        let rows = session.query(&fill(STANDS, &[("fence", &self.oid)]))?;
        let cell = |name: &str| rows.first().and_then(|row| row.get(name));
        Ok(if cell("transaction") != Some(&self.transaction) {
            Found::Outside
        } else if cell("fence") == Some(&self.oid) {
            Found::Inside
        } else {
            Found::Unfenced
        })
    }
}

/// The constraints that may be deferred, by name.
pub(super) struct Deferrable {
    /// Those that begin deferred.
    deferred: Vec<String>,
    /// All.
    all: Vec<String>,
    /// One whose name others have too that begin otherwise: it cannot be set back.
    pub(super) mixed: Option<String>,
}

impl Deferrable {
    /// Which there are now, as the present role may name them.
    pub(super) fn look(session: &Session) -> Result<Self, super::Unread> {
        let mut out = Self {
            deferred: Vec::new(),
            all: Vec::new(),
            mixed: None,
        };
        for row in session.query(&fill(DEFERRED, &[]))? {
            let name = cell(&row, "name")?.to_owned();
            if row.get("mixed") == Some("t") {
                out.mixed = Some(name.clone());
            }
            if row.get("deferred") == Some("t") {
                out.deferred.push(name.clone());
            }
            out.all.push(name);
        }
        Ok(out)
    }

    /// What checks them now, and defers those again that begin deferred. By name: ALL would also mean
    /// those that are made later.
    pub(super) fn firing(&self) -> Option<String> {
        if self.all.is_empty() {
            return None;
        }
        let mut sql = format!("SET CONSTRAINTS {} IMMEDIATE;", self.all.join(", "));
        if !self.deferred.is_empty() {
            sql.push_str(&format!(
                " SET CONSTRAINTS {} DEFERRED;",
                self.deferred.join(", ")
            ));
        }
        Some(sql)
    }
}

/// The session as it was before the script, as far as that can be had within a transaction. `own` is what
/// this session sets for itself after every RESET.
pub(super) fn reset(session: &Session, own: &str) -> Result<(), Error> {
    // What looks for temporary objects must not be misled by the search path that the script left.
    let path =
        "SET LOCAL search_path = pg_catalog, pg_temp; SET LOCAL client_min_messages = warning";
    session.query(&format!("RESET SESSION AUTHORIZATION; RESET ROLE; {path}"))?;
    let rows = session.query(&fill(TEMPORARY, &[]))?;
    let drops: Vec<&str> = rows.iter().filter_map(|row| row.get(0)).collect();
    if !drops.is_empty() {
        session.query(&drops.join("; "))?;
    }
    session.query(&format!(
        "RESET ALL;{} {own} CLOSE ALL; DEALLOCATE ALL; DISCARD SEQUENCES",
        schema::after_reset(session)
    ))?;
    Ok(())
}

/// The timeouts of a session, in milliseconds; 0 is none.
pub(super) struct Patience {
    /// `lock_timeout`.
    pub(super) lock: u64,
    /// `statement_timeout`.
    pub(super) statement: u64,
}

impl Patience {
    /// What the environment, the role or the server set for the main session.
    pub(super) fn of(session: &Session) -> Result<Self, TargetError> {
        const ASK: &str = "SELECT pg_catalog.min(s.reset_val) FILTER (WHERE s.name = 'lock_timeout') AS lock, \
             pg_catalog.min(s.reset_val) FILTER (WHERE s.name = 'statement_timeout') AS statement FROM pg_catalog.pg_settings AS s";
        let rows = session
            .query(ASK)
            .map_err(|error| super::session_error(&error, "looking at the session"))?;
        let row = rows.first().ok_or_else(|| TargetError {
            kind: TargetErrorKind::Other,
            fact: "the server does not tell its settings".to_owned(),
            remedy: None,
        })?;
        Ok(Self {
            lock: parse(row, "lock")?,
            statement: parse(row, "statement")?,
        })
    }
}
