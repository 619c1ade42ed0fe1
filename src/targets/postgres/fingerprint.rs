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
use super::runtime::{Answer, Session};
use super::survey::{FINGERPRINT_TABLE, cell, parse, unreadable};
use super::template::fill;
use crate::model::entry::ReceiptRef;
use crate::model::{Schema, SchemaObject};
use crate::targets::fingerprint::READING;
use crate::targets::{KeptSchema, TargetError, TargetErrorKind};

const PIN: &str = include_str!("sql/fingerprint/pin.sql");
/// What others change right now is waited for shortly and then read again: the server looks for deadlocks
/// only after a second, and would end the session of whoever changes it.
const SHORTLY: &str = "SET LOCAL lock_timeout = '100ms';";
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
const KEPT: &str = "SELECT f.seq, f.hash, f.digest, f.body FROM tollgate.fingerprint AS f \
     WHERE f.body IS NOT NULL AND f.reading OPERATOR(pg_catalog.=) {reading} ORDER BY f.seq DESC LIMIT 1";

/// Opens the moment that a reading is of.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
/// How often the reading is tried while another session takes away what is read.
const TRIES: u32 = 10;
/// The same within a transaction, which goes on seeing its own moment, and for which others may wait.
const TRIES_WITHIN: u32 = 3;
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

/// Where the application's schema is looked for, as SQL. Asked outside any transaction, because a role may
/// not be allowed to ask all of it.
pub(super) struct Scope(String);

impl Scope {
    /// As the identity row and the URL name it.
    ///
    /// # Errors
    /// Whatever the server says.
    pub(super) fn of(session: &Session) -> Result<Self, TargetError> {
        application_schema(session).map(Self)
    }

    /// What asks for the schemas that are read, once everything is pinned.
    fn spaces(&self) -> String {
        fill(SPACES, &[("application_schema", &self.0)])
    }
}

/// Why nothing was read.
pub(super) enum Unread {
    /// What the server said, or how the connection broke.
    Server(Error),
    /// Others take away what is read: another moment may be luckier.
    Went,
    /// What was read makes no sense, or may not be read.
    Target(TargetError),
}

impl From<Error> for Unread {
    fn from(error: Error) -> Self {
        Self::Server(error)
    }
}

impl From<TargetError> for Unread {
    fn from(error: TargetError) -> Self {
        Self::Target(error)
    }
}

impl Unread {
    /// Whether it may come out otherwise in another moment.
    pub(super) fn may_pass(&self) -> bool {
        match self {
            Self::Went => true,
            Self::Server(error) => error.code().is_some_and(|code| WENT.contains(&code.code())),
            Self::Target(_) => false,
        }
    }

    /// In words. `doing` completes "while ...".
    pub(super) fn told(self, doing: &str) -> TargetError {
        match self {
            Self::Server(error) => session_error(&error, doing),
            Self::Target(error) => error,
            Self::Went => others_change_it(),
        }
    }
}

/// What stands there.
pub(super) fn read(session: &Session) -> Result<Schema, TargetError> {
    let scope = Scope::of(session)?;
    read_of(session, &scope).map_err(|unread| unread.told("reading the schema"))
}

/// [`read`], for whoever can do something else where others are in the way.
pub(super) fn read_of(session: &Session, scope: &Scope) -> Result<Schema, Unread> {
    match at_once(session, scope) {
        // Other moments may be luckier.
        Err(unread) if unread.may_pass() => moment(session, || look(session, scope)),
        read => read,
    }
}

/// [`moment`] and [`look`], with as few messages' ways there and back as can be: the objects are asked for in
/// the schemas that were read last, and again where others are to be read.
fn at_once(session: &Session, scope: &Scope) -> Result<Schema, Unread> {
    for _ in 1..=TRIES_WITHIN {
        let likely = session.known().pinned.clone();
        let likely = likely.unwrap_or_else(Pinned::likely);
        let (pin, spaces, objects) = (fill(PIN, &[]), scope.spaces(), objects(&likely));
        // As rows they are several times as large.
        let mut read: Result<Vec<SchemaObject>, TargetError> = Ok(Vec::new());
        let mut show = |row: &SimpleQueryRow| {
            let Ok(all) = &mut read else { return };
            match object(row) {
                Ok(one) => all.push(one),
                Err(error) => read = Err(error),
            }
        };
        let messages = [BEGIN, &pin, &spaces, &objects, "ROLLBACK"];
        let [begun, pinning, spaces, shown, over] =
            session.pipeline_showing(messages, 3, &mut show);
        if over.error.is_some() {
            // Whatever is open goes; a session that is closed has nothing open.
            let _ = session.query("ROLLBACK");
        }
        begun.into_rows()?;
        let pinned = pinned(pinning, spaces)?;
        let is_likely = pinned == likely;
        session.known().pinned = Some(pinned);
        if is_likely {
            shown.into_rows()?;
            return schema_of(read?);
        }
    }
    Err(Unread::Went)
}

