//! The program ends at every point that carries something, without a destructor.

use std::collections::{BTreeMap, BTreeSet};

use super::{Ben, Verb, reference};
use crate::Random;
use crate::small::{BOUND, Watched};
use crate::workers::try_all;
use crate::world::Verdict;

/// Of a point that a verb reaches more often than this, so many times are drawn.
const TIMES: usize = 4;

/// Points that the section failpoints tries.
const OTHERS: [&str; 6] = [
    "sqlite.",
    "postgres.goodbye",
    "postgres.lock",
    "postgres.connect",
    "ledger.lock",
    "ledger.open",
];

struct Case {
    verb: Verb,
    point: String,
}

pub(crate) fn run(full: bool, random: &mut Random) -> Vec<(String, Verdict)> {
    super::begin(full);
    let mut cases = Vec::new();
    let reached: Vec<(Verb, BTreeMap<String, u64>)> = Verb::ALL
        .into_iter()
        .map(|verb| {
            let mut times = BTreeMap::new();
            for name in &reference(verb).points {
                *times.entry(name.clone()).or_default() += 1;
            }
            (verb, times)
        })
        .collect();
    let names: BTreeSet<&String> = reached.iter().flat_map(|(_, all)| all.keys()).collect();
    for due in [
        "ledger.merge.before-commit",
        "ledger.see.before-commit",
        "hub.add.before",
        "hub.pull.after-merge",
        "hub.push.after-add",
        "verify.keep.before",
        "export.file.before-rename",
    ] {
        let is_there = names.iter().any(|name| *name == due);
        assert!(is_there, "{due} is not reached: {names:?}");
    }
    for name in names {
        let every: Vec<(Verb, u64)> = reached
            .iter()
            .filter_map(|(verb, all)| Some((*verb, *all.get(name)?)))
            .collect();
        // What every run passes is the section failpoints' where little is tried.
        if !full && OTHERS.iter().any(|others| name.starts_with(others)) {
            continue;
        }
        let tried = match full {
            true => every,
            false => vec![every[random.place(every.len())]],
        };
        for (verb, times) in tried {
            let mut drawn: BTreeSet<u64> = BTreeSet::new();
            let wanted = if full { TIMES as u64 } else { 1 }.min(times);
            while (drawn.len() as u64) < wanted {
                drawn.insert(1 + random.below(times));
            }
            cases.extend(drawn.into_iter().map(|nth| Case {
                verb,
                point: format!("{name}:{nth}"),
            }));
        }
    }
    for place in (1..cases.len()).rev() {
        cases.swap(place, random.place(place + 1));
    }
    try_all("team-crash", cases, |case| {
        let name = format!("{:?} {}", case.verb, case.point);
        (name, try_one(&case))
    })
}

fn try_one(case: &Case) -> Verdict {
    let ben = Ben::new(case.verb);
    let mut command = ben.command();
    command.env("TOLLGATE_FAILPOINT", &case.point);
    let ran = Watched::start(command).end(BOUND);
    if ran.code.is_some() || ran.hung {
        return Verdict::Wrong(format!("it was not ended there: {}", ran.text()));
    }
    ben.settle()
}
