//! Growing to 100 entries, every prefix; then each way to alter the rows.

use tempfile::tempdir;
use tollgate::ledger::LedgerErrorKind;
use tollgate::ledger::chain::{Row, Walk};
use tollgate::model::Entry;

use crate::support::{append, hundred, open, open_as, read, rows, unguarded, walk};

#[test]
fn a_ledger_grows_to_100_entries_and_every_prefix_verifies() {
    let folder = tempdir().unwrap();
    let rows = rows(&hundred(folder.path()));
    assert_eq!(rows.len(), 100);
    for length in 0..=100 {
        let heads = walk(&rows[..length]).unwrap();
        let last = rows[..length].last();
        assert_eq!(heads.len(), last.iter().count());
        for (head, row) in heads.iter().zip(last) {
            assert_eq!(head.number, length as u64);
            assert_eq!(head.hash.as_bytes().as_slice(), row.hash);
        }
    }
}

fn walked(rows: &[Row]) -> Walk {
    let mut walk = Walk::default();
    for row in rows {
        walk.step(row).unwrap();
    }
    walk
}

#[test]
fn any_one_byte_of_a_body_that_is_replaced_is_found_in_its_row() {
    let folder = tempdir().unwrap();
    let rows = rows(&hundred(folder.path()));
    for place in [0, 1, 2, 51, 98, 99] {
        let before = walked(&rows[..place]);
        for byte in 0..rows[place].body.len() {
            for other in [b'0', b' ', b'"', b'z'] {
                let mut altered = rows[place].clone();
                let mut body = altered.body.into_bytes();
                if std::mem::replace(&mut body[byte], other) == other {
                    continue;
                }
                altered.body = String::from_utf8(body).unwrap();
                let unsound = before.clone().step(&altered).unwrap_err();
                assert_eq!(
                    unsound.number, rows[place].number,
                    "byte {byte} of row {place}"
                );
                assert_eq!(unsound.what, "its bytes do not have the hash beside them");
            }
        }
    }
}

#[test]
fn a_body_cut_or_lengthened_is_found() {
    let folder = tempdir().unwrap();
    let rows = rows(&hundred(folder.path()));
    for (place, row) in rows.iter().enumerate() {
        let before = walked(&rows[..place]);
        let shorter = row.body[..row.body.len() - 1].to_owned();
        for body in [
            shorter,
            format!("{} ", row.body),
            format!("{}\0", row.body),
            String::new(),
        ] {
            let altered = Row {
                body,
                ..row.clone()
            };
            assert_eq!(
                before.clone().step(&altered).unwrap_err().number,
                row.number
            );
        }
    }
}

#[test]
fn any_column_beside_a_body_that_is_altered_is_found() {
    let folder = tempdir().unwrap();
    let rows = rows(&hundred(folder.path()));
    for place in [0, 1, 50, 99] {
        for byte in 0..32 {
            let mut altered = rows.clone();
            altered[place].hash[byte] ^= 1;
            walk(&altered).unwrap_err();
        }
        for byte in 0..16 {
            let mut altered = rows.clone();
            altered[place].writer[byte] ^= 1;
            walk(&altered).unwrap_err();
        }
        for number in [
            -1,
            0,
            rows[place].number + 1,
            rows[place].number - 1,
            i64::MAX,
            i64::MIN,
        ] {
            let mut altered = rows.clone();
            altered[place].number = number;
            walk(&altered).unwrap_err();
        }
    }
}

#[test]
fn a_row_that_is_deleted_doubled_or_swapped_is_found() {
    let folder = tempdir().unwrap();
    let rows = rows(&hundred(folder.path()));
    let whole = walked(&rows);
    for place in 0..100 {
        let before = walked(&rows[..place]);
        let after = walked(&rows[..=place]);
        after.clone().step(&rows[place]).unwrap_err();
        whole.clone().step(&rows[place]).unwrap_err();
        for other in rows.iter().skip(place + 1) {
            // Another one in its place: swapped, or moved up.
            before.clone().step(other).unwrap_err();
        }
        let mut deleted = rows.clone();
        deleted.remove(place);
        assert_eq!(walk(&deleted).is_err(), place < 99, "row {place}");
    }
}

/// Alters a body and makes its hash, and where told every later one, fit again.
fn forge(rows: &[Row], place: usize, and_all_later: bool) -> Vec<Row> {
    let mut forged = rows.to_vec();
    let end = if and_all_later { rows.len() } else { place + 1 };
    for at in place..end {
        let mut entry = Entry::from_body(&forged[at].body).unwrap();
        if at == place {
            std::sync::Arc::make_mut(&mut entry.by).actor.0 = "eve".to_owned();
        } else {
            let before: [u8; 32] = forged[at - 1].hash.clone().try_into().unwrap();
            entry.prev = Some(tollgate::digest::ChainHash::from_bytes(before));
        }
        forged[at].body = entry.to_body().unwrap();
        forged[at].hash = Entry::hash_of(forged[at].body.as_bytes())
            .as_bytes()
            .to_vec();
    }
    forged
}

#[test]
fn a_body_altered_together_with_its_hash_is_found_in_the_row_after_it() {
    let folder = tempdir().unwrap();
    let rows = rows(&hundred(folder.path()));
    for place in 0..99 {
        let (number, what) = walk(&forge(&rows, place, false)).unwrap_err();
        assert_eq!(number, rows[place + 1].number);
        assert_eq!(what, "it does not follow the entry before it");
    }
}

