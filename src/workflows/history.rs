//! Prisma's table beside the receipts: what it proves is taken in, and it is kept as Prisma would keep it.

use super::{Event, Run, WorkflowError, target_error};
use crate::digest::{Checksum, Sha256};
use crate::ledger::view::{EnvironmentView, Success};
use crate::model::entry::{Absorbed, Found, Progress, ReceiptRef, TakenIn};
use crate::model::prisma::row_id;
use crate::model::{
    Actor, AttemptId, EnvironmentName, Fact, MigrationId, Origin, Receipt, ReceiptKind, Timestamp,
};
use crate::planner::FileFacts;
use crate::planner::history::{Claim, ClaimKind, judge};
use crate::targets::history::{History, NOTHING, NewRow, RowEnd, id_of};
use crate::targets::{Survey, Target, TargetError, TargetErrorKind};

/// Whether Prisma's table is kept there: where it is, and in a tree of Prisma's.
pub(super) fn is_kept(run: &Run<'_>, target: &dyn Target, history: Option<&History>) -> bool {
    let tree = run.prisma;
    history.is_some() || tree.is_some_and(|tree| !tree.is_for_another(target.engine()))
}

/// Takes in what Prisma's rows prove beyond the receipts, or say on a person's word; returns the rest.
pub(super) fn take_in(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    survey: &Survey,
) -> Result<Vec<Claim>, WorkflowError> {
    let Some(history) = &survey.history else {
        return Ok(Vec::new());
    };
    let nothing = EnvironmentView::default();
    let here = run.ledger.view().get(environment).unwrap_or(&nothing);
    let (ready, rest): (Vec<Claim>, Vec<Claim>) = judge(history, run.files, here, &survey.journals)
        .into_iter()
        .partition(|claim| claim.kind.explains_itself());
    let said = ready
        .iter()
        .filter(|claim| claim.kind == ClaimKind::Said)
        .count();
    let ran = ready.len() - said;
    if !ready.is_empty() {
        let parts: Vec<Part<'_>> = ready
            .iter()
            .map(|claim| Part::of_row(run, environment, claim))
            .collect();
        write(run, environment, target, &parts, None)?;
        (run.events)(Event::TookInHistory {
            environment,
            ran,
            said,
        });
    }
    Ok(rest)
}

/// One migration that stands in a target and has no receipt there.
pub(super) struct Part<'a> {
    migration: MigrationId,
    kind: ReceiptKind,
    what: &'static str,
    blake3: Option<Checksum>,
    sha256: Option<Sha256>,
    script: Option<&'a str>,
    at: Timestamp,
    actor: Actor,
    origin: Origin,
    ran_in: EnvironmentName,
}

impl<'a> Part<'a> {
    /// By a row of Prisma's: what it proves, or what a person accepted.
    pub(super) fn of_row(run: &Run<'a>, environment: &EnvironmentName, claim: &Claim) -> Self {
        let row = &claim.row;
        let file = file(run, &row.migration);
        Self {
            migration: row.migration.clone(),
            kind: match claim.kind {
                ClaimKind::Proven => ReceiptKind::Prisma,
                _ => ReceiptKind::Baselined,
            },
            what: claim.kind.fact(),
            blake3: file.map(|file| file.checksum),
            sha256: file
                .map(|file| file.sha256)
                .or_else(|| row.checksum.parse().ok()),
            script: file.map(|file| file.script),
            at: row.finished.unwrap_or(row.started),
            actor: Actor("prisma".to_owned()),
            origin: Origin::Prisma {
                row: row.id.clone(),
                checksum: row.checksum.clone(),
                started: row.started,
                steps: row.steps,
            },
            ran_in: ran_in(run, environment, &row.id),
        }
    }

    /// By a person's word alone: tables that stand there, and that this migration made.
    pub(super) fn of_file(
        run: &Run<'a>,
        environment: &EnvironmentName,
        file: &FileFacts<'a>,
    ) -> Self {
        Self {
            migration: file.migration.clone(),
            kind: ReceiptKind::Baselined,
            what: "a person says that what it makes stands there",
            blake3: Some(file.checksum),
            sha256: Some(file.sha256),
            script: Some(file.script),
            at: (run.now)(),
            actor: run.by.actor.clone(),
            origin: run.by.origin.clone(),
            ran_in: environment.clone(),
        }
    }
}

fn file<'a>(run: &Run<'a>, migration: &MigrationId) -> Option<&'a FileFacts<'a>> {
    let files = run.files;
    files
        .binary_search_by(|file| file.migration.cmp(migration))
        .ok()
        .and_then(|place| files.get(place))
}

/// The environment in whose target a row was written. An id is drawn at random, so one that is known
/// from another environment came along with a copy, and is no evidence here.
fn ran_in(run: &Run<'_>, environment: &EnvironmentName, row: &str) -> EnvironmentName {
    let is_this = |success: &Success| match &success.origin {
        Origin::Prisma { row: known, .. } => known == row,
        _ => row_id(success.attempt) == row,
    };
    let mut others = run
        .ledger
        .view()
        .environments()
        .filter(|(name, _)| *name != environment);
    let known = others.find(|(_, there)| {
        let evidence = there
            .evidence
            .values()
            .flat_map(|bytes| bytes.iter().map(|(_, ran)| ran));
        there.applied.values().chain(evidence).any(is_this)
    });
    known.map_or_else(|| environment.clone(), |(name, _)| name.clone())
}

