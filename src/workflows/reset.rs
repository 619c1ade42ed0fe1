//! reset: empty the first environment's target and start clean, in one transaction.
//!
//! The target first, the ledger's entry second. A crash before the target's commit leaves everything,
//! one after it a target that says which life it follows, and the next contact takes that in.

use super::contact::{absorb, judged, made_anew, reach, taken};
use super::tie::{bound, take_in_emptied};
use super::{Run, WorkflowError, target_error};
use crate::model::entry::{Engine, TargetIdentity};
use crate::model::{EnvironmentName, IncarnationId};
use crate::planner::gates::chain::lost;
use crate::planner::gates::identity::Identity;
use crate::planner::gates::reset::may_reset;
use crate::planner::{Finding, Gate};
use crate::targets::{Inventory, Survey, Target};

/// How a reset ended.
#[derive(Debug)]
pub enum Reset {
    /// The target was never entered, or nothing stands there: nothing was written.
    Nothing,
    /// Only looked at.
    Shown(Shown),
    /// It was emptied.
    Done(Shown),
    /// What stands there is no longer what was shown; nothing was changed.
    Changed(Shown),
    /// It may not be; nothing was changed.
    Refused(Finding),
}

/// What stands in a target, as a reset sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The kind of database.
    pub engine: Engine,
    /// The database's or the file's name.
    pub name: String,
    /// What goes and what stays.
    pub inventory: Inventory,
    /// How many receipts go to the archive.
    pub receipts: usize,
}

/// Whether to look only, or to act on what was shown.
#[derive(Debug, Clone, Copy)]
pub enum Mode<'a> {
    /// Look only. The target and the ledger stay as they are, but for what every contact takes in.
    Look,
    /// Act, without a look before.
    Act,
    /// Act, if exactly this still stands there.
    ActOn(&'a Shown),
}

/// Empties the target of the first environment of several: drops what is the application's, archives
/// the receipts, and binds it as a new incarnation. Evidence stays.
///
/// # Errors
/// [`WorkflowError`]. Nothing is half done.
pub fn reset(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    mode: Mode<'_>,
) -> Result<Reset, WorkflowError> {
    if let Some(finding) = not_here(run, environment) {
        run.refuse("reset", environment, Gate::Identity, None)?;
        return Ok(Reset::Refused(finding));
    }
    let (mut target, survey) = reach(run, environment)?;
    if let Some(finding) = not_this_one(run, environment, target.as_mut(), &survey)? {
        run.refuse("reset", environment, Gate::Identity, None)?;
        return Ok(Reset::Refused(finding));
    }
    let told = |error| target_error(environment, error);
    let shown = Shown {
        engine: target.engine(),
        name: survey.observed.name.clone(),
        inventory: target.inventory().map_err(told)?,
        receipts: survey.receipts.len(),
    };
    if let Some(finding) = not_known(run, environment, &survey, &shown) {
        run.refuse("reset", environment, Gate::Identity, None)?;
        return Ok(Reset::Refused(finding));
    }
    if is_clean(run, environment, &survey, &shown) {
        return Ok(Reset::Nothing);
    }
    match mode {
        Mode::Look => return Ok(Reset::Shown(shown)),
        // Rows are an estimate, and come and go.
        Mode::ActOn(before)
            if (&before.inventory.goes, before.receipts)
                != (&shown.inventory.goes, shown.receipts) =>
        {
            return Ok(Reset::Changed(shown));
        }
        Mode::Act | Mode::ActOn(_) => {}
    }
    crate::failpoint::hit("reset.empty.before");
    let (identity, inventory) = empty(run, environment, target.as_mut())?;
    crate::failpoint::hit("reset.empty.after");
    bound(run, environment, identity, Some("reset".to_owned()))?;
    Ok(Reset::Done(Shown { inventory, ..shown }))
}

fn empty(
    run: &Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
) -> Result<(TargetIdentity, Inventory), WorkflowError> {
    let incarnation = IncarnationId::from_bytes((run.random)());
    let emptied = target
        .empty(environment, incarnation)
        .map_err(|error| target_error(environment, error))?;
    Ok((emptied.identity, emptied.inventory))
}

