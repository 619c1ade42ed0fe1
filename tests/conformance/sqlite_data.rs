//! What the counts and hashes of a SQLite file tell.

use tollgate::model::data::{TableData, diff};
use tollgate::model::{Data, DataMode};

use crate::Bench;
use crate::sqlite::SqliteBench;
use crate::support::ready;

fn data(bench: &SqliteBench) -> Data {
    bench.open().data(DataMode::Full).unwrap()
}

fn told(before: &Data, after: &Data) -> Vec<String> {
    diff(before, after)
        .iter()
        .map(ToString::to_string)
        .collect()
}

/// A file with these tables.
fn made(sql: &str) -> SqliteBench {
    let bench = SqliteBench::new();
    bench.run(sql).unwrap();
    bench
}

fn table(bench: &SqliteBench, name: &str) -> TableData {
    data(bench).tables.remove(name).unwrap()
}

#[test]
fn a_missing_file_has_none_and_stays_missing() {
    let bench = SqliteBench::new();
    assert_eq!(data(&bench), Data::default());
    assert_eq!(bench.open().data_size().unwrap(), 0);
    assert!(!bench.path().exists());
}

#[test]
fn neither_the_order_of_rows_nor_that_of_columns_matters() {
    let one = made("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'), (2, 'y'), (2, 'y')");
    let other =
        made("CREATE TABLE t (b, a); INSERT INTO t (a, b) VALUES (2, 'y'), (2, 'y'), (1, 'x')");
    assert_eq!(data(&one), data(&other));
    let swapped = made("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'y'), (2, 'x'), (2, 'y')");
    assert_eq!(
        told(&data(&one), &data(&swapped)),
        ["t: its values stand in other rows"]
    );
}

/// What a script may do to the value of one row, each other than all the others.
#[test]
fn every_value_and_its_storage_class_is_told_from_every_other() {
    let values = [
        "NULL",
        "0",
        "1",
        "1.0",
        "'1'",
        "x'31'",
        "''",
        "x''",
        "'1 '",
        "-1",
        "1.5",
        "'a'",
        "'A'",
        "9223372036854775807",
        "9223372036854775806",
        "1e308",
        "1e999",
        "-1e999",
        "'NULL'",
        "0.1 + 0.2",
        "0.3",
        "char(233)",
        "'e' || char(769)",
        "CAST(x'ff' AS TEXT)",
        "CAST(x'fe' AS TEXT)",
        "CAST(x'6100' AS TEXT)",
        "'a' || char(0)|| 'b'",
        "zeroblob(300)",
        "zeroblob(301)",
        "CAST(zeroblob(300) AS TEXT)",
    ];
    let bench = made("CREATE TABLE t (v)");
    let mut seen = Vec::new();
    for value in values {
        bench
            .run(&format!("DELETE FROM t; INSERT INTO t VALUES ({value})"))
            .unwrap();
        let whole = table(&bench, "t");
        assert_eq!(whole.rows, 1);
        assert!(!seen.contains(&whole), "{value}");
        seen.push(whole);
    }
}

#[test]
fn a_real_column_makes_a_real_of_a_whole_number() {
    let bench = made("CREATE TABLE t (v REAL, n); INSERT INTO t VALUES (1, 1)");
    let before = data(&bench);
    bench.run("UPDATE t SET v = 1.0").unwrap();
    assert_eq!(data(&bench), before);
    bench.run("UPDATE t SET n = 1.0").unwrap();
    assert_eq!(told(&before, &data(&bench)), ["t.n: other values"]);
}

#[test]
fn names_of_every_kind_are_read() {
    let bench = made(
        "CREATE TABLE \"a \"\"quoted\"\" one\" (\"x y\" PRIMARY KEY, \"select\", \"t.\"\"x\", [é], \"'\")
             WITHOUT ROWID;
         INSERT INTO \"a \"\"quoted\"\" one\" VALUES (1, 2, 3, 4, 5);
         CREATE TABLE \"t\" (t, \"T2\", rowid); INSERT INTO t VALUES (1, 2, 3);
         CREATE TABLE g (a INT, v INT AS (a + 1), s INT AS (a + 2) STORED) STRICT; INSERT INTO g VALUES (1)",
    );
    let found = data(&bench);
    let names: Vec<_> = found.tables.keys().collect();
    assert_eq!(names, ["a \"quoted\" one", "g", "t"]);
    let columns: Vec<_> = found.tables["a \"quoted\" one"].columns.keys().collect();
    assert_eq!(columns, ["'", "select", "t.\"x", "x y", "é"]);
    let columns: Vec<_> = found.tables["g"].columns.keys().collect();
    assert_eq!(columns, ["a", "s", "v"]);
    let columns: Vec<_> = found.tables["t"].columns.keys().collect();
    assert_eq!(columns, ["T2", "rowid", "t"]);
}

