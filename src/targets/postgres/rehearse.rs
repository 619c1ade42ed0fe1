//! A rehearsal in place: in one transaction of a session of its own, which is always rolled back.
//!
//! The run's lock stays with the main session, which meanwhile only watches the clock. What is read before
//! the first script is read before anything is held. Then the sequences are held, because what is drawn
//! from them would outlive the rollback, and the clock starts. What others do meanwhile can look like the
//! work of a script, so the main session looks before and after: where others changed the schema, or a
//! table that seems changed, the rehearsal is begun anew.

mod between;
mod fit;
mod once;
mod outside;
mod sequences;
mod stop;
mod watchdog;

use std::time::Duration;

use super::connect::{self, Connected};
use super::data;
use super::error::session_error;
use super::fingerprint::{self, Scope, Unread};
use super::lock;
use super::reset;
use super::runtime::Session;
use super::session::Backend;
use super::template::fill;
use crate::model::data::diff;
use crate::model::{DataMode, Schema};
use crate::targets::address::{PostgresSettings, Timeouts};
use crate::targets::{
    RehearsalError, RehearsalRequest, RehearsalRun, State, TargetError, TargetErrorKind,
};
use between::Patience;
use once::Once;
use stop::Stop;
use watchdog::Clock;

const UNSEEN: &str = include_str!("sql/rehearse/unseen.sql");
/// How often it is begun at most, while others are in the way.
const TRIES: u32 = 4;
/// How long to wait until a session of ours is gone that was given up on.
const GONE_WITHIN: Duration = Duration::from_secs(10);

/// Rehearses two scripts. `main` is the session that holds the run's lock.
///
/// # Errors
/// [`RehearsalError`].
pub(super) fn rehearse(
    main: &Session,
    settings: &PostgresSettings,
    request: &RehearsalRequest<'_>,
    tell: &mut dyn FnMut(&str),
) -> Result<RehearsalRun, RehearsalError> {
    if let Some(why) = fit::unfit(&request.first).or_else(|| fit::unfit(&request.second)) {
        return Err(RehearsalError::Unfit { why });
    }
    let scripts = [request.first.script, request.second.script];
    if scripts.iter().any(|script| main.misreads(script).is_some()) {
        return Err(RehearsalError::Unfit {
            why:
                "a string of a script has a backslash, and standard_conforming_strings is off here"
                    .to_owned(),
        });
    }
    let patience = Patience::of(main)?;
    let mut known = String::new();
    for n in 1..=TRIES {
        if n > 1 {
            tell(&format!("{known}; try {n} of {TRIES}"));
            main.sleep(lock::pause() * n);
        }
        let seen = Surroundings::of(main)?;
        match one_try(main, settings, request, &patience, tell) {
            Err(Stop::Again(why)) => known = why,
            Err(Stop::Out(error)) => {
                let RehearsalError::Failed { seen: states, .. } = &error else {
                    return Err(error);
                };
                // Others may have taken away what the script works on.
                match changed(main, &seen, states, request.data)? {
                    None => return Err(error),
                    Some(why) => known = why,
                }
            }
            Ok(run) => match changed(main, &seen, &run.states, request.data)? {
                None => return Ok(noted(main, run, request)?),
                Some(why) => known = why,
            },
        }
    }
    Err(RehearsalError::Busy {
        what: format!("{known}, each of the {TRIES} times that it was tried"),
    })
}

/// What others may change while a rehearsal goes on.
#[derive(PartialEq, Eq)]
struct Surroundings {
    schema: Schema,
    files: std::collections::BTreeMap<String, (String, String)>,
}

impl Surroundings {
    fn of(main: &Session) -> Result<Self, RehearsalError> {
        let scope = Scope::of(main)?;
        let read = || {
            Ok(Self {
                schema: fingerprint::read_of(main, &scope)?,
                files: data::files(main, &scope)?,
            })
        };
        read().map_err(|unread: Unread| match unread {
            Unread::Went => RehearsalError::Busy {
                what: reset::blocked(main, Unread::Went.told("")).fact,
            },
            other => other.told("reading the schema").into(),
        })
    }
}

/// What others changed, so that the result is worth nothing: a clause. Rows that they write are seen by a
/// script that writes a whole table anew, and by no reading before it, so a table that is not as it was is
/// read again from outside.
fn changed(
    main: &Session,
    seen: &Surroundings,
    states: &[State],
    mode: DataMode,
) -> Result<Option<String>, RehearsalError> {
    if *seen != Surroundings::of(main)? {
        return Ok(Some("others changed the schema meanwhile".to_owned()));
    }
    let [before, _, after, ..] = states else {
        return Ok(None);
    };
    let differing = diff(&before.data, &after.data);
    if differing.is_empty() {
        return Ok(None);
    }
    let now = data::read(main, mode)?;
    let busy = differing
        .iter()
        .find(|one| now.tables.get(&one.table) != before.data.tables.get(&one.table));
    Ok(busy.map(|one| format!("others wrote to {} meanwhile", one.table)))
}

