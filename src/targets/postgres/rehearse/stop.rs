//! Why a try of a rehearsal ends without a result: what the server said, and whose doing it is.

use tokio_postgres::Error;
use tokio_postgres::error::DbError;

use super::super::error::{is_fatal, script_error, sentence, session_error};
use super::super::fingerprint::Unread;
use super::once::Once;
use crate::targets::{
    RehearsalError, RehearsalStep, RehearsedScript, ScriptError, State, TargetError,
};

/// Why a try has no result.
pub(super) enum Stop {
    /// Others were in the way: why, as a clause. Another try may come out otherwise.
    Again(String),
    /// It is over.
    Out(RehearsalError),
}

impl From<TargetError> for Stop {
    fn from(error: TargetError) -> Self {
        Self::Out(error.into())
    }
}

/// Where a try is: for errors.
#[derive(Clone, Copy)]
pub(super) enum At {
    /// Looking at what stands there.
    Look,
    /// Holding the sequences.
    Hold,
    /// After a script.
    Step(RehearsalStep),
}

impl Once<'_> {
    pub(super) fn in_time(&self) -> Result<(), Stop> {
        if self.clock.is_over() {
            return Err(self.out_of_time(None));
        }
        Ok(())
    }

    pub(super) fn out_of_time(&self, seen: Option<String>) -> Stop {
        let stop = Stop::Out(RehearsalError::Busy {
            what: format!(
                "the rehearsal was not done within {:?}, which is as long as others may have to wait for what it holds",
                self.clock.bound()
            ),
        });
        with_who(stop, seen)
    }

    /// What the server said of a script.
    pub(super) fn failed(
        &self,
        step: RehearsalStep,
        said: &DbError,
        script: &RehearsedScript<'_>,
        ended: usize,
        seen: Option<String>,
    ) -> Stop {
        if let Some(stop) = self.passing(said, seen) {
            return stop;
        }
        let unfit = |why: &str| {
            Stop::Out(RehearsalError::Unfit {
                why: format!("{why}: {}", sentence(said)),
            })
        };
        // An applied script is one transaction too: alone, and with nothing asked before it.
        let code = said.code().code();
        if said.constraint() == Some("tollgate_fence_stands") {
            return unfit(
                "a script checks the constraints of everything that runs in its transaction",
            );
        }
        if code == "25001" {
            return unfit("a script wants to be the first in its transaction");
        }
        if step != RehearsalStep::First && ["55P04", "55006"].contains(&code) {
            return unfit("a script cannot follow the other one in one transaction");
        }
        let statements = script.analysis.statements().unwrap_or_default();
        let range = statements.get(ended).map(|one| one.range.clone());
        script_failed(step, script_error(said, script.script, 0, range))
    }

    /// Errors that say nothing of the scripts, but of others or of the bound.
    pub(super) fn passing(&self, said: &DbError, seen: Option<String>) -> Option<Stop> {
        match said.code().code() {
            _ if self.clock.is_over() => Some(self.out_of_time(seen)),
            "55P03" => {
                let what = format!("a lock was not got in time: {}", sentence(said));
                Some(with_who(Stop::Out(RehearsalError::Busy { what }), seen))
            }
            "40001" => Some(Stop::Again(format!(
                "other sessions write the same rows ({})",
                said.message()
            ))),
            "53200" => Some(Stop::Out(RehearsalError::Unfit {
                why: format!(
                    "the server cannot lock so many objects in one transaction: {}",
                    sentence(said)
                ),
            })),
            "40P01" => Some(Stop::Again(
                "other sessions lock the same things in another order (deadlock detected)"
                    .to_owned(),
            )),
            "XX000" if said.message().contains("concurrently") => Some(Stop::Again(format!(
                "other sessions change the same objects ({})",
                said.message()
            ))),
            // Not the environment's own bound, which would end the script too when it is applied.
            "57014"
                if self.statement_timeout == 0
                    || u128::from(self.statement_timeout) > self.clock.bound().as_millis() =>
            {
                Some(self.out_of_time(seen))
            }
            _ => None,
        }
    }

    /// An error outside the scripts.
    pub(super) fn stop(&self, at: At, error: Error) -> Stop {
        let Some(said) = error.as_db_error().filter(|said| !is_fatal(said)) else {
            return self.broken(&error);
        };
        self.passing(said, None)
            .unwrap_or_else(|| Stop::Out(RehearsalError::from(session_error(&error, doing(at)))))
    }

    pub(super) fn unread(&self, at: At, unread: Unread) -> Stop {
        match unread {
            Unread::Server(error) => self.stop(at, error),
            Unread::Went => Stop::Again("others changed the schema meanwhile".to_owned()),
            Unread::Target(error) => error.into(),
        }
    }

    /// The session broke: from outside, or by the watchdog's hand.
    pub(super) fn broken(&self, error: &Error) -> Stop {
        if self.clock.is_over() {
            return self.out_of_time(None);
        }
        Stop::Out(RehearsalError::from(session_error(error, "rehearsing")))
    }
}

pub(super) fn script_failed(step: RehearsalStep, error: ScriptError) -> Stop {
    Stop::Out(RehearsalError::Failed {
        step,
        error: Box::new(error),
        seen: Vec::new(),
    })
}

/// Names who was seen in the way.
pub(super) fn with_who(stop: Stop, seen: Option<String>) -> Stop {
    match (stop, seen) {
        (Stop::Out(RehearsalError::Busy { what }), Some(who)) => Stop::Out(RehearsalError::Busy {
            what: format!("{what}; it waited for a lock held by {who}"),
        }),
        (stop, _) => stop,
    }
}

pub(super) fn with_what_was_seen(stop: Stop, states: Vec<State>) -> Stop {
    match stop {
        Stop::Out(RehearsalError::Failed { step, error, .. }) => {
            Stop::Out(RehearsalError::Failed {
                step,
                error,
                seen: states,
            })
        }
        other => other,
    }
}

const fn doing(at: At) -> &'static str {
    match at {
        At::Look => "rehearsing: looking at what stands there",
        At::Hold => "rehearsing: holding the sequences",
        At::Step(RehearsalStep::First) => "cleaning up after the first script",
        At::Step(RehearsalStep::Second) => "cleaning up after the second script",
        At::Step(RehearsalStep::FirstAgain) => "cleaning up after the first script ran again",
    }
}

pub(super) const fn named(step: RehearsalStep) -> &'static str {
    match step {
        RehearsalStep::First | RehearsalStep::FirstAgain => "the first script",
        RehearsalStep::Second => "the second script",
    }
}
