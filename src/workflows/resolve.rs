//! resolve: a person settles what no receipt and no journal could.

use super::contact::{Contact, contact};
use super::history::{is_kept, make_ready};
use super::receipt::receipt_after;
use super::{Run, WorkflowError, target_error};
use crate::digest::Checksum;
use crate::ledger::view::EnvironmentView;
use crate::model::entry::Engine;
use crate::model::entry::{Ending, How, Intent, Outcome, Progress, ReceiptRef, Resolved, Verdict};
use crate::model::{AttemptId, EnvironmentName, Fact, MigrationId, Receipt, ReceiptKind};
use crate::planner::gates::shell;
use crate::planner::half::{Half, Obstacle, obstacle};
use crate::planner::{FileFacts, Gate};
use crate::sql::{self, Statement};
use crate::targets::history::NewRow;
use crate::targets::{Last, Word};

/// What a person says of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// Nothing of it stands (any more): it may run again.
    NotApplied,
    /// All of it stands, by whatever way: it counts as applied, and is no evidence.
    Applied,
    /// Everything before this statement stands, counted from 1, and nothing else of it.
    ContinueAt(u64),
}

/// An attempt that needs a person, or may be settled by one.
struct Subject {
    attempt: AttemptId,
    /// BLAKE3 of the script that was begun.
    script: Checksum,
    /// How many statements it has, where its journal tells.
    of: Option<u64>,
}

/// Records what a person says of a migration's attempts, in the target's journal for every ledger to
/// read, and in this ledger. The target is contacted first: what it settles needs no person. Returns
/// how many attempts it was said of.
///
/// # Errors
/// [`WorkflowError::Usage`] when nothing of the migration is unsettled there, or the statement named
/// is no place to go on; [`WorkflowError::Refused`] when the target is another one, or the script was
/// edited since.
pub fn resolve(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
    said: Said,
    reason: &str,
) -> Result<usize, WorkflowError> {
    let mut contact = contact(run, environment)?;
    // It will be read by others, and for ever.
    let reason = &crate::model::one_line(&(run.clean)(reason));
    let gate = match contact.live.identity {
        Some(_) => Gate::Identity,
        None => Gate::Failed,
    };
    let ended = try_to_resolve(run, environment, migration, said, reason, &mut contact);
    if matches!(ended, Err(WorkflowError::Refused { .. })) {
        run.refuse("resolve", environment, gate, Some(migration))?;
    }
    ended
}

fn try_to_resolve(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
    said: Said,
    reason: &str,
    contact: &mut Contact,
) -> Result<usize, WorkflowError> {
    if let Some(finding) = contact.live.identity.take() {
        return Err(WorkflowError::Refused {
            what: format!("{environment}: {}", finding.fact),
            remedy: finding.remedy,
        });
    }
    let subjects = subjects(run, environment, migration, contact);
    let Some(newest) = subjects.last() else {
        return Err(WorkflowError::Usage {
            what: format!("{environment} has no attempt of {migration} that needs a person"),
            remedy: format!("tollgate plan {environment}"),
        });
    };
    let word = match said {
        Said::NotApplied | Said::Applied => Word {
            verdict: if said == Said::Applied {
                Verdict::Applied
            } else {
                Verdict::NotApplied
            },
            done: 0,
            of: newest.of.unwrap_or(1),
            reason: reason.to_owned(),
        },
        Said::ContinueAt(step) => {
            let of = place_to_go_on(run, contact, environment, migration, newest, step)?;
            Word {
                verdict: Verdict::ContinueAt,
                done: step - 1,
                of,
                reason: reason.to_owned(),
            }
        }
    };
    if said == Said::Applied {
        return counts_as_applied(run, environment, migration, contact, &subjects, &word);
    }
    for subject in &subjects {
        contact
            .target
            .resolve(subject.attempt, migration, &word)
            .map_err(|error| target_error(environment, error))?;
        record(run, environment, migration, subject, &word)?;
    }
    Ok(subjects.len())
}

