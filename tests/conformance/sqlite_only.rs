//! What only SQLite does.

use std::time::Duration;

use tollgate::model::ReceiptKind;
use tollgate::model::entry::Progress;
use tollgate::targets::{TargetErrorKind, sqlite};

use crate::sqlite::SqliteBench;
use crate::support::{
    Bench, analysed, apply, apply_as, apply_blind, failed, ready, recorded, sound,
};

const FAMILY: &str = "CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE child (id INTEGER PRIMARY KEY,
    parent INTEGER NOT NULL REFERENCES parent (id) ON DELETE CASCADE);
INSERT INTO parent VALUES (1, 'a'), (2, 'b');
INSERT INTO child VALUES (10, 1), (11, 2), (12, 2);";

/// As Prisma writes it.
const REBUILD: &str = r#"-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_parent" ("id" INTEGER NOT NULL PRIMARY KEY, "name" TEXT NOT NULL DEFAULT '');
INSERT INTO "new_parent" ("id", "name") SELECT "id", "name" FROM "parent";
DROP TABLE "parent";
ALTER TABLE "new_parent" RENAME TO "parent";
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;
"#;

#[test]
fn a_rebuild_without_foreign_keys_keeps_the_children() {
    for blind in [false, true] {
        let bench = SqliteBench::new();
        let mut target = ready(&bench);
        apply(target.as_mut(), "1_family", FAMILY).unwrap();
        let applied = if blind {
            apply_blind(target.as_mut(), "2_rebuild", REBUILD)
        } else {
            apply(target.as_mut(), "2_rebuild", REBUILD)
        };
        assert_eq!(applied.unwrap().kind, ReceiptKind::Atomic);
        assert_eq!(bench.ask("SELECT count(*) FROM child"), 3, "blind: {blind}");
        assert_eq!(bench.ask("SELECT count(*) FROM parent"), 2);
        // Foreign keys are back: the cascade works for the next migration.
        apply(
            target.as_mut(),
            "3_delete",
            "DELETE FROM parent WHERE id = 2",
        )
        .unwrap();
        assert_eq!(bench.ask("SELECT count(*) FROM child"), 1);
    }
}

#[test]
fn rows_that_point_nowhere_fail_the_script() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    apply(target.as_mut(), "1_family", FAMILY).unwrap();
    let script =
        "PRAGMA foreign_keys=OFF; DELETE FROM parent WHERE id = 2; PRAGMA foreign_keys=ON;";
    for outcome in [
        apply(target.as_mut(), "2_orphans", script),
        apply_blind(target.as_mut(), "2_orphans", script),
    ] {
        let (error, left) = failed(outcome);
        assert_eq!(left, None);
        assert_eq!(error.code.as_deref(), Some("SQLITE_CONSTRAINT_FOREIGNKEY"));
        assert_eq!(
            error.message,
            "the script leaves rows that point nowhere: row 11 of child has no row in parent, and 1 more"
        );
    }
    assert_eq!(bench.ask("SELECT count(*) FROM parent"), 2);
}

/// Written to by hand, sqlite_schema loses tables without an error, tollgate's own among them.
#[test]
fn nobody_writes_to_the_schema_itself() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    apply(target.as_mut(), "1_family", FAMILY).unwrap();
    let script =
        "PRAGMA writable_schema=ON; DELETE FROM sqlite_schema WHERE name LIKE 'tollgate%';";
    let (error, left) = failed(apply(target.as_mut(), "2_schema", script));
    assert_eq!(left, None);
    assert!(error.message.contains("may not be modified"), "{error:?}");
    assert_eq!(recorded(target.as_mut()), ["1_family"]);
}

#[test]
fn a_database_that_was_not_clean_may_stay_so() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    apply(target.as_mut(), "1_family", FAMILY).unwrap();
    bench
        .run("PRAGMA foreign_keys=OFF; DELETE FROM parent WHERE id = 2")
        .unwrap();
    apply(target.as_mut(), "2_rebuild", REBUILD).unwrap();
    let worse = "PRAGMA foreign_keys=OFF; INSERT INTO child VALUES (13, 77);";
    failed(apply(target.as_mut(), "3_worse", worse));
    assert_eq!(bench.ask("SELECT count(*) FROM child"), 3);
}

