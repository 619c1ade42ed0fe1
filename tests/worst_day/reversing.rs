//! The program ends at every point of an emergency and of a redo, without a destructor. The same command
//! again goes on: everything is reversed once, in one incident, and the data is right.

use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use crate::Random;
use crate::server::Database;
use crate::workers::try_all;
use crate::world::{Ran, Verdict, finish};

/// What `abort` ends a process with.
const SIGABRT: i32 = 6;
/// How many ends of each kind, drawn by lot, the bounded part tries.
const BOUNDED: usize = 6;

const NAMES: [&str; 3] = ["dev", "test", "prod"];
const EMAIL: &str = "20251102000000_email";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Engine {
    Sqlite,
    Postgres,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Emergency,
    Redo,
}

impl Way {
    const fn command(self) -> &'static [&'static str] {
        match self {
            Self::Emergency => &["emergency", EMAIL, "--reason", "mails go astray", "--yes"],
            Self::Redo => &["redo", EMAIL],
        }
    }
}

struct Case {
    engine: Engine,
    way: Way,
    point: String,
}

/// A project with three targets, with rows in them.
struct Chain {
    folder: tempfile::TempDir,
    databases: Vec<Database>,
}

impl Chain {
    fn new(engine: Engine, way: Way) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut config = String::new();
        let mut databases = Vec::new();
        for name in NAMES {
            let url = match engine {
                Engine::Sqlite => format!("sqlite:state/{name}.db"),
                Engine::Postgres => {
                    let database = Database::new();
                    let url = database.url();
                    databases.push(database);
                    url
                }
            };
            config.push_str(&format!(
                "[[environment]]\nname = \"{name}\"\nurl = \"{url}\"\n"
            ));
        }
        config.push_str("[environment.require]\nrehearsal = true\n");
        std::fs::write(folder.path().join("tollgate.toml"), config).expect("tollgate.toml");
        let chain = Self { folder, databases };
        chain.write(
            "20251101000000_users",
            "CREATE TABLE users (id integer PRIMARY KEY, name text);\nINSERT INTO users VALUES (1, 'ada'), (2, 'grace');\n",
            "DROP TABLE users;\n",
        );
        chain.write(
            EMAIL,
            "ALTER TABLE users ADD COLUMN email text;\n",
            "ALTER TABLE users DROP COLUMN email;\n",
        );
        let last = match way {
            Way::Emergency => "prod",
            Way::Redo => "dev",
        };
        let ran = chain.run(&["promote", last]);
        assert_eq!(ran.code, Some(0), "{}", ran.text());
        if way == Way::Redo {
            chain.write(
                EMAIL,
                "ALTER TABLE users ADD COLUMN mail text;\n",
                "ALTER TABLE users DROP COLUMN mail;\n",
            );
        }
        chain
    }

    fn write(&self, migration: &str, up: &str, down: &str) {
        let folder = self.folder.path().join("migrations").join(migration);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("migration.sql"), up).expect("a script");
        std::fs::write(folder.join("down.sql"), down).expect("a reversal");
    }

    fn tollgate(&self, arguments: &[&str]) -> Command {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("USER", "alice")
            .env("PATH", path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        finish(self.tollgate(arguments))
    }

    /// The first column of a query in one of the targets.
    fn rows(&self, place: usize, sql: &str) -> Result<Vec<String>, String> {
        if let Some(database) = self.databases.get(place) {
            let rows = database.run(sql)?;
            let first = |row: Vec<Option<String>>| row.into_iter().next().flatten();
            return Ok(rows.into_iter().filter_map(first).collect());
        }
        let file = self
            .folder
            .path()
            .join(format!("state/{}.db", NAMES[place]));
        let read = || -> rusqlite::Result<Vec<String>> {
            let connection = rusqlite::Connection::open(file)?;
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], |row| row.get(0))?;
            rows.collect()
        };
        read().map_err(|error| error.to_string())
    }

    /// Rows and columns as they have to be, and each receipt once.
    fn stands(&self, place: usize, columns: &str, receipts: &[&str]) -> Result<(), String> {
        let postgres = !self.databases.is_empty();
        let names = self.rows(place, "SELECT name FROM users ORDER BY id")?;
        let found = match postgres {
            true => {
                "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped"
            }
            false => "SELECT group_concat(name, ' ') FROM pragma_table_info('users')",
        };
        let found = self.rows(place, found)?;
        let table = match postgres {
            true => "tollgate.receipt",
            false => "tollgate_receipt",
        };
        let ran = self.rows(
            place,
            &format!("SELECT kind || ' ' || migration FROM {table} WHERE kind <> 'rehearsed' ORDER BY seq"),
        )?;
        let ran: Vec<&str> = ran
            .iter()
            .map(|line| match line.strip_suffix("_rollback_email") {
                Some(_) => "atomic rollback",
                None => line,
            })
            .collect();
        if names == ["ada", "grace"] && found == [columns] && ran == receipts {
            return Ok(());
        }
        Err(format!("{}: {names:?} {found:?} {ran:?}", NAMES[place]))
    }
}

