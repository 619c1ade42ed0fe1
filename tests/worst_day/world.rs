//! A project with a target of its own, what a clean run makes of it, and whether that is what stands.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::human;
use crate::reference::differences;
pub(crate) use crate::reference::reference;
use crate::server::Database;
pub(crate) use crate::trees::{Engine, Tree};
use crate::trees::{Migration, migrations};

const POSTGRES: &str = include_str!("catalog_postgres.sql");
const SQLITE: &str = include_str!("catalog_sqlite.sql");

/// How often a person may be asked after one fault, before it counts as never ending.
const ROUNDS: usize = 6;

/// How long the server may take to notice that a client is gone, once the next run has ended.
const SESSIONS_END: Duration = Duration::from_secs(20);

/// How a fault ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The same command again was enough.
    Recovered,
    /// A person was asked, and did what was asked.
    Human,
    /// What did not hold, a line each; those that begin with `lost` and `doubled` are counted so.
    Wrong(String),
}

/// A temporary project with one environment `dev`.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) tree: Tree,
    folder: tempfile::TempDir,
    /// `None` on SQLite.
    database: Option<Database>,
    /// Where [`Self::apply`] leads to; settling always goes straight to the target.
    url: String,
    migrations: Vec<Migration>,
    /// Points at which the next commands of the settling end too.
    points: Vec<String>,
}

/// How a command ended.
pub(crate) struct Ran {
    /// `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Everything, for a report.
    pub(crate) fn text(&self) -> String {
        let code = self
            .code
            .map_or("a signal".to_owned(), |code| format!("exit {code}"));
        format!("{code}\n{}{}", self.stdout, self.stderr)
    }
}

impl World {
    pub(crate) fn new(engine: Engine, tree: Tree) -> Self {
        let database = (engine == Engine::Postgres).then(Database::new);
        Self::with(engine, tree, database)
    }

    /// The same on this PostgreSQL database.
    pub(crate) fn with(engine: Engine, tree: Tree, database: Option<Database>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = "[[environment]]\nname = \"dev\"\nurl = \"env:DATABASE_URL\"\n";
        std::fs::write(folder.path().join("tollgate.toml"), config).unwrap();
        let migrations = migrations(engine, tree);
        for migration in &migrations {
            let place = folder.path().join("migrations").join(&migration.id);
            std::fs::create_dir_all(&place).unwrap();
            std::fs::write(place.join("migration.sql"), migration.script()).unwrap();
        }
        if let Some(provider) = tree.is_prismas().then_some(engine.provider()) {
            let lock = folder.path().join("migrations/migration_lock.toml");
            std::fs::write(lock, format!("provider = \"{provider}\"\n")).unwrap();
        }
        let mut world = Self {
            engine,
            tree,
            folder,
            database,
            url: String::new(),
            migrations,
            points: Vec::new(),
        };
        world.set_url(&world.own_url());
        world
    }

    /// The target's own URL.
    pub(crate) fn own_url(&self) -> String {
        let sqlite = || "sqlite:dev.db".to_owned();
        self.database().map_or_else(sqlite, Database::url)
    }

    /// Leads [`Self::apply`] to the target by another way.
    pub(crate) fn set_url(&mut self, url: &str) {
        url.clone_into(&mut self.url);
    }

