use super::*;
use crate::model::SchemaObject;
use crate::model::data::{Data, TableData};
use crate::model::entry::Engine;
use crate::sql::analyse;

/// A state with one table `users`, these columns and hashes of their values.
fn state(rows: u64, columns: &[(&str, &str)]) -> State {
    let table = TableData {
        rows,
        whole: Some(format!("{rows}{:?}", {
            let mut sorted = columns.to_vec();
            sorted.sort_unstable();
            sorted
        })),
        columns: columns
            .iter()
            .map(|(name, hash)| ((*name).to_owned(), (*hash).to_owned()))
            .collect(),
    };
    let column = |(name, _): &(&str, &str)| SchemaObject::new("column", &format!("users.{name}"));
    let mut order = SchemaObject::new(COLUMN_ORDER, "users");
    for (name, _) in columns {
        order.push("column", name);
    }
    let mut objects: Vec<SchemaObject> = columns.iter().map(column).collect();
    objects.push(SchemaObject::new("table", "users"));
    objects.push(order);
    State {
        schema: Schema::new(objects).unwrap(),
        data: Data {
            tables: [("users".to_owned(), table)].into(),
        },
    }
}

fn judged(direction: Direction, states: [&State; 4], label: &str) -> Judgement {
    let looks = Looks {
        states,
        first_anew: None,
        is_scratch: false,
        faults: &[],
    };
    judge(direction, &looks, &DownLabel::read(label).unwrap())
}

const OLD: &[(&str, &str)] = &[("id", "1"), ("email", "2")];
const NEW: &[(&str, &str)] = &[("id", "1"), ("email", "2"), ("phone", "0")];

#[test]
fn what_comes_back_whole_is_lossless() {
    let (old, new) = (state(2, OLD), state(2, NEW));
    let up = judged(Direction::UpFirst, [&old, &new, &old, &new], "");
    assert_eq!((up.result, up.found()), (Rehearsal::Lossless, vec![]));
    let down = judged(Direction::DownFirst, [&new, &old, &new, &old], "");
    assert_eq!((down.result, down.found()), (Rehearsal::Lossless, vec![]));
}

#[test]
fn what_does_not_come_back_fails_and_is_named() {
    let (old, new) = (state(2, OLD), state(2, NEW));
    let kept = judged(Direction::UpFirst, [&old, &new, &new, &new], "");
    assert_eq!(kept.result, Rehearsal::Failed);
    assert_eq!(kept.found(), ["not reversed: column users.phone"]);
    let changed = state(2, &[("id", "1"), ("email", "9")]);
    let changed = judged(Direction::UpFirst, [&old, &new, &changed, &new], "");
    assert_eq!(changed.result, Rehearsal::Failed);
    assert_eq!(changed.found(), ["not reversed: users.email: other values"]);
    let fewer = state(1, &[("id", "1"), ("email", "9")]);
    let fewer = judged(Direction::UpFirst, [&old, &new, &fewer, &new], "");
    assert_eq!(
        fewer.found(),
        ["not reversed: users: 2 rows before, 1 after"]
    );
    let other = state(2, &[("id", "1"), ("email", "2"), ("phone", "7")]);
    let again = judged(Direction::UpFirst, [&old, &new, &old, &other], "");
    assert_eq!(again.result, Rehearsal::Failed);
    assert_eq!(
        again.found(),
        ["not the same again: users.phone: other values"]
    );
}

#[test]
fn a_label_accepts_what_it_names_and_nothing_else() {
    let (old, new) = (state(2, OLD), state(2, &[("id", "1")]));
    let empty = state(2, &[("id", "1"), ("email", "-")]);
    let states = [&old, &new, &empty, &new];
    assert_eq!(
        judged(Direction::UpFirst, states, "").result,
        Rehearsal::Failed
    );
    for label in ["users.email", "users"] {
        let label = format!("-- tollgate:down lossy: {label}");
        let named = judged(Direction::UpFirst, states, &label);
        assert_eq!(named.result, Rehearsal::Lossy);
        assert_eq!(named.found(), ["lost: users.email: other values"]);
    }
    let other = "-- tollgate:down lossy: users.phone";
    assert_eq!(
        judged(Direction::UpFirst, states, other).result,
        Rehearsal::Failed
    );
}

