//! Downs that reverse: everything is as it was, after them and after the rehearsal.

use tollgate::model::DataMode;
use tollgate::model::schema::COLUMN_ORDER;

use super::{LONG, again, dump, locked, lost, rehearse, rehearse_within};
use crate::data::EVERY_TYPE;
use crate::support::{Database, PLAIN};

#[test]
fn every_type_goes_up_and_down_and_up_and_leaves_nothing() {
    let database = Database::new();
    database.run(EVERY_TYPE).unwrap();
    database
        .run("CREATE SEQUENCE s; SELECT nextval('s'); CREATE TABLE other (id int GENERATED ALWAYS AS IDENTITY, x text);
              INSERT INTO other (x) VALUES ('a'), ('b')")
        .unwrap();
    let before = dump(&database);
    let up = "CREATE TABLE more (id serial PRIMARY KEY, every int REFERENCES every (id));
              INSERT INTO more (every) SELECT id FROM every;
              INSERT INTO every (b, j, au) VALUES (99, 'seed', 'low'), (98, 'seed', 'high');
              SELECT nextval('s'), setval('every_id_seq', 4711);
              INSERT INTO other (x) VALUES ('c');
              ALTER TABLE every ADD COLUMN extra text DEFAULT 'x', ALTER c TYPE numeric;
              CREATE INDEX by_j ON every (j); COMMENT ON COLUMN every.j IS 'new'";
    let down = "COMMENT ON COLUMN every.j IS NULL; DROP INDEX by_j;
                ALTER TABLE every DROP COLUMN extra, ALTER c TYPE bigint;
                DELETE FROM other WHERE x = 'c'; DELETE FROM every WHERE j = 'seed'; DROP TABLE more";
    for mode in [DataMode::Full, DataMode::Sample, DataMode::Counts] {
        let mut target = locked(&database);
        let run = rehearse_within(&mut target, up, down, mode, LONG).unwrap();
        assert_eq!(lost(&run), [""; 0], "{mode:?}");
        // Rows with numbers that were drawn: the same ones the second time.
        assert_eq!(again(&run), [""; 0], "{mode:?}");
        assert_eq!(run.first_anew, None);
        assert_eq!(run.notes, [""; 0]);
        assert_ne!(run.states[0], run.states[1]);
        drop(target);
        assert!(dump(&database) == before, "{mode:?}");
    }
    assert_eq!(database.ask("SELECT nextval('s')"), "2");
    assert_eq!(database.ask("SELECT nextval('every_id_seq')"), "4");
}

#[test]
fn a_plain_role_that_owns_only_a_part() {
    let database = Database::plain();
    database
        .run(&format!(
            "CREATE TABLE theirs (id serial PRIMARY KEY, x text); INSERT INTO theirs (x) VALUES ('a');
             GRANT SELECT, INSERT, DELETE ON theirs TO {PLAIN}; GRANT USAGE ON SEQUENCE theirs_id_seq TO {PLAIN};
             CREATE SCHEMA app AUTHORIZATION {PLAIN}; CREATE TABLE app.t (id serial, x text); INSERT INTO app.t (x) VALUES ('a');
             ALTER TABLE app.t OWNER TO {PLAIN}"
        ))
        .unwrap();
    let before = database.ask("SELECT string_agg(x, '') FROM app.t");
    let mut target = locked(&database);
    let run = rehearse(
        &mut target,
        "INSERT INTO theirs (x) VALUES ('b'); INSERT INTO app.t (x) VALUES ('b'); CREATE TABLE app.u (id serial)",
        "DROP TABLE app.u; DELETE FROM theirs WHERE x = 'b'; DELETE FROM app.t WHERE x = 'b'",
    )
    .unwrap();
    assert_eq!(lost(&run), [""; 0]);
    // The sequence is another role's: its number is another one each time.
    assert_eq!(again(&run), ["theirs.id: other values"]);
    assert!(run.first_anew.is_some());
    assert_eq!(
        run.notes,
        [
            "numbers drawn from the sequence public.theirs_id_seq are not given back: it belongs to another role"
        ]
    );
    assert_eq!(database.ask("SELECT string_agg(x, '') FROM app.t"), before);
    assert_eq!(database.ask("SELECT nextval('app.t_id_seq')"), "2");
    // It may not see all rows.
    database
        .run("ALTER TABLE theirs ENABLE ROW LEVEL SECURITY")
        .unwrap();
    let error = rehearse(&mut target, "SELECT 1", "SELECT 1").unwrap_err();
    assert!(format!("{error:?}").contains("public.theirs"), "{error:?}");
}

/// A column that was dropped and is added again comes last.
#[test]
fn an_order_of_columns_that_is_lost_is_all_that_is_lost() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (a int, b int, c int); INSERT INTO t VALUES (1, 2, 3), (4, 5, 6)")
        .unwrap();
    let mut target = locked(&database);
    let run = rehearse(
        &mut target,
        "CREATE TABLE kept AS SELECT a, b FROM t; ALTER TABLE t DROP COLUMN b",
        "ALTER TABLE t ADD COLUMN b int; UPDATE t SET b = kept.b FROM kept WHERE kept.a = t.a; DROP TABLE kept",
    )
    .unwrap();
    assert_eq!(lost(&run), [""; 0]);
    assert_eq!(again(&run), [""; 0]);
    let order = |n: usize| run.states[n].schema.get(COLUMN_ORDER, "public.t").cloned();
    assert_ne!(order(0), order(2));
}

