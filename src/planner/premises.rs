//! The premises of a saved plan: what it was made from, held against what is there now. Pure.
//!
//! A saved plan is run through the same gates as any other, under today's policy; what is asked here comes
//! beside them. So a plan that somebody said yes to runs exactly as it was read, or not at all. Who said yes
//! is asked by the gate `approval`, under today's policy.

mod policy;

pub use policy::policy_changes;

use std::collections::BTreeSet;

use super::gates::approval::judged;
use super::gates::shell;
use super::saved::{SavedError, SavedPlan, SavedStep};
use super::{Approving, FileFacts, Finding, Gate, Inputs, Plan, id};
use crate::ledger::view::EnvironmentView;
use crate::model::entry::{Place, ReceiptRef, TargetIdentity};
use crate::model::{Actor, EnvironmentName, MigrationId, Release};

/// A saved plan that is held to.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// The plan.
    pub saved: &'a SavedPlan,
    /// Its file, as a user would type it.
    pub file: &'a str,
    /// Who applies it; `None` where nobody does yet.
    pub by: Option<&'a Actor>,
}

/// So many of a kind are named; of more only how many.
const MOST: usize = 4;

/// Makes the plan of what is left of a saved one, or refuses it with every premise that changed. A saved
/// plan that is wholly done leaves nothing to do, whatever has changed since.
#[must_use]
pub fn plan_under(inputs: &Inputs<'_>, held: Held<'_>) -> Plan {
    let saved = held.saved;
    let in_use = in_use(inputs, saved);
    let inputs = Inputs {
        to: saved.last(),
        in_use: &in_use,
        approving: Approving::Held(held),
        ..*inputs
    };
    let mut plan = super::plan(&inputs);
    plan.release = Some(release(&inputs, held));
    // The steps before one that cannot go are no plan that anybody read.
    plan.ready_to = None;
    let nothing = EnvironmentView::default();
    let known = inputs.view.get(inputs.environment);
    let unmet = inputs.live.is_some_and(|live| live.is_unmet);
    let here = known.filter(|_| !unmet).unwrap_or(&nothing);
    let other_target = plan.refusals.iter().any(|it| it.gate == Gate::Identity);
    if is_done(&inputs, saved, here) && !other_target {
        plan.steps.clear();
        plan.refusals.clear();
        plan.waived.clear();
        plan.backup = None;
    } else {
        let mut refusals = changed(&inputs, held, &plan, here);
        refusals.append(&mut plan.refusals);
        plan.refusals = refusals;
        plan.warnings.extend(policy::changed(&inputs, held));
    }
    plan.id = id::of(&plan, inputs.policy);
    plan
}

/// What runs under it carries the plan's id, and who approved it: those whose word counts.
fn release(inputs: &Inputs<'_>, held: Held<'_>) -> Release {
    let here = inputs.view.get(inputs.environment);
    let asked = inputs.policy.approvals(inputs.environment);
    let not_by_author = asked.is_some_and(|asked| asked.not_by_author);
    let known = judged(here, held, inputs.now, not_by_author);
    Release {
        approvals: known.count.into_iter().cloned().collect(),
        ..held.saved.release()
    }
}

/// Whether every step stands there, of the same bytes.
fn is_done(inputs: &Inputs<'_>, saved: &SavedPlan, here: &EnvironmentView) -> bool {
    saved.content.environment == *inputs.environment
        && saved.content.steps.iter().all(|step| {
            let ran = here.applied.get(&step.migration);
            ran.is_some_and(|ran| ran.checksum == Some(step.checksum))
        })
}

/// Every premise, in the order in which they are told.
fn changed(
    inputs: &Inputs<'_>,
    held: Held<'_>,
    plan: &Plan,
    here: &EnvironmentView,
) -> Vec<Finding> {
    let now = Now {
        inputs,
        held,
        plan,
        here,
    };
    let mut all = Vec::new();
    all.extend(now.environment());
    all.extend(now.expiry());
    // Of another target everything else is another one too.
    all.extend(now.target().or_else(|| now.head()));
    all.extend(now.steps());
    all.extend(now.others());
    all.extend(now.waivers());
    all
}

