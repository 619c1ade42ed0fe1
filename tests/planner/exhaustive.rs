//! Every world of several small shapes. The whole product (three migrations, three environments,
//! every history) has more than 10^11 worlds; each of these slices of it is walked without a gap.

use std::collections::HashMap;

use tollgate::digest::ChainHash;
use tollgate::ledger::View;
use tollgate::model::Entry;
use tollgate::planner::{Gate, Plan};
use tollgate::sql::PARSER_THREAD;

use crate::oracle::{Facts, answer_of};
use crate::worlds::{
    DESTROYS, Env, Event, MAY_DESTROY, Name, Question, Version, What, Writer, ask, policy, step,
};

/// What may have happened to one migration in one environment.
#[derive(Debug, Clone, Copy)]
enum Past {
    /// It ran these bytes and succeeded.
    Ran(Version),
    /// It ran these bytes, failed, and left nothing.
    Failed(Version),
    /// It failed half-way.
    Halfway(Version),
    /// It was begun and its end is not known.
    Open(Version),
    /// The same, and the client said so.
    Unknown(Version),
    /// A receipt that this environment wrote was found.
    Found(Version),
    /// A receipt that another environment wrote was found: the target is a copy.
    Copied(Version),
    /// The environment was bound to an empty target.
    Rebound,
    /// The last attempt was resolved as not applied.
    Resolved,
    /// The last attempt, of these bytes, was settled as failed.
    Settled,
    /// The receipt of the last attempt, of these bytes, was found.
    FoundLast(Version),
}

use Past::*;

fn events(chain: usize, env: Env, name: Name, past: &[Past]) -> Vec<Event> {
    let first = (u32::try_from(env).unwrap() * 10 + u32::from(name)) * 10;
    let mut out = Vec::new();
    let mut push = |what| out.push(Event { env, what });
    for (attempt, one) in (first + 1..).zip(past) {
        let before = attempt - 1;
        let mut begin = |version| {
            push(What::Begun {
                attempt,
                name,
                version,
            })
        };
        match *one {
            Ran(version) | Failed(version) | Halfway(version) | Open(version)
            | Unknown(version) => {
                begin(version);
            }
            _ => {}
        }
        match *one {
            Ran(_) => push(What::Succeeded { attempt }),
            Past::Failed(_) => push(What::Failed { attempt }),
            Halfway(_) => push(What::Halfway { attempt }),
            Open(_) => {}
            Unknown(_) => push(What::Unknown { attempt }),
            Found(version) => push(What::Absorbed {
                attempt,
                name,
                version,
                ran_in: env,
            }),
            Copied(version) => {
                push(What::Absorbed {
                    attempt,
                    name,
                    version,
                    ran_in: (env + 1) % chain.max(2),
                });
            }
            Rebound => push(What::Bound),
            Resolved => push(What::Resolved { attempt: before }),
            Settled => push(What::Failed { attempt: before }),
            FoundLast(version) => {
                push(What::Absorbed {
                    attempt: before,
                    name,
                    version,
                    ran_in: env,
                });
            }
        }
    }
    out
}

/// Every way to choose one of `choices` for each of `n` places.
fn products<T: Clone>(n: usize, choices: &[T]) -> Vec<Vec<T>> {
    (0..n).fold(vec![Vec::new()], |partial, _| {
        let longer = |one: Vec<T>| {
            choices
                .iter()
                .map(move |choice| [one.as_slice(), std::slice::from_ref(choice)].concat())
        };
        partial.into_iter().flat_map(longer).collect()
    })
}

/// A slice: all pasts for all places, all files, all environments, all `to`.
struct Slice<'a> {
    chain: usize,
    names: usize,
    pasts: &'a [&'a [Past]],
    files: &'a [Option<Version>],
    with_to: bool,
}

/// A world's events, and the entries they make.
type Local = (Vec<Event>, Vec<Entry>);

