//! Several analysed scripts without transaction control, sent at once.
//!
//! The server reads the messages one after another, and nothing of ours comes between: so what keeps a
//! script from running behind one that failed is what was sent. A failure leaves an aborted transaction,
//! in which every later BEGIN, script and receipt is refused; C begins a real one where the script had
//! ended ours, and then fails in it. A COMMIT that fails leaves none, and the script behind it may run:
//! its receipt names one that is not there, and is refused with all of its work.
//!
//! A script that only defines things is closed by one prepared statement, which costs the server a third of what
//! it costs otherwise. Nothing in such a script could have changed what the session has prepared, or leaves
//! something in it; where event triggers run on definitions, none is closed so.
//!
//! Of those that are handed over together the last one alone waits for the server's disk. The log is written
//! in order, so what it waits for carries the others; until then they are not told as applied.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::atomic::{self, is_refused};
use super::blocker::{Blocker, Steps};
use super::closing::{Batch, Closing, swallowed};
use super::invalid;
use super::lock;
use super::protocol::{find, flush, recover, refuse_broken, unknown};
use super::retry;
use super::runtime::{Answer, Feed, Session};
use super::schema;
use crate::model::AttemptId;
use crate::model::entry::Progress;
use crate::sql::{Analysis, pipelinable};
use crate::targets::{
    Applied, ApplyError, Attempt, Heard, News, Queue, TargetError, TargetErrorKind,
};

use std::time::Duration;

/// Whether a script may be sent while the ones before it still run. What is looked at before a script is
/// sent has to stay as it is until it runs.
pub(super) fn may_queue(session: &Session, script: &str, analysis: &Analysis) -> bool {
    let mentions = |word: &str| invalid::mentions(script, word);
    // A word in a comment is enough to wait: it costs a message's way.
    pipelinable(analysis)
        // What is another script to the server is not sent.
        && session.misreads(script).is_none()
        // What may give the run's lock back is looked at more closely.
        && !mentions("advisory")
        // What runs somebody's code in every definition behind it.
        && !makes_event_triggers(script)
        // A COMMIT that may fail is waited for.
        && !mentions("isolation")
        && !mentions("serializable")
        && !invalid::may_pass_over(script)
        // The schema that the URL names is made before a script that needs it.
        && (session.schema().is_none() || !mentions("schema"))
}

/// Whether a script may make an event trigger, by its words alone.
pub(super) fn makes_event_triggers(script: &str) -> bool {
    invalid::mentions(script, "event") && invalid::mentions(script, "trigger")
}

/// Sends what is handed over, in this order, and again from the first one that could not get a lock, as for
/// one alone.
pub(super) fn apply<'a>(
    session: &Session,
    blocker: &Blocker<'_>,
    lock_wait: Duration,
    queue: &mut dyn Queue<'a>,
) -> Result<(), ApplyError> {
    let mut next = Vec::new();
    loop {
        if next.is_empty() {
            next = queue.more();
        }
        if next.is_empty() {
            return Ok(());
        }
        schema::ensure(session)?;
        let some = std::mem::take(&mut next);
        let (sent, seen) = blocker.watch_each(|steps| send(session, some, steps, queue));
        let Some((rest, error)) = sent? else { continue };
        let Some((attempt, behind)) = rest.split_first() else {
            return Err(error);
        };
        let statements = attempt.analysis.statements().unwrap_or_default();
        let heard = RefCell::new(&mut *queue);
        let progress = &mut |told| heard.borrow_mut().hear(Heard::News(News::Progress(told)));
        let note = &mut |note: &str| heard.borrow_mut().hear(Heard::News(News::Note(note)));
        let first = Some((Err(error), seen));
        let applied = retry::on_lock(session, blocker, lock_wait, note, first, || {
            atomic::apply(session, attempt, statements, progress)
        })?;
        queue.hear(Heard::Ran);
        queue.hear(Heard::Applied(applied));
        next = behind.to_vec();
    }
}

/// All of them at once.
pub(super) struct Whole<'q, 'a> {
    attempts: &'q [Attempt<'a>],
    hear: &'q mut dyn FnMut(Heard<'_>),
}

impl<'q, 'a> Whole<'q, 'a> {
    pub(super) fn new(attempts: &'q [Attempt<'a>], hear: &'q mut dyn FnMut(Heard<'_>)) -> Self {
        Self { attempts, hear }
    }
}

impl<'a> Queue<'a> for Whole<'_, 'a> {
    fn more(&mut self) -> Vec<Attempt<'a>> {
        std::mem::take(&mut self.attempts).to_vec()
    }

    fn hear(&mut self, heard: Heard<'_>) {
        (self.hear)(heard);
    }
}