/// tollgate's own tables, Prisma's, SQLite's and temporary ones are no data; tables behind a virtual one are
/// told by it.
#[test]
fn the_tables_are_those_of_the_schema() {
    let bench = SqliteBench::new();
    drop(ready(&bench));
    bench
        .run(
            "CREATE TABLE one (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO one VALUES (1);
             CREATE TABLE _prisma_migrations (id); ANALYZE; CREATE TEMP TABLE mine (a);
             CREATE VIRTUAL TABLE words USING fts5 (x, y); INSERT INTO words VALUES ('a', 'b');
             CREATE VIRTUAL TABLE boxes USING rtree (id, a, b); INSERT INTO boxes VALUES (1, 2, 3);
             CREATE VIRTUAL TABLE pages USING dbstat;
             CREATE VIEW v AS SELECT * FROM one",
        )
        .unwrap();
    let before = data(&bench);
    let names: Vec<_> = before.tables.keys().collect();
    assert_eq!(names, ["boxes", "one", "words"]);
    assert_eq!(before.tables["words"].columns.len(), 2);
    // The index is built anew, and the rows are the same.
    bench
        .run(
            "INSERT INTO words VALUES ('c', 'd'); DELETE FROM words WHERE x = 'c';
             INSERT INTO words (words) VALUES ('optimize')",
        )
        .unwrap();
    assert_eq!(data(&bench), before);
    bench.run("UPDATE words SET x = 'b'").unwrap();
    assert_eq!(told(&before, &data(&bench)), ["words.x: other values"]);
}

#[test]
fn a_virtual_table_that_cannot_be_read_is_left_out() {
    let bench = made(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x); INSERT INTO t VALUES (1, 'a');
         CREATE VIRTUAL TABLE words USING fts5 (x, content = 'gone')",
    );
    assert_eq!(data(&bench).tables.keys().collect::<Vec<_>>(), ["t"]);
}

#[test]
fn the_encoding_of_the_file_does_not_matter() {
    let rows = "CREATE TABLE t (a); INSERT INTO t VALUES ('é'), ('a'), ('日本')";
    let narrow = made(rows);
    let wide = made(&format!("PRAGMA encoding = 'UTF-16le'; {rows}"));
    assert_eq!(data(&narrow), data(&wide));
}

const MANY: &str =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)";

/// A sample has about one row in 64 of a large table, always the same ones, and all of a small one.
#[test]
fn a_sample_is_of_the_same_rows_each_time() {
    let bench = made(&format!(
        "CREATE TABLE large (id INTEGER PRIMARY KEY, v TEXT);
         CREATE TABLE pair (a TEXT, b INT, v, PRIMARY KEY (b, a)) WITHOUT ROWID;
         CREATE TABLE keyless (v); CREATE TABLE small (id INTEGER PRIMARY KEY, v);
         {MANY} INSERT INTO large SELECT i, 'v' || i FROM n;
         {MANY} INSERT INTO pair SELECT 'k' || i, i, i FROM n;
         {MANY} INSERT INTO keyless SELECT i FROM n;
         {MANY} INSERT INTO small SELECT i, i FROM n LIMIT 100"
    ));
    let sample = || bench.open().data(DataMode::Sample).unwrap();
    let before = sample();
    assert_eq!(sample(), before);
    assert_eq!(before.tables["large"].rows, 12_000);
    let whole = data(&bench);
    assert_eq!(before.tables["small"], whole.tables["small"]);
    assert_eq!(before.tables["keyless"], whole.tables["keyless"]);
    assert_ne!(before.tables["large"], whole.tables["large"]);
    // Thirty rows at a time: some of them are in the sample, and most are not.
    bench.run("DROP TABLE keyless; DROP TABLE pair").unwrap();
    let before = sample();
    let connection = bench.connect();
    let mut seen = 0;
    for first in (0..12_000).step_by(750) {
        let block = format!("WHERE id > {first} AND id <= {first} + 30");
        let changed = format!("UPDATE large SET v = 'other' {block}");
        connection.execute_batch(&changed).unwrap();
        let after = sample();
        seen += usize::from(!told(&before, &after).is_empty());
        let back = format!("UPDATE large SET v = 'v' || id {block}");
        connection.execute_batch(&back).unwrap();
    }
    assert!((1..15).contains(&seen), "{seen} of 16");
    assert_eq!(sample(), before);
    let counts = bench.open().data(DataMode::Counts).unwrap();
    assert_eq!(
        counts.tables["large"],
        TableData {
            rows: 12_000,
            ..TableData::default()
        }
    );
}

#[test]
fn the_size_is_that_of_the_pages_in_use() {
    let bench = made("CREATE TABLE t (v); INSERT INTO t VALUES (zeroblob(1000000))");
    let size = bench.open().data_size().unwrap();
    assert!((1_000_000..1_100_000).contains(&size), "{size}");
    bench.run("DELETE FROM t").unwrap();
    assert!(bench.open().data_size().unwrap() < 12_000);
}
