//! The rules about loss against what is really lost: scripts that are put together at random run on a small
//! database of SQLite, and whatever of its rows is gone afterwards has to have been told before.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a helper of a test fails like the test itself"
)]

mod dice;

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use rusqlite::types::Value;
use tollgate::lint::{Before, Finding, Script, Topic, look};
use tollgate::model::MigrationId;
use tollgate::model::entry::Engine::Sqlite;
use tollgate::sql::analyse;
use tollgate::sql::changes::changes;

use crate::dice::Dice;

/// What stands. Every row of a table has a value of its own in `email`, and the same as all others in `kind`.
const STANDS: &str = "
    CREATE TABLE a (id INTEGER PRIMARY KEY, email TEXT, kind TEXT);
    CREATE TABLE b (id INTEGER PRIMARY KEY, email TEXT, kind TEXT, a INTEGER REFERENCES a (id) ON DELETE CASCADE);
";
const ROWS: &str = "
    INSERT INTO a VALUES (1, 'a1', 'ka'), (2, 'a2', 'ka'), (3, 'a3', 'ka');
    INSERT INTO b VALUES (11, 'b1', 'kb', 1), (12, 'b2', 'kb', 2);
";

/// What has to be together in one row at the end.
const KEPT: [[&str; 2]; 5] = [
    ["a1", "ka"],
    ["a2", "ka"],
    ["a3", "ka"],
    ["b1", "kb"],
    ["b2", "kb"],
];

const CASES: u64 = 1_000;

