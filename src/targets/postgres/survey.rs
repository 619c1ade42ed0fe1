//! What stands in a database, and entering it for the first time.

use tokio_postgres::SimpleQueryRow;

use super::error::session_error;
use super::journal;
use super::receipt::{RECORDED_AT, recorded_at};
use super::runtime::{Answer, Place, Session};
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
const IDENTITY: &str = "SELECT incarnation, environment, system_identifier, database_oid, application_schema FROM tollgate.identity";
const APPLICATION_SCHEMA: &str = "SELECT application_schema FROM tollgate.identity";
const GONE: &str = include_str!("sql/gone.sql");
const RECEIPTS: &str =
    "SELECT seq, hash, body, {recorded_at} AS recorded_at FROM tollgate.receipt AS r ORDER BY seq";
const SYSTEM: &str = "SELECT system_identifier FROM pg_catalog.pg_control_system()";
const TIMELINE: &str = "SELECT timeline_id FROM pg_catalog.pg_control_checkpoint()";

/// What is asked to read everything.
pub(super) struct Asked([String; 4]);

impl Asked {
    pub(super) fn new(session: &Session) -> Self {
        let own = [IDENTITY, LIVES, GONE, RECEIPTS, JOURNALS, INVALID_INDEXES];
        let own: Vec<String> = own
            .iter()
            .map(|sql| {
                fill(sql, &[("recorded_at", RECORDED_AT)])
                    .trim_end()
                    .trim_end_matches(';')
                    .to_owned()
            })
            .collect();
        Self([
            fill(OBSERVE, &[]),
            format!("{SYSTEM}; {TIMELINE}"),
            super::history::there(session),
            // All of tollgate's own in one message: where they are not there, that is one error and no more.
            own.join(";\n"),
        ])
    }

    pub(super) fn messages(&self) -> [&str; 4] {
        self.0.each_ref().map(String::as_str)
    }
}

/// Reads everything, writing nothing.
pub(super) fn survey(session: &Session) -> Result<Survey, TargetError> {
    let asked = Asked::new(session);
    read(session, session.flight(&asked.messages()))
}

/// What the answers to [`Asked`] say.
pub(super) fn read(session: &Session, answers: Vec<Answer>) -> Result<Survey, TargetError> {
    let mut answers = answers.into_iter();
    let mut answer = || answers.next().ok_or_else(|| unreadable("an answer"));
    let rows = answer()?.into_rows();
    let rows = rows.map_err(|error| session_error(&error, "reading the catalog"))?;
    let (control, there, own) = (control(answer()?)?, answer()?, answer()?);
    let (observed, is_there, has_other_tables) = observed(&rows, &control)?;
    let there = there
        .into_rows()
        .map_err(|error| session_error(&error, "looking for Prisma's table"))?;
    let seen = super::history::seen(session, &there)?;
    {
        let mut known = session.known();
        known.place = Some(Place {
            observed: observed.clone(),
            timeline: control.timeline,
            has_schema: seen.has_schema,
        });
        known.application_schema = (!is_there).then_some(None);
    }
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
    let [identity, lives, gone, receipts, journals, invalid] = match own.into_tables() {
        Ok(tables) => <[Vec<SimpleQueryRow>; 6]>::try_from(tables)
            .map_err(|_| unreadable("what was asked of them"))?,
        // A table came with a later version than the others did: one by one, and that one where it is there.
        Err(error) if error.code().is_some_and(|code| code.code() == "42P01") => {
            own_alone(session)?
        }
        Err(error) => return Err(session_error(&error, "reading tollgate's tables")),
    };
    survey.recorded = identity.first().map(recorded).transpose()?;
    if let Some(row) = identity.first() {
        session.known().application_schema = Some(row.get("application_schema").map(str::to_owned));
    }
    if let Some(recorded) = &mut survey.recorded {
        recorded.follows = lives
            .iter()
            .map(|row| parse(row, "incarnation"))
            .collect::<Result<_, TargetError>>()?;
    }
    survey.gone = super::reset::gone(&gone);
    survey.receipts = receipts
        .iter()
        .map(|row| {
            Ok(StoredReceipt {
                seq: number(row, "seq")?,
                hash: cell(row, "hash")?.to_owned(),
                body: cell(row, "body")?.to_owned(),
                recorded_at: recorded_at(row),
            })
        })
        .collect::<Result<_, TargetError>>()?;
    survey.journals = journals
        .iter()
        .map(journal::read)
        .collect::<Result<_, TargetError>>()?;
    survey.invalid_indexes = invalid
        .iter()
        .filter_map(|row| row.get("name").map(str::to_owned))
        .collect();
    Ok(survey)
}

