use super::*;
use crate::model::DownLabel;
use crate::model::entry::Engine;

fn postgresql(script: &str) -> Reversal {
    reverse(&Past::new(Engine::Postgresql), script)
}

fn sqlite(script: &str) -> Reversal {
    reverse(&Past::new(Engine::Sqlite), script)
}

/// With a script before it.
fn after(before: &str, script: &str) -> Reversal {
    let mut past = Past::new(Engine::Postgresql);
    past.read(before);
    reverse(&past, script)
}

#[track_caller]
fn whole(reversal: &Reversal, sql: &str) {
    assert_eq!((&reversal.open[..], reversal.sql.as_str()), (&[][..], sql));
}

#[test]
fn a_script_is_undone_in_reverse_order() {
    let reversal = after(
        "CREATE TABLE app.post (title text);",
        "CREATE TYPE \"Role\" AS ENUM ('A');\n\
         CREATE TABLE \"User\" (\"id\" serial PRIMARY KEY, \"role\" \"Role\");\n\
         CREATE UNIQUE INDEX \"User_role_key\" ON \"User\" (\"role\");\n\
         ALTER TABLE app.post ADD COLUMN author int, ADD CONSTRAINT post_author_fkey FOREIGN KEY (author) REFERENCES \"User\" (id);\n\
         CREATE INDEX post_author_idx ON app.post (author);\n\
         ALTER TABLE app.post ALTER COLUMN title SET NOT NULL;\n\
         ALTER TABLE old RENAME TO new;\n\
         ALTER TABLE new RENAME COLUMN a TO b;\n\
         ALTER INDEX app.i RENAME TO j;\n\
         ALTER TYPE \"Kind\" RENAME VALUE 'it''s' TO 'x';",
    );
    whole(
        &reversal,
        "ALTER TYPE \"Kind\" RENAME VALUE 'x' TO 'it''s';\n\
         ALTER INDEX \"app\".\"j\" RENAME TO \"i\";\n\
         ALTER TABLE \"new\" RENAME COLUMN \"b\" TO \"a\";\n\
         ALTER TABLE \"new\" RENAME TO \"old\";\n\
         ALTER TABLE \"app\".\"post\" ALTER COLUMN \"title\" DROP NOT NULL;\n\
         DROP INDEX \"app\".\"post_author_idx\";\n\
         ALTER TABLE \"app\".\"post\" DROP CONSTRAINT \"post_author_fkey\";\n\
         ALTER TABLE \"app\".\"post\" DROP COLUMN \"author\";\n\
         DROP TABLE \"User\";\n\
         DROP TYPE \"Role\";\n",
    );
    assert_eq!(reversal.loses, ["User", "app.post.author"]);
}

