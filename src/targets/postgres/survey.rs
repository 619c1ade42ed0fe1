//! What stands in a database, and entering it for the first time.

use tokio_postgres::SimpleQueryRow;

use super::error::session_error;
use super::journal;
use super::runtime::Session;
use super::schema;
use super::template::{fill, or_null};
use crate::model::entry::{Engine, TargetIdentity};
use crate::model::{EnvironmentName, IncarnationId, StoredReceipt};
use crate::targets::{Earlier, Observed, Recorded, Survey, TargetError, TargetErrorKind};

const OBSERVE: &str = include_str!("sql/observe.sql");
const JOURNALS: &str = include_str!("sql/journals.sql");
pub(super) const INVALID_INDEXES: &str = include_str!("sql/invalid_indexes.sql");
pub(super) const SCHEMA: &str = concat!(
    include_str!("sql/schema.sql"),
    include_str!("sql/fingerprint_table.sql")
);
/// Part of [`SCHEMA`], for a target that was entered before this table was known.
pub(super) const FINGERPRINT_TABLE: &str = include_str!("sql/fingerprint_table.sql");
const BIND: &str = include_str!("sql/bind.sql");
const LIFE: &str = include_str!("sql/life.sql");
const LIVES: &str = include_str!("sql/lives.sql");
const HAS_LIVES: &str = "SELECT pg_catalog.to_regclass('tollgate.life') IS NOT NULL";
pub(super) const ARCHIVE: &str = include_str!("sql/archive.sql");
const IDENTITY: &str =
    "SELECT incarnation, environment, system_identifier, database_oid FROM tollgate.identity";
const RECEIPTS: &str = "SELECT seq, hash, body FROM tollgate.receipt ORDER BY seq";
const SYSTEM: &str = "SELECT system_identifier FROM pg_catalog.pg_control_system()";
const TIMELINE: &str = "SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()";

/// Reads everything, writing nothing.
pub(super) fn survey(session: &Session) -> Result<Survey, TargetError> {
    let (observed, is_there, has_other_tables) = observe(session)?;
    let seen = super::history::look(session)?;
    let mut survey = Survey {
        observed,
        recorded: None,
        receipts: Vec::new(),
        journals: Vec::new(),
        invalid_indexes: Vec::new(),
        has_other_tables,
        gone: None,
        history: seen.history,
        is_filled: seen.is_filled,
        is_prisma_8: seen.is_prisma_8,
    };
    if !is_there {
        return Ok(survey);
    }
    let read = |sql: &str| {
        session
            .query(&fill(sql, &[]))
            .map_err(|error| session_error(&error, "reading tollgate's tables"))
    };
    survey.recorded = read(IDENTITY)?.first().map(recorded).transpose()?;
    // The table came with a later version than the others did.
    if let Some(recorded) = &mut survey.recorded
        && read(HAS_LIVES)?.first().and_then(|row| row.get(0)) == Some("t")
    {
        recorded.follows = read(LIVES)?
            .iter()
            .map(|row| parse(row, "incarnation"))
            .collect::<Result<_, TargetError>>()?;
    }
    survey.gone = super::reset::gone(session)?;
    survey.receipts = read(RECEIPTS)?
        .iter()
        .map(|row| {
            Ok(StoredReceipt {
                seq: number(row, "seq")?,
                hash: cell(row, "hash")?.to_owned(),
                body: cell(row, "body")?.to_owned(),
            })
        })
        .collect::<Result<_, TargetError>>()?;
    survey.journals = read(JOURNALS)?
        .iter()
        .map(journal::read)
        .collect::<Result<_, TargetError>>()?;
    survey.invalid_indexes = read(INVALID_INDEXES)?
        .iter()
        .filter_map(|row| row.get("name").map(str::to_owned))
        .collect();
    Ok(survey)
}

