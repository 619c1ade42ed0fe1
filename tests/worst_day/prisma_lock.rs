//! Prisma waits for the run's lock inside a statement, and with it holds a snapshot, while a statement
//! of ours waits for all snapshots to end: the server ends ours as a deadlock, and it leaves an INVALID
//! index behind.

use std::thread;

use crate::Random;
use crate::server::{self, Database};
use crate::small::{BOUND, Small, Watched, wait_until};
use crate::workers::try_all;
use crate::world::Verdict;

/// What runs into it, and the indexes that stand afterwards.
const STATEMENTS: &[(&str, &[&str])] = &[
    (
        "CREATE INDEX CONCURRENTLY users_name ON users (name)",
        &["users_id", "users_name"],
    ),
    (
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_name ON users (name)",
        &["users_id", "users_name"],
    ),
    ("REINDEX INDEX CONCURRENTLY users_id", &["users_id"]),
    ("DROP INDEX CONCURRENTLY users_id", &[]),
];

pub(crate) fn run(full: bool, _: &mut Random) -> Vec<(String, Verdict)> {
    let many = if full { STATEMENTS.len() } else { 1 };
    try_all(
        "prisma-lock",
        STATEMENTS[..many].to_vec(),
        |(statement, indexes)| {
            let verdict = once(statement, indexes).unwrap_or_else(Verdict::Wrong);
            (statement.to_owned(), verdict)
        },
    )
}

fn once(statement: &str, indexes: &[&str]) -> Result<Verdict, String> {
    let small = Small::on(Database::new());
    small.write(
        "20251101000000_users",
        "CREATE TABLE counter (number int NOT NULL);\nCREATE TABLE users (id int, name text);\n\
         INSERT INTO users SELECT n, 'user ' || n FROM generate_series(1, 100) AS n;\n\
         CREATE INDEX users_id ON users (id);\nINSERT INTO counter VALUES (0);\n",
    );
    // The waiter looks for a deadlock once, after a second; ours comes later, so that ours is the one
    // that the server ends.
    small.write(
        "20251102000000_index",
        &format!(
            "INSERT INTO counter VALUES (1);\nSELECT pg_sleep(2.5);\n{statement};\nINSERT INTO counter VALUES (4);\n"
        ),
    );
    small.write("20251103000000_after", "INSERT INTO counter VALUES (5);\n");
    let run = Watched::start(small.tollgate(&["apply", "dev"]));
    let active = |what: &str| {
        let sql = format!(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() \
             AND pid <> pg_backend_pid() AND state = 'active' AND query LIKE '%{what}%'"
        );
        small.rows(&sql).is_ok_and(|rows| !rows.is_empty())
    };
    if !wait_until(BOUND, || active("pg_sleep(2.5)")) {
        return Err(format!("the script never ran: {}", run.kill().text()));
    }
    // As Prisma does: one statement that waits, given up after 10 s.
    let url = format!("{}?options=-c%20statement_timeout%3D10s", small.url());
    let prisma = thread::spawn(move || server::run(&url, "SELECT pg_advisory_lock(72707369)"));
    let waits = wait_until(BOUND, || active("pg_advisory_lock(72707369)"));
    let ran = run.end(BOUND);
    // It got the lock at the end of our run, or gave up: either is well.
    let _ = prisma.join();
    if !waits {
        return Err(format!("nobody waited: {}", ran.text()));
    }
    if ran.code != Some(0) {
        return Err(format!("the index was not made: {}", ran.text()));
    }
    let found = small.rows(
        "SELECT c.relname, i.indisvalid FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid \
         WHERE i.indrelid = 'users'::regclass ORDER BY 1",
    )?;
    let expected: Vec<String> = indexes.iter().map(|name| format!("{name}|t")).collect();
    if found != expected {
        return Err(format!(
            "the indexes are {found:?}, not {expected:?}: {}",
            ran.text()
        ));
    }
    let rows = small.rows("SELECT number FROM counter ORDER BY number")?;
    if rows.len() != 4 {
        let what = if rows.len() > 4 { "doubled" } else { "lost" };
        return Err(format!("{what}: the rows are {rows:?}: {}", ran.text()));
    }
    let receipts = small.rows("SELECT migration FROM tollgate.receipt")?;
    let sound = small.run(&["verify"]);
    let again = small.run(&["apply", "dev"]);
    if receipts.len() != 3 || sound.code != Some(0) || again.code != Some(0) {
        return Err(format!(
            "receipts {receipts:?}: {}{}",
            sound.text(),
            again.text()
        ));
    }
    Ok(Verdict::Recovered)
}
