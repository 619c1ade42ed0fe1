//! A saved plan for whoever is to say yes to it: one page, as text, as Markdown for a pull request, as HTML,
//! and as a document. Every text of the plan is somebody else's, and is shown as text in each of them.

mod html;
mod markdown;
mod text;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::{count, length_of_time};
use crate::model::Timestamp;
use crate::model::approval::{NOT_SIGNED, is_hidden};
use crate::planner::gates::approval::Approvals;
use crate::planner::gates::shell;
use crate::planner::saved::{Content, SavedAnswer, SavedPlan, SavedStep};
use crate::sql::for_review;

pub use html::html;
pub use markdown::markdown;
pub use text::text;

/// What is shown.
#[derive(Debug, Clone, Copy)]
pub struct Review<'a> {
    /// The plan.
    pub saved: &'a SavedPlan,
    /// Its file, as it was typed.
    pub file: &'a str,
    /// Now.
    pub now: Timestamp,
    /// What the ledger here knows of its approvals; `None` where there is none, or it is another project's.
    pub approved: Option<&'a Approved<'a>>,
}

/// What is known of a plan's approvals.
#[derive(Debug, Clone)]
pub struct Approved<'a> {
    /// How many are asked for, by today's policy.
    pub asked: usize,
    /// Those that count, and those that do not.
    pub known: Approvals<'a>,
}

impl Approved<'_> {
    fn missing(&self) -> usize {
        self.asked.saturating_sub(self.known.count.len())
    }
}

/// The review as `tollgate/review/v1`.
#[must_use]
pub fn json(review: &Review<'_>) -> Value {
    json!({
        "schema": "tollgate/review/v1",
        "file": review.file,
        "expired": review.is_expired(),
        "alarms": review.page().alarms,
        "approvals": review.approved.map(|approved| json!({
            "asked": approved.asked,
            "missing": approved.missing(),
            "count": approved.known.count,
            "others": approved.known.others.iter().map(|(approval, why)| json!({
                "approval": approval,
                "why": why,
            })).collect::<Vec<_>>(),
        })),
        "plan": plan(review.saved),
    })
}

/// The plan as its file has it, without the passwords of its scripts.
fn plan(saved: &SavedPlan) -> Value {
    let mut plan = json!(saved);
    let steps = plan.pointer_mut("/content/steps");
    for step in steps.and_then(Value::as_array_mut).into_iter().flatten() {
        hide(step);
        step.get_mut("down").into_iter().for_each(hide);
    }
    plan
}

/// Hides the passwords of a script; where there are some, it says so beside it.
fn hide(of: &mut Value) {
    let script = of.get("script").and_then(Value::as_str);
    if let Some((script, true)) = script.map(for_review) {
        of["script"] = Value::String(script);
        of["passwords_hidden"] = Value::Bool(true);
    }
}

/// A label and what belongs to it.
type Fact = (&'static str, String);

/// What stands on the page, whatever the format.
struct Page<'a> {
    title: String,
    /// What nobody should pass over.
    alarms: Vec<String>,
    facts: Vec<Fact>,
    steps: Vec<Step>,
    gates: Vec<Gate<'a>>,
    waivers: Vec<String>,
    /// What is known of its approvals; nothing where none is asked for and nobody gave one.
    approvals: Vec<String>,
    policy: &'a BTreeMap<String, String>,
    next: String,
}

struct Step {
    name: String,
    facts: Vec<Fact>,
    /// Each with the name of its file, without passwords.
    scripts: Vec<(&'static str, String)>,
}

/// What one gate says.
struct Gate<'a> {
    name: &'a str,
    /// What it says, each of so many migrations or of the environment.
    says: Vec<(&'a str, Vec<&'a str>, &'a [String])>,
}

impl<'a> Review<'a> {
    fn is_expired(&self) -> bool {
        let expires = self.saved.content.expires;
        expires.is_some_and(|expires| self.now >= expires)
    }

    fn page(&self) -> Page<'a> {
        let content = &self.saved.content;
        Page {
            title: format!(
                "{} for {}",
                count(content.steps.len(), "migration"),
                content.environment
            ),
            alarms: self.alarms(),
            facts: self.facts(),
            steps: content.steps.iter().map(step).collect(),
            gates: gates(&content.gates),
            waivers: content
                .waivers
                .iter()
                .map(|it| {
                    format!(
                        "{} of {}, by {} {}: {}",
                        it.gate,
                        it.migration,
                        it.actor,
                        it.at.minute(),
                        it.reason
                    )
                })
                .collect(),
            approvals: self.approvals(),
            policy: &content.policy.words,
            next: match self.waits_for_approval() {
                true => format!("tollgate approve {} --as '<name>'", shell(self.file)),
                false => format!(
                    "tollgate apply {} --plan {}",
                    content.environment,
                    shell(self.file)
                ),
            },
        }
    }

