//! A saved plan: everything that a release manager says yes to, in one file that can be read, reviewed and
//! held to. Pure: bytes in, bytes out.
//!
//! The file is JSON with two spaces, exactly as [`SavedPlan::render`] writes it. Its id is a BLAKE3 of its
//! content without the id, in [`SAVED_PLAN_CONTEXT`]. Reading checks both: whatever was altered, a value, a
//! space, the order of two keys or a key that stands twice, it is no longer that plan. Whoever makes a file
//! with another id has made another plan: what it says is then held against the target and the files, and
//! nobody approved it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Answer, Finding, Plan, State};
use crate::digest::{ChainHash, Checksum, SAVED_PLAN_CONTEXT, Sha256};
use crate::model::entry::{ReceiptRef, TargetIdentity};
use crate::model::{
    Actor, EnvironmentName, GitState, MigrationId, ReceiptKind, Release, Timestamp, Waiver,
    WriterId,
};

/// The name and version of the format.
pub const SCHEMA: &str = "tollgate/saved-plan/v1";

/// The most bytes that are read as a saved plan.
pub const MOST_BYTES: u64 = 64 << 20;

/// A plan, saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    /// [`SCHEMA`].
    pub schema: String,
    /// A digest of all the rest.
    pub id: ChainHash,
    /// What it says.
    pub content: Content,
}

/// What a saved plan says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The plan's own id, as `plan` prints it.
    pub plan: ChainHash,
    /// Where to.
    pub environment: EnvironmentName,
    /// When it was made.
    pub made: Timestamp,
    /// Who made it.
    pub by: Actor,
    /// The tool and its version.
    pub tool: String,
    /// The state of the work tree that it was made from; `None` outside a git repository, and before
    /// its first commit.
    pub git: Option<GitState>,
    /// The first instant at which it no longer counts; `None`: as long as its premises hold.
    pub expires: Option<Timestamp>,
    /// The change that it belongs to, in somebody's own words: `CHG-123`.
    pub change: Option<String>,
    /// The target that it was made for; `None` where nobody had met it.
    pub target: Option<TargetIdentity>,
    /// The newest receipt of a change of that target; `None` where nothing had run there.
    pub head: Option<ReceiptRef>,
    /// What the policy asks there.
    pub policy: SavedPolicy,
    /// The steps, in order.
    pub steps: Vec<SavedStep>,
    /// What every gate said.
    pub gates: Vec<SavedAnswer>,
    /// The waivers that it stands on.
    pub waivers: Vec<Waiver>,
}

/// The policy that a plan was made under.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedPolicy {
    /// The digest of the whole policy.
    pub digest: ChainHash,
    /// What it says of the environment, a word each: as `Policy::words` tells it.
    pub words: BTreeMap<String, String>,
}

/// One step of a saved plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedStep {
    /// The migration.
    pub migration: MigrationId,
    /// BLAKE3 of the script.
    pub checksum: Checksum,
    /// SHA-256 of the script.
    pub sha256: Sha256,
    /// How it will run.
    pub kind: ReceiptKind,
    /// How many statements stood already.
    pub standing: u64,
    /// What a reader should know of it, line by line.
    pub notes: Vec<String>,
    /// What it destroys, says that it may, may fail on and locks.
    pub does: Vec<SavedDeed>,
    /// Where these bytes succeeded before.
    pub proofs: Vec<SavedProof>,
    /// Who wrote it, as git tells: the authors of the commits that touched its folder.
    pub authors: Vec<String>,
    /// The script itself.
    pub script: String,
    /// Its prepared reversal, where there is one.
    pub down: Option<SavedDown>,
}

/// One thing that a step does and that is worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedDeed {
    /// `destroys`, `accepted`, `may fail` or `locks`.
    pub kind: String,
    /// What, with its line.
    pub what: String,
}

/// The reversal of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedDown {
    /// BLAKE3 of it.
    pub checksum: Checksum,
    /// The script itself.
    pub script: String,
}

/// A success that a step stands on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedProof {
    /// Where.
    pub environment: EnvironmentName,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: Actor,
    /// Its receipt.
    pub receipt: ReceiptRef,
    /// The ledger that applied.
    pub writer: WriterId,
}

