//! What a run began under a waiver goes on under it where the connection broke in between: the rest of
//! its plan is made anew, and the waiver is spent by then.

use std::collections::BTreeSet;

use tollgate::planner::{Gate, Verdict};

use crate::worlds::{Event, Question, What, ask, ask_within, policy, view};

/// Of a chain of one: the first ran other bytes than it has now, which somebody accepted; two are to come.
fn events() -> Vec<Event> {
    let what = [
        What::Begun {
            attempt: 1,
            name: 0,
            version: 1,
        },
        What::Succeeded { attempt: 1 },
        What::Waived {
            gate: Gate::Modified,
            name: 0,
            version: 0,
        },
    ];
    Vec::from(what.map(|what| Event { env: 0, what }))
}

#[test]
fn a_spent_waiver_holds_for_the_rest_of_the_run_that_spent_it_alone() {
    let question = Question::new(1, 0, &[(0, 0), (1, 0), (2, 0)], None);
    let mut events = events();
    let first = ask(&view(&events), &question);
    assert_eq!(first.verdict(), Verdict::Ready, "{:#?}", first.refusals);
    let in_use: BTreeSet<_> = first
        .waived
        .iter()
        .map(|waived| waived.waiver.entry)
        .collect();
    assert_eq!(in_use.len(), 1);

    // The run begins the first of two steps, and the connection breaks when it succeeds.
    let succeeded = [
        What::Begun {
            attempt: 2,
            name: 1,
            version: 0,
        },
        What::Succeeded { attempt: 2 },
    ];
    events.extend(succeeded.map(|what| Event { env: 0, what }));
    let view = view(&events);
    let another = ask(&view, &question);
    assert_eq!(another.verdict(), Verdict::Refused);
    assert_eq!(another.refusals[0].gate, Gate::Modified);
    let same = ask_within(&policy(1), &view, &question, &in_use);
    assert_eq!(same.verdict(), Verdict::Ready, "{:#?}", same.refusals);
    assert_eq!(same.steps.len(), 1);
    assert_eq!(same.waived.len(), 1);
}
