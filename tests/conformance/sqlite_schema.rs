//! What the schema's fingerprint tells of a SQLite file.

use tollgate::model::Schema;
use tollgate::model::schema::diff;

use crate::Bench;
use crate::sqlite::SqliteBench;
use crate::support::ready;

fn schema(bench: &SqliteBench) -> Schema {
    bench.open().schema().unwrap()
}

#[test]
fn a_missing_file_has_none_and_stays_missing() {
    let bench = SqliteBench::new();
    assert!(schema(&bench).is_empty());
    assert_eq!(bench.open().kept_schema().unwrap(), None);
    assert!(!bench.path().exists());
}

#[test]
fn a_table_tells_its_columns() {
    let bench = SqliteBench::new();
    let sql = "CREATE TABLE t (\n  id INTEGER PRIMARY KEY,\n  \"a: b\" TEXT NOT NULL DEFAULT 'x\ny',\n  c AS (id * 2) STORED,\n  d)";
    bench.run(sql).unwrap();
    let before = schema(&bench);
    let table = before.get("table", "t").unwrap();
    assert_eq!(
        table.definition,
        format!(
            "column: \"id\" INTEGER PRIMARY KEY 1\n\
             column:\n  \"a: b\" TEXT NOT NULL DEFAULT 'x\n  y'\n\
             column: \"c\" GENERATED STORED\n\
             column: \"d\"\n\
             sql:\n  {}\n",
            sql.replace('\n', "\n  ")
        )
    );
    bench
        .run("ALTER TABLE t ADD COLUMN e REAL DEFAULT 1")
        .unwrap();
    let found = diff(&before, &schema(&bench));
    let after = found[0].lines().after;
    assert!(after.contains(&"column: \"e\" REAL DEFAULT 1"), "{after:?}");
    bench.run("ALTER TABLE t DROP COLUMN e").unwrap();
    assert_eq!(diff(&before, &schema(&bench)), []);
}

/// Statistics and what SQLite makes by itself are not told; what a script puts on tollgate's tables is.
#[test]
fn every_object_of_the_applications_is_there() {
    let bench = SqliteBench::new();
    drop(ready(&bench));
    bench
        .run(
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a UNIQUE);
             CREATE INDEX i ON t (a) WHERE a > 1; ANALYZE;
             CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END;
             CREATE TRIGGER theirs AFTER INSERT ON tollgate_receipt BEGIN SELECT 1; END;
             CREATE VIRTUAL TABLE words USING fts5 (x);
             CREATE TABLE kept (a TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
             INSERT INTO t (a) VALUES (1)",
        )
        .unwrap();
    let names: Vec<_> = schema(&bench)
        .objects()
        .iter()
        .map(|object| format!("{} {}", object.kind, object.name))
        .filter(|name| !name.contains("words_"))
        .collect();
    assert_eq!(
        names,
        [
            "index i",
            "table kept",
            "table t",
            "table words",
            "trigger g",
            "trigger theirs",
        ]
    );
}

#[test]
fn a_file_that_is_no_database_is_an_error() {
    let bench = SqliteBench::new();
    std::fs::create_dir_all(bench.path().parent().unwrap()).unwrap();
    std::fs::write(
        bench.path(),
        "no database at all, and long enough to be looked at",
    )
    .unwrap();
    assert!(bench.open().schema().is_err());
    assert!(bench.open().kept_schema().is_err());
}
