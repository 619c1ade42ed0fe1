//! Figures, printed and not asserted:
//! `cargo nextest run --release --test conformance --run-ignored only --no-capture sqlite_rehearse::measured`.

use std::time::Instant;

use tollgate::model::DataMode;

use super::{made, rehearse};
use crate::Bench as _;

#[test]
#[ignore = "it measures"]
fn a_million_rows() {
    let bench = made(
        "CREATE TABLE parent (id INTEGER PRIMARY KEY, name);
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
         INSERT INTO parent SELECT i, 'p' || i FROM n;
         CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b REAL, c INT, d BLOB, e,
             parent INT REFERENCES parent (id));
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)
         INSERT INTO t SELECT i, 'a text of usual length ' || i, i / 3.0, i % 7, randomblob(60), NULL,
             1 + i % 100 FROM n",
    );
    println!("{} bytes, {}", bench.open().data_size().unwrap(), peak());
    for mode in [DataMode::Counts, DataMode::Sample, DataMode::Full] {
        let begun = Instant::now();
        bench.open().data(mode).unwrap();
        println!("{}: {:?}, {}", mode.as_str(), begun.elapsed(), peak());
    }
    let up = "ALTER TABLE t ADD COLUMN f TEXT DEFAULT 'x'";
    let run = rehearse(&bench, up, "ALTER TABLE t DROP COLUMN f").unwrap();
    println!("a column: locked for {:?}, {}", run.locked, peak());
    assert_eq!(run.states[0], run.states[2]);
}

/// The most memory that this process had so far, as Linux tells it.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM"));
    line.unwrap_or("VmHWM unknown").to_owned()
}