/// The waivers that the plan names and that only its own attempts have used: what is left of it goes on
/// under them. Where the policy says how long a waiver lasts, that alone counts.
fn in_use(inputs: &Inputs<'_>, saved: &SavedPlan) -> BTreeSet<Place> {
    let mut in_use = inputs.in_use.clone();
    let environment = inputs.environment;
    let here = inputs.view.get(environment);
    let Some(here) = here.filter(|_| inputs.policy.waivers_last(environment).is_none()) else {
        return in_use;
    };
    let named: BTreeSet<Place> = saved.content.waivers.iter().map(|it| it.entry).collect();
    let own = |attempt| here.released_under(attempt) == Some(saved.id);
    for known in inputs.view.waivers(environment) {
        let mut spent = known.spent_by.iter().copied();
        if named.contains(&known.waiver.entry) && spent.len() > 0 && spent.all(own) {
            in_use.insert(known.waiver.entry);
        }
    }
    in_use
}

/// What is there now, and what the plan was made from.
struct Now<'a> {
    inputs: &'a Inputs<'a>,
    held: Held<'a>,
    plan: &'a Plan,
    here: &'a EnvironmentView,
}

impl<'a> Now<'a> {
    fn finding(
        &self,
        migration: Option<&MigrationId>,
        fact: impl Into<String>,
        found: Vec<String>,
        required: impl Into<String>,
    ) -> Finding {
        Finding {
            gate: Gate::Premise,
            migration: migration.cloned(),
            fact: fact.into(),
            found,
            required: required.into(),
            remedy: anew(self.inputs, self.held),
        }
    }

