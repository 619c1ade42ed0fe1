//! Reverting, without the world: which migrations reverse which, what later ones build on, which bytes are
//! taken, and the text of a rollback. Pure.

mod builds_on;
mod kept;
mod links;
mod losses;
mod text;
mod versions;

pub use builds_on::{Later, builds_on};
pub use kept::{destroyed, file_before, good_backups};
pub use links::Links;
pub use losses::{destroys, dropped, losses};
pub use text::{Body, Rollback, has_stubs, name_of, stubs};

pub use crate::model::one_line;
pub use versions::{Down, Known, Source, Up, choose};
