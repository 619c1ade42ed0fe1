//! The state that the entries add up to: a pure fold, never stored.
//!
//! Two things are kept apart for each environment. What is **applied** is what the receipts of its
//! present target say; it is lost when the environment is bound to another target. What is
//! **promoted** is every success there ever was, by (migration, checksum); it is never lost.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::{ChainHash, Checksum, Sha256};
use crate::model::entry::{
    Absorbed, Ending, Failure, How, Intent, Outcome, Progress, ReceiptRef, TargetIdentity, Verdict,
};
use crate::model::{
    Actor, AttemptId, Entry, EnvironmentName, Fact, MigrationId, Origin, Receipt, ReceiptKind,
    Timestamp, WriterId,
};

/// What the ledger knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct View {
    environments: BTreeMap<EnvironmentName, EnvironmentView>,
    chain: Vec<EnvironmentName>,
}

/// What the ledger knows of one environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EnvironmentView {
    /// The target it is bound to; `None` before the first contact.
    pub target: Option<TargetIdentity>,
    /// What its present target's receipts prove, by migration.
    pub applied: BTreeMap<MigrationId, Success>,
    /// Every success there ever was, by migration and checksum: the evidence. The first one counts.
    pub evidence: BTreeMap<MigrationId, BTreeMap<Checksum, Success>>,
    /// Attempts whose end is not known.
    pub open: BTreeMap<AttemptId, Attempted>,
    /// Attempts that failed and may have left something behind, until a person resolves them.
    pub partial: BTreeMap<AttemptId, Failed>,
    /// Migrations of which the first statements stand, and nothing else: the same bytes may be gone on
    /// with.
    pub standing: BTreeMap<MigrationId, Standing>,
    /// The newest attempt that failed and left nothing, of migrations that have not succeeded since.
    pub failed: BTreeMap<MigrationId, Failed>,
    /// Every attempt at the present target that the ledger knows of: begun here, or resolved here
    /// after another ledger had begun it.
    pub attempts: BTreeSet<AttemptId>,
    /// The present target's receipts that the ledger holds, by their number.
    pub receipts: BTreeMap<u64, ChainHash>,
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
    /// The attempt.
    pub attempt: AttemptId,
    /// The receipt's place and hash.
    pub receipt: ReceiptRef,
    /// The ledger that applied.
    pub writer: WriterId,
    /// The environment whose target it ran in: another one's where the target is a copy.
    pub ran_in: EnvironmentName,
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

impl Success {
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

impl EnvironmentView {
    /// The success of exactly these bytes in this environment, at any time.
    #[must_use]
    pub fn evidence_of(&self, migration: &MigrationId, checksum: Checksum) -> Option<&Success> {
        self.evidence.get(migration)?.get(&checksum)
    }

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

    fn record(&mut self, migration: &MigrationId, success: Success, environment: &EnvironmentName) {
        self.receipts
            .insert(success.receipt.seq, success.receipt.hash);
        // Whoever made it succeed took care of what an earlier attempt had left: under this ledger a
        // person had to resolve it first, and under another one its gates asked the same.
        self.partial
            .retain(|_, failed| failed.attempted.intent.migration != *migration);
        self.open.retain(|_, open| {
            open.intent.receipt == ReceiptKind::Atomic || open.intent.migration != *migration
        });
        self.failed.remove(migration);
        self.standing.remove(migration);
        // A copied target brings the receipts of another environment along. They say what is
        // applied here, and are no evidence that this environment was passed. Nor is a person's word.
        let proves = success.ran_in == *environment && success.kind.is_evidence();
        if let Some(checksum) = success.checksum.filter(|_| proves) {
            let of_bytes = self.evidence.entry(migration.clone()).or_default();
            of_bytes.entry(checksum).or_insert_with(|| success.clone());
        }
        self.applied.insert(migration.clone(), success);
    }
}

impl View {
    /// What is known of an environment; `None` where no entry speaks of it.
    #[must_use]
    pub fn get(&self, name: &EnvironmentName) -> Option<&EnvironmentView> {
        self.environments.get(name)
    }