/// What stands there, as a transaction that is open sees it: its own work included. Nothing of the
/// reading stays in the transaction, its settings and locks neither.
///
/// # Errors
/// [`Unread`]; the transaction is usable after it, unless the session broke.
pub(super) fn read_within(session: &Session, scope: &Scope) -> Result<Schema, Unread> {
    let mut n = 1;
    loop {
        match aside(session, || look(session, scope)) {
            Err(unread) if unread.may_pass() && n < TRIES_WITHIN => {
                session.sleep(PAUSE * n);
                n += 1;
            }
            read => return read,
        }
    }
}

/// Reads in a transaction of its own, of one moment, and in another one as long as others take away what
/// is read.
pub(super) fn moment<T>(
    session: &Session,
    read: impl Fn() -> Result<T, Unread>,
) -> Result<T, Unread> {
    for n in 1..=TRIES {
        let done = session.query(BEGIN).map_err(Unread::from);
        let done = done.and_then(|_| read());
        // Whatever is open goes; a session that is closed has nothing open.
        let _ = session.query("ROLLBACK");
        match done {
            Err(unread) if unread.may_pass() => session.sleep(PAUSE * n),
            done => return done,
        }
    }
    Err(Unread::Went)
}

/// Reads in a transaction that is open, and takes everything back that the reading did there.
pub(super) fn aside<T>(
    session: &Session,
    read: impl FnOnce() -> Result<T, Unread>,
) -> Result<T, Unread> {
    session.query("SAVEPOINT tollgate_look")?;
    let done = read();
    let back = session
        .query("ROLLBACK TO SAVEPOINT tollgate_look; RELEASE SAVEPOINT tollgate_look")
        .map_err(Unread::from);
    done.and_then(|read| back.map(|_| read))
}

fn look(session: &Session, scope: &Scope) -> Result<Schema, Unread> {
    let pinned = pin(session, scope)?;
    let rows = session.query(&objects(&pinned))?;
    schema_of(rows.iter().map(object).collect::<Result<_, _>>()?)
}

fn schema_of(objects: Vec<SchemaObject>) -> Result<Schema, Unread> {
    if objects.iter().any(lost_its_text) {
        return Err(Unread::Went);
    }
    let schema = Schema::new(objects).map_err(|error| TargetError {
        kind: TargetErrorKind::Other,
        fact: format!("the catalog cannot be read: {error}"),
        remedy: None,
    })?;
    Ok(schema)
}

fn others_change_it() -> TargetError {
    TargetError {
        kind: TargetErrorKind::Other,
        fact: "the schema could not be read: others change it all the time".to_owned(),
        remedy: Some(
            "wait until whoever changes it has ended, then run the command again".to_owned(),
        ),
    }
}

/// Whether the function that was to write its definition did not find it any more.
fn lost_its_text(object: &SchemaObject) -> bool {
    DEFINED.contains(&&*object.kind)
        && !object
            .definition
            .lines()
            .any(|line| line.starts_with("definition:"))
}

/// What a reading within a transaction begins with.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Pinned {
    /// The schemas that are read, by oid, as a list in SQL; never empty.
    pub(super) spaces: String,
    /// Whether the relation `c` is read, as SQL.
    pub(super) in_scope: String,
    /// Whether a publication may be of a part of a table, or of a whole schema.
    publishes_parts: bool,
}

impl Pinned {
    /// What nearly every database begins with: the schema `public`, which has the same oid everywhere.
    fn likely() -> Self {
        Self::of("2200".to_owned(), true)
    }

    fn of(spaces: String, publishes_parts: bool) -> Self {
        Self {
            in_scope: fill(IN_SCOPE, &[("spaces", &spaces)]),
            spaces,
            publishes_parts,
        }
    }
}

/// Pins all settings that a text depends on, until the transaction or the savepoint around it ends, and
/// finds out which schemas are read.
pub(super) fn pin(session: &Session, scope: &Scope) -> Result<Pinned, Error> {
    let (pin, spaces) = (fill(PIN, &[]), scope.spaces());
    let [begun, spaces] = session.pipeline([&pin, &spaces]);
    pinned(begun, spaces)
}