#[test]
fn a_deferred_violation_at_commit_fails_the_script() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    apply(target.as_mut(), "1_family", FAMILY).unwrap();
    let script = "PRAGMA defer_foreign_keys=ON; INSERT INTO child VALUES (13, 77);";
    let (error, left) = failed(apply(target.as_mut(), "2_late", script));
    assert_eq!(left, None);
    assert_eq!(error.code.as_deref(), Some("SQLITE_CONSTRAINT_FOREIGNKEY"));
    assert_eq!(bench.ask("SELECT count(*) FROM child"), 3);
}

#[test]
fn a_dump_with_its_own_transaction_runs_unread() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    let dump = "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE one (id);\n\
                INSERT INTO one VALUES (1);\nCOMMIT;\n";
    let applied = apply_blind(target.as_mut(), "1_dump", dump).unwrap();
    assert_eq!(applied.kind, ReceiptKind::Journalled);
    assert_eq!(bench.ask("SELECT count(*) FROM one"), 1);

    let broken = "BEGIN;\nCREATE TABLE two (id);\nINSERT INTO missing VALUES (1);\nCOMMIT;\n";
    let (_, left) = failed(apply_blind(target.as_mut(), "2_dump", broken));
    assert_eq!(left, None, "nothing was committed");
    let survey = sound(target.as_mut());
    assert!(!survey.journals[1].in_flight(), "and the journal says so");
}

#[test]
fn a_wrong_analysis_never_makes_an_atomic_receipt() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    for (name, script) in [
        ("1_commit", "CREATE TABLE one (id); COMMIT;"),
        ("2_begin", "BEGIN; CREATE TABLE two (id); COMMIT;"),
        ("3_both", "COMMIT; BEGIN; CREATE TABLE three (id); COMMIT;"),
    ] {
        let wrong = tollgate::sql::Analysis::Analysed(Vec::new());
        let (outcome, _) = apply_as(target.as_mut(), name, script, &wrong);
        assert_eq!(outcome.unwrap().kind, ReceiptKind::Journalled, "{name}");
    }
    assert_eq!(sound(target.as_mut()).receipts.len(), 3);
}

#[test]
fn a_trigger_that_updates_its_own_table_does_not_call_itself() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    bench
        .run(
            "CREATE TABLE one (id INTEGER PRIMARY KEY, n INTEGER DEFAULT 0);
             CREATE TRIGGER touch AFTER UPDATE ON one
             BEGIN UPDATE one SET n = n + 1 WHERE id = NEW.id; END;
             INSERT INTO one (id) VALUES (1);",
        )
        .unwrap();
    apply(target.as_mut(), "1_touch", "UPDATE one SET n = 10").unwrap();
    assert_eq!(bench.ask("SELECT n FROM one"), 11);
}

#[test]
fn a_trigger_that_swallows_the_receipt_fails_the_script() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    let script = "CREATE TABLE one (id);
        CREATE TEMP TRIGGER t BEFORE INSERT ON main.tollgate_receipt BEGIN SELECT raise(IGNORE); END;";
    let (error, left) = failed(apply_blind(target.as_mut(), "1_sly", script));
    assert_eq!(left, None);
    assert!(error.message.contains("receipt"), "{}", error.message);
    assert!(!bench.has_table("one"));
}

#[test]
fn or_replace_does_not_get_past_the_guards() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    apply(target.as_mut(), "1_one", "CREATE TABLE one (id)").unwrap();
    apply(target.as_mut(), "2_two", "CREATE TABLE two (id)").unwrap();
    for (seq, prev, hash, attempt) in [
        ("1", "NULL", "'x'", "'x'"),
        ("3", "1", "'x'", "'x'"),
        ("3", "2", "hash", "'x'"),
        ("3", "2", "'x'", "attempt"),
    ] {
        let sql = format!(
            "INSERT OR REPLACE INTO tollgate_receipt (seq, prev, hash, migration, attempt, kind, body)
             SELECT {seq}, {prev}, {hash}, migration, {attempt}, kind, body FROM tollgate_receipt WHERE seq = 1"
        );
        let error = bench.run(&sql).unwrap_err();
        assert!(error.contains("tollgate: "), "{error}");
    }
    let journal = "INSERT INTO tollgate_journal (id, attempt, migration, what, step, \"of\")
                   VALUES (1, 'a', 'm', 'begun', 0, 1)";
    bench.run(journal).unwrap();
    assert!(
        bench
            .run(&journal.replace("INSERT", "INSERT OR REPLACE"))
            .is_err()
    );
    assert!(bench.run("DELETE FROM tollgate_journal").is_err());
    bench
        .run("DELETE FROM tollgate_journal WHERE id = 9")
        .unwrap();
    drop(target);
    assert_eq!(bench.ask("SELECT count(*) FROM tollgate_receipt"), 2);
}

