//! One life of one target: what its receipts prove, and what became of the attempts at it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::applied::Applied;
use super::attempts::Attempts;
use crate::digest::{ChainHash, Checksum, Sha256};
use crate::model::entry::{
    BackedUp, Ending, Failure, How, Intent, Outcome, Progress, ReceiptRef, Resolved, Verdict,
};
use crate::model::{
    Actor, AttemptId, Debt, EarlierSuccess, EnvironmentName, MigrationId, Origin, Receipt,
    ReceiptKind, Release, Timestamp, Waiver, WriterId,
};

/// What the ledger knows of one life of one target: from when it was entered until it was emptied, or
/// another took its place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Life {
    /// What its receipts prove, by migration.
    pub applied: Applied,
    /// Attempts whose end is not known.
    pub open: BTreeMap<AttemptId, Attempted>,
    /// Attempts that failed and may have left something behind, until a person resolves them.
    pub partial: BTreeMap<AttemptId, Failed>,
    /// Migrations of which the first statements stand, and nothing else: the same bytes may be gone on
    /// with.
    pub standing: BTreeMap<MigrationId, Standing>,
    /// The newest attempt that failed and left nothing, of migrations that have not succeeded since.
    pub failed: BTreeMap<MigrationId, Failed>,
    /// Every attempt at it that the ledger knows of: begun here, or resolved here after another ledger
    /// had begun it.
    pub attempts: Attempts,
    /// The receipts that the ledger holds, by their number.
    pub receipts: BTreeMap<u64, ChainHash>,
    /// Backups of it, in the order of their entries.
    pub backups: Vec<Backup>,
    /// The newest look at its schema, by anyone.
    pub looked: Option<Looked>,
    /// The receipts among them that only tell of a rehearsal, and of no change.
    pub(super) rehearsed: BTreeSet<u64>,
    /// Of every migration that was undone, the newest receipt of that: what it proved before is no longer
    /// applied.
    pub undone: BTreeMap<MigrationId, ReceiptRef>,
    /// Attempts that were made under a saved plan, with its id.
    pub(super) released: BTreeMap<AttemptId, ChainHash>,
    /// Attempts that left a receipt: whatever else is said of them came too late.
    pub(super) ended: BTreeSet<AttemptId>,
    /// Receipts that stood there before it was put back to an earlier point. Whoever tells of one tells of
    /// the time before, whatever their clock says.
    pub(super) lost: BTreeSet<ChainHash>,
}

/// A migration that ran and succeeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Success {
    /// BLAKE3 of the bytes that ran; `None` where it was taken over and nobody has the bytes.
    pub checksum: Option<Checksum>,
    /// SHA-256 of the same bytes, as far as it is known.
    pub sha256: Option<Sha256>,
    /// When, by the applying client's clock.
    pub at: Timestamp,
    /// Who applied.
    pub by: Actor,
    /// From where.
    pub origin: Origin,
    /// How its receipt came to stand there.
    pub kind: ReceiptKind,
    /// BLAKE3 of the `down.sql` that stood beside the bytes that ran, where that is known.
    pub down: Option<Checksum>,
    /// The attempt.
    pub attempt: AttemptId,
    /// The receipt's place and hash.
    pub receipt: ReceiptRef,
    /// The ledger that applied.
    pub writer: WriterId,
    /// The environment whose target it ran in: another one's where the target is a copy.
    pub ran_in: EnvironmentName,
    /// Whether that stood outside the chain when it ran.
    pub preview: bool,
    /// The gates that were waived for it.
    pub waivers: Vec<Waiver>,
    /// The saved plan that it ran under; `None` where it ran by a plan of its own, or that is not told.
    pub release: Option<Release>,
    /// What was owed for it, where it ran through broken glass: it is then no evidence.
    pub debts: Vec<Debt>,
    /// The environment whose receipt tells of it, where no receipt and no entry of its own came here.
    pub told_by: Option<EnvironmentName>,
}

/// A backup of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// What is known of it.
    pub entry: BackedUp,
    /// Who made it, or gave a word for it.
    pub by: Actor,
    /// When the entry was written: it was complete then.
    pub at: Timestamp,
}

/// A look at a target's schema: `verify ENV`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// When.
    pub at: Timestamp,
    /// The number of the newest receipt that stood there; `None` where there was none.
    pub receipt: Option<u64>,
    /// How many objects were other than the newest run had left them; `None`: nothing to compare with.
    pub differences: Option<u64>,
}

