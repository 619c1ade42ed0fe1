//! The words of the design as types: plain data, no I/O.
//!
//! `docs/LEDGER.md` draws the byte formats of [`entry`], [`receipt`] and [`schema`]; they are frozen.

pub mod entry;
pub mod ids;
pub mod policy;
pub mod prisma;
pub mod receipt;
pub mod schema;
pub mod timestamp;

pub use entry::{Actor, Entry, Fact, GitState, Origin, Provenance};
pub use ids::{AttemptId, EnvironmentName, IncarnationId, MigrationId, WriterId};
pub use policy::{Environment, Kind, Policy};
pub use receipt::{EarlierSuccess, Receipt, ReceiptKind, StoredReceipt};
pub use schema::{Schema, SchemaChange, SchemaDifference, SchemaObject};
pub use timestamp::Timestamp;
