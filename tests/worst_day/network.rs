//! The connection breaks at chosen bytes, in both directions.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::Random;
use crate::proxy::{Action, Direction, Fault, Proxy};
use crate::small::{BOUND, Ran, Watched, wait_until};
use crate::workers::try_all;
use crate::world::{Engine, Tree, Verdict, World};

/// How many, over the trees.
const FAULTS: (usize, usize) = (300, 20);

/// How often a byte is drawn anew where the run ended before it was reached: what is sent differs a
/// little from run to run.
const DRAWS: usize = 6;

/// How long the server may take to find out that a client is gone, which gives the lock back.
const NOTICED: Duration = Duration::from_secs(60);

/// A stalled client is given so long before it is killed, as its user would.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long one direction of a clean run is.
type Lengths = Vec<[u64; 2]>;

struct Case {
    tree: Tree,
    /// The faults to try, until one is reached.
    faults: Vec<Fault>,
    /// The stall is never cut: the server has to end the session by its own clock.
    for_ever: bool,
}

pub(crate) fn run(full: bool, random: &mut Random) -> Vec<(String, Verdict)> {
    let lengths = Tree::ALL.map(|tree| measure(tree).unwrap_or_else(|what| panic!("{what}")));
    let many = if full { FAULTS.0 } else { FAULTS.1 };
    let mut cases: Vec<Case> = (0..many)
        .map(|place| {
            let tree = place % 3;
            let direction = [Direction::ToServer, Direction::ToClient][place / 3 % 2];
            let length = &lengths[tree];
            let whole = total(length, direction);
            let rank = (place / 6) as u64;
            let ranks = (many.div_ceil(6)) as u64;
            let faults = (0..DRAWS).map(|draw| {
                // Every other one is spread evenly; what is drawn again is drawn at random.
                let place_in_stream = if draw == 0 && rank.is_multiple_of(2) {
                    rank * whole / ranks + random.below(whole / ranks)
                } else {
                    random.below(whole)
                };
                let (connection, position) = locate(length, direction, place_in_stream);
                let action = action(place / 6, random);
                Fault {
                    connection,
                    direction,
                    position,
                    action,
                    // Where nothing breaks, nothing stays broken.
                    stays_down: !matches!(action, Action::Delay(_)) && random.below(3) == 0,
                }
            });
            Case {
                tree: Tree::ALL[tree],
                faults: faults.collect(),
                for_ever: false,
            }
        })
        .collect();
    let stalls = if full { 6 } else { 1 };
    for place in 0..stalls {
        let tree = place % 3;
        let length = &lengths[tree];
        let faults = (0..DRAWS).map(|_| {
            let place_in_stream = random.below(total(length, Direction::ToServer));
            let (connection, position) = locate(length, Direction::ToServer, place_in_stream);
            Fault {
                connection,
                direction: Direction::ToServer,
                position,
                action: Action::Stall,
                stays_down: false,
            }
        });
        cases.push(Case {
            tree: Tree::ALL[tree],
            faults: faults.collect(),
            for_ever: true,
        });
    }
    let noticed = Mutex::new(Vec::new());
    let answers = try_all("proxy", cases, |case| {
        let (name, verdict, took) = try_one(case);
        noticed.lock().unwrap().extend(took);
        (name, verdict)
    });
    let mut noticed = noticed.into_inner().unwrap();
    noticed.sort();
    if let (Some(median), Some(longest)) = (noticed.get(noticed.len() / 2), noticed.last()) {
        eprintln!(
            "worst day: proxy: after {} stalls the lock was free in {} ms (median), {} ms at most",
            noticed.len(),
            median.as_millis(),
            longest.as_millis()
        );
    }
    answers
}

fn action(place: usize, random: &mut Random) -> Action {
    match place % 5 {
        0 => Action::Reset,
        1 => Action::Close,
        2 => Action::HalfClose,
        3 => Action::Stall,
        _ => Action::Delay(Duration::from_millis(20 + random.below(400))),
    }
}

fn way(direction: Direction) -> usize {
    usize::from(direction == Direction::ToClient)
}

fn total(lengths: &Lengths, direction: Direction) -> u64 {
    lengths.iter().map(|length| length[way(direction)]).sum()
}

/// The connection, and the byte in it, of a byte of all connections one after another.
fn locate(lengths: &Lengths, direction: Direction, place: u64) -> (usize, u64) {
    let mut left = place;
    for (connection, length) in lengths.iter().enumerate() {
        let length = length[way(direction)];
        if left < length {
            return (connection, left);
        }
        left -= length;
    }
    (0, 0)
}

fn upstream(world: &World) -> SocketAddr {
    let url = world.own_url();
    let (_, place) = url.split_once('@').expect("credentials in the URL");
    let (server, _) = place.split_once('/').expect("a database in the URL");
    server.parse().expect("the address of the tests' server")
}

/// The lengths of a clean run.
fn measure(tree: Tree) -> Result<Lengths, String> {
    let mut world = World::new(Engine::Postgres, tree);
    let proxy = Proxy::start(upstream(&world), None);
    world.set_url(&proxy.url(&world.own_url()));
    let ran = Watched::start(world.apply()).end(BOUND);
    if ran.code != Some(0) {
        return Err(format!("a clean run through the proxy: {}", ran.text()));
    }
    Ok(proxy.passed())
}

