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
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 1
    --- stderr
    dev: bound to dev.db
    dev: 3 migrations to apply
      applied   20251027072808_orders  atomic
    error: 20251028000000_bad failed in dev: no such table: ordres [SQLITE_ERROR]
      --> migrations/20251028000000_bad/migration.sql:2:1
      |
    2 | INSERT INTO
      | ^^^^^^^^^^^

    dev is as it was: the whole script was rolled back.
      remedy   edit migrations/20251028000000_bad/migration.sql, then: tollgate apply dev
    "#);
    let rows: i64 = project
        .database("dev")
        .query_row("SELECT count(*) FROM orders", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 0, "the whole script was rolled back");
    // The bytes that failed are told apart from the bytes that are tried next.
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 0
    --- stdout
    ready: dev can take 2 migrations

      20251028000000_bad
        runs        atomic, 2 statements, blake3:814706e61338

      20251029000000_syntax
        runs        atomic, sent whole, blake3:7a500e7b7e23
        note        not analysed: at byte 7: near "TABEL": syntax error

    warning: data-loss: 20251029000000_syntax: what it destroys cannot be read, and it does not say that it may: prod will refuse it
      found     29 bytes that were not analysed
      remedy    edit migrations/20251029000000_syntax/migration.sql: write in its first line: -- tollgate:allow data-loss <reason>

    warning: failed: 20251028000000_bad: the same bytes failed here before, and were rolled back
      found     2025-11-04 10:12 UTC: no such table: ordres
      remedy    tollgate log --migration 20251028000000_bad

      plan fe598cc80efcb8f64d12e32c2577a669a51c42d668849e2f82e1919da8b934ee
      to run it: tollgate apply dev
    "#);
    project.write("20251028000000_bad", "INSERT INTO orders VALUES (1, 10);\n");
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 1
    --- stderr

    warning: data-loss: 20251029000000_syntax: what it destroys cannot be read, and it does not say that it may: prod will refuse it
      found     29 bytes that were not analysed
      remedy    tollgate waive prod data-loss 20251029000000_syntax --reason '<why>'
    dev: 2 migrations to apply
      applied   20251028000000_bad  atomic
    error: 20251029000000_syntax failed in dev: near "TABEL": syntax error
      --> migrations/20251029000000_syntax/migration.sql:1:8
      |
    1 | CREATE TABEL x (id INTEGER);
      |        ^^^^^

    dev is as it was: the whole script was rolled back.
      remedy   edit migrations/20251029000000_syntax/migration.sql, then: tollgate apply dev
    "#);
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration              dev       test      prod
    20251027072808_orders  applied   pending   pending
    20251028000000_bad     applied   pending   pending
    20251029000000_syntax  failed    pending   pending

    test: this ledger knows no target there; tollgate sync test
    prod: this ledger knows no target there; tollgate sync prod

    dev: 1 migration waits, ready
      20251029000000_syntax  0 s  ready
    test: 3 migrations wait, the first 2 ready
      20251027072808_orders  0 s  ready
      20251028000000_bad     0 s  ready
      20251029000000_syntax       promotion: not in dev
    prod: 3 migrations wait
      20251027072808_orders  promotion: not in test
      20251028000000_bad     promotion: not in test
      20251029000000_syntax  promotion: not in dev and test
    "#);
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
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 1
    --- stderr
    dev: bound to dev.db
    dev: 2 migrations to apply
      applied   20251027072808_orders  atomic
    error: 20251028000000_half failed in dev: no such table: ordres [SQLITE_ERROR]
      --> migrations/20251028000000_half/migration.sql:4:1
      |
    4 | INSERT INTO ordres VALUES (2, 20);
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    dev keeps what ran outside a transaction: 3 of 4 statements stand in the target.
    Put right what made it fail, and go on with the same bytes.
      remedy   tollgate resolve dev 20251028000000_half --continue-at 4 --reason '<what you put right>'   # or undo all of it, and --not-applied
    ");
    assert_snapshot!(project.run(&["apply", "dev"]), @r"
    exit 3
    --- stdout
    refused: dev has 1 migration that cannot pass

      20251028000000_half
        failed      it failed half-way and may have left something behind
                    found     failed 2025-11-04 10:12 UTC: no such table: ordres
                              3 of 4 statements stand in the target
                    required  what it left behind undone by hand, or its cause put right; and a person's word for it
                    remedy    tollgate resolve dev 20251028000000_half --continue-at 4 --reason '<what you put right>'   # or undo all of it, and --not-applied
    ");
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 0
    --- stdout
    migration              dev       test      prod
    20251027072808_orders  applied   pending   pending
    20251028000000_half    failed    pending   pending

    test: this ledger knows no target there; tollgate sync test
    prod: this ledger knows no target there; tollgate sync prod

    dev: 1 migration waits
      20251028000000_half  0 s  failed
    test: 2 migrations wait, the first ready
      20251027072808_orders  0 s  ready
      20251028000000_half         promotion: not in dev
    prod: 2 migrations wait
      20251027072808_orders  promotion: not in test
      20251028000000_half    promotion: not in dev and test
    "#);
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
        @r#"
    exit 0
    --- stdout
    dev: 20251028000000_half counts as not applied, and may run again
    "#
    );
    assert_eq!(project.run(&["apply", "dev"]).exit, 0);
    assert_snapshot!(
        project.run(&["resolve", "dev", "20251028000000_half", "--not-applied", "--reason", "again"]),
        @r#"
    exit 2
    --- stderr
    error: dev has no attempt of 20251028000000_half that needs a person

      remedy   tollgate plan dev
    "#
    );
}

