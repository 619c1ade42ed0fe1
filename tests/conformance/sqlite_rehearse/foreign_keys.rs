//! Rebuilding tables that others refer to.

use tollgate::targets::RehearsalError;

use super::{differences, dump, made, rehearse};

const FAMILY: &str = "CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parent (id) ON DELETE CASCADE);
INSERT INTO parent VALUES (1, 'a'), (2, 'b'); INSERT INTO child VALUES (10, 1), (11, 2), (12, 2);";

fn rebuild(column: &str) -> String {
    format!(
        "PRAGMA defer_foreign_keys=ON; PRAGMA foreign_keys=OFF;
         CREATE TABLE \"new_parent\" (\"id\" INTEGER PRIMARY KEY, \"name\" TEXT{column});
         INSERT INTO \"new_parent\" (\"id\", \"name\") SELECT \"id\", \"name\" FROM \"parent\";
         DROP TABLE \"parent\"; ALTER TABLE \"new_parent\" RENAME TO \"parent\";
         PRAGMA foreign_keys=ON; PRAGMA defer_foreign_keys=OFF;"
    )
}

#[test]
fn a_rebuild_keeps_the_children_that_would_go_with_their_parents() {
    let bench = made(FAMILY);
    let before = dump(&bench);
    let run = rehearse(&bench, &rebuild(" NOT NULL DEFAULT ''"), &rebuild("")).unwrap();
    for state in &run.states {
        assert_eq!(state.data.tables["child"].rows, 3);
        assert_eq!(state.data.tables["parent"].rows, 2);
    }
    assert_eq!(differences(&run.states[0], &run.states[2]), [""; 0]);
    assert_eq!(
        differences(&run.states[0], &run.states[1]),
        ["column parent.name"]
    );
    assert_eq!(dump(&bench), before);
    // Only the reversal is a rebuild, and what comes before it concerns no foreign key.
    let run = rehearse(
        &bench,
        "ALTER TABLE parent ADD COLUMN more; CREATE TABLE x (a)",
        &format!("{} DROP TABLE x;", rebuild("")),
    )
    .unwrap();
    assert_eq!(differences(&run.states[0], &run.states[2]), [""; 0]);
    // With foreign keys this would take the children along; they are off for the reversal's sake.
    let relies = "DELETE FROM parent WHERE id = 2; INSERT INTO parent VALUES (2, 'b')";
    match rehearse(&bench, relies, &rebuild("")) {
        Err(RehearsalError::Unfit { why }) => assert!(why.contains("parent"), "{why}"),
        other => panic!("{other:?}"),
    }
    // Alone it does take them.
    let run = rehearse(&bench, relies, "").unwrap();
    assert_eq!(run.states[1].data.tables["child"].rows, 1);
    assert_eq!(dump(&bench), before);
}
