//! What a script may do in a rehearsal, what it may not, and what is told of it.

use std::time::Duration;

use tollgate::model::DataMode;
use tollgate::targets::{
    RehearsalError, RehearsalRequest, RehearsalRun, RehearsalStep, RehearsedScript,
};

use super::{BOUND, EVERYTHING, NOTHING, differences, dump, made, rehearse, rehearse_as};
use crate::Bench as _;
use crate::sqlite::SqliteBench;
use crate::support::{analysed, lock, not_analysed};

#[test]
fn a_script_that_fails_says_in_which_run_and_where() {
    let bench = made(EVERYTHING);
    let before = dump(&bench);
    let failed = |up: &str, down: &str| match rehearse(&bench, up, down) {
        Err(RehearsalError::Failed { step, error, .. }) => (step, *error),
        other => panic!("{down}: {other:?}"),
    };
    let (step, error) = failed(NOTHING, "");
    assert_eq!(step, RehearsalStep::FirstAgain);
    assert_eq!(error.message, "table x already exists");
    let down = "DROP TABLE x;\nDROP TABLE missing";
    let (step, error) = failed(NOTHING, down);
    assert_eq!(
        (step, &*error.message),
        (RehearsalStep::Second, "no such table: missing")
    );
    let down = "DROP TABLE x;\nINSERT INTO plain (a) VALUES ('one')";
    let (step, error) = failed(NOTHING, down);
    assert_eq!(step, RehearsalStep::Second);
    assert_eq!(error.code.as_deref(), Some("SQLITE_CONSTRAINT_PRIMARYKEY"));
    assert_eq!(
        &down[error.at.unwrap()],
        "INSERT INTO plain (a) VALUES ('one')"
    );
    let rolls_back =
        "CREATE TRIGGER no BEFORE INSERT ON log BEGIN SELECT RAISE(ROLLBACK, 'never'); END;
                      INSERT INTO log VALUES (1, 1)";
    let (step, error) = failed(rolls_back, "");
    assert_eq!((step, &*error.message), (RehearsalStep::First, "never"));
    let (step, _) = failed("INSERT OR ROLLBACK INTO plain (a) VALUES ('one')", "");
    assert_eq!(step, RehearsalStep::First);
    // A COMMIT would have found these.
    let late = "PRAGMA defer_foreign_keys = ON; INSERT INTO plain (a, d) VALUES ('q', 'xx')";
    let (step, error) = failed(late, "DELETE FROM plain WHERE a = 'q'");
    assert_eq!(step, RehearsalStep::First);
    assert_eq!(error.code.as_deref(), Some("SQLITE_CONSTRAINT_FOREIGNKEY"));
    let orphans = "PRAGMA foreign_keys = OFF; DROP TABLE x; DELETE FROM country";
    let (step, error) = failed("PRAGMA foreign_keys = OFF; CREATE TABLE x (a)", orphans);
    assert_eq!(step, RehearsalStep::Second);
    assert!(error.message.contains("point nowhere"), "{error:?}");
    let (step, error) = failed("", "DROP TABLE tollgate_journal");
    assert_eq!(step, RehearsalStep::Second);
    assert!(error.message.contains("tollgate's own"), "{error:?}");
    assert_eq!(dump(&bench), before);
}

/// Each script has a connection of its own in earnest: what the first leaves there does not help the second.
#[test]
fn what_one_script_sets_does_not_reach_the_next() {
    let bench = made("CREATE TABLE t (a CHECK (a > 0)); CREATE TABLE u (a)");
    let before = dump(&bench);
    for (up, down) in [
        ("CREATE TEMP TABLE mine (a)", "INSERT INTO mine VALUES (1)"),
        (
            "SAVEPOINT mine; INSERT INTO u VALUES (1)",
            "ROLLBACK TO mine",
        ),
        ("SAVEPOINT mine; INSERT INTO u VALUES (1)", "RELEASE mine"),
        (
            "PRAGMA ignore_check_constraints = ON",
            "INSERT INTO t VALUES (-1)",
        ),
    ] {
        match rehearse(&bench, up, down) {
            Err(RehearsalError::Failed { step, .. }) => assert_eq!(step, RehearsalStep::Second),
            other => panic!("{down}: {other:?}"),
        }
    }
    let run = rehearse(
        &bench,
        "SAVEPOINT a; INSERT INTO u VALUES (1); SAVEPOINT b; INSERT INTO u VALUES (2); ROLLBACK TO b; RELEASE a",
        "DELETE FROM u",
    );
    let states = run.unwrap().states;
    assert_eq!(states[1].data.tables["u"].rows, 1);
    assert_eq!(differences(&states[0], &states[2]), [""; 0]);
    let query_only = rehearse(
        &bench,
        "INSERT INTO u VALUES (1); PRAGMA query_only = ON",
        "DELETE FROM u",
    );
    assert_eq!(query_only.unwrap().states[2].data.tables["u"].rows, 0);
    assert_eq!(dump(&bench), before);
}