    fn steps_of_plan(&self) -> &'a [SavedStep] {
        &self.held.saved.content.steps
    }

    fn environment(&self) -> Option<Finding> {
        let of = &self.held.saved.content.environment;
        (of != self.inputs.environment)
            .then(|| elsewhere(of, self.inputs.environment, self.held.file))
    }

    /// It has not expired, as far as the clock can be believed.
    fn expiry(&self) -> Option<Finding> {
        let content = &self.held.saved.content;
        let (now, expires) = (self.inputs.now, content.expires?);
        if now < content.made {
            return Some(Finding {
                remedy: "date -u   # and put the clock right".to_owned(),
                ..self.finding(
                    None,
                    "whether it has expired cannot be told: the clock stands before the plan was made",
                    vec![format!("made: {}", content.made), format!("now:  {now}")],
                    "a clock that is right",
                )
            });
        }
        (now >= expires).then(|| {
            self.finding(
                None,
                "the plan has expired",
                vec![format!("expired: {expires}"), format!("now:     {now}")],
                "a plan that has not",
            )
        })
    }

    /// Its target is the one that it was made for.
    fn target(&self) -> Option<Finding> {
        let was = self.held.saved.content.target.as_ref()?;
        let is = self.plan.target.as_ref();
        if is.is_some_and(|is| is.incarnation == was.incarnation) || self.is_unseen() {
            return None;
        }
        let told = |target: &TargetIdentity| {
            format!(
                "{} {}, incarnation {}",
                target.engine.as_str(),
                target.name,
                target.incarnation.short()
            )
        };
        Some(self.finding(
            None,
            "its target is another one now",
            vec![
                format!("then: {}", told(was)),
                is.map_or_else(
                    || "now:  none that was met".to_owned(),
                    |is| format!("now:  {}", told(is)),
                ),
            ],
            "the target that the plan was made for",
        ))
    }

    /// Whether nobody looks at the target, and this ledger never did: what became of it is not known here.
    fn is_unseen(&self) -> bool {
        self.inputs.live.is_none() && self.plan.target.is_none()
    }

    /// After the newest receipt that it was made after, only its own steps stand.
    fn head(&self) -> Option<Finding> {
        if self.is_unseen() {
            return None;
        }
        let was = self.held.saved.content.head;
        let own = |receipt: &ReceiptRef| {
            self.steps_of_plan().iter().any(|step| {
                let ran = self.here.applied.get(&step.migration);
                ran.is_some_and(|ran| {
                    ran.receipt == *receipt && ran.checksum == Some(step.checksum)
                })
            })
        };
        if let Some(was) = was
            && self.here.receipts.get(&was.seq) != Some(&was.hash)
        {
            let is = self.here.receipts.get(&was.seq);
            return Some(self.finding(
                None,
                "its target has another history now",
                vec![
                    format!("then: receipt {} was {}", was.seq, was.hash.short()),
                    is.map_or_else(
                        || format!("now:  there is no receipt {}", was.seq),
                        |is| format!("now:  it is {}", is.short()),
                    ),
                ],
                "the receipts that the plan was made after",
            ));
        }
        let others: Vec<ReceiptRef> = self.here.changes_after(was).filter(|it| !own(it)).collect();
        if others.is_empty() {
            return None;
        }
        let after = was.map_or_else(
            || "when nothing had run there".to_owned(),
            |was| format!("after receipt {}", was.seq),
        );
        let told = others.iter().take(MOST).map(|it| self.told(*it));
        let mut found: Vec<String> = told.collect();
        found.extend(more(others.len()));
        Some(self.finding(
            None,
            format!("its target changed: the plan was made {after}"),
            found,
            "no other change there than the plan's own steps",
        ))
    }

    /// What a receipt says that is not the plan's.
    fn told(&self, receipt: ReceiptRef) -> String {
        let seq = receipt.seq;
        let mut applied = self.here.applied.iter();
        if let Some((migration, ran)) = applied.find(|(_, ran)| ran.receipt == receipt) {
            return format!(
                "receipt {seq}: {migration}, {} by {}",
                ran.at.minute(),
                ran.by
            );
        }
        let mut undone = self.here.undone.iter();
        match undone.find(|(_, undone)| **undone == receipt) {
            Some((migration, _)) => format!("receipt {seq}: {migration} was undone"),
            None => format!("receipt {seq}: what no longer stands"),
        }
    }

    /// Each step that is left is there as it was read, and would run as it was to.
    fn steps(&self) -> Vec<Finding> {
        let steps = self.steps_of_plan().iter();
        steps.filter_map(|step| self.step(step)).collect()
    }

    fn step(&self, step: &SavedStep) -> Option<Finding> {
        let about = Some(&step.migration);
        let required = format!("{}, as the plan has it", step.checksum.short());
        if let Some(ran) = self.here.applied.get(&step.migration) {
            return (ran.checksum != Some(step.checksum)).then(|| {
                self.finding(
                    about,
                    "other bytes of it stand there",
                    vec![format!(
                        "{}, {} by {}",
                        ran.bytes(),
                        ran.at.minute(),
                        ran.by
                    )],
                    required,
                )
            });
        }
        let Some(file) = self.file(&step.migration) else {
            return Some(self.finding(about, "its folder is gone", Vec::new(), required));
        };
        if file.checksum != step.checksum {
            return Some(self.finding(
                about,
                "its script is not the one that the plan has",
                vec![format!("{} on disk", file.checksum.short())],
                required,
            ));
        }
        let down = |it: Option<crate::digest::Checksum>| {
            it.map_or_else(|| "none".to_owned(), |it| it.short())
        };
        let (was, is) = (
            step.down.as_ref().map(|down| down.checksum),
            file.down.map(|down| down.checksum),
        );
        if was != is {
            return Some(self.finding(
                about,
                "its down.sql is not the one that the plan has",
                vec![format!("{} on disk", down(is))],
                format!("{}, as the plan has it", down(was)),
            ));
        }
        let left = &self.plan.steps;
        let place = left.binary_search_by(|it| it.migration.cmp(&step.migration));
        let left = left.get(place.ok()?)?;
        // Of what was begun since more may stand, and it goes on there.
        (left.kind != step.kind || left.done < step.standing).then(|| {
            let told = |kind: crate::model::ReceiptKind, done: u64| {
                format!("{}, after {done} of its statements", kind.as_str())
            };
            self.finding(
                about,
                "it would run otherwise than the plan says",
                vec![told(left.kind, left.done)],
                told(step.kind, step.standing),
            )
        })
    }

    fn file(&self, migration: &MigrationId) -> Option<&'a FileFacts<'a>> {
        let files = self.inputs.files;
        let place = files.binary_search_by(|file| file.migration.cmp(migration));
        files.get(place.ok()?)
    }

    /// Nothing else is pending before its last step.
    fn others(&self) -> Vec<Finding> {
        if self.is_unseen() {
            return Vec::new();
        }
        let is_own = |migration: &MigrationId| {
            let steps = self.steps_of_plan();
            let place = steps.binary_search_by(|step| step.migration.cmp(migration));
            place.is_ok()
        };
        let others = self.plan.steps.iter();
        others
            .filter(|it| !is_own(&it.migration))
            .map(|it| {
                self.finding(
                    Some(&it.migration),
                    "it is pending before the plan's last step, and the plan does not name it",
                    Vec::new(),
                    "no step but those of the plan",
                )
            })
            .collect()
    }

    /// It stands on no waiver that it did not name.
    fn waivers(&self) -> Vec<Finding> {
        let named: BTreeSet<Place> = self
            .held
            .saved
            .content
            .waivers
            .iter()
            .map(|waiver| waiver.entry)
            .collect();
        let waived = self.plan.waived.iter().map(|waived| &waived.waiver);
        waived
            .filter(|waiver| !named.contains(&waiver.entry))
            .map(|waiver| {
                self.finding(
                    Some(&waiver.migration),
                    format!(
                        "{} was waived for it, and the plan does not name that",
                        waiver.gate
                    ),
                    vec![format!(
                        "waived by {} {}: {}",
                        waiver.actor,
                        waiver.at.minute(),
                        waiver.reason
                    )],
                    "the waivers that the plan names, and no other",
                )
            })
            .collect()
    }
}

