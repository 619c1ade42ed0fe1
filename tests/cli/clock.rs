//! Whose clock an instant is of: the client's where something was begun, the database's beside its receipt.

use serde_json::Value;

use crate::on_postgres::{CREATE, Chain};

const BEGUN: &str = "2025-11-04T10:12:00.000Z";

/// Each row of the report's population about `migration`, as its receipt's number, when it was begun, and
/// the database's clock.
fn told(chain: &Chain) -> Vec<(u64, String, Option<String>)> {
    let shot = chain.run(&["report", "--env", "dev", "--format", "json"]);
    let report: Value = serde_json::from_str(&shot.stdout).unwrap();
    let rows = report["population"].as_array().unwrap();
    rows.iter()
        .filter_map(|row| {
            let text = |key: &str| row[key].as_str().map(str::to_owned);
            Some((row["receipt"].as_u64()?, text("at")?, text("database_at")))
        })
        .collect()
}

/// What stands beside the receipts, asked in another way than tollgate asks.
fn standing(chain: &Chain) -> Vec<String> {
    let ask = "SELECT string_agg(to_char(date_trunc('milliseconds', recorded_at AT TIME ZONE 'UTC'), \
               'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), ' ' ORDER BY seq) FROM tollgate.receipt";
    let all = chain.databases[0].ask(ask);
    all.split(' ').map(str::to_owned).collect()
}

/// In one transaction with others, alone, statement by statement, and with settings that change
/// what an instant looks like; then taken in by a ledger that knew nothing of it.
#[test]
fn the_databases_clock_stands_beside_every_receipt() {
    let chain = Chain::new(&[
        ("20251101000000_users", CREATE),
        (
            "20251102000000_foreign_ways",
            "SET datestyle = 'German';\nSET timezone = 'Asia/Kathmandu';\nSET intervalstyle = 'sql_standard';\nALTER TABLE users ADD a int;\n",
        ),
        ("20251103000000_behind", "ALTER TABLE users ADD b int;\n"),
        (
            "20251104000000_index",
            "CREATE INDEX CONCURRENTLY users_email ON users (email);\n",
        ),
    ]);
    let shot = chain.run(&["apply", "dev"]);
    assert_eq!(shot.exit, 0, "{}", shot.stderr);
    let expected: Vec<(u64, String, Option<String>)> = (1..)
        .zip(standing(&chain))
        .map(|(seq, at)| (seq, BEGUN.to_owned(), Some(at)))
        .collect();
    assert_eq!(expected.len(), 4);
    assert_eq!(told(&chain), expected);
    std::fs::remove_dir_all(chain.project.path().join("state")).unwrap();
    let shot = chain.run(&["apply", "dev"]);
    assert_eq!(shot.exit, 0, "{}", shot.stderr);
    assert_eq!(told(&chain), expected);
}

/// The file's clock is the process's own.
#[test]
fn sqlite_has_no_clock_of_its_own() {
    let project = crate::project::Project::with(&[(
        "20251101000000_users",
        "CREATE TABLE users (id INTEGER PRIMARY KEY);\n",
    )]);
    project.run(&["apply", "dev"]);
    let shot = project.run(&["report", "--format", "json"]);
    let report: Value = serde_json::from_str(&shot.stdout).unwrap();
    assert_eq!(report["population"][0]["receipt"], 1);
    assert_eq!(report["population"][0]["database_at"], Value::Null);
}
