//! What is PostgreSQL's own: each row of the table of measured facts that concerns one migration.
//!
//! What every target must do stands in `tests/conformance`.

#![allow(
    clippy::unwrap_used,
    reason = "a helper of a test fails like the test itself"
)]

#[path = "../support/mod.rs"]
mod support;

mod bench;
mod connecting;
mod errors;
mod hygiene;
mod identity;
mod journal;
mod own_tables;
mod reset;
