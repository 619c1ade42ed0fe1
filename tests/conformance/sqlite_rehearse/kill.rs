//! A rehearsal that is killed in the middle leaves the file as it was.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tollgate::model::DataMode;
use tollgate::model::entry::Engine;
use tollgate::sql::analyse;
use tollgate::targets::{RehearsalRequest, RehearsedScript, Target as _, sqlite};

use super::{dump, made, rehearse};
use crate::Bench as _;

const FILE: &str = "TOLLGATE_TEST_KILLED_FILE";
const MARK: &str = "TOLLGATE_TEST_KILLED_MARK";

const TABLES: &str = "CREATE TABLE parent (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES parent (id) ON DELETE CASCADE);
WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
INSERT INTO parent (name) SELECT 'name ' || i FROM n;
INSERT INTO child SELECT id, id FROM parent;";

/// Changed pages do not fit into so small a cache: the file itself is written before the end.
const REBUILD: &str = "PRAGMA cache_size=5;
PRAGMA defer_foreign_keys=ON; PRAGMA foreign_keys=OFF;
CREATE TABLE new_parent (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT);
INSERT INTO new_parent SELECT id, name FROM parent;
DROP TABLE parent;
ALTER TABLE new_parent RENAME TO parent;
PRAGMA foreign_keys=ON; PRAGMA defer_foreign_keys=OFF;";

/// What the child process does; in the suite itself it does nothing.
#[test]
fn rehearses_where_it_is_told_to() {
    let (Ok(file), Ok(mark)) = (std::env::var(FILE), std::env::var(MARK)) else {
        return;
    };
    let endless = "INSERT INTO child SELECT id + 100000, id FROM parent;
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let down = format!("{REBUILD} {endless}");
    let (first, second) = (
        analyse(Engine::Sqlite, REBUILD),
        analyse(Engine::Sqlite, &down),
    );
    let mut target = sqlite::open(Path::new(&file)).unwrap();
    target
        .lock(Duration::from_secs(60), &|| false, &mut |_| {})
        .unwrap();
    let request = RehearsalRequest {
        first: RehearsedScript {
            script: REBUILD,
            analysis: &first,
        },
        second: RehearsedScript {
            script: &down,
            analysis: &second,
        },
        data: DataMode::Full,
        bound: Duration::from_secs(600),
    };
    let outcome = target.rehearse(&request, &mut |what| {
        if what == "running the second script" {
            std::fs::write(&mark, what).unwrap();
        }
    });
    panic!("it came to its end: {outcome:?}");
}

fn child(file: &Path, mark: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "sqlite_rehearse::kill::rehearses_where_it_is_told_to",
        ])
        .env(FILE, file)
        .env(MARK, mark)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_rebuild_that_is_killed_loses_nothing() {
    for (wal, later) in [(false, 0), (false, 300), (true, 300)] {
        let bench = made(TABLES);
        if wal {
            bench
                .connect()
                .pragma_update(None, "journal_mode", "wal")
                .unwrap();
        }
        let before = dump(&bench);
        let mark = bench.path().with_extension("mark");
        let mut child = child(&bench.path(), &mark);
        let begun = Instant::now();
        while !mark.exists() {
            assert!(begun.elapsed() < Duration::from_secs(60));
            assert_eq!(child.try_wait().unwrap(), None, "it ended before");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(later));
        child.kill().unwrap();
        assert!(child.wait().unwrap().code().is_none(), "it was killed");
        assert_eq!(dump(&bench), before);
        assert_eq!(bench.ask("SELECT count(*) FROM child"), 20_000);
        let sound: String = bench
            .connect()
            .pragma_query_value(None, "integrity_check", |row| row.get(0))
            .unwrap();
        assert_eq!(sound, "ok");
        // The lock went with the process.
        let run = rehearse(&bench, REBUILD, REBUILD).unwrap();
        assert_eq!(run.states[0], run.states[2]);
        assert_eq!(dump(&bench), before);
    }
}
