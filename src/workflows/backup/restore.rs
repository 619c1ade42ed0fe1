//! restore: a backup into a new database, and never into one that is there.

use std::path::Path;

use super::check::{Found, look};
use super::into;
use super::manifest::Manifest;
use crate::model::entry::{Engine, Restored as Entry};
use crate::model::{EnvironmentName, Fact};
use crate::planner::gates::shell;
use crate::targets::address::Address;
use crate::targets::backup::{self, BackupNews, NewDatabase, RestoreError, Rights, Watch};
use crate::targets::{TargetError, TargetErrorKind};
use crate::workflows::{Event, Run, WorkflowError, target_error};

/// What the new database's name follows.
const INTO: &str = "--into ";

/// How it ended.
#[derive(Debug)]
pub enum Restored {
    /// The file is not what it should be: nothing was made.
    Faulty(Box<Found>),
    /// It was restored.
    Done {
        /// The backup.
        found: Box<Found>,
        /// What its manifest says.
        manifest: Box<Manifest>,
        /// The new database, for people.
        into: String,
    },
}

/// Restores a file into a new database: on the server of the environment's target, or a new file, relative
/// to `base`. The file is looked at first. The environment's own target is never touched. `command` is what
/// was typed, but for `--into`.
///
/// # Errors
/// [`WorkflowError`]; what was made for it is dropped again.
pub fn restore(
    run: &mut Run<'_>,
    path: &Path,
    environment: Option<&EnvironmentName>,
    into: &str,
    base: &Path,
    rights: Rights,
    command: &str,
) -> Result<Restored, WorkflowError> {
    into::is_no_url(into, command, base)?;
    let mut found = look(run, environment, path)?;
    let Some(manifest) = found.manifest.take().filter(|_| found.faults.is_empty()) else {
        return Ok(Restored::Faulty(Box::new(found)));
    };
    // It may be all that there is.
    found.notes.extend(manifest.failed.clone());
    let environment = manifest.environment.clone();
    if run.policy.index(&environment).is_none() {
        return Err(WorkflowError::Usage {
            what: format!(
                "it is a backup of {environment}, which is no environment of tollgate.toml"
            ),
            remedy: format!(
                "edit tollgate.toml: add {environment}, with the url of a database on the server to restore to"
            ),
        });
    }
    let told = |error| target_error(&environment, error);
    let address = (run.locate)(&environment).map_err(told)?;
    let engine = match &address {
        Address::Sqlite(_) => Engine::Sqlite,
        Address::Postgresql(_) => Engine::Postgresql,
    };
    if engine != manifest.engine {
        return Err(WorkflowError::Usage {
            what: format!(
                "it is a backup of {}, and the url of {environment} names {}",
                manifest.engine.as_str(),
                engine.as_str()
            ),
            remedy: format!(
                "edit tollgate.toml: give {environment} the url of a {} database",
                manifest.engine.as_str()
            ),
        });
    }
    into::is_free(run, &address, into, base, command)?;
    let made = backup::create(&address, into, base).map_err(|mut error| {
        // Another name was found, or a file is named after this one: it is typed as it stands.
        error.remedy = match (&address, error.remedy) {
            (Address::Postgresql(_), Some(free)) => match free.strip_prefix(INTO) {
                Some(name) => Some(format!("{command} {INTO}{}", shell(name))),
                None => Some(free),
            },
            (Address::Sqlite(_), None) => Some(format!(
                "{command} {INTO}{}",
                shell(&into::new_file(base, into))
            )),
            (_, remedy) => remedy,
        };
        told(error)
    })?;
    let shown = made.shown.clone();
    if let Err(error) = fill(run, &environment, path, &manifest, &made, rights) {
        let mut error = plain(error, || format!("{command} {INTO}{}", shell(into)));
        if let Err(left) = made.discard() {
            error.fact = format!(
                "{}\n  and {shown} is still there: {}",
                error.fact, left.fact
            );
        }
        return Err(target_error(&environment, error));
    }
    run.record(Fact::Restored(Entry {
        environment,
        target: manifest.target.incarnation,
        file: manifest.file.clone(),
        blake3: manifest.blake3,
        into: into.to_owned(),
    }))?;
    Ok(Restored::Done {
        found: Box::new(found),
        manifest: Box::new(manifest),
        into: shown,
    })
}

fn fill(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    path: &Path,
    manifest: &Manifest,
    made: &NewDatabase,
    rights: Rights,
) -> Result<(), RestoreError> {
    let Run {
        events,
        interrupted,
        backups,
        ..
    } = run;
    let mut tell = |news: BackupNews<'_>| events(Event::BackingUp { environment, news });
    tell(BackupNews::Doing("restoring"));
    let mut watch = Watch {
        tell: &mut tell,
        give_up: *interrupted,
    };
    backup::restore(
        path,
        &manifest.made_by,
        &made.address,
        rights,
        backups.programs,
        &mut watch,
    )
}

fn plain(error: RestoreError, again: impl FnOnce() -> String) -> TargetError {
    match error {
        RestoreError::Target(error) => *error,
        RestoreError::NotAllowed { why } => TargetError {
            kind: TargetErrorKind::Other,
            fact: why,
            remedy: Some(format!(
                "{} --no-owner   # all of it then belongs to this role, without grants",
                again()
            )),
        },
    }
}
