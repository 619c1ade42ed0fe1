//! The receipt: the row in the target which proves that a migration ran there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Actor, AttemptId, Debt, EnvironmentName, IncarnationId, MigrationId, Origin, RehearsedDown,
    Release, Timestamp, Waiver, WriterId,
};
use crate::digest::{ChainHash, Checksum, RECEIPT_CONTEXT, Sha256};

/// How a receipt came to stand beside the work. See [`ReceiptKind::is_evidence`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptKind {
    /// Written in the very transaction that the migration ran in: both are there, or neither is.
    Atomic,
    /// Closed after the last statement of a script that cannot be wrapped in one transaction.
    Journalled,
    /// Written on a person's word that the migration stands (`resolve --applied`). It counts as
    /// applied there, and never as evidence.
    Resolved,
    /// Prisma ran it, and its row names exactly these bytes. Read in the target by tollgate, and
    /// evidence there.
    Prisma,
    /// It was there before tollgate came, without proof of its bytes: applied, and never evidence.
    Baselined,
    /// Its reversal was rehearsed there, and passed or not. It says nothing of what is applied.
    Rehearsed,
    /// Its `down.sql` ran there, in one transaction with this: it is no longer applied. What it proved
    /// before, it proves still.
    Undone,
}

impl ReceiptKind {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Atomic => "atomic",
            Self::Journalled => "journalled",
            Self::Resolved => "resolved",
            Self::Prisma => "prisma",
            Self::Baselined => "baselined",
            Self::Rehearsed => "rehearsed",
            Self::Undone => "undone",
        }
    }

    /// Whether it, and what it tells of, are one transaction: both are there, or neither is.
    #[must_use]
    pub const fn is_atomic(self) -> bool {
        matches!(self, Self::Atomic | Self::Undone)
    }

    /// Whether it proves that the bytes that it names ran and succeeded there.
    #[must_use]
    pub const fn is_evidence(self) -> bool {
        match self {
            Self::Atomic | Self::Journalled | Self::Prisma => true,
            Self::Resolved | Self::Baselined | Self::Rehearsed | Self::Undone => false,
        }
    }
}

/// What a receipt says, format version 1. Every value is known to the client before the script
/// runs; what only the server knows (its clock, its role) stands beside the receipt, not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receipt {
    /// The format's version: 1.
    pub v: u32,
    /// The receipt's place in its target, from 1, without gaps.
    pub seq: u64,
    /// The hash of the receipt before it; `None` for the first.
    pub prev: Option<ChainHash>,
    /// Which life of which target this stands in.
    pub target: IncarnationId,
    /// The environment that the target was bound to.
    pub environment: EnvironmentName,
    /// How it came to stand there.
    pub kind: ReceiptKind,
    /// The attempt that this closes.
    pub attempt: AttemptId,
    /// The migration that ran.
    pub migration: MigrationId,
    /// BLAKE3 of the bytes that ran; of a `baselined` one the bytes that a person accepted in their
    /// place, or `None` where its folder was gone.
    pub blake3: Option<Checksum>,
    /// SHA-256 of the same bytes; of a `baselined` one without a folder what Prisma's row names, where
    /// that is a SHA-256.
    pub sha256: Option<Sha256>,
    /// The ledger that wrote the intent.
    pub writer: WriterId,
    /// The number of the intent's entry in that ledger.
    pub number: u64,
    /// The hash of the intent's entry: the writer's head when the script was sent.
    pub head: ChainHash,
    /// The id of the plan that this was a step of.
    pub plan: ChainHash,
    /// The client's clock when the intent was written.
    pub at: Timestamp,
    /// Who applied.
    pub actor: Actor,
    /// From where: a person's shell or a CI run.
    pub origin: Origin,
    /// The tool that applied: `tollgate 0.1.0`.
    pub tool: String,
    /// Gates that were waived for this step.
    pub waivers: Vec<Waiver>,
    /// What is owed for this step, because it ran through broken glass: it is then no evidence of anything.
    pub debts: Vec<Debt>,
    /// Whether the environment stood outside the chain: the receipt is then no evidence.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preview: bool,
    /// The successes in earlier environments that this step stood on: so whoever reads this target learns of
    /// them, although the targets where they happened may be somebody's own, or gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proofs: Vec<EarlierSuccess>,
    /// Of a `rehearsed` one: which reversal, and how. `None` in every other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<RehearsedDown>,
    /// Of an `undone` one: the `down.sql` that ran. `None` in every other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone: Option<DownBytes>,
    /// The saved plan that it ran under; `None` where it ran by a plan of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// The digest of the policy that it came under; `None` of one from before that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<ChainHash>,
}

/// The bytes of a `down.sql`, by their digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DownBytes {
    /// BLAKE3.
    pub blake3: Checksum,
    /// SHA-256.
    pub sha256: Sha256,
}

/// A success in an earlier environment, as a receipt tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierSuccess {
    /// Where.
    pub environment: EnvironmentName,
    /// The place of its own receipt there.
    pub seq: u64,
    /// The hash of its own receipt.
    pub hash: ChainHash,
    /// Its kind.
    pub kind: ReceiptKind,
    /// The ledger that applied.
    pub writer: WriterId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// The rehearsal there of these bytes and of the `down.sql` that stood beside them when this step ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<EarlierRehearsal>,
    /// Gates that were waived for it there: they are shown with it for ever.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
}

/// A rehearsal in an earlier environment, as a receipt tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EarlierRehearsal {
    /// Which reversal, and how.
    pub down: RehearsedDown,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
}

impl Receipt {
    /// Whether it proves that the bytes that it names succeeded in its environment, on the ordinary way.
    #[must_use]
    pub const fn is_evidence(&self) -> bool {
        self.kind.is_evidence() && !self.preview && self.debts.is_empty()
    }

