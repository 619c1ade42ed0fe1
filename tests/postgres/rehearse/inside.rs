//! Scripts that do not stay where they were put, or could not: what is refused, what fails, and that
//! nothing stands in any case.

use tollgate::model::DataMode;
use tollgate::model::entry::Engine;
use tollgate::sql::{Analysis, Statement, StatementKind, analyse};
use tollgate::targets::{
    RehearsalError, RehearsalRequest, RehearsalStep, RehearsedScript, Target, TargetErrorKind,
};

use super::{LONG, again, dump, failed, locked, lost, rehearse, unfit};
use crate::support::Database;

#[test]
fn a_commit_that_nobody_saw_coming_fails() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id int);
              CREATE PROCEDURE ends() LANGUAGE plpgsql AS 'BEGIN CREATE TABLE evil (id int); COMMIT; END';
              CREATE FUNCTION fires() RETURNS void LANGUAGE plpgsql AS 'BEGIN SET CONSTRAINTS ALL IMMEDIATE; END'")
        .unwrap();
    let before = dump(&database);
    let mut target = locked(&database);
    for script in [
        "CREATE TABLE evil (id int); DO $$ BEGIN COMMIT; END $$",
        "CALL ends()",
        "DO $$ BEGIN EXECUTE 'COMMIT'; END $$",
        "DO $$ BEGIN CALL ends(); END $$",
    ] {
        let (step, error) = failed(rehearse(&mut target, script, "SELECT 1"));
        assert_eq!(step, RehearsalStep::First);
        assert!(
            ["2D000", "0A000"].contains(&error.code.as_deref().unwrap()),
            "{error:?}"
        );
        let (step, _) = failed(rehearse(&mut target, "INSERT INTO t VALUES (1)", script));
        assert_eq!(step, RehearsalStep::Second);
    }
    let why = unfit(rehearse(&mut target, "SELECT fires()", "SELECT 1"));
    assert!(why.contains("constraints"), "{why}");
    drop(target);
    assert!(dump(&database) == before);
}

/// As if reading the script had missed what it does.
fn unseen(database: &Database, script: &str) -> RehearsalError {
    let analysis = Analysis::Analysed(vec![Statement {
        range: 0..script.len(),
        kind: StatementKind::Ordinary,
    }]);
    let down = analyse(Engine::Postgresql, "SELECT 1");
    let request = RehearsalRequest {
        first: RehearsedScript {
            script,
            analysis: &analysis,
        },
        second: RehearsedScript {
            script: "SELECT 1",
            analysis: &down,
        },
        data: DataMode::Full,
        bound: LONG,
    };
    let mut target = locked(database);
    target.rehearse(&request, &mut |_| {}).unwrap_err()
}

#[test]
fn the_fence_holds_where_reading_the_script_missed_it() {
    let database = Database::new();
    database.run("CREATE TABLE t (id int)").unwrap();
    let before = dump(&database);
    for script in [
        "CREATE TABLE evil (id int); COMMIT",
        "CREATE TABLE evil (id int); COMMIT AND CHAIN",
        "CREATE TABLE evil (id int); COMMIT; CREATE TABLE evil_too (id int)",
        "CREATE TABLE evil (id int); PREPARE TRANSACTION 'x'",
        "CREATE TABLE evil (id int); END",
    ] {
        let error = unseen(&database, script);
        assert!(
            matches!(
                error,
                RehearsalError::Unfit { .. }
                    | RehearsalError::Target(_)
                    | RehearsalError::Failed { .. }
            ),
            "{script}: {error:?}"
        );
        assert!(dump(&database) == before, "{script}");
    }
}

#[test]
fn what_escapes_is_stopped_and_said() {
    for script in [
        "ROLLBACK; CREATE TABLE evil (id int)",
        "ROLLBACK; BEGIN; CREATE TABLE evil (id int); COMMIT; SELECT 1/0",
        "ROLLBACK AND CHAIN",
    ] {
        let database = Database::new();
        database.run("CREATE TABLE t (id int)").unwrap();
        match unseen(&database, script) {
            RehearsalError::Target(error) => {
                assert_eq!(error.kind, TargetErrorKind::Other);
                assert!(error.fact.contains("may stand in the target"), "{error:?}");
                assert!(error.remedy.is_some());
            }
            other => panic!("{script}: {other:?}"),
        }
    }
}

#[test]
fn an_enum_value_that_is_used_needs_a_scratch_database() {
    let database = Database::new();
    database
        .run("CREATE TYPE mood AS ENUM ('low'); CREATE TABLE t (m mood)")
        .unwrap();
    let mut target = locked(&database);
    let why = unfit(rehearse(
        &mut target,
        "ALTER TYPE mood ADD VALUE 'high'",
        "DELETE FROM t WHERE m = 'high'",
    ));
    assert!(why.contains("55P04"), "{why}");
    // In one script it fails when it is applied, too.
    let script = "ALTER TYPE mood ADD VALUE 'top'; INSERT INTO t VALUES ('top')";
    let (step, _) = failed(rehearse(&mut target, script, "SELECT 1"));
    assert_eq!(step, RehearsalStep::First);
    assert_eq!(database.ask("SELECT count(*) FROM pg_enum"), "1");
}

