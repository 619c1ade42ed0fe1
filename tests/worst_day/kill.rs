//! SIGKILL at random instants.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::Random;
use crate::workers::try_all;
use crate::world::{Engine, Tree, Verdict, World, reference};

/// How many, over the trees and the engines.
const FAULTS: (usize, usize) = (300, 24);

/// How often an instant is drawn anew where the run was over before it.
const DRAWS: usize = 8;

struct Case {
    engine: Engine,
    tree: Tree,
    instants: Vec<Duration>,
}

pub(crate) fn run(full: bool, random: &mut Random) -> Vec<(String, Verdict)> {
    let mut cases = Vec::new();
    for place in 0..if full { FAULTS.0 } else { FAULTS.1 } {
        let engine = Engine::ALL[place % 2];
        let tree = Tree::ALL[place / 2 % 3];
        let micros = u64::try_from(reference(engine, tree).length.as_micros()).unwrap_or(u64::MAX);
        // Each one earlier than the one before it may be: on a machine that has become faster since, the
        // run is over before most of the time that it took then.
        let mut draw = |n: usize| Duration::from_micros(random.below((micros >> n).max(1)));
        cases.push(Case {
            engine,
            tree,
            instants: (0..DRAWS).map(&mut draw).collect(),
        });
    }
    try_all("kill", cases, try_one)
}

fn try_one(case: Case) -> (String, Verdict) {
    let Case {
        engine,
        tree,
        instants,
    } = case;
    for instant in instants {
        let mut world = World::new(engine, tree);
        let mut run = world
            .apply()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("the program starts");
        thread::sleep(instant);
        // Whoever has ended already was not killed.
        let over = !matches!(run.try_wait(), Ok(None));
        if !over {
            // The whole group: whatever it had started goes with it.
            let group = format!("-{}", run.id());
            let killed = Command::new("kill").args(["-KILL", "--", &group]).status();
            assert!(killed.is_ok(), "there is no command kill: {killed:?}");
        }
        let status = run.wait().expect("a process of ours");
        if over || status.code().is_some() {
            continue;
        }
        let name = format!("{engine:?} {tree:?} after {instant:?}");
        return (name, world.settle());
    }
    let name = format!("{engine:?} {tree:?}");
    let never = format!("the run was over before each of {DRAWS} instants");
    (name, Verdict::Wrong(never))
}
