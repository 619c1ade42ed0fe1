//! What stands in the tables, as counts and hashes.
//!
//! Each value is hashed with its storage class, so that 1, 1.0 and '1' are three values, and by its bytes
//! where they lie: nothing is copied, and a table of any size takes the memory of one row. The rowid of a
//! table without an `INTEGER PRIMARY KEY` is no data: VACUUM deals them out anew.

use std::path::Path;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, ErrorCode, Row};

use super::fingerprint::{quoted, text};
use super::{errors, store};
use crate::digest::{Bag, short};
use crate::model::data::TableData;
use crate::model::{Data, DataMode};
use crate::targets::TargetError;

const TABLES: &str = include_str!("data_tables.sql");
const COLUMNS: &str = include_str!("data_columns.sql");

/// The SQL function that chooses the rows of a sample, there only while one is read.
const IN_SAMPLE: &str = "tollgate_in_sample";
/// One row in so many is hashed in a sample.
const EACH: u128 = 64;
/// A table with fewer rows is hashed whole in a sample.
const SMALL: u64 = 10_000;

/// The modules of virtual tables that SQLite brings and whose rows are data: the same after the same
/// statements. Others compute theirs, or are not at hand.
const MODULES: [&str; 6] = ["fts3", "fts4", "fts5", "rtree", "rtree_i32", "geopoly"];

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) data: Data,
    /// The virtual tables whose rows were not read.
    pub(super) left_out: Vec<String>,
}

/// The size of the file's pages that are in use, in bytes. Indexes and tollgate's own tables are in it.
pub(super) fn size(path: &Path, connection: &Connection) -> Result<u64, TargetError> {
    let ask = |pragma: &str| {
        connection.pragma_query_value(None, pragma, |row| row.get(0).map(store::unsigned))
    };
    let read = || {
        let pages = ask("page_count")?.saturating_sub(ask("freelist_count")?);
        Ok(pages.saturating_mul(ask("page_size")?))
    };
    read().map_err(|error| errors::target(path, &error))
}

/// What stands there, of one moment.
pub(super) fn read(
    path: &Path,
    connection: &mut Connection,
    mode: DataMode,
) -> Result<Data, TargetError> {
    connection
        .transaction()
        .and_then(|moment| read_within(&moment, mode))
        .map(|reading| reading.data)
        .map_err(|error| errors::target(path, &error))
}

