//! What emptying a database drops, and what it never touches.

use tollgate::targets::{Inventory, Target};

use crate::bench::{Bench, incarnation};
use crate::support::PLAIN;

/// One of every kind that a migration makes.
const EVERYTHING: &str = "
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');
CREATE TYPE pair AS (a int, b int);
CREATE TYPE span AS RANGE (subtype = int);
CREATE SEQUENCE numbers;
CREATE TABLE users (id serial PRIMARY KEY, feeling mood, mail email, whole int GENERATED ALWAYS AS IDENTITY);
CREATE TABLE parts (id int) PARTITION BY RANGE (id);
CREATE TABLE parts_one PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE child (more int) INHERITS (users);
INSERT INTO users (feeling, mail) SELECT 'good', 'a@b' FROM generate_series(1, 100);
CREATE STATISTICS together ON id, feeling FROM users;
CREATE VIEW names AS SELECT mail FROM users;
CREATE MATERIALIZED VIEW counted AS SELECT count(*) FROM names;
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql AS 'SELECT n * 2';
CREATE FUNCTION twice(m mood, VARIADIC rest text[]) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE PROCEDURE act(IN a int, OUT b int) LANGUAGE plpgsql AS 'BEGIN b := a; END';
CREATE AGGREGATE total (int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE FUNCTION same(mood, mood) RETURNS bool LANGUAGE sql AS 'SELECT $1 = $2';
CREATE OPERATOR === (LEFTARG = mood, RIGHTARG = mood, FUNCTION = same);
CREATE COLLATION mine FROM \"C\";
CREATE TEXT SEARCH DICTIONARY words (TEMPLATE = simple);
CREATE TEXT SEARCH CONFIGURATION config (COPY = simple);
CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER guard BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION guard();
CREATE SCHEMA \"Bill ing\";
CREATE TABLE \"Bill ing\".\"in\"\"voice\" (id int REFERENCES users);
SELECT lo_create(0);
ANALYZE users;
";

/// What is left besides the system's and tollgate's own, in `public` and elsewhere.
const LEFT: &str = "SELECT
  (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace)
  + (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)
  + (SELECT count(*) FROM pg_type WHERE typnamespace = 'public'::regnamespace)
  + (SELECT count(*) FROM pg_operator WHERE oprnamespace = 'public'::regnamespace)
  + (SELECT count(*) FROM pg_collation WHERE collnamespace = 'public'::regnamespace)
  + (SELECT count(*) FROM pg_ts_config WHERE cfgnamespace = 'public'::regnamespace)
  + (SELECT count(*) FROM pg_ts_dict WHERE dictnamespace = 'public'::regnamespace)
  + (SELECT count(*) FROM pg_largeobject_metadata)
  + (SELECT count(*) FROM pg_namespace WHERE nspname = 'Bill ing')";

fn counts(inventory: &Inventory) -> Vec<(String, u64)> {
    let parts = inventory.goes.iter();
    parts
        .map(|part| {
            let schema = part.schema.as_deref().unwrap_or("-");
            (format!("{schema} {}", part.kind), part.count)
        })
        .collect()
}

#[test]
fn everything_that_a_migration_makes_goes() {
    for mut bench in Bench::both() {
        bench.apply(EVERYTHING).unwrap();
        let inventory = bench.target.inventory().unwrap();
        let expected = [
            ("- large object", 1),
            ("- schema", 1),
            ("Bill ing table", 1),
            ("public aggregate", 1),
            ("public collation", 1),
            ("public composite type", 1),
            ("public function", 4),
            ("public materialized view", 1),
            ("public operator", 1),
            ("public procedure", 1),
            ("public sequence", 1),
            ("public statistics object", 1),
            ("public table", 4),
            ("public text search configuration", 1),
            ("public text search dictionary", 1),
            ("public type", 3),
            ("public view", 1),
        ];
        let expected: Vec<(String, u64)> = expected
            .iter()
            .map(|(kind, count)| ((*kind).to_owned(), *count))
            .collect();
        assert_eq!(counts(&inventory), expected);
        assert_eq!(inventory.largest, [("public.users".to_owned(), 100)]);
        assert_eq!(inventory.stays, []);
        let grants = "SELECT coalesce(nspacl::text, '') FROM pg_namespace WHERE nspname = 'public'";
        let before = bench.database.ask(grants);
        let emptied = bench
            .target
            .empty(&"dev".parse().unwrap(), incarnation(2))
            .unwrap();
        assert_eq!(emptied.inventory, inventory);
        assert_eq!(bench.database.ask(LEFT), "0");
        assert_eq!(bench.database.ask(grants), before);
        let survey = bench.survey();
        assert_eq!(survey.receipts, []);
        let recorded = survey.recorded.unwrap();
        assert_eq!(
            (recorded.incarnation, recorded.follows),
            (incarnation(2), vec![incarnation(1)])
        );
        assert_eq!(
            bench.database.ask("SELECT count(*) FROM tollgate.archive"),
            "1"
        );
        // The same session goes on, and the same script runs again.
        bench.apply(EVERYTHING).unwrap();
    }
}

/// A hosted service's schemas, extensions and the objects of other roles stay, whatever we are a
/// member of; so do publications. They are told.
#[test]
fn what_others_own_stays() {
    let mut bench = Bench::plain();
    bench
        .apply("CREATE TABLE ours (id int PRIMARY KEY); CREATE PUBLICATION news FOR TABLE ours")
        .unwrap();
    let service = format!("{}_service", bench.database.name());
    bench
        .database
        .run(&format!(
            "CREATE ROLE {service}; GRANT {service} TO {PLAIN};
             CREATE SCHEMA auth AUTHORIZATION {service}; CREATE TABLE auth.users (id int); ALTER TABLE auth.users OWNER TO {service};
             GRANT USAGE ON SCHEMA auth TO {PLAIN};
             CREATE TABLE public.shared (id int); CREATE FUNCTION public.theirs() RETURNS int LANGUAGE sql AS 'SELECT 1';
             CREATE EXTENSION pg_trgm; CREATE EXTENSION citext"
        ))
        .unwrap();
    let emptied = bench
        .target
        .empty(&"dev".parse().unwrap(), incarnation(2))
        .unwrap();
    assert_eq!(counts(&emptied.inventory), [("public table".to_owned(), 1)]);
    let stays: Vec<String> = emptied
        .inventory
        .stays
        .iter()
        .map(|part| {
            format!(
                "{} {} {}",
                part.schema.as_deref().unwrap_or("-"),
                part.kind,
                part.count
            )
        })
        .collect();
    assert_eq!(
        stays,
        [
            "- publication 1",
            "auth table 1",
            "public function 1",
            "public table 1"
        ]
    );
    for table in ["auth.users", "public.shared"] {
        assert_eq!(
            bench
                .database
                .ask(&format!("SELECT to_regclass('{table}') IS NOT NULL")),
            "t"
        );
    }
    assert_eq!(
        bench
            .database
            .ask("SELECT count(*) FROM pg_extension WHERE extname IN ('pg_trgm', 'citext')"),
        "2"
    );
    assert_eq!(bench.database.ask("SELECT 'ABC'::citext = 'abc'"), "t");
    assert!(!bench.has_table("ours"));
    bench
        .database
        .run(&format!("DROP SCHEMA auth CASCADE; DROP ROLE {service}"))
        .unwrap();
}

/// A schema of ours that holds an extension, or something of another role's, is emptied and stays.
#[test]
fn a_schema_that_holds_more_than_ours_is_not_dropped() {
    let mut bench = Bench::plain();
    bench
        .apply("CREATE SCHEMA extensions; CREATE TABLE extensions.ours (id int); CREATE SCHEMA mixed; CREATE TABLE mixed.ours (id int)")
        .unwrap();
    bench
        .database
        .run("CREATE EXTENSION pg_trgm SCHEMA extensions; CREATE TABLE mixed.theirs (id int)")
        .unwrap();
    bench
        .target
        .empty(&"dev".parse().unwrap(), incarnation(2))
        .unwrap();
    let left = "SELECT string_agg(relname, ' ' ORDER BY relname) FROM pg_class WHERE relkind = 'r' AND relnamespace IN ('extensions'::regnamespace, 'mixed'::regnamespace)";
    assert_eq!(bench.database.ask(left), "theirs");
    assert_eq!(
        bench
            .database
            .ask("SELECT extensions.similarity('a', 'a') = 1"),
        "t"
    );
}

/// Dropping a table would take another role's view along: nothing is dropped, and the view is named.
#[test]
fn nothing_of_anothers_is_taken_along() {
    let mut bench = Bench::plain();
    bench
        .apply("CREATE TABLE ours (id int); CREATE TABLE second (id int)")
        .unwrap();
    bench
        .database
        .run("CREATE SCHEMA reports; CREATE VIEW reports.of_ours AS SELECT * FROM public.ours")
        .unwrap();
    let before = bench.survey();
    let error = bench
        .target
        .empty(&"dev".parse().unwrap(), incarnation(2))
        .unwrap_err();
    assert!(
        error.fact.contains("view reports.of_ours of tollgate_test"),
        "{error}"
    );
    assert!(error.fact.ends_with("the target is as it was"), "{error}");
    assert_eq!(bench.survey(), before);
    assert!(bench.has_table("ours") && bench.has_table("second"));
}

/// A migration's own event trigger does not stand in the way, and goes.
#[test]
fn an_event_trigger_of_ours_goes_first() {
    let mut bench = Bench::superuser();
    bench
        .apply("CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'never drop'; END $$; CREATE EVENT TRIGGER no ON sql_drop EXECUTE FUNCTION no(); CREATE TABLE t (id int)")
        .unwrap();
    bench
        .target
        .empty(&"dev".parse().unwrap(), incarnation(2))
        .unwrap();
    assert_eq!(
        bench.database.ask("SELECT count(*) FROM pg_event_trigger"),
        "0"
    );
    assert!(!bench.has_table("t"));
}

/// A prepared transaction holds its locks for ever: it is named, and nothing is half done.
#[test]
fn whoever_holds_a_lock_is_named() {
    let mut bench = Bench::superuser();
    bench
        .apply("CREATE TABLE a (id int); CREATE TABLE z (id int)")
        .unwrap();
    let gid = format!("{}_stuck", bench.database.name());
    bench
        .database
        .run(&format!("BEGIN; LOCK TABLE z IN SHARE MODE; INSERT INTO z VALUES (1); PREPARE TRANSACTION '{gid}'"))
        .unwrap();
    let before = bench.survey();
    let error = bench
        .target
        .empty(&"dev".parse().unwrap(), incarnation(2))
        .unwrap_err();
    assert!(
        error.fact.contains(&format!(
            "public.z is in use by the prepared transaction {gid}"
        )),
        "{error}"
    );
    assert!(
        error
            .remedy
            .as_ref()
            .unwrap()
            .starts_with(&format!("ROLLBACK PREPARED '{gid}'"))
    );
    assert_eq!(bench.survey(), before);
    assert!(bench.has_table("a"));
    // The remedy as it was told.
    bench
        .database
        .run(&format!("ROLLBACK PREPARED '{gid}'"))
        .unwrap();
    bench
        .target
        .empty(&"dev".parse().unwrap(), incarnation(2))
        .unwrap();
    assert!(!bench.has_table("a") && !bench.has_table("z"));
}

/// A database without a schema to work in gets the one that PostgreSQL makes in every database.
#[test]
fn the_schema_public_is_made_again() {
    let mut bench = Bench::plain();
    bench.apply("CREATE TABLE t (id int)").unwrap();
    bench.database.run("DROP SCHEMA public CASCADE").unwrap();
    bench
        .target
        .empty(&"dev".parse().unwrap(), incarnation(2))
        .unwrap();
    bench.apply("CREATE TABLE t (id int)").unwrap();
    assert!(bench.has_table("t"));
}

/// A session that does not end is named with its pid, and the command that ends it.
#[test]
fn a_session_that_holds_a_lock_is_named() {
    let mut bench = Bench::superuser();
    bench.apply("CREATE TABLE a (id int)").unwrap();
    let url = bench.database.superuser_url();
    let (ready, wait) = std::sync::mpsc::channel();
    let (done, end) = std::sync::mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls)
                .await
                .unwrap();
            tokio::spawn(connection);
            client
                .batch_execute("BEGIN; LOCK TABLE a IN ACCESS SHARE MODE")
                .await
                .unwrap();
            ready.send(()).unwrap();
            // The other side hangs up when it has seen enough.
            let _ = end.recv();
        });
    });
    wait.recv().unwrap();
    let error = bench
        .target
        .empty(&"dev".parse().unwrap(), incarnation(2))
        .unwrap_err();
    drop(done);
    holder.join().unwrap();
    assert!(
        error
            .fact
            .contains("public.a is in use by the session with pid"),
        "{error}"
    );
    assert!(error.fact.contains("LOCK TABLE a"), "{error}");
    assert!(
        error
            .remedy
            .as_ref()
            .unwrap()
            .starts_with("SELECT pg_terminate_backend(")
    );
    assert!(bench.has_table("a"));
}

