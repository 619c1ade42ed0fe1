//! The schema's fingerprint: of what it is, and what it does not depend on.

use tollgate::model::Schema;
use tollgate::model::schema::diff;
use tollgate::targets::Target;
use tollgate::targets::postgres::open;

use crate::bench::Bench;
use crate::support::{Database, PLAIN, settings};

/// Texts that a setting of the session would write in another way.
const TEXTS: &str = r#"
    CREATE TABLE t (
      id int PRIMARY KEY,
      day date DEFAULT '2025-02-03', at timestamptz DEFAULT '2025-02-03 04:05:06+00',
      long interval DEFAULT '1 year 2 days 03:04:05', raw bytea DEFAULT '\x00ff',
      number float8 DEFAULT 0.1::float8 + 1e-17, x text DEFAULT E'a\\b''c', cash money DEFAULT '1.50',
      CHECK (day > '1999-12-31'::date), CHECK (x = ANY (ARRAY['a', 'b']))
    );
    CREATE INDEX i ON t (lower(x)) WHERE at < '2030-01-01 00:00:00+02';
    CREATE VIEW v AS SELECT t.id, t.x || 'é' AS "Name", now() - long AS since FROM t WHERE id = 1;
    CREATE FUNCTION f(a date DEFAULT '2025-02-03') RETURNS int LANGUAGE sql SET DateStyle = 'German' AS 'SELECT 1';
    CREATE POLICY p ON t USING (day < '2025-02-03');
    CREATE STATISTICS s (dependencies) ON id, (lower(x)) FROM t;
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER g AFTER UPDATE ON t FOR EACH ROW WHEN (NEW.day > '2025-02-03') EXECUTE FUNCTION touch('a');
    CREATE RULE r AS ON INSERT TO v DO INSTEAD INSERT INTO t (id, day) VALUES (NEW.id, '2025-02-03');
"#;

