//! The schema that the URL names, as Prisma means it: the whole search path of every script, made where
//! it is missing.
//!
//! It is set in the session and not by a startup option, because a pooler may swallow those, and because
//! the name may need quotes. So whatever of ours clears the session's settings sets it again, in the same
//! message: [`after_reset`]. Where the URL names no schema, nothing here sends anything.

use tokio_postgres::Error;

use super::error::{is_fatal, script_error, session_error};
use super::protocol;
use super::runtime::Session;
use super::template::{fill, identifier, text};
use crate::targets::{ApplyError, ScriptError, TargetError};

const HAS_SCHEMA: &str = include_str!("sql/has_schema.sql");
/// Migrations need a schema to work in, and PostgreSQL makes every database with this one.
pub(super) const PUBLIC: &str = "CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC;";

/// What follows every RESET of ours that takes the search path: one statement, or nothing.
pub(super) fn after_reset(session: &Session) -> String {
    session.schema().map_or_else(String::new, |name| {
        format!(" SET search_path TO {};", identifier(name))
    })
}

/// Gives a session that was just opened its search path. The schema may not be there yet: a contact
/// that is refused makes nothing.
pub(super) fn enter(session: &Session) -> Result<(), TargetError> {
    let sql = after_reset(session);
    if sql.is_empty() {
        return Ok(());
    }
    match session.query(&sql) {
        Ok(_) => Ok(()),
        Err(error) => Err(session_error(&error, "setting the search path")),
    }
}

/// The same where the condition holds, as SQL; nothing where the URL names no schema.
pub(super) fn enter_if(session: &Session, condition: &str) -> Option<String> {
    let path = text(&identifier(session.schema()?));
    Some(format!(
        "SELECT CASE WHEN {condition} THEN pg_catalog.set_config('search_path', {path}, false) END"
    ))
}

/// What makes the schema: nothing where it is there. To be sent in the transaction that enters the
/// target, because whoever may only use a schema that is there may not say `IF NOT EXISTS` either.
pub(super) fn missing(session: &Session) -> Result<String, Error> {
    let Some(name) = session.schema() else {
        return Ok(String::new());
    };
    let there = session.query(&fill(HAS_SCHEMA, &[("schema", &text(name))]))?;
    Ok(made(name, !there.is_empty()))
}

/// The same where it is known whether it is there.
pub(super) fn missing_as(session: &Session, is_there: bool) -> String {
    session
        .schema()
        .map_or_else(String::new, |name| made(name, is_there))
}

fn made(name: &str, is_there: bool) -> String {
    match name {
        _ if is_there => String::new(),
        "public" => format!("{PUBLIC}\n"),
        name => format!("CREATE SCHEMA IF NOT EXISTS {};\n", identifier(name)),
    }
}

/// Makes the schema before a script is sent, in a target that was entered when its URL named another,
/// or that lost it since.
pub(super) fn ensure(session: &Session) -> Result<(), ApplyError> {
    let done = missing(session).and_then(|sql| match sql.as_str() {
        "" => Ok(()),
        sql => session.query(sql).map(drop),
    });
    let Err(error) = done else { return Ok(()) };
    let Some(said) = error.as_db_error().filter(|said| !is_fatal(said)) else {
        return Err(protocol::unknown(session_error(
            &error,
            "making the schema of the target's URL",
        )));
    };
    let said = script_error(said, "", 0, None);
    Err(ApplyError::Failed {
        error: Box::new(ScriptError {
            message: format!(
                "the schema {} of the target's URL is not there, and could not be made: {}. Nothing was sent",
                identifier(session.schema().unwrap_or_default()),
                said.message
            ),
            hint: said.hint.or_else(|| {
                Some("create it as a role that may, then run the command again".to_owned())
            }),
            at: None,
            ..said
        }),
        left: None,
    })
}
