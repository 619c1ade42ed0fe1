//! The guards against honest mistakes, and the scripts that are kept.

use rusqlite::Connection;
use tempfile::tempdir;
use tollgate::digest::Checksum;
use tollgate::ledger::{LedgerErrorKind, read_script};

use crate::support::{
    append, at, by, hundred, intent, open, outcome, read, refused, rows, unguarded,
};

#[test]
fn no_statement_changes_removes_or_replaces_an_entry() {
    let folder = tempdir().unwrap();
    let path = hundred(folder.path());
    let before = rows(&path);
    for recursive_triggers in [false, true] {
        let connection = Connection::open(&path).unwrap();
        connection
            .pragma_update(None, "recursive_triggers", recursive_triggers)
            .unwrap();
        for statement in [
            "UPDATE entry SET body = 'x' WHERE position = 40",
            "UPDATE entry SET hash = zeroblob(32) WHERE position = 40",
            "UPDATE entry SET writer = zeroblob(16) WHERE position = 40",
            "UPDATE entry SET number = 1000 WHERE position = 40",
            "UPDATE entry SET position = 1000 WHERE position = 40",
            "UPDATE OR REPLACE entry SET position = 41 WHERE position = 40",
            "UPDATE entry SET body = body",
            "DELETE FROM entry WHERE position = 40",
            "DELETE FROM entry",
            // Through the primary key, through the hash, through (writer, number).
            "INSERT OR REPLACE INTO entry VALUES (40, zeroblob(16), 1, zeroblob(32), 'x')",
            "INSERT OR REPLACE INTO entry SELECT 1000, zeroblob(16), 1, hash, 'x' FROM entry WHERE position = 40",
            "INSERT OR REPLACE INTO entry SELECT 1000, writer, number, zeroblob(32), 'x' FROM entry WHERE position = 40",
            "REPLACE INTO entry SELECT * FROM entry WHERE position = 40",
            "INSERT INTO entry SELECT * FROM entry WHERE position = 40
               ON CONFLICT (position) DO UPDATE SET body = 'x'",
            "INSERT INTO entry SELECT NULL, writer, number, hash, 'x' FROM entry WHERE position = 40
               ON CONFLICT (hash) DO UPDATE SET body = 'x'",
        ] {
            let said = connection.execute(statement, []).unwrap_err().to_string();
            assert!(said.contains("append-only"), "{statement}: {said}");
            assert_eq!(rows(&path), before, "{statement}");
        }
    }
}

#[test]
fn what_is_no_entry_by_its_shape_cannot_be_inserted() {
    let folder = tempdir().unwrap();
    let path = hundred(folder.path());
    let connection = Connection::open(&path).unwrap();
    for values in [
        "zeroblob(15), 1, zeroblob(32), 'x'",
        "zeroblob(16), 0, zeroblob(32), 'x'",
        "zeroblob(16), 1, zeroblob(31), 'x'",
        "zeroblob(16), 1, zeroblob(32), NULL",
        "zeroblob(16), 1, zeroblob(32), x'00'",
        "'aaaaaaaaaaaaaaaa', 1, zeroblob(32), 'x'",
        "zeroblob(16), 1.5, zeroblob(32), 'x'",
    ] {
        let statement = format!("INSERT INTO entry (writer, number, hash, body) VALUES ({values})");
        assert!(connection.execute(&statement, []).is_err(), "{values}");
    }
}

#[test]
fn an_entry_that_contradicts_those_before_it_is_not_written() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut ledger = open(&path);
    ledger.append(at(1), &by(), outcome(1)).unwrap_err();
    assert_eq!(
        rows(&path).len(),
        0,
        "not even the first entry of the writer"
    );
    ledger.append(at(1), &by(), intent(1)).unwrap();
    ledger.append(at(1), &by(), outcome(1)).unwrap();
    ledger.append(at(1), &by(), outcome(1)).unwrap_err();
    let view = ledger.view().clone();
    drop(ledger);
    assert_eq!(read(&path).unwrap().view, view);
    assert_eq!(rows(&path).len(), 3);
}

