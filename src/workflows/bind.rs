//! bind: tie an environment to the target that its address leads to, on a person's word.

use super::contact::{absorb, bound, enter, reach};
use super::{Run, WorkflowError};
use crate::model::EnvironmentName;
use crate::model::entry::{Engine, TargetIdentity};
use crate::planner::gates::identity::{Identity, judge};
use crate::planner::{Finding, Gate};
use crate::targets::{Earlier, Survey};

/// How binding ended.
#[derive(Debug)]
pub enum Bind {
    /// The environment is bound to it already; nothing was written.
    Already,
    /// It is bound now.
    Bound,
    /// It may not be: another environment has it.
    Refused(Finding),
}

/// Binds an environment. With [`Earlier::Keep`], receipts that stand in the target stay there and are
/// taken in: a copied target keeps what is applied, and none of it is evidence for this environment.
/// With [`Earlier::Archive`] nothing counts as applied there: the target was emptied.
///
/// # Errors
/// [`WorkflowError`].
pub fn bind(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    reason: String,
    earlier: Earlier,
) -> Result<Bind, WorkflowError> {
    let (mut target, survey) = reach(run, environment)?;
    if let Some(finding) = taken(run, environment, &survey) {
        return Ok(Bind::Refused(finding));
    }
    if earlier == Earlier::Archive {
        enter(run, environment, target.as_mut(), earlier, Some(reason))?;
        return Ok(Bind::Bound);
    }
    match judge(
        environment,
        run.ledger.view(),
        &survey.observed,
        survey.recorded.as_ref(),
    ) {
        Identity::Same => {
            if absorb(run, environment, &survey)?.is_none() {
                return Ok(Bind::Already);
            }
            // It lost receipts: the same target, from an earlier point on.
            if let Some(identity) = run
                .ledger
                .view()
                .get(environment)
                .and_then(|here| here.target.clone())
            {
                bound(run, environment, identity, Some(reason))?;
            }
        }
        Identity::Known(identity) => bound(run, environment, identity, Some(reason))?,
        Identity::New | Identity::Other(_) => {
            enter(run, environment, target.as_mut(), earlier, Some(reason))?
        }
    }
    absorb(run, environment, &survey)?;
    Ok(Bind::Bound)
}

/// Whether another environment has this very target: by its address, or on PostgreSQL by cluster and
/// database. A copy has the same identity row and another place, and is not taken.
fn taken(run: &Run<'_>, environment: &EnvironmentName, survey: &Survey) -> Option<Finding> {
    let observed = &survey.observed;
    let same_database = |target: &TargetIdentity| {
        observed.engine == Engine::Postgresql
            && target.system.is_some()
            && target.system == observed.system
            && target.database == observed.database
    };
    let own = (run.address)(environment);
    let other = run
        .policy
        .names()
        .filter(|name| *name != environment)
        .find(|name| {
            let bound = run
                .ledger
                .view()
                .get(name)
                .and_then(|there| there.target.as_ref());
            (own.is_some() && (run.address)(name) == own) || bound.is_some_and(same_database)
        })?;
    Some(Finding {
        gate: Gate::Identity,
        migration: None,
        fact: format!("this target is {other}'s"),
        found: vec![format!("{} {}", observed.engine.as_str(), observed.name)],
        required: format!("a target of {environment}'s own: two environments never share one"),
        remedy: "edit tollgate.toml: give each environment its own url".to_owned(),
    })
}
