//! Larger worlds, drawn at random: ten migrations, five environments, any order of events. They need
//! not be worlds that tollgate itself would make: a ledger may hold what other ledgers did.

use proptest::prelude::*;
use tollgate::planner::Gate;
use tollgate::planner::history::ClaimKind;

use crate::oracle::{Facts, answer_of};
use crate::worlds::{
    Env, Event, Name, Prisma, Question, VERSIONS, Version, What, ask, ask_under, policy,
    shifted_view, view,
};

const ENVIRONMENTS: usize = 5;
const NAMES: usize = 10;

/// One thing to do, drawn at random; what it needs and is not there makes it nothing.
#[derive(Debug, Clone)]
struct Draw {
    env: Env,
    name: Name,
    version: Version,
    action: u8,
    pick: prop::sample::Index,
}

fn draw() -> impl Strategy<Value = Draw> {
    (
        0..ENVIRONMENTS,
        0..NAMES,
        0..VERSIONS,
        0u8..23,
        any::<prop::sample::Index>(),
    )
        .prop_map(|(env, name, version, action, pick)| {
            let name = Name::try_from(name).unwrap();
            Draw {
                env,
                name,
                version,
                action,
                pick,
            }
        })
}

/// Makes events of draws: every end has its beginning, on the same target.
fn events(draws: &[Draw]) -> Vec<Event> {
    let mut out = Vec::new();
    let mut open: Vec<Vec<(u32, Name, Version)>> = vec![Vec::new(); ENVIRONMENTS];
    let mut halfway = open.clone();
    for (attempt, draw) in (0..).zip(draws) {
        let Draw {
            env, name, version, ..
        } = *draw;
        let (open, halfway) = (&mut open[env], &mut halfway[env]);
        let mut push = |what| out.push(Event { env, what });
        let begun = What::Begun {
            attempt,
            name,
            version,
        };
        let picked = |from: &mut Vec<(u32, Name, Version)>| {
            (!from.is_empty()).then(|| from.remove(draw.pick.index(from.len())))
        };
        match draw.action {
            0..=2 => [begun, What::Succeeded { attempt }].map(push).len(),
            3 => [begun, What::Failed { attempt }].map(push).len(),
            4 => {
                halfway.push((attempt, name, version));
                [begun, What::Halfway { attempt }].map(push).len()
            }
            5 => {
                open.push((attempt, name, version));
                [begun].map(push).len()
            }
            6 => {
                open.push((attempt, name, version));
                [begun, What::Unknown { attempt }].map(push).len()
            }
            7 => [What::Absorbed {
                attempt,
                name,
                version,
                ran_in: env,
            }]
            .map(push)
            .len(),
            8 => {
                let ran_in = draw.pick.index(ENVIRONMENTS);
                [What::Absorbed {
                    attempt,
                    name,
                    version,
                    ran_in,
                }]
                .map(push)
                .len()
            }
            9 => {
                open.clear();
                halfway.clear();
                [What::Bound].map(push).len()
            }
            10 | 11 => picked(open)
                .map(|(attempt, ..)| push(What::Succeeded { attempt }))
                .iter()
                .len(),
            12 => picked(open)
                .map(|(attempt, ..)| push(What::Failed { attempt }))
                .iter()
                .len(),
            13 => {
                let from = if draw.pick.index(2) == 0 {
                    open
                } else {
                    halfway
                };
                let found = picked(from).map(|(attempt, name, version)| {
                    push(What::Absorbed {
                        attempt,
                        name,
                        version,
                        ran_in: env,
                    });
                });
                found.iter().len()
            }
            19 | 20 => {
                let glass = What::Glass {
                    attempt,
                    name,
                    version,
                };
                [glass, What::Succeeded { attempt }].map(push).len()
            }
            21 => {
                open.push((attempt, name, version));
                let glass = What::Glass {
                    attempt,
                    name,
                    version,
                };
                [glass].map(push).len()
            }
            22 => [What::Reviewed].map(push).len(),
            16..=18 => {
                let gates = [
                    Gate::Order,
                    Gate::Promotion,
                    Gate::Modified,
                    Gate::Missing,
                    Gate::DataLoss,
                ];
                let gate = gates[draw.pick.index(gates.len())];
                let waived = What::Waived {
                    gate,
                    name,
                    version,
                };
                [waived].map(push).len()
            }
            14 => {
                let ended = picked(open);
                halfway.extend(ended);
                ended
                    .map(|(attempt, ..)| push(What::Halfway { attempt }))
                    .iter()
                    .len()
            }
            _ => {
                let goes_on = open.is_empty() && draw.pick.index(2) == 0;
                let from = if open.is_empty() { halfway } else { open };
                picked(from)
                    .map(|(attempt, ..)| {
                        push(if goes_on {
                            What::GoesOn { attempt }
                        } else {
                            What::Resolved { attempt }
                        })
                    })
                    .iter()
                    .len()
            }
        };
    }
    out
}

