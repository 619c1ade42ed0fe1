//! What is done after an error, and what the server says of it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio_postgres::Error;
use tokio_postgres::error::DbError;

use super::error::{is_fatal, script_error, session_error};
use super::lock::{self, HOLDS};
use super::receipt::{self, RECORDED_AT};
use super::runtime::{Answer, Session};
use super::schema;
use super::template::fill;
use crate::model::{AttemptId, Timestamp};
use crate::targets::{ApplyError, ScriptError, TargetError, TargetErrorKind};

const RESET: &str = include_str!("sql/reset.sql");
/// A commit that writes and waits carries all that were written before it.
const FLUSH: &str = "BEGIN READ WRITE; SET LOCAL synchronous_commit = on; SELECT pg_catalog.pg_logical_emit_message(true, 'tollgate', ''); COMMIT";

/// What C's check found, where C refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The script ended the transaction of A, and none was open after it.
    Ended,
    /// Our setting is gone: RESET ALL, or another transaction is open.
    Reset,
    /// The run's lock is gone.
    Unlocked,
    /// The server refused something else.
    Other,
}

/// What C's refusal says.
pub(super) struct Refusal {
    pub(super) found: Found,
    pub(super) error: ScriptError,
}

/// Waits until everything that is committed survives a crash.
pub(super) fn flush(session: &Session) -> Result<(), TargetError> {
    match session.query(FLUSH) {
        Ok(_) => Ok(()),
        Err(error) if error.as_db_error().is_none_or(is_fatal) => {
            Err(session_error(&error, "waiting for the server's disk"))
        }
        // A server that does not let us: its own writer has written it within three of its rounds.
        Err(_) => {
            let _ = session.query("ROLLBACK");
            session.sleep(Duration::from_secs(1));
            Ok(())
        }
    }
}

/// Reads C's error.
pub(super) fn refusal(error: &DbError, attempt: AttemptId) -> Refusal {
    let marked = |word: &str| {
        error
            .message()
            .contains(&format!("tollgate:{attempt}:{word}"))
    };
    let (found, message, hint) = if marked("ended") {
        (
            Found::Ended,
            "the script ended the transaction that tollgate had opened for it",
            "write BEGIN and COMMIT so that they can be read as statements of the script, or take them out",
        )
    } else if marked("reset") {
        (
            Found::Reset,
            "the script cleared all settings, tollgate's own too (RESET ALL), or opened another transaction: it cannot be told that its work is in the transaction that tollgate opened",
            "reset single settings by name",
        )
    } else if marked("unlocked") {
        (
            Found::Unlocked,
            "the script gave the run's lock back (pg_advisory_unlock_all, DISCARD ALL)",
            "release single locks by number; instead of DISCARD ALL write DISCARD TEMP, DISCARD SEQUENCES, DEALLOCATE ALL",
        )
    } else if marked("swallowed") {
        (
            Found::Other,
            "the server took the receipt and wrote no row: a rule or trigger on tollgate.receipt swallowed it",
            "drop the rules and triggers that are not tollgate's own from tollgate.receipt",
        )
    } else if marked("forgotten") {
        (
            Found::Other,
            "the script emptied tollgate.identity, which says what this target is",
            "the script must leave the schema tollgate as it is",
        )
    } else {
        let mut said = script_error(error, "", 0, None);
        // Positions are in our message, not in the script.
        said.at = None;
        let after = "after the script's last statement, while deferred constraints were checked and the receipt was recorded";
        said.context = Some(match said.context {
            Some(context) => format!("{after}\n{context}"),
            None => after.to_owned(),
        });
        if said.hint.is_none() && matches!(error.code().code(), "42P01" | "3F000" | "42703") {
            said.hint = Some("the script must leave the schema tollgate as it is".to_owned());
        }
        return Refusal {
            found: Found::Other,
            error: said,
        };
    };
    Refusal {
        found,
        error: ScriptError {
            message: message.to_owned(),
            hint: Some(hint.to_owned()),
            ..ScriptError::default()
        },
    }
}

