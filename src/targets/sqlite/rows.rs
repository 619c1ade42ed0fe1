//! How many rows tables have, where that is known soon: in a file that is not large.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _};

use super::data;
use super::store;
use crate::sql::changes::{Name, quoted};
use crate::targets::Rows;

/// In a larger file nothing is counted: there is no estimate either.
const SMALL: u64 = 64 * 1024 * 1024;

pub(super) fn count(
    path: &Path,
    connection: &Connection,
    tables: &[&Name],
) -> BTreeMap<Name, Rows> {
    if !data::size(path, connection).is_ok_and(|size| size <= SMALL) {
        return BTreeMap::new();
    }
    let one = |name: &&Name| Some(((*name).clone(), Rows::Exactly(exactly(connection, name)?)));
    tables.iter().filter_map(one).collect()
}

/// Counts a table with rows of its own: no view, and no virtual one.
fn exactly(connection: &Connection, name: &Name) -> Option<u64> {
    let schema = name.schema.as_deref().unwrap_or("main");
    if !schema.eq_ignore_ascii_case("main") {
        return None;
    }
    let known = "SELECT name FROM main.sqlite_schema \
                 WHERE type = 'table' AND rootpage > 0 AND name = ?1 COLLATE NOCASE";
    let table: String = connection
        .query_row(known, [&name.name], |row| row.get(0))
        .optional()
        .ok()??;
    let ask = format!("SELECT count(*) FROM main.{}", quoted(&table));
    connection
        .query_row(&ask, [], |row| row.get(0).map(store::unsigned))
        .ok()
}
