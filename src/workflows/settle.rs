//! Settling: what became of every attempt whose end is not known, told under the lock from the
//! target's receipts and its journal. Nothing is guessed: what they do not tell stays open.

use std::collections::BTreeMap;

use super::history::failed_row;
use super::receipt::receipt_after;
use super::{Event, Run, WorkflowError, target_error};
use crate::digest::ChainHash;
use crate::ledger::view::{Attempted, EnvironmentView};
use crate::model::entry::{
    Absorbed, Ending, Engine, How, Outcome, Progress, ReceiptRef, Resolved, Verdict,
};
use crate::model::{
    AttemptId, EnvironmentName, Fact, MigrationId, Receipt, ReceiptKind, StoredReceipt, Timestamp,
};
use crate::planner::{FileFacts, Live};
use crate::sql::{self, Statement, StatementKind};
use crate::targets::history::NewRow;
use crate::targets::{Journal, Last, Survey, Target};

/// Settles every attempt of this ledger that the receipts left open. The receipts are taken in
/// already, so an atomic attempt that is still open has none: it was rolled back.
pub(super) fn settle(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    survey: &Survey,
) -> Result<(), WorkflowError> {
    for (attempt, migration) in take_over(run, environment, survey)? {
        let Some(open) = view(run, environment).and_then(|here| here.open.get(&attempt)) else {
            continue;
        };
        let open = open.clone();
        let journal = survey
            .journals
            .iter()
            .find(|journal| journal.attempt == attempt);
        let engine = target.engine();
        match told(run, engine, journal, &open) {
            Told::Open => {}
            // What it made is gone again: nothing is written there before a person has spoken.
            Told::All(_) if survey.gone.is_some() => {}
            // Receipts come one behind the other, and nothing runs behind one that is missing.
            Told::NoTrace if waited_in_vain(run, environment, &open) => {
                let ended = Settled::failed(How::NotRun, None);
                settled(run, environment, attempt, &migration, &ended)?;
            }
            Told::NoTrace => {
                tell_prisma(environment, target, survey, &open, None)?;
                let ended = Settled::failed(How::NoTrace, None);
                settled(run, environment, attempt, &migration, &ended)?;
            }
            Told::Stands(progress) => {
                tell_prisma(environment, target, survey, &open, Some(progress))?;
                let ended = Settled::failed(How::Journal, Some(progress));
                settled(run, environment, attempt, &migration, &ended)?;
            }
            Told::All(of) => {
                let keeps = survey.history.is_some();
                complete(run, environment, target, attempt, &open, of, keeps)?;
            }
        }
    }
    Ok(())
}

/// Whether an attempt was queued behind another one that has no receipt.
fn waited_in_vain(run: &Run<'_>, environment: &EnvironmentName, open: &Attempted) -> bool {
    let behind = open.intent.behind;
    behind.is_some_and(|behind| {
        view(run, environment).is_some_and(|here| !here.has_succeeded(behind))
    })
}

/// Writes the row of an attempt that failed and could not write it then. Before the ledger is told, so
/// that a crash between the two does it again; a row that is there is not written twice.
fn tell_prisma(
    environment: &EnvironmentName,
    target: &mut dyn Target,
    survey: &Survey,
    open: &Attempted,
    left: Option<Progress>,
) -> Result<(), WorkflowError> {
    let intent = &open.intent;
    let ran = !matches!(intent.receipt, ReceiptKind::Resolved | ReceiptKind::Undone);
    if survey.history.is_none() || !ran {
        return Ok(());
    }
    let said = "the run was cut off";
    let row = failed_row(
        intent.attempt,
        &intent.migration,
        intent.sha256,
        open.at,
        left,
        said,
    );
    target
        .keep_history(&[row])
        .map_err(|error| target_error(environment, error))
}

fn view<'a>(run: &'a Run<'_>, environment: &EnvironmentName) -> Option<&'a EnvironmentView> {
    run.ledger.view().get(environment)
}

/// What the journal tells of an open attempt.
enum Told {
    /// A statement was in flight, or may have left something.
    Open,
    /// Nothing of it stands.
    NoTrace,
    /// The first statements stand, and nothing else of it.
    Stands(Progress),
    /// Every statement stands.
    All(u64),
}