#[test]
fn a_script_that_fails_is_told_like_one_that_is_applied() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)")
        .unwrap();
    let mut target = locked(&database);
    let down = "SELECT 1;\nDROP TABLE missing;";
    let (step, error) = failed(rehearse(&mut target, "INSERT INTO t VALUES (2)", down));
    assert_eq!(step, RehearsalStep::Second);
    assert_eq!(error.code.as_deref(), Some("42P01"));
    assert_eq!(&down[error.at.unwrap()], "DROP TABLE missing");
    let down = "SELECT nothing FROM t";
    let (_, error) = failed(rehearse(&mut target, "INSERT INTO t VALUES (2)", down));
    assert_eq!(error.at.unwrap().start, 7);
    let (step, _) = failed(rehearse(
        &mut target,
        "INSERT INTO t VALUES (1)",
        "SELECT 1",
    ));
    assert_eq!(step, RehearsalStep::First);
    // Nothing of it keeps the target from being used.
    rehearse(
        &mut target,
        "INSERT INTO t VALUES (2)",
        "DELETE FROM t WHERE id = 2",
    )
    .unwrap();
    assert_eq!(database.ask("SELECT count(*) FROM t"), "1");
}

/// Deferred constraints are checked after each script, and are deferred again.
#[test]
fn what_is_deferred_is_checked_where_a_commit_would() {
    let database = Database::new();
    database
        .run("CREATE TABLE parent (id int PRIMARY KEY);
              CREATE TABLE t (id int PRIMARY KEY, parent int REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED,
                n int, CONSTRAINT \"odd name\" UNIQUE (n) DEFERRABLE)")
        .unwrap();
    let mut target = locked(&database);
    // Relies on deferral, each time.
    let up = "INSERT INTO t VALUES (1, 1, 1); INSERT INTO parent VALUES (1)";
    let down = "DELETE FROM parent; DELETE FROM t";
    let run = rehearse(&mut target, up, down).unwrap();
    assert_eq!((lost(&run), again(&run)), (vec![], vec![]));
    // Left violated.
    let (step, error) = failed(rehearse(&mut target, up, "DELETE FROM parent"));
    assert_eq!(step, RehearsalStep::Second);
    assert_eq!(error.code.as_deref(), Some("23503"));
    assert!(error.context.unwrap().contains("deferred constraints"));
    // One that begins immediate and was deferred, and one that the script makes.
    let up = "SET CONSTRAINTS \"odd name\" DEFERRED; INSERT INTO parent VALUES (1); INSERT INTO t VALUES (1, 1, 1), (2, 1, 1)";
    let (step, error) = failed(rehearse(&mut target, up, "SELECT 1"));
    assert_eq!(
        (step, error.code.as_deref()),
        (RehearsalStep::First, Some("23505"))
    );
    let up = "CREATE TABLE u (id int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO u VALUES (1), (1)";
    let (step, error) = failed(rehearse(&mut target, up, "DROP TABLE u"));
    assert_eq!(
        (step, error.code.as_deref()),
        (RehearsalStep::First, Some("23505"))
    );
    // What a deferred trigger writes is there for the second script, and stands in no ALTER TABLE's way.
    database
        .run("CREATE TABLE log (id int); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
              'BEGIN INSERT INTO log VALUES (NEW.id); RETURN NULL; END';
              CREATE CONSTRAINT TRIGGER noted AFTER INSERT ON parent DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note()")
        .unwrap();
    let run = rehearse(
        &mut target,
        "INSERT INTO parent VALUES (7)",
        "ALTER TABLE parent ADD COLUMN x int; ALTER TABLE parent DROP COLUMN x; DELETE FROM parent WHERE id = 7",
    )
    .unwrap();
    assert_eq!(lost(&run), ["log: 0 rows before, 1 after"]);
}

#[test]
fn a_session_begins_anew_for_each_script() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id int); CREATE SCHEMA app; CREATE TABLE app.t (id int)")
        .unwrap();
    let before = dump(&database);
    let mut target = locked(&database);
    let check = "DO $$ BEGIN IF current_setting('search_path') NOT LIKE '%public%' OR current_user <> session_user
                   OR current_setting('statement_timeout') = '7' OR EXISTS (SELECT FROM pg_cursors WHERE name = 'c')
                   OR EXISTS (SELECT FROM pg_prepared_statements) THEN RAISE 'leak'; END IF; END $$;";
    let up = format!(
        "{check} CREATE TEMP TABLE scrap (id int); CREATE TEMP VIEW scraps AS SELECT 1 AS x; CREATE FUNCTION pg_temp.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
         CREATE TYPE pg_temp.e AS ENUM ('a'); PREPARE p AS SELECT 1; DECLARE c CURSOR WITH HOLD FOR SELECT * FROM t;
         LISTEN x; NOTIFY x; INSERT INTO t VALUES (1);
         SET ROLE pg_monitor; SET search_path = app; SET statement_timeout = 7000; SET LOCAL row_security = off; SELECT pg_advisory_lock(7)"
    );
    let down = format!(
        "{check} CREATE TEMP TABLE scrap (id int); ALTER TABLE t ADD x int; ALTER TABLE t DROP x; DELETE FROM t; RESET ALL"
    );
    let run = rehearse(&mut target, &up, &down).unwrap();
    assert_eq!((lost(&run), again(&run)), (vec![], vec![]));
    drop(target);
    assert!(dump(&database) == before);
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7";
    assert_eq!(database.ask(locks), "0");
}

