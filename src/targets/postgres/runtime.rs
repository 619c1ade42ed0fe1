//! The one place where PostgreSQL's driver is asynchronous.
//!
//! Everything is sent as simple queries: nothing is prepared, so nothing of ours is lost when a
//! script says DEALLOCATE ALL or DISCARD ALL, and a script's bytes go out as they are.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::fingerprint::Pinned;
use crate::sql::plain_backslash;
use crate::targets::Observed;
use futures_core::Stream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_postgres::{Client, Error, SimpleQueryMessage, SimpleQueryRow};

/// A session, and the single-threaded runtime that its connection lives on. Dropped in this order:
/// without a client the connection says goodbye to the server.
pub(super) struct Session {
    client: Client,
    connection: Connection,
    /// The schema that the URL names.
    schema: Option<String>,
    known: Mutex<Known>,
    /// Whether the run's lock was taken twice.
    is_deep: AtomicBool,
    /// Whether somebody's code may run when something is defined.
    has_event_triggers: AtomicBool,
    /// Whether a backslash in a plain string is an escape: `standard_conforming_strings = off`.
    has_escapes: AtomicBool,
    /// The shortest time that an answer took, in microseconds.
    shortest: AtomicU64,
}

/// What was seen of the database under the run's lock, and is not asked for again. It is tollgate's own to
/// change.
#[derive(Default)]
pub(super) struct Known {
    /// What an identity row is made of.
    pub(super) place: Option<Place>,
    /// The application's schema, as the identity row names it.
    pub(super) application_schema: Option<Option<String>>,
    /// What the schema was read of last.
    pub(super) pinned: Option<Pinned>,
}

/// What an identity row is made of.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) observed: Observed,
    pub(super) timeline: Option<String>,
    /// Whether the schema that the URL names is there, or `public` where it names none.
    pub(super) has_schema: bool,
}

struct Connection {
    runtime: Runtime,
    task: JoinHandle<()>,
}

/// How long a goodbye may take. A server that misses it finds the closed socket.
const GOODBYE: Duration = Duration::from_secs(1);

impl Drop for Connection {
    fn drop(&mut self) {
        let Self { runtime, task } = self;
        crate::failpoint::hit("postgres.goodbye.before");
        // Nothing is left to be told to: the session is over either way.
        let _ = runtime.block_on(async { tokio::time::timeout(GOODBYE, task).await });
        crate::failpoint::hit("postgres.goodbye.after");
    }
}

/// Whoever hands over messages while others are answered.
pub(super) trait Feed {
    /// The next ones; none where there are none now.
    fn more(&mut self) -> Vec<[String; 3]>;
    /// The next ones in order were answered.
    fn answered(&mut self, answers: [Answer; 3]);
}

/// What one message brought back.
pub(super) struct Answer {
    /// The rows, where they were asked for.
    pub(super) rows: Vec<SimpleQueryRow>,
    /// For each statement of the message that ended, the number of rows it touched.
    pub(super) ended: Vec<u64>,
    /// The error that ended the message, if one did.
    pub(super) error: Option<Error>,
}

impl Answer {
    /// Of a message that was not sent.
    pub(super) fn nothing() -> Self {
        Self {
            rows: Vec::new(),
            ended: Vec::new(),
            error: None,
        }
    }

    /// The rows of each statement of the message, by its place, or the error.
    pub(super) fn into_tables(self) -> Result<Vec<Vec<SimpleQueryRow>>, Error> {
        let ended = self.ended.clone();
        let mut rows = self.into_rows()?.into_iter();
        let counts = ended
            .into_iter()
            .map(|count| usize::try_from(count).unwrap_or(0));
        Ok(counts
            .map(|count| rows.by_ref().take(count).collect())
            .collect())
    }

    /// The rows, or the error.
    pub(super) fn into_rows(self) -> Result<Vec<SimpleQueryRow>, Error> {
        match self.error {
            None => Ok(self.rows),
            Some(error) => Err(error),
        }
    }
}

impl Session {
    /// `task` is the connection, running on `runtime`.
    pub(super) fn new(
        runtime: Runtime,
        client: Client,
        task: JoinHandle<()>,
        schema: Option<String>,
    ) -> Self {
        Self {
            client,
            connection: Connection { runtime, task },
            schema,
            known: Mutex::default(),
            is_deep: AtomicBool::new(false),
            // Until the session was looked at.
            has_event_triggers: AtomicBool::new(true),
            has_escapes: AtomicBool::new(true),
            shortest: AtomicU64::new(u64::MAX),
        }
    }

    /// The shortest time that an answer took: the way there and back, and next to nothing else.
    pub(super) fn way(&self) -> Duration {
        match self.shortest.load(Ordering::Relaxed) {
            u64::MAX => Duration::ZERO,
            shortest => Duration::from_micros(shortest),
        }
    }

