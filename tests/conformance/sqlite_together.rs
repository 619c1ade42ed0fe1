//! Several scripts that share a transaction on SQLite: nobody can tell that they did, but for the time.

use tollgate::model::Receipt;
use tollgate::model::entry::Engine;
use tollgate::sql::analyse;
use tollgate::targets::{ApplyError, Attempt, Heard, ScriptError, Target};

use crate::sqlite::SqliteBench;
use crate::support::{Bench, ready, receipt, recorded, sound};

/// Sends scripts in one go, named by their places; returns of how many a receipt was told, and how it ended.
fn send(target: &mut dyn Target, scripts: &[&str]) -> (usize, Result<(), ApplyError>) {
    let survey = sound(target);
    let read: Vec<_> = scripts
        .iter()
        .map(|script| (script, analyse(Engine::Sqlite, script)))
        .collect();
    let mut receipts: Vec<Receipt> = Vec::new();
    for (place, (script, analysis)) in read.iter().enumerate() {
        let mut receipt = receipt(&survey, &format!("{place}"), script, analysis);
        if let Some(before) = receipts.last() {
            receipt.seq = before.seq + 1;
            receipt.prev = Some(Receipt::hash_of(&before.to_body().unwrap()));
        }
        receipts.push(receipt);
    }
    let attempts: Vec<Attempt<'_>> = read
        .iter()
        .zip(&receipts)
        .map(|((script, analysis), receipt)| Attempt {
            script,
            analysis,
            done: 0,
            receipt,
            row: None,
        })
        .collect();
    let mut heard = 0;
    let ended = target.apply_all(&attempts, &mut |told| {
        if let Heard::Applied(applied) = told {
            assert_eq!(applied.receipt.seq, receipts[heard].seq);
            heard += 1;
        }
    });
    (heard, ended)
}

#[track_caller]
fn fails(target: &mut dyn Target, scripts: &[&str]) -> (usize, ScriptError) {
    match send(target, scripts) {
        (heard, Err(ApplyError::Failed { error, left: None })) => (heard, *error),
        other => panic!("{other:?}"),
    }
}

fn may_queue(target: &mut dyn Target, script: &str) -> bool {
    target.may_queue(script, &analyse(Engine::Sqlite, script))
}

#[test]
fn each_leaves_its_receipt_and_the_tables_are_counted_with_the_last() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    let scripts = [
        "CREATE TABLE a (id INTEGER PRIMARY KEY);",
        "-- nothing",
        "INSERT INTO a VALUES (1), (2); CREATE INDEX a_id ON a (id);",
        "CREATE TABLE b (id INTEGER PRIMARY KEY REFERENCES a (id)); INSERT INTO b VALUES (2);",
    ];
    assert!(
        scripts
            .iter()
            .all(|script| may_queue(target.as_mut(), script))
    );
    let (heard, ended) = send(target.as_mut(), &scripts);
    ended.unwrap();
    assert_eq!(heard, scripts.len());
    assert_eq!(recorded(target.as_mut()), ["0", "1", "2", "3"]);
    assert_eq!(bench.ask("SELECT count(*) FROM a JOIN b USING (id)"), 1);
    assert_eq!(
        bench.ask("SELECT tables FROM tollgate_standing JOIN tollgate_receipt USING (attempt) ORDER BY seq DESC LIMIT 1"),
        2
    );
}