#[test]
fn what_is_done_to_what_the_script_made_goes_with_it() {
    let made = "CREATE TABLE t (id int);\n";
    for done in [
        "CREATE INDEX ON t (id);",
        "CREATE INDEX IF NOT EXISTS i ON t (id);",
        "ALTER TABLE t ADD UNIQUE (id), ADD COLUMN IF NOT EXISTS a int, DROP COLUMN id;",
        "ALTER TABLE t ALTER id SET DEFAULT 1, ALTER id DROP NOT NULL, ALTER id TYPE bigint, OWNER TO me;",
        "INSERT INTO t SELECT 1; UPDATE t SET id = 2; DELETE FROM t; TRUNCATE t;",
        "COMMENT ON TABLE t IS 'x'; COMMENT ON COLUMN t.id IS 'x'; GRANT SELECT, INSERT ON TABLE t TO me;",
        "CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f(); ALTER TABLE t ENABLE ROW LEVEL SECURITY;",
        "CREATE TABLE u (id int); DROP TABLE u;",
        "CREATE TABLE u (id int); CREATE INDEX i ON u (id); ALTER TABLE u RENAME TO v; DROP TABLE v;",
        "ALTER TABLE old ADD COLUMN a int; CREATE INDEX i ON old (a); ALTER TABLE old DROP COLUMN a;",
        "CREATE TEMP TABLE u (id int); INSERT INTO u VALUES (1); ALTER TABLE u ADD COLUMN a int;",
        "SET lock_timeout = '1s'; SET LOCAL statement_timeout = 0; ANALYZE t; BEGIN; COMMIT; SELECT 1;",
        "LOCK TABLE old; VACUUM old; REINDEX TABLE old; SET TRANSACTION READ WRITE;",
    ] {
        whole(&postgresql(&format!("{made}{done}")), "DROP TABLE \"t\";\n");
    }
    let added = "ALTER TABLE t ADD COLUMN a text;\n";
    for done in [
        "UPDATE t SET a = b;",
        "ALTER TABLE t ALTER COLUMN a SET NOT NULL, ALTER a SET DEFAULT '', ALTER a DROP DEFAULT;",
        "ALTER TABLE t ALTER a TYPE int USING 1; COMMENT ON COLUMN t.a IS 'x';",
    ] {
        let before = "CREATE TABLE t (id int, b text);";
        let reversal = after(before, &format!("{added}{done}"));
        whole(&reversal, "ALTER TABLE \"t\" DROP COLUMN \"a\";\n");
    }
}

