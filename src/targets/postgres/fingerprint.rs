//! The schema's fingerprint: what stands in the database, read from the catalog, and kept beside the
//! receipts.
//!
//! All of it is read in one transaction that sees one moment, with a handful of queries whatever stands
//! there. The functions of the catalog that write definitions (`pg_get_viewdef` ...) see the moment in
//! which they are called, as under `pg_dump`: where another session drops something between the two, the
//! reading is begun anew.

use std::time::Duration;

use tokio_postgres::{Error, SimpleQueryRow};

use super::error::session_error;
use super::reset::application_schema;
use super::runtime::Session;
use super::survey::{FINGERPRINT_TABLE, cell, parse, unreadable};
use super::template::{fill, or_null, text};
use crate::model::entry::ReceiptRef;
use crate::model::{Schema, SchemaObject};
use crate::targets::fingerprint::READING;
use crate::targets::{KeptSchema, TargetError, TargetErrorKind};

const BEGIN: &str = include_str!("sql/fingerprint/begin.sql");
const SPACES: &str = include_str!("sql/fingerprint/spaces.sql");
/// Everything that stands there, a query for each kind.
const OBJECTS: &str = concat!(
    include_str!("sql/fingerprint/relations.sql"),
    include_str!("sql/fingerprint/columns.sql"),
    include_str!("sql/fingerprint/rules.sql"),
    include_str!("sql/fingerprint/code.sql"),
    include_str!("sql/fingerprint/types.sql"),
    include_str!("sql/fingerprint/database.sql"),
    include_str!("sql/fingerprint/others.sql"),
);
const IN_SCOPE: &str = include_str!("sql/fingerprint/in_scope.sql");
const GRANTS: &str = include_str!("sql/fingerprint/grants.sql");
/// What each `{..._grants}` asks: the list of access rights, and the owner.
const GRANTED: [(&str, &str, &str); 9] = [
    (
        "schema_grants",
        "COALESCE(n.nspacl, pg_catalog.acldefault('n', n.nspowner))",
        "n.nspowner",
    ),
    (
        "relation_grants",
        "COALESCE(c.relacl, pg_catalog.acldefault('r', c.relowner))",
        "c.relowner",
    ),
    (
        "sequence_grants",
        "COALESCE(c.relacl, pg_catalog.acldefault('s', c.relowner))",
        "c.relowner",
    ),
    ("column_grants", "a.attacl", "c.relowner"),
    (
        "routine_grants",
        "COALESCE(p.proacl, pg_catalog.acldefault('f', p.proowner))",
        "p.proowner",
    ),
    (
        "type_grants",
        "COALESCE(t.typacl, pg_catalog.acldefault('T', t.typowner))",
        "t.typowner",
    ),
    (
        "server_grants",
        "COALESCE(s.srvacl, pg_catalog.acldefault('S', s.srvowner))",
        "s.srvowner",
    ),
    (
        "wrapper_grants",
        "COALESCE(w.fdwacl, pg_catalog.acldefault('F', w.fdwowner))",
        "w.fdwowner",
    ),
    ("default_grants", "d.defaclacl", "d.defaclrole"),
];
const PUBLISHED: &str = include_str!("sql/fingerprint/published.sql");
const PUBLISHED_SCHEMAS: &str = include_str!("sql/fingerprint/published_schemas.sql");
/// From this version on a publication may be of a part of a table, or of a whole schema.
const PUBLISHES_PARTS: u32 = 150_000;

const KEEP: &str = include_str!("sql/fingerprint_keep.sql");
const IS_THERE: &str = "SELECT pg_catalog.to_regclass('tollgate.fingerprint') IS NOT NULL";
const KEPT: &str = "SELECT f.seq, f.hash, f.digest, f.body FROM tollgate.fingerprint AS f \
     WHERE f.body IS NOT NULL AND f.reading OPERATOR(pg_catalog.=) {reading} ORDER BY f.seq DESC LIMIT 1";

/// How often the reading is tried while another session takes away what is read.
const TRIES: u32 = 10;
/// How long to wait for that one, each time so much more.
const PAUSE: Duration = Duration::from_millis(20);
/// What the server says of what it does not find any more, or what others hold.
const WENT: [&str; 6] = ["XX000", "42P01", "42704", "42883", "55P03", "40P01"];
/// What never is without a definition.
const DEFINED: [&str; 10] = [
    "constraint",
    "domain constraint",
    "function",
    "index",
    "materialized view",
    "procedure",
    "rule",
    "statistics",
    "trigger",
    "view",
];

/// What stands there.
pub(super) fn read(session: &Session) -> Result<Schema, TargetError> {
    let application_schema = application_schema(session)?;
    for n in 1..=TRIES {
        let objects = match rows(session, &application_schema) {
            Ok(rows) => rows.iter().map(object).collect::<Result<Vec<_>, _>>()?,
            Err(error) => {
                // Whatever is open goes; a session that is closed has nothing open.
                let _ = session.query("ROLLBACK");
                let went = error.code().is_some_and(|code| WENT.contains(&code.code()));
                if went {
                    session.sleep(PAUSE * n);
                    continue;
                }
                return Err(session_error(&error, "reading the schema"));
            }
        };
        if !objects.iter().any(lost_its_text) {
            return Schema::new(objects).map_err(|error| TargetError {
                kind: TargetErrorKind::Other,
                fact: format!("the catalog cannot be read: {error}"),
                remedy: None,
            });
        }
        session.sleep(PAUSE * n);
    }
    Err(TargetError {
        kind: TargetErrorKind::Other,
        fact: "the schema could not be read: others change it all the time".to_owned(),
        remedy: Some(
            "wait until whoever changes it has ended, then run the command again".to_owned(),
        ),
    })
}