/// What is on its way.
struct Going<'q, 'a> {
    session: &'q Session,
    queue: &'q mut dyn Queue<'a>,
    steps: &'q Steps,
    /// Handed over already, and not yet sent.
    next: Vec<Attempt<'a>>,
    /// Those that were sent and of which it is not known that they ran.
    sent: VecDeque<(Attempt<'a>, Closing)>,
    /// Those that ran, until it is known that they survive a crash.
    ran: Vec<(AttemptId, Applied)>,
    /// The answers from the first one on of which it is not certain that it has a receipt.
    rest: Vec<[Answer; 3]>,
    /// Why nothing more is sent.
    trouble: Option<ApplyError>,
}

impl<'a> Going<'_, 'a> {
    fn messages(&mut self, attempts: Vec<Attempt<'a>>) -> Result<Vec<[String; 3]>, ApplyError> {
        let last = attempts.len().saturating_sub(1);
        let mut batch = Batch::new(self.session);
        let mut messages = Vec::with_capacity(attempts.len());
        for (place, attempt) in attempts.into_iter().enumerate() {
            let (triple, closing) = batch.messages(&attempt, place == last)?;
            messages.push(triple);
            self.sent.push_back((attempt, closing));
        }
        Ok(messages)
    }

    /// The first one that was sent ran.
    fn ran(&mut self, applied: Applied) {
        let Some((attempt, closing)) = self.sent.pop_front() else {
            return;
        };
        let of = attempt.analysis.statements().unwrap_or_default().len() as u64;
        let progress = Progress { done: of, of };
        self.queue.hear(Heard::News(News::Progress(progress)));
        self.queue.hear(Heard::Ran);
        self.ran.push((attempt.receipt.attempt, applied));
        self.steps.next();
        if closing.is_durable() {
            self.tell();
        }
    }

    /// All that ran survive a crash.
    fn tell(&mut self) {
        for (_, applied) in self.ran.drain(..) {
            self.queue.hear(Heard::Applied(applied));
        }
    }
}

impl Feed for Going<'_, '_> {
    fn more(&mut self) -> Vec<[String; 3]> {
        if !self.rest.is_empty() || self.trouble.is_some() {
            return Vec::new();
        }
        let mut attempts = std::mem::take(&mut self.next);
        if attempts.is_empty() {
            attempts = self.queue.more();
        }
        self.messages(attempts).unwrap_or_else(|error| {
            self.trouble = Some(error);
            Vec::new()
        })
    }

    fn answered(&mut self, answers: [Answer; 3]) {
        let first = self.sent.front().filter(|_| self.rest.is_empty());
        match first.and_then(|(_, closing)| closing.proved(&answers)) {
            Some(applied) => self.ran(applied),
            None => self.rest.push(answers),
        }
    }
}

/// Those from the one on that failed, and how that one did; nothing where all of them have a receipt.
type Sent<'a> = Option<(Vec<Attempt<'a>>, ApplyError)>;

fn send<'a>(
    session: &Session,
    next: Vec<Attempt<'a>>,
    steps: &Steps,
    queue: &mut dyn Queue<'a>,
) -> Result<Sent<'a>, ApplyError> {
    let mut going = Going {
        session,
        queue,
        steps,
        next,
        sent: VecDeque::new(),
        ran: Vec::new(),
        rest: Vec::new(),
        trouble: None,
    };
    let lead = (!session.is_deep()).then_some(lock::DEEPEN);
    session.set_deep(true);
    session.triples(lead, &mut going);
    if let Some(trouble) = going.trouble.take() {
        return Err(trouble);
    }
    let rest = std::mem::take(&mut going.rest);
    let Some(first) = rest.first() else {
        return Ok(None);
    };
    refuse_broken(&first.each_ref())?;
    if !is_refused(first)
        && let Some((attempt, closing)) = going.sent.pop_front()
    {
        // The server took C, and its row was swallowed.
        return Err(match closing.applied(&first[2]) {
            Ok(_) => atomic::failed(&attempt, &[], first),
            Err(error) => error,
        });
    }
    recover(session).map_err(unknown)?;
    // An error behind C's COMMIT, where somebody cancels what follows it, stops nothing.
    let ran = going.ran.iter().map(|(attempt, _)| *attempt);
    let sent = going.sent.iter().map(|(it, _)| it.receipt.attempt);
    let ids: Vec<AttemptId> = ran.chain(sent).collect();
    let mut standing = find(session, &ids)?;
    // What was prepared could have been replaced, and nobody has looked at these yet.
    let ran = going.ran.iter().map(|(attempt, _)| attempt);
    if !ran
        .into_iter()
        .all(|attempt| standing.remove(attempt).is_some())
    {
        return Err(unknown(swallowed()));
    }
    if !going.ran.is_empty() || !standing.is_empty() {
        // None of the one that was to wait for the disk is left.
        flush(session).map_err(unknown)?;
        going.tell();
    }
    for answers in &rest {
        let Some((attempt, closing)) = going.sent.front() else {
            break;
        };
        if let Some(recorded_at) = standing.remove(&attempt.receipt.attempt) {
            let applied = closing.stands(recorded_at);
            going.ran(applied);
            going.tell();
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
        let rest = going.sent.iter().map(|(attempt, _)| *attempt);
        return Ok(Some((rest.collect(), error)));
    }
    Ok(None)
}
