//! An INVALID index under the name that a script would make one with IF NOT EXISTS.

use tollgate::model::entry::Progress;

use crate::bench::{Bench, failed};

/// Leaves the INVALID index `public."My i"` on `public.t`.
fn leave_invalid(bench: &mut Bench) {
    bench
        .apply("CREATE TABLE public.t (id int); INSERT INTO t VALUES (1), (1)")
        .unwrap();
    failed(bench.apply("CREATE UNIQUE INDEX CONCURRENTLY \"My i\" ON t (id)"));
    bench.apply("DELETE FROM t").unwrap();
}

#[test]
fn it_does_not_pass_for_success() {
    for mut bench in Bench::both() {
        leave_invalid(&mut bench);
        for script in [
            "CREATE TABLE evil (id int); CREATE INDEX IF NOT EXISTS \"My i\" ON t (id)",
            "CREATE TABLE evil (id int); CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"My i\" ON public.t (id)",
            "CREATE TABLE evil (id int);
             DO $$ BEGIN CREATE INDEX IF NOT EXISTS \"My i\" ON t (id); END $$",
            // Neither of these takes it away.
            "DROP TABLE IF EXISTS public.other; CREATE TABLE evil (id int);
             CREATE INDEX IF NOT EXISTS \"My i\" ON t (id)",
            "CREATE TABLE evil (id int); CREATE INDEX IF NOT EXISTS \"My i\" ON t (id);
             DROP INDEX \"My i\"",
            "CREATE TABLE evil (id int); ALTER INDEX \"My i\" SET (fillfactor = 70);
             CREATE INDEX IF NOT EXISTS \"My i\" ON t (id)",
            "CREATE TABLE evil (id int); DROP INDEX IF EXISTS arch.\"My i\";
             CREATE INDEX IF NOT EXISTS \"My i\" ON t (id)",
            "CREATE TABLE evil (id int); SAVEPOINT s; DROP INDEX \"My i\"; ROLLBACK TO s;
             CREATE INDEX IF NOT EXISTS \"My i\" ON t (id)",
            // Of a whole table CONCURRENTLY: the server passes INVALID indexes over.
            "CREATE TABLE evil (id int); REINDEX TABLE CONCURRENTLY t;
             CREATE INDEX IF NOT EXISTS \"My i\" ON t (id)",
        ] {
            for unread in [false, true] {
                let outcome = if unread {
                    bench.apply_unread(script)
                } else {
                    bench.apply(script)
                };
                let (error, left) = failed(outcome);
                assert_eq!(
                    error.message,
                    "the index public.\"My i\" is INVALID: its build failed, and IF NOT EXISTS would pass it over. Nothing was sent"
                );
                assert_eq!(
                    error.hint.as_deref(),
                    Some("drop it, then try again: DROP INDEX CONCURRENTLY public.\"My i\";")
                );
                let at = error.at.unwrap();
                assert!(script[at].contains("IF NOT EXISTS \"My i\""), "{script}");
                assert_eq!(left, None);
                assert!(!bench.has_table("evil"), "{script}");
            }
        }
        // The remedy works as it stands.
        bench
            .database
            .run("DROP INDEX CONCURRENTLY public.\"My i\";")
            .unwrap();
        bench
            .apply("CREATE INDEX CONCURRENTLY IF NOT EXISTS \"My i\" ON t (id)")
            .unwrap();
        let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = '\"My i\"'::regclass";
        assert_eq!(bench.database.ask(valid), "t");
        bench
            .apply("CREATE INDEX CONCURRENTLY IF NOT EXISTS \"My i\" ON t (id)")
            .unwrap();
    }
}

#[test]
fn what_the_script_takes_away_first_is_not_in_its_way() {
    for before in [
        "DROP INDEX IF EXISTS \"My i\"",
        "DROP INDEX CONCURRENTLY public.\"My i\"",
        "REINDEX INDEX \"My i\"",
        "REINDEX TABLE t",
        "REINDEX INDEX CONCURRENTLY \"My i\"",
        "ALTER INDEX \"My i\" RENAME TO old",
        "DROP TABLE t; CREATE TABLE t (id int)",
        "DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE t (id int)",
    ] {
        let mut bench = Bench::superuser();
        leave_invalid(&mut bench);
        let script = format!("{before}; CREATE INDEX IF NOT EXISTS \"My i\" ON t (id)");
        let applied = bench.apply(&script);
        assert!(applied.is_ok(), "{script}: {applied:?}");
    }
}

/// A partitioned table's own index is INVALID until every partition has one; another schema's index
/// of the name is another index.
#[test]
fn what_is_rightly_invalid_is_not_in_the_way() {
    let mut bench = Bench::superuser();
    leave_invalid(&mut bench);
    bench
        .apply(
            "CREATE TABLE parts (id int) PARTITION BY LIST (id);
             CREATE TABLE part PARTITION OF parts FOR VALUES IN (1);
             CREATE INDEX whole ON ONLY parts (id);
             CREATE SCHEMA app; CREATE TABLE app.t (id int)",
        )
        .unwrap();
    bench
        .apply("CREATE INDEX IF NOT EXISTS whole ON ONLY parts (id)")
        .unwrap();
    bench
        .apply("CREATE INDEX IF NOT EXISTS \"My i\" ON app.t (id)")
        .unwrap();
}

/// Statement by statement it is looked for again: an earlier statement of the script may have left it.
#[test]
fn an_index_that_the_script_itself_left_is_found() {
    let mut bench = Bench::superuser();
    leave_invalid(&mut bench);
    // Taken away, as far as can be read, and back again.
    let script = "DROP INDEX \"My i\"; INSERT INTO t VALUES (1), (1);
                  DO $$ BEGIN
                    CREATE INDEX \"My i\" ON t (id);
                    UPDATE pg_index SET indisvalid = false WHERE indexrelid = '\"My i\"'::regclass;
                  END $$;
                  CREATE INDEX CONCURRENTLY IF NOT EXISTS \"My i\" ON t (id)";
    let (error, left) = failed(bench.apply(script));
    assert!(error.message.contains("is INVALID"), "{error:?}");
    assert_eq!(left, Some(Progress { done: 3, of: 4 }));
}