/// An attempt that was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempted {
    /// What was to be done.
    pub intent: Intent,
    /// When the intent was written.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// From where.
    pub origin: Origin,
    /// The ledger that wrote the intent.
    pub writer: WriterId,
}

/// An attempt that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// The attempt.
    pub attempted: Attempted,
    /// When the failure was recorded.
    pub at: Timestamp,
    /// What the target said.
    pub error: Option<Failure>,
    /// How far a journalled attempt came; `None` for an atomic one.
    pub progress: Option<Progress>,
}

/// What stands for certain of a migration that was begun and did not end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The attempt that left it.
    pub attempt: AttemptId,
    /// BLAKE3 of the script of which it is a part.
    pub script: Checksum,
    /// How many of its statements stand, of how many.
    pub progress: Progress,
    /// When that was found out, or said.
    pub at: Timestamp,
    /// Why a person said so; `None` where the target's journal tells.
    pub reason: Option<String>,
}

/// What an attempt's end came to.
pub(super) enum Ended {
    /// It changes nothing, or nothing that counts as a failure.
    Nothing,
    /// It failed.
    Failed,
    /// It succeeded, which is yet to be [recorded](Life::record).
    Succeeded(Arc<Success>),
}

impl Success {
    /// Whether it proves that its bytes succeed where it ran: not on a person's word, outside the chain or
    /// through broken glass.
    #[must_use]
    pub const fn is_evidence(&self) -> bool {
        self.kind.is_evidence() && !self.preview && self.debts.is_empty()
    }

    /// The successes in earlier environments that a receipt tells of.
    pub(super) fn earlier(receipt: &Receipt) -> Vec<Self> {
        if !receipt.kind.is_evidence() || receipt.preview {
            return Vec::new();
        }
        let of = |proof: &EarlierSuccess| Self {
            checksum: receipt.blake3,
            sha256: receipt.sha256,
            at: proof.at,
            by: proof.actor.clone(),
            origin: receipt.origin.clone(),
            kind: proof.kind,
            down: None,
            attempt: receipt.attempt,
            receipt: ReceiptRef {
                seq: proof.seq,
                hash: proof.hash,
            },
            writer: proof.writer,
            ran_in: proof.environment.clone(),
            preview: false,
            waivers: proof.waivers.clone(),
            release: None,
            debts: Vec::new(),
            told_by: Some(receipt.environment.clone()),
        };
        receipt.proofs.iter().map(of).collect()
    }

    /// Whether the bytes that ran are known to be others than these.
    #[must_use]
    pub fn has_other_bytes(&self, checksum: Checksum, sha256: Sha256) -> bool {
        match (self.checksum, self.sha256) {
            (Some(ran), _) => ran != checksum,
            (None, Some(ran)) => ran != sha256,
            (None, None) => false,
        }
    }

    /// The checksum of the bytes that ran, for people.
    #[must_use]
    pub fn bytes(&self) -> String {
        self.checksum.map_or_else(
            || "bytes that nobody kept".to_owned(),
            |checksum| checksum.short(),
        )
    }
}

impl Life {
    /// BLAKE3 of the bytes of a migration that stand in the present target, whole or in part.
    #[must_use]
    pub fn bytes_of(&self, migration: &MigrationId) -> Option<Checksum> {
        let applied = self.applied.get(migration).and_then(|ran| ran.checksum);
        let standing = || Some(self.standing.get(migration)?.script);
        let mut partial = self
            .partial
            .values()
            .map(|failed| &failed.attempted.intent)
            .filter(|intent| intent.migration == *migration);
        applied
            .or_else(standing)
            .or_else(|| partial.next().map(|intent| intent.blake3))
    }

    /// The newest receipt of the present target that the ledger holds.
    #[must_use]
    pub fn head(&self) -> Option<ReceiptRef> {
        self.receipts
            .last_key_value()
            .map(|(seq, hash)| ReceiptRef {
                seq: *seq,
                hash: *hash,
            })
    }

    /// The newest receipt of a change: of the present target, and not of a rehearsal, which leaves nothing
    /// behind.
    #[must_use]
    pub fn last_change(&self) -> Option<ReceiptRef> {
        let mut changes = self.receipts.iter().rev();
        let (seq, hash) = changes.find(|(seq, _)| !self.rehearsed.contains(seq))?;
        Some(ReceiptRef {
            seq: *seq,
            hash: *hash,
        })
    }

