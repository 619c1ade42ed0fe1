//! The story on three PostgreSQL databases with data: interrupted after every step, and gone on with.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use insta::assert_snapshot;

use super::still;
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

/// Dev and test do not speak for prod's data: it fails there alone, prod is as it was, and goes on once that is
/// put right there.
#[test]
fn what_fails_in_prod_alone_leaves_prod_as_it_was() {
    const LOOSE: &str = "20251102000000_loose";
    let mut chain = Chain::new(&[
        (
            SHOP,
            "CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);\n",
        ),
        (
            LOOSE,
            "ALTER TABLE customers ALTER COLUMN name DROP NOT NULL, ADD COLUMN nick text;\n",
        ),
    ]);
    assert_eq!(chain.run(&["promote", "prod"]).exit, 0);
    for database in &chain.databases {
        database
            .run("INSERT INTO customers SELECT n, 'c' || n, 'n' || n FROM generate_series(1, 9) AS n")
            .unwrap();
    }
    let prod = &chain.databases[2];
    prod.run("INSERT INTO customers (id) VALUES (10)").unwrap();
    chain.project.now += 60_000;
    let command = ["emergency", LOOSE, "--reason", "names go missing"];
    let yes = [&command[..], &["--yes"]].concat();
    let shot = still(chain.run(&yes));
    let told = shot
        .stderr
        .split_once("\nstep 7 of 7")
        .map(|(_, told)| told.to_owned());
    assert_snapshot!(told.unwrap_or(shot.to_string()), @r#"
    : apply 20251104101300_rollback_loose to prod, the last environment: what stands in customers.nick is lost
    prod: 1 migration to apply
      20251104101300_rollback_loose
        accepted    line 8: drops column customers.nick (10 rows): names go missing
        may fail    line 9: a row whose customers.name is NULL
    error: 20251104101300_rollback_loose failed in prod: column "name" of relation "customers" contains null values [23502]
      --> migrations/20251104101300_rollback_loose/migration.sql:9:1
      |
    9 | ALTER TABLE "customers" ALTER COLUMN "name" SET NOT NULL;
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    prod is as it was: the whole script was rolled back.
    The same bytes succeeded in dev and test: what differs is what stands in prod. Put that right by hand, or in a
    migration stamped before it, whose order is waived where this one ran. An edited script is refused there.
      remedy   tollgate apply prod   # afterwards

    stopped: incident cb0a92dc stays open; what was done stands

      remedy   tollgate emergency 20251102000000_loose --reason 'names go missing'   # goes on there
    "#);
    assert_eq!(shot.exit, 1, "{shot}");
    assert_eq!(
        prod.ask("SELECT count(nick) || ' ' || count(*) FROM customers"),
        "9 10"
    );
    // The same again, and nothing of the steps before.
    assert_eq!(chain.run(&yes).exit, 1);
    let (_, document) = chain.project.json(&command);
    assert_eq!(document["next"], 7, "{document}");
    assert_eq!(chain.run(&["verify", "prod"]).exit, 0);
    prod.run("UPDATE customers SET name = '?' WHERE name IS NULL")
        .unwrap();
    // As the step's own remedy says, and then as the emergency's.
    let shot = chain.run(&["apply", "prod"]);
    assert_eq!(shot.exit, 0, "{shot}");
    let (exit, document) = chain.project.json(&command);
    assert_eq!((exit, &document["end"]), (0, &"done".into()), "{document}");
    assert_eq!(
        prod.ask("SELECT count(*) FROM customers WHERE name IS NOT NULL"),
        "10"
    );
    let log = chain.run(&["log"]).stdout;
    let count = |word: &str| log.lines().filter(|line| line.contains(word)).count();
    assert_eq!(count("  emergency  "), 1, "{log}");
    assert_eq!(count("  failed     prod"), 2, "{log}");
}

/// It fails in test alone, after it ran in dev: an edit has to run in dev again, and the remedy says how.
#[test]
fn what_fails_in_test_is_edited_and_run_again_in_dev() {
    const LOOSE: &str = "20251102000000_loose";
    let chain = Chain::new(&[
        (
            SHOP,
            "CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL);\n",
        ),
        (
            LOOSE,
            "ALTER TABLE customers ALTER COLUMN name DROP NOT NULL;\n",
        ),
    ]);
    assert_eq!(chain.run(&["promote", "prod"]).exit, 0);
    let test = &chain.databases[1];
    test.run("INSERT INTO customers (id) VALUES (1)").unwrap();
    let yes = ["emergency", LOOSE, "--reason", "names go missing", "--yes"];
    let shot = chain.run(&yes);
    assert_eq!(shot.exit, 3, "{shot}");
    let rollback = "20251104101200_rollback_loose";
    let remedy = format!(
        "  remedy    edit migrations/{rollback}/migration.sql, then: tollgate redo {rollback} && tollgate rehearse test {rollback}"
    );
    assert!(shot.to_string().contains(&remedy), "{shot}");
    let script = chain.project.script(rollback);
    let text = std::fs::read_to_string(&script).unwrap();
    let edited = text.replace(
        "ALTER TABLE",
        "DELETE FROM customers WHERE name IS NULL;\nALTER TABLE",
    );
    std::fs::write(&script, edited).unwrap();
    // Whoever forgets the first half is told of it.
    let shot = chain.run(&["plan", "test"]);
    assert!(
        shot.stdout.contains(&format!(
            "remedy    tollgate redo {rollback}   # or take the edit back"
        )),
        "{shot}"
    );
    let shot = chain.run(&yes);
    assert!(
        shot.to_string().contains(&format!(
            "  remedy    tollgate redo {rollback}   # or take the edit back"
        )),
        "{shot}"
    );
    let shot = chain.run(&["redo", rollback]);
    assert_eq!(shot.exit, 0, "{shot}");
    // What it deletes does not come back: its label names it, as the rehearsal says.
    let shot = chain.run(&["rehearse", "test", rollback]);
    assert_eq!(shot.exit, 3, "{shot}");
    assert!(
        shot.stdout
            .contains("the label of its down.sql names it too: public.customers\n"),
        "{shot}"
    );
    let down = script.with_file_name("down.sql");
    let text = std::fs::read_to_string(&down).unwrap();
    std::fs::write(&down, format!("-- tollgate:down lossy: customers\n{text}")).unwrap();
    let shot = chain.run(&["rehearse", "test", rollback]);
    assert_eq!(shot.exit, 0, "{shot}");
    let shot = chain.run(&yes);
    assert_eq!(shot.exit, 0, "{shot}");
}

/// The rollbacks of those that build on it go along, and are named in the end, all of them.
#[test]
fn what_went_along_is_a_step_and_is_named_in_the_end() {
    let mut chain = gone_wrong();
    let report = "20251104000000_report";
    chain.project.write(
        report,
        "CREATE VIEW paid AS SELECT sum(total) AS total FROM orders WHERE currency = 'EUR';\n",
    );
    chain.project.write_down(report, "DROP VIEW paid;\n");
    assert_eq!(chain.run(&["promote", "prod"]).exit, 0);
    chain.project.now += 60_000;
    let shot = chain.run(&["revert", report, PRICES, "--reason", COMMAND[3]]);
    assert_eq!(shot.exit, 0, "{shot}");
    assert_eq!(chain.project.run_typing(&COMMAND, "y\nn\n").exit, 2);
    chain.project.now += 60_000;
    let shot = chain.run(&[&COMMAND[..], &["--yes"]].concat());
    assert_eq!(shot.exit, 0, "{shot}");
    // The places of the steps stand still while it goes on.
    let steps: Vec<&str> = shot
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("step ")?.split(':').next())
        .collect();
    let all: Vec<String> = (3..=10).map(|at| format!("{at} of 10")).collect();
    assert_eq!(steps, all, "{shot}");
    assert!(
        shot.stdout.contains(
            "next     git add migrations/20251104101300_rollback_report migrations/20251104101301_rollback_prices && git commit\n"
        ),
        "{shot}"
    );
}
