//! What an entry says: the payload of each kind of fact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::digest::{ChainHash, Checksum, Sha256};
use crate::model::{
    Actor, AttemptId, DataMode, Debt, DownBytes, EnvironmentName, IncarnationId, IncidentName,
    MigrationId, ReceiptKind, Rehearsal, Release, Stage, Timestamp, Waiver, WriterId,
};

/// A writer begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// The head of the chain that this writer goes on from: set where the ledger was copied,
    /// restored or moved.
    pub after: Option<Head>,
}

/// The newest entry of a writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Whose.
    pub writer: WriterId,
    /// Its number.
    pub number: u64,
    /// Its hash.
    pub hash: ChainHash,
}

/// An environment was tied to a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bound {
    /// The environment.
    pub environment: EnvironmentName,
    /// The target.
    pub target: TargetIdentity,
    /// Why, where a person bound it again; `None` when it was bound at first contact.
    pub reason: Option<String>,
    /// The incarnation that this one takes the place of. The very same one where the target was put back
    /// to an earlier point: then what its receipts said before is no longer true of it. `None` where this
    /// ledger met the target for the first time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<IncarnationId>,
    /// Where it was put back: the receipts that were known to stand there, and do no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<ChainHash>,
}

/// What a target is known by. Compared: `incarnation`, `system` and `database`. Shown only: `name`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetIdentity {
    /// Drawn when tollgate first entered the target, kept there.
    pub incarnation: IncarnationId,
    /// `postgresql` or `sqlite`.
    pub engine: Engine,
    /// PostgreSQL: the cluster's system identifier, where the role may read it.
    pub system: Option<String>,
    /// PostgreSQL: the database's oid.
    pub database: Option<u32>,
    /// PostgreSQL: the database's name. SQLite: the file's name. Shown, never compared.
    pub name: String,
}

/// The kind of database that a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// PostgreSQL.
    Postgresql,
    /// SQLite.
    Sqlite,
}

impl Engine {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Postgresql => "postgresql",
            Self::Sqlite => "sqlite",
        }
    }
}

/// An attempt is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// The attempt.
    pub attempt: AttemptId,
    /// The environment.
    pub environment: EnvironmentName,
    /// The target's incarnation.
    pub target: IncarnationId,
    /// The migration.
    pub migration: MigrationId,
    /// BLAKE3 of its bytes.
    pub blake3: Checksum,
    /// SHA-256 of its bytes.
    pub sha256: Sha256,
    /// How it will run.
    pub receipt: ReceiptKind,
    /// The plan that this is a step of.
    pub plan: ChainHash,
    /// The first statement that is sent, where an earlier attempt's work stands and is continued;
    /// `None` where the script runs from its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// Whether the environment stood outside the chain: a success there is no evidence.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preview: bool,
    /// The `down.sql` that stood beside the script, or, of an attempt to undo, the one that is about to run.
    /// Its bytes are kept with this entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<DownBytes>,
    /// The waivers that the plan stands on: of the first step all of them, of each later one those that
    /// are shown with it. An intent that names one has spent it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
    /// The saved plan that it runs under; `None` where it ran by a plan of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<Release>,
    /// What is owed for it, where it runs through broken glass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debt: Option<Debt>,
    /// The digest of the policy that it was begun under; `None` of one from before that was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<ChainHash>,
    /// The attempt that it was queued behind, where several were sent at once: it stands only where that
    /// one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<AttemptId>,
}