fn pinned(begun: Answer, spaces: Answer) -> Result<Pinned, Error> {
    let (begun, spaces) = (begun.into_rows()?, spaces.into_rows()?);
    let asked = |column: &str| {
        begun
            .iter()
            .find_map(|row| row.try_get(column).ok().flatten())
    };
    let spaces: Vec<&str> = spaces.iter().filter_map(|row| row.get(0)).collect();
    // No schema has the oid 0: a list must not be empty.
    let spaces = if spaces.is_empty() {
        "0".to_owned()
    } else {
        spaces.join(", ")
    };
    let version = asked("version").and_then(|version| version.parse::<u32>().ok());
    let publishes_parts = version.is_some_and(|version| version >= PUBLISHES_PARTS);
    Ok(Pinned::of(spaces, publishes_parts))
}

/// What asks for everything that stands there.
fn objects(pinned: &Pinned) -> String {
    let Pinned {
        spaces,
        in_scope,
        publishes_parts,
    } = pinned;
    let either = |sql, without: &str| {
        if *publishes_parts {
            fill(sql, &[])
        } else {
            without.to_owned()
        }
    };
    let grants =
        GRANTED.map(|(name, acl, owner)| (name, fill(GRANTS, &[("acl", acl), ("owner", owner)])));
    let mut values = vec![
        ("in_scope", in_scope.clone()),
        ("spaces", spaces.clone()),
        ("published", either(PUBLISHED, "''")),
        ("published_schemas", either(PUBLISHED_SCHEMAS, "NULL::text")),
    ];
    values.extend(grants);
    let values: Vec<(&str, &str)> = values.iter().map(|(name, sql)| (*name, &**sql)).collect();
    format!("{SHORTLY}\n{}", fill(OBJECTS, &values))
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
    body: String,
) -> Result<(), TargetError> {
    let keep = fill(
        KEEP,
        &[
            ("seq", &receipt.seq.to_string()),
            ("hash", &receipt.hash.to_string()),
            ("digest", &Schema::digest_of(&body).to_string()),
            ("reading", &reading()),
        ],
    );
    let keep = with_body(&keep, body);
    let write = |table: &str| {
        // In a message of its own: what follows it is read as it says.
        let begin = format!(
            "BEGIN READ WRITE; SET LOCAL synchronous_commit = on; SET LOCAL client_min_messages = warning; SET LOCAL client_encoding = 'UTF8';\n{table}"
        );
        let [begun, kept] = session.pipeline([&begin, &keep]);
        begun.into_rows().and_then(|_| kept.into_rows())
    };
    let mut kept = write("");
    if kept.as_ref().is_err_and(has_no_table) {
        // Whatever is open goes.
        kept = session
            .query("ROLLBACK")
            .and_then(|_| write(&fill(FINGERPRINT_TABLE, &[])));
    }
    match kept {
        Ok(_) => Ok(()),
        Err(error) => {
            // Whatever is open goes; a session that is closed has rolled back already.
            let _ = session.query("ROLLBACK");
            Err(session_error(&error, "keeping the schema's fingerprint"))
        }
    }
}

/// The message that writes a text, which may be megabytes: once, and not as hexadecimal digits. Between such
/// quotes nothing is read, whatever is set.
fn with_body(message: &str, body: String) -> String {
    let mut tag = "$tollgate$".to_owned();
    while body.contains(&tag) {
        tag.insert(1, 't');
    }
    let (before, after) = message.split_once("{body}").unwrap_or((message, ""));
    let length = before.len() + body.len() + after.len() + 2 * tag.len() + "COMMIT".len();
    let mut out = String::with_capacity(length);
    for piece in [before, &tag, &body, &tag, after, "COMMIT"] {
        out.push_str(piece);
    }
    out
}

/// What was kept by the newest run that kept anything.
pub(super) fn kept(session: &Session) -> Result<Option<KeptSchema>, TargetError> {
    let told = |error: Error| session_error(&error, "reading tollgate's tables");
    let rows = match session.query(&fill(KEPT, &[("reading", &reading())])) {
        Err(error) if has_no_table(&error) => return Ok(None),
        rows => rows.map_err(told)?,
    };
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

/// Whether the table is not there: the target was entered by an earlier version, or never.
fn has_no_table(error: &Error) -> bool {
    error
        .code()
        .is_some_and(|code| ["42P01", "3F000"].contains(&code.code()))
}
