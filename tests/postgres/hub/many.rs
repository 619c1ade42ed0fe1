//! Many at once, and much at once.

use std::sync::Barrier;
use std::thread;

use tollgate::model::WriterId;
use tollgate::targets::hub::HubRow;

use super::{chain, open, prepared, read, summed, walk, writer};
use crate::support::Database;

#[test]
fn twenty_prepare_at_once() {
    let database = Database::plain();
    let url = database.url();
    let all = Barrier::new(20);
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let mut hub = open(&url);
                all.wait();
                hub.prepare().unwrap();
                assert!(hub.is_prepared().unwrap());
                hub.prepare().unwrap();
            });
        }
    });
    let mut hub = open(&url);
    assert_eq!(hub.add(&chain(writer(1), 2)).unwrap(), 2);
}

/// Each with its own chain, and all with one that they have in common.
#[test]
fn fifty_push_at_once() {
    let (database, mut hub) = prepared();
    let url = database.url();
    let common = chain(writer(100), 20);
    let all = Barrier::new(50);
    let new: usize = thread::scope(|scope| {
        let pushers: Vec<_> = (0..50)
            .map(|number| {
                let (url, common, all) = (&url, &common, &all);
                scope.spawn(move || {
                    let mut rows = chain(writer(number), 20);
                    rows.extend_from_slice(common);
                    // Whatever order a client has them in.
                    if number % 2 == 0 {
                        rows.reverse();
                    }
                    let mut hub = open(url);
                    all.wait();
                    hub.add(&rows).unwrap()
                })
            })
            .collect();
        pushers.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert_eq!(new, 51 * 20);
    let mut expected: Vec<_> = (0..50)
        .map(|number| summed(&chain(writer(number), 20)))
        .collect();
    expected.push(summed(&common));
    assert_eq!(hub.summary().unwrap(), expected);
}

/// Several messages each way: the transaction is one, and no row is lost between two batches.
#[test]
fn five_thousand_at_once() {
    let (_database, mut hub) = prepared();
    let rows = chain(writer(1), 5_000);
    assert_eq!(hub.add(&rows).unwrap(), 5_000);
    assert_eq!(hub.add(&rows).unwrap(), 0);
    let back = read(&mut hub, writer(1), 0);
    assert!(back == rows);
    walk(&back);
    assert_eq!(hub.summary().unwrap(), [summed(&rows)]);
    // Something wrong in the last message: nothing of the first ones stays.
    let mut holed = chain(writer(2), 3_000);
    holed.remove(2_998);
    hub.add(&holed).unwrap_err();
    assert_eq!(hub.summary().unwrap(), [summed(&rows)]);
}

/// They wait for each other in one direction only, whatever order they have the rows in.
#[test]
fn two_push_the_same_in_opposite_order() {
    let (database, mut hub) = prepared();
    let url = database.url();
    let mut rows: Vec<_> = (0..4_000_u128)
        .map(|number| chain(WriterId::from_bytes(number.to_be_bytes()), 1).remove(0))
        .collect();
    let backwards = rows.iter().rev().cloned().collect::<Vec<_>>();
    let both = Barrier::new(2);
    let push = |rows: &[HubRow]| {
        let mut hub = open(&url);
        both.wait();
        hub.add(rows).unwrap()
    };
    let new = thread::scope(|scope| {
        let one = scope.spawn(|| push(&rows));
        push(&backwards) + one.join().unwrap()
    });
    assert_eq!(new, 4_000);
    let summary = hub.summary().unwrap();
    rows.truncate(1);
    assert_eq!(summary.len(), 4_000);
    assert_eq!(summary[0], summed(&rows));
}
