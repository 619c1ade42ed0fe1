//! A statement that is put together while it runs, so that nobody can tell what it does.

use super::accept;
use crate::lint::at::{At, Found, Said};
use crate::lint::{Level, Rule, Topic};
use crate::sql::changes::Deed;

pub(in crate::lint) static RULE: Rule = Rule {
    code: "computed-statement",
    level: Level::Warning,
    topic: Topic::DataLoss,
    title: "runs a statement that is put together while it runs",
};

pub(super) fn check(at: &At<'_>, out: &mut Vec<Found>) {
    let Deed::Unknown { what, spelled } = at.deed else {
        return;
    };
    // A prepared statement was read where it was prepared.
    let is_computed = at.in_block && what == "EXECUTE" && spelled.is_empty();
    if !is_computed || at.picture.found_nothing() {
        return;
    }
    out.push(at.found(
        &RULE,
        Said {
            fact: "runs a computed statement".to_owned(),
            consequence: "it may drop or empty anything: nothing tells what it is".to_owned(),
            help: accept(
                &RULE,
                "write it out, or let it begin with a text that says what it does",
            ),
            subject: None,
            clause: "whatever a computed statement says".to_owned(),
        },
    ));
}

#[cfg(test)]
mod tests {
    use crate::lint::testing::{found, silent};
    use crate::model::entry::Engine::{Postgresql, Sqlite};

    // SQLite has nothing of the kind.
    const T: &str = "CREATE TABLE t (id int, sql text)";

    fn block(body: &str) -> String {
        format!("DO $$ DECLARE r record; q text; BEGIN {body} END $$")
    }

    #[test]
    fn ok() {
        for body in [
            "EXECUTE format('CREATE INDEX %I ON t (%I)', a, b);",
            "EXECUTE 'ALTER TABLE ' || quote_ident(r.name) || ' ENABLE ROW LEVEL SECURITY';",
            "FOR r IN SELECT 1 LOOP EXECUTE 'GRANT SELECT ON ' || r.name || ' TO joe'; END LOOP;",
            "EXECUTE 'ANALYZE ' || r.name; EXECUTE 'SET search_path = ' || q;",
            "q := format('ALTER TABLE t DROP CONSTRAINT %I', r.name); EXECUTE q;",
            "q = 'CREATE INDEX ON t (id)'; IF true THEN q := 'COMMENT ON TABLE t IS ' || quote_literal(r.a); END IF; EXECUTE q;",
            "FOR r IN EXECUTE 'SELECT ' || r.a LOOP NULL; END LOOP;",
            "RAISE NOTICE 'EXECUTE %', q;",
        ] {
            silent("computed-statement", Postgresql, &[T, &block(body)]);
        }
        silent(
            "computed-statement",
            Postgresql,
            &[T, "PREPARE p AS SELECT 1; EXECUTE p"],
        );
        silent("computed-statement", Sqlite, &[T, "SELECT 1"]);
    }

    #[test]
    fn what_is_spelled_out_is_told_as_what_it_is() {
        for (body, code) in [
            (r"EXECUTE E'DROP\x20TABLE t';", "drop-table"),
            (r"EXECUTE E'\104ROP TABLE t';", "drop-table"),
            (r"EXECUTE U&'\0044ROP TABLE t';", "drop-table"),
            ("q := 'DROP TABLE t'; EXECUTE q;", "drop-table"),
            ("EXECUTE 'TRUNC' || 'ATE t';", "truncate"),
            (
                "EXECUTE format('DELETE FROM %I', 't');",
                "delete-without-where",
            ),
            (
                "EXECUTE 'DELETE FROM t WHERE ' || q;",
                "delete-without-where",
            ),
            (
                "OPEN c FOR EXECUTE 'DELETE FROM t RETURNING 1';",
                "delete-without-where",
            ),
        ] {
            let text = found(code, Postgresql, &[T, &block(body)]);
            assert!(!text.is_empty(), "{body}");
        }
        silent(
            "delete-without-where",
            Postgresql,
            &[
                T,
                &block("EXECUTE format('DELETE FROM t WHERE %I = %L', a, b);"),
            ],
        );
    }

    #[test]
    fn bad() {
        for body in [
            "EXECUTE q;",
            "SELECT sql INTO q FROM t; EXECUTE q;",
            "q := 'SELECT 1'; SELECT sql INTO q FROM t; EXECUTE q;",
            "FOR r IN SELECT sql FROM t LOOP EXECUTE r.sql; END LOOP;",
            "EXECUTE format('%s TABLE t', q);",
            "EXECUTE 'DROP ' || q || ' t';",
            "EXECUTE 'ALTER TABLE t ' || q;",
            "EXECUTE 'ALTER TABLE t ALTER COLUMN sql ' || q;",
            "EXECUTE 'SELECT 1; ' || q;",
            "EXECUTE chr(68) || 'ROP TABLE t';",
            "EXECUTE concat('DROP', ' TABLE t');",
            "EXECUTE 'DO ' || quote_literal(q);",
            "EXECUTE 'PREPARE p AS ' || q;",
            "EXECUTE convert_from(decode('44524f50', 'hex'), 'UTF8');",
            "q := 'DR'; q := q || 'OP TABLE t'; EXECUTE q;",
        ] {
            let text = found("computed-statement", Postgresql, &[T, &block(body)]);
            assert!(!text.is_empty(), "{body}");
        }
        let run = "CREATE FUNCTION run(q text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN \
                   IF false THEN q := 'SELECT 1'; END IF; EXECUTE q; END $$";
        let text = found(
            "computed-statement",
            Postgresql,
            &[T, &format!("{run}; SELECT run('DROP TABLE t')")],
        );
        assert!(!text.is_empty());
        silent("computed-statement", Postgresql, &[T, run]);
        let perl = "DO LANGUAGE plperl $$ spi_exec_query('DROP TABLE t') $$";
        let text = found("computed-statement", Postgresql, &[T, perl]);
        assert!(!text.is_empty());
        insta::assert_snapshot!(found("computed-statement", Postgresql, &[T, &block("EXECUTE q;")]), @r#"
        warning: runs a computed statement in a block of code, if it gets there
          at    DO $$ DECLARE r record; q text; BEGIN EXECUTE q; END $$
          then  it may drop or empty anything: nothing tells what it is
          help  write it out, or let it begin with a text that says what it does; where that is meant, say so above the statement: -- tollgate:allow computed-statement <reason>
        "#);
    }
}
