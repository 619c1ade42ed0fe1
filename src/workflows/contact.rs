//! A contact with a target: lock, look, compare, take in what the ledger lacks, settle what is open.

use super::history::{has_rows, take_in};
use super::settle::{journals, settle, take_in_receipt};
use super::{Event, Run, WorkflowError, target_error};
use crate::digest::ChainHash;
use crate::model::entry::{Bound, Engine, Head, Intent, ReceiptRef, TargetIdentity};
use crate::model::receipt::verify_chain;
use crate::model::{
    EarlierSuccess, EnvironmentName, Fact, IncarnationId, Kind, Receipt, ReceiptKind,
};
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
    let survey = target
        .survey()
        .map_err(|error| target_error(environment, error))?;
    Ok((target, survey))
}

/// The whole contact. Writes to the ledger what the target tells; to the target only the receipt of an
/// attempt whose every statement stands.
pub(super) fn contact(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
) -> Result<Contact, WorkflowError> {
    let (mut target, survey) = reach(run, environment)?;
    let judged = judge(
        environment,
        run.policy.kind(environment),
        run.ledger.view(),
        &survey.observed,
        survey.recorded.as_ref(),
    );
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
        // What the ledger knows of an ephemeral environment is of another target.
        Identity::New if is_known => {
            enter(run, environment, target.as_mut(), Earlier::Keep, None)?;
            live = never_entered(&survey);
        }
        Identity::New => {
            is_new = true;
            live = never_entered(&survey);
        }
        Identity::Other(finding) => {
            live.identity = Some(made_anew(run, environment, &survey).unwrap_or_else(|| {
                match survey.recorded.is_none() && has_rows(&survey) {
                    true => Finding {
                        remedy: format!(
                            "tollgate baseline {environment} --reason '<why>'   # if Prisma made it anew"
                        ),
                        ..finding
                    },
                    false => finding,
                }
            }));
            live.has_history_elsewhere = survey.recorded.is_none() && survey.has_other_tables;
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
    let receipts = survey.receipts.len();
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
    reset::made_anew(environment, run.policy, run.ledger.view(), &survey.observed)
}

/// Takes in that the target was emptied, which its identity says and the ledger missed.
pub(super) fn take_in_emptied(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    identity: TargetIdentity,
) -> Result<(), WorkflowError> {
    let reason = "it was emptied, as the target says".to_owned();
    let name = identity.name.clone();
    tie(run, environment, identity, Some(reason))?;
    (run.events)(Event::WasEmptied {
        environment,
        name: &name,
    });
    Ok(())
}

/// Enters a target that neither side knew: its identity row first, then the ledger's entry. A crash
/// between the two leaves a target that says where it belongs, which the next contact takes in.
pub(super) fn enter(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    earlier: Earlier,
    reason: Option<String>,
) -> Result<(), WorkflowError> {
    let incarnation = IncarnationId::from_bytes((run.random)());
    let identity = target
        .initialise(environment, incarnation, earlier)
        .map_err(|error| target_error(environment, error))?;
    bound(run, environment, identity, reason)
}

pub(super) fn bound(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: TargetIdentity,
    reason: Option<String>,
) -> Result<(), WorkflowError> {
    let name = target.name.clone();
    tie(run, environment, target, reason)?;
    (run.events)(Event::Bound {
        environment,
        name: &name,
    });
    Ok(())
}

/// Writes the entry, with what this target takes the place of. A new target of an ephemeral environment
/// takes nothing's place: others may be at work in theirs.
fn tie(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: TargetIdentity,
    reason: Option<String>,
) -> Result<(), WorkflowError> {
    let here = run.ledger.view().get(environment);
    let present = here.and_then(|here| here.target.as_ref());
    let present = present.map(|present| present.incarnation);
    let replaces = present
        .filter(|present| *present != target.incarnation)
        .filter(|_| run.policy.kind(environment) != Kind::Ephemeral);
    run.record(Fact::Bound(Bound {
        environment: environment.clone(),
        target,
        reason,
        replaces,
        lost: Vec::new(),
    }))?;
    Ok(())
}

/// The receipts that the ledger holds of the present target and that do not stand there.
pub(super) fn gone(
    run: &Run<'_>,
    environment: &EnvironmentName,
    survey: &Survey,
) -> Vec<ChainHash> {
    let Some(here) = run.ledger.view().get(environment) else {
        return Vec::new();
    };
    let stands = |seq: u64, hash: &ChainHash| {
        let mut rows = survey.receipts.iter();
        rows.any(|row| row.seq == seq && row.hash == hash.to_string())
    };
    let held = here.receipts.iter();
    held.filter(|(seq, hash)| !stands(**seq, hash))
        .map(|(_, hash)| *hash)
        .collect()
}

/// Says that the present target was put back to an earlier point: what stands there is taken in anew, and
/// what stood there after that point is not believed to stand, whoever tells of it.
pub(super) fn put_back(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    survey: &Survey,
    reason: String,
) -> Result<(), WorkflowError> {
    let here = run.ledger.view().get(environment);
    let Some(target) = here.and_then(|here| here.target.clone()) else {
        return Ok(());
    };
    let lost = gone(run, environment, survey);
    let name = target.name.clone();
    run.record(Fact::Bound(Bound {
        environment: environment.clone(),
        replaces: Some(target.incarnation),
        target,
        reason: Some(reason),
        lost,
    }))?;
    (run.events)(Event::Bound {
        environment,
        name: &name,
    });
    Ok(())
}

/// Takes in the receipts that the ledger lacks, and settles what is open. Returns a finding where
/// the target lost receipts that the ledger holds.
pub(super) fn absorb(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    survey: &Survey,
) -> Result<Option<Finding>, WorkflowError> {
    let contradiction = |what: String, remedy| WorkflowError::Contradiction {
        environment: environment.clone(),
        what,
        remedy,
    };
    let chain = verify_chain(&survey.receipts).map_err(|broken| {
        let what = format!(
            "receipt {} of the target does not hold: {}",
            broken.seq, broken.what
        );
        contradiction(what, None)
    })?;
    notice_a_ledger_that_went_back(run, environment, &chain)?;
    meet(run, environment)?;
    let known = run
        .ledger
        .view()
        .get(environment)
        .map(|here| here.receipts.clone())
        .unwrap_or_default();
    for ((hash, receipt), row) in chain.iter().zip(&survey.receipts) {
        match known.get(&receipt.seq) {
            Some(held) if held == hash => {}
            Some(held) => {
                let what = format!(
                    "receipt {} of the target is {}, and the ledger holds {} in its place",
                    receipt.seq,
                    hash.short(),
                    held.short()
                );
                let remedy = format!(
                    "tollgate bind {environment} --reason '<why>'   # if it was put back to an earlier point, and went on under another ledger"
                );
                return Err(contradiction(what, Some(remedy)));
            }
            None => {
                take_in_receipt(run, environment, *hash, receipt, &row.body)?;
            }
        }
    }
    let absorbed = chain
        .iter()
        .filter(|(_, receipt)| !known.contains_key(&receipt.seq))
        .count();
    if absorbed > 0 {
        (run.events)(Event::Absorbed {
            environment,
            count: absorbed,
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

/// Says that this ledger itself was at the target, where it knows that only from others: what it goes on to
/// say is said of this one.
fn meet(run: &mut Run<'_>, environment: &EnvironmentName) -> Result<(), WorkflowError> {
    let view = run.ledger.view();
    let target = view.get(environment).and_then(|here| here.target.clone());
    let Some(target) = target else { return Ok(()) };
    if view.met(environment, run.ledger.writer()) == Some(target.incarnation) {
        return Ok(());
    }
    tie(run, environment, target, None)
}

/// A receipt of this very writer whose intent the ledger does not hold: the ledger was put back to an
/// earlier state in its place. Its numbers were used once, so it goes on under a new writer.
fn notice_a_ledger_that_went_back(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    chain: &[(ChainHash, Receipt)],
) -> Result<(), WorkflowError> {
    let writer = run.ledger.writer();
    for (_, receipt) in chain.iter().filter(|(_, receipt)| receipt.writer == writer) {
        if !run.ledger.holds(receipt.number, receipt.head)? {
            run.ledger.begin_anew((run.random)());
            (run.events)(Event::WentBack { environment });
            break;
        }
    }
    Ok(())
}

/// What is known of the same bytes in the environments before, for whoever reads the receipt without this
/// ledger.
fn proofs(run: &Run<'_>, intent: &Intent, kind: ReceiptKind) -> Vec<EarlierSuccess> {
    let Some(position) = run.policy.position(&intent.environment) else {
        return Vec::new();
    };
    let of = |name: &EnvironmentName| {
        let there = run.ledger.view().get(name)?;
        let success = there.evidence_of(&intent.migration, intent.blake3)?;
        Some(EarlierSuccess {
            environment: name.clone(),
            seq: success.receipt.seq,
            hash: success.receipt.hash,
            kind: success.kind,
            writer: success.writer,
            at: success.at,
            actor: success.by.clone(),
        })
    };
    let before = run.policy.chain().take(position);
    before
        .filter(|_| kind.is_evidence())
        .filter_map(of)
        .collect()
}

/// The receipt that follows what stands in a target, for an intent and its place in the ledger.
pub(super) fn receipt_after(
    run: &Run<'_>,
    intent: &Intent,
    kind: ReceiptKind,
    head: Head,
    before: Option<ReceiptRef>,
) -> Receipt {
    Receipt {
        v: 1,
        seq: before.map_or(1, |before| before.seq + 1),
        prev: before.map(|before| before.hash),
        target: intent.target,
        environment: intent.environment.clone(),
        kind,
        attempt: intent.attempt,
        migration: intent.migration.clone(),
        blake3: Some(intent.blake3),
        sha256: Some(intent.sha256),
        writer: head.writer,
        number: head.number,
        head: head.hash,
        plan: intent.plan,
        at: (run.now)(),
        actor: run.by.actor.clone(),
        origin: run.by.origin.clone(),
        tool: run.by.tool.clone(),
        waivers: Vec::new(),
        debts: Vec::new(),
        preview: intent.preview,
        proofs: proofs(run, intent, kind),
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