fn told(run: &Run<'_>, engine: Engine, journal: Option<&Journal>, open: &Attempted) -> Told {
    // One that never wrote its journal never began.
    let Some(journal) = journal else {
        return Told::NoTrace;
    };
    let Progress { done, of } = journal.progress;
    match journal.last {
        _ if journal.script != open.intent.blake3 => Told::Open,
        Last::Done if done == of && of > 0 && ran_to_its_end(run, engine, open, of) => {
            Told::All(of)
        }
        Last::Done | Last::Undone if done == 0 => Told::NoTrace,
        Last::Done | Last::Undone => Told::Stands(journal.progress),
        Last::Begun if may_run_again(run, engine, open, journal.progress) => match done {
            0 => Told::NoTrace,
            _ => Told::Stands(journal.progress),
        },
        Last::Begun | Last::Failed | Last::Finished => Told::Open,
    }
}

/// Whether a script of which every statement ended has nothing left to be found out at its end: it left
/// no transaction open, and no foreign keys to be looked at.
fn ran_to_its_end(run: &Run<'_>, engine: Engine, open: &Attempted, of: u64) -> bool {
    let same = |file: &&FileFacts<'_>| {
        *file.migration == open.intent.migration && file.checksum == open.intent.blake3
    };
    let Some(file) = run.files.iter().find(same) else {
        return false;
    };
    let analysis = sql::analyse(engine, file.script);
    let Some(statements) = analysis.statements() else {
        return false;
    };
    let unchecked = |statement: &Statement| statement.kind == StatementKind::ForeignKeys(false);
    statements.len() as u64 == of
        && !statements.iter().any(unchecked)
        && !sql::ends_open(engine, file.script, statements)
}

/// Whether the statement that was in flight is one that leaves the same however often it runs, such as
/// VACUUM: then it need not be known whether it had.
fn may_run_again(run: &Run<'_>, engine: Engine, open: &Attempted, progress: Progress) -> bool {
    let Progress { done, of } = progress;
    let same = |file: &&FileFacts<'_>| {
        *file.migration == open.intent.migration && file.checksum == open.intent.blake3
    };
    let Some(file) = run.files.iter().find(same) else {
        return false;
    };
    let analysis = sql::analyse(engine, file.script);
    let statements = analysis.statements().unwrap_or_default();
    let next = statements.get(usize::try_from(done).unwrap_or(usize::MAX));
    statements.len() as u64 == of
        && next.is_some_and(|statement| statement.may_run_again(file.script))
}

/// Takes over what was said elsewhere of attempts of this ledger: a person's word in the journal, or
/// an attempt of another ledger that went on where this one's stopped. Returns what is open after it.
fn take_over(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    survey: &Survey,
) -> Result<Vec<(AttemptId, MigrationId)>, WorkflowError> {
    let newest: BTreeMap<&MigrationId, &Journal> = survey
        .journals
        .iter()
        .map(|journal| (&journal.migration, journal))
        .collect();
    let mut open = Vec::new();
    for (attempt, migration, left) in unsettled(run, environment) {
        let own = survey
            .journals
            .iter()
            .find(|journal| journal.attempt == attempt);
        let known = |other: AttemptId| {
            view(run, environment).is_some_and(|here| here.attempts.contains(&other))
        };
        let later = newest
            .get(&migration)
            .filter(|_| own.is_some())
            .filter(|journal| journal.attempt != attempt && !known(journal.attempt));
        let word = own.and_then(|own| own.word.as_ref().map(|word| (word, own)));
        let resolved = if let Some(later) = later {
            let reason = format!("attempt {} of another ledger went on", later.attempt);
            Some((Verdict::Superseded, reason, None, None))
        } else if own.is_none() && left.needs_its_journal() {
            let reason = "the target has no trace of it: it was put back to an earlier point";
            Some((Verdict::NotApplied, reason.to_owned(), None, None))
        } else if let Some((word, own)) = word
            && left.standing() != Some(word.done)
        {
            let goes_on = word.verdict == Verdict::ContinueAt;
            let progress = Progress {
                done: word.done,
                of: word.of,
            };
            Some((
                word.verdict,
                (run.clean)(&word.reason),
                goes_on.then_some(own.script),
                goes_on.then_some(progress),
            ))
        } else {
            None
        };
        match resolved {
            Some((verdict, reason, script, progress)) => {
                run.record(Fact::Resolved(Resolved {
                    attempt,
                    environment: environment.clone(),
                    migration: migration.clone(),
                    verdict,
                    reason,
                    script,
                    progress,
                }))?;
                let what = match verdict {
                    Verdict::Superseded => "another ledger went on with it",
                    _ if own.is_none() => {
                        "the target has no trace of it, and was put back to an earlier point"
                    }
                    _ => "a person's word about it stands in the target",
                };
                (run.events)(Event::TookOver {
                    environment,
                    migration: &migration,
                    what,
                });
            }
            None => open.push((attempt, migration)),
        }
    }
    Ok(open)
}

