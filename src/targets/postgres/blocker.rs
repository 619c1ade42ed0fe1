//! Who stands in a statement's way: looked at from a second session while ours waits, because
//! afterwards nobody can tell any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use tokio_postgres::SimpleQueryRow;

use super::connect;
use super::runtime::Session;
use super::session::Backend;
use super::template::fill;
use crate::targets::address::PostgresSettings;

const BLOCKER: &str = include_str!("sql/blocker.sql");
/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// How long to wait for the watcher's last word once the statement has ended.
const LAST_WORD: Duration = Duration::from_millis(500);

/// How to look at what a session waits for.
pub(super) struct Blocker<'a> {
    settings: &'a PostgresSettings,
    backend: Backend,
}

/// Which of several steps is at work.
#[derive(Debug, Clone, Default)]
pub(super) struct Steps(Arc<AtomicUsize>);

impl Steps {
    /// The next one is.
    pub(super) fn next(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn at(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl<'a> Blocker<'a> {
    /// For the session `backend`, reached by `settings`.
    pub(super) const fn new(settings: &'a PostgresSettings, backend: Backend) -> Self {
        Self { settings, backend }
    }

    /// When to begin to look where nothing is known yet: not at all where waits have no end, because
    /// nearly every script needs no look.
    pub(super) fn first_look(&self) -> Option<Duration> {
        let wait = self.backend.lock_timeout?;
        Some((wait / 4).min(Duration::from_secs(1)))
    }

    /// Does `work`, and tells who was seen in its way. The second session is opened once `work` has
    /// gone on for `delay`.
    pub(super) fn watch<T>(
        &self,
        delay: Option<Duration>,
        work: impl FnOnce() -> T,
    ) -> (T, Option<String>) {
        let Some(delay) = delay else {
            return (work(), None);
        };
        let (stop, stopped) = channel::<()>();
        let (tell, told) = channel();
        let (settings, waiting) = (self.settings.clone(), self.backend.pid);
        let watcher = move || {
            let goes_on = |time| stopped.recv_timeout(time) == Err(RecvTimeoutError::Timeout);
            if !goes_on(delay) {
                return;
            }
            // Who cannot be looked at remains unnamed; the statement's own error is told anyway.
            let Ok(session) = connect::beside(&settings) else {
                return;
            };
            while goes_on(PAUSE) {
                let blockers =
                    format!("SELECT pg_catalog.unnest(pg_catalog.pg_blocking_pids({waiting}))");
                if let Some(found) = look(&session, waiting, &blockers) {
                    // Nobody listens any more where the statement has just ended.
                    let _ = tell.send(found);
                    return;
                }
            }
        };
        // Not joined: opening a session may take long, and the statement may be over at once.
        let spawned = std::thread::Builder::new()
            .name("tollgate-watcher".to_owned())
            .spawn(watcher);
        let outcome = work();
        drop(stop);
        // A watcher that saw nobody hangs up as soon as it is told to stop.
        let seen = spawned.ok().and_then(|_| told.recv_timeout(LAST_WORD).ok());
        (outcome, seen)
    }

    /// Does `work`, which goes through several steps, and tells who was seen in the way of the last one. The
    /// second session is opened once a step has gone on for as long as [`Self::first_look`] says.
    pub(super) fn watch_each<T>(&self, work: impl FnOnce(&Steps) -> T) -> (T, Option<String>) {
        let steps = Steps::default();
        let Some(delay) = self.first_look() else {
            return (work(&steps), None);
        };
        let (stop, stopped) = channel::<()>();
        let (tell, told) = channel();
        let (settings, waiting) = (self.settings.clone(), self.backend.pid);
        let at = steps.clone();
        let watcher = move || {
            let goes_on = || stopped.recv_timeout(PAUSE) == Err(RecvTimeoutError::Timeout);
            let blockers =
                format!("SELECT pg_catalog.unnest(pg_catalog.pg_blocking_pids({waiting}))");
            let (mut step, mut since) = (at.at(), Instant::now());
            let (mut session, mut seen_at) = (None, None);
            while goes_on() {
                if at.at() != step {
                    (step, since) = (at.at(), Instant::now());
                }
                if since.elapsed() < delay || seen_at == Some(step) {
                    continue;
                }
                if session.is_none() {
                    session = connect::beside(&settings).ok();
                }
                // Who cannot be looked at remains unnamed; the statement's own error is told anyway.
                let Some(session) = &session else { return };
                if let Some(found) = look(session, waiting, &blockers)
                    && at.at() == step
                {
                    seen_at = Some(step);
                    // Nobody listens any more where the work has just ended.
                    let _ = tell.send((step, found));
                }
            }
        };
        let spawned = std::thread::Builder::new()
            .name("tollgate-watcher".to_owned())
            .spawn(watcher);
        let outcome = work(&steps);
        drop(stop);
        let mut seen = None;
        if spawned.is_ok() {
            while let Ok((step, found)) = told.recv_timeout(LAST_WORD) {
                seen = Some(found).filter(|_| step == steps.at());
            }
        }
        (outcome, seen)
    }

    /// Who is one of `pids`, which is SQL, as `session` sees it: for what is not waited for.
    pub(super) fn of_pids(&self, session: &Session, pids: &str) -> Option<String> {
        look(session, self.backend.pid, pids)
    }

    /// Who is named in the server's account of a deadlock: "... blocked by process 4711."
    pub(super) fn of_deadlock(&self, session: &Session, detail: &str) -> Option<String> {
        let pids = detail
            .split("blocked by process ")
            .skip(1)
            .filter_map(|rest| {
                let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
                digits.parse::<u32>().ok()
            });
        let other = pids.into_iter().find(|pid| *pid != self.backend.pid)?;
        look(session, self.backend.pid, &format!("SELECT {other}"))
    }
}

fn look(session: &Session, waiting: u32, blockers: &str) -> Option<String> {
    let values = [
        ("waiting", waiting.to_string()),
        ("blockers", blockers.to_owned()),
    ];
    let values = values
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let rows = session.query(&fill(BLOCKER, &values)).ok()?;
    rows.first().map(describe)
}

/// "session 4711 (user app, psql, idle in transaction, RowExclusiveLock on t): UPDATE t ..."
fn describe(row: &SimpleQueryRow) -> String {
    let cell = |name: &str| row.get(name).filter(|text| !text.is_empty());
    let mut facts = Vec::new();
    if let Some(user) = cell("usename") {
        facts.push(format!("user {user}"));
    }
    for name in ["application_name", "state", "lock"] {
        facts.extend(cell(name).map(str::to_owned));
    }
    let mut out = format!("session {}", cell("pid").unwrap_or("unknown"));
    if !facts.is_empty() {
        out.push_str(&format!(" ({})", facts.join(", ")));
    }
    out.push_str(&said(cell("query")));
    out
}

/// A session's query, to stand behind what is said of it.
pub(super) fn said(query: Option<&str>) -> String {
    match query {
        None => String::new(),
        Some("<insufficient privilege>") => {
            "; what it runs is not shown to this role (GRANT pg_read_all_stats shows it)".to_owned()
        }
        Some(query) => {
            let words: Vec<&str> = query.split_whitespace().collect();
            format!(": {}", words.join(" "))
        }
    }
}
