//! Remedies work: in worlds that tollgate itself could have made, every refusal's remedy is carried
//! out as it is written, and the refusal is gone.
//!
//! Carrying out a remedy means what the verb does: `apply` and `promote` run what the environment's
//! own plan allows, and where that plan is refused, its remedies come first. `log restore` and
//! `restamp` refuse what the verbs refuse.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use tollgate::model::{IncidentName, Timestamp};
use tollgate::planner::{Finding, Gate, Glass, Plan, Verdict};

use crate::oracle::Facts;
use crate::worlds::{
    DESTROYS, Env, Event, Name, Question, Version, What, ask, env_of, environment, migration,
    name_of, policy, version_of, view,
};

/// A project that is worked on.
#[derive(Debug, Clone)]
struct Project {
    chain: usize,
    files: BTreeMap<Name, Version>,
    events: Vec<Event>,
    attempts: u32,
    /// Remedies that were carried out, for a message.
    done: Vec<String>,
}

/// Why a remedy could not be carried out.
type Stuck = String;

/// How an apply ends.
#[derive(Debug, Clone, Copy)]
enum Fate {
    Succeeds,
    /// Step `n` fails and leaves nothing.
    Fails(usize),
    /// Step `n` fails half-way.
    Halfway(usize),
    /// The program ends while step `n` runs.
    Crashes(usize),
}

impl Project {
    fn new(chain: usize) -> Self {
        let (files, events, done) = (BTreeMap::new(), Vec::new(), Vec::new());
        Self {
            chain,
            files,
            events,
            attempts: 0,
            done,
        }
    }

    fn plan(&self, env: Env, to: Option<Name>) -> Plan {
        let files: Vec<(Name, Version)> = self.files.iter().map(|(n, v)| (*n, *v)).collect();
        ask(
            &view(&self.events),
            &Question::new(self.chain, env, &files, to),
        )
    }

    /// The plan through broken glass, without its steps where even that is refused, or has nothing to skip.
    fn break_glass(&self, env: Env, to: Option<Name>) -> Plan {
        let glass = Glass {
            incident: IncidentName("INC-7".to_owned()),
            reason: "it cannot wait".to_owned(),
            review_by: Timestamp::from_unix_millis(1_770_000_000_000),
            to: None,
            confirmed: None,
        };
        let mut plan = self.plan(env, to).through(&glass, &policy(self.chain));
        let skips = plan.glass.as_ref().is_some_and(|it| !it.skipped.is_empty());
        if plan.verdict() != Verdict::Ready || !skips {
            plan.steps.clear();
        }
        plan
    }

    fn push(&mut self, env: Env, what: What) {
        self.events.push(Event { env, what });
    }

    fn applied(&self) -> BTreeSet<(Env, Name, Version)> {
        Facts::of(&self.events).applied
    }

    /// Runs a plan that is ready.
    fn run(&mut self, plan: &Plan, env: Env, fate: Fate) {
        for (place, step) in plan.steps.iter().enumerate() {
            self.attempts += 1;
            let attempt = self.attempts;
            let name = name_of(&step.migration);
            let version = self.files[&name];
            let begun = match plan.glass {
                None => What::Begun {
                    attempt,
                    name,
                    version,
                },
                Some(_) => What::Glass {
                    attempt,
                    name,
                    version,
                },
            };
            self.push(env, begun);
            let end = match fate {
                Fate::Fails(n) if n == place => What::Failed { attempt },
                Fate::Halfway(n) if n == place => What::Halfway { attempt },
                Fate::Crashes(n) if n == place => return,
                _ => What::Succeeded { attempt },
            };
            self.push(env, end);
            if !matches!(end, What::Succeeded { .. }) {
                return;
            }
        }
    }

    /// `bind` to a copy of another environment's target.
    fn copy(&mut self, env: Env, from: Env) {
        let there = self.events.iter().rev().filter(|event| event.env == from);
        let mut present: Vec<What> = there
            .map(|event| event.what)
            .take_while(|what| *what != What::Bound)
            .collect();
        present.reverse();
        self.push(env, What::Bound);
        for what in &present {
            let begun = |wanted: u32| {
                self.events.iter().find_map(|event| match event.what {
                    What::Begun {
                        attempt,
                        name,
                        version,
                    }
                    | What::Glass {
                        attempt,
                        name,
                        version,
                    } if attempt == wanted => Some((name, version)),
                    _ => None,
                })
            };
            let receipt = match *what {
                What::Succeeded { attempt } => {
                    begun(attempt).map(|(name, version)| (attempt, name, version, from))
                }
                What::Absorbed {
                    attempt,
                    name,
                    version,
                    ran_in,
                } => Some((attempt, name, version, ran_in)),
                _ => None,
            };
            if let Some((attempt, name, version, ran_in)) = receipt {
                self.push(
                    env,
                    What::Absorbed {
                        attempt,
                        name,
                        version,
                        ran_in,
                    },
                );
            }
        }
    }