pub(crate) fn run(full: bool, random: &mut Random) -> Vec<(String, Verdict)> {
    let mut cases = Vec::new();
    for engine in [Engine::Sqlite, Engine::Postgres] {
        for way in [Way::Emergency, Way::Redo] {
            let chain = Chain::new(engine, way);
            let list = chain.folder.path().join("points");
            let mut command = chain.tollgate(way.command());
            command.env("TOLLGATE_FAILPOINT", format!("list:{}", list.display()));
            let ran = finish(command);
            assert_eq!(ran.code, Some(0), "{}", ran.text());
            let points = std::fs::read_to_string(list).expect("the points");
            let own = match way {
                Way::Emergency => "emergency.opened",
                Way::Redo => "redo.between",
            };
            assert!(points.lines().any(|point| point == own), "{points}");
            // Each of them as often as it is reached: an emergency is many runs in one.
            let mut times: BTreeMap<&str, u64> = BTreeMap::new();
            let mut ends: Vec<String> = Vec::new();
            for point in points.lines() {
                let time = times.entry(point).or_default();
                *time += 1;
                ends.push(format!("{point}:{time}"));
            }
            while !full && ends.len() > BOUNDED {
                ends.remove(random.place(ends.len()));
            }
            cases.extend(ends.into_iter().map(|point| Case { engine, way, point }));
        }
    }
    try_all("reversing", cases, |case| {
        let name = format!("{:?} {:?} {}", case.engine, case.way, case.point);
        (name, try_one(&case).unwrap_or_else(Verdict::Wrong))
    })
}

fn try_one(case: &Case) -> Result<Verdict, String> {
    let chain = Chain::new(case.engine, case.way);
    let ended = chain
        .tollgate(case.way.command())
        .env("TOLLGATE_FAILPOINT", &case.point)
        .output()
        .map_err(|error| error.to_string())?;
    if ended.status.signal() != Some(SIGABRT) {
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        return Err(format!("it was not ended there: {}\n{said}", ended.status));
    }
    let again = chain.run(case.way.command());
    if again.code != Some(0) {
        return Err(format!("the same command again: {}", again.text()));
    }
    match case.way {
        Way::Emergency => reversed(&chain)?,
        Way::Redo => {
            let kinds = chain.rows(
                0,
                match case.engine {
                    Engine::Sqlite => "SELECT kind FROM tollgate_receipt WHERE kind = 'undone'",
                    Engine::Postgres => "SELECT kind FROM tollgate.receipt WHERE kind = 'undone'",
                },
            )?;
            // Ended after all of it, the same command does it once more.
            let mut receipts = vec!["atomic 20251101000000_users", "atomic 20251102000000_email"];
            for _ in &kinds {
                receipts.extend(["undone 20251102000000_email", "atomic 20251102000000_email"]);
            }
            if !(1..=2).contains(&kinds.len()) {
                return Err(format!("it was undone {} times", kinds.len()));
            }
            chain.stands(0, "id name mail", &receipts)?;
        }
    }
    for next in [&["verify"][..], &["verify", "dev"], &["apply", "dev"]] {
        let ran = chain.run(next);
        if ran.code != Some(0) {
            return Err(format!("{next:?}: {}", ran.text()));
        }
    }
    Ok(Verdict::Recovered)
}

/// Everywhere, once, in one incident, with one rollback and a backup of before.
fn reversed(chain: &Chain) -> Result<(), String> {
    for place in 0..NAMES.len() {
        chain.stands(
            place,
            "id name",
            &[
                "atomic 20251101000000_users",
                "atomic 20251102000000_email",
                "atomic rollback",
            ],
        )?;
    }
    let verified = chain.run(&["verify", "dev", "test", "prod"]);
    if verified.code != Some(0) {
        return Err(verified.text());
    }
    let log = chain.run(&["log"]).stdout;
    let count = |word: &str| log.lines().filter(|line| line.contains(word)).count();
    let entries = [count("  emergency  "), count("  reverted   ")];
    let written = std::fs::read_dir(chain.folder.path().join("migrations"))
        .map_err(|error| error.to_string())?
        .flatten()
        .filter(|entry| entry.path().join("migration.sql").exists())
        .count();
    if entries != [1, 1] || written != 3 || count("  backed-up  ") == 0 {
        return Err(format!("{entries:?}, {written} migrations\n{log}"));
    }
    Ok(())
}
