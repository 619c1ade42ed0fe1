//! SIGKILL at random instants, with hundreds of entries on their way.

use std::thread;
use std::time::Duration;

use super::{Ben, Verb, reference};
use crate::Random;
use crate::small::Watched;
use crate::workers::try_all;
use crate::world::{Engine, Verdict};

/// How many, over the verbs.
const FAULTS: (usize, usize) = (240, 8);

/// How often an instant is drawn anew where the run was over before it.
const DRAWS: usize = 8;

const VERBS: [Verb; 8] = [
    Verb::From,
    Verb::Push,
    Verb::Pull,
    Verb::Apply,
    Verb::FromDir,
    Verb::Look(Engine::Postgres),
    Verb::Evidence,
    Verb::Export,
];

pub(crate) fn run(full: bool, random: &mut Random) -> Vec<(String, Verdict)> {
    super::begin(full);
    let many = if full { FAULTS.0 } else { FAULTS.1 };
    let cases: Vec<(Verb, Vec<Duration>)> = (0..many)
        .map(|place| {
            let verb = VERBS[place % VERBS.len()];
            let length = reference(verb).length.as_micros();
            let micros = u64::try_from(length).unwrap_or(u64::MAX);
            let mut draw = |n: usize| Duration::from_micros(random.below((micros >> n).max(1)));
            (verb, (0..DRAWS).map(&mut draw).collect())
        })
        .collect();
    try_all("team-kill", cases, |(verb, instants)| {
        for instant in instants {
            let ben = Ben::new(verb);
            let mut run = Watched::start(ben.command());
            thread::sleep(instant);
            // Whoever has ended already was not killed.
            if run.has_ended() || run.kill().code.is_some() {
                continue;
            }
            return (format!("{verb:?} after {instant:?}"), ben.settle());
        }
        let never = format!("the run was over before each of {DRAWS} instants");
        (format!("{verb:?}"), Verdict::Wrong(never))
    })
}
