//! The entry: one fact in a ledger.

use serde::{Deserialize, Serialize};

use super::{
    AttemptId, EnvironmentName, IncarnationId, MigrationId, ReceiptKind, Timestamp, WriterId,
};
use crate::digest::{ChainHash, Checksum, ENTRY_CONTEXT, Sha256};

/// Who acted, by the name that the machine or the CI system gave: recorded, not proven.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Actor(pub String);

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a command was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Origin {
    /// In a person's shell.
    Person {
        /// The machine's name, where it has one.
        host: Option<String>,
    },
    /// In a CI run, recognised by the variables that the system sets.
    Ci {
        /// `github`, `gitlab`, `buildkite`, `circleci`, `jenkins`, `azure`, `bitbucket` or `unknown`.
        system: String,
        /// The run's address or number, where the system tells.
        run: Option<String>,
    },
}

/// The state of the git work tree when the command was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitState {
    /// The full name of the commit at HEAD.
    pub commit: String,
    /// Whether `git status --porcelain` printed anything.
    pub dirty: bool,
}

/// Who did something, from where, with what: the part of an entry that is the same for a whole run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// Who.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
    /// The work tree; `None` outside a git repository.
    pub git: Option<GitState>,
    /// The tool and its version.
    pub tool: String,
}

/// One entry, format version 1. The exact bytes are stored and hashed; see `docs/LEDGER.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The ledger that wrote this.
    pub writer: WriterId,
    /// The entry's place in that writer's chain, from 1, without gaps.
    pub number: u64,
    /// The hash of the writer's entry before this one; `None` for the first.
    pub prev: Option<ChainHash>,
    /// The writer's clock.
    pub at: Timestamp,
    /// Who, from where, with what.
    pub by: Provenance,
    /// What happened.
    pub fact: Fact,
}

/// The version of the entry format that this tool writes and reads.
pub const ENTRY_VERSION: u32 = 1;

/// The fields of an entry in the order in which they are written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    v: u32,
    writer: WriterId,
    number: u64,
    prev: Option<ChainHash>,
    at: Timestamp,
    actor: Actor,
    origin: Origin,
    git: Option<GitState>,
    tool: String,
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    payload: std::borrow::Cow<'a, serde_json::value::RawValue>,
}

impl Entry {
    /// The exact bytes that are hashed and stored: one line of compact JSON.
    ///
    /// # Errors
    /// Never for an entry built from these types; the error type is serde's.
    pub fn to_body(&self) -> Result<String, serde_json::Error> {
        let payload = self.fact.payload()?;
        serde_json::to_string(&Wire {
            v: ENTRY_VERSION,
            writer: self.writer,
            number: self.number,
            prev: self.prev,
            at: self.at,
            actor: self.by.actor.clone(),
            origin: self.by.origin.clone(),
            git: self.by.git.clone(),
            tool: self.by.tool.clone(),
            kind: self.fact.kind().into(),
            payload: std::borrow::Cow::Owned(payload),
        })
    }

    /// Reads the exact bytes of an entry.
    ///
    /// # Errors
    /// A sentence that says what is wrong: not JSON of this shape, another version, a kind or a
    /// field that this version does not have.
    pub fn from_body(body: &str) -> Result<Self, String> {
        let wire: Wire<'_> = serde_json::from_str(body).map_err(|error| error.to_string())?;
        if wire.v != ENTRY_VERSION {
            return Err(format!(
                "its format is version {}, and this tool reads {ENTRY_VERSION}",
                wire.v
            ));
        }
        Ok(Self {
            writer: wire.writer,
            number: wire.number,
            prev: wire.prev,
            at: wire.at,
            fact: Fact::read(&wire.kind, wire.payload.get())?,
            by: Provenance {
                actor: wire.actor,
                origin: wire.origin,
                git: wire.git,
                tool: wire.tool,
            },
        })
    }

    /// The hash of a body: [`ENTRY_CONTEXT`] over its exact bytes.
    #[must_use]
    pub fn hash_of(body: &[u8]) -> ChainHash {
        ChainHash::of(ENTRY_CONTEXT, body)
    }
}

/// What happened: `kind` and `payload` of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The first entry of every writer.
    Opened(Opened),
    /// An environment was tied to a target.
    Bound(Bound),
    /// An attempt is about to be sent to a target.
    Intent(Intent),
    /// An attempt ended, or was settled.
    Outcome(Outcome),
    /// A receipt stood in a target and the ledger lacked it.
    Absorbed(Absorbed),
    /// A verb that acts was refused.
    Refused(Refused),
    /// A person settled what no receipt could.
    Resolved(Resolved),
    /// The chain that this ledger holds environments to from here on.
    Chained(Chained),
}

impl Fact {
    /// The word that stands as `kind` in the entry.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Opened(_) => "opened",
            Self::Bound(_) => "bound",
            Self::Intent(_) => "intent",
            Self::Outcome(_) => "outcome",
            Self::Absorbed(_) => "absorbed",
            Self::Refused(_) => "refused",
            Self::Resolved(_) => "resolved",
            Self::Chained(_) => "chained",
        }
    }

    fn payload(&self) -> Result<Box<serde_json::value::RawValue>, serde_json::Error> {
        use serde_json::value::to_raw_value;
        match self {
            Self::Opened(payload) => to_raw_value(payload),
            Self::Bound(payload) => to_raw_value(payload),
            Self::Intent(payload) => to_raw_value(payload),
            Self::Outcome(payload) => to_raw_value(payload),
            Self::Absorbed(payload) => to_raw_value(payload),
            Self::Refused(payload) => to_raw_value(payload),
            Self::Resolved(payload) => to_raw_value(payload),
            Self::Chained(payload) => to_raw_value(payload),
        }
    }

    fn read(kind: &str, payload: &str) -> Result<Self, String> {
        fn parse<'a, T: Deserialize<'a>>(payload: &'a str) -> Result<T, String> {
            serde_json::from_str(payload).map_err(|error| error.to_string())
        }
        Ok(match kind {
            "opened" => Self::Opened(parse(payload)?),
            "bound" => Self::Bound(parse(payload)?),
            "intent" => Self::Intent(parse(payload)?),
            "outcome" => Self::Outcome(parse(payload)?),
            "absorbed" => Self::Absorbed(parse(payload)?),
            "refused" => Self::Refused(parse(payload)?),
            "resolved" => Self::Resolved(parse(payload)?),
            "chained" => Self::Chained(parse(payload)?),
            other => {
                return Err(format!(
                    "its kind is {other:?}, which this tool does not know"
                ));
            }
        })
    }
}

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
}

/// How a contact found out, under the lock, how an attempt had ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// Its receipt stood in the target.
    Receipt,
    /// It had neither a receipt nor anything in the journal that could stand: nothing of it does.
    NoTrace,
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