/// The state after [`recover`].
#[derive(Debug)]
pub(super) struct Recovered {
    /// `tollgate.sent` as it stood when no transaction was open any more.
    pub(super) sent: String,
}

/// After an error: out of any transaction, session as it was opened, lock held. Where the script
/// gave the lock back it is taken again if it is free; no receipt can have been written between by
/// another without our next one being refused, because places in the chain are unique.
pub(super) fn recover(session: &Session) -> Result<Recovered, TargetError> {
    let facts = format!(
        "SELECT COALESCE(pg_catalog.current_setting('tollgate.sent', true), '') AS sent, EXISTS ({HOLDS}) AS held"
    );
    let [rollback, role, facts, reset] = session.pipeline([
        "ROLLBACK",
        "RESET SESSION AUTHORIZATION; RESET ROLE",
        &facts,
        &fill(RESET, &[("after_reset", &schema::after_reset(session))]),
    ]);
    let trouble = |error: &Error| session_error(error, "cleaning up after an error");
    for answer in [&rollback, &role, &reset] {
        if let Some(error) = &answer.error {
            return Err(trouble(error));
        }
    }
    let rows = facts.into_rows().map_err(|error| trouble(&error))?;
    let cell = |name: &str| rows.first().and_then(|row| row.get(name));
    if cell("held") != Some("t") && !lock::try_take(session)? {
        return Err(TargetError {
            kind: TargetErrorKind::Locked,
            fact: "the script gave the run's lock back, and another run has taken it".to_owned(),
            remedy: Some("wait until that run has ended, then try again".to_owned()),
        });
    }
    Ok(Recovered {
        sent: cell("sent").unwrap_or_default().to_owned(),
    })
}

/// Which of the attempts have a receipt, and when it was written, by the server's clock. Asked where C's
/// answer was an error: C goes on after its COMMIT, and only the receipt tells on which side of it the
/// error was.
pub(super) fn find(
    session: &Session,
    attempts: &[AttemptId],
) -> Result<BTreeMap<AttemptId, Option<Timestamp>>, ApplyError> {
    let ids: Vec<String> = attempts.iter().map(|id| format!("'{id}'")).collect();
    let sql = format!(
        "SELECT r.attempt, {RECORDED_AT} AS recorded_at FROM tollgate.receipt AS r WHERE r.attempt IN ({})",
        ids.join(", ")
    );
    match session.query(&sql) {
        Ok(rows) => Ok(rows
            .iter()
            .filter_map(|row| Some((row.get(0)?.parse().ok()?, receipt::recorded_at(row))))
            .collect()),
        // The script has dropped the table and committed that: then nothing is recorded.
        Err(error)
            if error
                .code()
                .is_some_and(|code| ["42P01", "3F000"].contains(&code.code())) =>
        {
            Ok(BTreeMap::new())
        }
        Err(error) => Err(unknown(session_error(&error, "reading the receipt"))),
    }
}

/// The first error that the server reported.
pub(super) fn first_error<'a>(answers: &[&'a Answer]) -> Option<&'a DbError> {
    answers.iter().find_map(|answer| db_error(answer))
}

/// The server's error in an answer.
pub(super) fn db_error(answer: &Answer) -> Option<&DbError> {
    answer.error.as_ref().and_then(Error::as_db_error)
}

/// Any error that is not the server's own, or ends the session, makes the outcome unknown.
pub(super) fn refuse_broken(answers: &[&Answer]) -> Result<(), ApplyError> {
    for error in answers.iter().filter_map(|answer| answer.error.as_ref()) {
        if error.as_db_error().is_none_or(is_fatal) {
            return Err(unknown(session_error(error, "running the script")));
        }
    }
    Ok(())
}

/// Wraps what the client saw.
pub(super) fn unknown(error: TargetError) -> ApplyError {
    ApplyError::Unknown {
        error: Box::new(error),
    }
}