/// Functions, operators and a table in the place of the catalog's.
const SHADOWS: &str = "
    CREATE FUNCTION public.format(text, VARIADIC \"any\") RETURNS text LANGUAGE internal IMMUTABLE AS 'text_format';
    CREATE FUNCTION public.lie(name, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
    CREATE FUNCTION public.lie(oid, oid) RETURNS boolean LANGUAGE sql AS 'SELECT false';
    CREATE FUNCTION public.lie(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT false';
    CREATE FUNCTION public.lower(text) RETURNS text LANGUAGE sql AS 'SELECT ''x''::text';
    CREATE FUNCTION public.current_schema() RETURNS name LANGUAGE sql AS 'SELECT ''x''::name';
    CREATE OPERATOR public.= (LEFTARG = name, RIGHTARG = text, FUNCTION = public.lie);
    CREATE OPERATOR public.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = public.lie);
    CREATE OPERATOR public.<> (LEFTARG = text, RIGHTARG = text, FUNCTION = public.lie);
    CREATE TABLE public.pg_class (id int);
";

const HOSTILE: &str = "
    ALTER DATABASE {name} SET search_path = public, pg_catalog;
    ALTER DATABASE {name} SET DateStyle = 'German, DMY';
    ALTER DATABASE {name} SET TimeZone = 'Asia/Tokyo';
    ALTER DATABASE {name} SET IntervalStyle = 'iso_8601';
    ALTER DATABASE {name} SET bytea_output = 'escape';
    ALTER DATABASE {name} SET extra_float_digits = -10;
    ALTER DATABASE {name} SET quote_all_identifiers = on;
    ALTER DATABASE {name} SET standard_conforming_strings = off;
    ALTER DATABASE {name} SET xmlbinary = 'hex';
";

fn both() -> [Database; 2] {
    [Database::new(), Database::plain()]
}

fn names(schema: &Schema) -> Vec<String> {
    let named = |object: &tollgate::model::SchemaObject| format!("{} {}", object.kind, object.name);
    schema.objects().iter().map(named).collect()
}

#[test]
fn it_does_not_depend_on_the_session() {
    for database in both() {
        database.run(TEXTS).unwrap();
        database.run(SHADOWS).unwrap();
        let before = database.open().schema().unwrap();
        assert!(before.to_text().contains("'2025-02-03'::date"));
        assert!(before.get("table", "public.pg_class").is_some());
        let hostile = HOSTILE.replace("{name}", database.name());
        // Each alone: a transaction of several ALTER DATABASE is one too.
        for line in hostile.lines().filter(|line| !line.trim().is_empty()) {
            database.run(line).unwrap();
        }
        let style =
            "SELECT current_setting('DateStyle') || current_setting('quote_all_identifiers')";
        assert_eq!(database.ask(style), "German, DMYon");
        let after = database.open().schema().unwrap();
        assert_eq!(diff(&before, &after), []);
        assert_eq!(before.digest(), after.digest());
    }
}

#[test]
fn the_session_is_as_it_was() {
    for mut bench in Bench::both() {
        let script = "CREATE TABLE later (id int);
             DO $$ BEGIN IF current_setting('search_path') NOT LIKE '%public%'
               OR current_setting('transaction_read_only') <> 'off' OR current_setting('jit') <> 'on'
             THEN RAISE 'leak'; END IF; END $$";
        bench.target.schema().unwrap();
        bench.apply(script).unwrap();
        assert_eq!(bench.receipts(), 1);
    }
}

#[test]
fn what_only_moves_is_no_part_of_it() {
    for database in both() {
        database
            .run("CREATE TABLE t (id serial, x text); CREATE INDEX ON t (x); CREATE SEQUENCE s")
            .unwrap();
        let before = database.open().schema().unwrap();
        database
            .run("INSERT INTO t (x) SELECT n::text FROM generate_series(1, 100) n; SELECT nextval('s'), setval('s', 50); ANALYZE t")
            .unwrap();
        for alone in ["VACUUM FULL t", "REINDEX TABLE t", "TRUNCATE t"] {
            database.run(alone).unwrap();
        }
        assert_eq!(diff(&before, &database.open().schema().unwrap()), []);
    }
}

/// What is granted and taken back stands in the catalog in another way than what was never granted.
#[test]
fn a_grant_that_was_taken_back_leaves_no_trace() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (id int); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE TYPE e AS ENUM ()")
        .unwrap();
    let before = database.open().schema().unwrap();
    for (what, right) in [
        ("TABLE t", "SELECT"),
        ("FUNCTION f()", "EXECUTE"),
        ("TYPE e", "USAGE"),
    ] {
        let grant = format!("GRANT {right} ON {what} TO pg_monitor");
        let revoke = format!("REVOKE {right} ON {what} FROM pg_monitor");
        database.run(&grant).unwrap();
        assert_eq!(diff(&before, &database.open().schema().unwrap()).len(), 1);
        database.run(&revoke).unwrap();
    }
    assert_eq!(diff(&before, &database.open().schema().unwrap()), []);
}

#[test]
fn what_others_own_elsewhere_is_not_seen() {
    let database = Database::plain();
    database
        .run(&format!(
            "CREATE SCHEMA auth; CREATE TABLE auth.users (id int);
             CREATE SCHEMA theirs; CREATE TABLE theirs.t (id int); CREATE TABLE theirs.ours (id int);
             ALTER TABLE theirs.ours OWNER TO {PLAIN};
             CREATE SCHEMA ours AUTHORIZATION {PLAIN}; CREATE TABLE ours.t (id int);
             CREATE SCHEMA code; CREATE FUNCTION code.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
             ALTER FUNCTION code.f() OWNER TO {PLAIN}; CREATE VIEW code.v AS SELECT 1 AS a;
             CREATE SCHEMA app; CREATE TABLE app.t (id int);
             CREATE PUBLICATION all_of_it FOR ALL TABLES;
             CREATE SCHEMA tollgate_hub AUTHORIZATION {PLAIN}; CREATE TABLE tollgate_hub.t (id int)"
        ))
        .unwrap();
    let seen = names(&database.open().schema().unwrap());
    for there in [
        "table theirs.t",
        "table theirs.ours",
        "table ours.t",
        "view code.v",
    ] {
        assert!(seen.iter().any(|name| name == there), "{there}: {seen:#?}");
    }
    for hidden in [
        "auth",
        "app.",
        "tollgate",
        "all_of_it",
        "pg_",
        "information_schema",
    ] {
        assert!(
            !seen.iter().any(|name| name.contains(hidden)),
            "{hidden}: {seen:#?}"
        );
    }
    // The URL names the application's schema.
    let url = format!("{}?schema=app", database.url());
    let seen = names(&open(&settings(&url)).unwrap().schema().unwrap());
    assert!(seen.iter().any(|name| name == "table app.t"), "{seen:#?}");
    // So does the search path.
    database
        .run(&format!(
            "ALTER DATABASE {} SET search_path = app; GRANT USAGE ON SCHEMA app TO {PLAIN}",
            database.name()
        ))
        .unwrap();
    let seen = names(&database.open().schema().unwrap());
    assert!(seen.iter().any(|name| name == "table app.t"), "{seen:#?}");
}

/// Also where it inherits nothing: its script may become the other role.
#[test]
fn what_a_role_owns_that_this_one_is_a_member_of_is_seen() {
    let database = Database::plain();
    database
        .run(
            "DO $$ BEGIN CREATE ROLE tollgate_owner; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
             CREATE SCHEMA theirs AUTHORIZATION tollgate_owner; CREATE TABLE theirs.t (id int);
             CREATE SCHEMA part; CREATE FUNCTION part.f() RETURNS int LANGUAGE sql AS 'SELECT 1';
             ALTER FUNCTION part.f() OWNER TO tollgate_owner",
        )
        .unwrap();
    let sees = |name: &str| {
        let seen = names(&database.open().schema().unwrap());
        seen.iter().any(|one| one == name)
    };
    assert!(!sees("table theirs.t"));
    database
        .run(&format!("GRANT tollgate_owner TO {PLAIN}"))
        .unwrap();
    let found = sees("table theirs.t") && sees("function part.f()");
    database
        .run(&format!("REVOKE tollgate_owner FROM {PLAIN}"))
        .unwrap();
    assert!(found);
    // A superuser is a member of every role.
    let all = names(
        &open(&settings(&database.superuser_url()))
            .unwrap()
            .schema()
            .unwrap(),
    );
    assert!(all.iter().any(|one| one == "table theirs.t"), "{all:#?}");
}

#[test]
fn a_plain_role_sees_what_its_own_scripts_make() {
    let mut bench = Bench::plain();
    let empty = bench.target.schema().unwrap();
    bench
        .apply(
            "CREATE SCHEMA own; CREATE TABLE own.t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at date);
             CREATE TYPE own.mood AS ENUM ('low', 'high'); COMMENT ON TABLE own.t IS 'x';
             CREATE EXTENSION hstore; CREATE PUBLICATION news FOR TABLE own.t;
             ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;
             CREATE TEMP TABLE gone (id int)",
        )
        .unwrap();
    let full = bench.target.schema().unwrap();
    let added: Vec<_> = diff(&empty, &full)
        .into_iter()
        .map(|one| format!("{} {}", one.kind, one.name))
        .collect();
    assert_eq!(
        added,
        [
            "column own.t.at",
            "column own.t.id",
            "column order own.t",
            "constraint own.t.t_pkey",
            "default privileges of tollgate_plain on tables",
            "enum own.mood",
            // And nothing of what it brought.
            "extension hstore",
            "index own.t_pkey",
            "publication news",
            "schema own",
            "sequence own.t_id_seq",
            "table own.t",
        ]
    );
    bench
        .apply("DROP SCHEMA own CASCADE; DROP EXTENSION hstore; DROP PUBLICATION news; ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM PUBLIC")
        .unwrap();
    assert_eq!(diff(&empty, &bench.target.schema().unwrap()), []);
}

#[test]
fn odd_names_and_keys_of_others() {
    let database = Database::new();
    database
        .run(
            "CREATE TABLE \"a.b\" (\"c\nowner: x\" int, \"é\"\"\" int); CREATE TABLE \"a\" (id int);
             COMMENT ON TABLE \"a.b\" IS E'x\nowner: nobody'; CREATE TYPE nothing AS ENUM ();
             CREATE FOREIGN DATA WRAPPER w; CREATE SERVER far FOREIGN DATA WRAPPER w OPTIONS (api_key 'hunter2')",
        )
        .unwrap();
    let schema = database.open().schema().unwrap();
    let table = schema.get("table", "public.\"a.b\"").unwrap();
    assert!(
        table
            .definition
            .contains("comment:\n  x\n  owner: nobody\n"),
        "{table:?}"
    );
    assert!(
        schema
            .get("column", "public.\"a.b\".\"c\nowner: x\"")
            .is_some()
    );
    assert_eq!(Schema::from_text(&schema.to_text()).as_ref(), Ok(&schema));
    assert!(!schema.to_text().contains("hunter2"));
}

/// An extension is its name and its version, whatever it brings.
#[test]
fn what_an_extension_brings_is_not_told() {
    let database = Database::new();
    let before = database.open().schema().unwrap();
    let there = "SELECT name FROM pg_available_extensions WHERE name NOT LIKE 'pl%' ORDER BY name";
    let mut made = 0;
    for row in database.run(there).unwrap() {
        let name = row[0].clone().unwrap();
        // Some need a setting or a library that is not there.
        let create = format!("CREATE EXTENSION IF NOT EXISTS \"{name}\" CASCADE");
        made += usize::from(database.run(&create).is_ok());
    }
    assert!(made > 10, "{made}");
    for one in diff(&before, &database.open().schema().unwrap()) {
        assert_eq!(one.kind, "extension", "{one:?}");
    }
}

/// Another session makes and drops what is being read: each reading is a whole one.
#[test]
fn it_is_read_while_others_change_things() {
    let database = Database::new();
    let url = database.superuser_url();
    std::thread::scope(|scope| {
        let churn = scope.spawn(|| {
            for n in 0..40 {
                let sql = format!(
                    "CREATE TABLE churn_{n} (id serial PRIMARY KEY, a int CHECK (a > 0)); CREATE VIEW churn_v_{n} AS SELECT id FROM churn_{n}"
                );
                crate::support::run(&url, &sql).unwrap();
                crate::support::run(&url, &format!("DROP TABLE churn_{n} CASCADE")).unwrap();
            }
        });
        let mut target = database.open();
        while !churn.is_finished() {
            // A text that could not be written any more is null, and its line would not be there.
            for object in target.schema().unwrap().objects() {
                let is_view = object.kind == "view";
                assert!(
                    !is_view || object.definition.contains("SELECT"),
                    "{object:?}"
                );
            }
        }
    });
}
