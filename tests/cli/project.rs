//! A project in a temporary folder and a world that stands still: the same command gives the same
//! bytes on every machine.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use tollgate::cli::{World, run};
use tollgate::model::Timestamp;

/// 2025-11-04 10:12:00 UTC.
const NOON: i64 = 1_762_251_120_000;

pub(crate) struct Project {
    folder: tempfile::TempDir,
    /// Ids that count: the next run goes on where this one stopped.
    ids: Rc<Cell<u64>>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) now: i64,
    /// Which run of the machine it is.
    pub(crate) session: Option<String>,
    /// Where PostgreSQL's programs are.
    pub(crate) programs: Vec<PathBuf>,
}

/// Where Debian has PostgreSQL's programs.
fn programs() -> Vec<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql");
    let versions = versions.into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin")).collect()
}

/// What a command wrote and how it ended.
pub(crate) struct Shot {
    pub(crate) exit: u8,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl fmt::Display for Shot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit {}", self.exit)?;
        for (name, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                write!(f, "\n--- {name}\n{}", text.trim_end())?;
            }
        }
        Ok(())
    }
}

impl Project {
    /// An empty folder.
    pub(crate) fn empty() -> Self {
        let variables = [("USER", "alice"), ("TERM", "dumb")];
        Self {
            folder: tempfile::tempdir().unwrap(),
            ids: Rc::new(Cell::new(1)),
            variables: variables
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect(),
            now: NOON,
            session: None,
            programs: programs(),
        }
    }

    /// Draws other ids than every other project: for two ledgers that meet on one target.
    pub(crate) fn with_own_ids(self) -> Self {
        self.with_ids(1)
    }

    /// The same for several: `n` is another one for each.
    pub(crate) fn with_ids(self, n: u64) -> Self {
        self.ids.set(n * 1_000_000);
        self
    }

    /// Draws ids of its own: for more ledgers than two.
    pub(crate) fn begin_ids(&mut self, which: u64) {
        self.ids.set(which * 1_000_000);
    }

    /// A project with the default chain and these migrations.
    pub(crate) fn with(migrations: &[(&str, &str)]) -> Self {
        let project = Self::empty();
        assert_eq!(project.run(&["init"]).exit, 0);
        for (id, script) in migrations {
            project.write(id, script);
        }
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn script(&self, id: &str) -> PathBuf {
        self.path()
            .join("migrations")
            .join(id)
            .join("migration.sql")
    }

    pub(crate) fn write(&self, id: &str, script: &str) {
        let file = self.script(id);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, script).unwrap();
    }

    pub(crate) fn write_down(&self, id: &str, script: &str) {
        std::fs::write(self.script(id).with_file_name("down.sql"), script).unwrap();
    }

    pub(crate) fn database(&self, environment: &str) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path().join("state").join(format!("{environment}.db")))
            .unwrap()
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Shot {
        self.run_with(arguments, Arc::new(AtomicBool::new(false)))
    }

    /// Runs on a terminal, where somebody types this.
    pub(crate) fn run_typing(&self, arguments: &[&str], typed: &'static str) -> Shot {
        let typed = Some((typed.to_owned(), true));
        self.run_in(arguments, Arc::new(AtomicBool::new(false)), typed)
    }

    /// Runs with this on stdin, which is no terminal.
    pub(crate) fn run_piping(&self, arguments: &[&str], piped: String) -> Shot {
        let piped = Some((piped, false));
        self.run_in(arguments, Arc::new(AtomicBool::new(false)), piped)
    }

    pub(crate) fn run_with(&self, arguments: &[&str], interrupted: Arc<AtomicBool>) -> Shot {
        self.run_in(arguments, interrupted, None)
    }

    fn run_in(
        &self,
        arguments: &[&str],
        interrupted: Arc<AtomicBool>,
        typed: Option<(String, bool)>,
    ) -> Shot {
        let (stdout, stderr) = (Written::default(), Written::default());
        let (typed, asks) = typed.unwrap_or_default();
        let ids = Rc::clone(&self.ids);
        let now = self.now;
        let world = World {
            now: Rc::new(move || Timestamp::from_unix_millis(now)),
            random: Rc::new(move || {
                ids.set(ids.get() + 1);
                *blake3::hash(&ids.get().to_le_bytes())
                    .as_bytes()
                    .first_chunk()
                    .unwrap()
            }),
            variables: self.variables.clone(),
            folder: self.path().to_owned(),
            machine: None,
            session: self.session.clone(),
            programs: self.programs.clone(),
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(stderr.clone()),
            colour_stdout: false,
            colour_stderr: false,
            live_stderr: false,
            stdin: Box::new(std::io::Cursor::new(typed)),
            asks,
            interrupted,
        };
        let arguments = std::iter::once("tollgate").chain(arguments.iter().copied());
        let exit = run(world, arguments.map(OsString::from)).code();
        let here = self.path().to_str().unwrap();
        let text = |written: &Written| written.text().replace(here, "[project]");
        Shot {
            exit,
            stdout: text(&stdout),
            stderr: text(&stderr),
        }
    }

    /// Runs and returns the one document on stdout.
    pub(crate) fn json(&self, arguments: &[&str]) -> (u8, serde_json::Value) {
        let shot = self.run(&[arguments, &["--format", "json"]].concat());
        let document = serde_json::from_str(&shot.stdout);
        (
            shot.exit,
            document.unwrap_or_else(|error| panic!("{error} in {shot}")),
        )
    }
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