    /// The chain that the ledger holds environments to; empty before the first run.
    #[must_use]
    pub fn chain(&self) -> &[EnvironmentName] {
        &self.chain
    }

    /// Every environment that an entry speaks of, by name.
    pub fn environments(&self) -> impl Iterator<Item = (&EnvironmentName, &EnvironmentView)> {
        self.environments.iter()
    }

    /// Whether an entry may follow those before it.
    ///
    /// # Errors
    /// A clause that says how it contradicts them.
    pub fn check(&self, entry: &Entry) -> Result<(), String> {
        match &entry.fact {
            Fact::Outcome(outcome) => self.check_outcome(outcome),
            Fact::Intent(intent) => self.check_intent(intent),
            Fact::Absorbed(absorbed) => read_absorbed(absorbed).map(|_| ()),
            Fact::Resolved(resolved)
                if (resolved.verdict == Verdict::ContinueAt)
                    != (resolved.script.is_some() && resolved.progress.is_some()) =>
            {
                Err("it must name the script and how much of it stands if, and only if, it says continue-at".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// An attempt is begun once. Only where something of it is unsettled may its intent be repeated,
    /// before the receipt that it lacks is written.
    fn check_intent(&self, intent: &Intent) -> Result<(), String> {
        let Some(here) = self.get(&intent.environment) else {
            return Ok(());
        };
        let attempt = &intent.attempt;
        let unsettled = here.open.contains_key(attempt)
            || here.partial.contains_key(attempt)
            || here.standing.values().any(|left| left.attempt == *attempt);
        if here.attempts.contains(attempt) && !unsettled {
            return Err(format!("it begins attempt {attempt} a second time"));
        }
        Ok(())
    }

    fn check_outcome(&self, outcome: &Outcome) -> Result<(), String> {
        let begun = self
            .get(&outcome.environment)
            .and_then(|view| view.open.get(&outcome.attempt));
        let Some(begun) = begun else {
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
        if (outcome.outcome == Ending::Succeeded) != outcome.receipt.is_some() {
            return Err("it must name a receipt if, and only if, it says succeeded".to_owned());
        }
        Ok(())
    }

    /// Takes the next entry into account. An entry that [`View::check`] does not accept changes
    /// nothing.
    pub fn step(&mut self, entry: &Entry) {
        match &entry.fact {
            // What was taken in is told by its receipts.
            Fact::Opened(_) | Fact::Refused(_) | Fact::TakenIn(_) => {}
            Fact::Chained(chained) => self.chain.clone_from(&chained.environments),
            Fact::Bound(bound) => {
                let before = std::mem::take(self.entry(&bound.environment));
                // The same life, from an earlier point on: what was half done may still stand there.
                let same = before
                    .target
                    .as_ref()
                    .is_some_and(|target| target.incarnation == bound.target.incarnation);
                let kept = if same {
                    before.clone()
                } else {
                    EnvironmentView::default()
                };
                *self.entry(&bound.environment) = EnvironmentView {
                    target: Some(bound.target.clone()),
                    evidence: before.evidence,
                    open: kept.open,
                    partial: kept.partial,
                    standing: kept.standing,
                    attempts: kept.attempts,
                    ..EnvironmentView::default()
                };
            }
            Fact::Intent(intent) if self.check_intent(intent).is_err() => {}
            Fact::Intent(intent) => {
                let attempted = Attempted {
                    intent: intent.clone(),
                    at: entry.at,
                    by: entry.by.actor.clone(),
                    origin: entry.by.origin.clone(),
                    writer: entry.writer,
                };
                let view = self.entry(&intent.environment);
                view.attempts.insert(intent.attempt);
                view.open.insert(intent.attempt, attempted);
            }
            Fact::Outcome(outcome) => self.end(outcome, entry.at),
            Fact::Absorbed(absorbed) => {
                let Ok(receipt) = read_absorbed(absorbed) else {
                    return;
                };
                let view = self.entry(&absorbed.environment);
                view.open.remove(&receipt.attempt);
                view.partial.remove(&receipt.attempt);
                let success = Success {
                    checksum: receipt.blake3,
                    sha256: receipt.sha256,
                    at: receipt.at,
                    by: receipt.actor,
                    origin: receipt.origin,
                    kind: receipt.kind,
                    attempt: receipt.attempt,
                    receipt: ReceiptRef {
                        seq: receipt.seq,
                        hash: absorbed.hash,
                    },
                    writer: receipt.writer,
                    ran_in: receipt.environment,
                };
                view.record(&receipt.migration, success, &absorbed.environment);
            }
            Fact::Resolved(resolved) => {
                let view = self.entry(&resolved.environment);
                view.attempts.insert(resolved.attempt);
                view.open.remove(&resolved.attempt);
                view.partial.remove(&resolved.attempt);
                view.standing.remove(&resolved.migration);
                if let (Verdict::ContinueAt, Some(script), Some(progress)) =
                    (resolved.verdict, resolved.script, resolved.progress)
                {
                    let standing = Standing {
                        attempt: resolved.attempt,
                        script,
                        progress,
                        at: entry.at,
                        reason: Some(resolved.reason.clone()),
                    };
                    view.standing.insert(resolved.migration.clone(), standing);
                }
            }
        }
    }

    fn end(&mut self, outcome: &Outcome, at: Timestamp) {
        if outcome.outcome == Ending::Unknown || self.check_outcome(outcome).is_err() {
            return;
        }
        let view = self.entry(&outcome.environment);
        let Some(attempted) = view.open.remove(&outcome.attempt) else {
            return;
        };
        if let Some(receipt) = outcome.receipt {
            let success = Success {
                checksum: Some(attempted.intent.blake3),
                sha256: Some(attempted.intent.sha256),
                at: attempted.at,
                by: attempted.by,
                origin: attempted.origin,
                kind: outcome.kind.unwrap_or(attempted.intent.receipt),
                attempt: outcome.attempt,
                receipt,
                writer: attempted.writer,
                ran_in: outcome.environment.clone(),
            };
            view.record(&outcome.migration, success, &outcome.environment);
            return;
        }
        // What an earlier attempt left stands on where this one left nothing of its own.
        if let Some(progress) = outcome.progress {
            view.standing.remove(&outcome.migration);
            if outcome.how == Some(How::Journal) {
                let standing = Standing {
                    attempt: outcome.attempt,
                    script: attempted.intent.blake3,
                    progress,
                    at,
                    reason: None,
                };
                view.standing.insert(outcome.migration.clone(), standing);
                return;
            }
        }
        let failed = Failed {
            at,
            error: outcome.error.clone(),
            progress: outcome.progress,
            attempted,
        };
        if outcome.progress.is_some() {
            view.partial.insert(outcome.attempt, failed);
        } else {
            view.failed.insert(outcome.migration.clone(), failed);
        }
    }

    fn entry(&mut self, name: &EnvironmentName) -> &mut EnvironmentView {
        self.environments.entry(name.clone()).or_default()
    }
}

/// The receipt that an entry holds, if it has the hash that the entry names.
fn read_absorbed(absorbed: &Absorbed) -> Result<Receipt, String> {
    if Receipt::hash_of(&absorbed.body) != absorbed.hash {
        return Err("the receipt it holds does not have the hash it names".to_owned());
    }
    let receipt: Receipt = serde_json::from_str(&absorbed.body)
        .map_err(|error| format!("the receipt it holds cannot be read: {error}"))?;
    if receipt.v != 1 {
        return Err(format!(
            "the receipt it holds has format version {}, and this tool reads 1",
            receipt.v
        ));
    }
    Ok(receipt)
}
