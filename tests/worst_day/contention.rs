//! Sixteen runs on one empty target at the same moment.

use std::time::{Duration, Instant};

use crate::Random;
use crate::server::Database;
use crate::small::{Ran, Small, Watched};
use crate::world::{Engine, Verdict};

/// How many at once.
const PROCESSES: usize = 16;

/// How many rounds, for each engine and each kind of ledger.
const ROUNDS: (usize, usize) = (10, 1);

/// The last of them waits for all others, on however slow a machine.
const BOUND: Duration = Duration::from_secs(300);

/// The migrations, each with its own row in `counter`.
const MIGRATIONS: usize = 6;

pub(crate) fn run(full: bool, _: &mut Random) -> Vec<(String, Verdict)> {
    let rounds = if full { ROUNDS.0 } else { ROUNDS.1 };
    let mut answers = Vec::new();
    let mut longest = Duration::ZERO;
    for engine in Engine::ALL {
        for shared in [false, true] {
            // The bounded part has each engine once, and each kind of ledger once.
            if !full && shared != (engine == Engine::Postgres) {
                continue;
            }
            for round in 1..=rounds {
                let begun = Instant::now();
                let verdict = once(engine, shared).unwrap_or_else(Verdict::Wrong);
                longest = longest.max(begun.elapsed());
                let ledgers = if shared {
                    "one ledger"
                } else {
                    "a ledger each"
                };
                answers.push((format!("{engine:?}, {ledgers}, round {round}"), verdict));
            }
        }
    }
    eprintln!(
        "worst day: contention: the last of {PROCESSES} had ended after {} ms at most",
        longest.as_millis()
    );
    answers
}

fn once(engine: Engine, shared: bool) -> Result<Verdict, String> {
    let first = match engine {
        Engine::Postgres => Small::on(Database::new()),
        Engine::Sqlite => Small::on_sqlite(),
    };
    let url = match engine {
        Engine::Postgres => first.url().to_owned(),
        Engine::Sqlite => format!("sqlite:{}", first.file().display()),
    };
    let others: Vec<Small> = (1..if shared { 1 } else { PROCESSES })
        .map(|_| Small::elsewhere(&url))
        .collect();
    let projects: Vec<&Small> = std::iter::once(&first).chain(&others).collect();
    for project in &projects {
        write(project);
    }
    let started: Vec<Watched> = (0..PROCESSES)
        .map(|place| {
            let project = projects[place % projects.len()];
            // Without --lock-wait: what a user who knows nothing of it gets.
            Watched::start(project.tollgate(&["apply", "dev"]))
        })
        .collect();
    let ran: Vec<Ran> = started.into_iter().map(|run| run.end(BOUND)).collect();
    if let Some(other) = ran.iter().find(|ran| ran.code != Some(0)) {
        return Err(format!("one of them did not end well: {}", other.text()));
    }
    let applied: Vec<String> = ran.iter().flat_map(Ran::said_applied).collect();
    let (counter, receipts) = match engine {
        Engine::Postgres => ("public.counter", "tollgate.receipt"),
        Engine::Sqlite => ("counter", "tollgate_receipt"),
    };
    let expected: Vec<String> = (1..=MIGRATIONS).map(|number| number.to_string()).collect();
    let rows = first.rows(&format!("SELECT number FROM {counter} ORDER BY number"))?;
    if rows != expected {
        let what = if rows.len() > MIGRATIONS {
            "doubled"
        } else {
            "lost"
        };
        return Err(format!("{what}: the rows are {rows:?}"));
    }
    let places = first.rows(&format!("SELECT seq FROM {receipts} ORDER BY seq"))?;
    if places != expected {
        return Err(format!("lost: the receipts are {places:?}"));
    }
    if applied.len() != MIGRATIONS {
        return Err(format!(
            "doubled: all together said that they applied {applied:?}"
        ));
    }
    for project in projects {
        for arguments in [["verify"].as_slice(), &["plan", "dev"], &["apply", "dev"]] {
            let ran = project.run(arguments);
            if ran.code != Some(0) {
                return Err(format!("tollgate {}: {}", arguments.join(" "), ran.text()));
            }
        }
    }
    Ok(Verdict::Recovered)
}

fn write(project: &Small) {
    project.write(
        "20251101000000_counter",
        "CREATE TABLE counter (number int NOT NULL);\nINSERT INTO counter VALUES (1);\n",
    );
    for number in 2..=MIGRATIONS {
        project.write(
            &format!("202511{number:02}000000_row"),
            &format!("INSERT INTO counter VALUES ({number});\n"),
        );
    }
}
