//! One try of a rehearsal: from BEGIN to the last look, in a transaction that the caller rolls back.

use std::time::Instant;

use tokio_postgres::Error;

use super::super::blocker::Blocker;
use super::super::data;
use super::super::error::{is_fatal, script_error, sentence};
use super::super::fingerprint::{self, Scope, Unread};
use super::super::lock;
use super::super::protocol::db_error;
use super::super::runtime::Session;
use super::super::schema;
use super::super::session::Backend;
use super::between::{self, Deferrable, Fence, Found};
use super::fit;
use super::outside::Outside;
use super::sequences::{self, Held};
use super::stop::{At, Stop, named, script_failed, with_what_was_seen, with_who};
use super::watchdog::Clock;
use crate::targets::address::PostgresSettings;
use crate::targets::{
    RehearsalError, RehearsalRequest, RehearsalRun, RehearsalStep, State, TargetError,
    TargetErrorKind,
};

/// How long a sequence is waited for at most while others are held, in milliseconds: far less than it takes
/// the server to look for deadlocks.
const SOON: u32 = 30;

/// What a try needs.
pub(super) struct Once<'a> {
    /// Its own session, with nothing open.
    pub(super) session: &'a Session,
    /// How to reach the server once more, to look who is in the way.
    pub(super) settings: &'a PostgresSettings,
    /// The session's side of the server, with the `lock_timeout` in force.
    pub(super) backend: Backend,
    /// What is read.
    pub(super) scope: &'a Scope,
    /// What is rehearsed.
    pub(super) request: &'a RehearsalRequest<'a>,
    /// Started once something is held.
    pub(super) clock: &'a Clock,
    /// What follows every RESET ALL.
    pub(super) own: &'a str,
    /// The `statement_timeout` of the environment in milliseconds; 0 is none.
    pub(super) statement_timeout: u64,
}