fn files() -> impl Strategy<Value = Vec<(Name, Version)>> {
    prop::collection::vec(prop::option::weighted(0.8, 0..VERSIONS), NAMES).prop_map(|files| {
        (0..)
            .zip(files)
            .filter_map(|(name, version)| Some((name, version?)))
            .collect()
    })
}

/// A world in which most of the chain went as it should, and then some draws.
fn world() -> impl Strategy<Value = (Vec<Event>, Vec<(Name, Version)>)> {
    let reached = prop::collection::vec(0..=ENVIRONMENTS, NAMES);
    let draws = prop::collection::vec(draw(), 0..25);
    (files(), reached, draws).prop_map(|(files, reached, draws)| {
        let mut attempt = 1000;
        let mut out = Vec::new();
        for (name, version) in &files {
            for env in 0..reached[usize::from(*name)] {
                attempt += 1;
                let what = What::Begun {
                    attempt,
                    name: *name,
                    version: *version,
                };
                out.push(Event { env, what });
                out.push(Event {
                    env,
                    what: What::Succeeded { attempt },
                });
            }
        }
        out.extend(events(&draws));
        (out, files)
    })
}

/// The same events, each environment's in its own order, the environments mixed otherwise.
fn mixed(events: &[Event], picks: &[prop::sample::Index]) -> Vec<Event> {
    let mut queues: Vec<Vec<&Event>> = (0..ENVIRONMENTS)
        .map(|env| {
            events
                .iter()
                .rev()
                .filter(|event| event.env == env)
                .collect()
        })
        .collect();
    let mut picks = picks.iter().cycle();
    let mut out = Vec::new();
    loop {
        queues.retain(|queue| !queue.is_empty());
        let Some(pick) = picks.next().filter(|_| !queues.is_empty()) else {
            return out;
        };
        let at = pick.index(queues.len());
        out.extend(queues[at].pop().cloned());
    }
}

