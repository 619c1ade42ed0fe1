//! What is PostgreSQL's own: each row of the table of measured facts that concerns one migration.
//!
//! What every target must do stands in `tests/conformance`.

#[path = "../support/mod.rs"]
mod support;

mod bench;
mod connecting;
mod errors;
mod hygiene;
mod identity;
mod journal;
mod own_tables;