/// As each would have failed alone, with the place of what is wrong.
#[test]
fn one_that_fails_leaves_those_before_it_and_none_behind_it() {
    for (wrong, says) in [
        (
            "INSERT INTO a VALUES (7);\nSELECT * FROM nowhere;",
            "no such table: nowhere",
        ),
        (
            "INSERT INTO a VALUES (7); INSERT INTO a VALUES (1);",
            "UNIQUE constraint failed: a.id",
        ),
        (
            "INSERT OR ROLLBACK INTO a VALUES (7), (1);",
            "UNIQUE constraint failed: a.id",
        ),
        ("INSERT INTO a VALUES (99);", "no"),
        ("INSERT INTO b VALUES (9);", "FOREIGN KEY constraint failed"),
    ] {
        let bench = SqliteBench::new();
        let mut target = ready(&bench);
        let (heard, error) = fails(
            target.as_mut(),
            &[
                "CREATE TABLE a (id INTEGER PRIMARY KEY); INSERT INTO a VALUES (1);",
                "CREATE TABLE b (id INTEGER REFERENCES a (id));",
                "CREATE TRIGGER never BEFORE INSERT ON a WHEN NEW.id = 99 BEGIN SELECT RAISE(ROLLBACK, 'no'); END;",
                wrong,
                "CREATE TABLE behind (id INTEGER);",
            ],
        );
        assert_eq!(heard, 3, "{wrong}");
        assert_eq!(error.message, says, "{wrong}");
        assert!(error.at.is_some(), "{wrong}");
        assert_eq!(recorded(target.as_mut()), ["0", "1", "2"], "{wrong}");
        assert_eq!(bench.ask("SELECT count(*) FROM a"), 1, "{wrong}");
        assert!(!bench.has_table("behind"), "{wrong}");
        // It is as usable as after one that failed alone.
        send(
            target.as_mut(),
            &["CREATE TABLE behind (id INTEGER);", "-- x"],
        )
        .1
        .unwrap();
    }
}

/// A violation that waits for the COMMIT is the script's that made it, also where the next one mends it.
#[test]
fn what_waits_for_the_commit_does_not_wait_for_the_next_script() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    let tables = "CREATE TABLE a (id INTEGER PRIMARY KEY); \
                  CREATE TABLE b (a INTEGER REFERENCES a (id) DEFERRABLE INITIALLY DEFERRED);";
    assert!(!may_queue(target.as_mut(), tables));
    bench.run(tables).unwrap();
    let (heard, error) = fails(
        target.as_mut(),
        &[
            "CREATE TABLE c (id INTEGER);",
            "INSERT INTO b VALUES (5);",
            "INSERT INTO a VALUES (5);",
        ],
    );
    assert_eq!(
        (heard, error.message.as_str()),
        (1, "FOREIGN KEY constraint failed")
    );
    assert_eq!(recorded(target.as_mut()), ["0"]);
    assert_eq!(bench.ask("SELECT count(*) FROM a"), 0);
}

/// A trigger that sets `updated_at` by an UPDATE of its own table calls itself where tollgate's own settings
/// are on.
#[test]
fn settings_of_tollgates_own_reach_no_script() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    let touch = "CREATE TABLE t (id INTEGER, n INTEGER DEFAULT 0); \
                 CREATE TRIGGER touch AFTER UPDATE ON t BEGIN UPDATE t SET n = n + 1; END; INSERT INTO t (id) VALUES (1);";
    for turn in 1..=2 {
        let first = if turn == 1 { touch } else { "-- x" };
        let [second, third] = [1, 2].map(|place| format!("UPDATE t SET id = {turn}{place};"));
        let scripts = [first, &second, &third];
        send(target.as_mut(), &scripts).1.unwrap();
        assert_eq!(bench.ask("SELECT n FROM t"), 2 * turn);
    }
}

#[test]
fn what_could_tell_the_difference_runs_alone() {
    let bench = SqliteBench::new();
    let mut target = ready(&bench);
    for script in [
        "PRAGMA user_version = 7;",
        "CREATE TEMP TABLE t (id INTEGER);",
        "CREATE TABLE temp.t (id INTEGER);",
        "INSERT INTO t VALUES (last_insert_rowid());",
        "INSERT INTO t SELECT Changes();",
        "INSERT INTO t SELECT count(*) FROM tollgate_receipt;",
        "UPDATE _prisma_migrations SET logs = '';",
        "CREATE TABLE b (a REFERENCES a DEFERRABLE INITIALLY DEFERRED);",
        "SAVEPOINT s; RELEASE s;",
        "BEGIN; COMMIT;",
        "VACUUM;",
        "ATTACH 'x.db' AS x;",
        "PRAGMA foreign_keys = OFF;",
        "this is no SQL;",
    ] {
        assert!(!may_queue(target.as_mut(), script), "{script}");
    }
    assert!(may_queue(target.as_mut(), "CREATE TABLE a (id INTEGER);"));
}
