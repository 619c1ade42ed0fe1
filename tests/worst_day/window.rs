//! Several migrations sent at once, on PostgreSQL: the program is killed, the link is cut, somebody asks to
//! stop, and one in the middle fails, while those behind it are on their way.

use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::Random;
use crate::proxy::{Action, Direction, Fault, Proxy};
use crate::server::Database;
use crate::small::{BOUND, Ran, Small, Watched};
use crate::workers::try_all;
use crate::world::Verdict;

/// So many migrations; the first creates the table that the others count themselves in.
const MIGRATIONS: usize = 14;
/// How long each of them takes at least, in milliseconds.
const EACH: u64 = 25;
/// How many of each fault.
const FAULTS: (usize, usize) = (60, 6);

#[derive(Debug, Clone, Copy)]
enum Case {
    /// SIGKILL after so many milliseconds.
    Kill(u64),
    /// SIGINT after so many.
    Stop(u64),
    /// The link breaks at a thousandth of what a clean run sends this way.
    Cut(Direction, Action, u64),
    /// The migration of this number fails, until it is mended.
    Fail(usize),
}

pub(crate) fn run(full: bool, random: &mut Random) -> Vec<(String, Verdict)> {
    let faults = if full { FAULTS.0 } else { FAULTS.1 };
    let length = EACH * MIGRATIONS as u64;
    let mut cases = Vec::new();
    for n in 0..faults {
        cases.push(Case::Kill(random.below(length + 150)));
        cases.push(Case::Stop(random.below(length + 150)));
        let direction = [Direction::ToServer, Direction::ToClient][n % 2];
        let action = [
            Action::Reset,
            Action::Close,
            Action::HalfClose,
            Action::Stall,
        ][n / 2 % 4];
        cases.push(Case::Cut(direction, action, 200 + random.below(800)));
        cases.push(Case::Fail(1 + random.place(MIGRATIONS - 1)));
    }
    let clean = lengths();
    try_all("window", cases, |case| {
        let verdict = try_one(case, clean).unwrap_or_else(Verdict::Wrong);
        (format!("{case:?}"), verdict)
    })
}

fn id(n: usize) -> String {
    format!("202511{n:02}000000_m{n}")
}

fn script(n: usize) -> String {
    let create = match n {
        0 => "CREATE TABLE counter (n int NOT NULL);\n",
        _ => "",
    };
    let pause = if n == 0 { 0 } else { EACH };
    format!(
        "{create}INSERT INTO counter VALUES ({n});\nCREATE TABLE t{n} (id int PRIMARY KEY);\nSELECT pg_sleep({pause} / 1000.0);\n"
    )
}

fn project() -> Small {
    let small = Small::on(Database::new());
    for n in 0..MIGRATIONS {
        small.write(&id(n), &script(n));
    }
    small
}

fn proxy(small: &Small, fault: Option<Fault>) -> Proxy {
    let (_, place) = small.url().split_once('@').expect("credentials in the URL");
    let (server, _) = place.split_once('/').expect("a database in the URL");
    Proxy::start(server.parse().expect("an address"), fault)
}

/// How much a clean run sends to the server, and is sent.
fn lengths() -> [u64; 2] {
    let mut small = project();
    let proxy = proxy(&small, None);
    small.set_url(&proxy.url(small.url()));
    let ran = small.run(&["apply", "dev"]);
    assert_eq!(ran.code, Some(0), "{}", ran.text());
    proxy.passed()[0]
}

