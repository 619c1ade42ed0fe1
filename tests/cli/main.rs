//! What users read: every message with its exit status, in a world that stands still.

mod chain;
mod errors;
mod project;
mod readme;

mod verbs;
