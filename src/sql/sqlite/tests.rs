use crate::model::ReceiptKind;
use crate::model::entry::Engine;
use crate::sql::{Analysis, NotAnalysed, StatementKind, analyse};

fn statements(script: &str) -> Vec<&str> {
    match analyse(Engine::Sqlite, script) {
        Analysis::Analysed(statements) => statements
            .into_iter()
            .map(|statement| &script[statement.range])
            .collect(),
        not_analysed => panic!("{script:?}: {not_analysed:?}"),
    }
}

#[test]
fn scripts_are_cut_where_sqlite_cuts_them() {
    const TRIGGER: &str = "CREATE TRIGGER g AFTER INSERT ON t BEGIN UPDATE t SET a = CASE \
                           WHEN a THEN 1 ELSE 2 END; DELETE FROM u; END";
    for (script, expected) in [
        ("", &[][..]),
        (" \r\n;;\t", &[]),
        ("-- only; a comment", &[]),
        ("/* a; /* comment */ ;", &[]),
        ("SELECT 1", &["SELECT 1"]),
        (
            "SELECT 1;\r\n-- c\r\nSELECT\r\n2;\r\n",
            &["SELECT 1", "SELECT\r\n2"],
        ),
        (
            "SELECT ';''; ' ; /* x */ SELECT 2 -- y",
            &["SELECT ';''; '", "SELECT 2"],
        ),
        (
            r"SELECT '\'; SELECT 'ä→𐐷'",
            &[r"SELECT '\'", "SELECT 'ä→𐐷'"],
        ),
        (
            "DROP TABLE \"a;\"; DROP TABLE `b;`; DROP TABLE [c;]",
            &["DROP TABLE \"a;\"", "DROP TABLE `b;`", "DROP TABLE [c;]"],
        ),
        (&format!("{TRIGGER}; SELECT 2"), &[TRIGGER, "SELECT 2"]),
        (&format!("{TRIGGER} ;\n{TRIGGER}"), &[TRIGGER, TRIGGER]),
        (
            "CREATE TEMPORARY TRIGGER g DELETE ON t BEGIN SELECT 1; END;",
            &["CREATE TEMPORARY TRIGGER g DELETE ON t BEGIN SELECT 1; END"],
        ),
        (
            "CREATE TABLE t (a); DROP TRIGGER x;",
            &["CREATE TABLE t (a)", "DROP TRIGGER x"],
        ),
    ] {
        assert_eq!(statements(script), expected, "{script:?}");
    }
}

#[test]
fn what_is_not_understood_is_not_trusted() {
    for (script, at) in [
        ("SELECT 1; CREATE TABEL t (a)", 17),
        ("SELECT 'open", 7),
        ("SELECT [open", 7),
        ("SELECT 1 SELECT 2", 9),
        ("SELECT 1;\n.tables", 10),
        ("SELECT (1; SELECT 2", 9),
    ] {
        match analyse(Engine::Sqlite, script) {
            Analysis::NotAnalysed(NotAnalysed::ParseError { offset, message }) => {
                assert_eq!(offset, at, "{script:?}: {message}");
            }
            other => panic!("{script:?}: {other:?}"),
        }
    }
}

#[test]
fn the_way_prisma_rebuilds_a_table_is_atomic() {
    let analysis = analyse(
        Engine::Sqlite,
        "-- RedefineTables\nPRAGMA defer_foreign_keys=ON;\nPRAGMA foreign_keys=OFF;\n\
         CREATE TABLE \"new_A\" (\"id\" INTEGER NOT NULL PRIMARY KEY);\n\
         INSERT INTO \"new_A\" (\"id\") SELECT \"id\" FROM \"A\";\nDROP TABLE \"A\";\n\
         ALTER TABLE \"new_A\" RENAME TO \"A\";\n\
         PRAGMA foreign_keys=ON;\nPRAGMA defer_foreign_keys=OFF;\n",
    );
    assert_eq!(analysis.receipt_kind(), ReceiptKind::Atomic);
    let switches: Vec<_> = analysis
        .statements()
        .unwrap()
        .iter()
        .filter(|statement| statement.kind != StatementKind::Ordinary)
        .map(|statement| statement.kind)
        .collect();
    assert_eq!(
        switches,
        [
            StatementKind::ForeignKeys(false),
            StatementKind::ForeignKeys(true)
        ]
    );
}
