//! One suite that every target passes. A target joins with a [`Bench`] and one line below.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test panics where something is wrong, and makes the files that it needs"
)]

#[path = "cases/mod.rs"]
mod cases;
#[path = "../support/mod.rs"]
mod postgres_server;
mod postgresql;
mod sqlite;
mod sqlite_data;
mod sqlite_only;
mod sqlite_rehearse;
mod sqlite_schema;
mod sqlite_scratch;
mod sqlite_together;
mod support;

pub(crate) use support::Bench;

/// Makes a test of every case for one bench.
macro_rules! conformance {
    ($name:ident, $bench:ty) => {
        mod $name {
            crate::cases::all!($bench);
        }
    };
}

conformance!(on_sqlite, crate::sqlite::SqliteBench);
conformance!(
    on_postgresql_as_superuser,
    crate::postgresql::SuperuserBench
);
conformance!(on_postgresql_as_a_plain_role, crate::postgresql::PlainBench);