    fn answered_after(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.shortest.fetch_min(micros, Ordering::Relaxed);
    }

    /// Whether the run's lock was taken twice: see [`super::lock::LOST_DEEP`].
    pub(super) fn is_deep(&self) -> bool {
        self.is_deep.load(Ordering::Relaxed)
    }

    /// Whether event triggers are there, as far as it was seen.
    pub(super) fn has_event_triggers(&self) -> bool {
        self.has_event_triggers.load(Ordering::Relaxed)
    }

    pub(super) fn set_event_triggers(&self, are_there: bool) {
        self.has_event_triggers.store(are_there, Ordering::Relaxed);
    }

    /// Where a script is read here in another way than the parser did: a backslash in a plain string, where it
    /// is an escape. The string may end elsewhere, and what follows it is other statements.
    pub(super) fn misreads(&self, script: &str) -> Option<usize> {
        match self.has_escapes.load(Ordering::Relaxed) {
            true => plain_backslash(script),
            false => None,
        }
    }

    pub(super) fn set_escapes(&self, are_there: bool) {
        self.has_escapes.store(are_there, Ordering::Relaxed);
    }

    pub(super) fn set_deep(&self, is_deep: bool) {
        self.is_deep.store(is_deep, Ordering::Relaxed);
    }

    /// What was seen of the database.
    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The schema that the URL names; `None` where the server's own search path holds.
    pub(super) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// Sends one message and reads its whole answer.
    pub(super) fn query(&self, sql: &str) -> Result<Vec<SimpleQueryRow>, Error> {
        crate::failpoint::hit("postgres.query.before");
        let begun = Instant::now();
        let answer = self
            .connection
            .runtime
            .block_on(read(&self.client, sql, true));
        self.answered_after(begun.elapsed());
        crate::failpoint::hit("postgres.query.after");
        answer.into_rows()
    }

    /// [`Self::query`]; `None` where the answer has not come in time. It then comes before the next
    /// one's, if ever: a session that was given up on is only good for being dropped.
    pub(super) fn query_within(
        &self,
        sql: &str,
        time: Duration,
    ) -> Option<Result<Vec<SimpleQueryRow>, Error>> {
        crate::failpoint::hit("postgres.query.before");
        let answer = self.within(sql, true, time);
        crate::failpoint::hit("postgres.query.after");
        answer.map(Answer::into_rows)
    }

    /// [`Self::run`]; `None` where the answer has not come in time, as for [`Self::query_within`].
    pub(super) fn run_within(&self, sql: &str, time: Duration) -> Option<Answer> {
        crate::failpoint::hit("postgres.run.before");
        let answer = self.within(sql, false, time);
        crate::failpoint::hit("postgres.run.after");
        answer
    }

    fn within(&self, sql: &str, keep_rows: bool, time: Duration) -> Option<Answer> {
        let reading =
            async { tokio::time::timeout(time, read(&self.client, sql, keep_rows)).await };
        self.connection.runtime.block_on(reading).ok()
    }

    /// Sends one message of a script and reads its whole answer, without keeping the rows.
    pub(super) fn run(&self, sql: &str) -> Answer {
        crate::failpoint::hit("postgres.run.before");
        let answer = self
            .connection
            .runtime
            .block_on(read(&self.client, sql, false));
        crate::failpoint::hit("postgres.run.after");
        answer
    }

    /// Sends several messages without waiting in between, and reads their answers in order.
    ///
    /// The connection's task runs on the same thread whenever an answer is awaited, so it goes on
    /// sending while the server answers: neither side blocks the other, however much there is.
    pub(super) fn pipeline<const N: usize>(&self, messages: [&str; N]) -> [Answer; N] {
        let mut answers = self.flight(&messages).into_iter();
        std::array::from_fn(|_| answers.next().unwrap_or_else(Answer::nothing))
    }

    /// The same, where the rows of one of the messages, by its place, are many: they are shown one by one as
    /// they come, and not kept.
    pub(super) fn pipeline_showing<const N: usize>(
        &self,
        messages: [&str; N],
        place: usize,
        show: &mut dyn FnMut(&SimpleQueryRow),
    ) -> [Answer; N] {
        let mut answers = self.fly(&messages, Some((place, show))).into_iter();
        std::array::from_fn(|_| answers.next().unwrap_or_else(Answer::nothing))
    }

    /// [`Self::pipeline`] for any number of messages: as many answers.
    pub(super) fn flight(&self, messages: &[&str]) -> Vec<Answer> {
        self.fly(messages, None)
    }

