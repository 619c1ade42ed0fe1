//! Rehearsals in a SQLite file.

mod busy;
mod foreign_keys;
mod fulltext;
mod kill;
mod measured;
mod reversals;
mod scripts;

use std::fmt::Write as _;
use std::time::Duration;

use tollgate::model::schema::{diff, without_parts};
use tollgate::model::{DataMode, data};
use tollgate::sql::{Analysis, analyse};
use tollgate::targets::{RehearsalError, RehearsalRequest, RehearsalRun, RehearsedScript, State};

use crate::Bench;
use crate::sqlite::SqliteBench;
use crate::support::{lock, ready};

const BOUND: Duration = Duration::from_secs(60);

/// A target that was entered, with these tables.
pub(crate) fn made(sql: &str) -> SqliteBench {
    let bench = SqliteBench::new();
    drop(ready(&bench));
    bench.run(sql).unwrap();
    bench
}

pub(crate) fn rehearse(
    bench: &SqliteBench,
    first: &str,
    second: &str,
) -> Result<RehearsalRun, RehearsalError> {
    let read = |script| analyse(SqliteBench::ENGINE, script);
    rehearse_as(bench, (first, &read(first)), (second, &read(second)), BOUND)
}

pub(crate) fn rehearse_as(
    bench: &SqliteBench,
    first: (&str, &Analysis),
    second: (&str, &Analysis),
    bound: Duration,
) -> Result<RehearsalRun, RehearsalError> {
    rehearse_and_tell(bench, first, second, bound, &mut |_| {})
}

pub(crate) fn rehearse_and_tell(
    bench: &SqliteBench,
    first: (&str, &Analysis),
    second: (&str, &Analysis),
    bound: Duration,
    tell: &mut dyn FnMut(&str),
) -> Result<RehearsalRun, RehearsalError> {
    let mut target = bench.open();
    lock(target.as_mut());
    let script = |(script, analysis)| RehearsedScript { script, analysis };
    let request = RehearsalRequest {
        first: script(first),
        second: script(second),
        data: DataMode::Full,
        bound,
    };
    target.rehearse(&request, tell)
}

/// In what two states differ: objects of the schema by kind and name, then what is told of the data.
pub(crate) fn differences(one: &State, other: &State) -> Vec<String> {
    let schema = without_parts(diff(&one.schema, &other.schema));
    let mut out: Vec<String> = schema
        .iter()
        .map(|difference| format!("{} {}", difference.kind, difference.name))
        .collect();
    out.extend(
        data::diff(&one.data, &other.data)
            .iter()
            .map(ToString::to_string),
    );
    out
}

/// Everything that stands in the file, tollgate's own and SQLite's tables included.
pub(crate) fn dump(bench: &SqliteBench) -> String {
    let connection = bench.connect();
    let mut out = String::new();
    for pragma in [
        "user_version",
        "application_id",
        "page_count",
        "schema_version",
    ] {
        let value: i64 = connection
            .pragma_query_value(None, pragma, |row| row.get(0))
            .unwrap();
        writeln!(out, "{pragma} {value}").unwrap();
    }
    let mut statement = connection
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY 1")
        .unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    let mut names: Vec<String> = names.map(Result::unwrap).collect();
    names.push("sqlite_schema".to_owned());
    for name in names {
        writeln!(out, "{name}").unwrap();
        let mut statement = connection
            .prepare(&format!("SELECT * FROM \"{name}\""))
            .unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for at in 0..columns {
                write!(out, " {:?}", row.get_ref(at).unwrap()).unwrap();
            }
            out.push('\n');
        }
    }
    out
}

/// Every kind of object, and every storage class.
pub(crate) const EVERYTHING: &str = "
CREATE TABLE country (code TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE plain (
    a TEXT NOT NULL DEFAULT 'x',
    b INTEGER UNIQUE,
    c TEXT COLLATE NOCASE CHECK (c <> ''),
    d TEXT REFERENCES country (code) ON DELETE CASCADE,
    e INTEGER AS (b * 2) STORED,
    PRIMARY KEY (a)
) WITHOUT ROWID;
CREATE TABLE log (what TEXT, n);
CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, v TEXT, score REAL);
CREATE TABLE strict_one (id INTEGER PRIMARY KEY, a ANY, b BLOB) STRICT;
CREATE TABLE every_type (i INTEGER, t TEXT, r REAL, n NUMERIC, b BLOB, v VARCHAR(20), d DATETIME, f BOOLEAN, j JSON);
CREATE UNIQUE INDEX counted_v ON counted (v);
CREATE INDEX counted_score ON counted (score) WHERE score > 1;
CREATE INDEX counted_lower ON counted (lower(v), score DESC);
CREATE VIEW rich AS SELECT id, v FROM counted WHERE score > 5;
CREATE TRIGGER counted_log AFTER UPDATE ON counted BEGIN INSERT INTO log VALUES ('update', NEW.id); END;
CREATE VIRTUAL TABLE words USING fts5 (x);
INSERT INTO country VALUES ('de', 'Germany'), ('fr', 'France');
INSERT INTO plain (a, b, c, d) VALUES ('one', 1, 'c', 'de'), ('two', 2, 'd', 'fr'), ('three', NULL, NULL, NULL);
INSERT INTO log VALUES ('first', 1), ('second', 2), ('third', NULL);
INSERT INTO counted (v, score) VALUES ('a', 1.5), ('b', 9), ('c', NULL);
INSERT INTO counted (id, v) VALUES (50, 'gone'); DELETE FROM counted WHERE id = 50;
INSERT INTO strict_one VALUES (1, 1, x'00'), (2, 1.0, NULL), (3, '1', x''), (4, x'31', x'ff');
INSERT INTO every_type VALUES (1, 'é', 1.5, '12', x'00ff', 'v', '2025-11-04', 1, '{}'),
    ('text', CAST(x'ff' AS TEXT), 1e999, '1.0', 'text', 2, 3.5, NULL, x'7b7d'),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO words VALUES ('some words');
PRAGMA user_version = 7;
";

const NOTHING: &str = "CREATE TABLE x (a); INSERT INTO x VALUES (1)";