/// A script that runs: each statement that fails is left out.
struct Case {
    script: String,
    /// The rows that are gone.
    lost: Vec<[&'static str; 2]>,
}

fn case(dice: &mut Dice) -> Case {
    let db = Connection::open_in_memory().unwrap();
    db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    db.execute_batch(STANDS).unwrap();
    db.execute_batch(ROWS).unwrap();
    let mut script = Vec::new();
    if dice.once_in(2) {
        script.push("PRAGMA foreign_keys = OFF".to_owned());
    } else {
        db.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    }
    db.execute_batch("BEGIN").unwrap();
    for statement in statements(dice) {
        if db.execute_batch(&statement).is_ok() {
            script.push(statement);
        }
    }
    if db.execute_batch("COMMIT").is_err() {
        // References that are broken at the end: nothing happened.
        db.execute_batch("ROLLBACK").unwrap();
    }
    Case {
        script: script.join(";\n"),
        lost: lost(&db),
    }
}

/// The rows that are in no table any more.
fn lost(db: &Connection) -> Vec<[&'static str; 2]> {
    let mut tables = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
        .unwrap();
    let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut rows: Vec<BTreeSet<String>> = Vec::new();
    for name in names {
        let mut all = db
            .prepare(&format!("SELECT * FROM main.\"{}\"", name.unwrap()))
            .unwrap();
        let width = all.column_count();
        let texts = all.query_map([], |row| {
            let values = (0..width).filter_map(|at| match row.get(at) {
                Ok(Value::Text(text)) => Some(text),
                _ => None,
            });
            Ok(values.collect())
        });
        rows.extend(texts.unwrap().map(Result::unwrap));
    }
    let is_there = |kept: &[&str; 2]| {
        rows.iter()
            .any(|row| kept.iter().all(|one| row.contains(*one)))
    };
    KEPT.into_iter().filter(|kept| !is_there(kept)).collect()
}

/// Statements that may run, in an order in which they often do.
fn statements(dice: &mut Dice) -> Vec<String> {
    let mut out = Vec::new();
    if dice.once_in(3) {
        for _ in 0..dice.below(7) + 1 {
            out.push(any(dice));
        }
        return out;
    }
    // A table that is made anew, with something in between, perhaps.
    let table = dice.one(&["a", "a", "a", "b"]);
    let mut copy = "n";
    let skeleton = match dice.below(4) {
        0 => {
            copy = table;
            [
                format!("ALTER TABLE {table} RENAME TO o"),
                format!("CREATE TABLE {table} {}", dice.columns()),
                dice.insert(table, "o"),
                "DROP TABLE o".to_owned(),
            ]
        }
        _ => [
            format!("CREATE TABLE n {}", dice.columns()),
            dice.insert("n", table),
            format!("DROP TABLE {table}"),
            format!("ALTER TABLE n RENAME TO {table}"),
        ],
    };
    for statement in skeleton {
        let fills = statement.starts_with("INSERT");
        out.push(statement);
        if fills && dice.once_in(3) {
            out.push(damage(dice, copy));
        }
        while dice.once_in(4) {
            out.push(any(dice));
        }
    }
    out
}

/// What is done to the copy while the old table stands.
fn damage(dice: &mut Dice, copy: &str) -> String {
    match dice.below(6) {
        0 => format!("DELETE FROM {copy}"),
        1 => format!("UPDATE {copy} SET email = 'x'"),
        2 => format!("UPDATE {copy} SET kind = upper(kind) WHERE true"),
        3 => format!("ALTER TABLE {copy} DROP COLUMN kind"),
        4 => format!("INSERT OR REPLACE INTO {copy} (id) VALUES (1)"),
        _ => format!("ALTER TABLE {copy} RENAME COLUMN email TO rest"),
    }
}

fn any(dice: &mut Dice) -> String {
    let tables = ["a", "b", "n", "n", "m", "o"];
    let (table, other) = (dice.one(&tables), dice.one(&tables));
    let column = dice.one(&["email", "kind", "more"]);
    match dice.below(16) {
        0 => format!("CREATE TABLE {table} {}", dice.columns()),
        1 => format!("CREATE TEMP TABLE {table} {}", dice.columns()),
        2 => format!("CREATE TABLE {table} AS SELECT * FROM {other}"),
        3 | 4 => dice.insert(table, other),
        5 => format!(
            "DELETE FROM {table}{}",
            dice.one(&["", " WHERE true", " WHERE 1 = 1"])
        ),
        6 => format!(
            "UPDATE {table} SET {column} = {}",
            dice.one(&["'x'", "kind", "upper(email)"])
        ),
        7 => format!("DROP TABLE {table}"),
        8 => format!("ALTER TABLE {table} RENAME TO {other}"),
        9 => format!("ALTER TABLE {table} DROP COLUMN {column}"),
        10 => format!(
            "ALTER TABLE {table} RENAME COLUMN {column} TO {}",
            dice.one(&["email", "kind", "more", "rest"])
        ),
        11 => format!("ALTER TABLE {table} ADD COLUMN {column} TEXT"),
        12 => format!(
            "INSERT {}INTO {table} (id, email) VALUES (1, 'x')",
            dice.one(&["", "OR REPLACE ", "OR IGNORE "])
        ),
        13 => "SAVEPOINT s".to_owned(),
        14 => "ROLLBACK TO s".to_owned(),
        _ => format!(
            "ALTER TABLE {table} ADD COLUMN ref INTEGER REFERENCES {other} (id) ON DELETE CASCADE"
        ),
    }
}

/// What is found about loss.
fn told(script: &str) -> Vec<Finding> {
    let ids = [MigrationId::new("1_a"), MigrationId::new("2_b")];
    let texts = [STANDS, script];
    let read = texts.map(|text| {
        let analysis = analyse(Sqlite, text);
        let changes = changes(Sqlite, text, &analysis);
        (text, analysis, changes)
    });
    let scripts: Vec<Script<'_>> = (ids.iter().zip(&read))
        .map(|(migration, (text, analysis, changes))| Script {
            migration,
            text,
            analysis,
            changes,
        })
        .collect();
    let before = Before {
        standing: &scripts[..1],
        is_empty: false,
    };
    let mut findings = look(Sqlite, before, &scripts[1..]).findings;
    findings.retain(|finding| finding.rule.topic == Topic::DataLoss);
    findings
}

#[test]
fn what_is_lost_is_told() {
    let mut missed = Vec::new();
    let (mut lost, mut quiet, mut noisy) = (0, 0, 0);
    let mut rules: BTreeMap<&str, u64> = BTreeMap::new();
    for seed in 0..CASES {
        let case = case(&mut Dice::new(seed));
        let told = told(&case.script);
        match (case.lost.is_empty(), told.is_empty()) {
            (false, true) => missed.push(format!(
                "seed {seed}: lost {:?}\n{}",
                case.lost, case.script
            )),
            (false, false) => lost += 1,
            (true, true) => quiet += 1,
            (true, false) => {
                noisy += 1;
                for finding in told {
                    *rules.entry(finding.rule.code).or_default() += 1;
                }
            }
        }
    }
    println!(
        "{lost} lose something and say so; {quiet} lose nothing, {noisy} more neither but are told of: {rules:?}"
    );
    assert!(
        missed.is_empty(),
        "{} scripts lose something that nobody was told of; the first:\n\n{}",
        missed.len(),
        missed
            .iter()
            .take(5)
            .cloned()
            .collect::<Vec<_>>()
            .join("\n\n")
    );
    // Both kinds are among them, or nothing was tried.
    assert!(
        lost > CASES / 10 && quiet > CASES / 10,
        "{lost} lose something, {quiet} are quiet"
    );
}
