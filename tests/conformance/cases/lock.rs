//! One runner at a time.

use std::sync::Barrier;
use std::time::Duration;

use tollgate::targets::{Earlier, TargetErrorKind};

use crate::support::{Bench, apply, incarnation, lock, ready, recorded};

/// Both find the target empty; one applies, the other waits and finds the receipt.
pub(crate) fn two_runners_on_an_empty_target_run_it_once<B: Bench>(bench: &B) {
    let start = Barrier::new(2);
    let runner = || {
        start.wait();
        let mut target = bench.open();
        lock(target.as_mut());
        if target.survey().unwrap().recorded.is_none() {
            target
                .initialise(&"dev".parse().unwrap(), incarnation(1), Earlier::Keep)
                .unwrap();
        }
        if !recorded(target.as_mut()).is_empty() {
            return false;
        }
        apply(target.as_mut(), "1_one", "CREATE TABLE one (id INTEGER)").unwrap();
        true
    };
    let ran = std::thread::scope(|scope| {
        let both = [scope.spawn(runner), scope.spawn(runner)];
        both.map(|one| one.join().unwrap())
    });
    assert_eq!(ran.iter().filter(|ran| **ran).count(), 1);
    assert_eq!(recorded(bench.open().as_mut()), ["1_one"]);
}

pub(crate) fn a_wait_that_is_over_names_the_holder<B: Bench>(bench: &B) {
    let _holder = ready(bench);
    let mut told = Vec::new();
    let error = bench
        .open()
        .lock(Duration::from_millis(300), &|| false, &mut |holder| {
            told.push(holder.to_owned())
        })
        .unwrap_err();
    assert_eq!(error.kind, TargetErrorKind::Locked);
    assert_eq!(told.len(), 1, "told once: {told:?}");
    assert!(error.fact.contains(&told[0]), "{error}");
    assert!(told[0].chars().any(|c| c.is_ascii_digit()), "{told:?}");
    assert!(error.remedy.is_some());
}

pub(crate) fn an_interrupted_wait_ends<B: Bench>(bench: &B) {
    let _holder = ready(bench);
    let error = bench
        .open()
        .lock(Duration::from_secs(3600), &|| true, &mut |_| {})
        .unwrap_err();
    assert_eq!(error.kind, TargetErrorKind::Interrupted);
}

pub(crate) fn a_dropped_target_gives_the_lock_back<B: Bench>(bench: &B) {
    drop(ready(bench));
    let mut told = 0;
    let mut next = bench.open();
    next.lock(Duration::from_secs(60), &|| false, &mut |_| told += 1)
        .unwrap();
    // To take what one holds is nothing.
    next.lock(Duration::ZERO, &|| false, &mut |_| told += 1)
        .unwrap();
}