/// Writes the receipts: an entry that says what was found, then all of them into the target, then each
/// into the ledger. What a crash leaves between the last two the next contact takes in.
pub(super) fn write(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    parts: &[Part<'_>],
    reason: Option<String>,
) -> Result<(), WorkflowError> {
    let plan = run.plan_now(environment, target.engine()).id;
    let nothing = EnvironmentView::default();
    let here = run.ledger.view().get(environment).unwrap_or(&nothing);
    let (Some(identity), mut before) = (here.target.clone(), here.head()) else {
        return Ok(());
    };
    let found = |part: &Part<'_>| Found {
        migration: part.migration.clone(),
        kind: part.kind,
        what: part.what.to_owned(),
    };
    let head = run.record(Fact::TakenIn(TakenIn {
        environment: environment.clone(),
        target: identity.incarnation,
        migrations: parts.iter().map(found).collect(),
        reason,
    }))?;
    let mut receipts = Vec::with_capacity(parts.len());
    for part in parts {
        let receipt = Receipt {
            v: 1,
            seq: before.map_or(1, |before| before.seq + 1),
            prev: before.map(|before| before.hash),
            target: identity.incarnation,
            environment: part.ran_in.clone(),
            kind: part.kind,
            attempt: AttemptId::from_bytes((run.random)()),
            migration: part.migration.clone(),
            blake3: part.blake3,
            sha256: part.sha256,
            writer: head.writer,
            number: head.number,
            head: head.hash,
            plan,
            at: part.at,
            actor: part.actor.clone(),
            origin: part.origin.clone(),
            tool: run.by.tool.clone(),
            waivers: Vec::new(),
            debts: Vec::new(),
            preview: run.policy.is_outside(&part.ran_in),
            proofs: Vec::new(),
            rehearsal: None,
            undone: None,
            release: None,
            policy: Some(run.policy.digest()),
        };
        // Cannot fail for a receipt that is built here; the target would refuse one that does not follow.
        let body = receipt.to_body().unwrap_or_default();
        before = Some(ReceiptRef {
            seq: receipt.seq,
            hash: Receipt::hash_of(&body),
        });
        receipts.push(receipt);
    }
    let stored = target
        .take_in(&receipts)
        .map_err(|error| target_error(environment, error))?;
    for (part, stored) in parts.iter().zip(stored) {
        let fact = Fact::Absorbed(Absorbed {
            environment: environment.clone(),
            hash: Receipt::hash_of(&stored.body),
            body: stored.body,
            recorded_at: stored.recorded_at,
        });
        let bytes = part.blake3.zip(part.script.map(str::as_bytes));
        run.ledger.append_with((run.now)(), run.by, fact, bytes)?;
        run.kept.extend(part.blake3);
    }
    Ok(())
}

/// Refuses before anything is written where Prisma's table cannot be kept.
pub(super) fn may_write(
    environment: &EnvironmentName,
    history: Option<&History>,
) -> Result<(), WorkflowError> {
    let Some(remedy) = history.and_then(|history| history.locked.clone()) else {
        return Ok(());
    };
    let error = TargetError {
        kind: TargetErrorKind::Other,
        fact: "Prisma's table may not be written by the role of the target's URL; nothing was run"
            .to_owned(),
        remedy: Some(remedy),
    };
    Err(target_error(environment, error))
}

/// Makes Prisma's table where it is missing, and writes the rows that it lacks: of what receipts prove.
pub(super) fn make_ready(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    history: Option<&History>,
) -> Result<(), WorkflowError> {
    may_write(environment, history)?;
    let has_row = |migration: &MigrationId| {
        let mut rows = history.iter().flat_map(|history| &history.rows);
        rows.any(|row| row.migration == *migration && row.is_applied())
    };
    let here = run.ledger.view().get(environment);
    let applied = here.iter().flat_map(|here| &here.applied);
    let mut missing: Vec<(u64, NewRow)> = applied
        .filter(|(migration, _)| !has_row(migration))
        .filter_map(|(migration, success)| Some((success.receipt.seq, row_of(migration, success)?)))
        .collect();
    missing.sort_by_key(|(seq, _)| *seq);
    let rows: Vec<NewRow> = missing.into_iter().map(|(_, row)| row).collect();
    if rows.is_empty() && history.is_some() {
        return Ok(());
    }
    target
        .keep_history(&rows)
        .map_err(|error| target_error(environment, error))?;
    if !rows.is_empty() {
        (run.events)(Event::WroteHistory {
            environment,
            rows: rows.len(),
        });
    }
    Ok(())
}

/// The row that a success should have beside it; `None` where nobody has its bytes.
fn row_of(migration: &MigrationId, success: &Success) -> Option<NewRow> {
    let ran = success.kind.is_evidence();
    Some(NewRow {
        id: id_of(success.attempt, ran),
        migration: migration.clone(),
        checksum: success.sha256?,
        started: success.at,
        replaces: Vec::new(),
        end: if ran {
            RowEnd::SucceededAt(success.at)
        } else {
            RowEnd::SaidApplied
        },
    })
}

/// The row of an attempt that failed, with what is left of it.
pub(super) fn failed_row(
    attempt: AttemptId,
    migration: &MigrationId,
    sha256: Sha256,
    begun: Timestamp,
    left: Option<Progress>,
    said: &str,
) -> NewRow {
    let left = match left {
        None => NOTHING.to_owned(),
        Some(Progress { done, of }) => format!("{done} of {of} statements stand"),
    };
    NewRow::failed(
        attempt,
        migration,
        sha256,
        begun,
        &format!("{left}\n{said}"),
    )
}

/// Whether Prisma migrated what a target holds now.
pub(super) fn has_rows(survey: &Survey) -> bool {
    survey
        .history
        .as_ref()
        .is_some_and(|history| history.rows.iter().any(|row| row.is_applied()))
}
