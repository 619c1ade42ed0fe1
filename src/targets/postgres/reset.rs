//! Emptying a database: everything that is ours to drop, and a new life, in one transaction.

use tokio_postgres::{Error, SimpleQueryRow};

use super::error::{sentence, session_error};
use super::lock::describe;
use super::runtime::Session;
use super::schema;
use super::survey::{ARCHIVE, SCHEMA, bind, cell, identity_of, is_there, life, look, number};
use super::template::{fill, text};
use crate::model::entry::{Engine, TargetIdentity};
use crate::model::{EnvironmentName, IncarnationId};
use crate::targets::reset::{add, after};
use crate::targets::{Emptied, Gone, Inventory, TargetError, TargetErrorKind};

const OBJECTS: &str = include_str!("sql/objects.sql");
const BLOCKERS: &str = include_str!("sql/blockers.sql");
const APPLICATION_SCHEMA: &str = "SELECT application_schema FROM tollgate.identity";
const NO_SCHEMA: &str =
    "SELECT current_schema() IS NULL AND pg_catalog.to_regnamespace('public') IS NULL";
/// Each lock is waited for so long. The search path makes every name a qualified one.
const BEGIN: &str = "BEGIN READ WRITE; SET LOCAL lock_timeout = '10s'; SET LOCAL synchronous_commit = on; \
     SET LOCAL client_min_messages = warning; SET LOCAL search_path = ''";
/// How many of the largest tables are told.
const LARGEST: usize = 5;

/// Whether the schema that the application had is gone.
pub(super) fn gone(rows: &[SimpleQueryRow]) -> Option<Gone> {
    rows.first().map(|row| Gone::Schema {
        name: (row.get("was_public") == Some("t")).then_some("public"),
        now: row.get("now").map(str::to_owned),
        filled: row.get("filled") == Some("t"),
    })
}

/// What would go and what would stay.
pub(super) fn inventory(session: &Session) -> Result<Inventory, TargetError> {
    let application_schema = application_schema(session)?;
    objects(session, &application_schema).and_then(|rows| counted(&rows))
}

/// Drops what goes, archives the receipts and begins a new life. All of it or nothing.
pub(super) fn empty(
    session: &Session,
    environment: &EnvironmentName,
    incarnation: IncarnationId,
) -> Result<Emptied, TargetError> {
    let application_schema = application_schema(session)?;
    drop(std::mem::take(&mut *session.known()));
    let place = look(session)?;
    let bind = bind(&place, environment, incarnation);
    let inventory = dropped(session, &application_schema).and_then(|inventory| {
        let search_path = format!("RESET search_path;{}", schema::after_reset(session));
        let none = ask(session, &search_path)
            .and_then(|_| ask(session, NO_SCHEMA))?
            .first()
            .is_some_and(|row| row.get(0) == Some("t"));
        let home = match session.schema() {
            None if none => schema::PUBLIC.to_owned(),
            _ => schema::missing(session).map_err(|error| told(&error))?,
        };
        let sql = format!(
            "{home}\n{}{}{}{bind}COMMIT;",
            fill(SCHEMA, &[]),
            fill(ARCHIVE, &[]),
            life(incarnation, "reset"),
        );
        ask(session, &sql).map(|_| inventory)
    });
    let inventory = inventory.map_err(|error| {
        // Whatever is open goes; a session that is closed has rolled back already.
        let _ = session.query("ROLLBACK");
        let named = if error.kind == TargetErrorKind::Locked {
            blocked(session, error)
        } else {
            error
        };
        TargetError {
            fact: format!("{}; {}", named.fact, after(named.kind)),
            ..named
        }
    })?;
    Ok(Emptied {
        identity: TargetIdentity {
            engine: Engine::Postgresql,
            ..identity_of(place.observed, incarnation)
        },
        inventory,
    })
}

/// Opens the transaction, drops what goes, and looks whether it took along what stays.
fn dropped(session: &Session, application_schema: &str) -> Result<Inventory, TargetError> {
    ask(session, BEGIN)?;
    let rows = objects(session, application_schema)?;
    let statements: Vec<&str> = rows.iter().filter_map(|row| row.get("statement")).collect();
    if !statements.is_empty() {
        ask(session, &statements.join(";\n"))?;
    }
    let left = objects(session, application_schema)?;
    let name = |row: &SimpleQueryRow| {
        ["kind", "identity"].map(|column| row.get(column).unwrap_or_default().to_owned())
    };
    let still: std::collections::BTreeSet<[String; 2]> = left.iter().map(name).collect();
    for row in rows.iter().filter(|row| row.get("goes") == Some("f")) {
        if !still.contains(&name(row)) {
            return Err(TargetError {
                kind: TargetErrorKind::Other,
                fact: format!(
                    "{} {} of {} depends on what would go, and would go with it",
                    cell(row, "kind")?,
                    cell(row, "identity")?,
                    cell(row, "owner")?
                ),
                remedy: Some("drop it as its owner, then run the command again".to_owned()),
            });
        }
    }
    if let Some(row) = left.iter().find(|row| row.get("goes") == Some("t")) {
        return Err(TargetError {
            kind: TargetErrorKind::Other,
            fact: format!(
                "{} {} is still there after everything was dropped: something makes it anew",
                cell(row, "kind")?,
                cell(row, "identity")?
            ),
            remedy: Some("look for an event trigger that makes it: \\dy in psql".to_owned()),
        });
    }
    counted(&rows)
}