    /// The receipts of changes that stand after another one, or all of them: by their places.
    pub fn changes_after(&self, head: Option<ReceiptRef>) -> impl Iterator<Item = ReceiptRef> {
        let after = head.map_or(0, |head| head.seq);
        let newer = self.receipts.range(after.saturating_add(1)..);
        newer
            .filter(|(seq, _)| !self.rehearsed.contains(seq))
            .map(|(seq, hash)| ReceiptRef {
                seq: *seq,
                hash: *hash,
            })
    }

    /// The saved plan that an attempt was made under; `None` where it was made by a plan of its own, or is
    /// not known.
    #[must_use]
    pub fn released_under(&self, attempt: AttemptId) -> Option<ChainHash> {
        self.released.get(&attempt).copied()
    }

    /// Whether an attempt has a receipt in the present target, as far as the ledger knows.
    #[must_use]
    pub fn has_succeeded(&self, attempt: AttemptId) -> bool {
        self.ended.contains(&attempt)
    }

    /// Whether a receipt stood there before the target was put back to an earlier point.
    #[must_use]
    pub fn has_lost(&self, receipt: ChainHash) -> bool {
        self.lost.contains(&receipt)
    }

    /// An attempt is begun once. Only where something of it is unsettled may its intent be repeated,
    /// before the receipt that it lacks is written.
    pub(super) fn check_intent(&self, intent: &Intent) -> Result<(), String> {
        let attempt = &intent.attempt;
        let unsettled = self.open.contains_key(attempt)
            || self.partial.contains_key(attempt)
            || self.standing.values().any(|left| left.attempt == *attempt);
        if self.attempts.contains(attempt) && !unsettled {
            return Err(format!("it begins attempt {attempt} a second time"));
        }
        Ok(())
    }

    pub(super) fn check_outcome(&self, outcome: &Outcome) -> Result<(), String> {
        let Some(begun) = self.open.get(&outcome.attempt) else {
            return Err(format!(
                "it ends attempt {}, which is not open",
                outcome.attempt
            ));
        };
        if begun.intent.migration != outcome.migration {
            return Err(format!(
                "it ends attempt {} as one of {}, and that was one of {}",
                outcome.attempt, outcome.migration, begun.intent.migration
            ));
        }
        Ok(())
    }

    pub(super) fn begin(&mut self, attempted: Attempted) {
        let attempt = attempted.intent.attempt;
        if let Some(release) = &attempted.intent.release {
            self.released.insert(attempt, release.id);
        }
        if self.check_intent(&attempted.intent).is_ok() && !self.ended.contains(&attempt) {
            self.attempts.insert(attempt);
            self.open.insert(attempt, attempted);
        }
    }

    /// Takes an attempt's end into account.
    pub(super) fn end(&mut self, outcome: &Outcome, at: Timestamp) -> Ended {
        if outcome.outcome == Ending::Unknown || self.check_outcome(outcome).is_err() {
            return Ended::Nothing;
        }
        let Some(attempted) = self.open.remove(&outcome.attempt) else {
            return Ended::Nothing;
        };
        if let Some(receipt) = outcome.receipt {
            let success = Success {
                checksum: Some(attempted.intent.blake3),
                sha256: Some(attempted.intent.sha256),
                at: attempted.at,
                by: attempted.by,
                origin: attempted.origin,
                kind: outcome.kind.unwrap_or(attempted.intent.receipt),
                down: attempted.intent.down.map(|down| down.blake3),
                attempt: outcome.attempt,
                receipt,
                writer: attempted.writer,
                ran_in: outcome.environment.clone(),
                preview: attempted.intent.preview,
                waivers: attempted.intent.waivers_shown(),
                release: attempted.intent.release,
                debts: attempted.intent.debt.into_iter().collect(),
                told_by: None,
            };
            return Ended::Succeeded(Arc::new(success));
        }
        // It is as pending as it was before.
        if outcome.how == Some(How::NotRun) {
            return Ended::Nothing;
        }
        // What an earlier attempt left stands on where this one left nothing of its own.
        if let Some(progress) = outcome.progress {
            self.standing.remove(&outcome.migration);
            if outcome.how == Some(How::Journal) {
                let standing = Standing {
                    attempt: outcome.attempt,
                    script: attempted.intent.blake3,
                    progress,
                    at,
                    reason: None,
                };
                self.standing.insert(outcome.migration.clone(), standing);
                return Ended::Nothing;
            }
        }
        // What was to be undone stands on: it did not fail.
        if outcome.progress.is_none() && attempted.intent.receipt == ReceiptKind::Undone {
            return Ended::Nothing;
        }
        let failed = Failed {
            at,
            error: outcome.error.clone(),
            progress: outcome.progress,
            attempted,
        };
        if outcome.progress.is_some() {
            self.partial.insert(outcome.attempt, failed);
        } else if !self.applied.contains_key(&outcome.migration) {
            self.failed.insert(outcome.migration.clone(), failed);
        }
        Ended::Failed
    }