    /// Settles every attempt that a contact settles: here, as having left nothing.
    fn contact(&mut self, env: Env) {
        for attempt in self.unsettled(env, None) {
            self.push(env, What::Failed { attempt });
        }
    }

    /// The attempts of an environment that are open, or failed half-way.
    fn unsettled(&self, env: Env, only: Option<Name>) -> Vec<u32> {
        let mut open: Vec<(u32, Name)> = Vec::new();
        for event in self.events.iter().filter(|event| event.env == env) {
            match event.what {
                What::Begun { attempt, name, .. } | What::Glass { attempt, name, .. } => {
                    open.push((attempt, name))
                }
                What::Bound => open.clear(),
                What::Succeeded { attempt }
                | What::Failed { attempt }
                | What::Absorbed { attempt, .. }
                | What::Resolved { attempt } => open.retain(|(other, _)| *other != attempt),
                What::Halfway { attempt } if only.is_none() => {
                    open.retain(|(other, _)| *other != attempt);
                }
                What::Halfway { .. }
                | What::Unknown { .. }
                | What::GoesOn { .. }
                | What::Reviewed
                | What::Waived { .. } => {}
            }
        }
        open.retain(|(_, name)| only.is_none_or(|only| only == *name));
        open.into_iter().map(|(attempt, _)| attempt).collect()
    }

    /// Whether an environment's plan refuses this.
    fn refusal(&self, env: Env, gate: Gate, name: Option<Name>) -> Option<Finding> {
        let about = |finding: &Finding| {
            finding.gate == gate && finding.migration.as_ref().map(name_of) == name
        };
        self.plan(env, None).refusals.into_iter().find(about)
    }

    /// Carries out remedies until the refusal is gone.
    fn settle(
        &mut self,
        env: Env,
        gate: Gate,
        name: Option<Name>,
        depth: u32,
    ) -> Result<(), Stuck> {
        for _ in 0..20 {
            let Some(refusal) = self.refusal(env, gate, name) else {
                return Ok(());
            };
            self.carry_out(env, &refusal, depth)?;
        }
        Err(format!("{gate} of {name:?} in {env} is still there"))
    }

    /// `apply`: its own refusals are settled first.
    fn apply(&mut self, env: Env, to: Name, depth: u32) -> Result<(), Stuck> {
        for _ in 0..20 {
            self.contact(env);
            let plan = self.plan(env, Some(to));
            match plan.verdict() {
                Verdict::UpToDate => return Ok(()),
                Verdict::Ready => {
                    self.run(&plan, env, Fate::Succeeds);
                    return Ok(());
                }
                Verdict::Refused if depth == 0 => return Err("too deep".to_owned()),
                Verdict::Refused => {
                    let first = &plan.refusals[0];
                    let name = first.migration.as_ref().map(name_of);
                    self.settle(env, first.gate, name, depth - 1)?;
                }
            }
        }
        Err(format!("apply in {env} is refused for ever"))
    }

    /// Does what a remedy says, word by word.
    fn carry_out(&mut self, env: Env, refusal: &Finding, depth: u32) -> Result<(), Stuck> {
        let remedy = refusal.remedy.split("   #").next().unwrap().to_owned();
        self.done.push(format!(
            "{env}: {} {:?}: {remedy}",
            refusal.gate, refusal.migration
        ));
        let words: Vec<&str> = remedy.split_whitespace().collect();
        let name = |word: &str| name_of(&tollgate::model::MigrationId::new(word));
        match words.as_slice() {
            ["tollgate", "apply", there, "--dry-run"] => self.contact(env_of(there)),
            ["tollgate", "apply", there, "--to", to] => {
                self.apply(env_of(there), name(to), depth)?
            }
            ["tollgate", "promote", last, "--to", to] => {
                for there in 0..=env_of(last) {
                    self.apply(there, name(to), depth)?;
                }
            }
            ["tollgate", "log", "restore", what] => self.restore(name(what), None)?,
            ["tollgate", "log", "restore", what, "--environment", there] => {
                self.restore(name(what), Some(env_of(there)))?;
            }
            ["tollgate", "restamp", what] => self.restamp(name(what))?,
            [
                "tollgate",
                "resolve",
                there,
                what,
                "--not-applied",
                "--reason",
                ..,
            ] => {
                let there = env_of(there);
                for attempt in self.unsettled(there, Some(name(what))) {
                    self.push(there, What::Resolved { attempt });
                }
            }
            [
                "tollgate",
                "resolve",
                there,
                what,
                "--continue-at",
                "2",
                "--reason",
                ..,
            ] => {
                let there = env_of(there);
                for attempt in self.unsettled(there, Some(name(what))) {
                    self.push(there, What::GoesOn { attempt });
                }
            }
            [
                "tollgate",
                "waive",
                there,
                gate,
                what,
                "--reason",
                "'<why>'",
            ] => {
                let gate = Gate::from_word(gate).unwrap();
                let version = self.files[&name(what)];
                let name = name(what);
                self.push(
                    env_of(there),
                    What::Waived {
                        gate,
                        name,
                        version,
                    },
                );
            }
            ["tollgate", "post-review", there, "INC-7", "--note", ..] => {
                self.push(env_of(there), What::Reviewed);
            }
            ["tollgate", "reset", there]
            | ["tollgate", "bind", there, "--emptied", "--reason", ..]
            | ["tollgate", "bind", there, "--reason", ..] => self.push(env_of(there), What::Bound),
            other => return Err(format!("no such command: {other:?}")),
        }
        Ok(())
    }