/// What a bare chain cannot show, so that nobody believes that it does: the head changes, and only
/// someone who knows the old head (a receipt in a target does) can tell.
#[test]
fn a_cut_tail_a_forged_tail_and_a_removed_writer_verify_and_only_the_heads_differ() {
    let folder = tempdir().unwrap();
    let path = hundred(folder.path());
    append(
        &mut open_as("elsewhere", &path, std::time::Duration::ZERO).unwrap(),
        5,
    );
    let rows = rows(&path);
    let heads = walk(&rows).unwrap();
    assert_eq!((rows.len(), heads.len()), (106, 2));

    for cut in 1..6 {
        assert_ne!(walk(&rows[..rows.len() - cut]).unwrap(), heads);
    }
    for place in [0, 50, 99] {
        let forged = forge(&rows[..100], place, true);
        assert_ne!(walk(&forged).unwrap(), walk(&rows[..100]).unwrap());
    }
    let first_only = walk(&rows[..100]).unwrap();
    let second_only = walk(&rows[100..]).unwrap();
    assert_eq!((first_only.len(), second_only.len()), (1, 1));
    // The second writer still names the head of the one that was removed.
    assert!(rows[100].body.contains(&first_only[0].hash.to_string()));
}

#[test]
fn how_two_writers_interleave_changes_nothing() {
    let folder = tempdir().unwrap();
    let path = hundred(folder.path());
    append(
        &mut open_as("elsewhere", &path, std::time::Duration::ZERO).unwrap(),
        5,
    );
    let rows = rows(&path);
    let (one, other) = rows.split_at(100);
    let mixed: Vec<Row> = one[..3]
        .iter()
        .chain(other)
        .chain(&one[3..])
        .cloned()
        .collect();
    assert_eq!(walk(&mixed), walk(&rows));
}

#[test]
fn a_file_that_was_altered_is_neither_read_nor_opened() {
    for alteration in [
        "UPDATE entry SET body = replace(body, 'ada', 'eve') WHERE position = 40",
        "UPDATE entry SET body = CAST(replace(body, 'ada', x'ffffff') AS TEXT) WHERE position = 40",
        "UPDATE entry SET body = body || x'00' WHERE position = 40",
        "UPDATE entry SET body = '' WHERE position = 40",
        "UPDATE entry SET hash = zeroblob(32) WHERE position = 40",
        "UPDATE entry SET writer = zeroblob(16) WHERE position = 40",
        "UPDATE entry SET number = 1000 WHERE position = 40",
        "DELETE FROM entry WHERE position = 40",
        "DELETE FROM entry WHERE position = 1",
        "UPDATE entry SET position = 1000 WHERE position = 40",
        "INSERT INTO entry SELECT 1000, writer, 1000, zeroblob(32), body FROM entry WHERE position = 40",
    ] {
        let folder = tempdir().unwrap();
        let path = hundred(folder.path());
        let connection = unguarded(&path);
        assert_eq!(
            connection.execute(alteration, []).unwrap(),
            1,
            "{alteration}"
        );
        drop(connection);
        let before = count(&path);
        let found = read(&path).unwrap_err().kind;
        assert!(
            matches!(found, LedgerErrorKind::Unsound(_)),
            "{alteration}: {found:?}"
        );
        let opened = open_as("here", &path, std::time::Duration::ZERO)
            .unwrap_err()
            .kind;
        assert!(
            matches!(opened, LedgerErrorKind::Unsound(_)),
            "{alteration}: {opened:?}"
        );
        assert_eq!(
            count(&path),
            before,
            "nothing is written to a ledger that is not sound"
        );
    }
}

#[test]
fn bytes_that_are_no_text_are_found_even_under_the_hash_of_the_empty_text() {
    let folder = tempdir().unwrap();
    let path = hundred(folder.path());
    let hash = Entry::hash_of(b"");
    let alter = "UPDATE entry SET body = CAST(x'ff' AS TEXT), hash = ?1 WHERE position = 40";
    unguarded(&path).execute(alter, [hash.as_bytes()]).unwrap();
    let found = read(&path).unwrap_err().kind;
    assert!(matches!(found, LedgerErrorKind::Unsound(_)), "{found:?}");
}

fn count(path: &std::path::Path) -> i64 {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .query_row("SELECT count(*) FROM entry", [], |row| row.get(0))
        .unwrap()
}

#[test]
fn the_error_names_the_entry_and_the_heads_up_to_it() {
    let folder = tempdir().unwrap();
    let path = hundred(folder.path());
    let writer = open(&path).writer();
    let hash = rows(&path)[38].hash.clone();
    let alter = "UPDATE entry SET body = replace(body, 'ada', 'eve') WHERE position = 40";
    unguarded(&path).execute(alter, []).unwrap();
    let LedgerErrorKind::Unsound(unsound) = read(&path).unwrap_err().kind else {
        panic!()
    };
    assert_eq!((unsound.number, unsound.writer), (40, writer.to_string()));
    assert_eq!(unsound.sound.len(), 1);
    assert_eq!(
        (unsound.sound[0].writer, unsound.sound[0].number),
        (writer, 39)
    );
    assert_eq!(unsound.sound[0].hash.as_bytes().as_slice(), hash);
}