    /// The PostgreSQL database.
    pub(crate) fn database(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// A file in the project's folder.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The migrations, in order.
    pub(crate) fn migrations(&self) -> &[Migration] {
        &self.migrations
    }

    /// `tollgate apply dev --lock-wait 30`, not started yet.
    pub(crate) fn apply(&self) -> Command {
        let mut command = self.at(&self.url, env!("CARGO_BIN_EXE_tollgate"));
        command.args(["apply", "dev", "--lock-wait", "30"]);
        command
    }

    /// A program in the project's folder, in no surroundings but its target's URL.
    fn at(&self, url: &str, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("USER", "alice")
            .env("DATABASE_URL", url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// `tollgate` with these arguments, run to its end at the target itself.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.at(&self.own_url(), env!("CARGO_BIN_EXE_tollgate"));
        command.args(arguments);
        finish(command)
    }

    /// The same in the course of settling, where it may be ended at the next of the points.
    pub(crate) fn act(&mut self, arguments: &[&str]) -> Ran {
        let mut command = self.at(&self.own_url(), env!("CARGO_BIN_EXE_tollgate"));
        command.args(arguments);
        self.arm(&mut command);
        finish(command)
    }

    /// A command as the program printed it, typed into a shell.
    pub(crate) fn type_in(&mut self, remedy: &str) -> Ran {
        let mut command = self.at(&self.own_url(), "/bin/sh");
        let program = env!("CARGO_BIN_EXE_tollgate");
        command.args([
            "-c",
            &format!("tollgate() {{ '{program}' \"$@\"; }}\n{remedy}"),
        ]);
        self.arm(&mut command);
        finish(command)
    }

    fn arm(&mut self, command: &mut Command) {
        if let Some(point) = self.points.pop() {
            command.env("TOLLGATE_FAILPOINT", point);
        }
    }

    /// The first column of a query at the target.
    pub(crate) fn rows(&self, sql: &str) -> Result<Vec<String>, String> {
        if let Some(database) = self.database() {
            let rows = database.run(sql)?;
            let first = |row: Vec<Option<String>>| row.into_iter().next().flatten();
            return Ok(rows
                .into_iter()
                .map(|row| first(row).unwrap_or_default())
                .collect());
        }
        let read = || -> rusqlite::Result<Vec<String>> {
            let connection = rusqlite::Connection::open(self.file("dev.db"))?;
            let mut statement = connection.prepare(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(match row.get_ref(0)? {
                    rusqlite::types::ValueRef::Integer(number) => number.to_string(),
                    value => value.as_str().unwrap_or_default().to_owned(),
                })
            })?;
            rows.collect()
        };
        read().map_err(|error| error.to_string())
    }

    /// Runs SQL at the target, beside tollgate.
    pub(crate) fn execute(&self, sql: &str) -> Result<(), String> {
        if let Some(database) = self.database() {
            return database.run(sql).map(drop);
        }
        let connection =
            rusqlite::Connection::open(self.file("dev.db")).map_err(|error| error.to_string())?;
        connection
            .execute_batch(sql)
            .map_err(|error| error.to_string())
    }

    /// The same command again, and what it asks for, until the target is as after a clean run.
    pub(crate) fn settle(&mut self) -> Verdict {
        self.settle_through(Vec::new())
    }

    /// The same, while the commands that it takes are themselves ended at these points, one each.
    pub(crate) fn settle_through(&mut self, points: Vec<String>) -> Verdict {
        self.points = points;
        if let Some(what) = self.half_done_and_untold() {
            return Verdict::Wrong(what);
        }
        let mut asked = false;
        let mut person = human::Person::default();
        let rounds = ROUNDS + self.points.len();
        let mut shown = String::new();
        for _ in 0..rounds {
            let ran = self.act(&["apply", "dev", "--lock-wait", "30", "--format", "json"]);
            match ran.code {
                Some(0) => return self.judge(asked),
                // Ended at one of the points.
                None => {}
                Some(3) => {
                    asked = true;
                    if let Err(what) = person.act(self, &ran) {
                        return Verdict::Wrong(what);
                    }
                }
                Some(_) => {
                    return Verdict::Wrong(format!("the same command again: {}", ran.text()));
                }
            }
            shown = ran.text();
        }
        Verdict::Wrong(format!("{rounds} rounds, and it does not end: {shown}"))
    }

    /// Whether everything stands exactly once, and everybody knows.
    pub(crate) fn judge(&self, asked: bool) -> Verdict {
        let mut wrong = self.counted();
        let clean = reference(self.engine, self.tree);
        match self.catalog() {
            Ok(catalog) => wrong.extend(differences(&clean.catalog, &catalog)),
            Err(error) => wrong.push(format!("the catalog cannot be read: {error}")),
        }
        wrong.extend(self.receipts());
        wrong.extend(self.rows_of_prismas());
        wrong.extend(self.commands_agree());
        wrong.extend(self.sessions());
        if !wrong.is_empty() {
            return Verdict::Wrong(wrong.join("\n"));
        }
        if asked {
            Verdict::Human
        } else {
            Verdict::Recovered
        }
    }

    /// The rows of `counter` that are missing or there twice.
    pub(crate) fn counted(&self) -> Vec<String> {
        let found = match self.rows("SELECT migration || ' ' || statement FROM counter") {
            Ok(found) => found,
            Err(error) => return vec![format!("lost: the table counter: {error}")],
        };
        let mut times: BTreeMap<String, i64> = BTreeMap::new();
        for row in found {
            *times.entry(row).or_default() += 1;
        }
        let mut wrong = Vec::new();
        for migration in &self.migrations {
            for number in migration.counted() {
                match times.remove(&format!("{} {number}", migration.id)) {
                    Some(1) => {}
                    None => wrong.push(format!(
                        "lost: statement {number} of {} does not stand",
                        migration.id
                    )),
                    Some(times) => wrong.push(format!(
                        "doubled: statement {number} of {} ran {times} times",
                        migration.id
                    )),
                }
            }
        }
        wrong.extend(
            times
                .keys()
                .map(|row| format!("counter has {row}, which no script writes")),
        );
        wrong
    }

    /// The schema and the number of rows, a line each.
    pub(crate) fn catalog(&self) -> Result<Vec<String>, String> {
        let mut lines = match self.engine {
            Engine::Postgres => return self.rows(POSTGRES),
            Engine::Sqlite => self.rows(SQLITE)?,
        };
        let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'tollgate_*' \
             AND name <> '_prisma_migrations'";
        for table in self.rows(tables)? {
            let rows = self.rows(&format!("SELECT count(*) FROM \"{table}\""))?;
            lines.push(format!("rows {table} {}", rows.concat()));
        }
        Ok(lines)
    }

    /// Migrations without a receipt, or with two.
    fn receipts(&self) -> Vec<String> {
        let table = match self.engine {
            Engine::Postgres => "tollgate.receipt",
            Engine::Sqlite => "tollgate_receipt",
        };
        match self.rows(&format!("SELECT migration FROM {table} ORDER BY migration")) {
            Err(error) => vec![format!("the receipts cannot be read: {error}")],
            Ok(found) => {
                let ids: Vec<&String> = self.migrations.iter().map(|one| &one.id).collect();
                if found.iter().eq(ids) {
                    return Vec::new();
                }
                vec![format!("the target has receipts of {found:?}")]
            }
        }
    }

    /// What Prisma would make of its table: each migration applied once, and nothing that stands open.
    fn rows_of_prismas(&self) -> Vec<String> {
        if !self.tree.is_prismas() {
            return Vec::new();
        }
        let rows = "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NOT NULL \
                    AND rolled_back_at IS NULL ORDER BY migration_name";
        let open = "SELECT migration_name FROM _prisma_migrations WHERE finished_at IS NULL \
                    AND rolled_back_at IS NULL";
        let ids: Vec<String> = self.migrations.iter().map(|one| one.id.clone()).collect();
        let mut wrong = Vec::new();
        match self.rows(rows) {
            Ok(found) if found == ids => {}
            Ok(found) => wrong.push(format!("Prisma's table has {found:?} applied")),
            Err(error) => wrong.push(format!("Prisma's table cannot be read: {error}")),
        }
        match self.rows(open) {
            Ok(found) if found.is_empty() => {}
            Ok(found) => wrong.push(format!("Prisma would stop at {found:?}, as P3009")),
            Err(error) => wrong.push(format!("Prisma's table cannot be read: {error}")),
        }
        wrong
    }

    /// Migrations of which statements stand, and of which Prisma's table says nothing: `prisma migrate
    /// deploy` would run them from their beginning.
    fn half_done_and_untold(&self) -> Option<String> {
        if !self.tree.is_prismas() {
            return None;
        }
        let (journal, receipt) = match self.engine {
            Engine::Postgres => ("tollgate.journal", "tollgate.receipt"),
            Engine::Sqlite => ("tollgate_journal", "tollgate_receipt"),
        };
        // Before the first contact was over there is no such table; before a script begins, no row.
        let begun = self.rows(&format!("SELECT migration FROM {journal}"));
        if begun.unwrap_or_default().is_empty() {
            return None;
        }
        let half = format!(
            "SELECT DISTINCT j.migration FROM {journal} AS j WHERE j.what IN ('begun', 'done') \
             AND NOT EXISTS (SELECT 1 FROM {receipt} AS r WHERE r.migration = j.migration) \
             AND NOT EXISTS (SELECT 1 FROM _prisma_migrations AS p WHERE p.migration_name = j.migration \
                             AND p.finished_at IS NULL AND p.rolled_back_at IS NULL)"
        );
        match self.rows(&half) {
            Ok(found) if found.is_empty() => None,
            Ok(found) => Some(format!("Prisma would run {found:?} from their beginning")),
            Err(error) => Some(format!("Prisma's table cannot be read: {error}")),
        }
    }

    /// What the program itself says, offline and at the target.
    fn commands_agree(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (arguments, said) in [
            (["verify", "--format", "json"].as_slice(), "\"sound\":true"),
            (
                &["plan", "dev", "--format", "json"],
                "\"verdict\":\"up-to-date\"",
            ),
            (
                &["apply", "dev", "--format", "json"],
                "\"end\":\"up-to-date\"",
            ),
        ] {
            let ran = self.run(arguments);
            let plain: String = ran.stdout.chars().filter(|c| !c.is_whitespace()).collect();
            if ran.code != Some(0) || !plain.contains(said) {
                wrong.push(format!("tollgate {}: {}", arguments.join(" "), ran.text()));
            }
        }
        wrong
    }

    /// Sessions of tollgate's that did not end.
    fn sessions(&self) -> Option<String> {
        if self.engine == Engine::Sqlite {
            return None;
        }
        let open = "SELECT pid || ' ' || state || ' ' || query FROM pg_stat_activity \
                    WHERE datname = current_database() AND application_name = 'tollgate'";
        let begun = Instant::now();
        loop {
            match self.rows(open) {
                Err(error) => return Some(format!("the sessions cannot be read: {error}")),
                Ok(found) if found.is_empty() => return None,
                Ok(found) if begun.elapsed() > SESSIONS_END => {
                    return Some(format!("sessions are left open: {found:?}"));
                }
                Ok(_) => thread::sleep(Duration::from_millis(10)),
            }
        }
    }
}

/// Runs a command to its end.
pub(crate) fn finish(mut command: Command) -> Ran {
    let output = command.output().expect("the program starts");
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}
