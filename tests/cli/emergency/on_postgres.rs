//! The story on three PostgreSQL databases with data: interrupted after every step, and gone on with.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::on_postgres::Chain;

const SHOP: &str = "20251101000000_shop";
const PRICES: &str = "20251102000000_prices";
const LATER: &str = "20251103000000_later";
const COMMAND: [&str; 4] = [
    "emergency",
    PRICES,
    "--reason",
    "prices are in the wrong currency",
];

/// A shop with orders in it, and a migration that everybody believed in.
fn gone_wrong() -> Chain {
    let chain = Chain::new(&[
        (
            SHOP,
            "CREATE TABLE orders (id int PRIMARY KEY, total numeric NOT NULL);\n\
             CREATE VIEW totals AS SELECT sum(total) AS total FROM orders;\n",
        ),
        (
            PRICES,
            "CREATE TYPE currency AS ENUM ('EUR', 'USD');\n\
             ALTER TABLE orders ADD COLUMN currency currency NOT NULL DEFAULT 'USD';\n\
             CREATE INDEX orders_currency ON orders (currency);\n\
             COMMENT ON COLUMN orders.currency IS 'of the total';\n",
        ),
        (
            LATER,
            "CREATE TABLE customers (id int PRIMARY KEY, name text);\n",
        ),
    ]);
    chain
        .project
        .write_down(SHOP, "DROP VIEW totals;\nDROP TABLE orders;\n");
    chain.project.write_down(
        PRICES,
        "ALTER TABLE orders DROP COLUMN currency;\nDROP TYPE currency;\n",
    );
    chain.project.write_down(LATER, "DROP TABLE customers;\n");
    let file = chain.project.path().join("tollgate.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(
        file,
        format!("{config}[environment.require]\nrehearsal = true\nbackup = \"1h\"\n"),
    )
    .unwrap();
    let shot = chain.run(&["promote", "prod"]);
    assert_eq!(shot.exit, 0, "{shot}");
    for (place, database) in (1..).zip(&chain.databases) {
        database
            .run(&format!(
                "INSERT INTO orders SELECT n, n * {place}, 'EUR' FROM generate_series(1, 1000) AS n;\
                 INSERT INTO customers SELECT n, 'c' || n FROM generate_series(1, 10) AS n"
            ))
            .unwrap();
    }
    chain
}

/// Every order is what it was, without its currency.
fn is_right(chain: &Chain) {
    for (place, database) in (1u64..).zip(&chain.databases) {
        assert_eq!(
            database.ask("SELECT count(*) || ' ' || sum(total) FROM orders"),
            format!("1000 {}", 500_500 * place)
        );
        assert_eq!(
            database.ask("SELECT total::text FROM totals"),
            (500_500 * place).to_string()
        );
        assert_eq!(database.ask("SELECT count(*) FROM customers"), "10");
        assert_eq!(
            database.ask(
                "SELECT string_agg(column_name, ' ' ORDER BY ordinal_position) FROM information_schema.columns WHERE table_name = 'orders'"
            ),
            "id total"
        );
        assert_eq!(
            database.ask("SELECT count(*) FROM pg_type WHERE typname = 'currency'"),
            "0"
        );
        assert_eq!(
            database.ask(
                "SELECT string_agg(kind || ' ' || regexp_replace(migration, '^\\d+_', ''), ', ' ORDER BY seq) FROM tollgate.receipt WHERE kind <> 'rehearsed'"
            ),
            "atomic shop, atomic prices, atomic later, atomic rollback_prices"
        );
    }
    let verified = chain.run(&["verify", "dev", "test", "prod"]);
    assert_eq!(verified.exit, 0, "{verified}");
    let verified = chain.run(&["verify"]);
    assert_eq!(verified.exit, 0, "{verified}");
    let (_, status) = chain.project.json(&["status"]);
    for environment in ["dev", "test", "prod"] {
        let state = |row: usize| &status["migrations"][row]["environments"][environment]["state"];
        assert_eq!([state(1), state(3)], ["reverted", "applied"], "{status}");
    }
}

