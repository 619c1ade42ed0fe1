use crate::model::entry::Engine;
use crate::reverse::{Past, Reversal, reverse};

const BEFORE: &str = "
    CREATE TABLE \"T\" (\"id\" TEXT NOT NULL, \"a\" TEXT DEFAULT 'x', \"b\" INTEGER NOT NULL, CONSTRAINT \"T_pkey\" PRIMARY KEY (\"id\"));
    CREATE TABLE \"U\" (\"id\" SERIAL, \"t\" TEXT);
    CREATE UNIQUE INDEX \"T_a_key\" ON \"T\"(\"a\");
    ALTER TABLE \"U\" ADD CONSTRAINT \"U_t_fkey\" FOREIGN KEY (\"t\") REFERENCES \"T\"(\"id\") ON DELETE CASCADE ON UPDATE CASCADE;
    CREATE VIEW v AS SELECT id FROM \"T\";
    CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
";

fn after(scripts: &[&str], script: &str) -> Reversal {
    let mut past = Past::new(Engine::Postgresql);
    for one in scripts {
        past.read(one);
    }
    reverse(&past, script)
}

#[test]
fn what_the_earlier_scripts_tell_is_whole() {
    for (script, sql) in [
        (
            "ALTER TABLE \"T\" ALTER COLUMN \"a\" SET NOT NULL",
            "ALTER TABLE \"T\" ALTER COLUMN \"a\" DROP NOT NULL;\n",
        ),
        // Nothing was changed, so that nothing is to be.
        ("ALTER TABLE \"T\" ALTER COLUMN \"b\" SET NOT NULL", ""),
        ("ALTER TABLE \"T\" ALTER COLUMN \"id\" SET NOT NULL", ""),
        ("ALTER TABLE \"U\" ALTER COLUMN \"id\" SET NOT NULL", ""),
        ("ALTER TABLE \"T\" ALTER COLUMN \"a\" DROP NOT NULL", ""),
        (
            "ALTER TABLE \"T\" ALTER COLUMN \"b\" DROP NOT NULL",
            "ALTER TABLE \"T\" ALTER COLUMN \"b\" SET NOT NULL;\n",
        ),
        (
            "ALTER TABLE \"T\" ALTER COLUMN \"a\" SET DEFAULT 'y'",
            "ALTER TABLE \"T\" ALTER COLUMN \"a\" SET DEFAULT 'x';\n",
        ),
        (
            "ALTER TABLE \"T\" ALTER COLUMN \"a\" DROP DEFAULT",
            "ALTER TABLE \"T\" ALTER COLUMN \"a\" SET DEFAULT 'x';\n",
        ),
        (
            "ALTER TABLE \"T\" ALTER COLUMN \"b\" SET DEFAULT 1",
            "ALTER TABLE \"T\" ALTER COLUMN \"b\" DROP DEFAULT;\n",
        ),
        ("ALTER TABLE \"T\" ALTER COLUMN \"b\" DROP DEFAULT", ""),
        (
            "DROP INDEX \"T_a_key\"",
            "CREATE UNIQUE INDEX \"T_a_key\" ON \"T\"(\"a\");\n",
        ),
        (
            "DROP INDEX CONCURRENTLY IF EXISTS \"T_a_key\"",
            "CREATE UNIQUE INDEX \"T_a_key\" ON \"T\"(\"a\");\n",
        ),
        (
            "ALTER TABLE \"U\" DROP CONSTRAINT \"U_t_fkey\"",
            "ALTER TABLE \"U\" ADD CONSTRAINT \"U_t_fkey\" FOREIGN KEY (\"t\") REFERENCES \"T\"(\"id\") ON DELETE CASCADE ON UPDATE CASCADE;\n",
        ),
        (
            "ALTER TABLE \"U\" ADD CONSTRAINT \"U_pkey\" PRIMARY KEY (\"id\")",
            "ALTER TABLE \"U\" DROP CONSTRAINT \"U_pkey\";\n",
        ),
        (
            "ALTER TABLE \"U\" ADD CONSTRAINT \"U_pkey\" PRIMARY KEY (\"id\", \"t\")",
            "ALTER TABLE \"U\" DROP CONSTRAINT \"U_pkey\";\nALTER TABLE \"U\" ALTER COLUMN \"t\" DROP NOT NULL;\n",
        ),
        (
            "CREATE OR REPLACE VIEW v AS SELECT id, a FROM \"T\"",
            "DROP VIEW \"v\";\nCREATE VIEW v AS SELECT id FROM \"T\";\n",
        ),
        ("DROP VIEW v", "CREATE VIEW v AS SELECT id FROM \"T\";\n"),
        (
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';\n",
        ),
        // What the script itself did to it since counts too.
        (
            "ALTER TABLE \"T\" ALTER \"a\" SET DEFAULT 'y'; ALTER TABLE \"T\" ALTER \"a\" DROP DEFAULT",
            "ALTER TABLE \"T\" ALTER COLUMN \"a\" SET DEFAULT 'y';\nALTER TABLE \"T\" ALTER COLUMN \"a\" SET DEFAULT 'x';\n",
        ),
    ] {
        let reversal = after(&[BEFORE], script);
        assert_eq!(
            (&reversal.open[..], reversal.sql.as_str()),
            (&[][..], sql),
            "{script}"
        );
    }
}

