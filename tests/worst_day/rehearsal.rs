//! The program ends at every point of a rehearsal, without a destructor: in place and on a scratch database.
//! Nothing of it stands, the same command again is enough, and it takes away what was left behind.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;

use crate::Random;
use crate::server::Database;
use crate::small::Small;
use crate::workers::try_all;
use crate::world::Verdict;

/// What `abort` ends a process with.
const SIGABRT: i32 = 6;
/// Of how many points of each kind, drawn by lot, the bounded part tries the end.
const BOUNDED: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

/// Which rehearsal: of the next migration in place, or on a copy of the target.
const WAYS: [&[&str]; 2] = [&["rehearse", "dev"], &["rehearse", "dev", "--scratch"]];

struct Case {
    engine: Engine,
    way: &'static [&'static str],
    point: String,
}

/// A project with something to lose: rows, and a migration that is pending and draws numbers.
fn project(engine: Engine) -> Small {
    let (small, serial) = match engine {
        Engine::Sqlite => (Small::on_sqlite(), "INTEGER PRIMARY KEY AUTOINCREMENT"),
        Engine::Postgres => (Small::on(Database::new()), "bigserial PRIMARY KEY"),
    };
    small.write(
        "20251101000000_shop",
        &format!(
            "CREATE TABLE shop (id {serial}, name text);\nINSERT INTO shop (name) VALUES ('a'), ('b');\n"
        ),
    );
    let applied = small.run(&["apply", "dev"]);
    assert_eq!(applied.code, Some(0), "{}", applied.text());
    small.write(
        "20251102000000_price",
        "ALTER TABLE shop ADD COLUMN price integer NOT NULL DEFAULT 1;\nINSERT INTO shop (name) VALUES ('c');\n",
    );
    std::fs::write(
        small
            .path()
            .join("migrations/20251102000000_price/down.sql"),
        "DELETE FROM shop WHERE name = 'c';\nALTER TABLE shop DROP COLUMN price;\n",
    )
    .expect("a reversal");
    small
}

/// What must be as it was: rows, columns, and the next number.
fn stands(small: &Small, engine: Engine) -> Result<Vec<String>, String> {
    let mut all = small.rows("SELECT id || ' ' || name FROM shop ORDER BY id")?;
    all.extend(small.rows(match engine {
        Engine::Sqlite => "SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'tollgate%' AND sql IS NOT NULL ORDER BY name",
        Engine::Postgres => "SELECT attname::text FROM pg_attribute WHERE attrelid = 'shop'::regclass AND attnum > 0 ORDER BY attnum",
    })?);
    all.extend(small.rows(match engine {
        Engine::Sqlite => {
            "SELECT name || ' ' || seq FROM sqlite_sequence WHERE name NOT LIKE 'tollgate%'"
        }
        Engine::Postgres => "SELECT last_value || ' ' || is_called FROM shop_id_seq",
    })?);
    Ok(all)
}

/// Scratch databases that are still there.
fn left(small: &Small, engine: Engine) -> Result<Vec<String>, String> {
    match engine {
        Engine::Postgres => small.rows(
            "SELECT datname FROM pg_database WHERE datname LIKE 'tollgate_scratch_' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '%'",
        ),
        Engine::Sqlite => {
            let folder = small.file();
            let folder = folder.parent().unwrap_or(&folder);
            let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
            let names = entries
                .flatten()
                .filter_map(|entry| entry.file_name().into_string().ok());
            Ok(names.filter(|name| name.contains("scratch")).collect())
        }
    }
}

pub(crate) fn run(full: bool, random: &mut Random) -> Vec<(String, Verdict)> {
    let mut cases = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        for way in WAYS {
            let small = project(engine);
            let list = small.path().join("points");
            let ran = small
                .tollgate(way)
                .env("TOLLGATE_FAILPOINT", format!("list:{}", list.display()))
                .output()
                .expect("the program starts");
            assert!(
                ran.status.success(),
                "{}{}",
                String::from_utf8_lossy(&ran.stdout),
                String::from_utf8_lossy(&ran.stderr)
            );
            let points = std::fs::read_to_string(list).expect("the points");
            let names: BTreeSet<&str> = points.lines().collect();
            assert!(
                names.contains("rehearse.receipt.before"),
                "the points are not reached: {names:?}"
            );
            let mut names: Vec<&str> = names.into_iter().collect();
            while !full && names.len() > BOUNDED {
                names.remove(random.place(names.len()));
            }
            cases.extend(names.into_iter().map(|point| Case {
                engine,
                way,
                point: point.to_owned(),
            }));
        }
    }
    try_all("rehearsal", cases, |case| {
        let name = format!("{:?} {} {}", case.engine, case.way.join(" "), case.point);
        (name, try_one(&case).unwrap_or_else(Verdict::Wrong))
    })
}

fn try_one(case: &Case) -> Result<Verdict, String> {
    let small = project(case.engine);
    let before = stands(&small, case.engine)?;
    let ended = small
        .tollgate(case.way)
        .env("TOLLGATE_FAILPOINT", &case.point)
        .output()
        .expect("the program starts");
    if ended.status.signal() != Some(SIGABRT) {
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        return Ok(Verdict::Wrong(format!(
            "it was not ended there: {}\n{said}",
            ended.status
        )));
    }
    let again = small.run(case.way);
    if again.code != Some(0) {
        return Ok(Verdict::Wrong(again.text()));
    }
    let after = stands(&small, case.engine)?;
    if after != before {
        return Ok(Verdict::Wrong(format!("{before:?}\nis now\n{after:?}")));
    }
    let left = left(&small, case.engine)?;
    if !left.is_empty() {
        return Ok(Verdict::Wrong(format!("left behind: {left:?}")));
    }
    for next in [&["verify"][..], &["verify", "dev"], &["apply", "dev"]] {
        let ran = small.run(next);
        if ran.code != Some(0) {
            return Ok(Verdict::Wrong(format!("{next:?}: {}", ran.text())));
        }
    }
    Ok(Verdict::Recovered)
}
