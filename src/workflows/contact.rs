//! A contact with a target: lock, look, compare, take in what the ledger lacks, settle what is open.

use std::collections::{BTreeMap, BTreeSet};

use super::history::{has_rows, take_in};
use super::settle::{journals, settle, take_in_receipt};
use super::tie::{bound, enter, gone, meet, renamed, take_in_emptied};
use super::{Event, Run, WorkflowError, target_error};
use crate::digest::ChainHash;
use crate::model::entry::{Engine, TargetIdentity};
use crate::model::receipt::{BrokenReceipt, verify_chain_beyond};
use crate::model::{EnvironmentName, Kind, Receipt, StoredReceipt};
use crate::planner::gates::elsewhere;
use crate::planner::gates::identity::{Identity, judge};
use crate::planner::gates::reset::{self, may_reset};
use crate::planner::{Finding, Gate, Live};
use crate::targets::history::{History, Row};
use crate::targets::{Earlier, Gone, Journal, Survey, Target};

/// A target under its lock, with the ledger brought up to it.
pub(super) struct Contact {
    pub(super) target: Box<dyn Target>,
    pub(super) live: Live,
    /// Neither side knows the other: the target is entered only when a plan is ready.
    pub(super) is_new: bool,
    /// Prisma's table as it stood when the contact began.
    pub(super) history: Option<History>,
}

/// Connects, locks and surveys.
pub(super) fn reach(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
) -> Result<(Box<dyn Target>, Survey), WorkflowError> {
    let mut target =
        (run.connect)(environment).map_err(|error| target_error(environment, error))?;
    let survey = lock_and_survey(run, environment, target.as_mut())?;
    Ok((target, survey))
}

/// Takes the lock and reads what stands there.
pub(super) fn lock_and_survey(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
) -> Result<Survey, WorkflowError> {
    let Run {
        events,
        interrupted,
        lock_wait,
        ..
    } = run;
    let mut waiting = |holder: &str| {
        events(Event::Waiting {
            environment,
            holder,
        })
    };
    target
        .lock(*lock_wait, interrupted, &mut waiting)
        .map_err(|error| target_error(environment, error))?;
    target
        .survey()
        .map_err(|error| target_error(environment, error))
}

/// What the environment's target is to it.
pub(super) fn judged(run: &Run<'_>, environment: &EnvironmentName, survey: &Survey) -> Identity {
    judge(
        environment,
        run.policy.kind(environment),
        run.ledger.view(),
        &survey.observed,
        survey.recorded.as_ref(),
        (run.variable)(environment).as_deref(),
    )
}

/// The whole contact. Writes to the ledger what the target tells; to the target only the receipt of an
/// attempt whose every statement stands.
pub(super) fn contact(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
) -> Result<Contact, WorkflowError> {
    let reached = reach(run, environment)?;
    contact_with(run, environment, reached)
}