/// Whatever may have touched it, or another one of its name, makes it uncertain.
#[test]
fn what_may_have_been_touched_is_open() {
    let drop_index = "DROP INDEX \"T_a_key\"";
    let set = "ALTER TABLE \"T\" ALTER COLUMN \"a\" SET NOT NULL";
    let foreign = "ALTER TABLE \"U\" DROP CONSTRAINT \"U_t_fkey\"";
    let view = "CREATE OR REPLACE VIEW v AS SELECT id, 1 AS x FROM \"T\"";
    for (between, script) in [
        ("SELECT repair()", set),
        ("DO $$ BEGIN EXECUTE 'x'; END $$", set),
        (
            "DO $$ BEGIN ALTER TABLE \"T\" ALTER a SET NOT NULL; END $$",
            set,
        ),
        ("SET search_path = app", set),
        ("CREATE TABLE (", set),
        ("BEGIN; ROLLBACK", set),
        (
            "ALTER TABLE \"T\" RENAME TO \"S\"; ALTER TABLE \"S\" RENAME TO \"T\"",
            set,
        ),
        (
            "ALTER TABLE public.\"T\" ALTER COLUMN \"a\" SET NOT NULL",
            set,
        ),
        ("ALTER TABLE \"T\" INHERIT p", set),
        ("CREATE TABLE c () INHERITS (\"T\")", set),
        ("ALTER TABLE \"T\" DROP CONSTRAINT \"T_a_not_null\"", set),
        ("DROP TABLE x CASCADE", set),
        (
            "CREATE FUNCTION g() RETURNS int LANGUAGE plpgsql AS 'BEGIN ALTER TABLE t ADD x int; END'; INSERT INTO x VALUES (1)",
            set,
        ),
        ("COMMENT ON INDEX \"T_a_key\" IS 'x'", drop_index),
        ("ALTER INDEX \"T_a_key\" SET (fillfactor = 50)", drop_index),
        ("CLUSTER \"T\" USING \"T_a_key\"", drop_index),
        (
            "ALTER TABLE \"T\" REPLICA IDENTITY USING INDEX \"T_a_key\"",
            drop_index,
        ),
        (
            "ALTER TABLE \"T\" ALTER COLUMN \"a\" TYPE varchar(5)",
            drop_index,
        ),
        ("ALTER TABLE \"T\" RENAME COLUMN \"a\" TO \"c\"", drop_index),
        (
            "DROP INDEX \"T_a_key\"; CREATE INDEX IF NOT EXISTS \"T_a_key\" ON \"T\" (\"b\")",
            drop_index,
        ),
        ("ALTER TABLE \"T\" RENAME COLUMN \"id\" TO \"c\"", foreign),
        (
            "ALTER TABLE \"U\" RENAME CONSTRAINT \"U_t_fkey\" TO k",
            foreign,
        ),
        (
            "ALTER TABLE \"T\" ALTER \"a\" TYPE int USING 1",
            "ALTER TABLE \"T\" ALTER \"a\" DROP DEFAULT",
        ),
        ("GRANT SELECT ON v TO me", view),
        ("GRANT SELECT ON ALL TABLES IN SCHEMA public TO me", view),
        ("CREATE VIEW w AS SELECT * FROM v", view),
        (
            "CREATE OR REPLACE VIEW v AS SELECT * FROM \"T\"; ALTER TABLE \"T\" ADD COLUMN z int",
            view,
        ),
        (
            "ALTER FUNCTION f() STABLE",
            "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 2'",
        ),
    ] {
        let untouched = after(&[BEFORE], script);
        assert!(untouched.is_whole(), "{script}: {untouched:?}");
        let reversal = after(&[BEFORE, between], script);
        assert_eq!(reversal.open.len(), 1, "{between}; {script}: {reversal:?}");
        let together = after(&[BEFORE], &format!("{between};\n{script}"));
        assert!(!together.is_whole(), "{between}; {script}: {together:?}");
    }
}