/// What a statement cannot tell of before is open, and nothing is written in its place that would run.
#[test]
fn what_is_not_certain_is_open() {
    for (script, why) in [
        ("CREATE TABLE IF NOT EXISTS t (id int)", "IF NOT EXISTS"),
        ("CREATE SCHEMA IF NOT EXISTS s", "IF NOT EXISTS"),
        ("CREATE INDEX IF NOT EXISTS i ON t (a)", "IF NOT EXISTS"),
        (
            "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int",
            "IF NOT EXISTS",
        ),
        ("ALTER TABLE IF EXISTS t ADD COLUMN a int", "IF EXISTS"),
        ("ALTER TABLE IF EXISTS t RENAME TO u", "IF EXISTS"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", "OR REPLACE"),
        (
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
            "OR REPLACE",
        ),
        ("CREATE INDEX ON t (a)", "the server chose the name"),
        ("ALTER TABLE t ADD UNIQUE (a)", "the server chose the name"),
        (
            "ALTER TABLE t ADD CHECK (a > 1)",
            "the server chose the name",
        ),
        ("ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY (a)", "NOT NULL"),
        (
            "ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i",
            "the index that it took over",
        ),
        ("ALTER TYPE e ADD VALUE 'x'", "cannot be taken from an enum"),
        ("ALTER TABLE t ALTER a SET DEFAULT 1", "default was before"),
        ("ALTER TABLE t ALTER a DROP DEFAULT", "default was"),
        ("ALTER TABLE t ALTER a DROP NOT NULL", "NOT NULL before"),
        ("ALTER TABLE t ALTER a SET NOT NULL", "NOT NULL before"),
        ("ALTER TABLE t ALTER a TYPE int", "the type was before"),
        ("ALTER TABLE t SET SCHEMA s", "which schema"),
        (
            "ALTER TABLE t VALIDATE CONSTRAINT c",
            "whether it was valid",
        ),
        (
            "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
            "ENABLE ROW LEVEL",
        ),
        ("ALTER TABLE t OWNER TO x", "OWNER TO"),
        (
            "ALTER TABLE p ATTACH PARTITION q DEFAULT",
            "ATTACH PARTITION",
        ),
        ("DROP TABLE t", "what the table was"),
        ("DROP TABLE IF EXISTS t CASCADE", "what the table was"),
        ("ALTER TABLE t DROP COLUMN a", "what the column was"),
        ("ALTER TABLE t DROP CONSTRAINT a", "what the constraint was"),
        ("DROP INDEX CONCURRENTLY i", "what the index was"),
        ("DROP FUNCTION f(int)", "what the function was"),
        ("TRUNCATE t", "are gone"),
        ("INSERT INTO t VALUES (1)", "cannot be told from others"),
        ("UPDATE t SET a = 1", "are gone"),
        ("DELETE FROM t WHERE a", "are gone"),
        (
            "DO $$ BEGIN CREATE TABLE t (id int); END $$",
            "what DO does",
        ),
        ("SELECT my_function()", "what SELECT does"),
        ("CREATE EXTENSION citext", "CREATE EXTENSION"),
        ("COMMENT ON TABLE t IS 'x'", "COMMENT ON"),
        ("GRANT SELECT ON t TO me", "GRANT"),
        ("SET search_path = app", "SEARCH_PATH"),
        ("BEGIN; ROLLBACK", "ROLLBACK"),
        ("CREATE TYPE t (INPUT = a, OUTPUT = b)", "need each other"),
        ("CREATE TABLE t (", "cannot be read"),
    ] {
        let reversal = postgresql(script);
        assert_eq!(reversal.open.len(), 1, "{script}: {reversal:?}");
        assert!(reversal.open[0].why.contains(why), "{script}: {reversal:?}");
        let runs: Vec<&str> = reversal
            .sql
            .lines()
            .filter(|line| !line.starts_with("--"))
            .collect();
        assert_eq!(
            runs,
            [
                "DO $$ BEGIN RAISE EXCEPTION 'write by hand what reverses line 1, then take this statement away'; END $$;"
            ],
            "{script}"
        );
        assert_eq!(reversal.label(), None);
    }
}

#[test]
fn what_the_script_made_and_may_be_another_is_open() {
    for script in [
        // A table of that name may stand in another schema.
        "CREATE TABLE t (id int); ALTER TABLE public.t DROP COLUMN id",
        "CREATE TABLE t (id int); DROP TABLE public.t",
        // Another one may have gone with it.
        "CREATE TABLE t (id int); DROP TABLE t CASCADE",
        "ALTER TABLE t ADD COLUMN a int; ALTER TABLE t DROP COLUMN a CASCADE",
        // It may have stood before, and so may its columns.
        "CREATE TABLE IF NOT EXISTS t (id int); INSERT INTO t VALUES (1)",
        // A function of another signature may be meant.
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION f(int)",
        // A trigger may have carried the rows elsewhere.
        "CREATE TABLE t (id int); CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f(); INSERT INTO t VALUES (1)",
        // A partition goes with its parent.
        "CREATE TABLE p (id int) PARTITION BY LIST (id); ALTER TABLE p ATTACH PARTITION old DEFAULT",
    ] {
        assert!(!postgresql(script).is_whole(), "{script}");
    }
}

/// What holds on to something that was made after it has to let go first.
#[test]
fn dependencies_are_taken_apart_in_order() {
    whole(
        &postgresql(
            "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int);\n\
             ALTER TABLE a ADD CONSTRAINT a_b_fkey FOREIGN KEY (b) REFERENCES b (id);\n\
             ALTER TABLE b ADD CONSTRAINT b_a_fkey FOREIGN KEY (a) REFERENCES a (id);",
        ),
        "ALTER TABLE \"a\" DROP CONSTRAINT \"a_b_fkey\";\nDROP TABLE \"b\";\nDROP TABLE \"a\";\n",
    );
    whole(
        &postgresql(
            "CREATE TABLE a (id int); CREATE TYPE e AS ENUM ('x'); ALTER TABLE a ADD COLUMN e e;\n\
             CREATE SEQUENCE s; ALTER TABLE a ALTER COLUMN id SET DEFAULT nextval('s'); ALTER SEQUENCE s OWNED BY a.id;",
        ),
        "ALTER TABLE \"a\" ALTER COLUMN \"id\" DROP DEFAULT;\nDROP SEQUENCE \"s\";\n\
         ALTER TABLE \"a\" DROP COLUMN \"e\";\nDROP TYPE \"e\";\nDROP TABLE \"a\";\n",
    );
    let typed = "CREATE TABLE a (id int); CREATE TYPE e AS ENUM ('x'); ALTER TABLE a ALTER id TYPE e USING 'x'";
    assert!(!postgresql(typed).is_whole());
    let owned = "CREATE SEQUENCE s; CREATE TABLE a (id int DEFAULT nextval('s')); ALTER SEQUENCE s OWNED BY a.id";
    assert!(!postgresql(owned).is_whole());
    whole(
        &postgresql(
            "ALTER TABLE t ADD COLUMN id int; ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY (id);\n\
             CREATE UNIQUE INDEX i ON t (a); ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i;\n\
             CREATE FUNCTION f(a int, OUT b text) LANGUAGE sql AS 'SELECT 1';\n\
             CREATE TRIGGER g BEFORE INSERT ON t EXECUTE FUNCTION f();",
        ),
        "DROP TRIGGER \"g\" ON \"t\";\nDROP FUNCTION \"f\"(int);\n\
         ALTER TABLE \"t\" DROP CONSTRAINT \"u\";\nALTER TABLE \"t\" DROP CONSTRAINT \"p\";\n\
         ALTER TABLE \"t\" DROP COLUMN \"id\";\n",
    );
}

#[test]
fn a_stub_shows_what_it_stands_for_and_hides_all_of_it() {
    let reversal = postgresql(
        "CREATE TABLE t (id int);\n\
         ALTER TABLE \"User\"\n  DROP COLUMN \"a\", -- tollgate:down lossless\r  ADD COLUMN b int;\n\
         COMMENT ON TABLE\r\nx IS '$$; DROP TABLE y; --\n\n-- tollgate:down lossless';",
    );
    assert_eq!(
        reversal.sql,
        "-- To be written by hand: COMMENT ON does not say what was there before. Line 4:\n\
         --     COMMENT ON TABLE\n\
         --     x IS '$$; DROP TABLE y; --\n\
         --     -- tollgate:down lossless'\n\
         DO $$ BEGIN RAISE EXCEPTION 'write by hand what reverses line 4, then take this statement away'; END $$;\n\
         \n\
         ALTER TABLE \"User\" DROP COLUMN \"b\";\n\
         \n\
         -- To be written by hand: DROP COLUMN says nothing of what the column was. Line 3:\n\
         --     ALTER TABLE \"User\" DROP COLUMN \"a\"\n\
         DO $$ BEGIN RAISE EXCEPTION 'write by hand what reverses line 3, then take this statement away'; END $$;\n\
         \n\
         DROP TABLE \"t\";\n"
    );
    assert_eq!(DownLabel::read(&reversal.sql), Ok(DownLabel::None));
    assert_eq!(
        reversal.label().as_deref(),
        Some("-- tollgate:down lossy: t, User.b")
    );
    let analysis = analyse(Engine::Postgresql, &reversal.sql);
    assert_eq!(analysis.statements().unwrap().len(), 4);
}

#[test]
fn its_label_is_read_back() {
    for (script, label) in [
        (
            "CREATE TABLE \"a, b\".\"c.d\" (id int)",
            "-- tollgate:down lossy: \"a, b\".\"c.d\"",
        ),
        (
            "ALTER TABLE t RENAME TO u; ALTER TABLE u ADD COLUMN a int; ALTER TABLE u RENAME COLUMN a TO \"x y\"",
            "-- tollgate:down lossy: u.\"x y\"",
        ),
        ("ALTER TABLE t RENAME TO u", "-- tollgate:down lossless"),
    ] {
        let reversal = postgresql(script);
        assert_eq!(reversal.label().as_deref(), Some(label), "{script}");
        assert!(DownLabel::read(&format!("{label}\n")).is_ok(), "{script}");
    }
    let nothing = postgresql("ANALYZE t");
    whole(&nothing, "");
    assert_eq!(nothing.label(), None);
}

#[test]
fn sqlite_is_reversed_as_it_allows() {
    whole(
        &sqlite(
            "CREATE TABLE \"Post\" (\"id\" INTEGER PRIMARY KEY AUTOINCREMENT, \"by\" INTEGER REFERENCES \"user\" (\"id\"));\n\
             CREATE TABLE \"User\" (\"id\" INTEGER PRIMARY KEY, up INTEGER REFERENCES User);\n\
             CREATE UNIQUE INDEX \"i\" ON \"Post\" (\"by\"); CREATE INDEX j ON old (a);\n\
             ALTER TABLE old ADD COLUMN b TEXT NOT NULL DEFAULT '';\n\
             INSERT INTO Post DEFAULT VALUES; PRAGMA foreign_keys = ON;\n\
             CREATE VIEW v AS SELECT 1; CREATE TRIGGER g AFTER INSERT ON old BEGIN DELETE FROM Post; END;",
        ),
        "DROP TRIGGER \"g\";\nDROP VIEW \"v\";\nALTER TABLE \"old\" DROP COLUMN \"b\";\nDROP INDEX \"j\";\n\
         DROP TABLE \"Post\";\nDROP TABLE \"User\";\n",
    );
    let around = sqlite(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, b REFERENCES b); CREATE TABLE b (id INTEGER PRIMARY KEY, a REFERENCES a);",
    );
    whole(
        &around,
        "-- These tables refer to each other, and SQLite looks at their rows as each is dropped.\n\
         PRAGMA foreign_keys=OFF;\nDROP TABLE \"b\";\nDROP TABLE \"a\";\nPRAGMA foreign_keys=ON;\n",
    );
    let rebuilt = sqlite(
        "PRAGMA foreign_keys=OFF;\nCREATE TABLE \"new_A\" (\"id\" INTEGER);\nINSERT INTO \"new_A\" SELECT \"id\" FROM \"A\";\n\
         DROP TABLE \"A\";\nALTER TABLE \"new_A\" RENAME TO \"A\";\nPRAGMA foreign_keys=ON;",
    );
    assert_eq!(rebuilt.open.len(), 1, "{rebuilt:?}");
    // What stands in "A" is what stood there before: no label may say that it may be lost.
    assert_eq!(rebuilt.label(), None);
    assert!(rebuilt.sql.contains(
        "SELECT * FROM \"write by hand what reverses line 4, then take this statement away\";\n"
    ));
    for script in [
        "PRAGMA user_version = 2",
        "PRAGMA writable_schema = ON",
        "ATTACH 'x' AS y",
        "CREATE INDEX IF NOT EXISTS i ON t (a)",
        "CREATE TABLE t (",
    ] {
        assert_eq!(sqlite(script).open.len(), 1, "{script}");
    }
}

/// The server takes away first: what has the name afterwards is the new one, and the old one was another.
#[test]
fn what_one_statement_puts_in_the_place_of_an_older_one_does_not_cancel_out() {
    let swap = "ALTER TABLE t ADD CONSTRAINT x CHECK (a > 1), DROP CONSTRAINT x;";
    let open = postgresql(swap);
    assert_eq!(open.open.len(), 1, "{open:?}");
    assert!(open.sql.contains("write by hand"), "{}", open.sql);
    let made = "CREATE TABLE t (a int);\nALTER TABLE t ADD CONSTRAINT x CHECK (a > 0);";
    whole(
        &after(made, swap),
        "ALTER TABLE \"t\" DROP CONSTRAINT \"x\";\nALTER TABLE t ADD CONSTRAINT x CHECK (a > 0);\n",
    );
    let open = postgresql("ALTER TABLE t ADD COLUMN a int, DROP COLUMN a;");
    assert_eq!(open.open.len(), 1, "{open:?}");
    // In two statements they do cancel out.
    whole(
        &postgresql(
            "ALTER TABLE t ADD CONSTRAINT x CHECK (a > 1); ALTER TABLE t DROP CONSTRAINT x;",
        ),
        "",
    );
}
