//! The readers of scripts, entries, receipts and of the ledger's file, held to the properties that
//! the fuzzer holds them to (`tests/fuzz`): on the inputs that it found, and on a real ledger with
//! every single byte damaged, cut at every place, and torn at every sector.
#![allow(
    clippy::disallowed_methods,
    reason = "this test reads the inputs that the fuzzer found"
)]

#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::disallowed_methods,
    reason = "written for the fuzzer, which is a crate of its own"
)]
#[path = "fuzz/src/lib.rs"]
mod properties;

use std::path::Path;
use std::sync::PoisonError;

use properties::file::{Original, original, read_edited};

/// Gives every input of a corpus to a check; each is named where it fails.
fn replay(corpus: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let mut inputs: Vec<_> = std::fs::read_dir(folder.join(corpus))
        .expect("a corpus")
        .map(|entry| entry.expect("an input").path())
        .collect();
    inputs.sort();
    assert!(inputs.len() >= 20, "{corpus}: {} inputs", inputs.len());
    for path in inputs {
        let input = std::fs::read(&path).expect("an input");
        let held = std::panic::catch_unwind(|| check(&input));
        assert!(held.is_ok(), "{}", path.display());
    }
}

#[test]
fn the_script_reader_holds_on_what_the_fuzzer_found() {
    replay("sql", properties::sql::check);
}

#[test]
fn the_entry_and_receipt_readers_hold_on_what_the_fuzzer_found() {
    replay("entries", properties::entries::check);
}

#[test]
fn the_ledger_reader_holds_on_what_the_fuzzer_found() {
    replay("file", properties::file::check);
}

/// Otherwise nothing would be said of the kinds that can no longer be read.
#[test]
fn every_fact_that_the_fuzzer_makes_up_is_an_entry() {
    for kind in 0..=255 {
        let body = properties::entries::fact(kind, kind, 1);
        let read = tollgate::model::Entry::from_body(&body);
        assert!(read.is_ok(), "{read:?}: {body}");
    }
}

/// Runs a check with the original ledger, which is one for the process.
fn with_original(check: impl FnOnce(&Original)) {
    check(&original().lock().unwrap_or_else(PoisonError::into_inner));
}

/// Every byte of the file: the damage is found, or it hit nothing that is read, and then exactly the
/// same entries are read.
#[test]
fn a_flipped_bit_at_any_byte_of_the_file_is_found_or_changes_nothing() {
    with_original(|original| {
        let mut file = original.whole.clone();
        let (mut found, mut harmless) = (0, 0);
        for at in 0..file.len() {
            let bit = 1 << (at % 8);
            file[at] ^= bit;
            match read_edited(original, &file, &[], true) {
                Some(entries) => {
                    assert_eq!(entries, original.entries.len(), "byte {at}");
                    harmless += 1;
                }
                None => found += 1,
            }
            file[at] ^= bit;
        }
        // The rest are pages of indexes, free space, and tables that are read when they are asked for.
        let entries: usize = original
            .entries
            .iter()
            .map(|(_, entry)| entry.to_body().expect("it was read").len())
            .sum();
        assert!(found > entries, "{found} found, {harmless} harmless");
        println!("{found} found, {harmless} harmless");
    });
}

/// The same for the write-ahead log that holds the second half of the entries.
#[test]
fn a_flipped_bit_at_any_byte_of_the_write_ahead_log_is_found_or_changes_nothing() {
    with_original(|original| {
        let mut log = original.wal.clone();
        for at in (0..log.len()).step_by(7).chain(0..64) {
            let bit = 1 << (at % 8);
            log[at] ^= bit;
            if let Some(entries) = read_edited(original, &original.old, &log, true) {
                assert_eq!(entries, original.entries.len(), "byte {at}");
            }
            log[at] ^= bit;
        }
    });
}

#[test]
fn a_file_or_log_cut_anywhere_is_found() {
    with_original(|original| {
        let places = |length: usize| {
            let sectors = (0..length).step_by(512);
            sectors.flat_map(move |at| [at.saturating_sub(1), at, (at + 1).min(length - 1)])
        };
        for at in places(original.whole.len()) {
            let read = read_edited(original, &original.whole[..at], &[], true);
            assert_eq!(read, None, "the file cut to {at}");
        }
        for at in places(original.wal.len()) {
            let read = read_edited(original, &original.old, &original.wal[..at], true);
            assert_eq!(read, None, "the log cut to {at}");
        }
    });
}

/// A page of which some sectors are of an earlier time, or were never written: every sector alone,
/// and every half of a page.
#[test]
fn a_torn_page_is_found_or_changes_nothing() {
    with_original(|original| {
        let torn = |main: &[u8], wal: &[u8], how: &str| {
            if let Some(entries) = read_edited(original, main, wal, true) {
                assert_eq!(entries, original.entries.len(), "{how}");
            }
        };
        for size in [512, 2048] {
            for at in (0..original.whole.len()).step_by(size) {
                let mut main = original.whole.clone();
                main[at..at + size].fill(0);
                torn(&main, &[], &format!("{size} bytes at {at} never written"));
                if let Some(old) = original.old.get(at..at + size) {
                    main[at..at + size].copy_from_slice(old);
                    torn(
                        &main,
                        &[],
                        &format!("{size} bytes at {at} of an earlier time"),
                    );
                }
            }
            for at in (0..original.wal.len() - size).step_by(size) {
                let mut wal = original.wal.clone();
                wal[at..at + size].fill(0);
                torn(
                    &original.old,
                    &wal,
                    &format!("{size} bytes of the log at {at}"),
                );
            }
        }
    });
}
