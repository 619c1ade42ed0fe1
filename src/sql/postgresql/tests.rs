use crate::model::entry::Engine;
use crate::sql::{Analysis, NotAnalysed, analyse};

fn statements(script: &str) -> Vec<&str> {
    match analyse(Engine::Postgresql, script) {
        Analysis::Analysed(statements) => statements
            .into_iter()
            .map(|statement| &script[statement.range])
            .collect(),
        not_analysed => panic!("{script:?}: {not_analysed:?}"),
    }
}

/// Where a script is not analysed, and what was said.
fn refused(script: &str) -> (usize, String) {
    match analyse(Engine::Postgresql, script) {
        Analysis::NotAnalysed(NotAnalysed::ParseError { offset, message }) => (offset, message),
        other => panic!("{script:?}: {other:?}"),
    }
}

#[test]
fn scripts_are_cut_where_the_server_cuts_them() {
    for (script, expected) in [
        ("", &[][..]),
        (" \r\n\t", &[]),
        (";;", &[]),
        ("-- only; a comment", &[]),
        ("/* a /* nested; */ comment */ ;", &[]),
        ("SELECT 1", &["SELECT 1"]),
        ("SELECT 1;SELECT 2", &["SELECT 1", "SELECT 2"]),
        (
            " SELECT 1 ; ; /* x */ SELECT 2 -- y\n",
            &["SELECT 1", "SELECT 2"],
        ),
        (
            "SELECT 1;\r\n-- c\r\nSELECT\r\n2;\r\n",
            &["SELECT 1", "SELECT\r\n2"],
        ),
        ("SELECT 1 -- a\r; SELECT 2", &["SELECT 1", "SELECT 2"]),
        ("SELECT ';''; ' ; SELECT 2", &["SELECT ';''; '", "SELECT 2"]),
        (r"SELECT '\'; SELECT 2", &[r"SELECT '\'", "SELECT 2"]),
        (
            r"SELECT E'\'; '; SELECT 2",
            &[r"SELECT E'\'; '", "SELECT 2"],
        ),
        (
            "SELECT $$;$$, $a$; $$ ; $a$; SELECT 2",
            &["SELECT $$;$$, $a$; $$ ; $a$", "SELECT 2"],
        ),
        (
            "SELECT a$b FROM t; SELECT 'ä→𐐷'",
            &["SELECT a$b FROM t", "SELECT 'ä→𐐷'"],
        ),
        (
            r#"DROP TABLE "a;""b"; SELECT 2"#,
            &[r#"DROP TABLE "a;""b""#, "SELECT 2"],
        ),
        (
            "DO $x$ BEGIN IF true THEN NULL; END IF; END $x$; SELECT 2",
            &[
                "DO $x$ BEGIN IF true THEN NULL; END IF; END $x$",
                "SELECT 2",
            ],
        ),
        (
            "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; \
             SELECT 2; END; SELECT 3",
            &[
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; \
                 SELECT 2; END",
                "SELECT 3",
            ],
        ),
        (
            "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM u; DELETE FROM v); SELECT 2",
            &[
                "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM u; DELETE FROM v)",
                "SELECT 2",
            ],
        ),
        // The body of a function is a string to the server, whatever is in it.
        (
            "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ no sql ( $$",
            &["CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ no sql ( $$"],
        ),
        (
            "SET standard_conforming_strings = on; SELECT 'x', E'\\n'",
            &["SET standard_conforming_strings = on", "SELECT 'x', E'\\n'"],
        ),
        (
            "SET client_encoding = 'UTF8'; SELECT 'ä'",
            &["SET client_encoding = 'UTF8'", "SELECT 'ä'"],
        ),
        (
            "SET client_encoding TO LATIN1; SELECT 'a'",
            &["SET client_encoding TO LATIN1", "SELECT 'a'"],
        ),
    ] {
        assert_eq!(statements(script), expected, "{script:?}");
    }
}

#[test]
fn what_is_not_understood_is_not_trusted() {
    for (script, at) in [
        ("\u{feff}SELECT 1", 0),
        ("COMMIT SELECT 1", 7),
        ("SELECT 1; CREATE TABEL t ()", 10),
        ("SELECT 'open", 7),
        ("SELECT \"open", 7),
        ("SELECT $$open", 7),
        ("SELECT 1 /* open", 9),
        ("\\restrict abc\nSELECT 1;", 0),
        ("SELECT 1;\n\\connect db", 10),
        ("COPY t FROM stdin;\n1\tx\n\\.\nSELECT 1;", 19),
        ("SELECT (1; SELECT 2", 9),
        (
            "SET standard_conforming_strings = off; SELECT '\\'; COMMIT; --'",
            46,
        ),
        ("SET client_encoding = 'SJIS'; SELECT 'ä'", 0),
    ] {
        let (offset, message) = refused(script);
        assert_eq!(offset, at, "{script:?}: {message}");
    }
}