    /// Whether the plan itself says that approvals are asked for.
    fn says_approvals(&self) -> Option<&String> {
        self.saved.content.policy.words.get("approvals")
    }

    fn waits_for_approval(&self) -> bool {
        match self.approved {
            Some(approved) => approved.missing() > 0,
            None => self.says_approvals().is_some(),
        }
    }

    fn approvals(&self) -> Vec<String> {
        let Some(approved) = self.approved else {
            let asked = self.says_approvals();
            let told = asked.map(|asked| {
                format!("asked for: {asked}; who gave one is in the ledger of its project, and not known here")
            });
            return told.into_iter().collect();
        };
        let known = &approved.known;
        let counted = known
            .count
            .iter()
            .map(|it| format!("{}, {NOT_SIGNED}", it.told()));
        let others = known
            .others
            .iter()
            .map(|(it, why)| format!("does not count: {}; {why}", it.told()));
        let state = match (approved.asked, approved.missing()) {
            (0, _) => None,
            (asked, 0) => Some(format!("{asked} asked for, and none is missing")),
            (asked, missing) => Some(format!("{asked} asked for, {missing} missing")),
        };
        counted.chain(others).chain(state).collect()
    }

    fn alarms(&self) -> Vec<String> {
        let content = &self.saved.content;
        let mut all = Vec::new();
        if let Some(expires) = content.expires.filter(|_| self.is_expired()) {
            all.push(format!(
                "EXPIRED {} ago, {}: it is no longer applied",
                between(expires, self.now),
                expires.minute()
            ));
        }
        match &content.git {
            Some(git) if git.dirty => all.push(
                "DIRTY: it was made from a work tree with changes that are in no commit".to_owned(),
            ),
            Some(_) => {}
            None => all.push(
                "NO COMMIT: it was made outside a git repository, or before its first commit"
                    .to_owned(),
            ),
        }
        let destroys = |step: &&SavedStep| {
            let mut does = step.does.iter();
            does.any(|deed| matches!(deed.kind.as_str(), "destroys" | "accepted"))
        };
        let destroying = content.steps.iter().filter(destroys).count();
        if destroying > 0 {
            let verb = if destroying == 1 {
                "destroys"
            } else {
                "destroy"
            };
            all.push(format!(
                "DATA LOSS: {} {verb} what may stand there",
                count(destroying, "migration")
            ));
        }
        if !content.waivers.is_empty() {
            all.push(format!(
                "WAIVED: it stands on {}",
                count(content.waivers.len(), "waiver")
            ));
        }
        let hidden = |step: &&SavedStep| {
            let down = step.down.as_ref().map_or("", |down| down.script.as_str());
            step.script.chars().chain(down.chars()).any(is_hidden)
        };
        let hiding = content.steps.iter().filter(hidden).count();
        if hiding > 0 {
            all.push(format!(
                "HIDDEN: scripts of {} have characters that are not seen, or turn the text around them",
                count(hiding, "migration")
            ));
        }
        all
    }

    fn facts(&self) -> Vec<Fact> {
        let saved = self.saved;
        let content = &saved.content;
        let mut all = vec![
            ("id", saved.id.to_string()),
            ("environment", content.environment.to_string()),
            ("target", target(content)),
            (
                "after",
                content.head.map_or_else(
                    || "nothing had run there".to_owned(),
                    |head| format!("receipt {} ({})", head.seq, head.hash),
                ),
            ),
            (
                "made",
                format!(
                    "{} by {}, with {}",
                    content.made.minute(),
                    content.by,
                    content.tool
                ),
            ),
        ];
        if let Some(git) = &content.git {
            let dirty = if git.dirty {
                ", AND CHANGES THAT ARE IN NO COMMIT"
            } else {
                ""
            };
            all.push(("commit", format!("{}{dirty}", git.commit)));
        }
        all.push((
            "expires",
            match content.expires {
                None => "never, while its premises hold".to_owned(),
                Some(at) if self.is_expired() => format!("{}: EXPIRED", at.minute()),
                Some(at) if self.now < content.made => {
                    format!("{} (this clock stands before it was made)", at.minute())
                }
                Some(at) => format!("{}, in {}", at.minute(), between(self.now, at)),
            },
        ));
        if let Some(change) = &content.change {
            all.push(("change", change.clone()));
        }
        all.push(("policy", content.policy.digest.to_string()));
        all.push(("plan", content.plan.to_string()));
        all
    }
}

