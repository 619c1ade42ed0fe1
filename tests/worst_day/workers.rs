//! Two at a time: the machine that runs this may have no more cores.

use std::sync::Mutex;
use std::thread;

use crate::world::Verdict;

/// How many cases go by between two words about how far it is.
const WORD: usize = 100;

/// Tries every case of a section. A run may take an hour: how far it is, and what does not hold, is
/// said at once.
pub(crate) fn try_all<C: Send>(
    section: &str,
    cases: Vec<C>,
    work: impl Fn(C) -> (String, Verdict) + Sync,
) -> Vec<(String, Verdict)> {
    let of = cases.len();
    let tried = Mutex::new([0; 2]);
    by_two(cases, |case| {
        let (name, verdict) = work(case);
        let mut tried = tried.lock().unwrap();
        tried[0] += 1;
        tried[1] += usize::from(verdict == Verdict::Human);
        if let Verdict::Wrong(what) = &verdict {
            eprintln!("worst day: {section}: {name} did not hold: {what}");
        }
        if tried[0] % WORD == 0 {
            let [tried, asked] = *tried;
            eprintln!("worst day: {section}: {tried} of {of} tried, {asked} handed to a human");
        }
        (name, verdict)
    })
}

/// Does every case on one of two workers. The answers come in the order of the cases.
pub(crate) fn by_two<C: Send, A: Send>(cases: Vec<C>, work: impl Fn(C) -> A + Sync) -> Vec<A> {
    let queue = Mutex::new(cases.into_iter().enumerate());
    let answers = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap().next();
                    let Some((place, case)) = next else { break };
                    let answer = work(case);
                    answers.lock().unwrap().push((place, answer));
                }
            });
        }
    });
    let mut answers = answers.into_inner().unwrap();
    answers.sort_by_key(|(place, _)| *place);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
