//! What is worth knowing of a script before it runs: what it touches, destroys, locks and may fail on.
//!
//! Pure: texts in, findings out. Rules are one file each in `rules`, in one list; each has a code, a level
//! and a page in `docs/LINT.md`. Nothing is reported for objects that the same plan made.

pub mod allow;
mod at;
mod effects;
pub mod levels;
mod merge;
mod picture;
pub mod rules;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod tree;

use std::ops::Range;

use self::at::{At, Found};
use self::picture::Picture;
use crate::model::MigrationId;
use crate::model::entry::Engine;
use crate::sql::Analysis;
use crate::sql::changes::{Change, Deed, Name};

/// A script of the tree, read.
#[derive(Debug, Clone, Copy)]
pub struct Script<'a> {
    /// Whose.
    pub migration: &'a MigrationId,
    /// Its text.
    pub text: &'a str,
    /// Its statements.
    pub analysis: &'a Analysis,
    /// What they do.
    pub changes: &'a [Change],
}

/// What is known before the scripts that are looked at run.
#[derive(Debug, Clone, Copy)]
pub struct Before<'a> {
    /// The scripts of the tree whose work stands, in order.
    pub standing: &'a [Script<'a>],
    /// Whether the target holds nothing else: with no script standing, it is empty.
    pub is_empty: bool,
}

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Somebody should have thought of it.
    Warning,
    /// `tollgate lint` ends with 3.
    Error,
}

impl Level {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Rows, values or objects that hold them are destroyed: the gate `data-loss` asks for these.
    DataLoss,
    /// It may fail on the rows that stand.
    MayFail,
    /// Others have to wait, or the table is read or written as a whole.
    Locks,
    /// Programs that run may no longer get on with it.
    Compatibility,
    /// Its place among the others.
    Order,
    /// How it is written.
    Script,
}

impl Topic {
    /// The word used in output.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DataLoss => "data-loss",
            Self::MayFail => "may-fail",
            Self::Locks => "locks",
            Self::Compatibility => "compatibility",
            Self::Order => "order",
            Self::Script => "script",
        }
    }
}

/// One rule of the list.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Its code, as in `-- tollgate:allow <code> <reason>`: `drop-column`.
    pub code: &'static str,
    /// How much a finding of it weighs where nothing else is said.
    pub level: Level,
    /// What it is about.
    pub topic: Topic,
    /// One line for people: "drops a column with its values".
    pub title: &'static str,
}

/// What a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// In which migration.
    pub migration: MigrationId,
    /// Where in its script, in bytes; empty where it is about the whole.
    pub range: Range<usize>,
    /// The fact, as a clause without a subject: "drops column users.email".
    pub fact: String,
    /// What follows: "the values of every row are gone".
    pub consequence: String,
    /// What to do about it.
    pub help: String,
    /// The table whose rows are meant, and the column where it is one: for counting in a live target.
    pub subject: Option<(Name, Option<String>)>,
    /// Why it is allowed, where the script says so: the reason of its `-- tollgate:allow`.
    pub allowed: Option<String>,
}

/// What one statement comes to. Shown in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The statement's place in the script, from 0.
    pub statement: usize,
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// The tables, indexes, types ... that it touches.
    pub touches: Vec<Name>,
    /// What it destroys, as clauses: "column users.email".
    pub destroys: Vec<String>,
    /// On what rows it may fail, as clauses: "a row where users.email is NULL".
    pub may_fail: Vec<String>,
    /// The strongest lock that it takes on something that stood before, in the engine's words:
    /// `ACCESS EXCLUSIVE`; `None` where it takes none that others notice.
    pub lock: Option<&'static str>,
    /// What it does to the whole of a table that stood before.
    pub work: Work,
}

/// What a statement does to a whole table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Work {
    /// No more than its catalog entry.
    #[default]
    None,
    /// Every row is read.
    Scan,
    /// Every row is written.
    Rewrite,
}

/// What a look at scripts found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// By the rules, in the order of the scripts; those that a script allows are marked, and still there.
    pub findings: Vec<Finding>,
    /// What every statement comes to, for each script.
    pub effects: Vec<Vec<Effect>>,
}

/// Looks at scripts that run one after another, as one plan, after what stands.
#[must_use]
pub fn look(engine: Engine, before: Before<'_>, plan: &[Script<'_>]) -> Look {
    let mut picture = Picture::new(engine);
    for script in before.standing {
        stands(&mut picture, script);
    }
    picture.begin_plan(before.is_empty);
    let mut look = Look::default();
    for script in plan {
        one(&mut picture, script, &mut look);
    }
    look
}

/// Looks at the scripts at these places, in order, each as a plan of its own with all before it standing.
/// The same as [`look`] for each, with what stands read once.
#[must_use]
pub fn look_each(engine: Engine, scripts: &[Script<'_>], places: &[usize]) -> Look {
    let mut picture = Picture::new(engine);
    let mut look = Look::default();
    for (place, script) in scripts.iter().enumerate() {
        if places.binary_search(&place).is_ok() {
            picture.begin_plan(false);
            one(&mut picture, script, &mut look);
        } else {
            stands(&mut picture, script);
        }
    }
    look
}

/// A script that ran before.
fn stands<'a>(picture: &mut Picture<'a>, script: &Script<'a>) {
    picture.begin_script(script.migration);
    let generated = at::generated(script);
    for change in script.changes {
        let text = at::statement_text(script, change.statement);
        let by_hand = generated.get(change.statement) == Some(&false);
        picture.apply(&change.deed, text, by_hand);
    }
}

/// Looks at a script, and lets it stand.
fn one<'a>(picture: &mut Picture<'a>, script: &Script<'a>, look: &mut Look) {
    picture.begin_script(script.migration);
    let generated = at::generated(script);
    let mut found = Vec::new();
    let mut effects = effects::of_statements(script);
    for (place, change) in script.changes.iter().enumerate() {
        let by_hand = generated.get(change.statement) == Some(&false);
        let at = At {
            engine: picture.engine,
            picture,
            script: *script,
            place,
            range: &change.range,
            deed: &change.deed,
            in_block: false,
            by_hand,
        };
        let first = found.len();
        one_change(&at, &mut found);
        if let Some(effect) = effects.get_mut(change.statement) {
            effects::add(effect, &at, found.get(first..).unwrap_or_default());
        }
        let text = at::statement_text(script, change.statement);
        picture.apply(&change.deed, text, by_hand);
    }
    let mut findings = merge::merged(found);
    allow::apply(picture.engine, script, &mut findings);
    look.findings.extend(findings);
    look.effects.push(effects);
}

/// What the rules find about a change, and about what a block of code spells out.
fn one_change(at: &At<'_>, found: &mut Vec<Found>) {
    // Nothing stood that anything could be done to.
    if at.picture.found_nothing() {
        return;
    }
    for (_, check) in &rules::RULES {
        check(at, found);
    }
    if let Deed::Unknown { spelled, .. } = at.deed {
        for deed in spelled {
            // Texts within texts are read to a fixed depth, so that this goes no deeper.
            one_change(
                &At {
                    deed,
                    in_block: true,
                    ..*at
                },
                found,
            );
        }
    }
}
