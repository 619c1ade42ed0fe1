//! Rehearsals in place: what they see, what they leave behind, and who has to wait for them.

mod broken;
mod busy;
mod honest;
mod inside;
mod others;
mod scratch;

use std::time::Duration;

use tollgate::model::entry::Engine;
use tollgate::model::{DataMode, data, schema};
use tollgate::sql::analyse;
use tollgate::targets::postgres::PostgresTarget;
use tollgate::targets::{
    RehearsalError, RehearsalRequest, RehearsalRun, RehearsalStep, RehearsedScript, ScriptError,
    State, Target,
};

use crate::bench::lock;
use crate::support::Database;

/// A bound that no test reaches that does not mean to.
const LONG: Duration = Duration::from_secs(60);

/// Rehearses two scripts in a target that is locked.
fn rehearse_within(
    target: &mut PostgresTarget,
    up: &str,
    down: &str,
    mode: DataMode,
    bound: Duration,
) -> Result<RehearsalRun, RehearsalError> {
    let (first, second) = (
        analyse(Engine::Postgresql, up),
        analyse(Engine::Postgresql, down),
    );
    let request = RehearsalRequest {
        first: RehearsedScript {
            script: up,
            analysis: &first,
        },
        second: RehearsedScript {
            script: down,
            analysis: &second,
        },
        data: mode,
        bound,
    };
    target.rehearse(&request, &mut |_| {})
}

fn rehearse(
    target: &mut PostgresTarget,
    up: &str,
    down: &str,
) -> Result<RehearsalRun, RehearsalError> {
    rehearse_within(target, up, down, DataMode::Full, LONG)
}

/// One more connection, with the run's lock.
fn locked(database: &Database) -> PostgresTarget {
    let mut target = database.open();
    lock(&mut target);
    target
}

/// What is not as it was, in words: objects by kind and name, and what is said of the data. The order of
/// columns is left out.
fn differences(before: &State, after: &State) -> Vec<String> {
    let of = |state: &State| state.schema.without_column_order();
    let objects = schema::diff(&of(before), &of(after));
    let objects = objects
        .iter()
        .map(|one| format!("{} {}", one.kind, one.name.trim_start_matches("public.")));
    let rows = data::diff(&before.data, &after.data);
    let rows = rows
        .iter()
        .map(|one| one.to_string().trim_start_matches("public.").to_owned());
    objects.chain(rows).collect()
}

/// What the second script leaves otherwise.
fn lost(run: &RehearsalRun) -> Vec<String> {
    differences(&run.states[0], &run.states[2])
}

/// Whether up after down is up.
fn again(run: &RehearsalRun) -> Vec<String> {
    differences(&run.states[1], &run.states[3])
}

#[track_caller]
fn failed(outcome: Result<RehearsalRun, RehearsalError>) -> (RehearsalStep, ScriptError) {
    match outcome {
        Err(RehearsalError::Failed { step, error, .. }) => (step, *error),
        other => panic!("no script failed: {other:?}"),
    }
}

#[track_caller]
fn unfit(outcome: Result<RehearsalRun, RehearsalError>) -> String {
    match outcome {
        Err(RehearsalError::Unfit { why }) => why,
        other => panic!("it was fit: {other:?}"),
    }
}

#[track_caller]
fn busy(outcome: Result<RehearsalRun, RehearsalError>) -> String {
    match outcome {
        Err(RehearsalError::Busy { what }) => what,
        other => panic!("nobody was in the way: {other:?}"),
    }
}

/// A rehearsal in which nothing is lost, and up after down is up.
#[track_caller]
pub(crate) fn holds(target: &mut PostgresTarget, up: &str, down: &str, bound: Duration) {
    let run = rehearse_within(target, up, down, DataMode::Full, bound).unwrap();
    assert_eq!((lost(&run), again(&run)), (vec![], vec![]));
}

/// One that takes longer than others may have to wait.
#[track_caller]
pub(crate) fn is_bound(target: &mut PostgresTarget, up: &str, bound: Duration) {
    let what = busy(rehearse_within(
        target,
        up,
        "SELECT 1",
        DataMode::Full,
        bound,
    ));
    assert!(what.contains("within"), "{what}");
}

/// Everything that pg_dump writes, rows and sequences too.
#[allow(
    clippy::disallowed_methods,
    reason = "the programs of the server that the tests use are not on everybody's PATH"
)]
fn dump(database: &Database) -> Vec<u8> {
    let version = database.ask("SELECT current_setting('server_version_num')::int / 10000");
    let installed = format!("/usr/lib/postgresql/{version}/bin/pg_dump");
    let program = if std::path::Path::new(&installed).exists() {
        installed
    } else {
        "pg_dump".to_owned()
    };
    let dumped = std::process::Command::new(program)
        .args(["--restrict-key=x", "--dbname"])
        .arg(database.superuser_url())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&dumped.stderr);
    assert!(dumped.status.success(), "{said}");
    assert!(dumped.stdout.len() > 500);
    dumped.stdout
}
