//! `schema=` in the URL: the whole search path of every script, and made where it is missing.

use tollgate::model::ReceiptKind;
use tollgate::targets::postgres::{PostgresTarget, open};
use tollgate::targets::{Earlier, Gone, Target};

use crate::bench::{Bench, failed, incarnation, lock};
use crate::pooler::{Pooler, SWALLOWS};
use crate::support::{Database, PLAIN, settings};

/// Each with how it is written in a URL, and in SQL.
const NAMES: [(&str, &str, &str); 4] = [
    ("app", "app", "app"),
    ("My \"App\"", "My%20%22App%22", "\"My \"\"App\"\"\""),
    // Everything that quoting and filling could trip over.
    (
        "{body}' $$ -- %",
        "%7Bbody%7D%27%20%24%24%20--%20%25",
        "\"{body}' $$ -- %\"",
    ),
    ("public", "public", "public"),
];

/// The database with this schema in its URL.
fn connect(database: &Database, schema: &str) -> PostgresTarget {
    open(&settings(&format!("{}?schema={schema}", database.url()))).unwrap()
}

fn bench(database: Database, schema: &str) -> Bench {
    let target = connect(&database, schema);
    Bench::with(database, target)
}

fn both(schema: &str) -> [Bench; 2] {
    [Database::new(), Database::plain()].map(|database| bench(database, schema))
}

/// Where a table stands: the names of the schemas that have one of that name.
fn places(bench: &Bench, table: &str) -> String {
    bench.database.ask(&format!(
        "SELECT string_agg(relnamespace::regnamespace::text, ' ' ORDER BY relnamespace::regnamespace::text) FROM pg_class WHERE relname = '{table}'"
    ))
}

fn has_schema(database: &Database, name: &str) -> bool {
    let quoted = name.replace('\'', "''");
    database.ask(&format!(
        "SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = '{quoted}')"
    )) == "t"
}

#[test]
fn it_is_made_when_the_target_is_entered_and_not_before() {
    for (name, written, quoted) in NAMES {
        for database in [Database::new(), Database::plain()] {
            if name == "public" {
                database.run("DROP SCHEMA public").unwrap();
            }
            let mut target = connect(&database, written);
            lock(&mut target);
            let survey = target.survey().unwrap();
            assert_eq!((survey.recorded, survey.gone), (None, None));
            assert!(!has_schema(&database, name), "{name}: a look makes nothing");
            let mut bench = Bench::with(database, target);
            assert!(has_schema(&bench.database, name), "{name}");
            let same = "SELECT application_schema::regnamespace::text FROM tollgate.identity";
            assert_eq!(bench.database.ask(same), quoted);
            assert_eq!(bench.survey().gone, None);
            bench.apply("CREATE TABLE t (id int)").unwrap();
            assert_eq!(places(&bench, "t"), quoted);
            let same = same.replace("identity", "receipt");
            assert_eq!(bench.database.ask(&same), quoted);
            assert_eq!(bench.survey().gone, None);
            assert_eq!(bench.receipts(), 1);
        }
    }
}

/// A role that may make no schema uses one that is there, and is told of one that is not.
#[test]
fn a_schema_that_is_there_needs_no_right_to_make_it() {
    let mut bench = Bench::plain();
    bench
        .database
        .run(&format!(
            "CREATE SCHEMA app; GRANT ALL ON SCHEMA app TO {PLAIN};
             ALTER DATABASE {} OWNER TO tollgate_test",
            bench.database.name()
        ))
        .unwrap();
    bench.target = connect(&bench.database, "app");
    lock(&mut bench.target);
    bench.apply("CREATE TABLE t (id int)").unwrap();
    assert_eq!(places(&bench, "t"), "app");
    bench.target = connect(&bench.database, "other");
    lock(&mut bench.target);
    let (error, left) = failed(bench.apply("CREATE TABLE t (id int)"));
    assert!(
        error.message.starts_with(
            "the schema \"other\" of the target's URL is not there, and could not be made: permission denied for database"
        ),
        "{error:?}"
    );
    assert_eq!((error.code.as_deref(), left), (Some("42501"), None));
    assert_eq!(bench.receipts(), 1);
}

/// What a script does to its search path, and how it is run.
const LEAKS: [&str; 9] = [
    "SET search_path = public",
    "SET search_path TO DEFAULT",
    "RESET ALL; CREATE TABLE public.here_{n} (id int)",
    "SELECT pg_catalog.set_config('search_path', '', false)",
    "SET search_path = public; SELECT 1 / 0",
    "RESET search_path; CREATE INDEX CONCURRENTLY ON nowhere (id)",
    "SET search_path = public; VACUUM",
    "BEGIN; SET search_path = public; COMMIT; RESET ALL",
    "BEGIN; SET search_path = public; SELECT 1 / 0; COMMIT",
];