/// The same with a target that was [reached](reach) a moment ago.
pub(super) fn contact_with(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    (mut target, survey): (Box<dyn Target>, Survey),
) -> Result<Contact, WorkflowError> {
    let judged = judged(run, environment, &survey);
    let mut live = Live::default();
    let mut is_new = false;
    if let Some(finding) = taken(run, environment, &survey) {
        let live = Live {
            identity: Some(finding),
            ..Live::default()
        };
        return Ok(Contact {
            target,
            live,
            is_new: false,
            history: None,
        });
    }
    live.is_prisma_8 = survey.is_prisma_8;
    let matters = !matches!(judged, Identity::New | Identity::Other(_));
    let is_known = run
        .ledger
        .view()
        .get(environment)
        .is_some_and(|here| here.target.is_some());
    match judged {
        // A clone of a target that an earlier run used goes its own way from there.
        Identity::Same if went_another_way(run, environment, &survey) => {
            enter(run, environment, target.as_mut(), Earlier::Keep, None)?;
            live.identity = take_stock(run, environment, target.as_mut(), &survey)?;
        }
        Identity::Same => {
            live.identity = take_stock(run, environment, target.as_mut(), &survey)?;
            // Of an ephemeral one every copy has another name.
            if live.identity.is_none() && run.policy.kind(environment) != Kind::Ephemeral {
                renamed(run, environment, &survey, None)?;
            }
        }
        Identity::Known(identity) => {
            bound(run, environment, identity, None)?;
            live.identity = take_stock(run, environment, target.as_mut(), &survey)?;
        }
        Identity::Emptied(identity) => {
            take_in_emptied(run, environment, identity)?;
            live.identity = take_stock(run, environment, target.as_mut(), &survey)?;
        }
        Identity::Copied => {
            enter(run, environment, target.as_mut(), Earlier::Keep, None)?;
            live.identity = take_stock(run, environment, target.as_mut(), &survey)?;
        }
        Identity::New => {
            is_new = true;
            live = never_entered(&survey);
            // What the ledger knows of an ephemeral environment is of another target.
            live.is_unmet = is_known;
        }
        Identity::Other(finding) => {
            live.identity = Some(made_anew(run, environment, &survey).unwrap_or_else(|| {
                match survey.recorded.is_none() && has_rows(&survey) {
                    true => {
                        let baseline = format!("tollgate baseline {environment} --reason '<why>'");
                        let meant = Some(baseline.clone());
                        Finding {
                            remedy: other_url(run, environment, &survey, meant).unwrap_or_else(
                                || format!("{baseline}   # if Prisma made it anew"),
                            ),
                            ..finding
                        }
                    }
                    false => finding,
                }
            }));
            // Nothing is to be taken in from a database that the url should not lead to.
            live.has_history_elsewhere = survey.recorded.is_none()
                && survey.has_other_tables
                && other_url(run, environment, &survey, None).is_none();
        }
    }
    if live.identity.is_none() && !is_new {
        live.claims = take_in(run, environment, target.as_mut(), &survey)?;
        live.is_filled = survey.is_filled;
        live.has_history_elsewhere = has_tables_alone(run, environment, &survey);
    }
    if matters {
        journals(run, environment, &mut live, &survey);
    }
    Ok(Contact {
        target,
        live,
        is_new,
        history: survey.history,
    })
}

/// Whether the target of an ephemeral environment has other receipts than the ledger holds of it, or fewer:
/// it is a physical copy of one that was used before.
fn went_another_way(run: &Run<'_>, environment: &EnvironmentName, survey: &Survey) -> bool {
    run.policy.kind(environment) == Kind::Ephemeral && !gone(run, environment, survey).is_empty()
}

/// Whether tables stand in a target that tollgate entered, and nothing in it tells what made them. One is
/// entered before its first script runs, and with an identity that was put there by hand.
fn has_tables_alone(run: &Run<'_>, environment: &EnvironmentName, survey: &Survey) -> bool {
    let here = run.ledger.view().get(environment);
    let tells = |row: &Row| !(row.is_tollgates_failure() && row.left_nothing());
    let has_history = survey
        .history
        .as_ref()
        .is_some_and(|history| history.rows.iter().any(tells));
    let left_nothing = |journal: &Journal| journal.standing() == Some(0);
    run.prisma.is_some()
        && survey.is_filled
        && !has_history
        && survey.receipts.is_empty()
        && survey.journals.iter().all(left_nothing)
        && here.is_none_or(|here| here.applied.is_empty())
}

/// What the planner has to know of a target that tollgate never entered.
pub(super) fn never_entered(survey: &Survey) -> Live {
    let history = survey.history.as_ref();
    Live {
        has_history_elsewhere: survey.has_other_tables,
        is_filled: survey.is_filled,
        // What was rolled back stands nowhere.
        unknown_history: history.map_or(0, |history| {
            let rows = history.rows.iter();
            rows.filter(|row| row.rolled_back.is_none()).count()
        }),
        is_prisma_8: survey.is_prisma_8,
        ..Live::default()
    }
}

/// Takes in what the target holds, and finds out whether what its receipts made is still there.
fn take_stock(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    survey: &Survey,
) -> Result<Option<Finding>, WorkflowError> {
    let lost = absorb(run, environment, target, survey)?;
    let found = lost.or_else(|| emptied(run, environment, survey));
    // `prisma migrate reset`, or `dev` after a question: people do that on a laptop. What was applied
    // there is gone, and what Prisma ran since is taken in.
    let by_prisma = has_rows(survey) && survey.gone.as_ref().is_some_and(Gone::is_filled);
    if by_prisma && found.is_some() && may_reset(run.policy, environment) {
        let receipts = survey.receipts.len();
        let reason = Some("Prisma reset the database".to_owned());
        enter(run, environment, target, Earlier::Archive, reason)?;
        (run.events)(Event::ResetByPrisma {
            environment,
            receipts,
        });
        return Ok(None);
    }
    Ok(found.map(|finding| match by_prisma {
        true => Finding {
            remedy: format!("tollgate baseline {environment} --reason '<why Prisma reset it>'"),
            ..finding
        },
        false => finding,
    }))
}