fn more(all: usize) -> Option<String> {
    let more = all.checked_sub(MOST).filter(|more| *more > 0)?;
    Some(format!("and {more} more"))
}

/// How to make the plan again, as things are now.
fn anew(inputs: &Inputs<'_>, held: Held<'_>) -> String {
    let last = held.saved.last();
    let is_there = last.is_some_and(|last| {
        let mut files = inputs.files.iter();
        files.any(|file| file.migration == last)
            && inputs
                .files
                .last()
                .is_some_and(|file| file.migration != last)
    });
    let to = last.filter(|_| is_there);
    let to = to.map_or_else(String::new, |to| format!(" --to {}", shell(to.as_str())));
    format!(
        "tollgate plan {}{to} --out {}   # a new plan, to be read anew",
        inputs.environment,
        shell(held.file)
    )
}

/// A plan for one environment is no plan for another.
#[must_use]
pub fn elsewhere(of: &EnvironmentName, asked: &EnvironmentName, file: &str) -> Finding {
    Finding {
        gate: Gate::Premise,
        migration: None,
        fact: format!("the plan is for {of}, and not for {asked}"),
        found: Vec::new(),
        required: format!("a plan for {asked}"),
        remedy: format!("tollgate apply {of} --plan {}", shell(file)),
    }
}

/// A plan for an environment that the project does not have is another project's.
#[must_use]
pub fn nowhere(of: &EnvironmentName, file: &str) -> Finding {
    Finding {
        gate: Gate::Premise,
        migration: None,
        fact: format!(
            "the plan is for {of}, and tollgate.toml here has no environment of that name"
        ),
        found: Vec::new(),
        required: "a plan of this project".to_owned(),
        remedy: format!("tollgate review {}   # says what it is of", shell(file)),
    }
}

/// What is no saved plan, or not unaltered, is none that anybody said yes to. The environment, where one is
/// named.
#[must_use]
pub fn unfit(error: &SavedError, environment: Option<&EnvironmentName>, file: &str) -> Finding {
    let of = environment.map_or("'<environment>'", EnvironmentName::as_str);
    let found = match error {
        SavedError::Altered(id) => vec![format!("it calls itself {id}")],
        _ => Vec::new(),
    };
    let remedy = match error {
        SavedError::Newer(_) => "upgrade tollgate on this machine".to_owned(),
        SavedError::NotOne(_) | SavedError::TooLarge => {
            format!("tollgate plan {of} --out release.plan.json   # writes one")
        }
        SavedError::Altered(_) => format!(
            "tollgate plan {of} --out {}   # or put back the file as it was written, byte for byte",
            shell(file)
        ),
    };
    Finding {
        gate: Gate::Premise,
        migration: None,
        fact: error.to_string(),
        found,
        required: "a saved plan, exactly as tollgate plan --out wrote it".to_owned(),
        remedy,
    }
}