/// The next script finds the schema again, whatever the one before it did.
#[test]
fn what_a_script_sets_does_not_reach_the_next_one() {
    for (_, written, quoted) in NAMES {
        for mut bench in both(written) {
            bench
                .database
                .run("CREATE SCHEMA IF NOT EXISTS public")
                .unwrap();
            for (n, script) in LEAKS.iter().enumerate() {
                let script = script.replace("{n}", &n.to_string());
                let _ = bench.apply(&script);
                let _ = bench.apply_unread(&script);
                if n == 0 {
                    let unread = bench.apply_unread(
                        "CREATE TABLE ended (id int); COMMIT; SET search_path = public",
                    );
                    assert_eq!(unread.unwrap().kind, ReceiptKind::Journalled);
                    assert_eq!(places(&bench, "ended"), quoted);
                }
                // One for each way in which a script is run.
                bench
                    .apply(&format!("CREATE TABLE atomic_{n} (id int)"))
                    .unwrap();
                bench
                    .apply(&format!("CREATE TABLE alone_{n} (id int); VACUUM"))
                    .unwrap();
                bench
                    .apply_unread(&format!("CREATE TABLE unread_{n} (id int)"))
                    .unwrap();
                for kind in ["atomic", "alone", "unread"] {
                    assert_eq!(places(&bench, &format!("{kind}_{n}")), quoted, "{script}");
                }
            }
            let schemas = "SELECT count(DISTINCT application_schema) FROM tollgate.receipt";
            assert_eq!(bench.database.ask(schemas), "1");
            assert_eq!(bench.survey().gone, None);
        }
    }
}

/// The server's default does not come through: Prisma sets the search path to the schema only.
#[test]
fn nothing_else_is_in_the_search_path() {
    let database = Database::new();
    database.run("CREATE TABLE public.theirs (id int)").unwrap();
    let mut bench = bench(database, "app");
    let (error, _) = failed(bench.apply("INSERT INTO theirs VALUES (1)"));
    assert_eq!(error.code.as_deref(), Some("42P01"));
    let (error, _) = failed(bench.apply("INSERT INTO theirs VALUES (1)"));
    assert_eq!(error.code.as_deref(), Some("42P01"));
}

/// The schema is dropped and made anew by somebody else: a reset, as with any schema.
#[test]
fn a_schema_that_was_made_anew_is_a_reset() {
    for (again, now, filled) in [
        ("", None, false),
        ("CREATE SCHEMA app", Some("app"), false),
        (
            "CREATE SCHEMA app; CREATE TABLE app.t (id int)",
            Some("app"),
            true,
        ),
    ] {
        let mut bench = bench(Database::new(), "app");
        bench.apply("CREATE TABLE t (id int)").unwrap();
        assert_eq!(bench.survey().gone, None);
        bench
            .database
            .run(&format!("DROP SCHEMA app CASCADE; {again}"))
            .unwrap();
        let gone = Gone::Schema {
            name: None,
            now: now.map(str::to_owned),
            filled,
        };
        assert_eq!(bench.survey().gone, Some(gone), "{again}");
        // `bind --emptied`, in a new contact.
        bench.target = connect(&bench.database, "app");
        lock(&mut bench.target);
        assert_eq!(has_schema(&bench.database, "app"), now.is_some());
        bench
            .target
            .initialise(&"dev".parse().unwrap(), incarnation(2), Earlier::Archive)
            .unwrap();
        assert_eq!(bench.survey().gone, None);
        bench.apply("CREATE TABLE second (id int)").unwrap();
        assert_eq!(places(&bench, "second"), "app");
    }
}

/// A script that makes its schema anew is none.
#[test]
fn a_script_may_make_the_schema_anew() {
    let mut bench = bench(Database::new(), "app");
    bench.apply("CREATE TABLE t (id int)").unwrap();
    bench
        .apply("DROP SCHEMA app CASCADE; CREATE SCHEMA app; CREATE TABLE t (id int)")
        .unwrap();
    assert_eq!(bench.survey().gone, None);
    // One that leaves none: the next one finds it again.
    bench.apply("DROP SCHEMA app CASCADE").unwrap();
    assert_eq!(bench.survey().gone, None);
    bench.apply("CREATE TABLE t (id int)").unwrap();
    assert_eq!(places(&bench, "t"), "app");
}