fn own_alone(session: &Session) -> Result<[Vec<SimpleQueryRow>; 6], TargetError> {
    let read = |sql: &str| {
        session
            .query(&fill(sql, &[("recorded_at", RECORDED_AT)]))
            .map_err(|error| session_error(&error, "reading tollgate's tables"))
    };
    let has_lives = read(HAS_LIVES)?.first().and_then(|row| row.get(0)) == Some("t");
    Ok([
        read(IDENTITY)?,
        if has_lives { read(LIVES)? } else { Vec::new() },
        read(GONE)?,
        read(RECEIPTS)?,
        read(JOURNALS)?,
        read(INVALID_INDEXES)?,
    ])
}

/// Creates what is missing, and binds the database to an environment, in one transaction.
pub(super) fn initialise(
    session: &Session,
    environment: &EnvironmentName,
    incarnation: IncarnationId,
    earlier: Earlier,
) -> Result<TargetIdentity, TargetError> {
    let known = std::mem::take(&mut *session.known());
    let place = match known.place {
        Some(place) => place,
        None => look(session)?,
    };
    let bind = bind(&place, environment, incarnation);
    let home = schema::missing_as(session, place.has_schema);
    let archive = match earlier {
        Earlier::Keep => life(incarnation, "kept"),
        Earlier::Archive => format!("{}{}", fill(ARCHIVE, &[]), life(incarnation, "emptied")),
    };
    let sql = format!(
        "BEGIN; SET LOCAL synchronous_commit = on; SET LOCAL client_min_messages = warning;\n{}{archive}{home}{bind}{APPLICATION_SCHEMA};\nCOMMIT;",
        fill(SCHEMA, &[])
    );
    match session.query(&sql) {
        Ok(rows) => {
            let told = rows.last();
            session.known().application_schema = told.map(|row| row.get(0).map(str::to_owned));
        }
        Err(error) => {
            // Whatever is open goes; a session that is closed has rolled back already.
            let _ = session.query("ROLLBACK");
            return Err(session_error(&error, "creating tollgate's tables"));
        }
    }
    Ok(identity_of(place.observed, incarnation))
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
    place: &Place,
    environment: &EnvironmentName,
    incarnation: IncarnationId,
) -> String {
    let timeline = place
        .timeline
        .clone()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .unwrap_or_else(|| "NULL".to_owned());
    fill(
        BIND,
        &[
            ("incarnation", &incarnation.to_string()),
            ("environment", environment.as_str()),
            ("system", &or_null(place.observed.system.as_deref())),
            ("timeline", &timeline),
        ],
    )
}

/// The SQL that remembers which life a new one follows, and how it came about.
pub(super) fn life(incarnation: IncarnationId, how: &str) -> String {
    fill(
        LIFE,
        &[("incarnation", &incarnation.to_string()), ("how", how)],
    )
}

/// What an identity row is made of.
pub(super) fn look(session: &Session) -> Result<Place, TargetError> {
    let (ask, control) = (fill(OBSERVE, &[]), format!("{SYSTEM}; {TIMELINE}"));
    let [rows, told, there] = session.pipeline([&ask, &control, &super::history::there(session)]);
    let failed = |error| session_error(&error, "reading the catalog");
    let control = self::control(told)?;
    let (observed, _, _) = observed(&rows.into_rows().map_err(failed)?, &control)?;
    let there = there.into_rows().map_err(failed)?;
    let row = there.first().ok_or_else(|| unreadable("the schema"))?;
    Ok(Place {
        observed,
        timeline: control.timeline,
        has_schema: cell(row, "has_schema")? == "t",
    })
}

/// The database from outside, whether tollgate's tables are there, and whether others are.
fn observed(
    rows: &[SimpleQueryRow],
    control: &Control,
) -> Result<(Observed, bool, bool), TargetError> {
    let row = rows
        .first()
        .ok_or_else(|| unreadable("the database's own row"))?;
    let observed = Observed {
        engine: Engine::Postgresql,
        system: control.system.clone(),
        database: Some(parse(row, "database_oid")?),
        name: cell(row, "name")?.to_owned(),
    };
    let is_there = cell(row, "is_there")? == "t";
    Ok((observed, is_there, cell(row, "has_other_tables")? == "t"))
}

/// Whether tollgate's tables are there.
pub(super) fn is_there(session: &Session) -> Result<bool, TargetError> {
    let rows = session
        .query(&fill(OBSERVE, &[]))
        .map_err(|error| session_error(&error, "reading the catalog"))?;
    let row = rows.first();
    let row = row.ok_or_else(|| unreadable("the database's own row"))?;
    Ok(cell(row, "is_there")? == "t")
}

/// Values of the cluster's control file; `None` where the role may not read them, or the server has no
/// such function.
struct Control {
    system: Option<String>,
    timeline: Option<String>,
}

fn control(answer: Answer) -> Result<Control, TargetError> {
    if let Some(error) = &answer.error
        && !error
            .code()
            .is_some_and(|code| ["42501", "42883", "0A000"].contains(&code.code()))
    {
        return Err(session_error(error, "reading the system identifier"));
    }
    let value = |place: usize| {
        let row = answer.rows.get(place)?;
        row.get(0).map(str::to_owned)
    };
    Ok(Control {
        system: value(0),
        timeline: value(1),
    })
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
