//! How an edit of what ran in the first environment comes to run there.

use std::collections::BTreeSet;

use super::reset::may_reset;
use super::shell;
use crate::digest::Checksum;
use crate::ledger::View;
use crate::ledger::view::Success;
use crate::model::{DownLabel, EnvironmentName, MigrationId, Policy};
use crate::planner::revert::has_stubs;

/// The command that undoes what ran and runs the edit, `None` where it would refuse: it is for the newest
/// migration of the first environment, that ran nowhere else and whose reversal is kept.
pub(crate) fn redo(
    policy: &Policy,
    view: &View,
    kept: &BTreeSet<Checksum>,
    environment: &EnvironmentName,
    migration: &MigrationId,
    ran: &Success,
) -> Option<String> {
    let mut others = view.environments();
    let ran_elsewhere =
        others.any(|(name, there)| name != environment && there.applied.contains_key(migration));
    // Its reversal is the one that stood beside the bytes that ran.
    let has_a_reversal = ran.down.is_some_and(|down| kept.contains(&down));
    let can = ran.kind.is_evidence()
        && may_reset(policy, environment)
        && !ran_elsewhere
        && has_a_reversal
        && is_newest(view, environment, ran);
    can.then(|| command(migration))
}

/// Whether nothing was applied there after it.
pub(super) fn is_newest(view: &View, environment: &EnvironmentName, ran: &Success) -> bool {
    let there = view.get(environment);
    there.is_none_or(|there| {
        let mut applied = there.applied.values();
        applied.all(|other| other.receipt.seq <= ran.receipt.seq)
    })
}

/// Whether a `down.sql` reverses anything, as far as its text tells.
pub(super) fn reverses(down: &str) -> bool {
    let says = DownLabel::read(down);
    !has_stubs(down) && matches!(says, Ok(label) if !matches!(label, DownLabel::Irreversible(_)))
}

pub(super) fn command(migration: &MigrationId) -> String {
    format!("tollgate redo {}", shell(migration.as_str()))
}

/// Where it cannot be undone alone: everything again from the beginning.
pub(super) fn from_the_beginning(environment: &EnvironmentName) -> String {
    format!("tollgate reset {environment}, then: tollgate apply {environment}")
}
