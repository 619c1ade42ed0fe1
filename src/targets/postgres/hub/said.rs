//! What is said when the hub cannot do what was asked.

use std::time::Duration;

use tokio_postgres::Error;

use crate::targets::address::PostgresSettings;
use crate::targets::hub::HubRow;
use crate::targets::postgres::error::{chain, is_fatal, sentence};
use crate::targets::postgres::template::identifier;
use crate::targets::{TargetError, TargetErrorKind};

/// Nothing that is done to a hub does harm when it is done twice.
const AGAIN: &str = "run the command again: what was done already is left as it is";

fn build(kind: TargetErrorKind, fact: String, remedy: impl Into<String>) -> TargetError {
    TargetError {
        kind,
        fact,
        remedy: Some(remedy.into()),
    }
}

/// No connection: the words of a target's, which are about a server, and whose it is.
pub(super) fn not_connected(settings: &PostgresSettings, error: TargetError) -> TargetError {
    let ours = |text: &str| text.replace("the target's URL", "the hub's URL");
    TargetError {
        kind: error.kind,
        fact: format!(
            "no connection to the hub at {settings}: {}",
            ours(&error.fact)
        ),
        remedy: error.remedy.as_deref().map(ours),
    }
}

/// Trouble on a session that was open. `doing` completes "while ...".
pub(super) fn refused(settings: &PostgresSettings, error: &Error, doing: &str) -> TargetError {
    let Some(said) = error.as_db_error() else {
        return build(
            TargetErrorKind::Unreachable,
            format!(
                "the connection to the hub at {settings} broke while {doing}: {}",
                chain(error)
            ),
            AGAIN,
        );
    };
    let code = said.code().code();
    let fact = format!(
        "the hub at {settings} refused while {doing}: {}",
        sentence(said)
    );
    let (kind, remedy) = match code {
        "25006" => (
            TargetErrorKind::ReadOnly,
            "name a server that may be written to in the hub's URL".to_owned(),
        ),
        "42501" => (TargetErrorKind::Other, grants(settings, doing)),
        "08P01" => (
            TargetErrorKind::Configuration,
            "name the server itself in the hub's URL, or a pooler in session or transaction mode"
                .to_owned(),
        ),
        // The server ended this session: it stops, or somebody told it to.
        _ if is_fatal(said) => (TargetErrorKind::Unreachable, AGAIN.to_owned()),
        _ => (
            TargetErrorKind::Other,
            "look at the hub's log, then run the command again".to_owned(),
        ),
    };
    build(kind, fact, remedy)
}

/// The session is open, and nothing comes. It is only good for being dropped.
pub(super) fn no_answer(settings: &PostgresSettings, waited: Duration, doing: &str) -> TargetError {
    build(
        TargetErrorKind::Unreachable,
        format!("the hub at {settings} gave no answer within {waited:?} while {doing}"),
        AGAIN,
    )
}

/// What the role lacks.
fn grants(settings: &PostgresSettings, doing: &str) -> String {
    let role = identifier(settings.user.as_deref().unwrap_or_default());
    if doing.starts_with("making") {
        let database = identifier(settings.database_name());
        return format!(
            "psql -c 'GRANT CREATE ON DATABASE {database} TO {role}', as the owner of that database; or let the hub be made by a role that may"
        );
    }
    format!(
        "psql -c 'GRANT USAGE ON SCHEMA tollgate_hub TO {role}' -c 'GRANT SELECT, INSERT ON tollgate_hub.entry TO {role}', as the role that owns the hub"
    )
}

/// An INSERT that failed.
pub(super) fn not_added(settings: &PostgresSettings, error: &Error, doing: &str) -> TargetError {
    let what = match error.code().map(tokio_postgres::error::SqlState::code) {
        Some("23503") => "an entry does not follow one that is there",
        Some("23514" | "22P02" | "22003" | "22021") => {
            "an entry is not what it should be in this version"
        }
        _ => return refused(settings, error, doing),
    };
    let said = error.as_db_error().map(sentence).unwrap_or_default();
    build(
        TargetErrorKind::Other,
        format!("the hub at {settings} took nothing: {what}: {said}"),
        "tollgate verify",
    )
}

/// A row whose hash is not that of its body.
pub(super) fn not_its_hash(settings: &PostgresSettings, row: &HubRow) -> TargetError {
    build(
        TargetErrorKind::Other,
        format!(
            "nothing was sent to the hub at {settings}: entry {} of writer {} does not have the hash beside it",
            row.number, row.writer
        ),
        "tollgate verify",
    )
}

pub(super) fn standby(settings: &PostgresSettings) -> TargetError {
    build(
        TargetErrorKind::ReadOnly,
        format!(
            "the hub at {settings} is a hot standby: it can be pulled from and not pushed to; nothing was sent"
        ),
        "name the primary server in the hub's URL",
    )
}

pub(super) fn not_prepared(settings: &PostgresSettings) -> TargetError {
    build(
        TargetErrorKind::Configuration,
        format!("the database {settings} is no hub yet: it has no table tollgate_hub.entry"),
        "tollgate push, as a role that may create a schema there; or correct the hub's URL",
    )
}

pub(super) fn no_hub(settings: &PostgresSettings, comment: &str) -> TargetError {
    build(
        TargetErrorKind::Configuration,
        format!(
            "the table tollgate_hub.entry at {settings} does not say which version of a hub it is: its comment is {comment:?}; nothing was changed"
        ),
        "name another database in the hub's URL, or put the comment of that table back",
    )
}

pub(super) fn other_version(settings: &PostgresSettings, found: u32, ours: u32) -> TargetError {
    build(
        TargetErrorKind::Configuration,
        format!(
            "the hub at {settings} is of version {found}, and this tollgate knows version {ours}; nothing was changed"
        ),
        "install the version of tollgate that the others use",
    )
}

pub(super) fn wrong_encoding(settings: &PostgresSettings, encoding: &str) -> TargetError {
    build(
        TargetErrorKind::Configuration,
        format!(
            "the database {settings} is encoded in {encoding}, and a hub holds UTF-8; nothing was changed"
        ),
        "createdb --encoding=UTF8 --template=template0 NAME, and name that one in the hub's URL",
    )
}

/// What the server answered is nothing that the hub's table can hold.
pub(super) fn unreadable(settings: &PostgresSettings) -> TargetError {
    build(
        TargetErrorKind::Other,
        format!(
            "the hub at {settings} does not hold what it should: its answer cannot be read, or is not in order"
        ),
        "look at its table tollgate_hub.entry: somebody has changed it",
    )
}