/// The schema that tollgate found when it came, as SQL: `NULL` where it never did. The one that the
/// URL names is kept with it: the URL may be newer than the identity row.
pub(super) fn application_schema(session: &Session) -> Result<String, TargetError> {
    let known = session.known().application_schema.clone();
    let oid = match known {
        Some(known) => known,
        None if is_there(session)? => {
            let rows = ask(session, APPLICATION_SCHEMA)?;
            rows.first().and_then(|row| row.get(0)).map(str::to_owned)
        }
        None => None,
    };
    let found = oid.map_or_else(
        || "NULL".to_owned(),
        |oid| format!("'{oid}'::pg_catalog.oid"),
    );
    Ok(match session.schema() {
        None => found,
        Some(name) => format!("{found} OR n.nspname = {}", text(name)),
    })
}

fn objects(
    session: &Session,
    application_schema: &str,
) -> Result<Vec<SimpleQueryRow>, TargetError> {
    ask(
        session,
        &fill(OBJECTS, &[("application_schema", application_schema)]),
    )
}

fn counted(rows: &[SimpleQueryRow]) -> Result<Inventory, TargetError> {
    let mut inventory = Inventory::default();
    for row in rows {
        let parts = if cell(row, "goes")? == "t" {
            &mut inventory.goes
        } else {
            &mut inventory.stays
        };
        let (kind, owner) = (cell(row, "kind")?, cell(row, "owner")?);
        add(
            parts,
            row.get("schema"),
            kind,
            Some(owner),
            number(row, "number")?,
        );
        if cell(row, "goes")? == "t"
            && let Some(tuples) = row.get("tuples").and_then(|tuples| tuples.parse().ok())
            && tuples > 0
        {
            let name = cell(row, "identity")?.to_owned();
            inventory.largest.push((name, tuples));
        }
    }
    inventory.goes.sort();
    inventory.stays.sort();
    inventory
        .largest
        .sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    inventory.largest.truncate(LARGEST);
    Ok(inventory)
}

fn ask(session: &Session, sql: &str) -> Result<Vec<SimpleQueryRow>, TargetError> {
    session.query(sql).map_err(|error| told(&error))
}

/// A lock that was not got, or a deadlock that the server broke, is somebody else at work. Every object
/// that is dropped takes a lock too, and a server has room for so many (measured: 15 allows 1,000 tables
/// by default and not 4,000).
fn told(error: &Error) -> TargetError {
    let code = error.code().map_or("", |code| code.code());
    let said = error.as_db_error().map(sentence).unwrap_or_default();
    let (kind, fact, remedy) = match code {
        "55P03" | "40P01" => (
            TargetErrorKind::Locked,
            format!("what is to go is in use: {said}"),
            "wait until whoever uses it has ended, then run the command again",
        ),
        "53200" => (
            TargetErrorKind::Other,
            format!("the server cannot lock so many objects in one transaction: {said}"),
            "ALTER SYSTEM SET max_locks_per_transaction = 1024   # in psql, then restart the server",
        ),
        _ => return session_error(error, "emptying the database"),
    };
    TargetError {
        kind,
        fact,
        remedy: Some(remedy.to_owned()),
    }
}

/// The same error with whoever holds a lock there now, as far as this role may see.
pub(super) fn blocked(session: &Session, error: TargetError) -> TargetError {
    let rows = session.query(&fill(BLOCKERS, &[])).unwrap_or_default();
    let Some(row) = rows.first() else {
        return error;
    };
    let relation = row.get("relation").unwrap_or("a table");
    let (who, remedy) = match (row.get("gid"), row.get("pid")) {
        (Some(gid), _) => (
            format!("the prepared transaction {gid}"),
            format!(
                "ROLLBACK PREPARED '{}'   # in psql, if nobody will commit it",
                gid.replace('\'', "''")
            ),
        ),
        (None, Some(pid)) => (
            describe(row),
            format!("SELECT pg_terminate_backend({pid})   # in psql, if it may be ended"),
        ),
        (None, None) => (
            "a prepared transaction".to_owned(),
            "SELECT * FROM pg_prepared_xacts   # in psql".to_owned(),
        ),
    };
    TargetError {
        fact: format!("{relation} is in use by {who}"),
        remedy: Some(remedy),
        ..error
    }
}