/// How often each thing was done, of which each is to be done once.
fn is_once(chain: &Chain) {
    let log = chain.run(&["log"]).stdout;
    // The first promotion took a backup too.
    let since = log
        .find("  emergency  ")
        .map_or(0, |at| log[..at].rfind('\n').unwrap_or(0));
    let log = &log[since..];
    let count = |word: &str| log.lines().filter(|line| line.contains(word)).count();
    assert_eq!(count("  emergency  "), 1, "{log}");
    assert_eq!(count("  reverted   "), 1, "{log}");
    assert_eq!(count("  backed-up  prod"), 1, "{log}");
    for environment in ["dev", "test"] {
        let rehearsed = log.lines().filter(|line| {
            line.contains(&format!("  rehearsed  {environment} "))
                && line.contains("_rollback_prices ")
        });
        assert_eq!(rehearsed.count(), 1, "{environment}: {log}");
    }
    for environment in ["dev", "test", "prod"] {
        let applied = log.lines().filter(|line| {
            line.contains(&format!("  succeeded  {environment} "))
                && line.ends_with("_rollback_prices")
        });
        assert_eq!(applied.count(), 1, "{environment}: {log}");
    }
    let (exit, document) = chain.project.json(&COMMAND);
    assert_eq!((exit, &document["end"]), (0, &"done".into()), "{document}");
}

#[test]
fn interrupted_after_every_step_and_gone_on_with() {
    let mut chain = gone_wrong();
    let mut incidents = std::collections::BTreeSet::new();
    let mut exits = Vec::new();
    for _ in 0..7 {
        // A minute later, in another process of the same ledger, somebody goes on for one step.
        chain.project.now += 60_000;
        let shot = chain.project.run_typing(&COMMAND, "y\n");
        exits.push(shot.exit);
        let (_, document) = chain.project.json(&COMMAND);
        incidents.insert(document["incident"].to_string());
        // Interrupted before the next one, nothing more is done.
        let stopped = chain.project.run_with(
            &[&COMMAND[..], &["--yes"]].concat(),
            Arc::new(AtomicBool::new(true)),
        );
        let is_over = document["end"] == "done";
        assert_eq!(stopped.exit, if is_over { 0 } else { 130 }, "{stopped}");
    }
    assert_eq!(exits, [2, 2, 2, 2, 2, 2, 0]);
    assert_eq!(incidents.len(), 1, "{incidents:?}");
    is_right(&chain);
    is_once(&chain);
    // The backup is of before: it has what was lost.
    let (_, document) = chain.project.json(&COMMAND);
    let file = document["steps"][0]["what"].as_str().unwrap();
    assert_eq!(document["loses"], serde_json::json!(["orders.currency"]));
    assert!(
        chain
            .project
            .path()
            .join("state/backups")
            .join(file)
            .exists()
    );
}

#[test]
fn in_one_go_and_by_another_ledger() {
    let chain = gone_wrong();
    // The release manager's ledger knows nothing: the targets' receipts tell what stands.
    for file in [
        "ledger.db",
        "ledger.db-wal",
        "ledger.db-shm",
        "ledger.db.head",
    ] {
        let _ = std::fs::remove_file(chain.project.path().join("state").join(file));
    }
    let shot = chain.run(&["sync", "dev", "test", "prod"]);
    assert_eq!(shot.exit, 0, "{shot}");
    let shot = chain.run(&[&COMMAND[..], &["--yes"]].concat());
    assert_eq!(shot.exit, 0, "{shot}");
    is_right(&chain);
    is_once(&chain);
}

/// What a later migration builds on: read by the server's own grammar.
#[test]
fn what_others_build_on_is_named() {
    let chain = gone_wrong();
    chain.project.write(
        "20251104000000_report",
        "CREATE FUNCTION paid() RETURNS numeric LANGUAGE sql AS $$ SELECT sum(total) FROM orders WHERE currency = 'EUR' $$;\n",
    );
    let shot = chain.run(&["revert", PRICES, "--reason", "no"]);
    assert_eq!(shot.exit, 3, "{shot}");
    assert!(
        shot.stderr
            .contains("20251104000000_report builds on it: it names "),
        "{shot}"
    );
}
