//! A project with migrations that a section writes itself, and processes that are watched: what the
//! sections need that do not run one of the trees.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::server::Database;

/// No process of these sections runs longer than this, in a suite that is otherwise well: one that
/// does hangs, and is killed and reported.
pub(crate) const BOUND: Duration = Duration::from_secs(150);

/// Where a project's environment `dev` is.
pub(crate) enum Place {
    Sqlite,
    Postgres(Box<Database>),
}

/// A temporary project with one environment `dev`.
pub(crate) struct Small {
    folder: tempfile::TempDir,
    pub(crate) place: Place,
    url: String,
}

impl Small {
    /// A project whose target is an embedded database of its own.
    pub(crate) fn on_sqlite() -> Self {
        Self::at(Place::Sqlite, "sqlite:state/dev.db".to_owned())
    }

    /// A project whose target is this database.
    pub(crate) fn on(database: Database) -> Self {
        let url = database.url();
        Self::at(Place::Postgres(Box::new(database)), url)
    }

    /// Another project, with a ledger of its own, on whatever the URL leads to.
    pub(crate) fn elsewhere(url: &str) -> Self {
        Self::at(Place::Sqlite, url.to_owned())
    }

    fn at(place: Place, url: String) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in ["migrations", "state"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder");
        }
        let config = "[[environment]]\nname = \"dev\"\nurl = \"env:DATABASE_URL\"\n";
        std::fs::write(folder.path().join("tollgate.toml"), config).expect("tollgate.toml");
        Self { folder, place, url }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The file of an embedded database.
    pub(crate) fn file(&self) -> PathBuf {
        self.path().join("state/dev.db")
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Leads the project to its target by another way.
    pub(crate) fn set_url(&mut self, url: &str) {
        url.clone_into(&mut self.url);
    }

    pub(crate) fn write(&self, migration: &str, script: &str) {
        let folder = self.path().join("migrations").join(migration);
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join("migration.sql"), script).expect("a script");
    }

    /// `tollgate` with these arguments, in this project and nothing else of the surroundings.
    pub(crate) fn tollgate(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.args(arguments).current_dir(self.path());
        command.env_clear().env("USER", "alice");
        command.env("DATABASE_URL", &self.url);
        command
    }

    /// The same, run to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Watched::start(self.tollgate(arguments)).end(BOUND)
    }

    /// The rows of a query, their columns joined by `|`.
    pub(crate) fn rows(&self, sql: &str) -> Result<Vec<String>, String> {
        match &self.place {
            Place::Postgres(database) => Ok(database
                .run(sql)?
                .into_iter()
                .map(|row| {
                    let cells: Vec<String> =
                        row.into_iter().map(Option::unwrap_or_default).collect();
                    cells.join("|")
                })
                .collect()),
            Place::Sqlite => rows_of(&self.file(), sql).map_err(|error| error.to_string()),
        }
    }
}

fn rows_of(file: &Path, sql: &str) -> rusqlite::Result<Vec<String>> {
    let connection = rusqlite::Connection::open(file)?;
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells: rusqlite::Result<Vec<String>> = (0..columns)
            .map(|at| {
                let value: rusqlite::types::Value = row.get(at)?;
                Ok(match value {
                    rusqlite::types::Value::Null => String::new(),
                    rusqlite::types::Value::Integer(number) => number.to_string(),
                    rusqlite::types::Value::Real(number) => number.to_string(),
                    rusqlite::types::Value::Text(text) => text,
                    rusqlite::types::Value::Blob(bytes) => format!("{} bytes", bytes.len()),
                })
            })
            .collect();
        Ok(cells?.join("|"))
    })?;
    rows.collect()
}

/// How a process ended.
#[derive(Debug, Clone)]
pub(crate) struct Ran {
    /// The exit code; none where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// It did not end within its bound, and was killed.
    pub(crate) hung: bool,
}

impl Ran {
    /// Everything, for a report.
    pub(crate) fn text(&self) -> String {
        let code = match self.code {
            Some(code) => format!("exit {code}"),
            None if self.hung => "it hung and was killed".to_owned(),
            None => "ended by a signal".to_owned(),
        };
        format!("{code}\n{}{}", self.stdout, self.stderr)
    }

    /// The migrations that it said it applied.
    pub(crate) fn said_applied(&self) -> Vec<String> {
        self.stderr
            .lines()
            .filter_map(|line| line.trim_start().strip_prefix("applied "))
            .filter_map(|rest| rest.split_whitespace().next())
            .map(str::to_owned)
            .collect()
    }
}

/// A process whose output is read while it runs, so that it never waits for us.
pub(crate) struct Watched {
    child: Child,
    readers: [JoinHandle<String>; 2],
}

impl Watched {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("tollgate starts");
        let readers = [
            reader(child.stdout.take().expect("a pipe")),
            reader(child.stderr.take().expect("a pipe")),
        ];
        Self { child, readers }
    }

    /// The process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits for its end, and kills it where that does not come.
    pub(crate) fn end(mut self, bound: Duration) -> Ran {
        let begun = Instant::now();
        while !self.has_ended() {
            if begun.elapsed() > bound {
                return Ran {
                    hung: true,
                    ..self.kill()
                };
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.gather()
    }

    /// Ends it with SIGKILL.
    pub(crate) fn kill(mut self) -> Ran {
        // It may have ended in this moment, which is as good.
        let _ = self.child.kill();
        self.gather()
    }

    fn gather(mut self) -> Ran {
        let status = self.child.wait().expect("a process of ours");
        let [stdout, stderr] = self.readers.map(|reader| reader.join().unwrap_or_default());
        Ran {
            code: status.code(),
            stdout,
            stderr,
            hung: false,
        }
    }
}

fn reader(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before an error is what there is.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Asks until a condition holds. `false`: it did not within the bound.
pub(crate) fn wait_until(bound: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    loop {
        if holds() {
            return true;
        }
        if begun.elapsed() > bound {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
}
