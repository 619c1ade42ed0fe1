//! The entry: one fact in a ledger. What each kind of fact says is in `payload`.

mod payload;
mod quick;
mod reversing;

pub use payload::*;
pub(crate) use quick::Last;
pub use reversing::*;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Timestamp, WriterId};
use crate::digest::{ChainHash, ENTRY_CONTEXT};

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
    /// By Prisma, as its own table says. Only in receipts that were written of such a row.
    Prisma {
        /// The row's id.
        row: String,
        /// The row's checksum, as it stands there: SHA-256 of the script, or what somebody wrote by hand.
        checksum: String,
        /// When Prisma began, by its own clock.
        started: Timestamp,
        /// How many steps the row counts: 0 where `prisma migrate resolve --applied` wrote it, and
        /// nothing ran.
        steps: u32,
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
    /// The work tree; `None` outside a git repository, and before its first commit.
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
    /// Who, from where, with what: the same for a whole run, and shared by its entries.
    pub by: Arc<Provenance>,
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
        quick::read(body, &mut Last::default()).map_or_else(|| Self::from_other_body(body), Ok)
    }

    /// The same, of one after another.
    pub(crate) fn from_body_after(body: &str, last: &mut Last) -> Result<Self, String> {
        quick::read(body, last).map_or_else(|| Self::from_other_body(body), Ok)
    }

    /// The same for what does not stand as it is written: with blanks, in another order, or wrong.
    fn from_other_body(body: &str) -> Result<Self, String> {
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
            by: Arc::new(Provenance {
                actor: wire.actor,
                origin: wire.origin,
                git: wire.git,
                tool: wire.tool,
            }),
        })
    }

    /// Whether a body that cannot be read has the form of an entry, of a version or a kind that this one
    /// does not know.
    #[must_use]
    pub fn is_of_another_version(body: &str) -> bool {
        let wire: Result<Wire<'_>, _> = serde_json::from_str(body);
        wire.is_ok_and(|wire| {
            wire.v != ENTRY_VERSION
                || Fact::read(&wire.kind, wire.payload.get())
                    .is_err_and(|what| what.starts_with("its kind is"))
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
#[expect(
    clippy::large_enum_variant,
    reason = "facts are made and read one by one, never kept in numbers"
)]
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
    /// A history that tollgate did not make was found in a target, and is about to get its receipts.
    TakenIn(TakenIn),
    /// A person said which of two entries with one number is the writer's own.
    Believed(Believed),
    /// A target was compared with its receipts and with the schema that its newest run left.
    Verified(Verified),
    /// A migration's reversal was rehearsed.
    Rehearsed(Rehearsed),
    /// A backup was taken, or restored to see whether it is whole.
    BackedUp(BackedUp),
    /// A backup was restored into a new database.
    Restored(Restored),
    /// A migration was written that reverses another one.
    Reverted(Reverted),
    /// An emergency began: a migration is to be reversed in every environment, step by step.
    Emergency(Emergency),
    /// A person accepted what a gate refuses.
    Waived(Waived),
    /// A person said yes to a saved plan.
    Approved(Approved),
    /// What the policy asks of an environment changed.
    Policy(PolicySeen),
    /// A plan is about to run without the proof that its gates ask for.
    BrokeGlass(BrokeGlass),
    /// Somebody reviewed what was done through broken glass.
    PostReviewed(PostReviewed),
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
            Self::TakenIn(_) => "taken-in",
            Self::Believed(_) => "believed",
            Self::Verified(_) => "verified",
            Self::Rehearsed(_) => "rehearsed",
            Self::BackedUp(_) => "backed-up",
            Self::Restored(_) => "restored",
            Self::Reverted(_) => "reverted",
            Self::Emergency(_) => "emergency",
            Self::Waived(_) => "waived",
            Self::Approved(_) => "approved",
            Self::Policy(_) => "policy",
            Self::BrokeGlass(_) => "broke-glass",
            Self::PostReviewed(_) => "post-reviewed",
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
            Self::TakenIn(payload) => to_raw_value(payload),
            Self::Believed(payload) => to_raw_value(payload),
            Self::Verified(payload) => to_raw_value(payload),
            Self::Rehearsed(payload) => to_raw_value(payload),
            Self::BackedUp(payload) => to_raw_value(payload),
            Self::Restored(payload) => to_raw_value(payload),
            Self::Reverted(payload) => to_raw_value(payload),
            Self::Emergency(payload) => to_raw_value(payload),
            Self::Waived(payload) => to_raw_value(payload),
            Self::Approved(payload) => to_raw_value(payload),
            Self::Policy(payload) => to_raw_value(payload),
            Self::BrokeGlass(payload) => to_raw_value(payload),
            Self::PostReviewed(payload) => to_raw_value(payload),
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
            "taken-in" => Self::TakenIn(parse(payload)?),
            "believed" => Self::Believed(parse(payload)?),
            "verified" => Self::Verified(parse(payload)?),
            "rehearsed" => Self::Rehearsed(parse(payload)?),
            "backed-up" => Self::BackedUp(parse(payload)?),
            "restored" => Self::Restored(parse(payload)?),
            "reverted" => Self::Reverted(parse(payload)?),
            "emergency" => Self::Emergency(parse(payload)?),
            "waived" => Self::Waived(parse(payload)?),
            "approved" => Self::Approved(parse(payload)?),
            "policy" => Self::Policy(parse(payload)?),
            "broke-glass" => Self::BrokeGlass(parse(payload)?),
            "post-reviewed" => Self::PostReviewed(parse(payload)?),
            other => {
                return Err(format!(
                    "its kind is {other:?}, which this tool does not know"
                ));
            }
        })
    }
}
