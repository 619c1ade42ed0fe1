//! Written reversals on real databases: what each kind of statement leaves, up, down and up again. The
//! trees of others are put to the same test by `tests/reverse-trees`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a helper of a test fails like the test itself"
)]

#[path = "../support/mod.rs"]
mod support;
#[path = "../reverse_trees/tree.rs"]
mod tree;

use tollgate::model::entry::Engine;
use tollgate::model::schema::{diff, without_parts};
use tollgate::reverse::{Past, Reversal, reverse};

use crate::tree::Place;

/// What stands before each script for PostgreSQL.
const STANDS: &str = "
    CREATE SCHEMA app;
    CREATE SCHEMA other;
    CREATE TABLE app.old (id int PRIMARY KEY, a int, b text DEFAULT 'x', c int NOT NULL DEFAULT 1);
    INSERT INTO app.old VALUES (1, 2, 'y', 3);
    CREATE TABLE old (id int PRIMARY KEY, a int, b text, c int, CONSTRAINT k UNIQUE (a, b));
    INSERT INTO old VALUES (1, 2, 'y', 3);
    CREATE INDEX i ON old (b);
    CREATE TYPE e AS ENUM ('a', 'it''s');
    CREATE DOMAIN d AS int;
    CREATE SEQUENCE s;
    CREATE VIEW v AS SELECT id FROM old;
    CREATE TABLE parent (id int, day int) PARTITION BY RANGE (day);
    CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER g BEFORE UPDATE ON old FOR EACH ROW EXECUTE FUNCTION touch();
    CREATE POLICY p ON old USING (true);
    CREATE TABLE app.other (id int, a int);
    ALTER TABLE app.other ADD CONSTRAINT other_a_fkey FOREIGN KEY (a) REFERENCES app.old (id) ON DELETE SET NULL;
    ALTER TABLE app.other ADD CONSTRAINT other_check CHECK (a > 0) NOT VALID;
    CREATE FUNCTION area(w int, h int) RETURNS int IMMUTABLE COST 7 LANGUAGE sql AS 'SELECT w * h';
";

