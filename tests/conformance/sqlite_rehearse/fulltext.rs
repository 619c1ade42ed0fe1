//! Full-text indexes over the text of another table, or over none that is kept.

use tollgate::targets::{RehearsalError, RehearsalStep};

use super::{differences, dump, made, rehearse};

/// A table whose rows have gaps in their numbers, and an index over it.
fn indexed(module: &str) -> String {
    format!(
        "CREATE TABLE t (id TEXT PRIMARY KEY, a TEXT);
         CREATE VIRTUAL TABLE f USING {module}(a, content=t);
         INSERT INTO t VALUES ('x', 'alpha'), ('y', 'beta'), ('z', 'gamma');
         DELETE FROM t WHERE id = 'y'; INSERT INTO f(f) VALUES ('rebuild');"
    )
}

fn rebuilt(columns: &str, values: &str) -> String {
    format!(
        "CREATE TABLE n (id TEXT PRIMARY KEY, a TEXT{columns}); INSERT INTO n SELECT id, a{values} FROM t;
         DROP TABLE t; ALTER TABLE n RENAME TO t;"
    )
}

const AGAIN: &str = "INSERT INTO f(f) VALUES ('rebuild');";

#[test]
fn an_index_that_does_not_agree_with_its_content_any_more_is_a_failure() {
    for module in ["fts5", "fts4"] {
        let bench = made(&indexed(module));
        let before = dump(&bench);
        let (up, down) = (rebuilt(", b TEXT", ", NULL"), rebuilt("", ""));
        let (with, without) = (format!("{up}{AGAIN}"), format!("{down}{AGAIN}"));
        for (up, down, at) in [
            (&*up, &*down, RehearsalStep::First),
            (&with, "DELETE FROM t", RehearsalStep::Second),
            // Made anew and not filled.
            (
                "DROP TABLE f",
                &format!("CREATE VIRTUAL TABLE f USING {module}(a, content=t)"),
                RehearsalStep::Second,
            ),
        ] {
            match rehearse(&bench, up, down) {
                Err(RehearsalError::Failed { step, error, .. }) => {
                    assert_eq!(step, at, "{module} {up}");
                    assert_eq!(
                        error.message,
                        "the full-text index f does not agree with its content t any more"
                    );
                }
                other => panic!("{module} {up}: {other:?}"),
            }
        }
        let run = rehearse(&bench, &with, &without).unwrap();
        assert_eq!(differences(&run.states[0], &run.states[2]), [""; 0]);
        assert_eq!(run.first_anew, None);
        assert_eq!(dump(&bench), before);
    }
    let emptied = "INSERT INTO f(f) VALUES ('delete-all')";
    match rehearse(&made(&indexed("fts5")), emptied, "SELECT 1") {
        Err(RehearsalError::Failed { step, .. }) => assert_eq!(step, RehearsalStep::First),
        other => panic!("{other:?}"),
    }
}

/// Nobody can tell what such an index lacks; it must come back as it was.
#[test]
fn an_index_that_never_agreed_is_compared_as_it_is() {
    let bench = made(&format!(
        "{} INSERT INTO t VALUES ('q', 'delta')",
        indexed("fts5")
    ));
    let run = rehearse(&bench, "INSERT INTO f(f) VALUES ('delete-all')", "SELECT 1").unwrap();
    assert_eq!(
        differences(&run.states[0], &run.states[2]),
        ["f.full-text index: other values"]
    );
    let run = rehearse(&bench, "CREATE TABLE x (a)", "DROP TABLE x").unwrap();
    assert_eq!(run.states[0], run.states[2]);
}

#[test]
fn an_index_without_content_is_compared_by_what_it_holds() {
    for (module, key) in [("fts5", "rowid"), ("fts4", "docid")] {
        let bench = made(&format!(
            "CREATE VIRTUAL TABLE f USING {module}(a, content='');
             INSERT INTO f ({key}, a) VALUES (7, 'alpha beta')"
        ));
        let other = format!("INSERT INTO f ({key}, a) VALUES (8, 'gamma')");
        let run = rehearse(&bench, &other, "SELECT 1").unwrap();
        let told = differences(&run.states[0], &run.states[2]);
        assert!(
            told.contains(&"f.full-text index: other values".to_owned())
                || told == ["f: 1 row before, 2 after"],
            "{told:?}"
        );
        let run = rehearse(&bench, "CREATE TABLE x (a)", "DROP TABLE x").unwrap();
        assert_eq!(run.states[0], run.states[2]);
    }
    let bench = made(
        "CREATE VIRTUAL TABLE f USING fts5(a, content=''); INSERT INTO f (rowid, a) VALUES (7, 'alpha beta')",
    );
    let run = rehearse(
        &bench,
        "INSERT INTO f(f) VALUES ('delete-all'); INSERT INTO f (rowid, a) VALUES (7, 'gamma')",
        "SELECT 1",
    )
    .unwrap();
    assert_eq!(
        differences(&run.states[0], &run.states[2]),
        ["f.full-text index: other values"]
    );
}