#[test]
fn a_journal_mode_of_the_script_stays_in_the_file() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    let script = "PRAGMA journal_mode = WAL; CREATE TABLE one (id);";
    let applied = apply(target.as_mut(), "1_wal", script).unwrap();
    assert_eq!(applied.kind, ReceiptKind::Journalled);
    apply(target.as_mut(), "2_next", "CREATE TABLE two (id)").unwrap();
    assert_eq!(recorded(target.as_mut()), ["1_wal", "2_next"]);
    let mode: String = bench
        .connect()
        .query_row("PRAGMA journal_mode", [], |row| row.get(0))
        .unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn attached_files_and_exclusive_locks_do_not_leak() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    let script = "ATTACH ':memory:' AS other; PRAGMA locking_mode = EXCLUSIVE; CREATE TABLE other.one (id); CREATE TABLE here (id);";
    apply(target.as_mut(), "1_attach", script).unwrap();
    let (error, _) = failed(apply(
        target.as_mut(),
        "2_uses",
        "INSERT INTO other.one VALUES (1)",
    ));
    assert!(error.message.contains("other.one"), "{}", error.message);
}

#[test]
fn another_program_that_writes_is_a_clear_failure() {
    let bench = SqliteBench::new();
    drop(ready(&bench));
    let mut target = sqlite::open(&bench.path())
        .unwrap()
        .with_busy_timeout(Duration::ZERO);
    crate::support::lock(&mut target);
    let other = bench.connect();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (error, left) = failed(apply(&mut target, "1_one", "CREATE TABLE one (id)"));
    assert_eq!(left, None);
    assert_eq!(error.code.as_deref(), Some("SQLITE_BUSY"));
    assert!(
        error.message.contains("locked by another program"),
        "{}",
        error.message
    );
    other.execute_batch("ROLLBACK").unwrap();
    apply(&mut target, "1_one", "CREATE TABLE one (id)").unwrap();
}

/// In rollback mode a reader holds off the COMMIT; the migration is rolled back, verified.
#[test]
fn a_reader_that_holds_off_the_commit_is_a_clear_failure() {
    let bench = SqliteBench::new();
    drop(ready(&bench));
    let mut target = sqlite::open(&bench.path())
        .unwrap()
        .with_busy_timeout(Duration::ZERO);
    crate::support::lock(&mut target);
    let other = bench.connect();
    other
        .execute_batch("BEGIN; SELECT * FROM tollgate_identity;")
        .unwrap();
    let (error, left) = failed(apply(&mut target, "1_one", "CREATE TABLE one (id)"));
    assert_eq!((left, error.code.as_deref()), (None, Some("SQLITE_BUSY")));
    other.execute_batch("ROLLBACK").unwrap();
    assert!(!bench.has_table("one"));
    apply(&mut target, "1_one", "CREATE TABLE one (id)").unwrap();
}

#[test]
fn a_full_disk_is_a_clear_failure_and_leaves_nothing() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    let script = "CREATE TABLE one (id); PRAGMA max_page_count = 1; INSERT INTO one VALUES (zeroblob(1000000));";
    let (error, left) = failed(apply(target.as_mut(), "1_big", script));
    assert_eq!((left, error.code.as_deref()), (None, Some("SQLITE_FULL")));
    assert!(!bench.has_table("one"));
}

#[test]
fn or_fail_keeps_a_part_and_says_so() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    bench
        .run("CREATE TABLE one (id INTEGER PRIMARY KEY)")
        .unwrap();
    let script = "ROLLBACK; INSERT OR FAIL INTO one VALUES (1), (2), (1);";
    let (_, left) = failed(apply_blind(target.as_mut(), "1_fail", script));
    assert_eq!(left, Some(Progress { done: 0, of: 1 }));
    let script = "BEGIN; COMMIT; INSERT OR FAIL INTO one VALUES (3), (4), (3);";
    let (_, left) = failed(apply(target.as_mut(), "2_fail", script));
    assert_eq!(left, Some(Progress { done: 2, of: 3 }));
    assert_eq!(bench.ask("SELECT count(*) FROM one"), 2);
}

