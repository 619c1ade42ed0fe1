//! New databases on a target's server, and putting a backup into one, by `pg_restore`.

use tokio_postgres::SimpleQueryRow;

use super::backup::version;
use super::error::session_error;
use super::runtime::Session;
use super::scratch::{self, TARGET, dropping, elsewhere};
use super::template::{fill, identifier, text};
use super::{client, connect};
use crate::targets::address::{Address, PostgresSettings};
use crate::targets::backup::{NewDatabase, Programs, RestoreError, Rights, Watch};
use crate::targets::{Beginning, ScratchError, TargetError, TargetErrorKind};

/// Makes a new, empty database on the server of a target.
pub(super) fn create(settings: &PostgresSettings, name: &str) -> Result<NewDatabase, TargetError> {
    if name.is_empty() || name.len() > 63 {
        return Err(TargetError {
            kind: TargetErrorKind::Configuration,
            fact: format!("\"{name}\" is no name of a database: it has from 1 to 63 bytes"),
            remedy: Some("--into app_restored".to_owned()),
        });
    }
    let (session, beside) = elsewhere(settings, Beginning::Empty)?;
    let told = |error| session_error(&error, "making a database");
    let target = fill(TARGET, &[("name", &text(settings.database_name()))]);
    let target = session.query(&target).map_err(told)?;
    let is_there = |session: &Session, name: &str| {
        let asked = format!(
            "SELECT FROM pg_catalog.pg_database AS d WHERE d.datname OPERATOR(pg_catalog.=) {}",
            text(name)
        );
        session.query(&asked).map(|rows| !rows.is_empty())
    };
    if is_there(&session, name).map_err(told)? {
        let mut free = None;
        for number in 2..100 {
            // A name has 63 bytes at most.
            let mut begins = name.len().min(59);
            while !name.is_char_boundary(begins) {
                begins -= 1;
            }
            let other = format!("{}_{number}", &name[..begins]);
            if !is_there(&session, &other).map_err(told)? {
                free = Some(other);
                break;
            }
        }
        return Err(TargetError {
            kind: TargetErrorKind::Other,
            fact: format!(
                "there is a database {name} already, and nothing is ever restored over one"
            ),
            remedy: free.map(|free| format!("--into {free}")),
        });
    }
    crate::failpoint::hit("postgres.restore.create.before");
    match target.first() {
        Some(target) => like(&session, target, settings, name)?,
        // The target itself may be what was lost.
        None => session
            .query(&format!(
                "CREATE DATABASE {} TEMPLATE template0",
                identifier(name)
            ))
            .map(drop)
            .map_err(told)?,
    }
    crate::failpoint::hit("postgres.restore.create.after");
    let mut made = settings.clone();
    made.database = Some(name.to_owned());
    Ok(NewDatabase {
        shown: format!("database {name} on {}", settings.server()),
        address: Address::Postgresql(Box::new(made)),
        beside: Some(Address::Postgresql(Box::new(beside))),
    })
}

/// One with the encoding and the locale of the target's.
fn like(
    session: &Session,
    target: &SimpleQueryRow,
    settings: &PostgresSettings,
    name: &str,
) -> Result<(), TargetError> {
    let (fact, remedy) = match scratch::create(
        session,
        target,
        settings,
        name,
        Beginning::Empty,
        "",
    ) {
        Ok(()) => return Ok(()),
        Err(ScratchError::Target(error)) => return Err(*error),
        Err(ScratchError::NotAllowed { why }) => (
            format!("this role may not create the database {name}: {why}"),
            "ALTER ROLE ... CREATEDB, for the role of the target's url; or by hand: pg_restore --dbname=<an empty database> FILE",
        ),
        Err(ScratchError::NotCopied { why }) => (why, "try again in a moment"),
    };
    Err(TargetError {
        kind: TargetErrorKind::Other,
        fact,
        remedy: Some(remedy.to_owned()),
    })
}

/// Drops a database that was made here, with whoever is still connected to it.
pub(super) fn discard(beside: &PostgresSettings, name: &str) -> Result<(), TargetError> {
    let session = connect::beside(beside)?;
    session
        .query(&dropping(name))
        .map(drop)
        .map_err(|error| session_error(&error, "dropping the new database"))
}

/// Puts a backup into an empty database. What was begun there stays where it fails.
pub(super) fn restore(
    from: &std::path::Path,
    made_by: &str,
    settings: &PostgresSettings,
    rights: Rights,
    programs: &Programs,
    watch: &mut Watch<'_>,
) -> Result<(), RestoreError> {
    let session = connect::beside(settings)?;
    let (_, server) = version(&session)?;
    drop(session);
    // An archive is read by the version that wrote it, or by a newer one.
    let wrote = client::version(made_by).map_or(0, |(_, major)| major);
    let program = client::find(programs, "pg_restore", server.max(wrote))?;
    let mut command = client::command(&program, settings);
    command
        .arg("--exit-on-error")
        .arg("--no-password")
        .arg("--dbname")
        .arg(client::named(settings.database_name()));
    if rights == Rights::Left {
        command.args(["--no-owner", "--no-privileges"]);
    }
    command.arg(from);
    crate::failpoint::hit("postgres.restore.before");
    let ended = client::run(&program, &mut command, watch.give_up)?;
    crate::failpoint::hit("postgres.restore.after");
    match ended.ok(&program) {
        Ok(()) => Ok(()),
        Err(error) if rights == Rights::Kept && is_about_rights(&error.fact) => {
            Err(RestoreError::NotAllowed { why: error.fact })
        }
        Err(error) => Err(error.into()),
    }
}

/// Whether a statement that gives something to its owner, or grants something, is what was refused.
fn is_about_rights(said: &str) -> bool {
    let begins = ["OWNER TO", "GRANT ", "REVOKE ", "ALTER DEFAULT PRIVILEGES"];
    let refused = ["must be", "permission denied", "does not exist"];
    let command = said
        .split_once("Command was: ")
        .map_or("", |(_, command)| command);
    begins.iter().any(|word| command.contains(word))
        && refused.iter().any(|word| said.contains(word))
}
