//! The program ends at every point before and after everything that lasts, without a destructor.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;

use crate::Random;
use crate::workers::by_two;
use crate::world::{Engine, Tree, Verdict, World, reference};

/// What `abort` ends a process with.
const SIGABRT: i32 = 6;

/// For how many faults of each tree the commands that settle it are ended too.
const TWICE: (usize, usize) = (40, 2);

struct Case {
    engine: Engine,
    tree: Tree,
    point: String,
    /// Where the commands that settle are ended in their turn, the last first.
    then: Vec<String>,
}

pub(crate) fn run(full: bool, random: &mut Random) -> Vec<(String, Verdict)> {
    let mut cases = Vec::new();
    for engine in Engine::ALL {
        for tree in Tree::ALL {
            let mut reached: BTreeMap<&str, u64> = BTreeMap::new();
            let clean = reference(engine, tree);
            for name in &clean.points {
                *reached.entry(name).or_default() += 1;
            }
            assert!(
                reached.len() > 20,
                "the points are not reached: {reached:?}"
            );
            let mut add = |point: String, then: Vec<String>| {
                cases.push(Case {
                    engine,
                    tree,
                    point,
                    then,
                });
            };
            for (name, times) in &reached {
                if full {
                    for nth in 1..=*times {
                        add(format!("{name}:{nth}"), Vec::new());
                    }
                } else {
                    add(format!("{name}:{}", 1 + random.below(*times)), Vec::new());
                }
            }
            let mut draw = |longest: u64| {
                let place = random.below(clean.points.len() as u64);
                let name = &clean.points[usize::try_from(place).unwrap_or(0)];
                let times = reached[name.as_str()].min(longest);
                format!("{name}:{}", 1 + random.below(times))
            };
            for _ in 0..if full { TWICE.0 } else { TWICE.1 } {
                // The settling is shorter than the run.
                add(draw(u64::MAX), vec![draw(4), draw(8)]);
            }
        }
    }
    by_two(cases, |case| {
        let then = match case.then.as_slice() {
            [] => String::new(),
            then => format!(", then {}", then.join(", ")),
        };
        let name = format!("{:?} {:?} {}{then}", case.engine, case.tree, case.point);
        (name, try_one(case))
    })
}

fn try_one(case: Case) -> Verdict {
    let mut world = World::new(case.engine, case.tree);
    let output = world
        .apply()
        .env("TOLLGATE_FAILPOINT", &case.point)
        .output()
        .expect("the program starts");
    if output.status.signal() != Some(SIGABRT) {
        return Verdict::Wrong(format!(
            "it was not ended there: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    world.settle_through(case.then)
}
