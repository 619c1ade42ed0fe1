//! The readers of entries and receipts: see `src/entries.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| tollgate_fuzz::entries::check(input));
