//! What users read: every message with its exit status, in a world that stands still.

#![allow(
    clippy::disallowed_methods,
    reason = "tests make the files that the program reads"
)]

mod chain;
mod errors;
mod on_postgres;
mod processes;
mod project;
mod readme;

#[path = "../support/mod.rs"]
mod server;
mod verbs;