#[test]
fn the_order_of_columns_is_told_and_makes_it_lossy() {
    let (old, new) = (state(2, OLD), state(2, &[("id", "1")]));
    let turned = state(2, &[("email", "2"), ("id", "1")]);
    let states = [&old, &new, &turned, &new];
    let said = judged(Direction::UpFirst, states, "");
    assert_eq!(said.result, Rehearsal::Lossy);
    assert_eq!(said.column_order, ["users"]);
    let lossless = judged(Direction::UpFirst, states, "-- tollgate:down lossless");
    assert_eq!(lossless.result, Rehearsal::Failed);
    assert!(lossless.faults[0].contains("users stand in another order"));
    let named = judged(
        Direction::UpFirst,
        states,
        "-- tollgate:down lossy: column order",
    );
    assert_eq!(
        (named.result, named.remarks),
        (Rehearsal::Lossy, Vec::new())
    );
}

#[test]
fn what_is_lost_with_an_applied_one_must_be_named() {
    let old = state(2, OLD);
    let filled = state(2, &[("id", "1"), ("email", "2"), ("phone", "7")]);
    let emptied = state(2, NEW);
    let states = [&filled, &old, &emptied, &old];
    let silent = judged(Direction::DownFirst, states, "");
    assert_eq!(silent.result, Rehearsal::Failed);
    assert_eq!(silent.found(), ["lost with it: users.phone: other values"]);
    let named = "-- tollgate:down lossy: users.phone";
    let named = judged(Direction::DownFirst, states, named);
    assert_eq!(named.result, Rehearsal::Lossy);
}

#[test]
fn a_reversal_that_changes_nothing_fails() {
    let new = state(2, NEW);
    let judged = judged(Direction::DownFirst, [&new, &new, &new, &new], "");
    assert_eq!(judged.result, Rehearsal::Failed);
}

#[test]
fn what_differs_each_time_is_told_and_does_not_fail() {
    let token = |hash| state(2, &[("id", "1"), ("email", "2"), ("phone", hash)]);
    let (old, first, again, anew) = (state(2, OLD), token("a"), token("b"), token("c"));
    let mut looks = Looks {
        states: [&old, &first, &old, &again],
        first_anew: Some(&anew),
        is_scratch: false,
        faults: &[],
    };
    let volatile = judge(Direction::UpFirst, &looks, &DownLabel::None);
    assert_eq!(volatile.result, Rehearsal::Lossless);
    assert_eq!(
        volatile.found(),
        ["other values each time: users.phone: other values"]
    );
    // The same from the same beginning: then it was the reversal.
    looks.first_anew = Some(&first);
    let failed = judge(Direction::UpFirst, &looks, &DownLabel::None);
    assert_eq!(failed.result, Rehearsal::Failed);
}

#[test]
fn only_ordinary_statements_are_rehearsed_in_place() {
    let unfit = |up: &str, down: &str| {
        let read = |script| analyse(Engine::Postgresql, script);
        super::unfit(&read(up), &read(down))
    };
    assert_eq!(
        unfit(
            "CREATE TABLE a (b int)",
            "SAVEPOINT x; DROP TABLE a; RELEASE x"
        ),
        None
    );
    for (up, down, said) in [
        (
            "CREATE INDEX CONCURRENTLY a ON b (c)",
            "",
            "migration.sql has",
        ),
        (
            "SELECT 1",
            "BEGIN; DROP TABLE a; COMMIT",
            "down.sql controls",
        ),
        ("SELECT 1", "DROP TABEL a", "down.sql cannot be read"),
    ] {
        let why = unfit(up, down).unwrap();
        assert!(why.starts_with(said), "{why}");
    }
}

#[test]
fn a_sequence_that_is_behind_fails_unless_it_is_named() {
    let (old, new) = (state(2, OLD), state(2, NEW));
    let faults = [Fault {
        subject: "public.users_id_seq".to_owned(),
        what: "it is behind".to_owned(),
    }];
    let looks = Looks {
        states: [&old, &new, &old, &new],
        first_anew: None,
        is_scratch: false,
        faults: &faults,
    };
    let silent = judge(Direction::UpFirst, &looks, &DownLabel::None);
    assert_eq!(
        (silent.result, silent.found()),
        (Rehearsal::Failed, vec!["it is behind".to_owned()])
    );
    let label = DownLabel::read("-- tollgate:down lossy: users_id_seq").unwrap();
    assert!(judge(Direction::UpFirst, &looks, &label).result.passed());
}