/// Whether the function that was to write its definition did not find it any more.
fn lost_its_text(object: &SchemaObject) -> bool {
    DEFINED.contains(&&*object.kind)
        && !object
            .definition
            .lines()
            .any(|line| line.starts_with("definition:"))
}

fn rows(session: &Session, application_schema: &str) -> Result<Vec<SimpleQueryRow>, Error> {
    let begun = session.query(&fill(BEGIN, &[]))?;
    let asked = |column: &str| {
        begun
            .iter()
            .find_map(|row| row.try_get(column).ok().flatten())
    };
    let spaces = fill(
        SPACES,
        &[
            ("application_schema", application_schema),
            ("current_schema", &or_null(asked("schema"))),
        ],
    );
    let spaces = session.query(&spaces)?;
    let spaces: Vec<&str> = spaces.iter().filter_map(|row| row.get(0)).collect();
    // No schema has the oid 0: a list must not be empty.
    let spaces = if spaces.is_empty() {
        "0".to_owned()
    } else {
        spaces.join(", ")
    };
    let version = asked("version").and_then(|version| version.parse().ok());
    let parts = version.is_some_and(|version: u32| version >= PUBLISHES_PARTS);
    let either = |sql, without: &str| {
        if parts {
            fill(sql, &[])
        } else {
            without.to_owned()
        }
    };
    let grants =
        GRANTED.map(|(name, acl, owner)| (name, fill(GRANTS, &[("acl", acl), ("owner", owner)])));
    let mut values = vec![
        ("in_scope", fill(IN_SCOPE, &[("spaces", &spaces)])),
        ("spaces", spaces),
        ("published", either(PUBLISHED, "''")),
        ("published_schemas", either(PUBLISHED_SCHEMAS, "NULL::text")),
    ];
    values.extend(grants);
    let values: Vec<(&str, &str)> = values.iter().map(|(name, sql)| (*name, &**sql)).collect();
    session.query(&format!("{}COMMIT", fill(OBJECTS, &values)))
}

/// Kind, name, and every further column that is not null as a property.
fn object(row: &SimpleQueryRow) -> Result<SchemaObject, TargetError> {
    let mut object = SchemaObject::new(cell(row, "kind")?, cell(row, "name")?);
    for (place, column) in row.columns().iter().enumerate().skip(2) {
        // A database whose encoding is SQL_ASCII may hold any bytes.
        let value = row.try_get(place).map_err(|_| TargetError {
            kind: TargetErrorKind::Other,
            fact: format!(
                "the {} of {} {} is not UTF-8",
                column.name(),
                object.kind,
                object.name
            ),
            remedy: None,
        })?;
        if let Some(value) = value {
            object.push(column.name(), value);
        }
    }
    Ok(object)
}

/// How this server is read, as SQL: the version of the queries, and the major version that writes the
/// definitions.
fn reading() -> String {
    format!(
        "pg_catalog.concat('{READING}/', pg_catalog.left(pg_catalog.current_setting('server_version_num'), 2))"
    )
}

/// Keeps it beside the newest receipt. A target that was entered by an earlier version gets the table.
pub(super) fn keep(
    session: &Session,
    receipt: ReceiptRef,
    schema: &Schema,
) -> Result<(), TargetError> {
    let body = schema.to_text();
    let kept = is_there(session).and_then(|is_there| {
        let table = if is_there { String::new() } else { fill(FINGERPRINT_TABLE, &[]) };
        let keep = fill(
            KEEP,
            &[
                ("seq", &receipt.seq.to_string()),
                ("hash", &receipt.hash.to_string()),
                ("digest", &Schema::digest_of(&body).to_string()),
                ("body", &text(&body)),
                ("reading", &reading()),
            ],
        );
        session.query(&format!(
            "BEGIN READ WRITE; SET LOCAL synchronous_commit = on; SET LOCAL client_min_messages = warning;\n{table}{keep}COMMIT"
        ))
    });
    match kept {
        Ok(_) => Ok(()),
        Err(error) => {
            // Whatever is open goes; a session that is closed has rolled back already.
            let _ = session.query("ROLLBACK");
            Err(session_error(&error, "keeping the schema's fingerprint"))
        }
    }
}

/// What was kept by the newest run that kept anything.
pub(super) fn kept(session: &Session) -> Result<Option<KeptSchema>, TargetError> {
    let told = |error: Error| session_error(&error, "reading tollgate's tables");
    if !is_there(session).map_err(told)? {
        return Ok(None);
    }
    let rows = session
        .query(&fill(KEPT, &[("reading", &reading())]))
        .map_err(told)?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(Some(KeptSchema {
        receipt: ReceiptRef {
            seq: parse(row, "seq")?,
            hash: parse(row, "hash")?,
        },
        digest: parse(row, "digest")?,
        text: cell(row, "body")
            .map_err(|_| unreadable("body"))?
            .to_owned(),
    }))
}

fn is_there(session: &Session) -> Result<bool, Error> {
    let rows = session.query(IS_THERE)?;
    Ok(rows.first().and_then(|row| row.get(0)) == Some("t"))
}
