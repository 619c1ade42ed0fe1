//! Walks over the verbs: whatever is done in whatever order, no environment ends up with bytes that did not
//! succeed before it, unless that is on record: through broken glass with its debt, open or paid, or with
//! a waiver of promotion where the policy allows one.
//!
//! The walk keeps its own account of what succeeded on the ordinary way, and never asks the view for it.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tollgate::model::{IncidentName, Timestamp};
use tollgate::planner::{Gate, Glass, Plan, Verdict};

use crate::worlds::{
    Env, Event, Name, Question, VERSIONS, Version, What, ask, environment, name_of, policy,
    version_of, view,
};

const CHAIN: usize = 3;
const LAST: Env = CHAIN - 1;

/// One verb, drawn at random, or something that happens to it.
#[derive(Debug, Clone)]
struct Verb {
    what: u8,
    env: Env,
    name: Name,
    version: Version,
    /// At which step it ends, and how: beyond the steps it succeeds.
    ends: (usize, u8),
}

fn verb() -> impl Strategy<Value = Verb> {
    (0u8..20, 0..CHAIN, 0u8..4, 0..VERSIONS, (0usize..6, 0u8..3)).prop_map(
        |(what, env, name, version, ends)| Verb {
            what,
            env,
            name,
            version,
            ends,
        },
    )
}

/// How bytes came to an environment where nothing proved them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Excuse {
    Glass,
    Waiver,
}

#[derive(Debug, Default)]
struct Walk {
    files: BTreeMap<Name, Version>,
    events: Vec<Event>,
    attempts: u32,
    /// What succeeded there through an ordinary plan.
    succeeded: BTreeSet<(Env, Name, Version)>,
    /// What was sent there without having succeeded in every environment before.
    excused: BTreeSet<(Env, Name, Version, Excuse)>,
    open: Vec<(Env, u32, bool, Name, Version)>,
}

impl Walk {
    fn plan(&self, env: Env, to: Option<Name>) -> Plan {
        let files: Vec<(Name, Version)> = self.files.iter().map(|(n, v)| (*n, *v)).collect();
        ask(&view(&self.events), &Question::new(CHAIN, env, &files, to))
    }

    fn push(&mut self, env: Env, what: What) {
        self.events.push(Event { env, what });
    }

    fn was_proven(&self, env: Env, name: Name, version: Version) -> bool {
        (0..env).all(|before| self.succeeded.contains(&(before, name, version)))
    }

    /// What `apply` and `break-glass` do with a plan: nothing, unless it is ready.
    fn run(&mut self, plan: &Plan, env: Env, ends: (usize, u8)) -> Result<(), TestCaseError> {
        if plan.verdict() != Verdict::Ready {
            return Ok(());
        }
        let debts = view(&self.events).debts(environment(env));
        let is_owing = debts.iter().any(|debt| debt.is_open());
        prop_assert!(
            plan.glass.is_some() || !is_owing,
            "an ordinary plan past an open debt"
        );
        for (place, step) in plan.steps.iter().enumerate() {
            let (name, version) = (name_of(&step.migration), version_of(step.checksum));
            let through_glass = plan.glass.is_some();
            if !self.was_proven(env, name, version) {
                let waived = plan.waived.iter().any(|it| {
                    it.finding.gate == Gate::Promotion && it.waiver.migration == step.migration
                });
                prop_assert!(through_glass || waived, "{name} came to {env} unproven");
                prop_assert!(
                    through_glass || env != LAST,
                    "promotion was waived in the last one"
                );
                let excuse = if through_glass {
                    Excuse::Glass
                } else {
                    Excuse::Waiver
                };
                self.excused.insert((env, name, version, excuse));
            }
            self.attempts += 1;
            let attempt = self.attempts;
            self.push(
                env,
                match through_glass {
                    true => What::Glass {
                        attempt,
                        name,
                        version,
                    },
                    false => What::Begun {
                        attempt,
                        name,
                        version,
                    },
                },
            );
            match ends {
                (at, 0) if at == place => {
                    self.push(env, What::Failed { attempt });
                    return Ok(());
                }
                (at, _) if at == place => {
                    self.open.push((env, attempt, through_glass, name, version));
                    return Ok(());
                }
                _ => self.succeed(env, attempt, through_glass, name, version),
            }
        }
        Ok(())
    }

    fn succeed(&mut self, env: Env, attempt: u32, glass: bool, name: Name, version: Version) {
        self.push(env, What::Succeeded { attempt });
        if !glass {
            self.succeeded.insert((env, name, version));
        }
    }

    /// Every contact settles what is open, from the target: it came to its end, or left nothing.
    fn settle(&mut self, env: Env, succeeded: bool) {
        let (here, rest) = std::mem::take(&mut self.open)
            .into_iter()
            .partition(|it| it.0 == env);
        self.open = rest;
        for (env, attempt, glass, name, version) in Vec::from_iter(here) {
            match succeeded {
                true => self.succeed(env, attempt, glass, name, version),
                false => self.push(env, What::Failed { attempt }),
            }
        }
    }

