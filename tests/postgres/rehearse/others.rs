//! What belongs to other roles: compared where a script may become them, and otherwise no proof where a
//! script changes it.

use tollgate::targets::{RehearsalError, TargetErrorKind};

use super::{dump, locked, lost, rehearse};
use crate::support::{Database, PLAIN};

const OWNER: &str = "DO $$ BEGIN CREATE ROLE tollgate_app_owner; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
    CREATE SCHEMA app AUTHORIZATION tollgate_app_owner; SET ROLE tollgate_app_owner;
    CREATE TABLE app.t (id int); INSERT INTO app.t VALUES (1), (2)";

#[test]
fn a_schema_of_another_role_that_down_makes_anew_empty_is_lost() {
    let database = Database::new();
    database.run(OWNER).unwrap();
    let before = dump(&database);
    let mut target = locked(&database);
    let run = rehearse(
        &mut target,
        "DROP SCHEMA app CASCADE",
        "CREATE SCHEMA app AUTHORIZATION tollgate_app_owner; SET ROLE tollgate_app_owner; CREATE TABLE app.t (id int)",
    )
    .unwrap();
    assert_eq!(lost(&run), ["app.t: 2 rows before, 0 after"]);
    assert!(dump(&database) == before);
}

/// By a grant that is taken back at the end: roles are the server's.
#[test]
fn a_member_of_the_role_that_owns_it_loses_it_as_its_own() {
    let database = Database::plain();
    database.run(OWNER).unwrap();
    database
        .run(&format!("GRANT tollgate_app_owner TO {PLAIN}"))
        .unwrap();
    let mut target = locked(&database);
    let run = rehearse(
        &mut target,
        "SET ROLE tollgate_app_owner; DROP TABLE app.t",
        "SET ROLE tollgate_app_owner; CREATE TABLE app.t (id int)",
    );
    database
        .run(&format!("REVOKE tollgate_app_owner FROM {PLAIN}"))
        .unwrap();
    assert_eq!(lost(&run.unwrap()), ["app.t: 2 rows before, 0 after"]);
}

#[test]
fn what_is_granted_and_not_compared_proves_nothing_where_it_is_changed() {
    let database = Database::plain();
    database
        .run(&format!(
            "CREATE SCHEMA storage; CREATE TABLE storage.buckets (id int PRIMARY KEY); INSERT INTO storage.buckets VALUES (1);
             CREATE SEQUENCE storage.s; GRANT USAGE ON SEQUENCE storage.s TO {PLAIN};
             GRANT USAGE ON SCHEMA storage TO {PLAIN}; GRANT ALL ON storage.buckets TO {PLAIN};
             CREATE SCHEMA own AUTHORIZATION {PLAIN}"
        ))
        .unwrap();
    let before = dump(&database);
    let mut target = locked(&database);
    for (up, down) in [
        ("DELETE FROM storage.buckets", "SELECT 1"),
        ("TRUNCATE storage.buckets", "SELECT 1"),
        ("SELECT 1", "INSERT INTO storage.buckets VALUES (2)"),
    ] {
        match rehearse(&mut target, up, down) {
            Err(RehearsalError::Target(error)) => {
                assert_eq!(error.kind, TargetErrorKind::Other);
                assert!(
                    error.fact.contains(
                        "the scripts change storage.buckets, which belongs to another role"
                    ),
                    "{error:?}"
                );
                assert!(error.remedy.is_some());
            }
            other => panic!("{up}: {other:?}"),
        }
        assert!(dump(&database) == before, "{up}");
    }
    // What only reads it, or points to it, changes nothing of it.
    for (up, down) in [
        (
            "CREATE TABLE own.t (id int REFERENCES storage.buckets)",
            "DROP TABLE own.t",
        ),
        (
            "CREATE TABLE own.t AS SELECT * FROM storage.buckets FOR UPDATE",
            "DROP TABLE own.t",
        ),
        ("LOCK TABLE storage.buckets IN SHARE MODE", "SELECT 1"),
    ] {
        let run = rehearse(&mut target, up, down).unwrap();
        assert_eq!((lost(&run), run.notes), (vec![], vec![]), "{up}");
    }
    let run = rehearse(&mut target, "SELECT nextval('storage.s')", "SELECT 1").unwrap();
    assert_eq!(
        run.notes,
        [
            "numbers drawn from the sequence storage.s are not given back: it belongs to another role"
        ]
    );
}