/// The connection ends in the middle: nothing is half done, and the error does not claim to know.
#[test]
fn a_connection_that_ends_in_the_middle_leaves_everything() {
    let mut bench = Bench::superuser();
    bench
        .apply("CREATE TABLE a (id int); CREATE TABLE z (id int)")
        .unwrap();
    let gid = format!("{}_held", bench.database.name());
    bench
        .database
        .run(&format!(
            "BEGIN; LOCK TABLE z IN SHARE MODE; INSERT INTO z VALUES (1); PREPARE TRANSACTION '{gid}'"
        ))
        .unwrap();
    let url = bench.database.superuser_url();
    let killer = std::thread::spawn(move || {
        // As soon as it waits for the lock on z, with a dropped already.
        let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE datname = current_database() AND wait_event_type = 'Lock'";
        (0..200).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            !crate::support::run(&url, kill).unwrap().is_empty()
        })
    });
    let error = bench
        .target
        .empty(&"dev".parse().unwrap(), incarnation(2))
        .unwrap_err();
    assert!(killer.join().unwrap());
    assert!(bench.has_table("a"), "{error}");
    bench
        .database
        .run(&format!("ROLLBACK PREPARED '{gid}'"))
        .unwrap();
    bench.reconnect();
    let survey = bench.survey();
    assert_eq!(survey.recorded.unwrap().incarnation, incarnation(1));
    assert_eq!(survey.receipts.len(), 1);
    bench
        .target
        .empty(&"dev".parse().unwrap(), incarnation(2))
        .unwrap();
    assert!(!bench.has_table("a"));
}
