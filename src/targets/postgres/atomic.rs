//! An analysed script without transaction control: its work and its receipt are one transaction.

use super::error::script_error;
use super::protocol::{
    Closing, Found, db_error, has_receipt, opening, recover, refusal, refuse_broken, unknown,
};
use super::runtime::Session;
use crate::model::entry::Progress;
use crate::sql::{Statement, pipelinable};
use crate::targets::{Applied, ApplyError, Attempt};

pub(super) fn apply(
    session: &Session,
    attempt: &Attempt<'_>,
    statements: &[Statement],
    progress: &mut dyn FnMut(Progress),
) -> Result<Applied, ApplyError> {
    let id = attempt.receipt.attempt;
    let closing = Closing::new(
        session,
        attempt.receipt,
        attempt.atomic_kind(),
        "",
        attempt.row,
    )?;
    let opening = opening(id);
    let of = statements.len() as u64;

    let [opened, ran, closed] = if pipelinable(attempt.analysis) {
        session.pipeline([&opening, attempt.script, closing.message()])
    } else {
        let opened = session.run(&opening);
        let ran = session.run(attempt.script);
        [opened, ran, session.run(closing.message())]
    };
    refuse_broken(&[&opened, &ran, &closed])?;

    // What C's check found, where it got that far: an aborted transaction stops C before it.
    let closed_with = db_error(&closed).map(|error| refusal(error, id));
    let error = if let Some(error) = db_error(&opened) {
        script_error(error, "", 0, None)
    } else if let Some(error) = db_error(&ran) {
        let statement = statements.get(ran.ended.len());
        let range = statement.map(|statement| statement.range.clone());
        script_error(error, attempt.script, 0, range)
    } else if let Some(refusal) = &closed_with {
        refusal.error.clone()
    } else {
        let applied = closing.applied(&closed)?;
        progress(Progress { done: of, of });
        return Ok(applied);
    };
    recover(session).map_err(unknown)?;
    if db_error(&ran).is_none() && has_receipt(session, id)? {
        return Ok(closing.found());
    }
    // A script of this kind cannot end its transaction; if it did all the same, say so.
    let ended = closed_with.is_some_and(|refusal| refusal.found == Found::Ended);
    Err(ApplyError::Failed {
        error: Box::new(error),
        left: ended.then_some(Progress { done: 0, of }),
    })
}
