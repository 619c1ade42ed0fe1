//! The planner against an oracle that was written from the laws, not from the planner.
#![expect(clippy::unwrap_used, reason = "a test may stop where it cannot go on")]

mod approvals;
mod exhaustive;
mod in_use;
mod oracle;
mod random;
mod rehearsal;
mod remedies;
mod walk;
mod worlds;
