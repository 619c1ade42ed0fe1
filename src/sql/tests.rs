use proptest::prelude::*;

use super::*;

const ENGINES: [Engine; 2] = [Engine::Postgresql, Engine::Sqlite];

/// Checks what holds for every analysis, whatever the script.
fn check(engine: Engine, script: &str) {
    let Analysis::Analysed(statements) = analyse(engine, script) else {
        return;
    };
    let mut end = 0;
    let mut between = String::new();
    for statement in &statements {
        // Slicing also checks that the bounds are ordered and on characters.
        between.push_str(&script[end..statement.range.start]);
        let text = &script[statement.range.clone()];
        assert!(!text.trim_end_matches([' ', '\t', '\r', '\n']).is_empty());
        assert_eq!(
            text.trim_matches([' ', '\t', '\r', '\n', ';']),
            text,
            "{script:?}"
        );
        match analyse(engine, text).statements() {
            Some([alone]) => {
                assert_eq!(
                    (alone.range.clone(), alone.kind),
                    (0..text.len(), statement.kind)
                );
            }
            _ => panic!("{text:?} of {script:?} is no statement when it stands alone"),
        }
        between.push('\n');
        end = statement.range.end;
    }
    between.push_str(&script[end..]);
    let rest = analyse(engine, &between);
    assert_eq!(
        rest.statements().map(<[_]>::len),
        Some(0),
        "{between:?} left of {script:?}"
    );
}

#[test]
fn a_script_is_pipelined_only_if_all_of_it_is_ordinary() {
    for (script, expected) in [
        ("", true),
        ("CREATE TABLE t (); SELECT 1", true),
        ("SELECT 1; COMMIT", false),
        ("SELECT 1; SAVEPOINT a", false),
        ("SET TRANSACTION READ ONLY; SELECT 1", false),
        ("COPY t FROM STDIN", false),
        ("COPY t TO STDOUT", false),
        ("VACUUM", false),
        ("SELEC 1", false),
    ] {
        assert_eq!(
            pipelinable(&analyse(Engine::Postgresql, script)),
            expected,
            "{script}"
        );
    }
}

#[test]
fn the_receipt_follows_from_the_statements() {
    for (script, expected) in [
        ("SELECT 1", ReceiptKind::Atomic),
        ("SET TRANSACTION READ ONLY; SELECT 1", ReceiptKind::Atomic),
        ("SAVEPOINT a; SELECT 1; ROLLBACK TO a", ReceiptKind::Atomic),
        ("not SQL", ReceiptKind::Atomic),
        ("BEGIN; SELECT 1; COMMIT", ReceiptKind::Journalled),
        (
            "CREATE INDEX CONCURRENTLY ON t (a)",
            ReceiptKind::Journalled,
        ),
    ] {
        assert_eq!(
            analyse(Engine::Postgresql, script).receipt_kind(),
            expected,
            "{script}"
        );
    }
}

#[test]
fn too_large_a_script_is_left_alone() {
    for engine in ENGINES {
        let script = " ".repeat(MAX_ANALYSED);
        assert_eq!(analyse(engine, &script), Analysis::Analysed(Vec::new()));
        assert_eq!(
            analyse(engine, &(script + " ")),
            Analysis::NotAnalysed(NotAnalysed::TooLarge {
                bytes: MAX_ANALYSED + 1
            })
        );
    }
}

/// Each of these would overflow the stack of a recursive parser. The test threads have 2 MiB.
#[test]
fn no_depth_ends_the_process() {
    for (start, repeated) in [
        ("SELECT ", "("),
        ("SELECT ", "["),
        ("SELECT ", "f("),
        ("SELECT ", "NOT "),
        ("SELECT ", "- "),
        ("SELECT ", "a AND "),
        ("SELECT ", "a || "),
        ("SELECT ", "a."),
        ("SELECT ", "CASE "),
        ("SELECT ", "CASE WHEN a THEN "),
        ("SELECT ", "EXISTS (SELECT "),
        ("SELECT 1", "::int"),
        ("SELECT * FROM a ", "NATURAL JOIN b "),
        (
            "CREATE FUNCTION f() ",
            "BEGIN ATOMIC SELECT 1; CREATE FUNCTION f() ",
        ),
        ("", "SELECT "),
        ("", "SELECT 1, 2 UNION "),
        ("", "EXPLAIN "),
        ("", "WITH a , "),
        ("", "/* "),
        ("", "; "),
        ("", ") "),
    ] {
        let script = format!("{start}{}", repeated.repeat(100_000 / repeated.len()));
        for engine in ENGINES {
            let analysis = analyse(engine, &script);
            let refused = analysis.statements().is_none();
            let is_fine = repeated == "; " || engine == Engine::Sqlite;
            assert!(refused || is_fine, "{repeated}");
        }
    }
}

