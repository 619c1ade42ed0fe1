//! The connection to the hub, or to the target that is looked at, breaks at chosen bytes.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use super::{Ben, Verb};
use crate::Random;
use crate::proxy::{Action, Direction, Fault, Proxy};
use crate::small::{BOUND, Ran, Watched, wait_until};
use crate::workers::{by_two, try_all};
use crate::world::{Engine, Verdict};

/// How many, over the verbs.
const FAULTS: (usize, usize) = (200, 10);

/// How many stalls that nothing ends but the clocks of the two sides.
const STALLS: (usize, usize) = (6, 1);

/// How often a byte is drawn anew where the run ended before it was reached.
const DRAWS: usize = 6;

/// A stalled client is given so long before it is killed, as its user would.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long the server may take to find out that a client is gone.
const NOTICED: Duration = Duration::from_secs(60);

const VERBS: [Verb; 5] = [
    Verb::Push,
    Verb::Pull,
    Verb::Apply,
    Verb::Look(Engine::Postgres),
    Verb::Verify(Engine::Postgres),
];

struct Case {
    verb: Verb,
    faults: Vec<Fault>,
    for_ever: bool,
}

pub(crate) fn run(full: bool, random: &mut Random) -> Vec<(String, Verdict)> {
    super::begin(full);
    let lengths = by_two(VERBS.to_vec(), measure);
    let many = if full { FAULTS.0 } else { FAULTS.1 };
    let mut cases = Vec::new();
    for place in 0..many {
        let verb = place % VERBS.len();
        let turn = place / VERBS.len();
        let direction = [Direction::ToServer, Direction::ToClient][(turn + verb) % 2];
        let action = match (turn + 2 * verb) % 5 {
            0 => Action::Reset,
            1 => Action::Close,
            2 => Action::HalfClose,
            3 => Action::Stall,
            _ => Action::Delay(Duration::from_millis(20 + random.below(400))),
        };
        let faults = (0..DRAWS).map(|_| draw(&lengths[verb], direction, action, random));
        cases.push(Case {
            verb: VERBS[verb],
            faults: faults.collect(),
            for_ever: false,
        });
    }
    for place in 0..if full { STALLS.0 } else { STALLS.1 } {
        // In the transaction of a push, and elsewhere.
        let verb = place % VERBS.len();
        let length = &lengths[verb];
        let faults = (0..DRAWS).map(|_| draw(length, Direction::ToServer, Action::Stall, random));
        cases.push(Case {
            verb: VERBS[verb],
            faults: faults
                .map(|fault| Fault {
                    stays_down: false,
                    ..fault
                })
                .collect(),
            for_ever: true,
        });
    }
    try_all("team-cut", cases, try_one)
}

fn draw(lengths: &[[u64; 2]], direction: Direction, action: Action, random: &mut Random) -> Fault {
    let way = usize::from(direction == Direction::ToClient);
    // Every connection alike: what is asked before a verb is short beside what is told after it.
    let connection = random.place(lengths.len());
    Fault {
        connection,
        direction,
        position: random.below(lengths[connection][way]),
        action,
        stays_down: !matches!(action, Action::Delay(_)) && random.below(3) == 0,
    }
}

fn upstream(ben: &Ben) -> SocketAddr {
    let (_, place) = ben.url().split_once('@').expect("credentials in the URL");
    let (server, _) = place.split_once('/').expect("a database in the URL");
    server.parse().expect("the address of the tests' server")
}

/// The lengths of a clean run, in both directions of each connection.
fn measure(verb: Verb) -> Vec<[u64; 2]> {
    let mut ben = Ben::new(verb);
    let proxy = Proxy::start(upstream(&ben), None);
    let url = proxy.url(ben.url());
    ben.set_url(&url);
    let ran = Watched::start(ben.command()).end(BOUND);
    assert_eq!(ran.code, Some(0), "{verb:?}: {}", ran.text());
    let passed = proxy.passed();
    passed
        .into_iter()
        .filter(|[up, down]| *up > 0 && *down > 0)
        .collect()
}

fn try_one(case: Case) -> (String, Verdict) {
    let mut name = format!("{:?}", case.verb);
    for fault in &case.faults {
        name = format!(
            "{:?}: {:?} at byte {} of connection {} {:?}{}{}",
            case.verb,
            fault.action,
            fault.position,
            fault.connection + 1,
            fault.direction,
            if fault.stays_down {
                ", and down from there"
            } else {
                ""
            },
            if case.for_ever { ", never cut" } else { "" },
        );
        match once(case.verb, *fault, case.for_ever) {
            Ok(Some(verdict)) => return (name, verdict),
            Ok(None) => {}
            Err(what) => return (name, Verdict::Wrong(what)),
        }
    }
    let never = format!("none of {DRAWS} bytes was reached");
    (name, Verdict::Wrong(never))
}

/// One fault; none where it was not reached.
fn once(verb: Verb, fault: Fault, for_ever: bool) -> Result<Option<Verdict>, String> {
    let mut ben = Ben::new(verb);
    let direct = ben.url().to_owned();
    let proxy = Proxy::start(upstream(&ben), Some(fault));
    let mut url = proxy.url(&direct);
    if for_ever {
        // The server's clocks, made faster: what they do is tried, not how long they are.
        url.push_str(
            "&options=-c%20idle_session_timeout%3D2s%20-c%20idle_in_transaction_session_timeout%3D2s",
        );
    }
    ben.set_url(&url);
    let mut run = Watched::start(ben.command());
    if fault.action != Action::Stall {
        let ran = run.end(BOUND);
        if !proxy.has_fired() {
            return Ok(None);
        }
        honest(&ran)?;
        if matches!(fault.action, Action::Delay(_)) && ran.code != Some(0) {
            return Err(format!("a delay is no fault: {}", ran.text()));
        }
    } else {
        let there = wait_until(BOUND, || proxy.has_fired() || run.has_ended());
        if !there || !proxy.has_fired() {
            run.kill();
            return Ok(None);
        }
        thread::sleep(PATIENCE);
        honest(&run.kill())?;
        if !for_ever {
            proxy.cut();
        }
        let database = ben.database().expect("a database");
        let open = "SELECT count(*) FROM pg_stat_activity \
                    WHERE datname = current_database() AND application_name = 'tollgate'";
        if !wait_until(NOTICED, || database.ask(open) == "0") {
            return Err("the server still has the session of the killed client".to_owned());
        }
    }
    // The proxy breaks one connection only: what was seen of this place is asked for again.
    if fault.stays_down || for_ever {
        ben.set_url(&direct);
    }
    Ok(Some(ben.settle()))
}

/// It ended, and in one of the ways in which it may.
fn honest(ran: &Ran) -> Result<(), String> {
    if ran.hung {
        return Err(format!("it hung: {}", ran.text()));
    }
    if !matches!(ran.code, None | Some(0 | 1)) || ran.stderr.contains("panicked") {
        return Err(format!("an end that is not expected: {}", ran.text()));
    }
    Ok(())
}