    /// The exact bytes that are hashed and stored: one line of compact JSON, fields in the order of
    /// this struct.
    ///
    /// # Errors
    /// Never for a receipt built from these types; the error type is serde's.
    pub fn to_body(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// The receipt as it is written into a target.
    ///
    /// # Errors
    /// As [`Self::to_body`].
    pub fn stored(&self) -> Result<StoredReceipt, serde_json::Error> {
        let body = self.to_body()?;
        Ok(StoredReceipt {
            seq: self.seq,
            hash: Self::hash_of(&body).to_string(),
            body,
            recorded_at: None,
        })
    }

    /// The hash of a body: [`RECEIPT_CONTEXT`] over its exact bytes.
    #[must_use]
    pub fn hash_of(body: &str) -> ChainHash {
        ChainHash::of(RECEIPT_CONTEXT, body.as_bytes())
    }
}

/// A receipt as it stands in a target: the exact body, and what the target keeps beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredReceipt {
    /// The row's own number; must equal [`Receipt::seq`].
    pub seq: u64,
    /// The hash the row claims, as text, unchecked.
    pub hash: String,
    /// The exact bytes that were hashed.
    pub body: String,
    /// The database's own clock when it wrote the row, where it has one and was asked. Not hashed.
    pub recorded_at: Option<Timestamp>,
}

/// What is wrong with a target's chain of receipts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenReceipt {
    /// The place of the receipt in the chain.
    pub seq: u64,
    /// What was found, as a clause: "its body does not have the hash beside it".
    pub what: String,
}

/// Verifies a target's receipts from the first: each body has the hash beside it, is well formed,
/// stands in its place and names the one before it. Receipts of an earlier incarnation may stand
/// before those of this one: a copied target brings them along.
///
/// # Errors
/// The first receipt that does not hold, and why.
pub fn verify_chain(rows: &[StoredReceipt]) -> Result<Vec<(ChainHash, Receipt)>, BrokenReceipt> {
    let mut out: Vec<(ChainHash, Receipt)> = Vec::with_capacity(rows.len());
    for (row, place) in rows.iter().zip(1u64..) {
        let hash = in_place(row, place)?;
        let before = out.last().map(|(hash, _)| *hash);
        out.push((hash, sound(row, place, before)?));
    }
    Ok(out)
}

/// [`verify_chain`] for whoever knows some of them, by their places: of those only the hash is worked out
/// again, where the one before is known too. The same hash is the same bytes, and what they say was looked at when they were taken in.
///
/// # Errors
/// As [`verify_chain`].
pub fn verify_chain_beyond(
    rows: &[StoredReceipt],
    known: &BTreeMap<u64, ChainHash>,
) -> Result<Vec<(ChainHash, Option<Receipt>)>, BrokenReceipt> {
    let mut out: Vec<(ChainHash, Option<Receipt>)> = Vec::with_capacity(rows.len());
    for (row, place) in rows.iter().zip(1u64..) {
        let hash = in_place(row, place)?;
        let before = out.last().map(|(hash, _)| *hash);
        let is_known = |place: u64, hash| known.get(&place) == Some(&hash);
        let follows_a_known_one = before.is_none_or(|before| is_known(place - 1, before));
        let receipt = match is_known(place, hash) && follows_a_known_one {
            true => None,
            false => Some(sound(row, place, before)?),
        };
        out.push((hash, receipt));
    }
    Ok(out)
}

/// The hash of a row that stands in its place, and whose body has the hash beside it.
fn in_place(row: &StoredReceipt, place: u64) -> Result<ChainHash, BrokenReceipt> {
    let broken = |what: String| BrokenReceipt { seq: place, what };
    if row.seq != place {
        return Err(broken(format!("the row stands as number {}", row.seq)));
    }
    let hash = Receipt::hash_of(&row.body);
    if hash.to_string() != row.hash {
        return Err(broken(
            "its body does not have the hash beside it".to_owned(),
        ));
    }
    Ok(hash)
}

/// What the body says, where it is well formed, says the same place, and names the one `before` it.
fn sound(
    row: &StoredReceipt,
    place: u64,
    before: Option<ChainHash>,
) -> Result<Receipt, BrokenReceipt> {
    let broken = |what: String| BrokenReceipt { seq: place, what };
    let receipt: Receipt = serde_json::from_str(&row.body)
        .map_err(|error| broken(format!("its body cannot be read: {error}")))?;
    if receipt.v != 1 {
        return Err(broken(format!(
            "its format is version {}, and this tool reads 1",
            receipt.v
        )));
    }
    if receipt.seq != place {
        return Err(broken(format!(
            "its body says it is number {}",
            receipt.seq
        )));
    }
    if receipt.kind.is_evidence() && receipt.blake3.is_none() {
        return Err(broken("it proves a run and names no bytes".to_owned()));
    }
    let rehearsed = receipt.kind == ReceiptKind::Rehearsed;
    if rehearsed != receipt.rehearsal.is_some() || (rehearsed && receipt.blake3.is_none()) {
        return Err(broken(
            "it must name both scripts of a rehearsal if, and only if, it is of one".to_owned(),
        ));
    }
    let undone = receipt.kind == ReceiptKind::Undone;
    if undone != receipt.undone.is_some() || (undone && receipt.blake3.is_none()) {
        return Err(broken(
            "it must name both scripts of a reversal if, and only if, it is of one".to_owned(),
        ));
    }
    if receipt.prev != before {
        return Err(broken(
            "it does not follow the receipt before it".to_owned(),
        ));
    }
    Ok(receipt)
}
