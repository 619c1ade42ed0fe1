//! A database of one's own beside a target: to try there what cannot be tried in the target, and to see
//! whether a backup can be restored.

use super::address::Address;
use super::{Target, TargetError, postgres, sqlite};

/// A database that was made for one use. It is dropped with this value; one that a crash left behind is
/// dropped when the next one is made beside the same target.
pub trait Scratch: std::fmt::Debug {
    /// Its name: of a database on the same server, or of a file beside the target's.
    fn name(&self) -> &str;

    /// Connects to it.
    ///
    /// # Errors
    /// As [`super::open`].
    fn open(&self) -> Result<Box<dyn Target>, TargetError>;

    /// Its address, with what is secret in it.
    fn address(&self) -> &Address;

    /// Drops it, and says whether that was done. Every target that was opened there must be dropped before.
    ///
    /// # Errors
    /// Whatever the server or the file says: it is then dropped when the next one is made.
    fn discard(self: Box<Self>) -> Result<(), TargetError>;
}

/// How a scratch database begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beginning {
    /// With nothing in it but what every new database has.
    Empty,
    /// As a copy of the target, data included. Nobody may be connected to a PostgreSQL target meanwhile: the
    /// caller drops its own [`Target`] before, and looks again afterwards.
    Copy,
}

/// Why there is no scratch database.
#[derive(Debug)]
pub enum ScratchError {
    /// This role may not make one.
    NotAllowed {
        /// What the server says, as a clause.
        why: String,
    },
    /// It cannot be copied now: others are connected, or it takes too long.
    NotCopied {
        /// Why, as a clause.
        why: String,
    },
    /// The target.
    Target(Box<TargetError>),
}

impl From<TargetError> for ScratchError {
    fn from(error: TargetError) -> Self {
        Self::Target(Box::new(error))
    }
}

/// Makes a scratch database beside the target at an address, after it dropped those that crashes left.
///
/// # Errors
/// [`ScratchError`]; nothing is left behind.
pub fn scratch(address: &Address, beginning: Beginning) -> Result<Box<dyn Scratch>, ScratchError> {
    Ok(match address {
        Address::Sqlite(path) => Box::new(sqlite::scratch(path, beginning)?),
        Address::Postgresql(settings) => Box::new(postgres::scratch(settings, beginning)?),
    })
}
