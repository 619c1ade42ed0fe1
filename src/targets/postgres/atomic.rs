//! An analysed script without transaction control: its work and its receipt are one transaction.

use super::closing::{Closing, opening};
use super::error::script_error;
use super::protocol::{Found, db_error, find, recover, refusal, refuse_broken, unknown};
use super::runtime::{Answer, Session};
use crate::model::entry::Progress;
use crate::sql::{Statement, pipelinable};
use crate::targets::{Applied, ApplyError, Attempt, TargetError, TargetErrorKind};

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
        if opened.error.is_some() {
            // It would run outside of the transaction.
            [opened, Answer::nothing(), Answer::nothing()]
        } else {
            let ran = session.run(attempt.script);
            let [closed] = session.pipeline([closing.message()]);
            [opened, ran, closed]
        }
    };
    refuse_broken(&[&opened, &ran, &closed])?;
    let answers = [opened, ran, closed];
    if !is_refused(&answers) {
        let applied = closing.applied(&answers[2])?;
        progress(Progress { done: of, of });
        return Ok(applied);
    }
    recover(session).map_err(unknown)?;
    let [_, ran, _] = &answers;
    if db_error(ran).is_none()
        && let Some(recorded_at) = find(session, &[id])?.get(&id)
    {
        return Ok(closing.stands(*recorded_at));
    }
    Err(failed(attempt, statements, &answers))
}

/// Whether the server refused one of the three messages.
pub(super) fn is_refused(answers: &[Answer; 3]) -> bool {
    answers.iter().any(|answer| db_error(answer).is_some())
}

/// What the answers say of an attempt that has no receipt.
pub(super) fn failed(
    attempt: &Attempt<'_>,
    statements: &[Statement],
    [opened, ran, closed]: &[Answer; 3],
) -> ApplyError {
    // What C's check found, where it got that far: an aborted transaction stops C before it.
    let closed_with = db_error(closed).map(|error| refusal(error, attempt.receipt.attempt));
    let error = if let Some(error) = db_error(opened) {
        script_error(error, "", 0, None)
    } else if let Some(error) = db_error(ran) {
        let statement = statements.get(ran.ended.len());
        let range = statement.map(|statement| statement.range.clone());
        script_error(error, attempt.script, 0, range)
    } else if let Some(refusal) = &closed_with {
        refusal.error.clone()
    } else {
        return unknown(TargetError {
            kind: TargetErrorKind::Other,
            fact: "the server took the receipt, and it does not stand there".to_owned(),
            remedy: None,
        });
    };
    // What was sent behind an opening that was refused ran without it. What C says then depends on how it was
    // to be closed.
    let ran_outside =
        db_error(opened).is_some() && db_error(ran).is_none() && !ran.ended.is_empty();
    // A script of this kind cannot end its transaction; if it did all the same, say so.
    let ended = ran_outside || closed_with.is_some_and(|refusal| refusal.found == Found::Ended);
    let of = statements.len() as u64;
    ApplyError::Failed {
        error: Box::new(error),
        left: ended.then_some(Progress { done: 0, of }),
    }
}