#[test]
fn numbers_are_drawn_again_from_the_beginning() {
    for setup in ["", "INSERT INTO counted (v) VALUES ('kept')"] {
        let bench = made(&format!(
            "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, v); {setup}"
        ));
        let before = dump(&bench);
        let up = "CREATE TABLE roles (id INTEGER PRIMARY KEY AUTOINCREMENT, name);
                  INSERT INTO roles (name) VALUES ('admin'), ('user');
                  INSERT INTO counted (v) VALUES ('a'), ('b')";
        let down = "DROP TABLE roles; DELETE FROM counted WHERE v <> 'kept'";
        let run = rehearse(&bench, up, down).unwrap();
        assert_eq!(run.states[0], run.states[2]);
        assert_eq!(run.states[1], run.states[3]);
        assert_eq!(run.first_anew, None);
        assert_eq!(dump(&bench), before);
    }
}

#[test]
fn numbers_that_would_be_given_away_once_more_are_told() {
    let bench = made(
        "CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, v);
         INSERT INTO counted VALUES (3, 'kept'), (100, 'gone'); DELETE FROM counted WHERE id = 100;
         CREATE TABLE full (id INTEGER PRIMARY KEY AUTOINCREMENT); INSERT INTO full VALUES (7)",
    );
    let before = dump(&bench);
    let faults = |up: &str, down: &str| {
        let faults = rehearse(&bench, up, down).unwrap().faults;
        let told = faults
            .iter()
            .map(|fault| format!("{}: {}", fault.subject, fault.what));
        told.collect::<Vec<_>>()
    };
    let rebuilt = "CREATE TABLE n (id INTEGER PRIMARY KEY AUTOINCREMENT, v);
                   INSERT INTO n SELECT id, v FROM counted;
                   DROP TABLE counted; ALTER TABLE n RENAME TO counted;";
    let behind = ["counted: its next number is 4 afterwards, and was 101"];
    assert_eq!(faults(rebuilt, "SELECT 1"), behind);
    assert_eq!(faults("SELECT 1", rebuilt), behind);
    // The rows that stand keep the other one from beginning again.
    assert_eq!(faults("SELECT 1", "DELETE FROM sqlite_sequence"), behind);
    let kept = format!("{rebuilt} UPDATE sqlite_sequence SET seq = 100 WHERE name = 'counted'");
    assert_eq!(faults(&kept, &kept), [""; 0]);
    let ahead = "INSERT INTO counted (v) VALUES ('a')";
    assert_eq!(faults(ahead, "DELETE FROM counted WHERE v = 'a'"), [""; 0]);
    // That the table is gone shows by itself.
    assert_eq!(faults("SELECT 1", "DROP TABLE IF EXISTS counted"), [""; 0]);
    assert_eq!(dump(&bench), before);
}

#[test]
fn what_differs_each_time_is_told_from_what_the_reversal_did() {
    let bench = made("CREATE TABLE t (a, b); INSERT INTO t (a) VALUES (1)");
    let run = rehearse(&bench, "UPDATE t SET b = random()", "UPDATE t SET b = NULL").unwrap();
    assert_eq!(run.states[0], run.states[2]);
    assert_eq!(
        differences(&run.states[1], &run.states[3]),
        ["t.b: other values"]
    );
    let anew = run.first_anew.unwrap();
    assert_eq!(differences(&run.states[1], &anew), ["t.b: other values"]);
    // Here it is the reversal: alone, the first does the same each time.
    let run = rehearse(
        &bench,
        "UPDATE t SET b = 1 WHERE b IS NULL",
        "UPDATE t SET b = 2",
    )
    .unwrap();
    assert_eq!(run.first_anew.as_ref(), Some(&run.states[1]));
    assert_ne!(run.states[1], run.states[3]);
}

