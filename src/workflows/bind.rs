//! bind: tie an environment to the target that its address leads to, on a person's word.

use std::collections::BTreeSet;

use super::contact::{absorb, absorb_again, came_back, emptied, judged, other_url, reach, taken};
use super::tie::{bound, enter, gone, put_back, renamed, take_in_emptied};

use super::history::has_rows;
use super::{Run, WorkflowError, target_error};
use crate::digest::ChainHash;
use crate::ledger::view::EnvironmentView;
use crate::model::entry::Chained;
use crate::model::receipt::verify_chain;
use crate::model::{EnvironmentName, Fact};
use crate::planner::gates::chain::lost;
use crate::planner::gates::identity::Identity;
use crate::planner::gates::reset::may_reset;
use crate::planner::{Finding, Gate};
use crate::targets::{Earlier, Survey, Target};

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
    // It will be read by others, and for ever.
    let reason = crate::model::one_line(&(run.clean)(&reason));
    let ended = try_to_bind(run, environment, reason, earlier)?;
    if let Bind::Refused(finding) = &ended {
        run.refuse("bind", environment, finding.gate, None)?;
    }
    Ok(ended)
}

fn try_to_bind(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    reason: String,
    earlier: Earlier,
) -> Result<Bind, WorkflowError> {
    let (mut target, survey) = reach(run, environment)?;
    if let Some(finding) = taken(run, environment, &survey) {
        return Ok(Bind::Refused(finding));
    }
    // Everything pending over tables that stand there would run a second time.
    if earlier == Earlier::Archive
        && let Some(finding) = not_empty(run, environment, target.as_mut(), &survey)?
    {
        return Ok(Bind::Refused(finding));
    }
    if earlier == Earlier::Keep
        && let Some(finding) = unexplained(run, environment, &survey)
    {
        return Ok(Bind::Refused(finding));
    }
    let had = had(run);
    // A person accepts the chain as it is now, but only for an environment that it concerns.
    let known = run.ledger.view().chain();
    let accepted = !lost(known, run.policy, environment).is_empty();
    if accepted {
        let environments: Vec<EnvironmentName> = run.policy.chain().cloned().collect();
        let is_gone = |name: &&EnvironmentName| !environments.contains(name);
        let without = known.iter().filter(is_gone).cloned().collect();
        let over = run.ledger.view().chained();
        run.record(Fact::Chained(Chained {
            environments,
            without,
            over,
            reason: Some(reason.clone()),
        }))?;
    }
    if earlier == Earlier::Archive {
        enter(run, environment, target.as_mut(), earlier, Some(reason))?;
        return Ok(Bind::Bound);
    }
    match judged(run, environment, &survey) {
        // A new life: what the old one had lost is not asked about any more.
        Identity::Same if is_back(run, environment, &survey) => {
            enter(run, environment, target.as_mut(), earlier, Some(reason))?;
        }
        Identity::Same if went_on(run, environment, &survey) => {
            put_back(run, environment, &survey, reason)?;
        }
        Identity::Same => {
            let lost = absorb(run, environment, target.as_mut(), &survey)?.is_some();
            if let Some(finding) = emptied(run, environment, &survey) {
                if survey.gone.as_ref().is_none_or(|gone| !gone.is_filled()) {
                    return Ok(Bind::Refused(finding));
                }
                // A backup was put back in the place of what was dropped: on a person's word, the
                // receipts are true of it. A new life, so that what was dropped is not asked for again.
                enter(run, environment, target.as_mut(), earlier, Some(reason))?;
                absorb_again(run, environment, target.as_mut(), &survey, &had)?;
                return Ok(Bind::Bound);
            }
            if !lost {
                let is_renamed = renamed(run, environment, &survey, Some(reason))?;
                return Ok(match accepted || is_renamed {
                    true => Bind::Bound,
                    false => Bind::Already,
                });
            }
            // It lost receipts: the same target, from an earlier point on.
            put_back(run, environment, &survey, reason)?;
        }
        Identity::Known(identity) => bound(run, environment, identity, Some(reason))?,
        Identity::Emptied(identity) => take_in_emptied(run, environment, identity)?,
        Identity::New | Identity::Copied | Identity::Other(_) => {
            enter(run, environment, target.as_mut(), earlier, Some(reason))?
        }
    }
    absorb_again(run, environment, target.as_mut(), &survey, &had)?;
    Ok(Bind::Bound)
}