    /// Whether a migration is applied in one strict environment and comes too late for another: no
    /// name would do for both. Only a waiver of `order` can lead on.
    fn has_dead_end(&self) -> bool {
        let applied = self.applied();
        let strict = |env: &Env| *env > 0 || self.chain == 1;
        applied
            .iter()
            .filter(|(env, ..)| strict(env))
            .any(|(_, name, _)| {
                (0..self.chain).filter(strict).any(|env| {
                    let here = || applied.iter().filter(|(other, ..)| *other == env);
                    here().all(|(_, other, _)| other != name)
                        && here().any(|(_, other, _)| other > name)
                })
            })
    }

    /// `log restore` refuses to guess between bytes.
    fn restore(&mut self, name: Name, only: Option<Env>) -> Result<(), Stuck> {
        let view = view(&self.events);
        let asked = (0..self.chain).filter(|env| only.is_none_or(|only| only == *env));
        let bytes = |env| view.get(environment(env))?.bytes_of(migration(name));
        let ran: BTreeSet<Version> = asked.filter_map(bytes).map(version_of).collect();
        match Vec::from_iter(ran).as_slice() {
            [version] => drop(self.files.insert(name, *version)),
            [] => return Err(format!("{name} never ran")),
            _ => {
                return Err(format!(
                    "different bytes of {name} ran in different environments"
                ));
            }
        }
        Ok(())
    }

    /// `restamp` refuses what a strict environment has under the old name.
    fn restamp(&mut self, name: Name) -> Result<(), Stuck> {
        let applied = self.applied();
        if let Some((env, ..)) = applied
            .iter()
            .find(|(env, other, _)| *other == name && (*env > 0 || self.chain == 1))
        {
            return Err(format!("{name} was applied in {env}, under this name"));
        }
        let newest = applied
            .iter()
            .map(|(_, name, _)| *name)
            .chain(self.files.keys().copied())
            .max();
        let version = self.files.remove(&name).unwrap();
        self.files.insert(newest.unwrap() + 1, version);
        Ok(())
    }
}

/// One day's work, drawn at random.
#[derive(Debug, Clone)]
struct Work {
    action: u8,
    env: Env,
    name: Name,
    version: Version,
    fate: u8,
    step: usize,
}

fn work() -> impl Strategy<Value = Work> {
    (0u8..15, 0usize..4, 0u8..6, 0..DESTROYS, 0u8..8, 0usize..3).prop_map(
        |(action, env, name, version, fate, step)| Work {
            action,
            env,
            name,
            version,
            fate,
            step,
        },
    )
}