#[test]
fn a_project_that_is_not_there_names_init() {
    assert_snapshot!(Project::empty().run(&["status"]), @r#"
    exit 2
    --- stderr
    error: there is no tollgate.toml in [project] or above it

      remedy   tollgate init
    "#);
}

#[test]
fn unknown_words_name_the_nearest_known_one() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    assert_snapshot!(project.run(&["plan", "prd"]), @r#"
    exit 2
    --- stderr
    error: there is no environment prd

      remedy   did you mean prod? The environments of tollgate.toml are dev, test, prod
    "#);
    assert_snapshot!(project.run(&["plan", "dev", "--to", "20251027072809_orders"]), @r#"
    exit 2
    --- stderr
    error: there is no migration 20251027072809_orders

      remedy   did you mean 20251027072808_orders?
    "#);
    assert_snapshot!(project.run(&["aply", "dev"]), @r#"
    exit 2
    --- stderr
    error: unrecognized subcommand 'aply'

      tip: a similar subcommand exists: 'apply'

    Usage: tollgate [OPTIONS] <COMMAND>

    For more information, try '--help'.
    "#);
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
    assert_snapshot!(project.run(&["apply", "prod"]), @r#"
    exit 2
    --- stderr
    error: prod: its url comes from DATABASE_URL_PROD, which is not set, or empty

      remedy   export DATABASE_URL_PROD='postgresql://...', or put it into .env
    "#);
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

/// Somebody wrote a url where it does not belong, or forgot a quote: the line is not shown.
#[test]
fn no_secret_reaches_a_message_about_the_configuration() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    let url = "postgresql://app:hunter2-secret@db.example.org/app";
    for config in [
        format!("[[environment]]\nname = \"dev\"\nurl = \"{url}\n"),
        format!("[[environment]]\nname = \"dev\"\nurl = \"env:{url}\"\n"),
    ] {
        std::fs::write(project.path().join("tollgate.toml"), config).unwrap();
        for arguments in [
            &["status"][..],
            &["apply", "dev"],
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
    assert_snapshot!(project.run(&["plan", "dev"]), @r#"
    exit 4
    --- stderr
    error: the ledger [project]/state/ledger.db is not sound: entry 3 of writer ea21c7b3c885cf2fb547bb51016c8bbb does not hold: its bytes do not have the hash beside them
      it proves nothing from there on, and nothing was written to it

      remedy   mkdir -p [project]/state/ledger.db.unsound && mv [project]/state/ledger.db [project]/state/ledger.db.head [project]/state/ledger.db.unsound/   # then put a backup in its place; without one, receipts are taken in anew
    "#);
    assert_snapshot!(project.run(&["verify"]), @r#"
    exit 4
    --- stdout
    not sound: state/ledger.db: entry 3 of writer ea21c7b3c885cf2fb547bb51016c8bbb does not hold: its bytes do not have the hash beside them
      writer ea21c7b3c885cf2fb547bb51016c8bbb  sound to entry 2
        23d082f48b187d8419e1fc9362242b6affafcf9d4295899d3f7c81f70b428f2c

      remedy   mkdir -p [project]/state/ledger.db.unsound && mv [project]/state/ledger.db [project]/state/ledger.db.head [project]/state/ledger.db.unsound/   # then put a backup in its place; without one, receipts are taken in anew

    a bare chain cannot show that entries after the last were cut off, that a whole writer was
    removed, or that everything was written anew; the receipts in the targets can
    "#);
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
    assert_snapshot!(project.run(&["status"]), @r#"
    exit 4
    --- stderr
    error: the ledger [project]/state/ledger.db is damaged or is no ledger: file is not a database
      it proves nothing from there on, and nothing was written to it

      remedy   mkdir -p [project]/state/ledger.db.unsound && mv [project]/state/ledger.db [project]/state/ledger.db-wal [project]/state/ledger.db-shm [project]/state/ledger.db.head [project]/state/ledger.db.unsound/   # then put a backup in its place; without one, receipts are taken in anew
    "#);
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
    assert_snapshot!(project.run(&["apply", "dev"]), @r#"
    exit 4
    --- stderr
    error: dev: receipt 1 of the target does not hold: its body does not have the hash beside it
      nothing was changed: either the receipts or the ledger were altered

      remedy   tollgate verify   # the one that does not hold is restored from its backup
    "#);
}

/// As in a repository whose evidence nobody has committed yet.
#[test]
fn a_folder_of_entries_that_is_not_there_is_named() {
    let project = Project::with(&[("20251027072808_orders", ORDERS)]);
    assert_snapshot!(project.run(&["sync", "--from-dir", "evidence"]), @r#"
    exit 1
    --- stderr
    error: there is no folder [project]/evidence
      nothing was taken in

      remedy   tollgate log export --to-dir '<folder>'   # where the entries are; then commit it
    "#);
}
