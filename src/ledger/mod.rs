//! The ledger: what happened, in order, append-only, hash-chained, in one SQLite file.
//!
//! [`chain`] verifies it and [`view`] folds it into a state; both are pure. The byte formats are in
//! `docs/LEDGER.md`.

pub mod chain;
pub mod error;
pub(crate) mod head;
mod place;
mod read;
mod store;
pub mod view;

pub use error::{LedgerError, LedgerErrorKind};
pub use read::{Loaded, read, read_script, read_state};
pub use store::{Ledger, Opening};
pub use view::View;
