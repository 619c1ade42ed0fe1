//! The first thing that is asked of a session: everything that a contact begins with, in one go. Each
//! message's way there and back is what a slow link costs.

use tokio_postgres::SimpleQueryRow;

use super::connect::beside;
use super::error::session_error;
use super::lock;
use super::runtime::{Answer, Session};
use super::schema;
use super::session::{self, Backend, SESSION};
use super::template::fill;
use crate::targets::TargetError;
use crate::targets::address::PostgresSettings;

/// What was asked for in one go of a session that was just opened, and done in it.
pub(super) struct Arrived {
    pub(super) backend: Backend,
    /// Whether it is certain that the session is ours alone, so that what was asked for was done.
    pub(super) is_ours: bool,
    /// Whether the lock was taken.
    pub(super) is_locked: bool,
    /// The answers to what else was asked.
    pub(super) answers: Vec<Answer>,
}

/// Looks at a session that was just opened, gives it its search path, tries to take the lock where that is
/// wanted, and asks `more`: all in one go. Where a pooler may stand between, nothing of it is done before
/// it is certain that none does, and `more` has to be asked again.
pub(super) fn arrive(
    session: &Session,
    settings: &PostgresSettings,
    mark: &str,
    takes_lock: bool,
    more: &[&str],
) -> Result<Arrived, TargetError> {
    let look = fill(SESSION, &[]);
    let path = schema::enter_if(session, &if_ours(mark));
    let lock = lock::try_if(&if_ours(mark));
    let mut messages = vec![look.as_str()];
    messages.extend(path.as_deref());
    if takes_lock {
        messages.push(&lock);
    }
    messages.extend(more);
    let mut answers = session.flight(&messages).into_iter();
    let mut rows = |doing: &str| -> Result<Vec<SimpleQueryRow>, TargetError> {
        let rows = answers.next().map(Answer::into_rows).transpose();
        let rows = rows.map_err(|error| session_error(&error, doing))?;
        Ok(rows.unwrap_or_default())
    };
    let looked = rows("looking at the session")?;
    let another = || beside(settings).ok();
    let backend = session::judge(session, settings, mark, looked.first(), another)?;
    let seen = looked.first().and_then(|row| row.get("mark"));
    if seen != Some(mark) {
        schema::enter(session)?;
        return Ok(Arrived {
            backend,
            is_ours: false,
            is_locked: false,
            answers: Vec::new(),
        });
    }
    if path.is_some() {
        rows("setting the search path")?;
    }
    let is_locked = takes_lock && {
        let rows = rows("taking the run's lock")?;
        rows.first().and_then(|row| row.get(0)) == Some("t")
    };
    Ok(Arrived {
        backend,
        is_ours: true,
        is_locked,
        answers: answers.collect(),
    })
}

/// True in a session that the server made for us, as SQL.
fn if_ours(mark: &str) -> String {
    format!(
        "pg_catalog.current_setting('tollgate.session', true) OPERATOR(pg_catalog.=) '{mark}' AND NOT pg_catalog.pg_is_in_recovery()"
    )
}