/// Creates what is missing, and binds the database to an environment, in one transaction.
pub(super) fn initialise(
    session: &Session,
    environment: &EnvironmentName,
    incarnation: IncarnationId,
    earlier: Earlier,
) -> Result<TargetIdentity, TargetError> {
    let (observed, _, _) = observe(session)?;
    let bind = bind(session, &observed, environment, incarnation)?;
    let home = schema::missing(session)
        .map_err(|error| session_error(&error, "looking for the schema of the target's URL"))?;
    let archive = match earlier {
        Earlier::Keep => life(incarnation, "kept"),
        Earlier::Archive => format!("{}{}", fill(ARCHIVE, &[]), life(incarnation, "emptied")),
    };
    let sql = format!(
        "BEGIN; SET LOCAL synchronous_commit = on; SET LOCAL client_min_messages = warning;\n{}{archive}{home}{bind}COMMIT;",
        fill(SCHEMA, &[])
    );
    if let Err(error) = session.query(&sql) {
        // Whatever is open goes; a session that is closed has rolled back already.
        let _ = session.query("ROLLBACK");
        return Err(session_error(&error, "creating tollgate's tables"));
    }
    Ok(identity_of(observed, incarnation))
}

/// What a database is known by once it has an incarnation.
pub(super) fn identity_of(observed: Observed, incarnation: IncarnationId) -> TargetIdentity {
    TargetIdentity {
        incarnation,
        engine: Engine::Postgresql,
        system: observed.system,
        database: observed.database,
        name: observed.name,
    }
}

/// The SQL that replaces the identity row.
pub(super) fn bind(
    session: &Session,
    observed: &Observed,
    environment: &EnvironmentName,
    incarnation: IncarnationId,
) -> Result<String, TargetError> {
    let timeline = control(session, TIMELINE)?
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .unwrap_or_else(|| "NULL".to_owned());
    Ok(fill(
        BIND,
        &[
            ("incarnation", &incarnation.to_string()),
            ("environment", environment.as_str()),
            ("system", &or_null(observed.system.as_deref())),
            ("timeline", &timeline),
        ],
    ))
}

/// The SQL that remembers which life a new one follows, and how it came about.
pub(super) fn life(incarnation: IncarnationId, how: &str) -> String {
    fill(
        LIFE,
        &[("incarnation", &incarnation.to_string()), ("how", how)],
    )
}

/// The database from outside, whether tollgate's tables are there, and whether others are.
pub(super) fn observe(session: &Session) -> Result<(Observed, bool, bool), TargetError> {
    let rows = session
        .query(&fill(OBSERVE, &[]))
        .map_err(|error| session_error(&error, "reading the catalog"))?;
    let row = rows
        .first()
        .ok_or_else(|| unreadable("the database's own row"))?;
    let observed = Observed {
        engine: Engine::Postgresql,
        system: control(session, SYSTEM)?,
        database: Some(parse(row, "database_oid")?),
        name: cell(row, "name")?.to_owned(),
    };
    let is_there = cell(row, "is_there")? == "t";
    Ok((observed, is_there, cell(row, "has_other_tables")? == "t"))
}

/// A value of the cluster's control file; `None` where the role may not read it, or the server has
/// no such function.
fn control(session: &Session, sql: &str) -> Result<Option<String>, TargetError> {
    match session.query(sql) {
        Ok(rows) => Ok(rows.first().and_then(|row| row.get(0)).map(str::to_owned)),
        Err(error)
            if error
                .code()
                .is_some_and(|code| ["42501", "42883", "0A000"].contains(&code.code())) =>
        {
            Ok(None)
        }
        Err(error) => Err(session_error(&error, "reading the system identifier")),
    }
}

fn recorded(row: &SimpleQueryRow) -> Result<Recorded, TargetError> {
    Ok(Recorded {
        incarnation: parse(row, "incarnation")?,
        environment: parse(row, "environment")?,
        system: row.get("system_identifier").map(str::to_owned),
        database: Some(parse(row, "database_oid")?),
        follows: Vec::new(),
    })
}

pub(super) fn cell<'a>(row: &'a SimpleQueryRow, column: &str) -> Result<&'a str, TargetError> {
    row.try_get(column)
        .ok()
        .flatten()
        .ok_or_else(|| unreadable(column))
}

pub(super) fn parse<T: std::str::FromStr>(
    row: &SimpleQueryRow,
    column: &str,
) -> Result<T, TargetError> {
    cell(row, column)?.parse().map_err(|_| unreadable(column))
}

pub(super) fn number(row: &SimpleQueryRow, column: &str) -> Result<u64, TargetError> {
    parse(row, column)
}

pub(super) fn unreadable(what: &str) -> TargetError {
    TargetError {
        kind: TargetErrorKind::Other,
        fact: format!("tollgate's own tables do not hold what they should: {what} cannot be read"),
        remedy: None,
    }
}