impl Intent {
    /// The waivers that are shown with it: of the first step of a plan not all that it names.
    #[must_use]
    pub fn waivers_shown(&self) -> Vec<Waiver> {
        let shown = self.waivers.iter();
        shown
            .filter(|waiver| waiver.is_shown_with(&self.migration))
            .cloned()
            .collect()
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The receipt stands in the target.
    Succeeded,
    /// The target refused, or was found without a receipt under the lock.
    Failed,
    /// The client cannot tell; the next contact settles it from the receipt.
    Unknown,
}

/// An attempt ended, or was settled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// The attempt.
    pub attempt: AttemptId,
    /// The environment.
    pub environment: EnvironmentName,
    /// The migration.
    pub migration: MigrationId,
    /// How it ended.
    pub outcome: Ending,
    /// The receipt's place and hash, for a success.
    pub receipt: Option<ReceiptRef>,
    /// The receipt's kind, for a success: as it came out, which the intent could only expect.
    pub kind: Option<ReceiptKind>,
    /// Whether a later contact found this out from the receipts, under the lock.
    pub settled: bool,
    /// How far a journalled attempt came; `None` for an atomic one, of which nothing remains.
    pub progress: Option<Progress>,
    /// What the target said, for a failure.
    pub error: Option<Failure>,
    /// How a later contact found it out; `None` where it was seen as it happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub how: Option<How>,
    /// The database's own clock when it wrote the receipt; `None` without one, and of an embedded database,
    /// which has no clock of its own. It is not part of the receipt, and nothing rests on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<Timestamp>,
}

/// How a contact found out, under the lock, how an attempt had ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Its receipt stood in the target.
    Receipt,
    /// It had neither a receipt nor anything in the journal that could stand: nothing of it does.
    NoTrace,
    /// It was queued behind an attempt that has no receipt: it did not run.
    NotRun,
    /// The journal tells exactly which statements stand: `progress`.
    Journal,
    /// The journal tells that every statement stands; only the receipt was missing, and was written.
    JournalComplete,
}

/// A receipt's place in its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptRef {
    /// Its number.
    pub seq: u64,
    /// Its hash.
    pub hash: ChainHash,
}

/// How far a journalled attempt came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Statements that ended without an error.
    pub done: u64,
    /// Statements in the script; 1 where it could not be analysed and was sent whole.
    pub of: u64,
}

/// What a target said when a script failed. It may quote data; it never holds a connection setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// The message.
    pub message: String,
    /// PostgreSQL's five characters, or SQLite's extended result code as a name.
    pub code: Option<String>,
    /// The line in the script, from 1.
    pub line: Option<u64>,
}

/// A receipt stood in a target and the ledger lacked it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absorbed {
    /// The environment that was contacted.
    pub environment: EnvironmentName,
    /// The receipt's hash.
    pub hash: ChainHash,
    /// The receipt's exact body.
    pub body: String,
    /// The database's own clock when it wrote the receipt, as in [`Outcome::recorded_at`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded_at: Option<Timestamp>,
}

/// A verb that acts was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The verb.
    pub verb: String,
    /// The environment.
    pub environment: EnvironmentName,
    /// The plan's id.
    pub plan: ChainHash,
    /// Each gate that was not met, and its subject.
    pub gates: Vec<RefusedGate>,
}

/// One gate that was not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RefusedGate {
    /// The gate's name.
    pub gate: String,
    /// The migration, where the gate is about one.
    pub migration: Option<MigrationId>,
}

/// A person settled what no receipt could.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resolved {
    /// The attempt.
    pub attempt: AttemptId,
    /// The environment.
    pub environment: EnvironmentName,
    /// The migration.
    pub migration: MigrationId,
    /// What the person said.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
    /// For `continue-at`: BLAKE3 of the script of which a part stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<Checksum>,
    /// For `continue-at`: how many of its statements stand, of how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
}

/// The chain that this ledger holds environments to from here on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chained {
    /// The environments, in order.
    pub environments: Vec<EnvironmentName>,
    /// Why, where a person accepted that an environment no longer stands before another; `None`
    /// where the chain was new or only grew.
    pub reason: Option<String>,
    /// The environments of the chain as it was known that this one lacks, with that reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<EnvironmentName>,
    /// The entries that had said the chain before, as far as they were known: they add nothing to it any
    /// more, whatever their clocks say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub over: Vec<Place>,
}