impl Once<'_> {
    /// Runs all of it. Whatever is open afterwards is the caller's to roll back.
    pub(super) fn run(&self, tell: &mut dyn FnMut(&str)) -> Result<RehearsalRun, Stop> {
        let session = self.session;
        crate::failpoint::hit("postgres.rehearse.before");
        self.ask(
            At::Look,
            &format!("{} BEGIN ISOLATION LEVEL REPEATABLE READ", self.own),
        )?;
        let home = schema::missing(session).map_err(|error| self.stop(At::Look, error))?;
        if !home.is_empty() {
            self.ask(At::Look, &home)?;
        }
        tell("reading what stands there");
        let before = self.before()?;
        let sequences = sequences::Found::look(session, self.scope)
            .map_err(|unread| self.unread(At::Look, unread))?;
        let outside =
            Outside::look(session, self.scope).map_err(|unread| self.unread(At::Look, unread))?;
        let fence = self.fence()?;
        let held = self.hold(sequences)?;
        self.ask(At::Hold, "SAVEPOINT tollgate_beginning")?;
        let mut notes = Vec::new();
        let mut faults = Vec::new();
        let mut seen = vec![before];
        let steps = [
            RehearsalStep::First,
            RehearsalStep::Second,
            RehearsalStep::FirstAgain,
        ];
        for step in steps {
            if step == RehearsalStep::FirstAgain {
                let behind = held.behind(session, self.scope);
                faults = behind.map_err(|unread| self.unread(At::Look, unread))?;
                self.set_back(&held)?;
            }
            tell(match step {
                RehearsalStep::First => "running the first script",
                RehearsalStep::Second => "running what reverses it",
                RehearsalStep::FirstAgain => "running the first script again",
            });
            if let Err(stop) = self.step(step, &fence) {
                return Err(with_what_was_seen(stop, seen));
            }
            seen.push(self.look(At::Look)?);
            if step == RehearsalStep::Second {
                notes.extend(self.outside(&outside)?);
            }
        }
        // One before, and one after each step.
        let mut seen = seen.into_iter();
        let states = std::array::from_fn(|_| seen.next().unwrap_or_default());
        let [_, first, _, again] = &states;
        let same_schema =
            first.schema.without_column_order() == again.schema.without_column_order();
        let mut first_anew = None;
        if same_schema && first.data != again.data {
            tell("running the first script from the beginning once more");
            self.ask(At::Look, "ROLLBACK TO SAVEPOINT tollgate_beginning")?;
            self.set_back(&held)?;
            self.step(RehearsalStep::First, &fence)?;
            first_anew = Some(self.look(At::Look)?);
        }
        let scripts = [self.request.first.script, self.request.second.script];
        if fit::could_draw(scripts) {
            let free = held.free.iter();
            notes.extend(free.map(|name| {
                format!("numbers drawn from the sequence {name} are not given back: it belongs to another role")
            }));
        }
        crate::failpoint::hit("postgres.rehearse.after");
        Ok(RehearsalRun {
            states,
            first_anew,
            locked: std::time::Duration::ZERO,
            notes,
            faults,
        })
    }

    /// What stands there before anything is held. Nobody waits for it, so it may take as long as the
    /// environment lets a statement take.
    fn before(&self) -> Result<State, Stop> {
        let patience = format!(
            "SAVEPOINT tollgate_before; SET LOCAL statement_timeout = {}",
            self.statement_timeout
        );
        self.ask(At::Look, &patience)?;
        let blocker = Blocker::new(self.settings, self.backend);
        let (state, seen) = blocker.watch(blocker.first_look(), || self.look(At::Look));
        let state = state.map_err(|stop| with_who(stop, seen))?;
        self.ask(
            At::Look,
            "ROLLBACK TO SAVEPOINT tollgate_before; RELEASE SAVEPOINT tollgate_before",
        )?;
        Ok(state)
    }

    fn fence(&self) -> Result<Fence, Stop> {
        Fence::put_up(self.session).map_err(|error| {
            self.unprepared(
                error,
                None,
                "the temporary table that keeps a rehearsal from being committed cannot be made",
            )
        })
    }

    /// What the rehearsal itself needs is refused: by a right that this role lacks, or an event trigger.
    fn unprepared(&self, error: Error, seen: Option<String>, what: &str) -> Stop {
        match error.as_db_error() {
            Some(said) if !is_fatal(said) && said.code().code() != "25006" => {
                self.passing(said, seen).unwrap_or_else(|| {
                    Stop::Out(RehearsalError::Unfit {
                        why: format!("{what}: {}", sentence(said)),
                    })
                })
            }
            _ => self.stop(At::Hold, error),
        }
    }

    fn hold(&self, sequences: sequences::Found) -> Result<Held, Stop> {
        let scripts = [self.request.first.script, self.request.second.script];
        let draws = sequences.hidden || fit::could_draw(scripts);
        let holding = if draws {
            sequences.holding()
        } else {
            String::new()
        };
        if !holding.is_empty() {
            self.get(&sequences, &holding)?;
        }
        self.clock.start();
        sequences
            .held(self.session, draws)
            .map_err(|error| self.stop(At::Hold, error))
    }

    /// Gets the sequences, and before them the tables that draw from them, all or none: a lock that is not
    /// to be had soon is not waited for with others in hand, because whoever holds it may want one of them.
    fn get(&self, sequences: &sequences::Found, holding: &str) -> Result<(), Stop> {
        let tables = sequences.locking().unwrap_or_default();
        let sql = format!(
            "{tables} SET LOCAL lock_timeout = '{SOON}ms'; {holding}; {}",
            self.own
        );
        let patience = self.backend.lock_timeout.unwrap_or(self.clock.bound());
        let begun = Instant::now();
        loop {
            self.ask(At::Hold, "SAVEPOINT tollgate_hold")?;
            let Err(error) = self.session.query(&sql) else {
                self.clock.start();
                return self.ask(At::Hold, "RELEASE SAVEPOINT tollgate_hold");
            };
            let refused = error.code().is_some_and(|code| code.code() == "55P03");
            if !refused {
                return Err(self.unprepared(error, None, "the sequences cannot be held"));
            }
            self.ask(
                At::Hold,
                "ROLLBACK TO SAVEPOINT tollgate_hold; RELEASE SAVEPOINT tollgate_hold",
            )?;
            if begun.elapsed() >= patience {
                let blocker = Blocker::new(self.settings, self.backend);
                let seen = blocker.of_pids(self.session, &sequences.holders());
                return Err(self.unprepared(error, seen, "the sequences cannot be held"));
            }
            self.session.sleep(lock::pause() / 5);
        }
    }

    /// Refuses to prove anything where the scripts changed what is another role's and not compared. Of the
    /// rest of it notes.
    fn outside(&self, outside: &Outside) -> Result<Vec<String>, Stop> {
        let changed = outside
            .changed(self.session, self.scope)
            .map_err(|unread| self.unread(At::Look, unread))?;
        if !changed.theirs.is_empty() {
            return Err(Stop::Out(RehearsalError::Target(Box::new(TargetError {
                kind: TargetErrorKind::Other,
                fact: format!(
                    "the scripts change {}, which belongs to another role and is not compared: nothing of it stands, and nothing was proven",
                    changed.theirs.join(", ")
                ),
                remedy: Some("rehearse as the role that owns it".to_owned()),
            }))));
        }
        let extensions = changed.extensions.iter().map(|name| {
            format!("what the scripts change in {name} was not compared: an extension brought it")
        });
        let sequences = changed.sequences.iter().map(|name| {
            format!("numbers drawn from the sequence {name} are not given back: it belongs to another role")
        });
        Ok(extensions.chain(sequences).collect())
    }

    fn set_back(&self, held: &Held) -> Result<(), Stop> {
        held.set_back(self.session)
            .map_err(|error| self.stop(At::Hold, error))
    }

    /// Runs one script, and brings the session back to where the next one begins.
    fn step(&self, step: RehearsalStep, fence: &Fence) -> Result<(), Stop> {
        self.in_time()?;
        let script = match step {
            RehearsalStep::Second => &self.request.second,
            RehearsalStep::First | RehearsalStep::FirstAgain => &self.request.first,
        };
        let blocker = Blocker::new(self.settings, self.backend);
        let (ran, seen) = blocker.watch(blocker.first_look(), || self.session.run(script.script));
        let failed = match (ran.error.as_ref(), db_error(&ran)) {
            (None, _) => None,
            (Some(_), Some(said)) if !is_fatal(said) => {
                Some(self.failed(step, said, script, ran.ended.len(), seen))
            }
            (Some(error), _) => return Err(self.broken(error)),
        };
        // Before anything else is sent: it must not run outside either.
        self.stands(step, fence, failed.is_some())?;
        if let Some(stop) = failed {
            return Err(stop);
        }
        self.fire(step)?;
        between::reset(self.session, self.own).map_err(|error| self.stop(At::Step(step), error))?;
        // What only this role may name.
        self.fire(step)?;
        Ok(())
    }

    /// Whether the script is still inside; where it failed, its transaction must be there and good for
    /// nothing.
    fn stands(&self, step: RehearsalStep, fence: &Fence, failed: bool) -> Result<(), Stop> {
        let found = match fence.look(self.session) {
            Err(error) if failed && error.code().is_some_and(|code| code.code() == "25P02") => {
                return Ok(());
            }
            found => found.map_err(|error| self.stop(At::Step(step), error))?,
        };
        match found {
            Found::Inside => Ok(()),
            Found::Unfenced => Err(Stop::Out(RehearsalError::Unfit {
                why: "a script took away what keeps the rehearsal from being committed".to_owned(),
            })),
            Found::Outside => Err(Stop::Out(RehearsalError::Target(Box::new(TargetError {
                kind: TargetErrorKind::Other,
                fact: format!(
                    "{} ended the transaction that it was rehearsed in: what it did before that is gone or was never there, and what it did after that may stand in the target",
                    named(step)
                ),
                remedy: Some(
                    "compare the schema with what the last run left, and undo what is there by hand"
                        .to_owned(),
                ),
            })))),
        }
    }

    /// Checks what was deferred, as closing an applied script does.
    fn fire(&self, step: RehearsalStep) -> Result<(), Stop> {
        let names =
            Deferrable::look(self.session).map_err(|unread| self.unread(At::Step(step), unread))?;
        if let Some(name) = names.mixed {
            return Err(Stop::Out(RehearsalError::Unfit {
                why: format!(
                    "of the constraints named {name} some begin deferred and others do not, so they cannot be checked between two scripts"
                ),
            }));
        }
        let Some(sql) = names.firing() else {
            return Ok(());
        };
        let Err(error) = self.session.query(&sql) else {
            return Ok(());
        };
        let Some(said) = error.as_db_error().filter(|said| !is_fatal(said)) else {
            return Err(self.broken(&error));
        };
        if let Some(stop) = self.passing(said, None) {
            return Err(stop);
        }
        if said.code().code() == "42704" {
            return Err(Stop::Again(
                "others changed constraints meanwhile".to_owned(),
            ));
        }
        let mut failed = script_error(said, "", 0, None);
        failed.at = None;
        let after = "after the script's last statement, while deferred constraints were checked";
        failed.context = Some(match failed.context {
            Some(context) => format!("{after}\n{context}"),
            None => after.to_owned(),
        });
        Err(script_failed(step, failed))
    }

    fn look(&self, at: At) -> Result<State, Stop> {
        self.in_time()?;
        let schema = fingerprint::read_within(self.session, self.scope);
        let schema = schema.map_err(|unread| {
            if unread.may_pass() && !self.clock.is_over() {
                return self.unread(at, Unread::Went);
            }
            self.unread(at, unread)
        })?;
        self.in_time()?;
        let data = data::read_within(self.session, self.scope, self.request.data)
            .map_err(|unread| self.unread(at, unread))?;
        Ok(State { schema, data })
    }

    fn ask(&self, at: At, sql: &str) -> Result<(), Stop> {
        self.in_time()?;
        let asked = self.session.query(sql);
        asked.map(drop).map_err(|error| self.stop(at, error))
    }
}
