//! What stands in the tables: counts and hashes that the server computes, so that no row comes here.
//!
//! Of each value the text is hashed to 64 bits, as its type writes it with all settings pinned, or the value
//! where there is one way to write it; NULL has a hash of its own. A column is the sum of its hashes. A row is the hash of the hashes of its columns in the
//! order of their names, and a table the sum of its rows: whatever order rows and columns stand in. A value
//! that changed is missed once in 2^64.
//!
//! Each table is locked, as every query does it, only while it is read: one that another session empties
//! in between (TRUNCATE) is seen empty, because the server keeps no older rows of it.

use std::collections::BTreeMap;

use tokio_postgres::{Error, SimpleQueryRow};

use super::error::{sentence, session_error};
use super::fingerprint::{Pinned, Scope, Unread, aside, moment, pin};
use super::runtime::Session;
use super::survey::{cell, number};
use super::template::fill;
use crate::model::data::TableData;
use crate::model::{Data, DataMode};
use crate::targets::{TargetError, TargetErrorKind};

const SIZE: &str = include_str!("sql/data/size.sql");
const TABLES: &str = include_str!("sql/data/tables.sql");
const COLUMNS: &str = include_str!("sql/data/columns.sql");
const HASH: &str = include_str!("sql/data/hash.sql");
/// As the server knows it now, and as it was when the table was last vacuumed or analysed.
const SIZES: [&str; 2] = [
    "pg_catalog.pg_table_size(c.oid)",
    "(GREATEST(c.relpages, 0) + GREATEST(COALESCE(o.relpages, 0), 0)) * pg_catalog.current_setting('block_size')::pg_catalog.int8",
];
/// Hidden rows are an error, and never left out in silence.
const ALL_ROWS: &str = "SET LOCAL row_security = off";
/// A sample is one row in so many: a power of 2.
const ONE_IN: u32 = 64;
/// A table with fewer rows is hashed whole.
const FEW: u32 = 10_000;
/// Bytes longer than this are hashed as bytes first: their text is twice as long, and 1 GB is the most.
const LONG: u32 = 1024 * 1024;
/// How much is asked in one message: tables, and columns of all of them.
const TABLES_AT_ONCE: usize = 32;
const COLUMNS_AT_ONCE: usize = 400;
const DOING: &str = "reading the data";
/// What whoever reads within a transaction must know by its code: a lock that was not got, a deadlock,
/// another session's work, a statement that was ended, a session that was.
const PASSING: [&str; 7] = [
    "55P03", "40P01", "40001", "57014", "57P01", "57P02", "57P03",
];

/// One table.
struct Table {
    /// Qualified and quoted.
    name: String,
    oid: String,
    file: String,
    /// The columns of its primary key, as SQL.
    key: Option<String>,
    columns: Vec<Column>,
}

struct Column {
    /// Quoted.
    name: String,
    kind: String,
}

/// The size of all tables in bytes. One that another session holds is waited for a second; then the sizes
/// are those of the last VACUUM or ANALYZE.
pub(super) fn size(session: &Session) -> Result<u64, TargetError> {
    let scope = Scope::of(session)?;
    let size = moment(session, || look_at_size(session, &scope));
    size.map_err(|unread| unread.told(DOING))
}

/// The same as a transaction that is open sees it. Nothing of the asking stays in the transaction.
///
/// # Errors
/// [`Unread`]; the transaction is usable after it, unless the session broke.
pub(super) fn size_within(session: &Session, scope: &Scope) -> Result<u64, Unread> {
    aside(session, || look_at_size(session, scope))
}

fn look_at_size(session: &Session, scope: &Scope) -> Result<u64, Unread> {
    let pinned = pin(session, scope)?;
    let ask = |size: &str| {
        session.query(&fill(
            SIZE,
            &[("size", size), ("in_scope", &pinned.in_scope)],
        ))
    };
    session.query("SAVEPOINT tollgate_size; SET LOCAL lock_timeout = '1s'")?;
    let rows = match ask(SIZES[0]) {
        Err(error) if code(&error) == "55P03" => {
            session.query("ROLLBACK TO SAVEPOINT tollgate_size")?;
            ask(SIZES[1])?
        }
        asked => asked?,
    };
    Ok(match rows.first() {
        Some(row) => number(row, "size")?,
        None => 0,
    })
}

/// What stands in the tables.
pub(super) fn read(session: &Session, mode: DataMode) -> Result<Data, TargetError> {
    let scope = Scope::of(session)?;
    moment(session, || look(session, &scope, mode)).map_err(|unread| unread.told(DOING))
}

