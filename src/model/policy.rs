//! The policy: the environments, their chain and what each requires. Read from `tollgate.toml` by `cli`.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU8;
use std::time::Duration;

use serde::Serialize;

use crate::digest::{ChainHash, POLICY_CONTEXT};

use super::{EnvironmentName, Freeze, MigrationId, Window};

/// The environments, in order. Never empty, no two of one name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Policy {
    /// The environments; the order of those inside it is the chain.
    pub environments: Vec<Environment>,
}

/// One environment. How to reach its target is not policy and is kept elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Environment {
    /// Its name.
    pub name: EnvironmentName,
    /// What its target is.
    #[serde(skip_serializing_if = "Kind::is_ordinary")]
    pub kind: Kind,
    /// Whether it stands outside the chain (`chain = false`): never evidence, never required.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub outside: bool,
    /// What it asks beyond the gates that are always on.
    #[serde(skip_serializing_if = "Require::is_nothing")]
    pub require: Require,
}

/// What an environment asks beyond the gates that are always on: `[environment.require]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Require {
    /// Every step's reversal was rehearsed in each earlier environment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<RequiredRehearsal>,
    /// There is a backup of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<RequiredBackup>,
    /// What is done about a script that destroys rows or values; `None`: what its place in the chain says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_loss: Option<DataLoss>,
    /// The gates that nobody can waive there, by their words; `None`: promotion in the last of several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub never_waive: Option<BTreeSet<String>>,
    /// How long a waiver lasts, from when it was written, however many plans use it; `None`: for the
    /// next plan only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waivers_last: Option<Duration>,
    /// How long a migration has stood in the environment before; `None`: it need not wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soak: Option<Duration>,
    /// When nothing is applied there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub freeze: Vec<Freeze>,
    /// When something may be applied there: in any of these. None: at any time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Window>,
    /// Migrations that are not applied there, for now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub hold: Vec<Hold>,
    /// The least level of a finding in a script that is refused there; `None`: of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lint: Option<LintLevel>,
    /// Whether it may be applied to without the proof that its gates ask for, and what is owed for that;
    /// `None`: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub break_glass: Option<BreakGlass>,
    /// How many people have to say yes to a saved plan; `None`: nobody has to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approvals: Option<RequiredApprovals>,
}

/// What is owed where an environment was applied to without proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct BreakGlass {
    /// Within which time somebody else has to review it.
    pub review_within: Duration,
}

/// A migration that somebody holds back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hold {
    /// Which.
    pub migration: MigrationId,
    /// Why.
    pub reason: String,
}

/// How grave a finding is that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LintLevel {
    /// A warning, or an error.
    Warning,
    /// An error.
    Error,
}

impl Require {
    fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// What is done about a script that destroys rows or values, and does not say why it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataLoss {
    /// It may.
    Allow,
    /// It is told.
    Warn,
    /// It is refused.
    Refuse,
}

/// How approvals are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RequiredApprovals {
    /// How many people, none of them whoever applies the plan.
    pub count: NonZeroU8,
    /// Whether none of them may be an author of a migration in it, as git tells.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub not_by_author: bool,
}

/// How rehearsals are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RequiredRehearsal {
    /// Migrations of which it is accepted that their `down.sql` says `irreversible`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub irreversible: BTreeSet<MigrationId>,
}

/// How a backup is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct RequiredBackup {
    /// How old it may be, from when it was begun.
    pub max_age: Duration,
    /// Whether it must have been restored, and found equal.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub verified: bool,
}

/// What the target of an environment is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One database, the same for everybody.
    #[default]
    Ordinary,
    /// One database for each writer (`personal = true`): everybody's own on a laptop.
    Personal,
    /// A new one at any time (`ephemeral = true`): it is bound by itself, and every one is recorded.
    Ephemeral,
}

impl Kind {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the form that serde asks for"
    )]
    fn is_ordinary(&self) -> bool {
        *self == Self::Ordinary
    }
}

impl Environment {
    /// An ordinary environment of the chain.
    #[must_use]
    pub const fn ordinary(name: EnvironmentName) -> Self {
        Self {
            name,
            kind: Kind::Ordinary,
            outside: false,
            require: Require {
                rehearsal: None,
                backup: None,
                data_loss: None,
                never_waive: None,
                waivers_last: None,
                soak: None,
                freeze: Vec::new(),
                allow: Vec::new(),
                hold: Vec::new(),
                lint: None,
                break_glass: None,
                approvals: None,
            },
        }
    }
}