/// The same in the transaction that is open. Writes nothing.
pub(super) fn read_within(connection: &Connection, mode: DataMode) -> rusqlite::Result<Reading> {
    let mut reading = Reading::default();
    let tables = tables(connection)?;
    if mode == DataMode::Sample {
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        connection.create_scalar_function(IN_SAMPLE, -1, flags, in_sample)?;
    }
    let mut read = || {
        for table in &tables {
            match table.read(connection, mode) {
                Ok(Some(data)) => {
                    reading.data.tables.insert(table.name.clone(), data);
                }
                Ok(None) => reading.left_out.push(table.name.clone()),
                // A full-text index whose table is gone, for instance: it cannot be read by anybody.
                Err(error) if table.is_virtual && !is_interrupted(&error) => {
                    reading.left_out.push(table.name.clone());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    };
    let outcome = read();
    if mode == DataMode::Sample {
        connection.remove_function(IN_SAMPLE, -1)?;
    }
    outcome.map(|()| reading)
}

fn is_interrupted(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

struct Table {
    name: String,
    is_virtual: bool,
    /// Whether its rows are data, as far as its text tells.
    is_read: bool,
}

struct Column {
    name: String,
    /// Its place in the primary key, from 1; 0 where it is not part of it.
    key: u32,
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let mut found = connection.prepare(TABLES)?;
    let mut rows = found.query([])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let is_virtual = row.get(1)?;
        out.push(Table {
            name: text(row, 0)?,
            is_virtual,
            is_read: !is_virtual || is_known(&text(row, 2)?),
        });
    }
    Ok(out)
}

/// Whether the module that a `CREATE VIRTUAL TABLE` uses is one of [`MODULES`].
fn is_known(sql: &str) -> bool {
    let sql = sql.to_ascii_lowercase();
    let mut words = sql.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    // The name may hold the word itself: then it is not known, and said to be left out.
    words.find(|word| *word == "using").is_some()
        && words
            .find(|word| !word.is_empty())
            .is_some_and(|module| MODULES.contains(&module))
}

impl Table {
    /// `None` where its rows are no data.
    fn read(&self, connection: &Connection, mode: DataMode) -> rusqlite::Result<Option<TableData>> {
        if !self.is_read {
            return Ok(None);
        }
        let name = quoted(&self.name);
        let mut data = TableData::default();
        // Where every row is read anyway, they are counted on the way.
        if mode != DataMode::Full {
            let count = format!("SELECT count(*) FROM main.{name}");
            data.rows = connection.query_row(&count, [], |row| row.get(0).map(store::unsigned))?;
        }
        if mode == DataMode::Counts {
            return Ok(Some(data));
        }
        let columns = columns(connection, &self.name)?;
        let mut sql = format!("SELECT {} FROM main.{name} AS t", list(&columns));
        let mut key: Vec<&Column> = columns.iter().filter(|column| column.key > 0).collect();
        if mode == DataMode::Sample && data.rows >= SMALL && !key.is_empty() {
            key.sort_by_key(|column| column.key);
            sql.push_str(&format!(" WHERE {IN_SAMPLE}({})", list(key)));
        }
        let hashed = hash(connection, &sql, &columns, &mut data)?;
        if mode == DataMode::Full {
            data.rows = hashed;
        }
        Ok(Some(data))
    }
}

/// The columns by name, as [`TableData`] has them.
fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Column>> {
    let mut found = connection.prepare_cached(COLUMNS)?;
    let mut rows = found.query([table])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        out.push(Column {
            name: text(row, 0)?,
            key: row.get(1)?,
        });
    }
    out.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(out)
}

/// Qualified: a quoted name that is no column's would be read as a text.
fn list<'a>(columns: impl IntoIterator<Item = &'a Column>) -> String {
    let names: Vec<String> = columns
        .into_iter()
        .map(|column| format!("t.{}", quoted(&column.name)))
        .collect();
    names.join(", ")
}

/// Reads rows of these columns, and gives how many.
fn hash(
    connection: &Connection,
    sql: &str,
    columns: &[Column],
    data: &mut TableData,
) -> rusqlite::Result<u64> {
    let mut bags = vec![Bag::default(); columns.len()];
    let mut whole = Bag::default();
    // A row is the hashes of its values, behind one that tells which columns there are.
    let mut row_bytes = vec![0; 16 * (columns.len() + 1)];
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let header = short(b'h', names.join("\0").as_bytes());
    row_bytes[..16].copy_from_slice(&header.to_le_bytes());
    let mut found = connection.prepare(sql)?;
    let mut rows = found.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += 1;
        add(row, &mut bags, &mut row_bytes[16..])?;
        whole.add(short(b'r', &row_bytes));
    }
    data.whole = Some(whole.to_string());
    data.columns = columns
        .iter()
        .zip(&bags)
        .map(|(column, bag)| (column.name.clone(), bag.to_string()))
        .collect();
    Ok(count)
}

fn add(row: &Row<'_>, bags: &mut [Bag], bytes: &mut [u8]) -> rusqlite::Result<()> {
    for (place, (bag, bytes)) in bags.iter_mut().zip(bytes.chunks_exact_mut(16)).enumerate() {
        let hash = of_value(row.get_ref(place)?);
        bag.add(hash);
        bytes.copy_from_slice(&hash.to_le_bytes());
    }
    Ok(())
}

/// The hash of a value and its storage class.
pub(super) fn of_value(value: ValueRef<'_>) -> u128 {
    match value {
        ValueRef::Null => short(b'n', &[]),
        ValueRef::Integer(number) => short(b'i', &number.to_le_bytes()),
        ValueRef::Real(number) => short(b'f', &number.to_bits().to_le_bytes()),
        ValueRef::Text(bytes) => short(b't', bytes),
        ValueRef::Blob(bytes) => short(b'b', bytes),
    }
}

/// Whether the row with this primary key is one of the sample: always the same ones.
fn in_sample(context: &Context<'_>) -> rusqlite::Result<bool> {
    let mut hash = 0_u128;
    for place in 0..context.len() {
        hash = hash.rotate_left(1) ^ of_value(context.get_raw(place));
    }
    Ok(hash.is_multiple_of(EACH))
}