/// What stands in the tables, as a transaction that is open sees it: its own work included. Nothing of the
/// reading stays in the transaction, its settings and locks neither.
///
/// # Errors
/// [`Unread`]; the transaction is usable after it, unless the session broke.
pub(super) fn read_within(
    session: &Session,
    scope: &Scope,
    mode: DataMode,
) -> Result<Data, Unread> {
    aside(session, || look(session, scope, mode))
}

/// Which table keeps its rows in which file, by name: another one where it was made, emptied or written
/// anew.
pub(super) fn files(
    session: &Session,
    scope: &Scope,
) -> Result<BTreeMap<String, (String, String)>, Unread> {
    moment(session, || {
        let pinned = pin(session, scope)?;
        let tables = tables(session, &pinned)?.into_iter();
        Ok(tables
            .map(|table| (table.name, (table.oid, table.file)))
            .collect())
    })
}

fn look(session: &Session, scope: &Scope, mode: DataMode) -> Result<Data, Unread> {
    let pinned = pin(session, scope)?;
    session.query(ALL_ROWS)?;
    let mut tables = tables(session, &pinned)?;
    if mode != DataMode::Counts {
        columns(session, &pinned, &mut tables)?;
    }
    let mut data = Data::default();
    let mut rest = &tables[..];
    while !rest.is_empty() {
        let (now, later) = rest.split_at(at_once(rest));
        for (table, row) in now.iter().zip(&asked(session, now, mode)?) {
            let read = counted(table, row, mode)?;
            data.tables.insert(table.name.clone(), read);
        }
        rest = later;
    }
    Ok(data)
}

/// How many of the next tables go into one message: at least one.
fn at_once(tables: &[Table]) -> usize {
    let mut columns = 0;
    let fits = |table: &&Table| {
        columns += table.columns.len();
        columns <= COLUMNS_AT_ONCE
    };
    let fitting = tables.iter().take(TABLES_AT_ONCE).take_while(fits).count();
    fitting.max(1)
}

/// One row for each table. Their locks are given back at once: a server has room for so many.
fn asked(
    session: &Session,
    tables: &[Table],
    mode: DataMode,
) -> Result<Vec<SimpleQueryRow>, Unread> {
    let mut sql = String::from("SAVEPOINT tollgate_tables;\n");
    for table in tables {
        sql.push_str(&query(table, mode));
    }
    sql.push_str("ROLLBACK TO SAVEPOINT tollgate_tables; RELEASE SAVEPOINT tollgate_tables");
    let [answer] = session.pipeline([&sql]);
    // The savepoint was the first statement.
    let place = answer.ended.len().saturating_sub(1);
    let Some(error) = answer.error else {
        return Ok(answer.rows);
    };
    Err(match (code(&error), tables.get(place)) {
        _ if went(&error) => Unread::Went,
        ("42501", Some(table)) => hidden(&error, &table.name).into(),
        (code, Some(table)) if error.as_db_error().is_some() && !PASSING.contains(&code) => {
            session_error(&error, &format!("{DOING} of {}", table.name)).into()
        }
        _ => Unread::Server(error),
    })
}

/// Whether another session took away what the catalog had told.
fn went(error: &Error) -> bool {
    let said = error.as_db_error().map_or("", |said| said.message());
    match code(error) {
        "42P01" | "42703" => true,
        "XX000" => ["cache lookup failed", "could not open relation"]
            .iter()
            .any(|words| said.contains(words)),
        _ => false,
    }
}

fn code(error: &Error) -> &str {
    error.code().map_or("", |code| code.code())
}

/// This role may not read all rows.
fn hidden(error: &Error, table: &str) -> TargetError {
    let said = error.as_db_error().map(sentence).unwrap_or_default();
    TargetError {
        kind: TargetErrorKind::Other,
        fact: format!("this role may not read all rows of {table}: {said}"),
        remedy: Some(format!(
            "connect as the owner of {table}, or as a role with BYPASSRLS that was granted SELECT on it"
        )),
    }
}

fn tables(session: &Session, pinned: &Pinned) -> Result<Vec<Table>, Unread> {
    let rows = session.query(&fill(TABLES, &[("in_scope", &pinned.in_scope)]))?;
    let table = |row: &SimpleQueryRow| {
        Ok(Table {
            name: cell(row, "name")?.to_owned(),
            oid: cell(row, "oid")?.to_owned(),
            file: cell(row, "file")?.to_owned(),
            key: row.get("key").map(str::to_owned),
            columns: Vec::new(),
        })
    };
    rows.iter().map(table).collect()
}

