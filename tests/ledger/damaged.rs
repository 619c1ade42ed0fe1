//! Files that are no ledger, another version's, damaged, or not there.
//!
//! A folder that cannot be written is not tested here: tests may run as root, for whom permissions
//! do not count. Its error takes the same way as those of a folder that cannot be made.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::tempdir;
use tollgate::digest::ChainHash;
use tollgate::ledger::LedgerErrorKind;

use crate::support::{append, hundred, open, open_as, read, rows};

fn open_error(path: &Path) -> LedgerErrorKind {
    open_as("here", path, Duration::ZERO).unwrap_err().kind
}

#[test]
fn a_ledger_that_is_not_there_reads_as_empty_and_stays_away() {
    let folder = tempdir().unwrap();
    for path in ["ledger.db", "state/ledger.db"] {
        let loaded = read(&folder.path().join(path)).unwrap();
        assert_eq!((loaded.entries.len(), loaded.heads.len()), (0, 0));
        assert_eq!(loaded.view, tollgate::ledger::View::default());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn reading_leaves_the_file_as_it_was_and_nothing_beside_it() {
    let folder = tempdir().unwrap();
    let path = hundred(folder.path());
    let bytes = read_bytes(&path);
    assert_eq!(read(&path).unwrap().entries.len(), 100);
    assert!(read_bytes(&path) == bytes, "the file was changed");
    for entry in fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap())
    {
        let name = entry.file_name().into_string().unwrap();
        match name.as_str() {
            "ledger.db" | "ledger.db.lock" | "ledger.db.head" => {}
            other => panic!("{other} was left behind"),
        }
    }
}

#[test]
fn a_newer_schema_is_read_where_the_tables_are_there_and_never_written() {
    let folder = tempdir().unwrap();
    let path = hundred(folder.path());
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let bytes = read_bytes(&path);
    assert_eq!(read(&path).unwrap().entries.len(), 100);
    let found = open_error(&path);
    assert!(
        matches!(
            found,
            LedgerErrorKind::Newer {
                found: 99,
                known: 3
            }
        ),
        "{found:?}"
    );
    assert!(read_bytes(&path) == bytes, "the file was changed");

    let other_tables = folder.path().join("other.db");
    let connection = Connection::open(&other_tables).unwrap();
    connection
        .pragma_update(None, "application_id", 0x544f_4c4c)
        .unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    read(&other_tables).unwrap_err();
    assert!(matches!(
        open_error(&other_tables),
        LedgerErrorKind::Newer { .. }
    ));
}

#[test]
fn another_programs_database_is_neither_read_nor_touched() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    for their_id in [0, 7] {
        let connection = Connection::open(&path).unwrap();
        connection
            .pragma_update(None, "application_id", their_id)
            .unwrap();
        connection
            .execute_batch("CREATE TABLE IF NOT EXISTS entry (a)")
            .unwrap();
        drop(connection);
        let bytes = read_bytes(&path);
        assert!(matches!(
            read(&path).unwrap_err().kind,
            LedgerErrorKind::Corrupt(_)
        ));
        assert!(matches!(open_error(&path), LedgerErrorKind::Corrupt(_)));
        assert!(read_bytes(&path) == bytes, "the file was changed");
    }
}

#[test]
fn what_is_no_database_is_neither_read_nor_touched() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    for text in [
        "CREATE TABLE a;\n".repeat(100),
        "x".to_owned(),
        "SQLite format 3\0 and so on".repeat(40),
    ] {
        write_bytes(&path, text.as_bytes());
        assert!(
            matches!(read(&path).unwrap_err().kind, LedgerErrorKind::Corrupt(_)),
            "{text:?}"
        );
        assert!(
            matches!(open_error(&path), LedgerErrorKind::Corrupt(_)),
            "{text:?}"
        );
        assert_eq!(read_bytes(&path), text.as_bytes());
    }
}

#[test]
fn an_empty_file_is_an_empty_ledger() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    write_bytes(&path, b"");
    assert_eq!(read(&path).unwrap().entries.len(), 0);
    append(&mut open(&path), 1);
    assert_eq!(read(&path).unwrap().entries.len(), 2);
}