impl Policy {
    /// The place of an environment in the chain; `None` where it stands outside, or is not known.
    #[must_use]
    pub fn position(&self, name: &EnvironmentName) -> Option<usize> {
        self.chain().position(|known| known == name)
    }

    /// Whether `order`, `modified` and `missing` warn instead of refusing: in the first environment of
    /// several, where people switch branches, edit and merge.
    #[must_use]
    pub fn is_lenient(&self, position: usize) -> bool {
        position == 0 && self.chain().nth(1).is_some()
    }

    /// The same for an environment by its name; those outside the chain are lenient as well.
    #[must_use]
    pub fn is_lenient_in(&self, name: &EnvironmentName) -> bool {
        self.is_outside(name) || self.position(name).is_some_and(|at| self.is_lenient(at))
    }

    /// Whether what is applied there binds a migration to its name: in the first environment people start
    /// over, and an ephemeral one is a new one next time.
    #[must_use]
    pub fn holds_to_names(&self, name: &EnvironmentName) -> bool {
        !self.is_lenient_in(name) && self.kind(name) != Kind::Ephemeral
    }

    /// Every environment's name, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &EnvironmentName> {
        self.environments
            .iter()
            .map(|environment| &environment.name)
    }

    /// The names of the chain, in order.
    pub fn chain(&self) -> impl Iterator<Item = &EnvironmentName> {
        let inside = self.environments.iter().filter(|known| !known.outside);
        inside.map(|environment| &environment.name)
    }

    /// The place of an environment in the file.
    #[must_use]
    pub fn index(&self, name: &EnvironmentName) -> Option<usize> {
        self.names().position(|known| known == name)
    }

    fn get(&self, name: &EnvironmentName) -> Option<&Environment> {
        self.environments.iter().find(|known| known.name == *name)
    }

    /// What the target of an environment is; of one that is not known, ordinary.
    #[must_use]
    pub fn kind(&self, name: &EnvironmentName) -> Kind {
        self.get(name).map_or(Kind::Ordinary, |known| known.kind)
    }

    /// What an environment asks beyond the gates that are always on; `None` of one that is not known.
    #[must_use]
    pub fn require(&self, name: &EnvironmentName) -> Option<&Require> {
        self.get(name).map(|known| &known.require)
    }

    /// Whether it is the last environment of a chain of several: nothing is rehearsed there.
    #[must_use]
    pub fn is_last_of_several(&self, name: &EnvironmentName) -> bool {
        self.position(name)
            .is_some_and(|at| at > 0 && at + 1 == self.chain().count())
    }

    /// What is done there about a script that destroys rows or values: refused in the last environment of
    /// the chain, and in the only one; told elsewhere.
    #[must_use]
    pub fn data_loss(&self, name: &EnvironmentName) -> DataLoss {
        let said = self.require(name).and_then(|require| require.data_loss);
        let is_last = self.chain().last() == Some(name);
        said.unwrap_or(match is_last {
            true => DataLoss::Refuse,
            false => DataLoss::Warn,
        })
    }

    /// Whether nobody can waive a gate there, by its word.
    #[must_use]
    pub fn never_waives(&self, name: &EnvironmentName, gate: &str) -> bool {
        match self.require(name).and_then(|it| it.never_waive.as_ref()) {
            Some(never) => never.contains(gate),
            None => gate == "promotion" && self.is_last_of_several(name),
        }
    }

    /// How long a waiver lasts there; `None`: for the next plan only.
    #[must_use]
    pub fn waivers_last(&self, name: &EnvironmentName) -> Option<Duration> {
        self.require(name)?.waivers_last
    }

    /// What is owed where glass is broken there; `None`: it may not be.
    #[must_use]
    pub fn break_glass(&self, name: &EnvironmentName) -> Option<BreakGlass> {
        self.require(name)?.break_glass
    }

    /// How many people have to approve what is applied there; `None`: nobody has to.
    #[must_use]
    pub fn approvals(&self, name: &EnvironmentName) -> Option<RequiredApprovals> {
        self.require(name)?.approvals
    }

    /// What it asks of an environment, by the words of `tollgate.toml`: as [`Self::words`], but for the chain,
    /// which the ledger keeps by itself.
    #[must_use]
    pub fn asks(&self, name: &EnvironmentName) -> BTreeMap<String, String> {
        let mut words = self.words(name);
        words.remove("chain");
        words
    }

    /// What it would ask of it if nothing were said but of its kind.
    #[must_use]
    pub fn asks_unsaid(&self, name: &EnvironmentName) -> BTreeMap<String, String> {
        let mut unsaid = self.clone();
        for environment in &mut unsaid.environments {
            if environment.name == *name {
                environment.require = Require::default();
            }
        }
        unsaid.asks(name)
    }

    /// The digest of all of it.
    #[must_use]
    pub fn digest(&self) -> ChainHash {
        // Plain data into memory cannot fail.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        ChainHash::of(POLICY_CONTEXT, &bytes)
    }

    /// What it says of an environment, by the words of `tollgate.toml`: so two policies can be compared,
    /// and read.
    #[must_use]
    pub fn words(&self, name: &EnvironmentName) -> BTreeMap<String, String> {
        let list = |words: Vec<String>| words.join(", ");
        let chain = self.chain().map(ToString::to_string).collect();
        let mut words = BTreeMap::from([("chain".to_owned(), list(chain))]);
        let mut say = |key: &str, value: String| {
            words.insert(key.to_owned(), value);
        };
        say("data_loss", word(&self.data_loss(name)));
        if self.kind(name) != Kind::Ordinary {
            say("kind", word(&self.kind(name)));
        }
        let Some(require) = self.require(name) else {
            return words;
        };
        let never: Vec<String> = match &require.never_waive {
            Some(never) => never.iter().cloned().collect(),
            None if self.is_last_of_several(name) => vec!["promotion".to_owned()],
            None => Vec::new(),
        };
        if !never.is_empty() {
            say("never_waive", list(never));
        }
        if let Some(rehearsal) = &require.rehearsal {
            let irreversible = rehearsal.irreversible.iter().map(ToString::to_string);
            let irreversible: Vec<String> = irreversible.collect();
            say(
                "rehearsal",
                match irreversible.is_empty() {
                    true => "asked for".to_owned(),
                    false => format!("asked for, but of {}", list(irreversible)),
                },
            );
        }
        if let Some(backup) = &require.backup {
            let verified = if backup.verified { ", verified" } else { "" };
            say("backup", format!("{}{verified}", seconds(backup.max_age)));
        }
        if let Some(lasts) = require.waivers_last {
            say("waivers_last", seconds(lasts));
        }
        if let Some(soak) = require.soak {
            say("soak", seconds(soak));
        }
        if !require.allow.is_empty() {
            let windows = require.allow.iter().map(ToString::to_string);
            say("allow", list(windows.collect()));
        }
        if !require.freeze.is_empty() {
            let freezes = require.freeze.iter();
            let told = freezes.map(|it| format!("{} to {}", it.from, it.to));
            say("freeze", list(told.collect()));
        }
        if !require.hold.is_empty() {
            let holds = require.hold.iter().map(|hold| hold.migration.to_string());
            say("hold", list(holds.collect()));
        }
        if let Some(lint) = require.lint {
            say("lint", word(&lint));
        }
        if let Some(approvals) = require.approvals {
            let by = match approvals.not_by_author {
                true => ", none by an author",
                false => "",
            };
            say("approvals", format!("{}{by}", approvals.count));
        }
        if let Some(glass) = require.break_glass {
            let within = seconds(glass.review_within);
            say(
                "break_glass",
                format!("allowed, to be reviewed within {within}"),
            );
        }
        words
    }

    /// Whether an environment stands outside the chain.
    #[must_use]
    pub fn is_outside(&self, name: &EnvironmentName) -> bool {
        self.get(name).is_some_and(|known| known.outside)
    }
}

/// The word that a value is written as.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// A length of time as the file has it, in its largest whole unit.
fn seconds(time: Duration) -> String {
    const UNITS: [(u128, &str); 4] = [
        (86_400_000, "d"),
        (3_600_000, "h"),
        (60_000, "min"),
        (1_000, "s"),
    ];
    let millis = time.as_millis();
    let whole = UNITS
        .iter()
        .find(|(unit, _)| millis.is_multiple_of(*unit) && millis > 0);
    match whole {
        Some((unit, name)) => format!("{}{name}", millis / unit),
        None => format!("{millis}ms"),
    }
}