/// What has nothing to do with it does not make it uncertain.
#[test]
fn what_was_done_elsewhere_leaves_it_certain() {
    for between in [
        "ALTER TABLE \"T\" ADD COLUMN \"c\" INTEGER; CREATE INDEX i ON \"T\"(\"c\")",
        "ALTER TABLE \"T\" DROP COLUMN \"b\"; ALTER TABLE \"U\" DROP CONSTRAINT \"U_t_fkey\"",
        "INSERT INTO \"T\" VALUES ('a'); UPDATE \"T\" SET \"a\" = 'T_a_key'; SET lock_timeout = '1s'",
        "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_type) THEN CREATE TYPE e AS ENUM ('x'); END IF; END $$",
        "CREATE TABLE app.\"T\" (\"a\" TEXT); DROP TABLE app.\"W\"",
        "ALTER TABLE \"T\" ENABLE ROW LEVEL SECURITY; GRANT SELECT ON \"T\" TO me",
    ] {
        let script = "ALTER TABLE \"T\" ALTER COLUMN \"a\" SET NOT NULL";
        let reversal = after(&[BEFORE, between], script);
        assert!(reversal.is_whole(), "{between}: {reversal:?}");
    }
}

#[test]
fn a_view_that_is_replaced_in_its_own_script_goes_down() {
    let script = "CREATE VIEW w AS SELECT id FROM \"T\"; ALTER TABLE \"T\" ADD COLUMN x int; \
        CREATE OR REPLACE VIEW w AS SELECT id, x FROM \"T\"";
    let reversal = after(&[BEFORE], script);
    assert_eq!(
        reversal.sql,
        "DROP VIEW \"w\";\nCREATE VIEW w AS SELECT id FROM \"T\";\nALTER TABLE \"T\" DROP COLUMN \"x\";\nDROP VIEW \"w\";\n"
    );
    // The first one would read a new column too.
    let all = script.replacen("SELECT id", "SELECT *", 1);
    assert!(!after(&[BEFORE], &all).is_whole());
}

#[test]
fn sqlite_keeps_an_index_with_a_table_that_is_rebuilt() {
    let mut past = Past::new(Engine::Sqlite);
    past.read(
        "CREATE TABLE \"T\" (\"id\" TEXT NOT NULL PRIMARY KEY, \"a\" TEXT); CREATE INDEX \"T_a_idx\" ON \"T\"(\"a\");",
    );
    let whole = reverse(&past, "DROP INDEX \"t_A_idx\"");
    assert_eq!(whole.sql, "CREATE INDEX \"T_a_idx\" ON \"T\"(\"a\");\n");
    let rebuilt = "CREATE TABLE \"new_T\" (\"id\" TEXT NOT NULL PRIMARY KEY, \"a\" TEXT); DROP TABLE \"T\"; ALTER TABLE \"new_T\" RENAME TO \"T\";";
    past.read(rebuilt);
    assert!(!reverse(&past, "DROP INDEX \"T_a_idx\"").is_whole());
    past.read("CREATE INDEX \"T_b_idx\" ON \"T\"(\"a\");");
    assert!(reverse(&past, "DROP INDEX \"T_b_idx\"").is_whole());
}