#[test]
fn a_path_that_cannot_be_a_file_is_an_error_that_names_it() {
    let folder = tempdir().unwrap();
    write_bytes(&folder.path().join("file"), b"x");
    let below_a_file = folder.path().join("file/ledger.db");
    let error = open_as("here", &below_a_file, Duration::ZERO).unwrap_err();
    assert!(error.to_string().contains("file/ledger.db"), "{error}");
    let error = open_as("here", folder.path(), Duration::ZERO).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&folder.path().display().to_string()),
        "{error}"
    );
}

#[test]
fn a_file_that_was_cut_is_damaged_or_holds_a_prefix_and_nothing_else() {
    let folder = tempdir().unwrap();
    let path = hundred(folder.path());
    let (whole, entries) = (read_bytes(&path), read(&path).unwrap().entries);
    for length in (1..whole.len())
        .step_by(1777)
        .chain([whole.len() - 1, 4096, 8192])
    {
        write_bytes(&path, &whole[..length]);
        check_damaged(&path, &entries, &format!("cut to {length} bytes"));
    }
}

/// A flipped bit in a page is found, or it hit nothing that is read. Where it hits the page's own
/// bookkeeping, rows may vanish from the end: that is a cut tail, which a bare chain cannot show.
#[test]
fn a_bit_that_was_flipped_in_a_page_never_changes_what_an_entry_says() {
    let folder = tempdir().unwrap();
    let path = hundred(folder.path());
    let (whole, entries) = (read_bytes(&path), read(&path).unwrap().entries);
    let mut found = 0;
    let mut tried = 0;
    for at in (0..whole.len())
        .step_by(211)
        .chain(16..110)
        .chain(4096..4140)
    {
        let mut flipped = whole.clone();
        flipped[at] ^= 1 << (at % 8);
        write_bytes(&path, &flipped);
        found += usize::from(check_damaged(
            &path,
            &entries,
            &format!("a bit of byte {at}"),
        ));
        tried += 1;
    }
    assert!(
        found * 3 > tried,
        "only {found} of {tried} flips were found"
    );
}

/// Whether the damage was found; where it was not, a prefix of what was there must be read.
fn check_damaged(path: &Path, entries: &[(ChainHash, tollgate::model::Entry)], how: &str) -> bool {
    match read(path) {
        Err(_) => true,
        Ok(loaded) => {
            assert!(entries.starts_with(&loaded.entries), "{how}");
            false
        }
    }
}

#[test]
fn entries_in_a_wal_that_was_never_checkpointed_are_read() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("ledger.db");
    let mut ledger = open(&path);
    append(&mut ledger, 3);
    // As after a crash: the file and its WAL, and nobody who closed them.
    let crashed = folder.path().join("crashed");
    fs::create_dir(&crashed).unwrap();
    for name in ["ledger.db", "ledger.db-wal"] {
        fs::copy(folder.path().join(name), crashed.join(name)).unwrap();
    }
    assert_eq!(read(&crashed.join("ledger.db")).unwrap().entries.len(), 4);
    assert_eq!(rows(&crashed.join("ledger.db")).len(), 4);
}

#[expect(clippy::disallowed_methods, reason = "this test looks at the file")]
fn read_bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "this test damages the file")]
fn write_bytes(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

/// A file as the first version made it: without what many machines need.
#[test]
fn a_ledger_of_the_first_schema_is_read_as_it_is_and_gets_the_newest_when_it_is_written() {
    let folder = tempdir().unwrap();
    let whole = hundred(folder.path());
    let old = folder.path().join("old.db");
    let connection = Connection::open(&old).unwrap();
    connection
        .execute_batch(include_str!("../../src/ledger/schema/001.sql"))
        .unwrap();
    connection
        .pragma_update(None, "application_id", 0x544f_4c4c)
        .unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    connection
        .execute("ATTACH ?1 AS whole", [whole.to_str().unwrap()])
        .unwrap();
    connection
        .execute_batch("INSERT INTO entry SELECT * FROM whole.entry; INSERT INTO place SELECT * FROM whole.place; DETACH whole")
        .unwrap();
    drop(connection);
    let bytes = read_bytes(&old);
    assert_eq!(read(&old).unwrap().entries.len(), 100);
    assert!(read_bytes(&old) == bytes, "a reader changes nothing");
    append(&mut open(&old), 1);
    // It stands elsewhere, so it goes on under a new writer: two entries more.
    assert_eq!(read(&old).unwrap().entries.len(), 102);
    let version: i64 = Connection::open(&old)
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 3);
}