#[test]
fn what_cannot_stand_in_one_transaction_is_refused_before_anything_runs() {
    let bench = made(EVERYTHING);
    let before = dump(&bench);
    let unfit = |outcome: Result<RehearsalRun, RehearsalError>, part: &str| match outcome {
        Err(RehearsalError::Unfit { why }) => assert!(why.contains(part), "{why}"),
        other => panic!("{part}: {other:?}"),
    };
    for (script, part) in [
        ("VACUUM", "VACUUM"),
        ("CREATE TABLE x (a); COMMIT", "COMMIT"),
        ("BEGIN; CREATE TABLE x (a); COMMIT", "BEGIN"),
        ("ROLLBACK", "ROLLBACK"),
        ("ATTACH 'other.db' AS other", "ATTACH"),
        ("PRAGMA journal_mode = WAL", "PRAGMA journal_mode"),
        ("CREATE TABEL x (a)", "could not be read"),
    ] {
        unfit(rehearse(&bench, script, ""), part);
        unfit(rehearse(&bench, "CREATE TABLE x (a)", script), part);
    }
    let script = "CREATE TABLE x (a)";
    let nothing = analysed("");
    unfit(
        rehearse_as(
            &bench,
            (script, &not_analysed(script)),
            ("", &nothing),
            BOUND,
        ),
        "could not be read",
    );
    // Read wrongly: SQLite itself refuses it.
    for script in [
        "CREATE TABLE x (a); COMMIT",
        "CREATE TABLE x (a); ROLLBACK",
        "CREATE TABLE x (a); END",
        "CREATE TABLE x (a); ATTACH 'other.db' AS other",
    ] {
        unfit(
            rehearse_as(
                &bench,
                (script, &nothing),
                ("DROP TABLE x", &nothing),
                BOUND,
            ),
            "controls the transaction",
        );
        assert_eq!(dump(&bench), before, "{script}");
    }
}

#[test]
fn a_target_that_is_not_there_is_rehearsed_in_memory() {
    let bench = SqliteBench::new();
    let run = rehearse(&bench, "CREATE TABLE x (a)", "DROP TABLE x").unwrap();
    assert_eq!(differences(&run.states[0], &run.states[1]), ["table x"]);
    assert_eq!(run.states[0], run.states[2]);
    assert_eq!((run.notes.len(), run.locked), (1, Duration::ZERO));
    assert!(!bench.path().exists());
}

#[test]
fn a_virtual_table_of_another_kind_is_named() {
    let bench = made("CREATE VIRTUAL TABLE pages USING dbstat");
    let run = rehearse(&bench, NOTHING, "DROP TABLE x").unwrap();
    assert_eq!(
        run.notes,
        ["what the virtual table pages holds was not looked at"]
    );
}

#[test]
fn only_who_holds_the_lock_rehearses() {
    let bench = made("");
    let nothing = analysed("");
    let script = RehearsedScript {
        script: "",
        analysis: &nothing,
    };
    let request = RehearsalRequest {
        first: script,
        second: script,
        data: DataMode::Counts,
        bound: BOUND,
    };
    let outcome = bench.open().rehearse(&request, &mut |_| {});
    assert!(
        matches!(outcome, Err(RehearsalError::Target(_))),
        "{outcome:?}"
    );
}

#[test]
fn the_data_is_looked_at_as_closely_as_was_asked() {
    let bench = made("CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 1)");
    let mut target = bench.open();
    lock(target.as_mut());
    let nothing = analysed("");
    let script = |script| RehearsedScript {
        script,
        analysis: &nothing,
    };
    let mut told = |down, data| {
        let request = RehearsalRequest {
            first: script(""),
            second: script(down),
            data,
            bound: BOUND,
        };
        let run = target.rehearse(&request, &mut |_| {}).unwrap();
        differences(&run.states[0], &run.states[2])
    };
    let changed = "UPDATE t SET a = 2";
    assert_eq!(told(changed, DataMode::Counts), [""; 0]);
    assert_eq!(told(changed, DataMode::Sample), ["t.a: other values"]);
    let lost = ["t: 1 row before, 0 after"];
    for mode in [DataMode::Counts, DataMode::Sample, DataMode::Full] {
        assert_eq!(told("DELETE FROM t", mode), lost);
    }
}
