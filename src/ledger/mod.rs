//! The ledger: what happened, in order, append-only, hash-chained, in one SQLite file.
//!
//! [`chain`] verifies it and [`view`] folds it into a state; both are pure. The byte formats are in
//! `docs/LEDGER.md`.

mod applied;
mod approvals;
pub mod assemble;
mod attempts;
mod bindings;
pub mod chain;
mod debts;
pub mod error;
mod hasher;
pub(crate) mod head;
mod life;
mod load;
mod merge;
mod order;
mod pack;
mod place;
mod read;
mod rehearsals;
mod reverts;
mod snapshot;
mod soak;
mod store;
mod versions;
pub mod view;
mod waivers;

pub use assemble::{Fork, Gap, Strays, Twin};
pub use error::{LedgerError, LedgerErrorKind};
pub use merge::Merged;
pub use pack::{Pack, PackError};
pub use place::at_work;
pub use read::{
    Loaded, exchanged_scripts, read, read_bodies, read_script, read_scripts, read_state, verify,
};
pub use snapshot::Agreement;
pub use store::{Ledger, Opening};
pub use view::View;