#[test]
fn what_is_drawn_anew_each_time_is_told_from_what_down_leaves() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id uuid, x text, n serial); INSERT INTO t VALUES (gen_random_uuid(), 'a')")
        .unwrap();
    let before = dump(&database);
    let mut target = locked(&database);
    let volatile = "INSERT INTO t VALUES (gen_random_uuid(), 'b')";
    let run = rehearse(&mut target, volatile, "DELETE FROM t WHERE x = 'b'").unwrap();
    assert_eq!(lost(&run), [""; 0]);
    assert_eq!(again(&run), ["t.id: other values"]);
    let anew = run.first_anew.as_ref().unwrap();
    // In the same column, and in nothing else: the serial numbers are the same each time.
    assert_eq!(
        super::differences(&run.states[1], anew),
        ["t.id: other values"]
    );
    assert_eq!(
        super::differences(&run.states[3], anew),
        ["t.id: other values"]
    );
    drop(target);
    assert!(dump(&database) == before);
}

/// The next number is one that was handed out before.
#[test]
fn a_sequence_that_is_behind_is_a_fault() {
    let database = Database::new();
    database
        .run("CREATE SEQUENCE s; SELECT setval('s', 57); CREATE SEQUENCE r; SELECT setval('r', 7);
              CREATE SEQUENCE d INCREMENT BY -1; SELECT setval('d', -9); CREATE SEQUENCE round MAXVALUE 3 CYCLE; SELECT setval('round', 3);
              CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 100);
              CREATE TABLE fresh (id serial)")
        .unwrap();
    let mut target = locked(&database);
    for (up, down, expected) in [
        (
            "DROP SEQUENCE s; DROP SEQUENCE r",
            "CREATE SEQUENCE s; CREATE SEQUENCE r; SELECT setval('r', 7)",
            vec![(
                "public.s",
                "the sequence stands at 1 after both scripts, and stood at 57",
            )],
        ),
        (
            "SELECT setval('t_id_seq', 3)",
            "SELECT 1",
            vec![(
                "public.t",
                "its sequence public.t_id_seq stands at 3 after both scripts, and stood at 100",
            )],
        ),
        (
            "SELECT 1",
            "ALTER SEQUENCE t_id_seq RESTART WITH 5; SELECT setval('d', -8)",
            vec![
                (
                    "public.d",
                    "the sequence stands at -8 after both scripts, and stood at -9",
                ),
                (
                    "public.t",
                    "its sequence public.t_id_seq stands at 5 after both scripts, and stood at 100",
                ),
            ],
        ),
        (
            "ALTER TABLE t ALTER id DROP DEFAULT; DROP SEQUENCE t_id_seq; ALTER TABLE t ALTER id ADD GENERATED ALWAYS AS IDENTITY",
            "ALTER TABLE t ALTER id DROP IDENTITY; CREATE SEQUENCE t_id_seq AS int OWNED BY t.id; ALTER TABLE t ALTER id SET DEFAULT nextval('t_id_seq')",
            vec![(
                "public.t",
                "its sequence public.t_id_seq stands at 1 after both scripts, and stood at 100",
            )],
        ),
        // Ahead, where it stood, round again, and what never stood anywhere else.
        (
            "SELECT nextval('s'), nextval('d'), nextval('round'); SELECT setval('r', 8, false); DROP TABLE fresh",
            "CREATE TABLE fresh (id serial)",
            vec![],
        ),
    ] {
        let run = rehearse(&mut target, up, down).unwrap();
        let faults = run.faults.iter();
        let faults: Vec<_> = faults.map(|one| (&*one.subject, &*one.what)).collect();
        assert_eq!(faults, expected, "{up}");
        assert_eq!((lost(&run), run.notes.clone()), (vec![], vec![]), "{up}");
    }
    assert_eq!(database.ask("SELECT nextval('s')"), "58");
    assert_eq!(database.ask("SELECT nextval('t_id_seq')"), "101");
}

#[test]
fn an_applied_migration_goes_down_and_up() {
    let database = Database::new();
    let up = "CREATE TABLE t (id serial PRIMARY KEY, x text NOT NULL); CREATE INDEX by_x ON t (x)";
    database.run(up).unwrap();
    let mut target = locked(&database);
    let run = rehearse(&mut target, "DROP TABLE t", up).unwrap();
    assert_eq!(lost(&run), [""; 0]);
    database.run("INSERT INTO t (x) VALUES ('a')").unwrap();
    let run = rehearse(&mut target, "DROP TABLE t", up).unwrap();
    assert_eq!(lost(&run), ["t: 1 row before, 0 after"]);
    assert_eq!(database.ask("SELECT count(*) FROM t"), "1");
}

/// The schema of the URL is not there yet.
#[test]
fn the_schema_of_the_url_is_made_for_it_and_goes_with_it() {
    let database = Database::new();
    let url = format!("{}?schema=app", database.url());
    let mut target = tollgate::targets::postgres::open(&crate::support::settings(&url)).unwrap();
    crate::bench::lock(&mut target);
    let run = rehearse(&mut target, "CREATE TABLE t (id int)", "DROP TABLE t").unwrap();
    assert_eq!(lost(&run), [""; 0]);
    assert!(run.states[1].schema.get("table", "app.t").is_some());
    assert_eq!(database.ask("SELECT to_regnamespace('app') IS NULL"), "t");
}
