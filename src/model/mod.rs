//! The words of the design as types: plain data, no I/O.
//!
//! `docs/LEDGER.md` draws the byte formats of [`entry`], [`receipt`] and [`schema`]; they are frozen.

pub mod approval;
pub mod calendar;
pub mod data;
pub mod debt;
pub mod entry;
pub mod ids;
pub mod policy;
pub mod prisma;
pub mod receipt;
pub mod rehearsal;
pub mod release;
pub mod reverting;
pub mod schema;
mod size;
pub mod timestamp;
pub mod waiver;

pub use approval::{Approval, ApprovedPlan};
pub use calendar::{Freeze, Window, read_instant};
pub use data::{Data, DataMode};
pub use debt::{Debt, IncidentName};
pub use entry::{Actor, Entry, Fact, GitState, Origin, Provenance};
pub use ids::{AttemptId, EnvironmentName, IncarnationId, IncidentId, MigrationId, WriterId};
pub use policy::{
    BreakGlass, DataLoss, Environment, Hold, Kind, LintLevel, Policy, Require, RequiredApprovals,
    RequiredBackup, RequiredRehearsal,
};
pub use receipt::{DownBytes, EarlierSuccess, Receipt, ReceiptKind, StoredReceipt};
pub(crate) use rehearsal::header as script_header;
pub use rehearsal::{DownLabel, Losses, Rehearsal, RehearsedDown, Stage};
pub use release::Release;
pub use schema::{Schema, SchemaChange, SchemaDifference, SchemaObject};
pub use size::size_in_words;
pub use timestamp::Timestamp;
pub use waiver::{Waiver, one_line};
