//! How many rows tables have, where that is known soon.
//!
//! A small table is counted, with the time that one second leaves for it; of a large one the server's own
//! estimate is told. Whatever goes wrong, there is no number.

use std::collections::BTreeMap;

use super::runtime::Session;
use super::survey::{cell, number, parse};
use super::template::{fill, or_null, text};
use crate::sql::changes::Name;
use crate::targets::Rows;

const TABLES: &str = include_str!("sql/rows.sql");
/// A table of more pages is not counted: 8 MiB, as they usually are.
const FEW_PAGES: i64 = 1_024;
/// So many tables are looked at.
const MOST: usize = 32;
/// The time for all of them, in milliseconds.
const TIME: usize = 1_000;

pub(super) fn count(session: &Session, tables: &[&Name]) -> BTreeMap<Name, Rows> {
    let tables = tables.get(..MOST).unwrap_or(tables);
    let wanted: Vec<String> = (0..)
        .zip(tables)
        .map(|(place, name): (usize, &&Name)| {
            let schema = or_null(name.schema.as_deref());
            format!("({place}, {schema}::pg_catalog.text, {})", text(&name.name))
        })
        .collect();
    if wanted.is_empty() {
        return BTreeMap::new();
    }
    let asked = fill(TABLES, &[("wanted", &wanted.join(", "))]);
    let found = session.query(&asked).unwrap_or_default();
    let time = (TIME / found.len().max(1)).max(50);
    let one = |row| -> Option<(Name, Rows)> {
        let place: usize = parse(row, "place").ok()?;
        let name = (**tables.get(place)?).clone();
        let pages: i64 = parse(row, "pages").ok()?;
        let estimate: i64 = parse(row, "estimate").ok()?;
        let counted = match pages <= FEW_PAGES {
            true => exactly(session, cell(row, "name").ok()?, time),
            false => None,
        };
        // Never analysed, the server has none, or says 0.
        let estimate = u64::try_from(estimate).ok().filter(|rows| *rows > 0);
        let rows = counted.or_else(|| estimate.map(Rows::About))?;
        Some((name, rows))
    };
    found.iter().filter_map(one).collect()
}

/// Counts one, in a transaction of its own that ends whatever happens. `table` is qualified and quoted.
fn exactly(session: &Session, table: &str, time: usize) -> Option<Rows> {
    // Hidden rows are an error, and never left out in silence.
    let begin = format!(
        "BEGIN TRANSACTION READ ONLY; SET LOCAL statement_timeout = {time}; SET LOCAL lock_timeout = 100; SET LOCAL row_security = off"
    );
    let counted = session
        .query(&begin)
        .and_then(|_| session.query(&format!("SELECT pg_catalog.count(*) AS rows FROM {table}")));
    let _ = session.query("ROLLBACK");
    let counted = counted.ok()?;
    Some(Rows::Exactly(number(counted.first()?, "rows").ok()?))
}
