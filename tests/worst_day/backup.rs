//! The program ends at every point of a backup, without a destructor: no file is left that looks whole and
//! is not, and the next backup puts everything in order.

use std::collections::BTreeSet;
use std::os::unix::process::ExitStatusExt as _;

use crate::Random;
use crate::server::Database;
use crate::small::Small;
use crate::workers::try_all;
use crate::world::Verdict;

/// What `abort` ends a process with.
const SIGABRT: i32 = 6;
/// Of how many points, drawn by lot, the bounded part tries the end.
const BOUNDED: usize = 4;
/// What is done again and again: it also deletes the one before.
const BACK_UP: [&str; 5] = ["backup", "dev", "--verify", "--keep", "1"];

#[derive(Debug, Clone, Copy)]
enum Engine {
    Sqlite,
    Postgres,
}

struct Case {
    engine: Engine,
    point: String,
}

/// A project whose target has something to lose.
fn project(engine: Engine) -> Small {
    let small = match engine {
        Engine::Sqlite => Small::on_sqlite(),
        Engine::Postgres => Small::on(Database::new()),
    };
    small.write(
        "20251101000000_shop",
        "CREATE TABLE shop (id integer PRIMARY KEY, name text);\nINSERT INTO shop VALUES (1, 'a'), (2, 'b');\n",
    );
    let applied = small.run(&["apply", "dev"]);
    assert_eq!(applied.code, Some(0), "{}", applied.text());
    small
}

pub(crate) fn run(full: bool, random: &mut Random) -> Vec<(String, Verdict)> {
    let mut cases = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let small = project(engine);
        let list = small.path().join("points");
        for _ in 0..2 {
            let ran = small
                .tollgate(&BACK_UP)
                .env("TOLLGATE_FAILPOINT", format!("list:{}", list.display()))
                .output()
                .expect("the program starts");
            assert!(
                ran.status.success(),
                "{}",
                String::from_utf8_lossy(&ran.stderr)
            );
        }
        let points = std::fs::read_to_string(list).expect("the points");
        let names: BTreeSet<&str> = points.lines().collect();
        let ours = names
            .iter()
            .filter(|name| name.starts_with("backup."))
            .count();
        assert!(ours >= 8, "the points are not reached: {names:?}");
        let mut names: Vec<&str> = names.into_iter().collect();
        while !full && names.len() > BOUNDED {
            names.remove(random.place(names.len()));
        }
        cases.extend(names.into_iter().map(|point| Case {
            engine,
            point: point.to_owned(),
        }));
    }
    try_all("backup", cases, |case| {
        let name = format!("{:?} {}", case.engine, case.point);
        (name, try_one(&case))
    })
}

fn try_one(case: &Case) -> Verdict {
    let small = project(case.engine);
    let before = small.run(&BACK_UP);
    if before.code != Some(0) {
        return Verdict::Wrong(before.text());
    }
    let ended = small
        .tollgate(&BACK_UP)
        .env("TOLLGATE_FAILPOINT", &case.point)
        .output()
        .expect("the program starts");
    if ended.status.signal() != Some(SIGABRT) {
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        return Verdict::Wrong(format!("it was not ended there: {}\n{said}", ended.status));
    }
    let left = names(&small);
    for name in left.iter().filter(|name| looks_whole(name)) {
        let checked = small.run(&["backup", "dev", "--check", name]);
        if checked.code != Some(0) {
            return Verdict::Wrong(format!("{left:?}\n{}", checked.text()));
        }
    }
    if !left.iter().any(|name| looks_whole(name)) {
        return Verdict::Wrong(format!("the one before is gone: {left:?}"));
    }
    let again = small.run(&BACK_UP);
    if again.code != Some(0) {
        return Verdict::Wrong(again.text());
    }
    let left = names(&small);
    let parts = left.iter().filter(|name| name.contains(".part")).count();
    let whole = left.iter().filter(|name| looks_whole(name)).count();
    if parts > 0 || whole != 1 {
        return Verdict::Wrong(format!("after another one: {left:?}"));
    }
    Verdict::Recovered
}

fn looks_whole(name: &str) -> bool {
    name.ends_with(".db") || name.ends_with(".dump")
}

fn names(small: &Small) -> Vec<String> {
    let entries = std::fs::read_dir(small.path().join("state").join("backups"));
    let entries = entries.into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.collect()
}