fn try_one(case: Case) -> (String, Verdict, Option<Duration>) {
    let mut name = format!("{:?}", case.tree);
    for fault in &case.faults {
        name = format!(
            "{:?}: {:?} at byte {} of connection {} {:?}{}{}",
            case.tree,
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
        match once(case.tree, *fault, case.for_ever) {
            Ok(Some((verdict, noticed))) => return (name, verdict, noticed),
            Ok(None) => {}
            Err(what) => return (name, Verdict::Wrong(what), None),
        }
    }
    let never = format!("none of {DRAWS} bytes was reached");
    (name, Verdict::Wrong(never), None)
}

type Tried = Option<(Verdict, Option<Duration>)>;

/// One fault; none where it was not reached.
fn once(tree: Tree, fault: Fault, for_ever: bool) -> Result<Tried, String> {
    let mut world = World::new(Engine::Postgres, tree);
    let proxy = Proxy::start(upstream(&world), Some(fault));
    let mut url = proxy.url(&world.own_url());
    if for_ever {
        // The server's clocks, made faster: what they do is tried, not how long they are.
        url.push_str(
            "&options=-c%20idle_session_timeout%3D2s%20-c%20idle_in_transaction_session_timeout%3D2s",
        );
    }
    world.set_url(&url);
    let mut run = Watched::start(world.apply());
    if fault.action != Action::Stall {
        let ran = run.end(BOUND);
        if !proxy.has_fired() {
            return Ok(None);
        }
        honest(&world, &ran)?;
        if matches!(fault.action, Action::Delay(_)) && ran.code != Some(0) {
            return Err(format!("a delay is no fault: {}", ran.text()));
        }
        return Ok(Some((world.settle(), None)));
    }
    let there = wait_until(BOUND, || proxy.has_fired() || run.has_ended());
    if !there || !proxy.has_fired() {
        run.kill();
        return Ok(None);
    }
    thread::sleep(PATIENCE);
    let ran = run.kill();
    let begun = Instant::now();
    if !for_ever {
        proxy.cut();
    }
    let mut error = None;
    let free = wait_until(NOTICED, || match sessions(&world) {
        Ok(open) => open == 0,
        Err(what) => {
            error = Some(what);
            true
        }
    });
    if let Some(what) = error {
        return Err(what);
    }
    if !free {
        return Err(format!(
            "{} s after the client was killed the server still has its session; {}",
            NOTICED.as_secs(),
            ran.text()
        ));
    }
    let noticed = begun.elapsed();
    honest(&world, &ran)?;
    Ok(Some((world.settle(), Some(noticed))))
}

/// Sessions of tollgate's on the target; one of them has the lock.
fn sessions(world: &World) -> Result<usize, String> {
    let rows = world.rows(
        "SELECT pid FROM pg_stat_activity \
         WHERE datname = current_database() AND application_name = 'tollgate'",
    )?;
    Ok(rows.len())
}

/// What a run said before it ended is true now: what it called applied has its receipt, what it called
/// rolled back left nothing.
pub(crate) fn honest(world: &World, ran: &Ran) -> Result<(), String> {
    if ran.hung {
        return Err(format!("it hung: {}", ran.text()));
    }
    if !matches!(ran.code, None | Some(0 | 1)) || ran.stderr.contains("panicked") {
        return Err(format!("an end that is not expected: {}", ran.text()));
    }
    let receipts = world
        .rows("SELECT migration FROM tollgate.receipt")
        .unwrap_or_default();
    for migration in ran.said_applied() {
        if !receipts.contains(&migration) {
            return Err(format!(
                "lost: {migration} was called applied and has no receipt\n{}",
                ran.text()
            ));
        }
    }
    let Some(error) = ran.stderr.lines().find(|line| line.starts_with("error: ")) else {
        return Ok(());
    };
    let named = world
        .migrations()
        .iter()
        .find(|one| error.split_whitespace().any(|word| word == one.id));
    let Some(migration) = named else {
        return Ok(());
    };
    let nothing = ["the whole script was rolled back", "nothing of it stands"];
    let done = if nothing.iter().any(|words| ran.stderr.contains(words)) {
        0
    } else if let Some(done) = goes_on_after(&ran.stderr) {
        done
    } else {
        return Ok(());
    };
    let id = &migration.id;
    // Before the first migration there is no such table, and nothing stands.
    let mut stands: Vec<usize> = world
        .rows(&format!(
            "SELECT statement FROM counter WHERE migration = '{id}'"
        ))
        .unwrap_or_default()
        .iter()
        .filter_map(|number| number.parse().ok())
        .collect();
    stands.sort_unstable();
    let said: Vec<usize> = migration
        .counted()
        .filter(|number| *number <= done)
        .collect();
    if stands != said || receipts.contains(id) {
        return Err(format!(
            "of {id} the first {done} statements were said to stand, and {stands:?} do\n{}",
            ran.text()
        ));
    }
    Ok(())
}

/// The number of statements that stand, where a run said that nothing else does.
fn goes_on_after(told: &str) -> Option<usize> {
    let (lead, _) = told.split_once(" statements stand in the target, and nothing else of it")?;
    let line = lead.lines().last()?;
    line.split_whitespace().next()?.parse().ok()
}
