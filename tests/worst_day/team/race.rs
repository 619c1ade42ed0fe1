//! Several at once: on one ledger, on one hub, on one folder.

use super::{Ada, Ben, Verb};
use crate::Random;
use crate::small::{BOUND, Ran, Watched};
use crate::workers::try_all;
use crate::world::Verdict;

/// How many rounds of each.
const ROUNDS: (usize, usize) = (10, 1);

/// How many at once.
const PROCESSES: usize = 4;

pub(crate) fn run(full: bool, _: &mut Random) -> Vec<(String, Verdict)> {
    super::begin(full);
    let mut cases = Vec::new();
    for round in 1..=if full { ROUNDS.0 } else { ROUNDS.1 } {
        for verb in [
            Verb::From,
            Verb::Push,
            Verb::Pull,
            Verb::Export,
            Verb::Evidence,
        ] {
            cases.push((round, Some(verb)));
        }
        cases.push((round, None));
    }
    try_all("team-race", cases, |(round, verb)| match verb {
        Some(verb) => (
            format!("{verb:?}, {PROCESSES} at once, round {round}"),
            at_once(verb),
        ),
        None => (format!("From beside Apply, round {round}"), beside_apply()),
    })
}

/// The same command several times at once.
fn at_once(verb: Verb) -> Verdict {
    let ben = Ben::new(verb);
    let runs: Vec<Watched> = (0..PROCESSES)
        .map(|_| Watched::start(ben.command()))
        .collect();
    for run in runs {
        if let Err(what) = well(&run.end(BOUND)) {
            return Verdict::Wrong(what);
        }
    }
    ben.settle()
}

/// `sync --from` while `apply` runs: the ledger's lock decides, and both end well.
fn beside_apply() -> Verdict {
    let ben = Ben::new(Verb::Apply);
    let export = Ada::get().export().display().to_string();
    let apply = Watched::start(ben.command());
    let sync = Watched::start(ben.project.tollgate(&["sync", "--from", &export]));
    for run in [apply, sync] {
        if let Err(what) = well(&run.end(BOUND)) {
            return Verdict::Wrong(what);
        }
    }
    ben.settle()
}

fn well(ran: &Ran) -> Result<(), String> {
    match ran.code {
        Some(0) => Ok(()),
        _ => Err(format!("one of them did not end well: {}", ran.text())),
    }
}