/// The attempts of a migration of which something may stand, the newest last.
fn subjects(
    run: &Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
    contact: &Contact,
) -> Vec<Subject> {
    let nothing = EnvironmentView::default();
    let here = run.ledger.view().get(environment).unwrap_or(&nothing);
    let journals = &contact.live.journals;
    let of = |attempt: AttemptId| {
        let journal = journals.iter().find(|journal| journal.attempt == attempt);
        journal.map(|journal| journal.progress.of)
    };
    let open = here.open.values();
    let partial = here
        .partial
        .values()
        .map(|failed| (&failed.attempted, failed.progress));
    let begun = open
        .map(|open| (open, None))
        .chain(partial)
        .filter(|(attempted, _)| attempted.intent.migration == *migration)
        .map(|(attempted, progress)| Subject {
            attempt: attempted.intent.attempt,
            script: attempted.intent.blake3,
            of: of(attempted.intent.attempt).or(progress.map(|progress| progress.of)),
        });
    let standing = here.standing.get(migration).map(|standing| Subject {
        attempt: standing.attempt,
        script: standing.script,
        of: Some(standing.progress.of),
    });
    let foreign = journals
        .iter()
        .filter(|journal| journal.migration == *migration)
        .filter(|journal| !here.attempts.contains(&journal.attempt))
        .map(|journal| Subject {
            attempt: journal.attempt,
            script: journal.script,
            of: Some(journal.progress.of),
        });
    // What did not finish under Prisma has no attempt: its row's id stands for one. The newest is the last,
    // and what tollgate began tells more.
    let rows = contact.history.iter().flat_map(|history| &history.rows);
    let by_prisma = rows
        .filter(|row| row.is_failed() && row.migration == *migration)
        .filter(|row| {
            row.tollgates_attempt().is_none_or(|attempt| {
                !here.attempts.contains(&attempt)
                    && journals.iter().all(|journal| journal.attempt != attempt)
            })
        })
        .filter(|_| !here.applied.contains_key(migration))
        .map(|row| Subject {
            attempt: attempt_of(&row.id),
            // Without a folder there is nothing that could count as applied.
            script: file(run, migration).map_or_else(|| Checksum::of(&[]), |file| file.checksum),
            of: None,
        });
    // One that failed and left nothing needs nobody. A person may still say that it stands by now, or, for
    // Prisma, which stops at it, that it does not. Under an attempt of its own: that one has ended.
    let ended = here
        .failed
        .get(migration)
        .filter(|_| !here.applied.contains_key(migration))
        .map(|failed| Subject {
            attempt: AttemptId::from_bytes((run.random)()),
            script: failed.attempted.intent.blake3,
            of: None,
        });
    by_prisma
        .chain(ended)
        .chain(begun)
        .chain(standing)
        .chain(foreign)
        .collect()
}

/// The id under which the ledger speaks of a row of Prisma's: the UUID's own bits, or, where a person
/// made the id up, a digest of it.
fn attempt_of(row: &str) -> AttemptId {
    row.replace('-', "").parse().unwrap_or_else(|_| {
        let digest = Checksum::of(row.as_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_bytes()[..16]);
        AttemptId::from_bytes(bytes)
    })
}

/// Checks that a script can be continued at a statement, and returns how many it has.
fn place_to_go_on(
    run: &Run<'_>,
    contact: &Contact,
    environment: &EnvironmentName,
    migration: &MigrationId,
    subject: &Subject,
    step: u64,
) -> Result<u64, WorkflowError> {
    let name = shell(migration.as_str());
    let usage = |what: String, remedy: String| WorkflowError::Usage { what, remedy };
    if step <= 1 {
        return Err(usage(
            "to go on at statement 1 is to say that nothing of it stands".to_owned(),
            format!("tollgate resolve {environment} {name} --not-applied --reason '<why>'"),
        ));
    }
    let file = file(run, migration).ok_or_else(|| gone(migration))?;
    let engine = contact.target.engine();
    let analysis = sql::analyse(engine, file.script);
    let of = analysis
        .statements()
        .map(|statements| statements.len() as u64);
    let of = subject.of.or(of).unwrap_or(1);
    if step > of + 1 {
        return Err(usage(
            format!("{migration} has {of} statements, so there is no statement {step} to go on at"),
            format!("tollgate plan {environment}"),
        ));
    }
    // The bytes first: what their statements are is no question where they are others.
    let half = Half {
        progress: Progress { done: step - 1, of },
        script: subject.script,
    };
    if file.checksum == subject.script {
        let statements = analysis.statements().unwrap_or_default();
        places(
            contact,
            subject,
            engine,
            file,
            statements,
            environment,
            step,
        )?;
    }
    let undone = format!(
        "tollgate resolve {environment} {name} --not-applied --reason '<what you undid>'   # or run the rest by hand, and --applied"
    );
    match obstacle(engine, file, &analysis, &half) {
        None => Ok(of),
        Some(Obstacle::Edited) => Err(WorkflowError::Refused {
            what: format!(
                "{migration} was edited since it was begun ({} then, {} now), and an edited script is never continued",
                subject.script.short(),
                file.checksum.short()
            ),
            remedy: undone,
        }),
        Some(Obstacle::Other(why)) => Err(WorkflowError::Refused {
            what: format!("{migration} cannot be continued at statement {step}: {why}"),
            remedy: undone,
        }),
    }
}

