//! Prisma's table `_prisma_migrations`: reading it, and keeping it as Prisma would.

use tokio_postgres::SimpleQueryRow;

use super::error::session_error;
use super::runtime::Session;
use super::schema;
use super::survey::{cell, parse, unreadable};
use super::template::{fill, identifier, or_null, text};
use crate::model::prisma::TABLE;
use crate::model::{MigrationId, Timestamp};
use crate::targets::history::{History, NewRow, Row, RowEnd};
use crate::targets::{TargetError, TargetErrorKind};

const THERE: &str = include_str!("sql/history_there.sql");
const ROWS: &str = include_str!("sql/history.sql");
const CREATE: &str = include_str!("sql/history_table.sql");
const OPEN: &str = include_str!("sql/history_open.sql");
const ROW: &str = include_str!("sql/history_row.sql");
const END: &str = include_str!("sql/history_end.sql");
const SAID: &str = include_str!("sql/history_said.sql");
const GONE: &str = include_str!("sql/history_gone.sql");
const UNDONE: &str = include_str!("sql/history_undone.sql");
const DONE: &str = include_str!("sql/history_done.sql");

/// What stands in the application's schema, as Prisma sees it.
pub(super) struct Seen {
    /// Prisma's table, where it is there.
    pub(super) history: Option<History>,
    /// Whether there are other tables beside it.
    pub(super) is_filled: bool,
    /// Whether a newer Prisma keeps its own record there.
    pub(super) is_prisma_8: bool,
    pub(super) has_schema: bool,
}

/// Looks, and reads the rows.
pub(super) fn look(session: &Session) -> Result<Seen, TargetError> {
    let rows = session.query(&there(session));
    let rows = rows.map_err(|error| session_error(&error, "looking for Prisma's table"))?;
    seen(session, &rows)
}

/// Asks what is there.
pub(super) fn there(session: &Session) -> String {
    fill(THERE, &[("schema", &text(place(session)))])
}

/// What the answer to [`there`] says; reads the rows, where there are any.
pub(super) fn seen(session: &Session, rows: &[SimpleQueryRow]) -> Result<Seen, TargetError> {
    let schema = place(session);
    let row = rows.first().ok_or_else(|| unreadable("Prisma's table"))?;
    let is = |name: &str| Ok::<_, TargetError>(cell(row, name)? == "t");
    let mut seen = Seen {
        history: None,
        is_filled: is("is_filled")?,
        is_prisma_8: is("is_prisma_8")?,
        has_schema: is("has_schema")?,
    };
    if is("is_hidden")? {
        return Err(TargetError {
            kind: TargetErrorKind::Other,
            fact: format!(
                "row-level security may hide rows of {} from the role {}, so what Prisma applied is not known",
                table(schema),
                identifier(cell(row, "role")?)
            ),
            remedy: Some(
                "set the environment's url to the role that owns the table, as for prisma migrate"
                    .to_owned(),
            ),
        });
    }
    if is("is_there")? {
        let sql = fill(ROWS, &[("table", &table(schema))]);
        let rows = session.query(&sql).map_err(|error| TargetError {
            remedy: Some(format!(
                "look at the columns of {}, and at what the role may read",
                table(schema)
            )),
            ..session_error(&error, "reading Prisma's table")
        })?;
        let rows: Result<Vec<Row>, TargetError> = rows.iter().map(read).collect();
        seen.history = Some(History {
            rows: rows?,
            locked: (!is("may_write")?)
                .then(|| grant(schema, cell(row, "role").unwrap_or_default())),
        });
    }
    Ok(seen)
}

fn read(row: &SimpleQueryRow) -> Result<Row, TargetError> {
    let instant = |name: &str| match row.get(name) {
        None => Ok(None),
        Some(millis) => match millis.parse() {
            Ok(millis) => Ok(Some(Timestamp::from_unix_millis(millis))),
            Err(_) => Err(unreadable_row(name)),
        },
    };
    Ok(Row {
        id: cell(row, "id")?.to_owned(),
        migration: MigrationId::new(cell(row, "migration_name")?),
        checksum: cell(row, "checksum")?.to_owned(),
        started: instant("started")?.ok_or_else(|| unreadable_row("started_at"))?,
        finished: instant("finished")?,
        rolled_back: instant("rolled_back")?,
        // A negative count is none.
        steps: u32::try_from(parse::<i64>(row, "steps")?).unwrap_or(0),
        logs: row.get("logs").map(str::to_owned),
    })
}

fn unreadable_row(column: &str) -> TargetError {
    TargetError {
        kind: TargetErrorKind::Other,
        fact: format!("Prisma's table holds a row whose {column} cannot be read"),
        remedy: None,
    }
}