/// What the ledger holds of an attempt that is not settled for good.
enum Left {
    /// Its end is not known.
    Open,
    /// It failed half-way.
    Partial {
        /// Whether it kept a journal from its first statement on.
        journalled: bool,
    },
    /// So many of its statements stand.
    Standing(u64),
}

impl Left {
    const fn standing(&self) -> Option<u64> {
        match self {
            Self::Standing(done) => Some(*done),
            Self::Open | Self::Partial { .. } => None,
        }
    }

    /// Whether nothing of it can stand where the target's journal does not know it.
    const fn needs_its_journal(&self) -> bool {
        matches!(self, Self::Standing(_) | Self::Partial { journalled: true })
    }
}

/// This ledger's attempts of which something may stand.
fn unsettled(run: &Run<'_>, environment: &EnvironmentName) -> Vec<(AttemptId, MigrationId, Left)> {
    let Some(here) = view(run, environment) else {
        return Vec::new();
    };
    let open = here
        .open
        .iter()
        .map(|(attempt, open)| (*attempt, open.intent.migration.clone(), Left::Open));
    let partial = here.partial.iter().map(|(attempt, failed)| {
        let intent = &failed.attempted.intent;
        let journalled = intent.receipt == ReceiptKind::Journalled;
        (
            *attempt,
            intent.migration.clone(),
            Left::Partial { journalled },
        )
    });
    let standing = here.standing.iter().map(|(migration, standing)| {
        let done = standing.progress.done;
        (standing.attempt, migration.clone(), Left::Standing(done))
    });
    open.chain(partial).chain(standing).collect()
}

/// Every statement stands, and only the receipt is missing: it is written now, as the attempt would
/// have. The intent is repeated, so that the receipt names an entry of this ledger.
pub(super) fn complete(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    attempt: AttemptId,
    open: &Attempted,
    of: u64,
    keeps: bool,
) -> Result<(), WorkflowError> {
    let head = run.record(Fact::Intent(open.intent.clone()))?;
    let before = view(run, environment).and_then(|here| here.head());
    let receipt = Receipt {
        at: open.at,
        actor: open.by.clone(),
        origin: open.origin.clone(),
        ..receipt_after(run, &open.intent, ReceiptKind::Journalled, head, before)
    };
    let row = NewRow::beside(&receipt).filter(|_| keeps);
    let stored = target
        .close(&receipt, None, of, row.as_ref())
        .map_err(|error| target_error(environment, error))?;
    let ended = Settled {
        how: How::JournalComplete,
        progress: None,
        success: Some((
            ReceiptRef {
                seq: stored.seq,
                hash: Receipt::hash_of(&stored.body),
            },
            ReceiptKind::Journalled,
        )),
        recorded_at: stored.recorded_at,
    };
    settled(run, environment, attempt, &open.intent.migration, &ended)
}

/// How an attempt ended, as it was found out.
pub(super) struct Settled {
    how: How,
    progress: Option<Progress>,
    success: Option<(ReceiptRef, ReceiptKind)>,
    /// When the receipt was written, by the database's own clock.
    recorded_at: Option<Timestamp>,
}

impl Settled {
    fn failed(how: How, progress: Option<Progress>) -> Self {
        Self {
            how,
            progress,
            success: None,
            recorded_at: None,
        }
    }
}