/// The place of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// Whose.
    pub writer: WriterId,
    /// Its number.
    pub number: u64,
}

/// A history that tollgate did not make was found in a target: rows of Prisma's table, or tables that
/// a person says some migrations made. Their receipts name this entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TakenIn {
    /// The environment.
    pub environment: EnvironmentName,
    /// The target's incarnation.
    pub target: IncarnationId,
    /// What was found, in the order of the receipts.
    pub migrations: Vec<Found>,
    /// Why, where a person gave a word for what has no proof; `None` where every row proves itself.
    pub reason: Option<String>,
}

/// One migration of a history that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Found {
    /// The migration.
    pub migration: MigrationId,
    /// `prisma` or `baselined`.
    pub kind: ReceiptKind,
    /// What was found of it, as a clause: "Prisma's row names these very bytes".
    pub what: String,
}

/// A person said which of two entries with one number is the writer's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Believed {
    /// The writer of both.
    pub writer: WriterId,
    /// The number that they have.
    pub number: u64,
    /// The hash of the one that counts from here on, with what follows it.
    pub hash: ChainHash,
    /// Why.
    pub reason: String,
}

/// A target was looked at, and compared with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verified {
    /// The environment.
    pub environment: EnvironmentName,
    /// The target's incarnation.
    pub target: IncarnationId,
    /// The newest receipt that stood there; `None` where there was none.
    pub receipt: Option<ReceiptRef>,
    /// The digest of the schema as it stood.
    pub schema: ChainHash,
    /// The digest that the newest run had kept; `None` where none was kept.
    pub kept: Option<ChainHash>,
    /// How many objects were there, gone or other than the newest run had left them; `None` where there
    /// was nothing to compare with.
    pub differences: Option<u64>,
}

/// A migration's reversal was rehearsed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rehearsed {
    /// The rehearsal: the receipt that it leaves where it passed names the same.
    pub attempt: AttemptId,
    /// The environment.
    pub environment: EnvironmentName,
    /// The target's incarnation.
    pub target: IncarnationId,
    /// The newest receipt that stood there; `None` where there was none.
    pub receipt: Option<ReceiptRef>,
    /// The migration.
    pub migration: MigrationId,
    /// BLAKE3 of `migration.sql`.
    pub blake3: Checksum,
    /// SHA-256 of the same bytes.
    pub sha256: Sha256,
    /// BLAKE3 of `down.sql`.
    pub down_blake3: Checksum,
    /// SHA-256 of the same bytes.
    pub down_sha256: Sha256,
    /// How it came out.
    pub result: Rehearsal,
    /// Where it was held.
    pub stage: Stage,
    /// How closely the data was looked at.
    pub data: DataMode,
    /// How long others could have had to wait for its locks, in milliseconds; `None` on a scratch database.
    pub locked_ms: Option<u64>,
    /// What was lost or was not as it should be, one clause each; the first hundred.
    pub found: Vec<String>,
    /// Whether the environment stood outside the chain: it is then no evidence.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub preview: bool,
}

/// A backup of a target was taken, or restored to see whether it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackedUp {
    /// The environment.
    pub environment: EnvironmentName,
    /// The target's incarnation.
    pub target: IncarnationId,
    /// The newest receipt that stood there in the moment that it is of; `None` where there was none.
    pub receipt: Option<ReceiptRef>,
    /// The moment that it is of: when it was begun, or, of an attested one, when a person says so.
    pub taken: Timestamp,
    /// What was made.
    pub what: BackupKind,
}

/// What is known of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum BackupKind {
    /// A file of tollgate's making.
    File {
        /// The file's name in `state/backups/`.
        file: String,
        /// Its size in bytes.
        size: u64,
        /// BLAKE3 of its bytes.
        blake3: Checksum,
        /// SHA-256 of its bytes.
        sha256: Sha256,
        /// What wrote it: `pg_dump 15.18`, `sqlite 3.51.0`.
        made_by: String,
        /// Where it was restored and compared with its source.
        verified: Option<VerifiedBackup>,
        /// What a later look found wrong with it, as a clause; it then counts for nothing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bad: Option<String>,
    },
    /// Made elsewhere, on a person's word: not seen by tollgate.
    Attested {
        /// Where it is.
        place: String,
    },
}

