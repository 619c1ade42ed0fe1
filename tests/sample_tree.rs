//! The sample tree under `migrations/`: it applies on SQLite, and its reversals reverse it.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test panics where something is wrong, and makes the files that it needs"
)]

use std::path::Path;

use rusqlite::Connection;
use tollgate::catalog::{Catalog, MAX_SCRIPT_BYTES, read};

fn sample() -> Catalog {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
    read(&root, MAX_SCRIPT_BYTES).unwrap()
}

fn down(path: &Path) -> String {
    std::fs::read_to_string(path.with_file_name("down.sql")).unwrap()
}

/// Everything in the schema, and every row, as text. Blanks do not count: SQLite keeps them as they
/// were written, and puts others where a column was added or dropped.
fn everything(connection: &Connection) -> Vec<String> {
    let list = |sql: &str| -> Vec<(String, String)> {
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        rows.map(Result::unwrap).collect()
    };
    let mut out = Vec::new();
    for (name, sql) in list("SELECT name, ifnull(sql, '') FROM sqlite_schema ORDER BY name") {
        out.push(format!(
            "{name} {}",
            sql.split_whitespace().collect::<String>()
        ));
    }
    for (table, _) in
        list("SELECT name, type FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    {
        let mut statement = connection
            .prepare(&format!("SELECT * FROM \"{table}\" ORDER BY 1"))
            .unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values = (0..columns).map(|column| format!("{:?}", row.get_ref(column).unwrap()));
            out.push(format!(
                "{table} {}",
                values.collect::<Vec<_>>().join(" | ")
            ));
        }
    }
    out
}

#[test]
fn the_tree_is_what_the_readme_shows() {
    let catalog = sample();
    assert_eq!(catalog.migrations.len(), 8);
    assert_eq!(
        catalog.migrations[0].id.as_str(),
        "20251027072808_create_health_check"
    );
    assert!(catalog.migrations[0].script.contains("\"health_checks\""));
    assert!(
        catalog
            .migrations
            .iter()
            .all(|migration| migration.down.is_some())
    );
    assert!(
        catalog
            .migrations
            .iter()
            .any(|migration| migration.id.as_str().contains("_rollback_"))
    );
    assert!(catalog.skipped.is_empty());
}

#[test]
fn every_reversal_leaves_what_was_there_before() {
    let connection = Connection::open_in_memory().unwrap();
    let mut states = Vec::new();
    for migration in &sample().migrations {
        states.push(everything(&connection));
        connection.execute_batch(&migration.script).unwrap();
        let after = everything(&connection);
        connection.execute_batch(&down(&migration.path)).unwrap();
        assert_eq!(
            &everything(&connection),
            states.last().unwrap(),
            "{}",
            migration.id
        );
        connection.execute_batch(&migration.script).unwrap();
        assert_eq!(everything(&connection), after, "{}", migration.id);
        if migration.id.as_str().ends_with("_create_incident") {
            // Rows that the later data migration finds.
            connection
                .execute_batch(
                    "INSERT INTO health_checks (id, name, url, created_at) VALUES ('c', 'api', 'u', 't');
                     INSERT INTO incidents (id, health_check_id, title, opened_at) VALUES ('i', 'c', 'down', 't');",
                )
                .unwrap();
        }
    }
    connection
        .execute_batch("DELETE FROM incidents; DELETE FROM health_checks;")
        .unwrap();
    for migration in sample().migrations.iter().rev() {
        connection.execute_batch(&down(&migration.path)).unwrap();
    }
    assert_eq!(everything(&connection), Vec::<String>::new());
}