fn target(content: &Content) -> String {
    match &content.target {
        None => "not met yet: the first contact binds it".to_owned(),
        Some(target) => format!(
            "{} {}, incarnation {}",
            target.engine.as_str(),
            target.name,
            target.incarnation
        ),
    }
}

fn between(from: Timestamp, to: Timestamp) -> String {
    let millis = to.unix_millis().saturating_sub(from.unix_millis());
    length_of_time(Duration::from_millis(millis.unsigned_abs()))
}

fn step(step: &SavedStep) -> Step {
    let mut facts = vec![
        ("runs", step.kind.as_str().to_owned()),
        ("blake3", step.checksum.hex()),
        ("sha256", step.sha256.to_string()),
    ];
    facts.extend(step.notes.iter().map(|note| ("note", note.clone())));
    if step.script.contains('\r') {
        facts.push(("note", "its lines end in CRLF, or have a CR".to_owned()));
    }
    for deed in &step.does {
        let label = match deed.kind.as_str() {
            "destroys" => "destroys",
            "accepted" => "accepted",
            "may fail" => "may fail",
            "locks" => "locks",
            _ => "does",
        };
        facts.push((label, deed.what.clone()));
    }
    facts.extend(step.proofs.iter().map(|proof| {
        (
            "proven",
            format!(
                "{} {} by {}, receipt {} ({}) of ledger {}",
                proof.environment,
                proof.at.minute(),
                proof.by,
                proof.receipt.seq,
                proof.receipt.hash.short(),
                proof.writer.short()
            ),
        )
    }));
    match step.authors.is_empty() {
        true => facts.push(("written by", "not known".to_owned())),
        false => facts.push(("written by", step.authors.join(", "))),
    }
    let down = step.down.as_ref();
    facts.push((
        "reversal",
        down.map_or_else(
            || "none is prepared".to_owned(),
            |down| format!("down.sql, {}", down.checksum),
        ),
    ));
    let down = down.map(|down| ("down.sql", for_review(&down.script)));
    let all = std::iter::once(("migration.sql", for_review(&step.script))).chain(down);
    let mut scripts = Vec::new();
    for (name, (script, masked)) in all {
        if masked {
            facts.push((
                "note",
                format!("the passwords in its {name} are not shown; the file of the plan holds its bytes"),
            ));
        }
        scripts.push((name, script));
    }
    Step {
        name: step.migration.to_string(),
        facts,
        scripts,
    }
}

/// What the gates say, in their order; what one says alike of several migrations is said once.
fn gates(answers: &[SavedAnswer]) -> Vec<Gate<'_>> {
    let mut gates: Vec<Gate<'_>> = Vec::new();
    for answer in answers {
        let place = gates.iter().position(|gate| gate.name == answer.gate);
        let place = place.unwrap_or_else(|| {
            gates.push(Gate {
                name: &answer.gate,
                says: Vec::new(),
            });
            gates.len() - 1
        });
        let Some(gate) = gates.get_mut(place) else {
            continue;
        };
        let state = answer.state.as_str();
        let about = answer.migration.iter().map(|of| of.as_str());
        let known = gate.says.iter_mut().find(|(known, of, how)| {
            *known == state && of.is_empty() == answer.migration.is_none() && *how == answer.how
        });
        match known {
            Some((_, of, _)) => of.extend(about),
            None => gate.says.push((state, about.collect(), &answer.how)),
        }
    }
    gates
}

/// So many migrations are named where a gate says the same of all.
const NAMED: usize = 3;

/// `met`, and of which migrations.
fn said(state: &str, of: &[&str], steps: usize) -> String {
    let state = match state {
        "not-asked" => "not asked",
        state => state,
    };
    match of {
        [] => state.to_owned(),
        all if all.len() == steps && steps > 1 => format!("{state}, of each"),
        few if few.len() <= NAMED => format!("{state}, of {}", few.join(", ")),
        [first, .., last] => format!("{state}, of {first} to {last} ({})", of.len()),
        [one] => format!("{state}, of {one}"),
    }
}

/// `3 lines`.
fn lines(script: &str) -> String {
    count(script.lines().count(), "line")
}