/// Creates the schema and the table where they are missing, and writes rows, in one transaction.
pub(super) fn keep(session: &Session, rows: &[NewRow]) -> Result<(), TargetError> {
    let schema = place(session);
    let seen = look(session)?;
    let mut sql = String::from(
        "BEGIN; SET LOCAL synchronous_commit = on; SET LOCAL client_min_messages = warning;\n",
    );
    // Asked first: whoever may not make schemas may not say IF NOT EXISTS either.
    if !seen.has_schema {
        let told = |error| session_error(&error, "looking for the schema");
        sql.push_str(&match session.schema() {
            Some(_) => schema::missing(session).map_err(told)?,
            None => schema::PUBLIC.to_owned(),
        });
    }
    if seen.history.is_none() {
        sql.push_str(&fill(CREATE, &[("table", &table(schema))]));
    }
    for row in rows {
        sql.push_str(&insert(session, row));
    }
    sql.push_str("COMMIT;");
    if let Err(error) = session.query(&sql) {
        // Whatever is open goes; a session that is closed has rolled back already.
        let _ = session.query("ROLLBACK");
        return Err(TargetError {
            remedy: Some(grant(schema, "<role of the url>")),
            ..session_error(&error, "keeping Prisma's table")
        });
    }
    Ok(())
}

/// The SQL for one row, to be sent inside a transaction. It is ASCII alone, and every name in it is
/// qualified.
pub(super) fn insert(session: &Session, row: &NewRow) -> String {
    let schema = place(session);
    let table = table(schema);
    let migration = text(row.migration.as_str());
    let now = "pg_catalog.clock_timestamp()";
    let (finished, logs, rolled_back, steps) = match &row.end {
        RowEnd::Succeeded => (now.to_owned(), "NULL".to_owned(), "NULL".to_owned(), 1),
        RowEnd::SucceededAt(at) => (instant(*at), "NULL".to_owned(), "NULL".to_owned(), 1),
        RowEnd::SaidApplied => (now.to_owned(), "''".to_owned(), "NULL".to_owned(), 0),
        RowEnd::Undone => return fill(UNDONE, &[("table", &table), ("migration", &migration)]),
        RowEnd::Failed(logs) => {
            let done = fill(DONE, &[("table", &table), ("migration", &migration)]);
            ("NULL".to_owned(), or_null(Some(logs)), done, 0)
        }
    };
    let values = [
        ("table", table.as_str()),
        ("id", &row.id),
        ("checksum", &row.checksum.to_string()),
        ("finished", &finished),
        ("migration", &migration),
        ("logs", &logs),
        ("rolled_back", &rolled_back),
        ("started", &seconds(row.started)),
        ("steps", &steps.to_string()),
    ];
    // A UUID each: nothing else is known as a failure of ours.
    let gone: String = row
        .replaces
        .iter()
        .map(|id| fill(GONE, &[("table", &table), ("id", id)]))
        .collect();
    let known = match &row.end {
        RowEnd::Failed(_) => SAID,
        _ => END,
    };
    format!(
        "{gone}{}{}{}",
        rolled_back_sql(schema, &row.migration, &row.id),
        fill(known, &values),
        fill(ROW, &values)
    )
}

/// The SQL that says of a migration's open rows, but the one with this id, that they were rolled back.
fn rolled_back_sql(schema: &str, migration: &MigrationId, but: &str) -> String {
    let values = [
        ("table", &*table(schema)),
        ("migration", &text(migration.as_str())),
        ("id", but),
    ];
    fill(OPEN, &values)
}

/// The same of all of them, for a transaction in which the table may be missing.
pub(super) fn said_rolled_back(
    session: &Session,
    migration: &MigrationId,
) -> Result<String, TargetError> {
    let schema = place(session);
    let seen = look(session)?;
    Ok(match seen.history {
        Some(_) => rolled_back_sql(schema, migration, ""),
        None => String::new(),
    })
}

/// How a role gets the right to write Prisma's table.
fn grant(schema: &str, role: &str) -> String {
    let table = table(schema);
    let role = identifier(role);
    format!("GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role};   -- in psql, as its owner")
}

fn instant(at: Timestamp) -> String {
    format!("pg_catalog.to_timestamp({})", seconds(at))
}

/// Seconds with three decimals.
fn seconds(at: Timestamp) -> String {
    let millis = at.unix_millis();
    let sign = if millis < 0 { "-" } else { "" };
    let millis = millis.unsigned_abs();
    format!("{sign}{}.{:03}", millis / 1000, millis % 1000)
}

/// The schema that Prisma's table stands in: that of the URL, as Prisma has it.
fn place(session: &Session) -> &str {
    session.schema().unwrap_or("public")
}

fn table(schema: &str) -> String {
    format!("{}.{TABLE}", identifier(schema))
}