    /// Takes the receipt of a rehearsal into account.
    pub(super) fn take_rehearsal(&mut self, seq: u64, hash: ChainHash) {
        if !self.lost.contains(&hash) {
            self.receipts.insert(seq, hash);
            self.rehearsed.insert(seq);
        }
    }

    /// Takes a receipt of a change of it into account; the success that it tells of is yet to be
    /// [recorded](Self::record).
    pub(super) fn receive(&mut self, receipt: Receipt, hash: ChainHash) -> Success {
        if let Some(release) = &receipt.release {
            self.released.insert(receipt.attempt, release.id);
        }
        let begun = self.open.remove(&receipt.attempt);
        self.partial.remove(&receipt.attempt);
        Success {
            checksum: receipt.blake3,
            sha256: receipt.sha256,
            at: receipt.at,
            by: receipt.actor,
            origin: receipt.origin,
            kind: receipt.kind,
            down: begun
                .and_then(|begun| begun.intent.down)
                .map(|down| down.blake3),
            attempt: receipt.attempt,
            receipt: ReceiptRef {
                seq: receipt.seq,
                hash,
            },
            writer: receipt.writer,
            ran_in: receipt.environment,
            preview: receipt.preview,
            waivers: receipt.waivers,
            release: receipt.release,
            debts: receipt.debts,
            told_by: None,
        }
    }

    pub(super) fn resolve(&mut self, resolved: &Resolved, at: Timestamp) {
        self.attempts.insert(resolved.attempt);
        self.open.remove(&resolved.attempt);
        self.partial.remove(&resolved.attempt);
        self.standing.remove(&resolved.migration);
        if let (Verdict::ContinueAt, Some(script), Some(progress)) =
            (resolved.verdict, resolved.script, resolved.progress)
            && !self.applied.contains_key(&resolved.migration)
        {
            let standing = Standing {
                attempt: resolved.attempt,
                script,
                progress,
                at,
                reason: Some(resolved.reason.clone()),
            };
            self.standing.insert(resolved.migration.clone(), standing);
        }
    }

    /// The target was put back to an earlier point: only its receipts, which are taken in next, tell what
    /// stands. What was half done may still do.
    pub(super) fn put_back(&mut self, lost: &[ChainHash]) {
        self.lost.extend(lost);
        self.applied.0.clear();
        self.failed.clear();
        self.receipts.clear();
        self.rehearsed.clear();
        self.undone.clear();
        self.ended.clear();
        // A backup that is of what was lost is a backup of another state.
        self.backups.retain(|backup| {
            let of = backup.entry.receipt;
            of.is_none_or(|of| !self.lost.contains(&of.hash))
        });
    }

    /// Takes a success into account.
    pub(super) fn record(&mut self, migration: &MigrationId, success: Arc<Success>) {
        if self.lost.contains(&success.receipt.hash) {
            return;
        }
        self.receipts
            .insert(success.receipt.seq, success.receipt.hash);
        self.ended.insert(success.attempt);
        // Whoever made it succeed took care of what an earlier attempt had left: under this ledger a
        // person had to resolve it first, and under another one its gates asked the same.
        self.partial
            .retain(|_, failed| failed.attempted.intent.migration != *migration);
        self.open.retain(|_, open| {
            open.intent.receipt.is_atomic() || open.intent.migration != *migration
        });
        self.failed.remove(migration);
        self.standing.remove(migration);
        // By the places of the receipts, whatever came first.
        let older = |ran: &Success| ran.receipt.seq <= success.receipt.seq;
        if success.kind == ReceiptKind::Undone {
            let newest = self.undone.get(migration);
            if newest.is_none_or(|known| known.seq < success.receipt.seq) {
                self.undone.insert(migration.clone(), success.receipt);
            }
            if self.applied.get(migration).is_some_and(older) {
                self.applied.0.remove(migration);
            }
            return;
        }
        let undone = self.undone.get(migration);
        if undone.is_some_and(|undone| undone.seq > success.receipt.seq) {
            return;
        }
        if self.applied.get(migration).is_none_or(older) {
            self.applied.0.insert(migration.clone(), success);
        }
    }
}