fn columns(session: &Session, pinned: &Pinned, tables: &mut [Table]) -> Result<(), Unread> {
    let rows = session.query(&fill(COLUMNS, &[("in_scope", &pinned.in_scope)]))?;
    let mut rows = rows.iter().peekable();
    // Both are in the order of the tables.
    for table in tables {
        while let Some(row) = rows.next_if(|row| row.get("table") == Some(&table.oid)) {
            table.columns.push(Column {
                name: cell(row, "name")?.to_owned(),
                kind: cell(row, "kind")?.to_owned(),
            });
        }
    }
    Ok(())
}

/// The statement that reads one table.
fn query(table: &Table, mode: DataMode) -> String {
    let name = &table.name;
    let count = format!("(SELECT pg_catalog.count(*) FROM ONLY {name})");
    if mode == DataMode::Counts {
        return format!("SELECT {count} AS total;\n");
    }
    let (total, chosen) = match &table.key {
        Some(key) if mode == DataMode::Sample => {
            let chosen = format!(
                "\n WHERE {count} < {FEW} OR pg_catalog.hashtextextended(ROW({key})::pg_catalog.text COLLATE pg_catalog.\"C\", 1) & {} = 0",
                ONE_IN - 1
            );
            (count, chosen)
        }
        _ => ("pg_catalog.count(*)".to_owned(), String::new()),
    };
    let each = |write: &dyn Fn(usize, &Column) -> String, between: &str| {
        let columns = table.columns.iter().enumerate();
        let written: Vec<String> = columns.map(|(n, column)| write(n, column)).collect();
        written.join(between)
    };
    let sums = each(&|n, _| format!(", COALESCE(pg_catalog.sum(h.h{n}), 0)"), "");
    fill(
        HASH,
        &[
            ("total", &total),
            ("hashes", &each(&|n, _| format!("h.h{n}"), ", ")),
            ("sums", &sums),
            ("hashed", &each(&hashed, ", ")),
            ("values", &each(&hashable, ", ")),
            ("table", name),
            ("chosen", &chosen),
        ],
    )
}

/// The hash of a value, or of no value: a number that no other is likely to have.
fn hashed(n: usize, column: &Column) -> String {
    let hash = match column.kind.as_str() {
        "integer" | "uuid" | "timestamp" => format!("t.t{n}"),
        // The "C" collation, because one that takes different texts for equal gives them one hash.
        _ => format!("pg_catalog.hashtextextended(t.t{n} COLLATE pg_catalog.\"C\", 0)"),
    };
    format!("COALESCE({hash}, 7461310234471925) AS h{n}")
}

/// The hash of a value, or the text that is to be hashed, as the type itself writes it: a cast to text could
/// have been made by anybody, and lose something. NULL where there is no value; of a composite one the text
/// tells that.
fn hashable(n: usize, column: &Column) -> String {
    let value = format!("r.{}", column.name);
    let hashable = match column.kind.as_str() {
        // Whatever their width.
        "integer" => format!("pg_catalog.hashint8extended({value}::pg_catalog.int8, 0)"),
        "uuid" => format!("pg_catalog.uuid_hash_extended({value}, 0)"),
        // The time zone is pinned.
        "timestamp" => {
            format!("pg_catalog.timestamp_hash_extended({value}::pg_catalog.timestamp, 0)")
        }
        "text" => format!("{value}::pg_catalog.text"),
        "bytes" => format!(
            "CASE WHEN pg_catalog.octet_length({value}) > {LONG} THEN pg_catalog.concat(pg_catalog.octet_length({value}), ' ', pg_catalog.sha256({value})) \
             WHEN {value} IS NOT NULL THEN pg_catalog.concat({value}) END"
        ),
        "plain" => format!("CASE WHEN {value} IS NOT NULL THEN pg_catalog.concat({value}) END"),
        _ => format!("ROW({value})::pg_catalog.text"),
    };
    format!("{hashable} AS t{n}")
}

/// Reads the row that a table's statement answered.
fn counted(table: &Table, row: &SimpleQueryRow, mode: DataMode) -> Result<TableData, TargetError> {
    let rows = number(row, "total")?;
    if mode == DataMode::Counts {
        return Ok(TableData {
            rows,
            ..TableData::default()
        });
    }
    let sums = (2..row.len()).filter_map(|place| row.get(place));
    let columns = table.columns.iter().zip(sums);
    Ok(TableData {
        rows,
        whole: Some(cell(row, "whole")?.to_owned()),
        columns: columns
            .map(|(column, sum)| (column.name.clone(), sum.to_owned()))
            .collect(),
    })
}
