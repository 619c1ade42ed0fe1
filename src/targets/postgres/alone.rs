//! A script that was not analysed: tried as atomic, one message at a time, and its traces read.
//!
//! It may hold transaction control that nobody saw. What is certain: C records nothing unless the
//! transaction is the one of A. What stands after an error is told from `tollgate.sent`, a setting
//! of the session that is `before` outside and `inside` within the transaction of A: once all is
//! rolled back it still says `inside` only if that transaction was committed.

use super::closing::{Closing, NotClosed, opening};
use super::error::{script_error, session_error};
use super::journal::{self, Note, insert, insert_finished};
use super::journalled::mentions;
use super::protocol::{Found, Recovered, db_error, find, recover, refusal, refuse_broken, unknown};
use super::runtime::Session;
use crate::model::ReceiptKind;
use crate::model::entry::Progress;
use crate::targets::{Applied, ApplyError, Attempt, ScriptError};

/// A script that was not analysed counts as one statement.
const OF: u64 = 1;

pub(super) fn apply(
    session: &Session,
    attempt: &Attempt<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Applied, ApplyError> {
    let id = attempt.receipt.attempt;
    let row = |what| {
        let note = Note {
            step: OF,
            what,
            statement: attempt.script,
        };
        insert(attempt, OF, &[note])
    };
    let finished = insert_finished(id, &attempt.receipt.migration, OF);
    let closing = Closing::new(
        session,
        attempt.receipt,
        ReceiptKind::Atomic,
        &finished,
        attempt.row,
    )?;
    let started = insert(attempt, OF, &journal::started(attempt));
    journal::write(session, id, &format!("{started}\n{}", row("begun")))
        .and_then(|()| session.query("SET tollgate.sent = 'before'").map(drop))
        .map_err(|error| unknown(session_error(&error, "writing the journal")))?;

    let opened = session.run(&format!("{}; SET tollgate.sent = 'inside'", opening(id)));
    refuse_broken(&[&opened])?;
    let fail = |error: ScriptError, gone: bool| {
        let what = if gone { "undone" } else { "failed" };
        // A script that dropped the journal too, and committed that, has said enough.
        if let Err(error) = journal::write(session, id, &row(what))
            && error.as_db_error().is_none()
        {
            return unknown(session_error(&error, "writing the journal"));
        }
        ApplyError::Failed {
            error: Box::new(error),
            left: (!gone).then_some(Progress { done: 0, of: OF }),
        }
    };
    if let Some(error) = db_error(&opened) {
        // It would run outside of the transaction, and is not sent.
        let error = script_error(error, "", 0, None);
        recover(session).map_err(unknown)?;
        return Err(fail(error, true));
    }
    let ran = session.run(attempt.script);
    refuse_broken(&[&ran])?;
    // Sent after an error too: then it records nothing, and tells whether a transaction was open.
    let [closed] = session.pipeline([closing.message()]);
    refuse_broken(&[&closed])?;

    let closed_with = db_error(&closed).map(|error| refusal(error, id));
    let found = closed_with.as_ref().map(|refusal| refusal.found);
    let error = if let Some(error) = db_error(&ran) {
        script_error(error, attempt.script, 0, None)
    } else if let Some(refusal) = closed_with {
        refusal.error
    } else {
        let applied = closing.applied(&closed)?;
        progress(Progress { done: OF, of: OF });
        return Ok(applied);
    };
    let state = recover(session).map_err(unknown)?;
    if db_error(&ran).is_none() {
        if let Some(recorded_at) = find(session, &[id])?.get(&id) {
            return Ok(closing.stands(*recorded_at));
        }
        if found == Some(Found::Ended) {
            let closing = Closing::new(
                session,
                attempt.receipt,
                ReceiptKind::Journalled,
                &finished,
                attempt.row,
            )?;
            let applied = closing.record(session).map_err(|reason| match reason {
                NotClosed::Unknown(error) => error,
                // The whole script ran; only its receipt is missing.
                NotClosed::Failed(error) => ApplyError::Failed {
                    error,
                    left: Some(Progress { done: OF, of: OF }),
                },
            })?;
            progress(Progress { done: OF, of: OF });
            return Ok(applied);
        }
    }
    let (error, gone) = judge(attempt.script, error, found, &state);
    Err(fail(error, gone))
}

/// Whether all of it is gone, beside what is told of it.
fn judge(
    script: &str,
    error: ScriptError,
    found: Option<Found>,
    state: &Recovered,
) -> (ScriptError, bool) {
    // `before` and no word that could have undone the transaction of A: all of it is gone. With
    // such a word the script may have gone on, and committed, in another one.
    let gone = found != Some(Found::Ended)
        && state.sent == "before"
        && !mentions(script, &["rollback", "abort"]);
    (error, gone)
}