#[test]
fn a_hostile_search_path_changes_nothing() {
    let database = Database::new();
    database
        .run("CREATE SCHEMA evil; CREATE FUNCTION evil.lie(name, name) RETURNS boolean LANGUAGE sql AS 'SELECT false';
              CREATE OPERATOR evil.= (LEFTARG = name, RIGHTARG = name, FUNCTION = evil.lie);
              CREATE FUNCTION evil.lie(oid, oid) RETURNS boolean LANGUAGE sql AS 'SELECT false';
              CREATE OPERATOR evil.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = evil.lie);
              CREATE TABLE t (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        .unwrap();
    let mut target = locked(&database);
    let up = "INSERT INTO public.t VALUES (1); SET search_path = evil, public, pg_catalog";
    let run = rehearse(&mut target, up, "DELETE FROM public.t").unwrap();
    assert_eq!((lost(&run), again(&run)), (vec![], vec![]));
    let twice = "INSERT INTO public.t VALUES (1), (1); SET search_path = evil, public, pg_catalog";
    let (step, _) = failed(rehearse(&mut target, twice, "SELECT 1"));
    assert_eq!(step, RehearsalStep::First);
}

#[test]
fn what_is_not_undone_or_not_compared_is_said() {
    let database = Database::new();
    database
        .run("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE away (id int) SERVER far;
              SELECT lo_create(0); CREATE TABLE t (id int)")
        .unwrap();
    let mut target = locked(&database);
    let run = rehearse(
        &mut target,
        "COPY t TO PROGRAM 'cat >/dev/null'",
        "SELECT pg_reload_conf()",
    )
    .unwrap();
    assert_eq!(
        run.notes,
        [
            "COPY ... PROGRAM runs a program on the server, which is not undone",
            "pg_reload_conf makes the server read its settings again, which is not undone",
            "what stands behind foreign tables was not compared",
            "large objects were not compared",
        ]
    );
    // Without the right to make temporary tables there is no fence.
    let database = Database::plain();
    let name = database.name();
    database
        .run(&format!("ALTER DATABASE {name} OWNER TO tollgate_test; REVOKE TEMP ON DATABASE {name} FROM PUBLIC"))
        .unwrap();
    let why = unfit(rehearse(&mut locked(&database), "SELECT 1", "SELECT 1"));
    assert!(why.contains("temporary"), "{why}");
    // An event trigger of somebody's refuses what the rehearsal itself needs.
    for refused in ["CREATE TABLE", "ALTER SEQUENCE"] {
        let database = Database::new();
        database
            .run(&format!(
                "CREATE SEQUENCE s; CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''not here''; END';
                 CREATE EVENT TRIGGER never ON ddl_command_end WHEN TAG IN ('{refused}') EXECUTE FUNCTION no()"
            ))
            .unwrap();
        let why = unfit(rehearse(&mut locked(&database), "SELECT 1", "SELECT 1"));
        assert!(why.contains("not here"), "{why}");
    }
}

#[test]
fn a_backslash_that_the_server_reads_in_another_way_is_no_place_for_a_rehearsal() {
    let database = Database::new();
    database.run("CREATE TABLE z (id int)").unwrap();
    let name = database.name();
    let off = format!("ALTER DATABASE {name} SET standard_conforming_strings = off");
    database.run(&off).unwrap();
    let hidden = r"SELECT 'a\' ; -- '; COMMIT; INSERT INTO z VALUES (1);";
    for scripts in [(hidden, "SELECT 1"), ("SELECT 1", hidden)] {
        let why = unfit(rehearse(&mut locked(&database), scripts.0, scripts.1));
        assert!(why.contains("standard_conforming_strings"), "{why}");
    }
    assert_eq!(database.ask("SELECT count(*) FROM z"), "0");
    rehearse(&mut locked(&database), "CREATE TABLE t ()", "DROP TABLE t").unwrap();
}
