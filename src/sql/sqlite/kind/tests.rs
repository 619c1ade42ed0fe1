use crate::model::entry::Engine;
use crate::sql::StatementKind::{self, *};
use crate::sql::analyse;

fn kind(statement: &str) -> StatementKind {
    let analysis = analyse(Engine::Sqlite, statement);
    match analysis.statements() {
        Some([only]) => only.kind,
        _ => panic!("{statement}: {analysis:?}"),
    }
}

#[test]
fn every_kind() {
    for (statement, expected) in [
        ("BEGIN", TransactionControl("BEGIN")),
        ("begin immediate transaction;", TransactionControl("BEGIN")),
        ("COMMIT", TransactionControl("COMMIT")),
        ("END TRANSACTION", TransactionControl("END")),
        ("/* ; */ ROLLBACK", TransactionControl("ROLLBACK")),
        ("SAVEPOINT a", Savepoint("SAVEPOINT")),
        ("RELEASE a", Savepoint("RELEASE SAVEPOINT")),
        (
            "ROLLBACK TRANSACTION TO SAVEPOINT a",
            Savepoint("ROLLBACK TO SAVEPOINT"),
        ),
        ("ATTACH 'x.db' AS x", NotWrappable("ATTACH")),
        ("DETACH x", NotWrappable("DETACH")),
        ("VACUUM", NotWrappable("VACUUM")),
        ("VACUUM main INTO 'x.db'", NotWrappable("VACUUM")),
        (
            "PRAGMA journal_mode = WAL",
            NotWrappable("PRAGMA journal_mode"),
        ),
        (
            "PRAGMA main.Journal_Mode(wal)",
            NotWrappable("PRAGMA journal_mode"),
        ),
        (
            "PRAGMA synchronous=NORMAL",
            NotWrappable("PRAGMA synchronous"),
        ),
        (
            "PRAGMA temp_store = memory",
            NotWrappable("PRAGMA temp_store"),
        ),
        (
            "PRAGMA wal_checkpoint",
            NotWrappable("PRAGMA wal_checkpoint"),
        ),
        ("PRAGMA journal_mode", Ordinary),
        ("PRAGMA foreign_keys", Ordinary),
        ("PRAGMA foreign_key_check", Ordinary),
        ("PRAGMA defer_foreign_keys=ON", Ordinary),
        ("PRAGMA user_version = 3", Ordinary),
        ("EXPLAIN VACUUM", Ordinary),
        ("SELECT 'COMMIT;'", Ordinary),
        ("CREATE TABLE \"VACUUM\" (a)", Ordinary),
    ] {
        assert_eq!(kind(statement), expected, "{statement}");
    }
}

/// The values are tried on SQLite itself.
#[test]
fn foreign_keys_are_read_as_sqlite_reads_them() {
    let connection = rusqlite::Connection::open_in_memory().unwrap();
    for value in [
        "ON", "on", "'on'", "\"Yes\"", "true", "1", "+1", "2", "-1", "257", "256", "0", "OFF",
        "off", "no", "false", "'0'", "full", "extra", "nonsense", "1.5", "0.5",
    ] {
        for statement in [
            format!("PRAGMA foreign_keys = {value}"),
            format!("PRAGMA main.foreign_keys({value})"),
            format!("pragma \"foreign_keys\"={value};"),
        ] {
            for before in ["ON", "OFF"] {
                connection
                    .execute_batch(&format!("PRAGMA foreign_keys = {before}"))
                    .unwrap();
                connection.execute_batch(&statement).unwrap();
                let now = connection
                    .query_row("PRAGMA foreign_keys", [], |row| row.get::<_, bool>(0))
                    .unwrap();
                assert_eq!(kind(&statement), ForeignKeys(now), "{statement}");
            }
        }
    }
}