/// Every receipt that the ledger holds of the present targets.
fn had(run: &Run<'_>) -> BTreeSet<ChainHash> {
    let everywhere = run.ledger.view().environments();
    let receipts = everywhere.flat_map(|(_, there)| there.receipts.values());
    receipts.copied().collect()
}

/// A sound target in whose place a later state was put again.
fn is_back(run: &Run<'_>, environment: &EnvironmentName, survey: &Survey) -> bool {
    verify_chain(&survey.receipts).is_ok_and(|chain| {
        let hashes = chain.iter().map(|(hash, _)| *hash);
        came_back(run, environment, hashes)
    })
}

/// A sound target that was put back to an earlier point and went on under another ledger: where this one
/// holds a receipt, another one stands.
fn went_on(run: &Run<'_>, environment: &EnvironmentName, survey: &Survey) -> bool {
    let newest = survey.receipts.last().map_or(0, |row| row.seq);
    let here = run.ledger.view().get(environment);
    let lost = gone(run, environment, survey);
    let replaced = |here: &EnvironmentView| {
        let held = here.receipts.range(..=newest);
        held.filter(|(_, hash)| lost.contains(hash)).count() > 0
    };
    verify_chain(&survey.receipts).is_ok() && here.is_some_and(replaced)
}

/// A target that was said to be emptied, and has tables: they are this role's, so nothing hinders.
fn not_empty(
    run: &Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    survey: &Survey,
) -> Result<Option<Finding>, WorkflowError> {
    let told = |error| target_error(environment, error);
    let inventory = target.inventory().map_err(told)?;
    let kinds = ["table", "virtual table", "foreign table"];
    let mut tables: Vec<String> = Vec::new();
    for part in inventory
        .goes
        .iter()
        .filter(|part| kinds.contains(&part.kind.as_str()))
    {
        let what = crate::report::count(
            usize::try_from(part.count).unwrap_or(usize::MAX),
            &part.kind,
        );
        tables.push(match &part.schema {
            Some(schema) => format!("{what} in schema {schema}"),
            None => what,
        });
    }
    Ok((!tables.is_empty()).then(|| Finding {
        gate: Gate::Identity,
        migration: None,
        fact: "the target is not empty: what ran there would run a second time".to_owned(),
        found: tables,
        required: "an empty target; or, to keep what stands there, bind without --emptied"
            .to_owned(),
        // What may be somebody else's is not to be emptied.
        remedy: other_url(run, environment, survey, None).unwrap_or_else(|| {
            if may_reset(run.policy, environment) {
                format!("tollgate reset {environment}")
            } else {
                format!(
                    "tollgate bind {environment} --emptied --reason '<why>'   # after emptying it"
                )
            }
        }),
    }))
}

/// A target with tables and without receipts, of an environment that had some: bound as it is, every
/// migration would be pending there and run again over what it made.
fn unexplained(run: &Run<'_>, environment: &EnvironmentName, survey: &Survey) -> Option<Finding> {
    let here = run.ledger.view().get(environment)?;
    let lost = survey.recorded.is_none() && survey.has_other_tables && !here.applied.is_empty();
    lost.then(|| Finding {
        gate: Gate::Identity,
        migration: None,
        fact: "the target has tables, and no receipt explains them".to_owned(),
        found: vec![format!(
            "{} counted as applied in {environment} would run again",
            crate::report::count(here.applied.len(), "migration")
        )],
        required: "tollgate's own tables, from a backup of the target, or an empty target"
            .to_owned(),
        remedy: other_url(run, environment, survey, None).unwrap_or_else(|| {
            match has_rows(survey) {
                true => format!(
                    "tollgate baseline {environment} --reason '<why>'   # if Prisma made it anew"
                ),
                false => format!(
                    "tollgate bind {environment} --emptied --reason '<why>'   # after emptying it"
                ),
            }
        }),
    })
}