/// A finding where what the receipts made is gone.
pub(super) fn emptied(
    run: &Run<'_>,
    environment: &EnvironmentName,
    survey: &Survey,
) -> Option<Finding> {
    let gone = survey.gone.as_ref()?;
    let here = run.ledger.view().get(environment);
    let receipts = here.map_or(survey.receipts.len(), |here| here.applied.len());
    let has_tables = survey.has_other_tables;
    Some(reset::emptied(
        environment,
        run.policy,
        receipts,
        gone,
        has_tables,
    ))
}

/// A finding where the target was made anew: the ledger knows of one, and this one is empty.
pub(super) fn made_anew(
    run: &Run<'_>,
    environment: &EnvironmentName,
    survey: &Survey,
) -> Option<Finding> {
    if survey.recorded.is_some() || survey.has_other_tables {
        return None;
    }
    reset::made_anew(
        environment,
        run.policy,
        run.ledger.view(),
        &survey.observed,
        (run.variable)(environment).as_deref(),
    )
}

/// What to do where the url leads to another database than the one that the environment is bound to; `None`
/// where it does not.
pub(super) fn other_url(
    run: &Run<'_>,
    environment: &EnvironmentName,
    survey: &Survey,
    meant: Option<String>,
) -> Option<String> {
    let bound = run.ledger.view().get(environment)?.target.as_ref()?;
    let variable = (run.variable)(environment);
    let observed = &survey.observed;
    elsewhere::is_elsewhere(bound, observed)
        .then(|| elsewhere::remedy(environment, variable.as_deref(), bound, observed, meant))
}

/// Takes in the receipts that the ledger lacks, and settles what is open. Returns a finding where
/// the target lost receipts that the ledger holds.
pub(super) fn absorb(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    survey: &Survey,
) -> Result<Option<Finding>, WorkflowError> {
    absorb_again(run, environment, target, survey, &BTreeSet::new())
}

/// The same where the target begins a new life for the ledger, which had some of its receipts before.
pub(super) fn absorb_again(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    survey: &Survey,
    had: &BTreeSet<ChainHash>,
) -> Result<Option<Finding>, WorkflowError> {
    let contradiction = |what: String, remedy| WorkflowError::Contradiction {
        environment: environment.clone(),
        what,
        remedy,
    };
    let does_not_hold = |broken: BrokenReceipt| {
        let what = format!(
            "receipt {} of the target does not hold: {}",
            broken.seq, broken.what
        );
        contradiction(what, None)
    };
    let chain =
        verify_chain_beyond(&survey.receipts, &known(run, environment)).map_err(does_not_hold)?;
    notice_a_ledger_that_went_back(run, environment, &survey.receipts)?;
    meet(run, environment)?;
    if came_back(run, environment, chain.iter().map(|(hash, _)| *hash)) {
        return Ok(Some(put_forward(environment)));
    }
    let known = known(run, environment);
    // What was known before it was met, and is not now, was not read.
    let chain = match chain
        .iter()
        .zip(1..)
        .any(|((_, read), place)| read.is_none() && !known.contains_key(&place))
    {
        true => verify_chain_beyond(&survey.receipts, &known).map_err(does_not_hold)?,
        false => chain,
    };
    let is_new = |row: &&StoredReceipt| !known.contains_key(&row.seq);
    let absorbed = survey.receipts.iter().filter(is_new).count();
    if absorbed > 0 {
        // Whoever left them may not have heard that they survive a crash.
        target
            .flush()
            .map_err(|error| super::target_error(environment, error))?;
    }
    for ((hash, receipt), row) in chain.iter().zip(&survey.receipts) {
        match known.get(&row.seq) {
            Some(held) if held == hash => {}
            Some(held) => {
                let what = format!(
                    "receipt {} of the target is {}, and the ledger holds {} in its place",
                    row.seq,
                    hash.short(),
                    held.short()
                );
                let remedy = format!(
                    "tollgate bind {environment} --reason '<why>'   # if it was put back to an earlier point, and went on under another ledger"
                );
                return Err(contradiction(what, Some(remedy)));
            }
            None => {
                if let Some(receipt) = receipt {
                    take_in_receipt(run, environment, *hash, receipt, row)?;
                }
            }
        }
    }
    if absorbed > 0 {
        (run.events)(Event::Absorbed {
            environment,
            count: absorbed,
            had: (chain.iter().zip(&survey.receipts))
                .filter(|((hash, _), row)| is_new(row) && had.contains(hash))
                .count(),
        });
    }
    if let Some((&newest, _)) = known.last_key_value()
        && newest > chain.len() as u64
    {
        return Ok(Some(lost(environment, newest, chain.len() as u64)));
    }
    settle(run, environment, target, survey)?;
    Ok(None)
}

