//! The bound of a rehearsal: when others have waited long enough, whatever it runs is cancelled from the
//! main session, whatever the script set for itself; where that one is lost, from another.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::super::connect;
use super::super::error::is_fatal;
use super::super::runtime::Session;
use crate::targets::address::PostgresSettings;
use crate::targets::{TargetError, TargetErrorKind};

/// Between two looks at the clock.
const LOOK: Duration = Duration::from_millis(25);
/// So long after the bound the session is ended instead of its statement.
const MERCY: Duration = Duration::from_millis(600);
/// An idle session is ended by the server after minutes, and the run's lock with it.
const HEARTBEAT: Duration = Duration::from_mins(1);

/// How long others had to wait so far.
pub(super) struct Clock {
    bound: Duration,
    begun: OnceLock<Instant>,
    over: AtomicBool,
}

impl Clock {
    /// A clock that stands still.
    pub(super) const fn new(bound: Duration) -> Self {
        Self {
            bound,
            begun: OnceLock::new(),
            over: AtomicBool::new(false),
        }
    }

    /// Starts it: from now on something is held.
    pub(super) fn start(&self) {
        self.begun.get_or_init(Instant::now);
    }

    /// How long something was held; nothing where the clock stands still.
    pub(super) fn elapsed(&self) -> Duration {
        self.begun.get().map_or(Duration::ZERO, Instant::elapsed)
    }

    /// Whether the bound is reached.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire) || self.elapsed() >= self.bound
    }

    /// The bound.
    pub(super) const fn bound(&self) -> Duration {
        self.bound
    }
}

/// Does `work`, and cancels what the session `pid` runs from the bound on until `work` has ended. The main
/// session is kept awake meanwhile, and nobody else may use it.
///
/// # Errors
/// Where the system gives no thread: then nothing is done.
pub(super) fn guard<T>(
    main: &Session,
    settings: &PostgresSettings,
    pid: u32,
    clock: &Clock,
    work: impl FnOnce() -> T,
) -> Result<T, TargetError> {
    let (stop, stopped) = channel::<()>();
    std::thread::scope(|scope| {
        let watch = std::thread::Builder::new()
            .name("tollgate-watchdog".to_owned())
            .spawn_scoped(scope, move || watch(main, settings, pid, clock, &stopped))
            .map_err(|error| TargetError {
                kind: TargetErrorKind::Other,
                fact: format!("nothing was rehearsed: the system gives no thread: {error}"),
                remedy: None,
            })?;
        let done = work();
        drop(stop);
        // It has no result, and does not panic.
        let _ = watch.join();
        Ok(done)
    })
}

fn watch(
    main: &Session,
    settings: &PostgresSettings,
    pid: u32,
    clock: &Clock,
    stopped: &Receiver<()>,
) {
    let mut awake = Instant::now();
    let mut other: Option<Session> = None;
    while stopped.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        if clock.is_over() {
            clock.over.store(true, Ordering::Release);
            let wholly = || clock.elapsed() >= clock.bound + MERCY;
            if !end(other.as_ref().unwrap_or(main), pid, wholly()) {
                // Whoever ended that session must not keep others waiting.
                other = connect::beside(settings).ok();
                if let Some(session) = &other {
                    end(session, pid, wholly());
                }
            }
        } else if awake.elapsed() >= HEARTBEAT {
            // Where it is gone, whatever comes next says so.
            let _ = main.query("SELECT 1");
            awake = Instant::now();
        }
    }
}

/// Ends what a session of ours runs, or the session. Told nobody: the session itself says what became of it.
/// Whether the one that asks could ask.
pub(super) fn end(main: &Session, pid: u32, wholly: bool) -> bool {
    let how = if wholly { "terminate" } else { "cancel" };
    match main.query(&format!("SELECT pg_catalog.pg_{how}_backend({pid})")) {
        Ok(_) => true,
        Err(error) => !error.as_db_error().is_none_or(is_fatal),
    }
}