fn try_one(case: Case, clean: [u64; 2]) -> Result<Verdict, String> {
    let mut small = project();
    let ran = match case {
        Case::Kill(after) => {
            let run = Watched::start(small.tollgate(&["apply", "dev"]));
            thread::sleep(Duration::from_millis(after));
            run.kill()
        }
        Case::Stop(after) => {
            let run = Watched::start(small.tollgate(&["apply", "dev"]));
            thread::sleep(Duration::from_millis(after));
            let told = Command::new("kill")
                .args(["-INT", &run.id().to_string()])
                .status();
            told.map_err(|error| error.to_string())?;
            let ran = run.end(BOUND);
            // Before it listens for it, the signal ends it as any program.
            if !matches!(ran.code, Some(0 | 130) | None) || ran.hung {
                return Err(format!("an end that is not expected: {}", ran.text()));
            }
            ran
        }
        Case::Cut(direction, action, thousandth) => {
            let length = clean[usize::from(direction == Direction::ToClient)];
            let proxy = proxy(
                &small,
                Some(Fault {
                    connection: 0,
                    direction,
                    position: length * thousandth / 1000,
                    action,
                    stays_down: false,
                }),
            );
            let own = small.url().to_owned();
            small.set_url(&proxy.url(&own));
            let mut run = Watched::start(small.tollgate(&["apply", "dev", "--lock-wait", "30"]));
            if action == Action::Stall {
                // Nobody says that the link is gone; the server and the client find out when it is.
                crate::small::wait_until(BOUND, || proxy.has_fired() || run.has_ended());
                thread::sleep(Duration::from_millis(300));
                proxy.cut();
            }
            let ran = run.end(BOUND);
            small.set_url(&own);
            if ran.hung {
                return Err(format!("it hangs: {}", ran.text()));
            }
            ran
        }
        Case::Fail(n) => {
            small.write(&id(n), &format!("{}SELECT 1 / 0;\n", script(n)));
            let ran = small.run(&["apply", "dev"]);
            failed(&small, n, &ran)?;
            small.write(&id(n), &script(n));
            ran
        }
    };
    said_is_true(&small, &ran)?;
    let again = small.run(&["apply", "dev", "--lock-wait", "30"]);
    if again.code != Some(0) {
        return Err(format!("the same command again: {}", again.text()));
    }
    stands(&small, MIGRATIONS)
        .map_err(|what| format!("{what}\n{}\n{}", ran.text(), again.text()))?;
    for (arguments, word) in [(&["verify"][..], ""), (&["plan", "dev"], "nothing to do")] {
        let ran = small.run(arguments);
        if ran.code != Some(0) || !ran.stdout.contains(word) {
            return Err(format!("{arguments:?}: {}", ran.text()));
        }
    }
    let status = small.run(&["status", "dev"]);
    if status.stdout.contains("unknown") || status.code != Some(0) {
        return Err(format!("something is still open: {}", status.text()));
    }
    Ok(Verdict::Recovered)
}

/// The first so many migrations stand, once, each with its receipt, and nothing else.
fn stands(small: &Small, count: usize) -> Result<(), String> {
    let rows = small.rows("SELECT n FROM counter ORDER BY n")?;
    let expected: Vec<String> = (0..count).map(|n| n.to_string()).collect();
    if rows != expected {
        let doubled = rows.windows(2).any(|pair| pair[0] == pair[1]);
        let word = if doubled { "doubled" } else { "lost" };
        return Err(format!("{word}: {rows:?} in place of the first {count}"));
    }
    let receipts = small.rows("SELECT migration FROM tollgate.receipt ORDER BY seq")?;
    let expected: Vec<String> = (0..count).map(id).collect();
    if receipts != expected {
        return Err(format!("lost: the receipts are {receipts:?}"));
    }
    Ok(())
}

/// What was said to be applied stands.
fn said_is_true(small: &Small, ran: &Ran) -> Result<(), String> {
    let said = ran.said_applied();
    if said.is_empty() {
        return Ok(());
    }
    let receipts = small.rows("SELECT migration FROM tollgate.receipt ORDER BY seq")?;
    match said.iter().all(|migration| receipts.contains(migration)) {
        true => Ok(()),
        false => Err(format!(
            "lost: said to be applied: {said:?}, and there are {receipts:?}"
        )),
    }
}

/// What a run says of the one that failed, and of those behind it, is true, in the ledger too.
fn failed(small: &Small, n: usize, ran: &Ran) -> Result<(), String> {
    let wrong = |what: &str| Err(format!("{what}: {}", ran.text()));
    if ran.code != Some(1) || !ran.stderr.contains("division by zero") {
        return wrong("it was not told that it failed");
    }
    if ran.said_applied().len() != n {
        return wrong("others are said to be applied than were before it");
    }
    stands(small, n)?;
    let log = small.run(&["log"]).stdout;
    let lines = |word: &str| log.lines().filter(|line| line.contains(word)).count();
    // Those behind it that were begun are said not to have run, and none is left open.
    let ended = lines(" succeeded") + lines(" failed ") + lines(" not run ");
    if lines(" intent ") != ended || lines(" failed ") != 1 {
        return wrong(&format!("not every attempt has its end: {log}\n"));
    }
    Ok(())
}
