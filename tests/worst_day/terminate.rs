//! The session is ended by somebody else, and the server has no connection left for another one.

use std::thread;
use std::time::Duration;

use crate::Random;
use crate::network::honest;
use crate::server::{Database, server_url, with_user};
use crate::small::{BOUND, Small, Watched, wait_until};
use crate::workers::try_all;
use crate::world::{Engine, Tree, Verdict, World, reference};

/// How many sessions are ended.
const FAULTS: (usize, usize) = (20, 3);

/// How often an instant is drawn anew where the run was over before it.
const DRAWS: usize = 8;

enum Case {
    Ended(Tree, Vec<Duration>),
    Full(Full),
}

/// When there is no connection left.
#[derive(Debug, Clone, Copy)]
enum Full {
    /// Before the run connects.
    BeforeTheRun,
    /// When it connects once more, because its session was ended while a script ran.
    BeforeItSettles,
}

pub(crate) fn run(full: bool, random: &mut Random) -> Vec<(String, Verdict)> {
    let mut cases = vec![
        Case::Full(Full::BeforeTheRun),
        Case::Full(Full::BeforeItSettles),
    ];
    for place in 0..if full { FAULTS.0 } else { FAULTS.1 } {
        let tree = Tree::ALL[place % 3];
        let length = reference(Engine::Postgres, tree).length;
        let micros = u64::try_from(length.as_micros()).unwrap_or(u64::MAX);
        let mut draw = || Duration::from_micros(random.below(micros));
        cases.push(Case::Ended(tree, (0..DRAWS).map(|_| draw()).collect()));
    }
    try_all("terminate", cases, |case| match case {
        Case::Ended(tree, instants) => ended(tree, &instants),
        Case::Full(when) => {
            let verdict = no_connection_left(when).unwrap_or_else(Verdict::Wrong);
            (format!("no connection left: {when:?}"), verdict)
        }
    })
}

fn ended(tree: Tree, instants: &[Duration]) -> (String, Verdict) {
    for instant in instants {
        let name = format!("{tree:?}, session ended after {instant:?}");
        let mut world = World::new(Engine::Postgres, tree);
        let run = Watched::start(world.apply());
        thread::sleep(*instant);
        let ended = world.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND application_name = 'tollgate'",
        );
        let ran = run.end(BOUND);
        match ended {
            Err(error) => return (name, Verdict::Wrong(error)),
            // It had not connected yet, or was over.
            Ok(sessions) if sessions.is_empty() => continue,
            Ok(_) => {}
        }
        if let Err(what) = honest(&world, &ran) {
            return (name, Verdict::Wrong(what));
        }
        return (name, world.settle());
    }
    let never = format!("there was no session at any of {DRAWS} instants");
    (format!("{tree:?}"), Verdict::Wrong(never))
}

/// The role that the run logs in as may have no session (more).
fn no_connection_left(when: Full) -> Result<Verdict, String> {
    let database = Database::new();
    let role = format!("role_{}", database.name());
    let limit = |limit: i32| {
        let sql = format!("ALTER ROLE {role} CONNECTION LIMIT {limit}");
        crate::server::run(&server_url(), &sql).map(drop)
    };
    database.run(&format!(
        "CREATE ROLE {role} LOGIN PASSWORD 'word'; ALTER DATABASE {} OWNER TO {role}; \
         ALTER SCHEMA public OWNER TO {role}",
        database.name()
    ))?;
    let url = with_user(&database.superuser_url(), &format!("{role}:word"));
    let mut small = Small::on(database);
    small.set_url(&url);
    small.write(
        "20251101000000_first",
        "CREATE TABLE counter (number int);\n",
    );
    small.write(
        "20251102000000_second",
        "INSERT INTO counter VALUES (2);\nSELECT pg_sleep(2);\n",
    );
    small.write("20251103000000_third", "INSERT INTO counter VALUES (3);\n");
    let small = match when {
        Full::BeforeTheRun => {
            limit(0)?;
            let ran = small.run(&["apply", "dev"]);
            if ran.code != Some(1)
                || !ran.stderr.contains("has no connection left")
                || !ran.stderr.contains("remedy")
            {
                return Err(format!("it is not clear why: {}", ran.text()));
            }
            limit(-1)?;
            small
        }
        Full::BeforeItSettles => {
            let run = Watched::start(small.tollgate(&["apply", "dev"]));
            let sleeping = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
                            AND query LIKE '%pg_sleep(2)%' AND application_name = 'tollgate'";
            let there = || small.rows(sleeping).is_ok_and(|rows| !rows.is_empty());
            if !wait_until(BOUND, there) {
                return Err(format!("the script never ran: {}", run.kill().text()));
            }
            limit(0)?;
            small.rows(&sleeping.replace("SELECT pid", "SELECT pg_terminate_backend(pid)"))?;
            let ran = run.end(BOUND);
            if ran.code != Some(1)
                || !ran
                    .stderr
                    .contains("how 20251102000000_second ended is not known")
                || !ran.stderr.contains("tollgate apply dev --dry-run")
            {
                return Err(format!(
                    "it is not said that the end is not known: {}",
                    ran.text()
                ));
            }
            limit(-1)?;
            // The remedy that was printed.
            let looked = small.run(&["apply", "dev", "--dry-run"]);
            if looked.code != Some(0) || !looked.stderr.contains("settled 20251102000000_second") {
                return Err(format!("the remedy does not settle it: {}", looked.text()));
            }
            small
        }
    };
    let again = small.run(&["apply", "dev"]);
    let rows = small.rows("SELECT number FROM counter ORDER BY number")?;
    let receipts = small.rows("SELECT seq FROM tollgate.receipt ORDER BY seq")?;
    let sound = small.run(&["verify"]);
    // The role owns what is in the database; both go.
    small.rows(&format!(
        "REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}; DROP ROLE {role}"
    ))?;
    if again.code != Some(0) || sound.code != Some(0) {
        return Err(format!(
            "the same command again: {}{}",
            again.text(),
            sound.text()
        ));
    }
    if rows != ["2", "3"] || receipts != ["1", "2", "3"] {
        return Err(format!("rows {rows:?}, receipts {receipts:?}"));
    }
    Ok(Verdict::Recovered)
}