    fn fly(&self, messages: &[&str], mut shown: Option<(usize, Show<'_>)>) -> Vec<Answer> {
        crate::failpoint::hit("postgres.pipeline.before");
        let begun = Instant::now();
        let answers = self.connection.runtime.block_on(async {
            let mut streams = Vec::with_capacity(messages.len());
            for message in messages {
                // Ready at its first poll: this only puts the message in the queue.
                streams.push(self.client.simple_query_raw(message).await);
            }
            #[cfg(feature = "failpoints")]
            on_the_wire("postgres.pipeline.sent").await;
            let mut answers = Vec::with_capacity(messages.len());
            for (place, stream) in streams.into_iter().enumerate() {
                let rows = match &mut shown {
                    Some((it, show)) if *it == place => Rows::Show(*show),
                    _ => Rows::Keep,
                };
                answers.push(finish(stream, rows).await);
                crate::failpoint::hit("postgres.pipeline.answered");
            }
            answers
        });
        self.answered_after(begun.elapsed());
        answers
    }

    /// The same for triples of messages that are handed over while others are answered: `lead` first, if
    /// any, then as many as [`Feed::more`] has, asked again once the newest of them are all that is left on
    /// their way. Of the third of each the rows are kept.
    pub(super) fn triples(&self, lead: Option<&str>, feed: &mut dyn Feed) {
        crate::failpoint::hit("postgres.window.before");
        self.connection.runtime.block_on(async {
            let mut leading = match lead {
                Some(lead) => Some(self.client.simple_query_raw(lead).await),
                None => None,
            };
            let mut triples = VecDeque::new();
            let mut newest = 0;
            loop {
                while triples.len() <= newest {
                    let fresh = feed.more();
                    if fresh.is_empty() {
                        break;
                    }
                    newest = fresh.len();
                    for [first, second, third] in &fresh {
                        triples.push_back([
                            self.client.simple_query_raw(first).await,
                            self.client.simple_query_raw(second).await,
                            self.client.simple_query_raw(third).await,
                        ]);
                    }
                    // The connection's task sends them now: what comes next here may take its time.
                    tokio::task::yield_now().await;
                    crate::failpoint::hit("postgres.window.sent");
                }
                if let Some(leading) = leading.take() {
                    finish(leading, Rows::Drop).await;
                }
                let Some([first, second, third]) = triples.pop_front() else {
                    break;
                };
                let answers = [
                    finish(first, Rows::Drop).await,
                    finish(second, Rows::Drop).await,
                    finish(third, Rows::Keep).await,
                ];
                crate::failpoint::hit("postgres.window.answered");
                feed.answered(answers);
            }
        });
        crate::failpoint::hit("postgres.window.after");
    }

    /// Waits, with the connection polled.
    pub(super) fn sleep(&self, time: Duration) {
        self.connection
            .runtime
            .block_on(async { tokio::time::sleep(time).await });
    }
}

fn failed(error: Error) -> Answer {
    Answer {
        error: Some(error),
        ..Answer::nothing()
    }
}

/// Whoever is shown rows.
type Show<'a> = &'a mut dyn FnMut(&SimpleQueryRow);

/// What becomes of the rows of an answer.
enum Rows<'a> {
    Keep,
    Drop,
    Show(Show<'a>),
}

async fn read(client: &Client, sql: &str, keep_rows: bool) -> Answer {
    let stream = client.simple_query_raw(sql).await;
    #[cfg(feature = "failpoints")]
    on_the_wire("postgres.message.sent").await;
    let rows = if keep_rows { Rows::Keep } else { Rows::Drop };
    finish(stream, rows).await
}

async fn finish(
    stream: Result<tokio_postgres::SimpleQueryStream, Error>,
    rows: Rows<'_>,
) -> Answer {
    match stream {
        Ok(stream) => drain(stream, rows).await,
        Err(error) => failed(error),
    }
}

/// Lets the connection's task send what is queued before the point is reached: who ends there has
/// asked, and does not hear the answer.
#[cfg(feature = "failpoints")]
async fn on_the_wire(point: &str) {
    tokio::task::yield_now().await;
    crate::failpoint::hit(point);
}

/// Reads to the end of a message's answer. After an error the driver itself skips the rest.
async fn drain(stream: tokio_postgres::SimpleQueryStream, mut rows: Rows<'_>) -> Answer {
    let mut stream = pin!(stream);
    let mut answer = Answer::nothing();
    while let Some(message) = poll_fn(|context| stream.as_mut().poll_next(context)).await {
        match message {
            Ok(SimpleQueryMessage::CommandComplete(rows)) => answer.ended.push(rows),
            Ok(SimpleQueryMessage::Row(row)) => match &mut rows {
                Rows::Keep => answer.rows.push(row),
                Rows::Drop => {}
                Rows::Show(show) => show(&row),
            },
            Ok(_) => {}
            Err(error) => {
                answer.error = Some(error);
                break;
            }
        }
    }
    answer
}