/// Each is reversed as a whole.
const POSTGRESQL: &[&str] = &[
    // Tables, and what goes with them.
    "CREATE TABLE t (id bigserial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, o int UNIQUE REFERENCES old, CHECK (n > 0))",
    "CREATE TABLE app.t AS SELECT * FROM old",
    "SELECT * INTO t FROM old",
    "CREATE TABLE t (LIKE app.old INCLUDING ALL); CREATE INDEX ON t (a); CREATE UNLOGGED TABLE u () INHERITS (t)",
    "CREATE TABLE part PARTITION OF parent FOR VALUES FROM (1) TO (2); CREATE INDEX ON part (id)",
    "CREATE TABLE p (id int) PARTITION BY LIST (id); CREATE TABLE q PARTITION OF p DEFAULT; ALTER TABLE p ADD COLUMN x int",
    "CREATE TABLE t (id int); INSERT INTO t SELECT id FROM old; CREATE TABLE u (id int); DROP TABLE u",
    "CREATE TEMP TABLE t AS SELECT * FROM old; ALTER TABLE t ADD COLUMN z int; CREATE TABLE u (id int)",
    "CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a); \
     ALTER TABLE a ADD CONSTRAINT a_b_fkey FOREIGN KEY (b) REFERENCES b (id)",
    "CREATE TABLE a (id int); CREATE TABLE b (id int PRIMARY KEY); ALTER TABLE a ADD COLUMN b int REFERENCES b",
    "CREATE TABLE t (id int); CREATE VIEW w AS SELECT * FROM t; ALTER TABLE t ADD COLUMN a int; CREATE MATERIALIZED VIEW m AS SELECT * FROM w",
    // Columns.
    "ALTER TABLE old ADD COLUMN x int NOT NULL DEFAULT 1 UNIQUE CHECK (x > 0), ADD y serial, ADD z int REFERENCES app.old",
    "ALTER TABLE ONLY app.old ADD x int; CREATE INDEX ox ON app.old (x, lower(b)) WHERE x > 1; UPDATE app.old SET x = 1; ALTER TABLE app.old ALTER x SET NOT NULL",
    "ALTER TABLE old ADD x int; CREATE INDEX ox ON old (x); ALTER TABLE old DROP COLUMN x",
    "ALTER TABLE old ADD x int; ALTER TABLE old RENAME x TO y; ALTER TABLE old ALTER y TYPE text, ALTER y SET DEFAULT 'x'",
    "ALTER TABLE old ADD x int GENERATED ALWAYS AS (a + 1) STORED; ALTER TABLE old ADD CONSTRAINT cx CHECK (x > a)",
    "ALTER TABLE old RENAME a TO z; ALTER TABLE old RENAME TO \"Old\"; ALTER TABLE \"Old\" RENAME CONSTRAINT k TO \"K\"",
    "ALTER TABLE old ALTER COLUMN a SET NOT NULL, ALTER b SET NOT NULL",
    // What a migration reads next to a word that is quoted, or longer than a name may be.
    "CREATE TABLE \"a \"\"b\" (\"c d\" int); ALTER TABLE old ADD COLUMN \"select\" int, ADD COLUMN UPPER int",
    "CREATE TABLE a_name_that_is_longer_than_the_sixty_three_bytes_that_a_name_may_have (id int PRIMARY KEY)",
    "ALTER TABLE old ADD COLUMN a_name_that_is_longer_than_the_sixty_three_bytes_that_a_name_may_have int UNIQUE",
    // Constraints and indexes.
    "ALTER TABLE old ADD CONSTRAINT u UNIQUE (c), ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES old (id) NOT VALID",
    "ALTER TABLE old ADD CONSTRAINT f CHECK (a > 0) NOT VALID; ALTER TABLE old VALIDATE CONSTRAINT f",
    "ALTER TABLE old ADD CONSTRAINT x EXCLUDE USING btree (c WITH =)",
    "CREATE UNIQUE INDEX u ON app.old (a) INCLUDE (b); ALTER INDEX app.u RENAME TO w",
    "CREATE UNIQUE INDEX u ON old (c); ALTER TABLE old ADD CONSTRAINT w UNIQUE USING INDEX u",
    "CREATE INDEX CONCURRENTLY u ON old USING hash (c)",
    "ALTER TABLE app.old ADD CONSTRAINT u UNIQUE (a); ALTER TABLE app.old RENAME CONSTRAINT u TO w",
    // What stands by itself.
    "CREATE TYPE color AS ENUM ('r'); ALTER TYPE color ADD VALUE IF NOT EXISTS 'g'; CREATE TYPE pair AS (a int, b color); CREATE TYPE r AS RANGE (SUBTYPE = int)",
    "ALTER TYPE e RENAME VALUE 'it''s' TO 'b'; ALTER TYPE e RENAME TO f; ALTER DOMAIN d RENAME TO dd; ALTER SEQUENCE s RENAME TO ss",
    "CREATE DOMAIN app.positive AS int CHECK (VALUE > 0); CREATE TABLE t (a app.positive)",
    "CREATE SEQUENCE sq; CREATE TABLE t (id int DEFAULT nextval('sq')); CREATE SCHEMA more; CREATE TABLE more.t (id int)",
    "CREATE TABLE t (id int); CREATE SEQUENCE sq; ALTER SEQUENCE sq OWNED BY t.id; ALTER TABLE t ALTER id SET DEFAULT nextval('sq')",
    "CREATE VIEW w (x) AS SELECT 1; CREATE RECURSIVE VIEW n (i) AS VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3",
    "ALTER VIEW v RENAME TO w; ALTER TRIGGER g ON old RENAME TO h; ALTER POLICY p ON old RENAME TO q; ALTER SCHEMA app RENAME TO app2",
    "CREATE FUNCTION f(a int DEFAULT 1, OUT b text, VARIADIC c double precision[] DEFAULT '{}') LANGUAGE sql AS 'SELECT ''x'''; \
     CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE pr(IN a int, b timestamp with time zone) LANGUAGE sql AS ''",
    "CREATE FUNCTION tr() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM old; RETURN NEW; END $$; \
     CREATE TRIGGER gg AFTER INSERT ON old FOR EACH ROW EXECUTE FUNCTION tr(); CREATE CONSTRAINT TRIGGER gc AFTER UPDATE ON app.old FOR EACH ROW EXECUTE FUNCTION tr()",
    "CREATE POLICY \"my policy\" ON app.old USING (a > 1); CREATE RULE r AS ON INSERT TO v DO INSTEAD NOTHING",
    "CREATE TABLE t (id int); CREATE FUNCTION even(int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true'; \
     CREATE INDEX te ON t (even(id)); ALTER TABLE t ADD CONSTRAINT tc CHECK (even(id)); CREATE POLICY tp ON t USING (even(id))",
    "CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int)",
    "ALTER TABLE app.old SET SCHEMA other; ALTER SEQUENCE public.s SET SCHEMA app",
    // What the earlier script tells of.
    "DROP INDEX i; CREATE UNIQUE INDEX i ON old (a); ALTER TABLE old ADD CONSTRAINT w FOREIGN KEY (a) REFERENCES app.old NOT VALID",
    "ALTER TABLE app.old ALTER c SET NOT NULL, ALTER c DROP DEFAULT, ALTER b SET DEFAULT 'z', ALTER a SET DEFAULT 1, ALTER id SET NOT NULL",
    "ALTER TABLE app.old ALTER c DROP NOT NULL; ALTER TABLE app.old ALTER c SET NOT NULL, ALTER a DROP NOT NULL, ALTER a SET NOT NULL",
    "ALTER TABLE app.other DROP CONSTRAINT other_a_fkey, DROP CONSTRAINT other_check; ALTER TABLE app.other ADD CONSTRAINT other_check CHECK (a > 1)",
    "ALTER TABLE app.other ADD CONSTRAINT other_pkey PRIMARY KEY (id, a)",
    "ALTER TABLE old ADD COLUMN x int; CREATE OR REPLACE VIEW v AS SELECT id, x FROM old; CREATE OR REPLACE VIEW v AS SELECT id, x, a FROM old",
    "CREATE VIEW young AS SELECT id FROM old; ALTER TABLE old ADD COLUMN x int; CREATE OR REPLACE VIEW young AS SELECT id, x FROM old",
    "DROP VIEW v; ALTER TABLE old RENAME COLUMN a TO z",
    "CREATE OR REPLACE FUNCTION area(w int, h int) RETURNS int STABLE LANGUAGE sql AS 'SELECT w + h'",
    // Nothing to reverse.
    "SET lock_timeout = '5s'; ANALYZE old; LOCK TABLE old IN SHARE MODE; SELECT count(*) FROM old; SET LOCAL statement_timeout = 0",
    // Words of the script's own in comments, and in the bodies of others.
    "-- DROP TABLE old;\nCREATE TABLE t (id int /* DROP TABLE old; */); COMMENT ON TABLE t IS 'DROP TABLE old'; GRANT SELECT ON t TO PUBLIC",
];

