//! Two at a time: the machine that runs this may have no more cores.

use std::sync::Mutex;
use std::thread;

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