#[test]
fn surveying_a_missing_file_creates_nothing() {
    let bench = SqliteBench::new();
    bench.open().survey().unwrap();
    assert!(!bench.path().parent().unwrap().exists());
    // Nor does the lock create the database.
    let mut target = bench.open();
    crate::support::lock(target.as_mut());
    target.survey().unwrap();
    assert!(!bench.path().exists());
}

#[test]
fn what_is_no_database_is_said_clearly() {
    let bench = SqliteBench::new();
    std::fs::create_dir_all(bench.path().parent().unwrap()).unwrap();
    std::fs::write(bench.path(), "not a database at all, ".repeat(100)).unwrap();
    let error = bench.open().survey().unwrap_err();
    assert_eq!(
        error.fact,
        format!("{} is not a SQLite database", bench.path().display())
    );

    std::fs::write(bench.path(), "").unwrap();
    assert_eq!(bench.open().survey().unwrap().recorded, None);

    let error = sqlite::open(bench.path().parent().unwrap()).unwrap_err();
    assert_eq!(error.kind, TargetErrorKind::Configuration);
}

#[test]
fn a_damaged_database_is_said_clearly() {
    let bench = SqliteBench::new();
    drop(ready(&bench));
    let mut bytes = std::fs::read(bench.path()).unwrap();
    bytes[100..].fill(0xAA);
    std::fs::write(bench.path(), bytes).unwrap();
    let error = bench.open().survey().unwrap_err();
    assert!(error.fact.contains("is damaged"), "{error}");
    assert!(error.remedy.is_some());
}

#[test]
fn without_the_lock_nothing_is_changed() {
    let bench = SqliteBench::new();
    drop(ready(&bench));
    let mut target = bench.open();
    failed(apply(target.as_mut(), "1_one", "CREATE TABLE one (id)"));
    assert!(!bench.has_table("one"));
}

#[test]
fn a_lock_file_that_was_deleted_no_longer_counts() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    let lock = bench.path().with_file_name("dev.db.tollgate-lock");
    std::fs::remove_file(&lock).unwrap();
    let (error, left) = failed(apply(target.as_mut(), "1_one", "CREATE TABLE one (id)"));
    assert_eq!(left, None);
    assert!(error.message.contains("lock file"), "{}", error.message);
    assert!(!bench.has_table("one"));
}

/// SQLite tells no place for some errors of preparing a statement.
#[test]
fn an_error_without_an_offset_points_at_its_statement() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    let script = "CREATE TABLE one (id);\nCREATE TABLE two (id) FROBNICATE;";
    let guilty = "CREATE TABLE two (id) FROBNICATE";
    let (error, _) = failed(apply(target.as_mut(), "1_bad", script));
    let start = script.find(guilty).unwrap();
    assert_eq!(error.at, Some(start..start + guilty.len()));
}

/// The cases stand on this.
#[test]
fn the_splitter_of_these_cases_finds_the_statements() {
    let script = "CREATE TABLE one (id);\n  VACUUM ; COMMIT";
    let found: Vec<&str> = analysed(script)
        .statements()
        .unwrap()
        .iter()
        .map(|statement| &script[statement.range.clone()])
        .collect();
    assert_eq!(found, ["CREATE TABLE one (id)", "VACUUM", "COMMIT"]);
}

/// How many rows a statement changed stays what the next one reads, whatever is written between.
#[test]
fn a_journalled_script_may_ask_how_many_rows_it_changed() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    let script = "CREATE TABLE many (id); CREATE TABLE seen (n);\nINSERT INTO many VALUES (1), (2), (3);\nINSERT INTO seen VALUES (changes());\nVACUUM;\nPRAGMA query_only = ON;";
    let applied = apply(target.as_mut(), "1_one", script).unwrap();
    assert_eq!(applied.kind, ReceiptKind::Journalled);
    assert_eq!(bench.ask("SELECT n FROM seen"), 3);
}
