//! Several analysed scripts without transaction control, sent at once.
//!
//! The server reads the messages one after another, and nothing of ours comes between: so what keeps a
//! script from running behind one that failed is what was sent. A failure leaves an aborted transaction,
//! in which every later BEGIN, script and receipt is refused; C begins a real one where the script had
//! ended ours, and then fails in it. A COMMIT that fails leaves none, and the script behind it may run:
//! its receipt names one that is not there, and is refused with all of its work.

use super::atomic::{self, is_refused};
use super::blocker::{Blocker, Steps};
use super::invalid;
use super::protocol::{Closing, find, opening, recover, refuse_broken, unknown};
use super::retry;
use super::runtime::{Answer, Session};
use super::schema;
use crate::model::AttemptId;
use crate::model::entry::Progress;
use crate::sql::{Analysis, pipelinable};
use crate::targets::{Applied, ApplyError, Attempt, Heard, News, TargetError, TargetErrorKind};

use std::time::Duration;

/// Whether a script may be sent while the ones before it still run. What is looked at before a script is
/// sent has to stay as it is until it runs.
pub(super) fn may_queue(session: &Session, script: &str, analysis: &Analysis) -> bool {
    let mentions = |word: &str| invalid::mentions(script, word);
    // A word in a comment is enough to wait: it costs a message's way.
    pipelinable(analysis)
        // A COMMIT that may fail is waited for.
        && !mentions("isolation")
        && !mentions("serializable")
        && !invalid::may_pass_over(script)
        // The schema that the URL names is made before a script that needs it.
        && (session.schema().is_none() || !mentions("schema"))
}

/// Sends them, in this order, and again from the first one that could not get a lock, as for one alone.
pub(super) fn apply(
    session: &Session,
    blocker: &Blocker<'_>,
    lock_wait: Duration,
    attempts: &[Attempt<'_>],
    hear: &mut dyn FnMut(Heard<'_>),
) -> Result<(), ApplyError> {
    let mut rest = attempts;
    while !rest.is_empty() {
        schema::ensure(session)?;
        let (sent, seen) = blocker.watch_each(|steps| send(session, rest, steps, hear));
        let Some((place, error)) = sent? else {
            return Ok(());
        };
        let Some(attempt) = rest.get(place) else {
            return Err(error);
        };
        let statements = attempt.analysis.statements().unwrap_or_default();
        let heard = std::cell::RefCell::new(&mut *hear);
        let progress = &mut |told| heard.borrow_mut()(Heard::News(News::Progress(told)));
        let note = &mut |note: &str| heard.borrow_mut()(Heard::News(News::Note(note)));
        let first = Some((Err(error), seen));
        let applied = retry::on_lock(session, blocker, lock_wait, note, first, || {
            atomic::apply(session, attempt, statements, progress)
        })?;
        hear(Heard::Applied(applied));
        rest = rest.get(place + 1..).unwrap_or_default();
    }
    Ok(())
}

/// The place of the one that failed, and how; nothing where all of them have a receipt.
type Sent = Option<(usize, ApplyError)>;

fn send(
    session: &Session,
    attempts: &[Attempt<'_>],
    steps: &Steps,
    hear: &mut dyn FnMut(Heard<'_>),
) -> Result<Sent, ApplyError> {
    let mut openings = Vec::with_capacity(attempts.len());
    let mut closings = Vec::with_capacity(attempts.len());
    for attempt in attempts {
        let kind = attempt.atomic_kind();
        openings.push(opening(attempt.receipt.attempt));
        closings.push(Closing::new(
            session,
            attempt.receipt,
            kind,
            "",
            attempt.row,
        )?);
    }
    let closed = closings.iter().map(Closing::message);
    let messages = openings.iter().zip(attempts).zip(closed);
    let messages = messages.map(|((opened, attempt), closed)| [opened, attempt.script, closed]);

    let mut succeeded = 0;
    // The answers from the first one on of which it is not certain that it has a receipt.
    let mut rest: Vec<[Answer; 3]> = Vec::new();
    session.triples(messages, &mut |answers| {
        let closing = closings.get(succeeded).filter(|_| rest.is_empty());
        match closing.and_then(|closing| closing.proved(&answers)) {
            Some(applied) => {
                tell(&attempts[succeeded], applied, hear);
                succeeded += 1;
                steps.next();
            }
            None => rest.push(answers),
        }
    });
    let Some(first) = rest.first() else {
        return Ok(None);
    };
    refuse_broken(&first.each_ref())?;
    if !is_refused(first) {
        // The server took C, and its row was swallowed.
        return Err(match closings.swap_remove(succeeded).applied(&first[2]) {
            Ok(_) => atomic::failed(&attempts[succeeded], &[], first),
            Err(error) => error,
        });
    }
    recover(session).map_err(unknown)?;
    // An error behind C's COMMIT, where somebody cancels what follows it, stops nothing.
    let rest_of_them = attempts[succeeded..].iter();
    let ids: Vec<AttemptId> = rest_of_them.map(|it| it.receipt.attempt).collect();
    let mut standing = find(session, &ids)?;
    for answers in &rest {
        let Some(attempt) = attempts.get(succeeded) else {
            break;
        };
        if let Some(recorded_at) = standing.remove(&attempt.receipt.attempt) {
            tell(attempt, closings[succeeded].stands(recorded_at), hear);
            succeeded += 1;
            continue;
        }
        if !standing.is_empty() {
            return Err(unknown(TargetError {
                kind: TargetErrorKind::Other,
                fact: format!(
                    "a receipt stands that follows the one of {}, which does not",
                    attempt.receipt.migration
                ),
                remedy: None,
            }));
        }
        refuse_broken(&answers.each_ref())?;
        let statements = attempt.analysis.statements().unwrap_or_default();
        let error = atomic::failed(attempt, statements, answers);
        return Ok(Some((succeeded, error)));
    }
    Ok(None)
}

fn tell(attempt: &Attempt<'_>, applied: Applied, hear: &mut dyn FnMut(Heard<'_>)) {
    let of = attempt.analysis.statements().unwrap_or_default().len() as u64;
    hear(Heard::News(News::Progress(Progress { done: of, of })));
    hear(Heard::Applied(applied));
}