/// Every receipt of a run names the intent that it was written for. Where the ledger holds that very entry,
/// by its hash, it must tell of this attempt: a receipt that was made up for another one proves nothing.
fn witness(
    run: &Run<'_>,
    environment: &EnvironmentName,
    receipt: &Receipt,
) -> Result<(), WorkflowError> {
    if !matches!(receipt.kind, ReceiptKind::Atomic | ReceiptKind::Journalled) {
        return Ok(());
    }
    let named = run.ledger.entry_of(receipt.writer, receipt.number)?;
    let Some((_, entry)) = named.filter(|(hash, _)| *hash == receipt.head) else {
        return Ok(());
    };
    let told = match &entry.fact {
        Fact::Intent(intent) => {
            let is_of_it = intent.attempt == receipt.attempt
                && intent.environment == receipt.environment
                && intent.migration == receipt.migration
                && Some(intent.blake3) == receipt.blake3;
            if is_of_it {
                return Ok(());
            }
            format!(
                "an attempt of {} in {}",
                intent.migration, intent.environment
            )
        }
        other => format!("something else ({})", other.kind()),
    };
    Err(WorkflowError::Contradiction {
        environment: environment.clone(),
        what: format!(
            "receipt {} of the target ({}) names entry {} of writer {}, which tells of {told}",
            receipt.seq,
            receipt.migration,
            receipt.number,
            receipt.writer.short()
        ),
        remedy: Some(format!(
            "tollgate bind {environment} --emptied --reason '<why>'   # after emptying {environment}; or put back its backup"
        )),
    })
}

/// Takes in a receipt that the ledger lacks: the end of an attempt of its own, or another's success.
pub(super) fn take_in_receipt(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    hash: ChainHash,
    receipt: &Receipt,
    row: &StoredReceipt,
) -> Result<(), WorkflowError> {
    witness(run, environment, receipt)?;
    let is_open = |intent: &Attempted| {
        Some(intent.intent.blake3) == receipt.blake3 && intent.intent.migration == receipt.migration
    };
    let ours = view(run, environment)
        .and_then(|here| here.open.get(&receipt.attempt))
        .is_some_and(is_open);
    if ours {
        let reference = ReceiptRef {
            seq: receipt.seq,
            hash,
        };
        let ended = Settled {
            how: How::Receipt,
            progress: None,
            success: Some((reference, receipt.kind)),
            recorded_at: row.recorded_at,
        };
        return settled(
            run,
            environment,
            receipt.attempt,
            &receipt.migration,
            &ended,
        );
    }
    run.record(Fact::Absorbed(Absorbed {
        environment: environment.clone(),
        hash,
        body: row.body.clone(),
        recorded_at: row.recorded_at,
    }))?;
    Ok(())
}

fn settled(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    attempt: AttemptId,
    migration: &MigrationId,
    ended: &Settled,
) -> Result<(), WorkflowError> {
    run.record(Fact::Outcome(Outcome {
        attempt,
        environment: environment.clone(),
        migration: migration.clone(),
        outcome: if ended.success.is_some() {
            Ending::Succeeded
        } else {
            Ending::Failed
        },
        receipt: ended.success.map(|(receipt, _)| receipt),
        kind: ended.success.map(|(_, kind)| kind),
        settled: true,
        progress: ended.progress,
        error: None,
        how: Some(ended.how),
        recorded_at: ended.recorded_at,
    }))?;
    (run.events)(Event::Settled {
        environment,
        migration,
        how: ended.how,
        progress: ended.progress,
    });
    Ok(())
}

/// What the planner has to know of the target's journal: the newest attempt of each migration that is
/// not applied and of which something may stand.
pub(super) fn journals(
    run: &Run<'_>,
    environment: &EnvironmentName,
    live: &mut Live,
    survey: &Survey,
) {
    let here = view(run, environment);
    let newest: BTreeMap<&MigrationId, &Journal> = survey
        .journals
        .iter()
        .map(|journal| (&journal.migration, journal))
        .collect();
    let matters = |journal: &&Journal| {
        let applied = here.is_some_and(|here| here.applied.contains_key(&journal.migration));
        !applied && journal.last != Last::Finished && journal.standing() != Some(0)
    };
    live.journals = newest.into_values().filter(matters).cloned().collect();
    live.invalid_indexes.clone_from(&survey.invalid_indexes);
}
