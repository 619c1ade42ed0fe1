//! Errors are part of the product: the fact, the consequence, one remedy.

use insta::assert_snapshot;

use crate::project::Project;

const ORDERS: &str = "CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER NOT NULL);\n";

#[test]
fn a_failing_script_shows_the_place_and_the_state_of_the_target() {
    let project = Project::with(&[
        ("20251027072808_orders", ORDERS),
        (
            "20251028000000_bad",
            "INSERT INTO orders VALUES (1, 10);\nINSERT INTO\n  ordres VALUES (2, 20);\n",
        ),
        ("20251029000000_syntax", "CREATE TABEL x (id INTEGER);\n"),
    ]);
    assert_snapshot!(project.run(&["apply", "dev"]), @"");
    let rows: i64 = project
        .database("dev")
        .query_row("SELECT count(*) FROM orders", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 0, "the whole script was rolled back");
    // The bytes that failed are told apart from the bytes that are tried next.
    assert_snapshot!(project.run(&["plan", "dev"]), @"");
    project.write("20251028000000_bad", "INSERT INTO orders VALUES (1, 10);\n");
    assert_snapshot!(project.run(&["apply", "dev"]), @"");
    assert_snapshot!(project.run(&["status"]), @"");
}

#[test]
fn a_script_that_failed_half_way_needs_a_person() {
    let project = Project::with(&[
        ("20251027072808_orders", ORDERS),
        (
            "20251028000000_half",
            "BEGIN;\nINSERT INTO orders VALUES (1, 10);\nCOMMIT;\nINSERT INTO ordres VALUES (2, 20);\n",
        ),
    ]);
    assert_snapshot!(project.run(&["apply", "dev"]), @"");
    assert_snapshot!(project.run(&["apply", "dev"]), @"");
    assert_snapshot!(project.run(&["status"]), @"");
    project
        .database("dev")
        .execute_batch("DELETE FROM orders")
        .unwrap();
    project.write(
        "20251028000000_half",
        "INSERT INTO orders VALUES (1, 10);\n",
    );
    assert_snapshot!(
        project.run(&["resolve", "dev", "20251028000000_half", "--not-applied", "--reason", "deleted the row"]),
        @""
    );
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(
        project.run(&["resolve", "dev", "20251028000000_half", "--not-applied", "--reason", "again"]),
        @""
    );
}

#[test]
fn a_project_that_is_not_there_names_init() {
    assert_snapshot!(Project::empty().run(&["status"]), @"");
}

#[test]
fn unknown_words_name_the_nearest_known_one() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    assert_snapshot!(project.run(&["plan", "prd"]), @"");
    assert_snapshot!(project.run(&["plan", "dev", "--to", "20251027072809_orders"]), @"");
    assert_snapshot!(project.run(&["aply", "dev"]), @"");
}

#[test]
fn a_url_that_is_not_set_fails_only_the_verbs_that_touch_its_target() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    let config = project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        &config,
        text.replace("sqlite:state/prod.db", "env:DATABASE_URL_PROD"),
    )
    .unwrap();
    assert_eq!(project.run(&["promote", "test"]).exit, 0);
    assert_eq!(project.run(&["plan", "prod"]).exit, 0);
    assert_snapshot!(project.run(&["apply", "prod"]), @"");
    std::fs::write(
        project.path().join(".env"),
        "DATABASE_URL_PROD=sqlite:state/elsewhere.db\n",
    )
    .unwrap();
    assert_eq!(project.run(&["apply", "prod"]).exit, 0);
    assert!(project.path().join("state/elsewhere.db").exists());
}

#[test]
fn no_secret_reaches_an_output() {
    let mut project = Project::with(&[("20251027072808_orders", ORDERS)]);
    let config = project.path().join("tollgate.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(
        &config,
        text.replace("sqlite:state/dev.db", "env:DATABASE_URL_DEV"),
    )
    .unwrap();
    for url in [
        "postgresql://app:hunter2-secret@127.0.0.1:1/app",
        "postgresql://app:hunter2-secret@127.0.0.1:1/app?sslmod=disable",
        "postgresql://app:hunter2-secret@[::1/app",
        "mysql://app:hunter2-secret@127.0.0.1/app",
    ] {
        project
            .variables
            .insert("DATABASE_URL_DEV".to_owned(), url.to_owned());
        for arguments in [
            &["apply", "dev"][..],
            &["status"],
            &["plan", "dev"],
            &["log"],
            &["apply", "dev", "--format", "json"],
        ] {
            let shot = project.run(arguments).to_string();
            assert!(!shot.contains("hunter2"), "{shot}");
        }
    }
}

#[test]
fn a_ledger_that_must_not_be_trusted_is_named_and_kept() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    project.run(&["apply", "dev"]);
    let ledger = project.path().join("state/ledger.db");
    let connection = rusqlite::Connection::open(&ledger).unwrap();
    connection
        .execute_batch("DROP TRIGGER entry_is_append_only_update; UPDATE entry SET body = replace(body, 'alice', 'bobby') WHERE number = 3; PRAGMA wal_checkpoint(TRUNCATE);")
        .unwrap();
    drop(connection);
    let before = std::fs::read(&ledger).unwrap();
    assert_snapshot!(project.run(&["plan", "dev"]), @"");
    assert_snapshot!(project.run(&["verify"]), @"");
    assert_eq!(project.run(&["apply", "test"]).exit, 4);
    assert_eq!(
        std::fs::read(&ledger).unwrap(),
        before,
        "nothing was written over"
    );
    std::fs::write(
        &ledger,
        "no database at all, only text that is long enough to be looked at ....",
    )
    .unwrap();
    assert_snapshot!(project.run(&["status"]), @"");
}

#[test]
fn a_receipt_that_the_ledger_excludes_is_a_contradiction() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    project.run(&["apply", "dev"]);
    project
        .database("dev")
        .execute_batch(
            "DROP TRIGGER IF EXISTS tollgate_receipt_no_update;
             UPDATE tollgate_receipt SET body = replace(body, 'alice', 'bobby');",
        )
        .unwrap_or_else(|error| panic!("the guard has another name now: {error}"));
    assert_snapshot!(project.run(&["apply", "dev"]), @"");
}