/// One try, in a session of its own, of which nothing is left.
fn one_try(
    main: &Session,
    settings: &PostgresSettings,
    request: &RehearsalRequest<'_>,
    patience: &Patience,
    tell: &mut dyn FnMut(&str),
) -> Result<RehearsalRun, Stop> {
    let bound = u64::try_from(request.bound.as_millis()).unwrap_or(u64::MAX);
    let bound = bound.clamp(1, i32::MAX as u64);
    let least = |own: u64| if own == 0 { bound } else { own.min(bound) };
    let (waits, works) = (least(patience.lock), least(patience.statement));
    // Startup options, so that a RESET ALL of a script returns to them. A pooler swallows or refuses them;
    // they are set again after each RESET of ours.
    let options = format!("-c lock_timeout={waits}ms -c statement_timeout={works}ms");
    let connected = match connect::connect(&bounded(settings, &options)) {
        Err(error) if error.kind == TargetErrorKind::Configuration => connect::connect(settings),
        connected => connected,
    };
    let Connected { session, backend } = connected?;
    let scope = Scope::of(main)?;
    let clock = Clock::new(request.bound);
    let own = format!("SET lock_timeout = {waits}; SET statement_timeout = {works};");
    let once = Once {
        session: &session,
        settings,
        backend: Backend {
            lock_timeout: Some(Duration::from_millis(waits)),
            ..backend
        },
        scope: &scope,
        request,
        clock: &clock,
        own: &own,
        statement_timeout: patience.statement,
    };
    let done = watchdog::guard(main, settings, backend.pid, &clock, || once.run(tell))?;
    let ended = roll_back(&session);
    let locked = clock.elapsed();
    drop(session);
    if !ended {
        gone(main, backend.pid);
    }
    let mut run = done?;
    run.locked = locked;
    Ok(run)
}

/// The settings with more startup options, which win over all others.
fn bounded(settings: &PostgresSettings, options: &str) -> PostgresSettings {
    let mut bounded = settings.clone();
    bounded.timeouts = Timeouts::default();
    let own = settings.other("options").unwrap_or_default();
    let options = [own, options].join(" ").trim().to_owned();
    bounded.other.push(("options", options));
    bounded
}

/// Rolls everything back. A cancellation that comes late may hit this very message, so it is sent again.
fn roll_back(session: &Session) -> bool {
    (0..3).any(|_| session.query("ROLLBACK").is_ok())
}

/// Waits until a session that did not answer has ended on the server too: only then nothing is held.
fn gone(main: &Session, pid: u32) {
    let begun = std::time::Instant::now();
    let there = format!("SELECT 1 FROM pg_catalog.pg_stat_get_activity({pid})");
    while begun.elapsed() < GONE_WITHIN {
        match main.query(&there) {
            Ok(rows) if !rows.is_empty() => {
                watchdog::end(main, pid, true);
                main.sleep(Duration::from_millis(50));
            }
            _ => return,
        }
    }
}

/// With what a rollback does not undo, and what is there and was not compared.
fn noted(
    main: &Session,
    mut run: RehearsalRun,
    request: &RehearsalRequest<'_>,
) -> Result<RehearsalRun, TargetError> {
    let scripts = [request.first.script, request.second.script];
    run.notes.extend(fit::lasting(scripts));
    let scope = Scope::of(main)?;
    let unseen = fingerprint::moment(main, || {
        let pinned = fingerprint::pin(main, &scope)?;
        let rows = main.query(&fill(UNSEEN, &[("in_scope", &pinned.in_scope)]))?;
        let row = rows.first();
        let count = |name: &str| {
            let cell = row.and_then(|row| row.get(name));
            cell.and_then(|cell| cell.parse::<u64>().ok()).unwrap_or(0)
        };
        Ok((count("foreign_tables"), count("large_objects")))
    });
    let (tables, objects) = unseen.map_err(|unread| unread.told("reading the catalog"))?;
    if tables > 0 {
        run.notes
            .push("what stands behind foreign tables was not compared".to_owned());
    }
    if objects > 0 {
        run.notes.push("large objects were not compared".to_owned());
    }
    Ok(run)
}
