//! The ledger, on real files: it grows, every prefix verifies, and what was altered is found, or it
//! is shown that a bare chain cannot find it.
#![expect(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

mod altered;
mod damaged;
mod faults;
mod gone;
mod guarded;
mod places;
mod population;
mod snapshot;
mod support;
mod union;