/// What one gate said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SavedAnswer {
    /// The gate, by its word.
    pub gate: String,
    /// The migration; `None`: of the whole environment.
    pub migration: Option<MigrationId>,
    /// `met`, `warned`, `waived`, `refused` or `not-asked`.
    pub state: String,
    /// How, line by line.
    pub how: Vec<String>,
}

/// Why some bytes are no saved plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SavedError {
    /// They are not one at all: why.
    NotOne(String),
    /// They were one, and were altered: the id that they name.
    Altered(ChainHash),
    /// They are one of a later version.
    Newer(String),
    /// There are more of them than [`MOST_BYTES`]: they were not read.
    TooLarge,
}

impl fmt::Display for SavedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOne(why) => write!(f, "it is no saved plan: {why}"),
            Self::Altered(_) => f.write_str(
                "it was altered after it was made: its id is not the digest of its bytes",
            ),
            Self::Newer(schema) => write!(f, "it is of another version, {}", cut(schema)),
            Self::TooLarge => write!(
                f,
                "it is larger than any saved plan may be, {} MiB",
                MOST_BYTES >> 20
            ),
        }
    }
}

impl std::error::Error for SavedError {}

/// What is known of a plan beside the plan.
#[derive(Debug, Clone)]
pub struct Around {
    /// When it is made.
    pub made: Timestamp,
    /// Who makes it.
    pub by: Actor,
    /// The tool and its version.
    pub tool: String,
    /// The state of the work tree.
    pub git: Option<GitState>,
    /// The first instant at which it no longer counts.
    pub expires: Option<Timestamp>,
    /// The change that it belongs to.
    pub change: Option<String>,
    /// The newest receipt of a change of the target.
    pub head: Option<ReceiptRef>,
    /// The policy.
    pub policy: SavedPolicy,
    /// Who wrote each step, beside the plan's steps.
    pub authors: Vec<Vec<String>>,
    /// What each step does, beside them.
    pub does: Vec<Vec<SavedDeed>>,
}

impl SavedPlan {
    /// Saves a plan. `scripts` beside its steps: the script, and the reversal where there is one.
    #[must_use]
    pub fn of(
        plan: &Plan,
        answers: &[Answer],
        scripts: &[(&str, Option<(Checksum, &str)>)],
        around: Around,
    ) -> Self {
        let beside = around.authors.into_iter().zip(around.does);
        let steps = plan.steps.iter().zip(scripts).zip(beside);
        let steps = steps.map(|((step, (script, down)), (authors, does))| SavedStep {
            migration: step.migration.clone(),
            checksum: step.checksum,
            sha256: step.sha256,
            kind: step.kind,
            standing: step.done,
            notes: step.notes.clone(),
            does,
            proofs: step
                .proofs
                .iter()
                .map(|proof| SavedProof {
                    environment: proof.environment.clone(),
                    at: proof.at,
                    by: proof.by.clone(),
                    receipt: proof.receipt,
                    writer: proof.writer,
                })
                .collect(),
            authors,
            script: (*script).to_owned(),
            down: down.map(|(checksum, script)| SavedDown {
                checksum,
                script: script.to_owned(),
            }),
        });
        // What only warns and is no gate's own is told beside them.
        let of_no_gate = plan.warnings.iter().filter(|warning| {
            let mut gates = answers.iter().map(|answer| answer.gate);
            !gates.any(|gate| gate == warning.gate)
        });
        let of_no_gate: Vec<Answer> = of_no_gate
            .map(|warning| Answer {
                gate: warning.gate,
                migration: warning.migration.clone(),
                state: State::Warned(warning.clone()),
            })
            .collect();
        let gates = answers.iter().chain(&of_no_gate).map(SavedAnswer::of);
        let content = Content {
            plan: plan.id,
            environment: plan.environment.clone(),
            made: around.made,
            by: around.by,
            tool: around.tool,
            git: around.git,
            expires: around.expires,
            change: around.change,
            target: plan.target.clone(),
            head: around.head,
            policy: around.policy,
            steps: steps.collect(),
            gates: gates.collect(),
            waivers: plan.waived.iter().map(|it| it.waiver.clone()).collect(),
        };
        Self {
            schema: SCHEMA.to_owned(),
            id: content.id(),
            content,
        }
    }

