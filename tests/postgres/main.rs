//! What is PostgreSQL's own: each row of the table of measured facts that concerns one migration.
//!
//! What every target must do stands in `tests/conformance`.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a helper of a test fails like the test itself, and makes the files that a program reads"
)]

#[path = "../support/mod.rs"]
mod support;

#[path = "../worst_day/proxy.rs"]
#[allow(dead_code, reason = "the crash suite uses all of it")]
mod proxy;

mod bench;
mod connecting;
mod data;
mod errors;
mod fingerprint;
mod hub;
mod hygiene;
mod identity;
mod invalid;
mod journal;
mod lost_by_a_down;
mod opening;
mod own_tables;
mod pooler;
mod rehearse;
mod reset;
mod rows;
mod schema;
mod standby;
mod waiting;
mod window;