/// What stands before each script for SQLite.
const STANDS_SQLITE: &str = "
    CREATE TABLE old (id INTEGER PRIMARY KEY, a INT, b TEXT DEFAULT 'x', UNIQUE (a, b));
    INSERT INTO old VALUES (1, 2, 'y');
    CREATE TABLE child (id INTEGER PRIMARY KEY, old INT REFERENCES old (id));
    INSERT INTO child VALUES (1, 1);
    CREATE INDEX i ON old (b);
    CREATE VIEW v AS SELECT id FROM old;
    CREATE TRIGGER g AFTER UPDATE ON old BEGIN UPDATE child SET old = new.id WHERE old = old.id; END;
";

const SQLITE: &[&str] = &[
    "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, o INT REFERENCES old (id)); INSERT INTO t (o) VALUES (1)",
    "CREATE TABLE \"a\"\"b\" (\"c d\" TEXT) STRICT; CREATE TABLE t AS SELECT * FROM old",
    "CREATE VIRTUAL TABLE t USING fts5(a, b); INSERT INTO t VALUES ('x', 'y')",
    "CREATE TABLE post (id INTEGER PRIMARY KEY, u INT NOT NULL REFERENCES user (id)); CREATE TABLE user (id INTEGER PRIMARY KEY); \
     INSERT INTO user VALUES (1); INSERT INTO post VALUES (1, 1)",
    "CREATE TABLE a (id INTEGER PRIMARY KEY, b INT REFERENCES b (id)); CREATE TABLE b (id INTEGER PRIMARY KEY, a INT REFERENCES a (id), p INT REFERENCES b (id)); \
     INSERT INTO a VALUES (1, NULL); INSERT INTO b VALUES (1, 1, 1); UPDATE a SET b = 1",
    "CREATE TABLE user (id INTEGER PRIMARY KEY); CREATE TABLE post (id INTEGER PRIMARY KEY); ALTER TABLE user ADD COLUMN p INT REFERENCES post (id); \
     INSERT INTO post VALUES (1); INSERT INTO user VALUES (1, 1)",
    "ALTER TABLE old ADD COLUMN x TEXT NOT NULL DEFAULT 'it''s' COLLATE NOCASE; CREATE UNIQUE INDEX ox ON old (x, a) WHERE x > 'a'",
    "ALTER TABLE child ADD COLUMN x INT REFERENCES old (id) ON DELETE SET NULL; UPDATE child SET x = 1",
    "ALTER TABLE old ADD COLUMN x INT CHECK (x > 0); ALTER TABLE old ADD COLUMN y INT AS (a + 1); ALTER TABLE old RENAME COLUMN x TO z",
    "ALTER TABLE old ADD COLUMN x INT CONSTRAINT c CHECK (x > a) DEFAULT 9",
    "ALTER TABLE old ADD COLUMN x INT; ALTER TABLE old DROP COLUMN x; CREATE INDEX j ON old (lower(b))",
    "ALTER TABLE old RENAME TO other; ALTER TABLE other RENAME TO old; ALTER TABLE old RENAME a TO z; ALTER TABLE old RENAME z TO a",
    "DROP INDEX i; CREATE INDEX i ON old (a)",
    "ALTER TABLE old RENAME TO \"Old One\"; ALTER TABLE \"Old One\" RENAME a TO \"A B\"",
    "ALTER TABLE old RENAME TO new; CREATE TABLE old (id INTEGER PRIMARY KEY); INSERT INTO old VALUES (1)",
    "CREATE VIEW w AS SELECT * FROM v; CREATE TRIGGER h INSTEAD OF INSERT ON w BEGIN INSERT INTO old (a) VALUES (1); END",
    "CREATE TEMP TABLE t (a); INSERT INTO t VALUES (1); CREATE TABLE u AS SELECT * FROM t; DROP TABLE t",
    "PRAGMA foreign_keys = OFF; PRAGMA defer_foreign_keys = ON; ANALYZE; SELECT 1",
    "ALTER TABLE old ALTER COLUMN a SET NOT NULL",
    "ALTER TABLE old ADD CONSTRAINT c CHECK (a > 0)",
];

