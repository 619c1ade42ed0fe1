//! The program ends at every point before and after everything that lasts, without a destructor.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;

use crate::Random;
use crate::workers::try_all;
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
        let reached = Tree::ALL.map(|tree| (tree, times(&reference(engine, tree).points)));
        let names: BTreeSet<&String> = reached.iter().flat_map(|(_, all)| all.keys()).collect();
        assert!(names.len() > 20, "the points are not reached: {names:?}");
        for name in names {
            let every = reached.iter().flat_map(|(tree, all)| {
                let times = all.get(name).copied().unwrap_or(0);
                (1..=times).map(|nth| (*tree, nth))
            });
            let every: Vec<(Tree, u64)> = every.collect();
            let tried = if full {
                every
            } else {
                vec![every[random.place(every.len())]]
            };
            for (tree, nth) in tried {
                cases.push(Case {
                    engine,
                    tree,
                    point: format!("{name}:{nth}"),
                    then: Vec::new(),
                });
            }
        }
        for (tree, all) in &reached {
            let points = &reference(engine, *tree).points;
            let mut draw = |longest: u64| {
                let name = &points[random.place(points.len())];
                format!("{name}:{}", 1 + random.below(all[name].min(longest)))
            };
            for _ in 0..if full { TWICE.0 } else { TWICE.1 } {
                // The settling is shorter than the run.
                cases.push(Case {
                    engine,
                    tree: *tree,
                    point: draw(u64::MAX),
                    then: vec![draw(4), draw(8)],
                });
            }
        }
    }
    // A run that somebody cuts short has tried a bit of everything.
    for place in (1..cases.len()).rev() {
        cases.swap(place, random.place(place + 1));
    }
    try_all("failpoints", cases, |case| {
        let then = match case.then.as_slice() {
            [] => String::new(),
            then => format!(", then {}", then.join(", ")),
        };
        let name = format!("{:?} {:?} {}{then}", case.engine, case.tree, case.point);
        (name, try_one(case))
    })
}

/// How often each point is reached.
fn times(points: &[String]) -> BTreeMap<String, u64> {
    let mut times = BTreeMap::new();
    for name in points {
        *times.entry(name.clone()).or_default() += 1;
    }
    times
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