    fn take(&mut self, verb: &Verb) -> Result<(), TestCaseError> {
        let Verb {
            env,
            name,
            version,
            ends,
            ..
        } = *verb;
        let to = (version == 0).then_some(name);
        match verb.what {
            0..=2 => drop(self.files.insert(name, version)),
            3 => drop(self.files.remove(&name)),
            4..=8 => {
                self.settle(env, ends.1 == 1);
                let plan = self.plan(env, to);
                self.run(&plan, env, ends)?;
            }
            9 | 10 => {
                for there in 0..=env {
                    self.settle(there, ends.1 == 1);
                    let plan = self.plan(there, to);
                    self.run(&plan, there, (usize::MAX, 0))?;
                }
            }
            11..=13 => {
                self.settle(env, ends.1 == 1);
                let glass = Glass {
                    incident: IncidentName("INC-7".to_owned()),
                    reason: "it cannot wait".to_owned(),
                    review_by: Timestamp::from_unix_millis(1_770_000_000_000),
                    to: None,
                    confirmed: None,
                };
                let plan = self.plan(env, to).through(&glass, &policy(CHAIN));
                // With nothing to skip the verb refuses.
                if plan.glass.as_ref().is_some_and(|it| !it.skipped.is_empty()) {
                    self.run(&plan, env, ends)?;
                }
            }
            14 | 15 => self.push(env, What::Reviewed),
            16 => {
                self.open.retain(|it| it.0 != env);
                self.push(env, What::Bound);
            }
            _ => {
                // Only what is refused can be waived; in the last one promotion never.
                let refusals = self.plan(env, None).refusals.into_iter();
                let waivable = refusals.filter(|it| it.gate.is_waivable());
                let waivable: Vec<(Gate, Name)> = waivable
                    .filter(|it| env != LAST || it.gate != Gate::Promotion)
                    .filter_map(|it| Some((it.gate, name_of(it.migration.as_ref()?))))
                    .collect();
                let Some((gate, name)) = waivable.get(ends.0 % waivable.len().max(1)).copied()
                else {
                    return Ok(());
                };
                let version = self.files.get(&name).copied();
                if let Some(version) = version {
                    self.push(
                        env,
                        What::Waived {
                            gate,
                            name,
                            version,
                        },
                    );
                }
            }
        }
        Ok(())
    }

    /// What stands, wherever it stands, was proven before it or is on record.
    fn check(&self) -> Result<(), TestCaseError> {
        let view = view(&self.events);
        for env in 0..CHAIN {
            let Some(here) = view.get(environment(env)) else {
                continue;
            };
            let debts = view.debts(environment(env));
            for (migration, ran) in &here.applied {
                let (name, version) = (name_of(migration), version_of(ran.checksum.unwrap()));
                if self.was_proven(env, name, version) {
                    continue;
                }
                let has = |excuse| self.excused.contains(&(env, name, version, excuse));
                let on_record = debts
                    .iter()
                    .flat_map(|debt| &debt.runs)
                    .any(|run| run.migration == *migration && Some(run.checksum) == ran.checksum);
                prop_assert!(has(Excuse::Glass) && on_record || has(Excuse::Waiver));
                prop_assert!(
                    env != LAST || on_record,
                    "in the last one only glass leads past promotion"
                );
                if on_record && !ran.debts.is_empty() {
                    prop_assert!(
                        here.evidence_of(migration, ran.checksum.unwrap()).is_none()
                            || self.succeeded.contains(&(env, name, version))
                    );
                }
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 250, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_stands_anywhere_that_was_not_proven_before_it_or_is_on_record(
        verbs in prop::collection::vec(verb(), 1..60),
    ) {
        let mut walk = Walk::default();
        for verb in &verbs {
            walk.take(verb)?;
            walk.check()?;
        }
    }
}

/// The walk is long enough to come everywhere: else it would prove nothing.
#[test]
fn walks_come_through_glass_waivers_and_the_ordinary_way() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;

    let mut runner = TestRunner::deterministic();
    let (mut glass, mut waived, mut ordinary, mut paid) = (0, 0, 0, 0);
    for _ in 0..100 {
        let verbs = prop::collection::vec(verb(), 40..60)
            .new_tree(&mut runner)
            .unwrap()
            .current();
        let mut walk = Walk::default();
        for verb in &verbs {
            walk.take(verb).unwrap();
        }
        let has = |excuse| walk.excused.iter().any(|it| it.3 == excuse);
        glass += usize::from(has(Excuse::Glass));
        waived += usize::from(has(Excuse::Waiver));
        ordinary += usize::from(walk.succeeded.iter().any(|it| it.0 == LAST));
        let debts = view(&walk.events).debts(environment(LAST));
        paid += usize::from(debts.iter().any(|debt| !debt.is_open()));
    }
    for count in [glass, waived, ordinary, paid] {
        assert!(count >= 5, "{glass} {waived} {ordinary} {paid}");
    }
}