#[test]
fn as_deep_as_is_allowed_can_be_parsed() {
    for (open, tokens, inner, close) in [
        ("(", 1, "1", ")"),
        ("NOT ", 1, "true", ""),
        ("f(", 2, "1", ")"),
        ("[", 1, "1", "]"),
    ] {
        let levels = (limits::MAX_DEPTH - 3) / tokens;
        let script = format!(
            "SELECT {}{inner}{}",
            open.repeat(levels),
            close.repeat(levels)
        );
        let analysis = analyse(Engine::Postgresql, &script);
        assert_eq!(analysis.statements().map(<[_]>::len), Some(1), "{open}");
        let deeper = format!("SELECT {}1", open.repeat(limits::MAX_DEPTH));
        assert!(
            matches!(
                analyse(Engine::Postgresql, &deeper),
                Analysis::NotAnalysed(NotAnalysed::TooDeep { .. })
            ),
            "{open}"
        );
    }
}

#[test]
fn long_is_not_deep() {
    let rows = "(1, 'x', CASE WHEN true THEN 1 ELSE 2 END),\n".repeat(5_000);
    let script = format!("INSERT INTO t VALUES {rows} (1, 'y', 2);\n").repeat(2);
    for engine in ENGINES {
        let analysis = analyse(engine, &script);
        assert_eq!(analysis.statements().map(<[_]>::len), Some(2), "{engine:?}");
    }
}

/// Pieces whose arrangements come near what the lexers and parsers may take for one another.
fn sql_like() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "SELECT 1",
        "SELECT 'a;b'",
        "BEGIN",
        "COMMIT",
        "END",
        ";",
        ";",
        "; ",
        "\r\n",
        " ",
        "-- c\n",
        "/*",
        "*/",
        "'",
        "\"",
        "$$",
        "$a$",
        "E'\\'",
        "\\",
        "(",
        ")",
        "[",
        "]",
        ",",
        "CREATE",
        "CREATE TABLE t (a int)",
        "CREATE TRIGGER g DELETE ON t BEGIN",
        "TRIGGER",
        "TEMP",
        "CREATE FUNCTION f() RETURNS int",
        "BEGIN ATOMIC",
        "RETURN 1",
        "LANGUAGE sql AS",
        "CASE",
        "WHEN a THEN",
        "VACUUM",
        "PRAGMA foreign_keys=",
        "OFF",
        "ON",
        "DO",
        "INSERT INTO t",
        "VALUES (1)",
        "ä",
        "𐐷",
        "\u{feff}",
        "COPY t FROM STDIN",
        "EXPLAIN",
        "SAVEPOINT a",
        "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM u; DELETE FROM v)",
        "\0",
        "`",
        "#",
        "U&'",
        "x'",
        "0x",
        "1e",
        "::",
        ":=",
        "?",
        "@",
        "CREATE SCHEMA s",
        "SET",
        "a",
        "=",
    ]);
    let blank = proptest::sample::select(vec!["", " ", " ", "\n"]);
    proptest::collection::vec((piece, blank), 0..16).prop_map(|pieces| {
        pieces
            .into_iter()
            .flat_map(|(piece, blank)| [piece, blank])
            .collect()
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(script in ".{0,200}") {
        ENGINES.into_iter().for_each(|engine| check(engine, &script));
    }

    #[test]
    fn any_mixture_of_sql_is_read_or_refused(script in sql_like()) {
        ENGINES.into_iter().for_each(|engine| check(engine, &script));
    }

    #[test]
    fn positions_and_offsets_agree(script in "[aä→𐐷\r\n]{0,40}", at in 0usize..200) {
        let place = position(&script, at);
        let line = line_text(&script, at);
        prop_assert!(place.column <= line.chars().count() + 2);
        let characters = script[..script.floor_char_boundary(at)].chars().count();
        let offset = char_position_to_offset(&script, characters + 1);
        prop_assert_eq!(offset, Some(script.floor_char_boundary(at)));
    }
}