impl Slice<'_> {
    /// Compares every plan of the slice with the oracle's answer; returns how many there were.
    fn check(&self, also: &mut (dyn FnMut(&Plan, &Question) + Send)) -> usize {
        // Where scripts are read on anyway: a hundred thousand plans would each start some threads for it.
        let reader = std::thread::Builder::new()
            .name(PARSER_THREAD.to_owned())
            .stack_size(64 * 1024 * 1024);
        std::thread::scope(|scope| {
            let walk = reader
                .spawn_scoped(scope, || self.check_here(also))
                .unwrap();
            walk.join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn check_here(&self, also: &mut dyn FnMut(&Plan, &Question)) -> usize {
        let pasts = products(self.names, self.pasts);
        let local: Vec<Vec<Local>> = (0..self.chain)
            .map(|env| {
                let one = |pasts: &Vec<&[Past]>| {
                    let events: Vec<Event> = (0..)
                        .zip(pasts)
                        .flat_map(|(name, past)| events(self.chain, env, name, past))
                        .collect();
                    let mut writer = Writer::default();
                    let entries = events.iter().map(|event| writer.entry(event)).collect();
                    (events, entries)
                };
                pasts.iter().map(one).collect()
            })
            .collect();
        let mut questions = Vec::new();
        for files in products(self.names, self.files) {
            let files: Vec<(Name, Version)> = (0..)
                .zip(&files)
                .filter_map(|(name, version)| Some((name, (*version)?)))
                .collect();
            for env in 0..self.chain {
                let last = Name::try_from(self.names).unwrap();
                questions.push(Question::new(self.chain, env, &files, None));
                for to in (0..last).filter(|_| self.with_to) {
                    questions.push(Question::new(self.chain, env, &files, Some(to)));
                }
            }
        }
        let mut plans = 0;
        walk(
            &local,
            &View::default(),
            &mut Vec::new(),
            &mut |view, events| {
                let facts = Facts::of(events);
                for question in &questions {
                    let plan = ask(view, question);
                    let found = answer_of(&plan);
                    let expected = facts.answer(question);
                    assert_eq!(found, expected, "{question:#?}\n{events:#?}");
                    also(&plan, question);
                    plans += 1;
                }
            },
        );
        plans
    }
}

fn walk(
    local: &[Vec<Local>],
    view: &View,
    events: &mut Vec<Event>,
    leaf: &mut dyn FnMut(&View, &[Event]),
) {
    let Some((here, rest)) = local.split_first() else {
        return leaf(view, events);
    };
    for (more, entries) in here {
        let mut view = view.clone();
        for entry in entries {
            step(&mut view, entry);
        }
        let before = events.len();
        events.extend(more.iter().cloned());
        walk(rest, &view, events, leaf);
        events.truncate(before);
    }
}

#[test]
fn one_migration_with_any_past_in_each_of_three_environments() {
    let pasts: &[&[Past]] = &[
        &[],
        &[Ran(0)],
        &[Ran(1)],
        &[Failed(0)],
        &[Halfway(0)],
        &[Open(0)],
        &[Unknown(0), Settled],
        &[Found(0)],
        &[Copied(0)],
        &[Copied(1)],
        &[Ran(0), Rebound],
        &[Ran(0), Rebound, Ran(1)],
        &[Failed(0), Ran(0)],
        &[Halfway(0), Resolved],
        &[Ran(0), Rebound, Copied(0)],
    ];
    let files = &[None, Some(0), Some(1)];
    let slice = Slice {
        chain: 3,
        names: 1,
        pasts,
        files,
        with_to: false,
    };
    assert_eq!(slice.check(&mut |_, _| {}), 15usize.pow(3) * 3 * 3);
}

#[test]
fn one_migration_with_any_longer_past_in_one_and_in_two_environments() {
    let pasts: &[&[Past]] = &[
        &[],
        &[Ran(0)],
        &[Unknown(0)],
        &[Unknown(0), FoundLast(0)],
        &[Open(0), Resolved],
        &[Open(0), Resolved, Ran(0)],
        &[Open(0), Open(0)],
        &[Open(0), Rebound],
        &[Open(0), FoundLast(0), Rebound, Open(1)],
        &[Halfway(0), FoundLast(0)],
        &[Halfway(0), Rebound],
        &[Halfway(0), Resolved, Ran(1)],
        &[Halfway(0), Halfway(1), Resolved],
        &[Failed(0), Failed(1)],
        &[Failed(1), Ran(0), Rebound],
        &[Failed(0), Rebound, Failed(1), Found(1)],
        &[Failed(1), Copied(0)],
        &[Found(1), Rebound, Copied(0), Rebound, Halfway(0)],
        &[Copied(0), Rebound, Ran(0), Rebound],
        &[Copied(0), Found(1)],
        &[Found(0), Copied(1)],
    ];
    let files = &[None, Some(0), Some(1), Some(2)];
    for chain in [1, 2] {
        let slice = Slice {
            chain,
            names: 1,
            pasts,
            files,
            with_to: true,
        };
        let plans = 21usize.pow(u32::try_from(chain).unwrap()) * 4 * chain * 2;
        assert_eq!(slice.check(&mut |_, _| {}), plans);
    }
}

#[test]
fn two_migrations_with_any_past_in_each_of_two_environments() {
    let pasts: &[&[Past]] = &[&[], &[Ran(0)], &[Ran(1)], &[Halfway(0)], &[Copied(0)]];
    let files = &[None, Some(0), Some(1)];
    let slice = Slice {
        chain: 2,
        names: 2,
        pasts,
        files,
        with_to: true,
    };
    assert_eq!(slice.check(&mut |_, _| {}), 5usize.pow(4) * 9 * 2 * 3);
}

#[test]
fn three_migrations_that_ran_or_did_not_in_each_of_three_environments() {
    let pasts: &[&[Past]] = &[&[], &[Ran(0)]];
    let files = &[None, Some(0)];
    let slice = Slice {
        chain: 3,
        names: 3,
        pasts,
        files,
        with_to: true,
    };
    assert_eq!(slice.check(&mut |_, _| {}), 2usize.pow(9) * 8 * 3 * 4);
}

#[test]
fn three_migrations_with_any_past_in_a_chain_of_one() {
    let pasts: &[&[Past]] = &[&[], &[Ran(0)], &[Ran(1)], &[Failed(0)], &[Open(0)]];
    let files = &[None, Some(0), Some(1)];
    let slice = Slice {
        chain: 1,
        names: 3,
        pasts,
        files,
        with_to: true,
    };
    assert_eq!(slice.check(&mut |_, _| {}), 5usize.pow(3) * 27 * 4);
}

#[test]
fn two_migrations_that_destroy_or_do_not_in_up_to_three_environments() {
    let pasts: &[&[Past]] = &[
        &[],
        &[Ran(0)],
        &[Ran(DESTROYS)],
        &[Failed(DESTROYS)],
        &[Ran(MAY_DESTROY), Rebound],
    ];
    let files = &[None, Some(0), Some(DESTROYS), Some(MAY_DESTROY)];
    for (chain, pasts, plans) in [
        (1, pasts, 5usize.pow(2) * 16 * 3),
        (2, &pasts[..3], 3usize.pow(4) * 16 * 2 * 3),
    ] {
        let slice = Slice {
            chain,
            names: 2,
            pasts,
            files,
            with_to: true,
        };
        assert_eq!(slice.check(&mut |_, _| {}), plans);
    }
    let slice = Slice {
        chain: 3,
        names: 1,
        pasts,
        files,
        with_to: false,
    };
    assert_eq!(slice.check(&mut |_, _| {}), 5usize.pow(3) * 4 * 3);
}

/// What the design says that a plan's id digests.
fn identity(plan: &Plan, question: &Question) -> String {
    let refusals: Vec<(Gate, _)> = plan
        .refusals
        .iter()
        .map(|refusal| (refusal.gate, &refusal.migration))
        .collect();
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|step| (&step.migration, step.checksum, step.kind))
        .collect();
    let target = plan.target.as_ref().map(|target| target.incarnation);
    let (environment, head) = (&plan.environment, &plan.head);
    let policy = policy(question.chain);
    format!("{environment} {target:?} {head:?} {steps:?} {refusals:?} {policy:?}")
}

#[test]
fn two_plans_have_one_id_exactly_when_all_that_it_digests_is_equal() {
    let mut ids: HashMap<String, ChainHash> = HashMap::new();
    let mut identities: HashMap<ChainHash, String> = HashMap::new();
    let mut plans = 0;
    let mut compare = |plan: &Plan, question: &Question| {
        let identity = identity(plan, question);
        let id = *ids.entry(identity.clone()).or_insert(plan.id);
        assert_eq!(id, plan.id, "one plan, two ids: {identity}");
        let other = identities
            .entry(plan.id)
            .or_insert_with(|| identity.clone());
        assert_eq!(*other, identity, "two plans, one id");
    };
    let files = &[None, Some(0), Some(1)];
    let pasts: &[&[Past]] = &[
        &[],
        &[Ran(0)],
        &[Rebound, Ran(1)],
        &[Failed(0)],
        &[Halfway(0)],
    ];
    for (chain, names) in [(1, 2), (2, 1), (3, 1)] {
        let slice = Slice {
            chain,
            names,
            pasts,
            files,
            with_to: true,
        };
        plans += slice.check(&mut compare);
    }
    assert!(
        ids.len() > 100 && plans > 10 * ids.len(),
        "{} ids in {plans} plans",
        ids.len()
    );
}