/// A receipt of this very writer whose intent the ledger does not hold: the ledger was put back to an
/// earlier state in its place. Its numbers were used once, so it goes on under a new writer. The newest one
/// tells of all before it: its intent's hash stands on theirs.
fn notice_a_ledger_that_went_back(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    rows: &[StoredReceipt],
) -> Result<(), WorkflowError> {
    let writer = run.ledger.writer();
    let written = writer.to_string();
    let own = rows
        .iter()
        .rev()
        .filter(|row| row.body.contains(&written))
        .filter_map(|row| serde_json::from_str::<Receipt>(&row.body).ok())
        .find(|receipt| receipt.writer == writer);
    let Some(receipt) = own else { return Ok(()) };
    if !run.ledger.holds(receipt.number, receipt.head)? {
        run.ledger.begin_anew((run.random)());
        (run.events)(Event::WentBack { environment });
    }
    Ok(())
}

/// The receipts of its target that the ledger holds, by their places.
fn known(run: &Run<'_>, environment: &EnvironmentName) -> BTreeMap<u64, ChainHash> {
    let here = run.ledger.view().get(environment);
    here.map(|here| here.receipts.clone()).unwrap_or_default()
}

/// Whether receipts stand in the target that it had lost when it was put back to an earlier point: a later
/// state was put in its place again.
pub(super) fn came_back(
    run: &Run<'_>,
    environment: &EnvironmentName,
    mut hashes: impl Iterator<Item = ChainHash>,
) -> bool {
    let here = run.ledger.view().get(environment);
    here.is_some_and(|here| hashes.any(|hash| here.has_lost(hash)))
}

fn put_forward(environment: &EnvironmentName) -> Finding {
    Finding {
        gate: Gate::Identity,
        migration: None,
        fact: "the target was put forward again: receipts stand there that it had lost when it was put back"
            .to_owned(),
        found: vec!["receipts that a person said stand there no more".to_owned()],
        required: "a person's word that what stands there now is the target".to_owned(),
        remedy: format!("tollgate bind {environment} --reason '<why>'"),
    }
}

fn lost(environment: &EnvironmentName, held: u64, found: u64) -> Finding {
    Finding {
        gate: Gate::Identity,
        migration: None,
        fact: format!(
            "the target was put back to an earlier point: {} of the {held} receipts that the ledger holds stand there no more",
            held - found
        ),
        found: vec![match found {
            0 => "no receipt in the target".to_owned(),
            1 => "the first receipt in the target, and none after it".to_owned(),
            _ => format!("the first {found} receipts in the target, and none after them"),
        }],
        required:
            "every receipt that the ledger holds, or a person's word that what came after them is to run again"
                .to_owned(),
        remedy: format!("tollgate bind {environment} --reason '<why>'"),
    }
}

/// Whether another environment has this very target: by its address, or on PostgreSQL by cluster and
/// database. A copy has the same identity row and another place, and is not taken.
pub(super) fn taken(
    run: &Run<'_>,
    environment: &EnvironmentName,
    survey: &Survey,
) -> Option<Finding> {
    let observed = &survey.observed;
    let same_database = |target: &TargetIdentity| {
        observed.engine == Engine::Postgresql
            && target.system.is_some()
            && target.system == observed.system
            && target.database == observed.database
    };
    // Where the role may not read the system identifier, the row that came along and the oid together
    // still tell: a template copy has another oid.
    let same_row = |target: &TargetIdentity| {
        let recorded = survey.recorded.as_ref();
        observed.engine == Engine::Postgresql
            && target.database == observed.database
            && recorded.is_some_and(|recorded| recorded.incarnation == target.incarnation)
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
            (own.is_some() && (run.address)(name) == own)
                || bound.is_some_and(|target| same_database(target) || same_row(target))
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
