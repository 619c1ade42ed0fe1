//! A script that could not get a lock in time, or lost a deadlock, is tried again: only where all of
//! it was rolled back, so nothing can run twice. It stays one attempt, with one receipt.

use std::time::{Duration, Instant};

use super::blocker::Blocker;
use super::lock;
use super::runtime::Session;
use crate::targets::{Applied, ApplyError, ScriptError};

/// How often a script is sent at most.
const TRIES: u32 = 5;

/// Does `send`, which must leave the session clean and nothing in the target when it fails with
/// nothing `left`, until it has another end than a lock that was not got, at most [`TRIES`] times,
/// and not again once `lock_wait` is over. `first` is how the first try ended, and who was seen in its way,
/// where it was made already.
pub(super) fn on_lock(
    session: &Session,
    blocker: &Blocker<'_>,
    lock_wait: Duration,
    note: &mut dyn FnMut(&str),
    mut first: Option<(Result<Applied, ApplyError>, Option<String>)>,
    mut send: impl FnMut() -> Result<Applied, ApplyError>,
) -> Result<Applied, ApplyError> {
    let begun = Instant::now();
    let mut known = None;
    let mut next = 1;
    loop {
        next += 1;
        let delay = match next {
            2 => blocker.first_look(),
            _ => Some(Duration::ZERO),
        };
        let (outcome, seen) = first
            .take()
            .unwrap_or_else(|| blocker.watch(delay, &mut send));
        let mut error = match outcome {
            Err(ApplyError::Failed { error, left: None }) if is_about_a_lock(&error) => error,
            other => return other,
        };
        let seen = seen.or_else(|| blocker.of_deadlock(session, error.detail.as_deref()?));
        known = seen.or(known);
        let who = known.as_deref().unwrap_or("a session that was not seen");
        let pause = lock::pause() * (next - 1);
        if next > TRIES || begun.elapsed() + pause >= lock_wait {
            let tries = match next - 1 {
                1 => "one try".to_owned(),
                tries => format!("{tries} tries"),
            };
            let ours = format!(
                "given up after {tries}; wait until the session that holds the lock has ended, or end it; it was held by {who}"
            );
            error.hint = Some(match error.hint.take() {
                Some(hint) => format!("{hint}\n{ours}"),
                None => ours,
            });
            return Err(ApplyError::Failed { error, left: None });
        }
        note(&format!(
            "waits for a lock held by {who}; try {next} of {TRIES}"
        ));
        session.sleep(pause);
    }
}

/// `lock_not_available`, which `lock_timeout` and NOWAIT give, or `deadlock_detected`.
fn is_about_a_lock(error: &ScriptError) -> bool {
    matches!(error.code.as_deref(), Some("55P03" | "40P01"))
}
