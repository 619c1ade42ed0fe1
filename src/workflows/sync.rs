//! sync: take in what others know: the receipts of targets, the entries of other ledgers.

use super::contact::{Contact, contact};
use super::{Run, WorkflowError};
use crate::ledger::{Fork, Merged, Pack};
use crate::model::EnvironmentName;
use crate::model::entry::Believed;
use crate::planner::Finding;

/// What a look at a target brought.
#[derive(Debug)]
pub struct Look {
    /// How many receipts the ledger lacked.
    pub taken: usize,
    /// How many receipts the ledger now holds of this target.
    pub stand: usize,
    /// The target is not the one that the ledger knows: nothing more was taken in.
    pub finding: Option<Finding>,
    /// Neither side knew the other: there is nothing to take in.
    pub is_new: bool,
}

/// Whether a ledger that had nothing has something now: it was lost, or is a new one. What receipts tell
/// is then all that it knows.
#[must_use]
pub fn began(run: &Run<'_>, before: usize) -> bool {
    before == 0 && !run.ledger.heads().is_empty()
}

/// Looks at a target as every contact does, and runs nothing.
///
/// # Errors
/// [`WorkflowError`].
pub fn look(run: &mut Run<'_>, environment: &EnvironmentName) -> Result<Look, WorkflowError> {
    let known = |run: &Run<'_>| {
        let here = run.ledger.view().get(environment);
        here.map(|here| here.receipts.clone()).unwrap_or_default()
    };
    let before = known(run);
    let Contact { live, is_new, .. } = contact(run, environment)?;
    let after = known(run);
    let taken = after
        .iter()
        .filter(|(seq, hash)| before.get(seq) != Some(hash));
    Ok(Look {
        taken: taken.count(),
        stand: after.len(),
        finding: live.identity,
        is_new,
    })
}

/// Takes in the entries of another ledger.
///
/// # Errors
/// [`WorkflowError`]; nothing was taken.
pub fn take(run: &mut Run<'_>, pack: &Pack) -> Result<Merged, WorkflowError> {
    let random = run.random;
    Ok(run.ledger.merge(pack, random)?)
}

/// Records which of two entries with one number a person believes. `hash` is the beginning of its hash.
///
/// # Errors
/// [`WorkflowError::Usage`] where no such two are held, or the text does not tell them apart.
pub fn believe(run: &mut Run<'_>, hash: &str, reason: String) -> Result<Fork, WorkflowError> {
    let forks = &run.ledger.strays().forks;
    let mut found = forks.iter().flat_map(|fork| {
        let twins = fork.twins.iter();
        let meant =
            twins.filter(|twin| !hash.is_empty() && twin.hash.to_string().starts_with(hash));
        meant.map(move |twin| (fork, twin))
    });
    let usage = |what: String| WorkflowError::Usage {
        what,
        remedy: "tollgate verify   # names them".to_owned(),
    };
    let (fork, twin) = match (found.next(), found.next()) {
        (Some(one), None) => one,
        (None, _) => {
            return Err(usage(format!(
                "none of two entries with one number has a hash that begins with {hash}"
            )));
        }
        (Some(_), Some(_)) => {
            return Err(usage(format!(
                "more than one entry has a hash that begins with {hash}"
            )));
        }
    };
    let Some(_) = twin.entry else {
        return Err(usage(format!(
            "entry {} is not here: another entry names it, and only what is here can be believed",
            twin.hash.short()
        )));
    };
    let mut fork = fork.clone();
    let word = Believed {
        writer: fork.writer,
        number: fork.number,
        hash: twin.hash,
        reason: crate::model::one_line(&(run.clean)(&reason)),
    };
    fork.believed = Some(twin.hash);
    let at = (run.now)();
    run.ledger.believe(at, run.by, word)?;
    Ok(fork)
}
