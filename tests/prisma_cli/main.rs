//! The real Prisma and the real tollgate on the same databases. Each scenario is asserted on Prisma's own
//! output and exit code. Started by `tests/prisma`, which installs Prisma.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test panics where something is wrong, and makes the files that the programs read"
)]

mod dev;
mod failing;
mod on_sqlite;
mod page;
mod project;
mod rehearsed;
mod schema;
#[path = "../support/mod.rs"]
mod server;
mod taking_turns;
mod tree;

/// A test for each version of Prisma.
macro_rules! with_each_prisma {
    ($($scenario:ident),* $(,)?) => {
        mod v6 {
            $(#[test] fn $scenario() { super::$scenario(crate::project::Version::V6); })*
        }
        mod v7 {
            $(#[test] fn $scenario() { super::$scenario(crate::project::Version::V7); })*
        }
    };
}
pub(crate) use with_each_prisma;