fn project(chain: usize, works: &[Work]) -> Project {
    let mut project = Project::new(chain);
    for work in works {
        let env = work.env % chain;
        match work.action {
            0..=2 => drop(project.files.insert(work.name, work.version)),
            3 => drop(project.files.remove(&work.name)),
            4 => project.push(env, What::Bound),
            5 if chain > 1 => project.copy(env, (env + 1) % chain),
            12 | 13 => {
                let broken = project.break_glass(env, (work.fate % 2 == 0).then_some(work.name));
                project.run(
                    &broken,
                    env,
                    if work.step == 0 {
                        Fate::Crashes(0)
                    } else {
                        Fate::Succeeds
                    },
                );
            }
            14 => project.push(env, What::Reviewed),
            _ => {
                let to = (work.action % 2 == 0).then_some(work.name);
                let fate = match work.fate {
                    0 => Fate::Fails(work.step),
                    1 => Fate::Halfway(work.step),
                    2 => Fate::Crashes(work.step),
                    _ => Fate::Succeeds,
                };
                let plan = project.plan(env, to);
                if plan.verdict() == Verdict::Ready {
                    project.run(&plan, env, fate);
                }
            }
        }
    }
    project
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_remedy_when_carried_out_removes_its_refusal(
        chain in 1usize..=4,
        works in prop::collection::vec(work(), 1..30),
    ) {
        let project = project(chain, &works);
        for env in 0..chain {
            for refusal in project.plan(env, None).refusals {
                let name = refusal.migration.as_ref().map(name_of);
                let mut after = project.clone();
                let settled = after.settle(env, refusal.gate, name, 6);
                prop_assert_eq!(
                    settled.clone(), Ok(()),
                    "{} {:?} in {}\n{}\nfiles {:?}\n{:#?}",
                    refusal.gate, name, env, after.done.join("\n"), project.files, Facts::of(&project.events)
                );
            }
        }
    }
}

/// A project in which migrations ran in environments, in order, whatever the gates say.
fn ran(chain: usize, files: &[(Name, Version)], ran: &[(Env, Name, Version)]) -> Project {
    let mut project = Project::new(chain);
    project.files.extend(files.iter().copied());
    for (attempt, (env, name, version)) in (1000..).zip(ran) {
        let (name, version) = (*name, *version);
        project.push(
            *env,
            What::Begun {
                attempt,
                name,
                version,
            },
        );
        project.push(*env, What::Succeeded { attempt });
    }
    project
}

fn remedies(project: &Project, env: Env) -> Vec<(Gate, Name, String)> {
    let refusals = project.plan(env, None).refusals.into_iter();
    refusals
        .map(|refusal| {
            (
                refusal.gate,
                name_of(&refusal.migration.unwrap()),
                refusal.remedy,
            )
        })
        .collect()
}

#[test]
fn the_environment_is_named_exactly_where_other_bytes_ran_elsewhere() {
    let one = ran(3, &[(2, 2)], &[(0, 2, 1), (1, 2, 1)]);
    let restore = "tollgate log restore 20250101120002_m";
    assert_eq!(remedies(&one, 1), [(Gate::Modified, 2, restore.to_owned())]);
    let other = ran(3, &[(2, 2)], &[(0, 2, 0), (1, 2, 1)]);
    let named = format!("{restore} --environment test");
    assert_eq!(remedies(&other, 1), [(Gate::Modified, 2, named)]);
    let named = format!("{restore} --environment dev");
    assert_eq!(remedies(&other, 2), [(Gate::Promotion, 2, named)]);
}

#[test]
fn what_a_later_environment_would_refuse_by_order_is_renamed_before_it_is_promoted() {
    let project = ran(4, &[(0, 0), (1, 0)], &[(0, 1, 0), (1, 1, 0), (2, 1, 0)]);
    let restamp = "tollgate restamp 20250101120000_m".to_owned();
    assert_eq!(remedies(&project, 3), [(Gate::Promotion, 0, restamp)]);
}

/// `restamp` would refuse, rightly, because the migration would run again where it ran under its old name.
#[test]
fn a_migration_that_one_strict_environment_has_and_another_has_passed_needs_a_waiver() {
    let has_both = [(0, 0, 0), (0, 1, 0), (1, 0, 0), (1, 1, 0)];
    let project = ran(
        3,
        &[(0, 0), (1, 0)],
        &[&has_both[..], &[(2, 1, 0)]].concat(),
    );
    assert!(project.has_dead_end());
    let found = remedies(&project, 2);
    let [(Gate::Order, 0, remedy)] = found.as_slice() else {
        panic!("one finding of order, about the first migration: {found:?}");
    };
    let waive = "tollgate waive stage order 20250101120000_m --reason '<why>'";
    assert_eq!(remedy, waive);
}

#[test]
fn a_folder_that_was_away_while_later_ones_were_applied_leads_into_that_dead_end() {
    let mut project = Project::new(3);
    let apply = |project: &mut Project, env| {
        let plan = project.plan(env, None);
        assert_eq!(plan.verdict(), Verdict::Ready, "{plan:#?}");
        project.run(&plan, env, Fate::Succeeds);
    };
    project.files.extend([(0, 0), (1, 0)]);
    apply(&mut project, 0);
    apply(&mut project, 1);
    project.files.remove(&0);
    // The last environment never had it, so nothing is missing there.
    apply(&mut project, 2);
    project.files.insert(0, 0);
    assert!(project.has_dead_end());
}