/// What a contact may find of Prisma's; mostly nothing.
fn prisma() -> impl Strategy<Value = Prisma> {
    let kind = prop::sample::select(vec![
        ClaimKind::LineEndings,
        ClaimKind::Edited,
        ClaimKind::ByHand,
        ClaimKind::Missing,
        ClaimKind::Renamed,
        ClaimKind::Ahead,
        ClaimKind::Failed,
        ClaimKind::FailedAgain,
        ClaimKind::RolledBack,
    ]);
    (
        prop::collection::btree_map(0..10u8, kind, 0..4),
        prop::bool::weighted(0.5),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    )
        .prop_map(
            |(claims, some, unknown_history, newer, wrong_provider)| Prisma {
                claims: if some {
                    claims.into_iter().collect()
                } else {
                    Vec::new()
                },
                unknown_history,
                newer,
                wrong_provider,
            },
        )
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn the_planner_agrees_with_the_oracle(
        (events, files) in world(),
        chain in 1..=ENVIRONMENTS,
        to in 0..NAMES,
        other_target in prop::bool::weighted(0.1),
        other_tables in prop::bool::weighted(0.1),
        begun_elsewhere in prop::option::weighted(0.1, 0..10u8),
        prisma in prisma(),
    ) {
        let view = view(&events);
        let facts = Facts::of(&events);
        let to = Name::try_from(to).unwrap();
        for env in 0..chain {
            for to in [None, Some(to)] {
                let mut question = Question::new(chain, env, &files, to);
                (question.other_target, question.other_tables) = (other_target, other_tables);
                question.begun_elsewhere = begun_elsewhere;
                question.prisma = prisma.clone();
                prop_assert_eq!(answer_of(&ask(&view, &question)), facts.answer(&question), "{:?}", question);
            }
        }
    }

    #[test]
    fn a_ready_plan_holds_no_step_without_evidence_in_every_earlier_environment(
        (events, files) in world(),
    ) {
        let view = view(&events);
        let evidence = Facts::of(&events).evidence;
        for env in 0..ENVIRONMENTS {
            let answer = answer_of(&ask(&view, &Question::new(ENVIRONMENTS, env, &files, None)));
            if answer.verdict == "ready" {
                for (name, version) in answer.steps {
                    // A person accepted that it is not proven, and the plan says so.
                    let is_accepted = answer.waived.contains(&(Gate::Promotion, name));
                    for before in 0..env {
                        prop_assert!(is_accepted || evidence.contains(&(before, name, version)));
                    }
                }
            }
        }
    }

    #[test]
    fn the_prefix_that_is_offered_is_ready_and_the_longest_that_is((events, files) in world()) {
        let view = view(&events);
        for env in 0..ENVIRONMENTS {
            let question = Question::new(ENVIRONMENTS, env, &files, None);
            let whole = answer_of(&ask(&view, &question));
            let ready = |to: Name| {
                let shorter = Question { to: Some(to), ..question.clone() };
                answer_of(&ask(&view, &shorter)).verdict == "ready"
            };
            let longest = whole.steps.iter().map(|(name, _)| *name).filter(|name| ready(*name)).max();
            if whole.verdict == "refused" {
                prop_assert_eq!(whole.ready_to, longest);
            } else {
                prop_assert_eq!(whole.ready_to, None);
            }
        }
    }

    #[test]
    fn a_plan_does_not_depend_on_how_the_environments_events_interleave(
        (events, files) in world(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 64),
    ) {
        let other = view(&mixed(&events, &picks));
        let view = view(&events);
        // The numbers of the entries differ, and nothing that they say.
        for (name, here) in view.environments() {
            let there = other.get(name).unwrap();
            prop_assert_eq!((&here.target, &here.evidence), (&there.target, &there.evidence));
            prop_assert_eq!(&**here, &**there);
        }
        for env in 0..ENVIRONMENTS {
            let question = Question::new(ENVIRONMENTS, env, &files, None);
            prop_assert_eq!(ask(&view, &question), ask(&other, &question));
        }
    }

    /// What stands outside the chain is neither asked for nor believed, whatever happened there.
    #[test]
    fn an_environment_outside_the_chain_changes_no_plan_of_the_others((events, files) in world()) {
        let view = view(&events);
        let mut outside = policy(ENVIRONMENTS);
        outside.environments[1].outside = true;
        let mut without = policy(ENVIRONMENTS);
        without.environments.remove(1);
        for env in [0, 2] {
            let question = Question::new(ENVIRONMENTS, env, &files, None);
            let (one, other) = (ask_under(&outside, &view, &question), ask_under(&without, &view, &question));
            prop_assert_eq!((&one.steps, &one.refusals, &one.warnings), (&other.steps, &other.refusals, &other.warnings));
        }
        // There itself nothing has to be proven.
        let free = ask_under(&outside, &view, &Question::new(ENVIRONMENTS, 1, &files, None));
        prop_assert!(free.refusals.iter().all(|refusal| refusal.gate != Gate::Promotion && refusal.gate != Gate::Order));
    }

    #[test]
    fn a_plans_id_never_changes_with_time((events, files) in world(), shift in 1i64..1_000_000_000_000) {
        let (then, now) = (view(&events), shifted_view(&events, shift));
        for env in 0..ENVIRONMENTS {
            let question = Question::new(ENVIRONMENTS, env, &files, None);
            prop_assert_eq!(ask(&then, &question).id, ask(&now, &question).id);
        }
    }

    #[test]
    fn a_plans_id_changes_with_another_environment_only_if_its_refusals_do(
        (events, files) in world(),
        more in prop::collection::vec(draw(), 1..6),
        here in 0..ENVIRONMENTS,
    ) {
        let mut longer = events.clone();
        for (n, draw) in (5000..).zip(&more) {
            let env = if draw.env == here { (here + 1) % ENVIRONMENTS } else { draw.env };
            let what = What::Absorbed { attempt: n, name: draw.name, version: draw.version, ran_in: env };
            longer.push(Event { env, what });
        }
        let question = Question::new(ENVIRONMENTS, here, &files, None);
        let (before, after) = (ask(&view(&events), &question), ask(&view(&longer), &question));
        let same = answer_of(&before).refusals == answer_of(&after).refusals;
        prop_assert_eq!(before.id == after.id, same);
    }
}
