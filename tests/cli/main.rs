//! What users read: every message with its exit status, in a world that stands still.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test panics where something is wrong, and makes the files that the program reads"
)]

mod backup;
mod break_glass;
mod carried;
mod chain;
mod clock;
mod cut_off;
mod data_loss;
mod desk;
mod emergency;
mod errors;
mod files;
mod github;
mod glance;
mod half_way;
mod identity;
mod init;
mod ledger_faults;
mod lint;
mod next_command;
mod on_postgres;
mod passwords;
mod policy;
mod prisma;
mod processes;
mod project;
mod readme;
mod redo;
pub(crate) mod rehearse;
mod release;
mod remedies;
mod report;
mod reset;
mod revert;
mod round_trips;
mod saved;
mod snapshot;

#[path = "../support/mod.rs"]
mod server;
mod team;
mod teams;
mod templates;
mod threats;
mod timeouts;
mod true_words;
mod urls;
mod variables;
mod verbs;
mod waive;
mod waived_ahead;
mod was_reset;
mod why;
mod without_stamp;
mod written_down;
mod wrong_url;