    /// The file's bytes.
    #[must_use]
    pub fn render(&self) -> String {
        // Plain data into memory cannot fail; an empty text would be refused when it is read.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`SavedError`]: they are not one, or not unaltered.
    pub fn read(bytes: &[u8]) -> Result<Self, SavedError> {
        let text = std::str::from_utf8(bytes)
            .map_err(|_| SavedError::NotOne("its text is not UTF-8".to_owned()))?;
        let head: Head = serde_json::from_str(text).map_err(not_one)?;
        if head.schema != SCHEMA {
            return Err(match head.schema.starts_with("tollgate/saved-plan/") {
                true => SavedError::Newer(head.schema),
                false => SavedError::NotOne(format!("it calls itself {:?}", cut(&head.schema))),
            });
        }
        let saved: Self = serde_json::from_str(text).map_err(not_one)?;
        if saved.content.id() != saved.id || saved.render() != text {
            return Err(SavedError::Altered(saved.id));
        }
        // A digest keeps nobody from making another file with another id.
        match saved.content.fault() {
            None => Ok(saved),
            Some(fault) => Err(SavedError::NotOne(cut(&fault))),
        }
    }

    /// What an attempt under it carries of it.
    #[must_use]
    pub fn release(&self) -> Release {
        Release {
            id: self.id,
            change: self.content.change.clone(),
            approvals: Vec::new(),
        }
    }

    /// The last of its steps; `None` where it has none.
    #[must_use]
    pub fn last(&self) -> Option<&MigrationId> {
        self.content.steps.last().map(|step| &step.migration)
    }
}

/// What is read first: of a later version the rest may have another form.
#[derive(Deserialize)]
struct Head {
    schema: String,
}

fn not_one(error: serde_json::Error) -> SavedError {
    SavedError::NotOne(cut(&error.to_string()))
}

/// Texts of somebody else's file may be as long as the file.
fn cut(text: &str) -> String {
    match text.char_indices().nth(160) {
        Some((at, _)) => format!("{}...", &text[..at]),
        None => text.to_owned(),
    }
}

impl Content {
    fn id(&self) -> ChainHash {
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        ChainHash::of(SAVED_PLAN_CONTEXT, &bytes)
    }

    /// What no plan of this program's says.
    fn fault(&self) -> Option<String> {
        if self.steps.is_empty() {
            return Some("it has no step".to_owned());
        }
        let mut pairs = self.steps.iter().zip(self.steps.iter().skip(1));
        if pairs.any(|(one, next)| one.migration >= next.migration) {
            return Some("its steps are not in their order".to_owned());
        }
        self.steps.iter().find_map(|step| {
            let script = step.script.as_bytes();
            let down = step.down.as_ref();
            let is_sound = Checksum::of(script) == step.checksum
                && Sha256::of(script) == step.sha256
                && down.is_none_or(|down| Checksum::of(down.script.as_bytes()) == down.checksum);
            (!is_sound).then(|| {
                format!(
                    "a script of {} has not the checksum that it names",
                    step.migration
                )
            })
        })
    }
}

impl SavedAnswer {
    fn of(answer: &Answer) -> Self {
        let lines = |finding: &Finding| {
            std::iter::once(finding.fact.clone())
                .chain(finding.found.iter().cloned())
                .collect()
        };
        Self {
            gate: answer.gate.as_str().to_owned(),
            migration: answer.migration.clone(),
            state: answer.state.as_str().to_owned(),
            how: match &answer.state {
                State::Met(how) => how.clone(),
                State::NotAsked => Vec::new(),
                State::Warned(finding) | State::Refused(finding) => lines(finding),
                State::Waived(waived) => {
                    let waiver = &waived.waiver;
                    std::iter::once(format!(
                        "waived by {} {}: {}",
                        waiver.actor,
                        waiver.at.minute(),
                        waiver.reason
                    ))
                    .chain(lines(&waived.finding))
                    .collect()
                }
            },
        }
    }
}
