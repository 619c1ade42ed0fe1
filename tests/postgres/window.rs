//! Several scripts sent at once: each as if it were alone, and none behind one that failed.

use tollgate::model::entry::Engine;
use tollgate::model::{Receipt, ReceiptKind};
use tollgate::sql::{Analysis, analyse};
use tollgate::targets::{ApplyError, Attempt, Heard, News, ScriptError, Target};

use crate::bench::{Bench, failed};

/// Sends all of them at once. Which of them have a receipt, as it was told, and how it ended.
pub(crate) fn send(
    bench: &mut Bench,
    scripts: &[&str],
    note: &mut dyn FnMut(&str),
) -> (usize, Result<(), ApplyError>) {
    let read: Vec<(&str, Analysis)> = scripts
        .iter()
        .map(|script| (*script, analyse(Engine::Postgresql, script)))
        .collect();
    let mut receipts: Vec<Receipt> = Vec::new();
    for (script, analysis) in &read {
        let mut receipt = bench.receipt(script, analysis);
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
    let ended = bench.target.apply_all(&attempts, &mut |told| match told {
        Heard::Applied(applied) => {
            assert_eq!(applied.receipt.seq, receipts[heard].seq);
            heard += 1;
        }
        Heard::News(News::Note(text)) => note(text),
        Heard::Ran | Heard::News(News::Progress(_)) => {}
    });
    (heard, ended)
}

/// The same where the one after the first `heard` fails.
#[track_caller]
fn fails(bench: &mut Bench, scripts: &[&str]) -> (usize, ScriptError) {
    let (heard, ended) = send(bench, scripts, &mut |_| {});
    let Err(ApplyError::Failed { error, left: None }) = ended else {
        panic!("{ended:?}");
    };
    (heard, *error)
}

fn may_queue(bench: &mut Bench, script: &str) -> bool {
    let analysis = analyse(Engine::Postgresql, script);
    bench.target.may_queue(script, &analysis)
}

#[test]
fn all_of_them_stand_with_their_receipts() {
    for mut bench in Bench::both() {
        let scripts: Vec<String> = (0..40)
            .map(|n| {
                format!("CREATE TABLE t{n} (id int PRIMARY KEY);\nINSERT INTO t{n} VALUES ({n});")
            })
            .collect();
        let scripts: Vec<&str> = scripts.iter().map(String::as_str).collect();
        assert!(scripts.iter().all(|script| may_queue(&mut bench, script)));
        let (heard, ended) = send(&mut bench, &scripts, &mut |_| {});
        assert!(ended.is_ok(), "{ended:?}");
        assert_eq!((heard, bench.receipts()), (40, 40));
        assert!(bench.has_table("t39"));
    }
}

/// Scripts that only define things, and one that does more.
const DEFINITIONS: [&str; 6] = [
    "CREATE TABLE a (id int PRIMARY KEY, name text DEFAULT now()::text);",
    "CREATE INDEX a_name ON a (name);\nCOMMENT ON TABLE a IS 'it''s \\ $tollgate$';",
    "INSERT INTO a VALUES (1);",
    "ALTER TABLE a ADD COLUMN b int REFERENCES a (id);",
    "CREATE TYPE mood AS ENUM ('glad');",
    "DROP TABLE a;",
];

#[test]
fn definitions_stand_with_their_receipts() {
    for mut bench in Bench::both() {
        for _ in 0..2 {
            let before = bench.receipts();
            let (heard, ended) = send(&mut bench, &DEFINITIONS, &mut |_| {});
            assert!(ended.is_ok(), "{ended:?}");
            assert_eq!((heard, bench.receipts()), (6, before + 6));
            bench.apply("DROP TYPE mood;").unwrap();
        }
        let chain = bench.target.survey().unwrap().receipts;
        tollgate::model::receipt::verify_chain(&chain).unwrap();
        assert!(chain.iter().all(|row| row.recorded_at.is_some()));
    }
}

/// Done in the session of whoever defines something: by the database, and not by a script.
fn on_each_definition(bench: &mut Bench, what: &str, is_hidden: bool) {
    let makes = "CREATE EVENT TRIGGER meddle ON ddl_command_end EXECUTE FUNCTION meddle()";
    let makes = match is_hidden {
        false => makes.to_owned(),
        true => format!(
            "DO $do$ BEGIN EXECUTE '{}'; END $do$",
            makes.replace("TRIGGER", "TRIG' || 'GER")
        ),
    };
    let script = format!(
        "CREATE FUNCTION meddle() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN {what} END $$"
    );
    // Where it is hidden no script says both words.
    let script = match is_hidden {
        false => script,
        true => format!(
            "DO $do$ BEGIN EXECUTE '{}'; END $do$",
            script
                .replace('\'', "''")
                .replace("event_trigger", "event_trig' || 'ger")
        ),
    };
    bench.apply(&format!("{script};")).unwrap();
    bench.apply(&format!("{makes};")).unwrap();
}

#[test]
fn nothing_that_an_event_trigger_does_reaches_the_next_script() {
    for what in [
        "EXECUTE 'DEALLOCATE ALL';",
        "EXECUTE 'DEALLOCATE ALL'; EXECUTE 'PREPARE tollgate_close (int) AS SELECT $1';",
        "PERFORM set_config('search_path', 'other, public', false);",
    ] {
        let mut bench = Bench::superuser();
        bench.apply("CREATE SCHEMA other;").unwrap();
        on_each_definition(&mut bench, what, false);
        let before = bench.receipts();
        let (heard, ended) = send(&mut bench, &DEFINITIONS, &mut |_| {});
        assert!(ended.is_ok(), "{what}: {ended:?}");
        assert_eq!((heard, bench.receipts()), (6, before + 6), "{what}");
    }
}

#[test]
fn what_replaces_the_prepared_statement_is_found_out() {
    let mut bench = Bench::superuser();
    on_each_definition(
        &mut bench,
        "EXECUTE 'DEALLOCATE ALL'; EXECUTE 'PREPARE tollgate_close (text, bigint, bigint, text, text, text, text) AS SELECT 0, 0';",
        true,
    );
    let before = bench.receipts();
    let (heard, ended) = send(&mut bench, &DEFINITIONS, &mut |_| {});
    let Err(ApplyError::Unknown { error }) = ended else {
        panic!("{ended:?}");
    };
    assert_eq!(
        error.fact,
        "the server took the receipt and wrote no row: the table tollgate.receipt was tampered with"
    );
    assert_eq!((heard, bench.receipts()), (0, before));
}

#[test]
fn what_looks_like_a_definition_leaves_nothing_for_the_one_behind_it() {
    let cases = [
        "CREATE TABLE always AS SELECT set_config('search_path', 'other, public', false);",
        "CREATE TABLE U&\"pg_t\\0065mp\".leaked (id int);",
        "ALTER TABLE a ADD COLUMN b bool DEFAULT 1 IS DISTINCT FROM leak();",
        "ALTER TABLE a ADD COLUMN b leaking;",
        "CREATE TABLE g (id int, b int GENERATED ALWAYS AS (leak() + id) STORED);",
    ];
    for script in cases {
        let mut bench = Bench::superuser();
        for before in [
            "CREATE SCHEMA other;",
            "CREATE FUNCTION leak() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM set_config('search_path', 'other, public', false); RETURN 1; END $$;",
            "CREATE DOMAIN leaking AS int DEFAULT leak();",
            "CREATE TABLE a (id int); INSERT INTO a VALUES (1);",
        ] {
            bench.apply(before).unwrap();
        }
        let (heard, ended) = send(
            &mut bench,
            &[
                "CREATE TABLE c (id int);",
                script,
                "CREATE TABLE leaked (id int);",
                "CREATE TABLE d (id int);",
            ],
            &mut |_| {},
        );
        assert!(ended.is_ok(), "{script}: {ended:?}");
        assert_eq!(heard, 4, "{script}");
        assert!(bench.has_table("leaked"), "{script}");
    }
}

#[test]
fn a_backslash_is_read_as_the_role_has_it() {
    let mut bench = Bench::superuser();
    bench
        .apply("CREATE TABLE r (id int); CREATE TABLE z (id int);")
        .unwrap();
    bench
        .apply("DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET standard_conforming_strings = off', current_database()); END $$;")
        .unwrap();
    bench.reconnect();
    let script = r"COMMENT ON TABLE r IS 'a\' ; -- '; COMMIT; INSERT INTO z VALUES (1);";
    assert!(may_queue(&mut bench, "CREATE TABLE a (id int);"));
    assert!(!may_queue(&mut bench, script));
    // The parser sees a comment where the server sees a COMMIT; of a journalled one it sees too little as well.
    let journalled = format!("VACUUM r; {script}");
    for script in [script, &journalled, r"SELECT 'a\', '; DROP TABLE r; --';"] {
        let (error, left) = failed(bench.apply(script));
        assert!(error.message.contains("Nothing was sent"), "{error:?}");
        assert_eq!(error.at.unwrap().start, script.find('\\').unwrap());
        assert_eq!(left, None);
    }
    assert_eq!(bench.database.ask("SELECT count(*) FROM z"), "0");
    assert!(bench.has_table("r"));
    // Where the backslash means the same, it is sent as ever.
    for plain in [r"INSERT INTO z VALUES (2); -- \", r"SELECT E'a\\b', $$\$$;"] {
        assert!(may_queue(&mut bench, plain));
        assert_eq!(bench.apply(plain).unwrap().kind, ReceiptKind::Atomic);
    }
    assert_eq!(bench.database.ask("SELECT count(*) FROM z"), "1");
}

#[test]
fn nothing_runs_behind_one_that_fails_and_it_says_the_same_as_alone() {
    let cases = [
        "CREATE TABLE b (id int);\nSELECT 1/0;",
        "CREATE TABLE b (id int;\n",
        "SELECT * FROM nowhere;",
        "CREATE TABLE b (id int PRIMARY KEY);\nCREATE TABLE c (id int REFERENCES b DEFERRABLE INITIALLY DEFERRED);\nINSERT INTO c VALUES (1);",
        "SELECT pg_advisory_unlock_all();",
        "RESET ALL;",
        "DO $$ BEGIN RAISE EXCEPTION 'no'; END $$;",
        "CREATE TABLE b (id int); DROP SCHEMA tollgate CASCADE;",
        "CREATE RULE r AS ON INSERT TO tollgate.receipt DO INSTEAD NOTHING;",
        "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(1);",
        "SET statement_timeout = 1; SELECT pg_sleep(1);",
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''late''; END';\nCREATE CONSTRAINT TRIGGER late AFTER INSERT ON tollgate.receipt DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f();",
    ];
    for script in cases {
        let mut alone = Bench::superuser();
        alone.apply("CREATE TABLE a (id int);").unwrap();
        let (said, _) = failed(alone.apply(script));
        let mut bench = Bench::superuser();
        let (heard, error) = fails(
            &mut bench,
            &[
                "CREATE TABLE a (id int);",
                script,
                "CREATE TABLE evil (id int);",
                "SET search_path TO public; CREATE TABLE evil (id int);",
                "",
                "CREATE TABLE evil (id int);",
            ],
        );
        assert_eq!(heard, 1, "{script}");
        assert_eq!(
            (&error.message, &error.code, &error.at, &error.hint),
            (&said.message, &said.code, &said.at, &said.hint),
            "{script}"
        );
        assert!(
            !bench.has_table("evil") && !bench.has_table("b"),
            "{script}"
        );
        assert_eq!(bench.receipts(), 1, "{script}");
        // The session is as it was: the next ones run.
        let (heard, ended) = send(
            &mut bench,
            &["CREATE TABLE x (id int);", "CREATE TABLE y (id int);"],
            &mut |_| {},
        );
        assert!(ended.is_ok() && heard == 2, "{script}: {ended:?}");
        assert_eq!(bench.receipts(), 3, "{script}");
    }
}

/// What a script leaves in its session is not there for the one behind it.
#[test]
fn nothing_leaks_into_the_one_behind() {
    let mut bench = Bench::superuser();
    let look = "CREATE TABLE seen AS SELECT current_user::text AS who, current_setting('search_path') AS path,
         current_setting('default_transaction_read_only') AS read_only,
         to_regclass('pg_temp.left_over') IS NULL AS gone,
         (SELECT count(*) FROM pg_cursors) AS cursors;";
    let (_, ended) = send(
        &mut bench,
        &[
            "CREATE TABLE a (id int);",
            "SET ROLE pg_monitor; RESET ROLE; SET search_path TO pg_catalog; SET default_transaction_read_only = on;
             CREATE TEMP TABLE left_over (id int);
             DECLARE c CURSOR WITH HOLD FOR SELECT 1; LISTEN x; PREPARE p AS SELECT 1;",
            look,
        ],
        &mut |_| {},
    );
    assert!(ended.is_ok(), "{ended:?}");
    let row = bench
        .database
        .ask("SELECT path || ' ' || read_only || ' ' || gone || ' ' || cursors FROM seen");
    assert_eq!(row, "\"$user\", public off true 0");
}

/// One that cannot get its lock in time is tried again alone, and those behind it after it.
#[test]
fn a_lock_is_waited_for_in_the_middle() {
    let mut bench = crate::waiting::with_lock_timeout(crate::support::Database::new(), 300);
    bench.apply("CREATE TABLE held (id int);").unwrap();
    let other = crate::waiting::beside(
        &bench.database,
        "BEGIN; LOCK TABLE held; SELECT pg_sleep(60)",
        "EXISTS (SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'held'::regclass)",
    );
    let database = bench.database.name().to_owned();
    let url = bench.database.superuser_url();
    let mut notes = Vec::new();
    let (heard, ended) = send(
        &mut bench,
        &[
            "CREATE TABLE a (id int);",
            "ALTER TABLE held ADD COLUMN x int;",
            "CREATE TABLE b (id int);",
            "CREATE TABLE c (id int);",
        ],
        &mut |note| {
            if notes.is_empty() {
                let end = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                      WHERE datname = '{database}' AND query LIKE 'BEGIN; LOCK%'"
                );
                crate::support::run(&url, &end).unwrap();
            }
            notes.push(note.to_owned());
        },
    );
    assert!(ended.is_ok(), "{ended:?} {notes:?}");
    assert_eq!((heard, bench.receipts()), (4, 5));
    assert!(
        notes[0].starts_with("waits for a lock held by session ")
            && notes[0].contains("LOCK TABLE held"),
        "{notes:?}"
    );
    assert!(other.join().unwrap().is_err());
}

#[test]
fn what_is_not_certain_goes_alone() {
    let mut bench = Bench::superuser();
    for script in [
        "BEGIN; CREATE TABLE a (id int); COMMIT;",
        "ROLLBACK; CREATE TABLE evil (id int);",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SELECT 1;",
        "SET default_transaction_isolation = 'repeatable read';",
        "DO $$ BEGIN SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; END $$;",
        "COPY a FROM STDIN;",
        "COPY a TO STDOUT;",
        "CREATE INDEX CONCURRENTLY i ON a (id);",
        "CREATE INDEX IF NOT EXISTS i ON a (id);",
        "VACUUM;",
        "CREATE TABLE (",
    ] {
        assert!(!may_queue(&mut bench, script), "{script}");
    }
    assert!(may_queue(&mut bench, "CREATE TABLE a (id int);"));
    let name = bench.database.name().to_owned();
    let alter =
        format!("ALTER DATABASE \"{name}\" SET default_transaction_isolation = 'serializable'");
    bench.database.run(&alter).unwrap();
    bench.reconnect();
    assert!(!may_queue(&mut bench, "CREATE TABLE a (id int);"));
}
