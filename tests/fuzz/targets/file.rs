//! The ledger's file: see `src/file.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| tollgate_fuzz::file::check(input));