/// Nothing stands there, nothing counts as applied, nothing is half done, and the ledger knows it.
fn is_clean(run: &Run<'_>, environment: &EnvironmentName, survey: &Survey, shown: &Shown) -> bool {
    let here = run.ledger.view().get(environment);
    let is_bound = here.is_some_and(|here| here.target.is_some());
    let is_same = survey.recorded.is_some() || !is_bound;
    is_same
        && shown.inventory.is_empty()
        && survey.receipts.is_empty()
        && survey.journals.is_empty()
        && here.is_none_or(|here| {
            here.applied.is_empty()
                && here.partial.is_empty()
                && here.open.is_empty()
                && here.standing.is_empty()
        })
}

/// Only the first environment of several is reset; the ledger knows the chain too.
fn not_here(run: &Run<'_>, environment: &EnvironmentName) -> Option<Finding> {
    let known = run.ledger.view().chain();
    let gone = lost(known, run.policy, environment);
    if let Some(first) = gone.first() {
        return Some(finding(
            format!(
                "{first} stood before {environment}, and only the first environment is ever reset"
            ),
            format!(
                "{environment} is first in tollgate.toml, and was not when the ledger saw it last"
            ),
            "the chain that the ledger knows".to_owned(),
            "edit tollgate.toml: put the environments back in their order".to_owned(),
        ));
    }
    if may_reset(run.policy, environment) {
        return None;
    }
    let only = run.policy.chain().count() == 1;
    let found = if only {
        format!("{environment} is the only environment, with the gates of a last one")
    } else {
        let names: Vec<&str> = run.policy.chain().map(EnvironmentName::as_str).collect();
        format!("the chain is {}", names.join(", "))
    };
    Some(finding(
        "only the first environment of several is ever reset".to_owned(),
        found,
        "a target that people emptied themselves, if it shall start clean".to_owned(),
        format!("tollgate bind {environment} --emptied --reason '<why>'   # after emptying it"),
    ))
}

/// What stands there must be known to be the environment's own. Takes in, as every contact does, what
/// the ledger lacks: evidence is not lost with the target.
fn not_this_one(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    survey: &Survey,
) -> Result<Option<Finding>, WorkflowError> {
    if let Some(finding) = taken(run, environment, survey) {
        return Ok(Some(finding));
    }
    match judged(run, environment, survey) {
        // What is missing there goes with the rest.
        Identity::Same => drop(absorb(run, environment, target, survey)?),
        Identity::Known(identity) => {
            bound(run, environment, identity, None)?;
            absorb(run, environment, target, survey)?;
        }
        Identity::Emptied(identity) => {
            take_in_emptied(run, environment, identity)?;
            absorb(run, environment, target, survey)?;
        }
        Identity::New | Identity::Copied => {}
        Identity::Other(finding) => {
            let known = is_known_by_its_place(run, environment, survey);
            if !known && made_anew(run, environment, survey).is_none() {
                return Ok(Some(finding));
            }
        }
    }
    Ok(None)
}

/// What tollgate never entered may be anybody's, whatever the address says.
fn not_known(
    run: &Run<'_>,
    environment: &EnvironmentName,
    survey: &Survey,
    shown: &Shown,
) -> Option<Finding> {
    let is_known = survey.recorded.is_some() || is_known_by_its_place(run, environment, survey);
    let found = format!(
        "{} {}: {}",
        shown.engine.as_str(),
        shown.name,
        crate::report::reset::stand(&shown.inventory)
    );
    (!is_known && !shown.inventory.is_empty()).then(|| {
        finding(
            "tollgate never entered this target, and it is not empty".to_owned(),
            found,
            "a target that tollgate entered, or an empty one".to_owned(),
            format!("edit tollgate.toml: give {environment} the url of its own target"),
        )
    })
}

/// The very database that the environment is bound to, of which somebody dropped tollgate's own tables.
fn is_known_by_its_place(run: &Run<'_>, environment: &EnvironmentName, survey: &Survey) -> bool {
    let here = run.ledger.view().get(environment);
    let observed = &survey.observed;
    survey.recorded.is_none()
        && here
            .and_then(|here| here.target.as_ref())
            .is_some_and(|target| {
                target.system.is_some()
                    && target.system == observed.system
                    && target.database.is_some()
                    && target.database == observed.database
            })
}

fn finding(fact: String, found: String, required: String, remedy: String) -> Finding {
    Finding {
        gate: Gate::Identity,
        migration: None,
        fact,
        found: vec![found],
        required,
        remedy,
    }
}