/// A target that was entered without a schema, or with another one.
#[test]
fn a_url_that_names_another_schema_later() {
    for mut bench in Bench::both() {
        bench.apply("CREATE TABLE t (id int)").unwrap();
        bench.target = connect(&bench.database, "app");
        lock(&mut bench.target);
        assert_eq!(bench.survey().gone, None);
        assert!(!has_schema(&bench.database, "app"));
        bench.apply("CREATE TABLE t (id int)").unwrap();
        assert_eq!(places(&bench, "t"), "app public");
        bench.reconnect();
        assert_eq!(bench.survey().gone, None);
        bench.apply("CREATE TABLE u (id int)").unwrap();
        assert_eq!(places(&bench, "u"), "public");
    }
}

#[test]
fn a_reset_empties_it_and_leaves_it_standing() {
    for (name, written, quoted) in NAMES {
        for mut bench in both(written) {
            let everything = "CREATE TABLE t (id int); CREATE TYPE mood AS ENUM ('good'); CREATE SCHEMA second; CREATE TABLE second.t (id int)";
            bench.apply(everything).unwrap();
            let oid = format!(
                "SELECT oid, nspacl FROM pg_namespace WHERE nspname = '{}'",
                name.replace('\'', "''")
            );
            bench
                .database
                .run(&format!("GRANT USAGE ON SCHEMA {quoted} TO PUBLIC"))
                .unwrap();
            let before = bench.database.run(&oid).unwrap();
            bench
                .target
                .empty(&"dev".parse().unwrap(), incarnation(2))
                .unwrap();
            assert_eq!(
                bench.database.run(&oid).unwrap(),
                before,
                "{name}: it stays"
            );
            assert_eq!(places(&bench, "t"), "");
            assert!(!has_schema(&bench.database, "second"));
            assert_eq!(
                bench
                    .database
                    .ask("SELECT application_schema::regnamespace::text FROM tollgate.identity"),
                quoted
            );
            assert_eq!(bench.survey().gone, None);
            // The same session goes on, and the same script runs again.
            bench.apply(everything).unwrap();
            assert_eq!(places(&bench, "mood"), "");
            assert!(places(&bench, "t").contains(quoted));
        }
    }
}

/// What the identity row knows is another schema, or none that stands.
#[test]
fn a_reset_makes_the_schema_that_is_missing_and_keeps_the_one_that_is_there() {
    let mut bench = bench(Database::plain(), "app");
    bench.apply("CREATE TABLE t (id int)").unwrap();
    bench.database.run("DROP SCHEMA app CASCADE").unwrap();
    bench
        .target
        .empty(&"dev".parse().unwrap(), incarnation(2))
        .unwrap();
    assert!(has_schema(&bench.database, "app"));
    bench.apply("CREATE TABLE t (id int)").unwrap();
    assert_eq!(places(&bench, "t"), "app");
    bench.target = connect(&bench.database, "later");
    lock(&mut bench.target);
    bench.apply("CREATE TABLE t (id int)").unwrap();
    let oid = "SELECT string_agg(oid::text, ' ' ORDER BY oid) FROM pg_namespace WHERE nspname IN ('app', 'later')";
    let before = bench.database.ask(oid);
    bench
        .target
        .empty(&"dev".parse().unwrap(), incarnation(3))
        .unwrap();
    assert_eq!(bench.database.ask(oid), before);
    assert_eq!(places(&bench, "t"), "");
}

/// A pooler in session mode that swallows or refuses the startup options.
#[test]
fn a_session_pooler_does_not_lose_it() {
    for more in ["", SWALLOWS] {
        let pooler = Pooler::new("session", more);
        let database = Database::new();
        let url = format!("{}&schema=My%20%22App%22", pooler.url(&database));
        let target = open(&settings(&url)).unwrap();
        let mut bench = Bench::with(database, target);
        failed(bench.apply("RESET ALL"));
        bench.apply("CREATE TABLE one (id int)").unwrap();
        failed(bench.apply("SET search_path = public; SELECT 1 / 0"));
        bench.apply("CREATE TABLE two (id int)").unwrap();
        bench
            .apply("CREATE INDEX CONCURRENTLY i ON two (id)")
            .unwrap();
        bench.apply_unread("CREATE TABLE three (id int)").unwrap();
        for table in ["one", "two", "three", "i"] {
            assert_eq!(
                places(&bench, table),
                "\"My \"\"App\"\"\"",
                "{more} {table}"
            );
        }
    }
}