/// Written with what stands as the script before it.
fn reversal(engine: Engine, stands: &str, script: &str) -> Reversal {
    let mut past = Past::new(engine);
    past.read(stands);
    reverse(&past, script)
}

#[track_caller]
fn is_reversed(engine: Engine, stands: &str, script: &str) -> Result<(), String> {
    let place = Place::new(engine);
    place.run(stands).unwrap();
    let reversal = reversal(engine, stands, script);
    if !reversal.is_whole() {
        return Err(format!("open: {:?}", reversal.open));
    }
    let before = place.schema();
    place.run(script).map_err(|error| format!("up: {error}"))?;
    let after = place.schema();
    place
        .run(&reversal.sql)
        .map_err(|error| format!("down: {error}\n{}", reversal.sql))?;
    for (what, expected) in [("down", &before), ("up again", &after)] {
        if what == "up again" {
            place
                .run(script)
                .map_err(|error| format!("up again: {error}"))?;
        }
        let differences = without_parts(diff(expected, &place.schema()));
        if !differences.is_empty() {
            return Err(format!("{what}: {differences:?}\n{}", reversal.sql));
        }
    }
    Ok(())
}

fn are_reversed(engine: Engine, stands: &str, scripts: &[&str]) {
    let wrong: Vec<String> = scripts
        .iter()
        .filter_map(|script| {
            let error = is_reversed(engine, stands, script).err()?;
            Some(format!("{script}\n    {error}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn postgresql_is_as_it_was() {
    are_reversed(Engine::Postgresql, STANDS, POSTGRESQL);
}

#[test]
fn sqlite_is_as_it_was() {
    are_reversed(Engine::Sqlite, STANDS_SQLITE, SQLITE);
}

/// Where no script tells what stood before, nothing is assumed.
#[test]
fn a_set_not_null_of_an_unknown_table_is_open() {
    let script = "ALTER TABLE app.old ALTER COLUMN c SET NOT NULL";
    let reversal = reverse(&Past::new(Engine::Postgresql), script);
    assert_eq!(reversal.open.len(), 1, "{reversal:?}");
}

/// As a whole: what could be written is not run either.
#[test]
fn what_is_not_whole_refuses_and_changes_nothing() {
    for (engine, stands, script) in [
        (
            Engine::Postgresql,
            STANDS,
            "CREATE TABLE t (id int); ALTER TABLE old DROP COLUMN a; CREATE INDEX j ON old (c)",
        ),
        (
            Engine::Sqlite,
            STANDS_SQLITE,
            "CREATE TABLE t (id int); DROP TABLE child; CREATE INDEX j ON old (a)",
        ),
    ] {
        let place = Place::new(engine);
        place.run(stands).unwrap();
        place.run(script).unwrap();
        let after = place.schema();
        let refused = place
            .run(&reversal(engine, stands, script).sql)
            .unwrap_err();
        assert!(
            refused.contains("write by hand what reverses line 1"),
            "{refused}"
        );
        assert_eq!(place.schema(), after);
    }
}
