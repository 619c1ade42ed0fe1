//! The script reader: see `src/sql.rs`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate_fuzz::{on_parser_thread, sql};

fuzz_target!(|input: &[u8]| on_parser_thread(sql::check, input));