#[test]
fn an_outcome_that_names_another_migration_than_its_attempt_is_not_written() {
    let folder = tempdir().unwrap();
    let mut ledger = open(&folder.path().join("ledger.db"));
    ledger.append(at(1), &by(), intent(1)).unwrap();
    let tollgate::model::Fact::Outcome(mut other) = outcome(1) else {
        panic!()
    };
    other.migration = tollgate::model::MigrationId::new("20250101000000_other");
    let before = ledger.view().clone();
    ledger
        .append(at(1), &by(), tollgate::model::Fact::Outcome(other))
        .unwrap_err();
    assert_eq!(*ledger.view(), before);
}

#[test]
fn the_bytes_of_a_script_are_kept_once_and_for_ever() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut ledger = open(&path);
    let scripts: [&[u8]; 4] = [b"", b"SELECT 1;\r\n", b"\xff\x00\xfe", &[b'x'; 100_000]];
    for script in scripts.iter().chain(&scripts) {
        let kept = Some((Checksum::of(script), *script));
        ledger.append_with(at(1), &by(), refused(), kept).unwrap();
    }
    for script in scripts {
        assert_eq!(
            ledger.script(Checksum::of(script)).unwrap().as_deref(),
            Some(script)
        );
        assert_eq!(
            read_script(&path, Checksum::of(script)).unwrap().as_deref(),
            Some(script)
        );
    }
    assert_eq!(ledger.script(Checksum::of(b"never")).unwrap(), None);
    assert_eq!(read_script(&path, Checksum::of(b"never")).unwrap(), None);
    let missing = folder.path().join("none.db");
    assert_eq!(read_script(&missing, Checksum::of(b"")).unwrap(), None);
    drop(ledger);
    let connection = Connection::open(&path).unwrap();
    for statement in [
        "UPDATE script SET bytes = x'00'",
        "DELETE FROM script",
        "INSERT OR REPLACE INTO script SELECT checksum, x'00' FROM script LIMIT 1",
        "INSERT INTO script SELECT checksum, x'00' FROM script WHERE true
           ON CONFLICT DO UPDATE SET bytes = x'00'",
    ] {
        let said = connection.execute(statement, []).unwrap_err().to_string();
        assert!(said.contains("are kept"), "{statement}: {said}");
    }
    let kept: i64 = connection
        .query_row("SELECT count(*) FROM script", [], |r| r.get(0))
        .unwrap();
    assert_eq!(kept, 4);
}

#[test]
fn bytes_that_do_not_have_the_checksum_they_are_said_to_have_are_not_kept() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut ledger = open(&path);
    append(&mut ledger, 1);
    let wrong: (Checksum, &[u8]) = (Checksum::of(b"one"), b"two");
    ledger
        .append_with(at(1), &by(), refused(), Some(wrong))
        .unwrap_err();
    assert_eq!(ledger.script(Checksum::of(b"one")).unwrap(), None);
    assert_eq!(rows(&path).len(), 2, "neither the bytes nor the entry");
}

#[test]
fn bytes_that_were_altered_in_the_file_are_not_given_back() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut ledger = open(&path);
    let checksum = Checksum::of(b"SELECT 1;");
    ledger
        .append_with(at(1), &by(), refused(), Some((checksum, &b"SELECT 1;"[..])))
        .unwrap();
    drop(ledger);
    unguarded(&path)
        .execute("UPDATE script SET bytes = CAST('SELECT 2;' AS BLOB)", [])
        .unwrap();
    let found = read_script(&path, checksum).unwrap_err().kind;
    assert!(matches!(found, LedgerErrorKind::Corrupt(_)), "{found:?}");
    let found = open(&path).script(checksum).unwrap_err().kind;
    assert!(matches!(found, LedgerErrorKind::Corrupt(_)), "{found:?}");
}