/// A backup was restored into a scratch database and compared with its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifiedBackup {
    /// When.
    pub at: Timestamp,
    /// How closely the data was compared.
    pub data: DataMode,
    /// How many tables were compared.
    pub tables: u64,
    /// How many rows they have.
    pub rows: u64,
}

/// A backup was restored into a new database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restored {
    /// The environment that it is a backup of.
    pub environment: EnvironmentName,
    /// The incarnation of the target that it is a backup of.
    pub target: IncarnationId,
    /// The file's name.
    pub file: String,
    /// BLAKE3 of its bytes.
    pub blake3: Checksum,
    /// The name of the new database, or of the new file.
    pub into: String,
}

/// A person accepted what a gate refuses: one gate, one migration, one environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waived {
    /// The environment.
    pub environment: EnvironmentName,
    /// The gate, by its word.
    pub gate: String,
    /// The migration.
    pub migration: MigrationId,
    /// BLAKE3 of its `migration.sql` as it stood; of one whose folder is gone, of the bytes that ran. Of
    /// other bytes it says nothing.
    pub blake3: Checksum,
    /// BLAKE3 of its `down.sql` as it stood, where the gate is about that (`rehearsal`) and there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down: Option<Checksum>,
    /// Why.
    pub reason: String,
}

/// Glass is about to be broken: a plan runs although some of its gates are not met. Each of its steps says
/// what it owes for that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BrokeGlass {
    /// The environment.
    pub environment: EnvironmentName,
    /// The plan's id.
    pub plan: ChainHash,
    /// For which incident.
    pub incident: IncidentName,
    /// Why.
    pub reason: String,
    /// What is skipped.
    pub skipped: Vec<RefusedGate>,
    /// The steps, in order.
    pub migrations: Vec<MigrationId>,
    /// Until when somebody else has to review it.
    pub review_by: Timestamp,
}

/// Somebody looked at what was done through broken glass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostReviewed {
    /// The environment.
    pub environment: EnvironmentName,
    /// Which incident.
    pub incident: IncidentName,
    /// The attempts that were reviewed: of what comes later under the same incident it says nothing.
    pub attempts: Vec<AttemptId>,
    /// What was found.
    pub note: String,
}

/// A person read a saved plan and said yes to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approved {
    /// The environment that the plan is for.
    pub environment: EnvironmentName,
    /// The saved plan's id. Of another one it says nothing.
    pub plan: ChainHash,
    /// Who says yes, by the name that was given. Whose session it was typed in is the entry's actor.
    pub approver: Actor,
    /// What they had to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// What the policy asks of an environment was seen to be other than what was last known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PolicySeen {
    /// The environment.
    pub environment: EnvironmentName,
    /// The digest of the whole policy, as it is now.
    pub policy: ChainHash,
    /// What it asked, by the words of `tollgate.toml`; where nothing was known, what an environment in its
    /// place asks of which nothing is said.
    pub was: BTreeMap<String, String>,
    /// What it asks now.
    pub is: BTreeMap<String, String>,
}

/// What a person said of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Nothing of it stands in the target: it may run again.
    NotApplied,
    /// All of it stands: it counts as applied, and is no evidence.
    Applied,
    /// The first statements stand and nothing else of it: it may be continued.
    ContinueAt,
    /// Another ledger's attempt went on where this one stopped, and answers for what stands.
    Superseded,
}

impl Verdict {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotApplied => "not-applied",
            Self::Applied => "applied",
            Self::ContinueAt => "continue-at",
            Self::Superseded => "superseded",
        }
    }
}