/// Whether a statement is one that a person can mean: the first that is not known to stand, or the one
/// after what was in flight. What was run by hand beyond that is no run of these bytes.
fn places(
    contact: &Contact,
    subject: &Subject,
    engine: Engine,
    file: &FileFacts<'_>,
    statements: &[Statement],
    environment: &EnvironmentName,
    step: u64,
) -> Result<(), WorkflowError> {
    let mut journals = contact.live.journals.iter();
    let Some(journal) = journals.find(|journal| journal.attempt == subject.attempt) else {
        return Err(WorkflowError::Refused {
            what: format!(
                "the target's journal does not know how far {} came",
                file.migration
            ),
            remedy: format!("tollgate plan {environment}"),
        });
    };
    if journal.elsewhere {
        return Err(WorkflowError::Refused {
            what: format!(
                "{} was begun in the target that this one is a copy of, and is not continued here",
                file.migration
            ),
            remedy: format!(
                "tollgate resolve {environment} {} --not-applied --reason '<what you undid>'   # or run the rest by hand, and --applied",
                shell(file.migration.as_str())
            ),
        });
    }
    let next = journal.progress.done + 1;
    let mut meant = vec![next];
    if matches!(journal.last, Last::Begun | Last::Failed) {
        let place = usize::try_from(journal.progress.done).unwrap_or(usize::MAX);
        meant.push(sql::unit_end(engine, file.script, statements, place) as u64 + 1);
    }
    if meant.contains(&step) {
        return Ok(());
    }
    let meant: Vec<String> = meant.iter().map(u64::to_string).collect();
    Err(WorkflowError::Refused {
        what: format!(
            "the target's journal says that {} of {} statements of {} stand, so it can only go on at statement {}",
            journal.progress.done,
            journal.progress.of,
            file.migration,
            meant.join(" or ")
        ),
        remedy: format!(
            "tollgate resolve {environment} {} --applied --reason '<what you ran by hand>'   # or undo all of it, and --not-applied",
            shell(file.migration.as_str())
        ),
    })
}

fn file<'a>(run: &Run<'a>, migration: &MigrationId) -> Option<&'a FileFacts<'a>> {
    run.files.iter().find(|file| file.migration == migration)
}

fn gone(migration: &MigrationId) -> WorkflowError {
    let path = format!("*/{migration}/migration.sql");
    WorkflowError::Usage {
        what: format!("the bytes of {migration} that were begun are not on disk"),
        remedy: format!(
            "git log --all --stat -- {}   # then git checkout <commit> -- <path>",
            shell(&path)
        ),
    }
}

/// The migration counts as applied on a person's word: a receipt that says so goes into the target.
fn counts_as_applied(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
    contact: &mut Contact,
    subjects: &[Subject],
    word: &Word,
) -> Result<usize, WorkflowError> {
    let (Some(newest), Some(target)) = (
        subjects.last(),
        run.ledger
            .view()
            .get(environment)
            .and_then(|here| here.target.clone()),
    ) else {
        return Ok(0);
    };
    let known = run.ledger.view().get(environment).and_then(|here| {
        let partial = here.partial.values().map(|failed| &failed.attempted);
        let mut attempts = here.open.values().chain(partial);
        let same = attempts.find(|attempted| attempted.intent.attempt == newest.attempt)?;
        Some(same.intent.clone())
    });
    let intent = match known {
        Some(intent) => intent,
        None => {
            let file = file(run, migration)
                .filter(|file| file.checksum == newest.script)
                .ok_or_else(|| gone(migration))?;
            Intent {
                attempt: newest.attempt,
                environment: environment.clone(),
                target: target.incarnation,
                migration: migration.clone(),
                blake3: file.checksum,
                sha256: file.sha256,
                receipt: ReceiptKind::Resolved,
                plan: run.plan_now(environment, contact.target.engine()).id,
                from: None,
                preview: run.policy.is_outside(environment),
                down: None,
                waivers: Vec::new(),
                release: None,
                debt: None,
                policy: Some(run.policy.digest()),
                behind: None,
            }
        }
    };
    let intent = Intent {
        receipt: ReceiptKind::Resolved,
        behind: None,
        ..intent
    };
    let head = run.record(Fact::Intent(intent.clone()))?;
    let before = run
        .ledger
        .view()
        .get(environment)
        .and_then(|here| here.head());
    let receipt = receipt_after(run, &intent, ReceiptKind::Resolved, head, before);
    let keeps = is_kept(run, contact.target.as_ref(), contact.history.as_ref());
    if keeps {
        let history = contact.history.as_ref();
        make_ready(run, environment, contact.target.as_mut(), history)?;
    }
    let row = NewRow::beside(&receipt).filter(|_| keeps);
    let stored = contact
        .target
        .close(&receipt, Some(word), word.of, row.as_ref())
        .map_err(|error| target_error(environment, error))?;
    run.record(Fact::Outcome(Outcome {
        attempt: intent.attempt,
        environment: environment.clone(),
        migration: migration.clone(),
        outcome: Ending::Succeeded,
        receipt: Some(ReceiptRef {
            seq: stored.seq,
            hash: Receipt::hash_of(&stored.body),
        }),
        kind: Some(ReceiptKind::Resolved),
        settled: true,
        progress: None,
        error: None,
        how: Some(How::Receipt),
        recorded_at: stored.recorded_at,
    }))?;
    for subject in subjects {
        record(run, environment, migration, subject, word)?;
    }
    Ok(subjects.len())
}

fn record(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
    subject: &Subject,
    word: &Word,
) -> Result<(), WorkflowError> {
    let goes_on = word.verdict == Verdict::ContinueAt;
    run.record(Fact::Resolved(Resolved {
        attempt: subject.attempt,
        environment: environment.clone(),
        migration: migration.clone(),
        verdict: word.verdict,
        reason: word.reason.clone(),
        script: goes_on.then_some(subject.script),
        progress: goes_on.then_some(Progress {
            done: word.done,
            of: word.of,
        }),
    }))?;
    Ok(())
}
