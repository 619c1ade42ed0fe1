//! tollgate: a gate for SQL migrations.
//!
//! A migration may enter an environment only when the same bytes have succeeded in every
//! environment before it. This crate keeps the proof of that in a local ledger, plans from it
//! without a network, and refuses with reasons.
//!
//! The layers, top to bottom; arrows point down only (`tests/layers` holds them):
//!
//! ```text
//! cli                         arguments, the clock, the environment, printing, exit codes
//! workflows                   the verbs, each a readable story
//! planner   report            pure: data in, data (or bytes) out
//! lint      reverse           pure: what a script does to what stands; its reversal, written
//! ledger    targets  catalog  SQLite file | databases | migrations on disk
//! model     digest   sql      ids, checksums, entries; reading SQL text (and failpoint, for tests)
//! ```

pub mod catalog;
pub mod cli;
pub mod digest;
mod failpoint;
pub mod ledger;
pub mod lint;
pub mod model;
pub mod planner;
pub mod report;
pub mod reverse;
pub mod sql;
pub mod targets;
pub mod workflows;
