//! What is carried between machines: sync, export, push, pull and the look at a target, each of them
//! ended, cut off or run beside another. Afterwards the same command again must leave the union: every
//! entry once, byte for byte, in the ledger and in the hub, and the same plan for prod as without a fault.

pub(crate) mod crash;
pub(crate) mod cut;
pub(crate) mod disk;
pub(crate) mod kill;
pub(crate) mod race;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, OnceLock};
use std::time::{Duration, Instant};

use tollgate::digest::ChainHash;
use tollgate::ledger::{Ledger, Opening};
use tollgate::model::entry::Refused;
use tollgate::model::{Actor, Entry, Fact, Origin, Policy, Provenance, Timestamp};

use crate::server::Database;
use crate::small::{BOUND, Ran, Watched};
use crate::workers::by_two;
use crate::world::{Engine, Verdict};

/// The migrations, each with its own row in `counter`.
const MIGRATIONS: [(&str, &str); 3] = [
    (
        "20251101000000_counter",
        "CREATE TABLE counter (number int NOT NULL);\nINSERT INTO counter VALUES (1);\n",
    ),
    ("20251102000000_two", "INSERT INTO counter VALUES (2);\n"),
    ("20251103000000_three", "INSERT INTO counter VALUES (3);\n"),
];

/// How many entries Ada's ledger has beside those of her runs; in a full run more than one message to a
/// hub takes.
const MORE: (u64, u64) = (1_100, 300);

static FULL: AtomicBool = AtomicBool::new(false);

/// What is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verb {
    /// `sync test`: the receipts of a target.
    Look(Engine),
    /// `sync --from FILE`.
    From,
    /// `sync --from-dir DIR`.
    FromDir,
    /// `log export FILE`, over an older one.
    Export,
    /// `log export --to-dir DIR`.
    Evidence,
    /// `push`, to a database that is no hub yet.
    Push,
    /// `pull`.
    Pull,
    /// `apply dev`, which asks the hub before and tells it after.
    Apply,
    /// `verify test`.
    Verify(Engine),
}

impl Verb {
    pub(crate) const ALL: [Self; 11] = [
        Self::Look(Engine::Sqlite),
        Self::Look(Engine::Postgres),
        Self::From,
        Self::FromDir,
        Self::Export,
        Self::Evidence,
        Self::Push,
        Self::Pull,
        Self::Apply,
        Self::Verify(Engine::Sqlite),
        Self::Verify(Engine::Postgres),
    ];

    fn has_hub(self) -> bool {
        matches!(self, Self::Push | Self::Pull | Self::Apply)
    }

    fn target(self) -> Option<Engine> {
        match self {
            Self::Look(engine) | Self::Verify(engine) => Some(engine),
            _ => None,
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Look(_) => &["sync", "test"],
            Self::From => &["sync", "--from", "ada.export"],
            Self::FromDir => &["sync", "--from-dir", "evidence"],
            Self::Export => &["log", "export", "out.export"],
            Self::Evidence => &["log", "export", "--to-dir", "out"],
            Self::Push => &["push"],
            Self::Pull => &["pull"],
            Self::Apply => &["apply", "dev"],
            Self::Verify(_) => &["verify", "test"],
        }
    }
}

/// A project, and whoever works in it.
struct Project {
    folder: tempfile::TempDir,
    /// The URLs of test and of the hub.
    urls: [String; 2],
}

impl Project {
    fn new(has_hub: bool, test: &str, hub: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let place = |name: &str, more: &str, url: &str| {
            format!("[[environment]]\nname = \"{name}\"\nurl = \"{url}\"\n{more}\n")
        };
        let config = [
            if has_hub {
                "hub = \"env:TOLLGATE_HUB\"\n\n".to_owned()
            } else {
                String::new()
            },
            place("dev", "personal = true\n", "sqlite:state/dev.db"),
            place("test", "", "env:DATABASE_URL_TEST"),
            place("prod", "", "sqlite:state/prod.db"),
        ];
        std::fs::write(folder.path().join("tollgate.toml"), config.concat()).unwrap();
        for (id, script) in MIGRATIONS {
            let migration = folder.path().join("migrations").join(id);
            std::fs::create_dir_all(&migration).unwrap();
            std::fs::write(migration.join("migration.sql"), script).unwrap();
        }
        Self {
            folder,
            urls: [test.to_owned(), hub.to_owned()],
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn ledger(&self) -> PathBuf {
        self.path().join("state/ledger.db")
    }

    fn tollgate(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.args(arguments).args(["--lock-wait", "60"]);
        command.current_dir(self.path()).env_clear();
        command.env("USER", "ben");
        let [test, hub] = &self.urls;
        command
            .env("DATABASE_URL_TEST", test)
            .env("TOLLGATE_HUB", hub);
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Watched::start(self.tollgate(arguments)).end(BOUND)
    }

    /// The same, which must end well.
    fn done(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        let words = arguments.join(" ");
        assert_eq!(ran.code, Some(0), "tollgate {words}: {}", ran.text());
        ran
    }

    /// The export of everything, and its entries.
    fn exported(&self) -> Result<(String, Vec<String>), String> {
        let ran = self.run(&["log", "export", "-"]);
        if ran.code != Some(0) {
            return Err(format!("tollgate log export -: {}", ran.text()));
        }
        let mut entries: Vec<String> = ran.stdout.lines().map(str::to_owned).collect();
        entries.pop();
        Ok((ran.stdout, entries))
    }

    /// The id and the verdict of the plan for prod.
    fn plan(&self) -> Result<String, String> {
        let ran = self.run(&["plan", "prod", "--format", "json"]);
        let plan: serde_json::Value = serde_json::from_str(&ran.stdout)
            .map_err(|error| format!("tollgate plan prod: {error}: {}", ran.text()))?;
        Ok(format!("{} {}", plan["verdict"], plan["id"]))
    }
}

/// Another machine, whose entries are carried.
pub(crate) struct Ada {
    /// `ada.export`, and the folder `evidence`.
    project: Project,
    entries: Vec<String>,
}

impl Ada {
    /// The same for all cases.
    pub(crate) fn get() -> &'static Self {
        static ADA: OnceLock<Ada> = OnceLock::new();
        ADA.get_or_init(|| {
            let project = Project::new(false, "sqlite:state/test.db", "");
            project.done(&["promote", "test"]);
            let full = FULL.load(Ordering::SeqCst);
            pad(&project.ledger(), if full { MORE.0 } else { MORE.1 });
            project.done(&["log", "export", "ada.export"]);
            project.done(&["log", "export", "--to-dir", "evidence"]);
            let (_, entries) = project.exported().unwrap();
            Self { project, entries }
        })
    }

    pub(crate) fn export(&self) -> PathBuf {
        self.project.path().join("ada.export")
    }

    fn evidence(&self) -> PathBuf {
        self.project.path().join("evidence")
    }

    /// A new database that is a hub with everything of hers.
    fn hub(&self) -> Database {
        static HUB: OnceLock<Database> = OnceLock::new();
        let first = HUB.get_or_init(|| {
            let database = Database::new();
            let project = Project::new(true, "", &database.url());
            let export = self.export();
            project.done(&["sync", "--from", export.to_str().unwrap()]);
            project.done(&["push"]);
            // A copy needs a database that nobody is connected to.
            let open = "SELECT count(*) FROM pg_stat_activity \
                        WHERE datname = current_database() AND pid <> pg_backend_pid()";
            while database.ask(open) != "0" {
                std::thread::sleep(Duration::from_millis(10));
            }
            database
        });
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap();
        first.copy()
    }
}

/// Appends entries that change nothing, under a writer of their own.
fn pad(ledger: &Path, many: u64) {
    let opening = Opening {
        machine: "another",
        wait: Duration::from_secs(60),
        give_up: &|| false,
        waiting: &mut |_| {},
        random: &|| {
            let mut bytes = [7; 16];
            bytes[..4].copy_from_slice(&std::process::id().to_be_bytes());
            bytes
        },
        policy: &Policy::default(),
    };
    let mut ledger = Ledger::open(ledger, opening).expect("a ledger");
    let by = Provenance {
        actor: Actor("ada".to_owned()),
        origin: Origin::Person { host: None },
        git: None,
        tool: "tollgate 0.1.0".to_owned(),
    };
    for n in 0..many {
        let at = Timestamp::from_unix_millis(1_760_000_000_000 + i64::try_from(n).unwrap());
        let fact = Fact::Refused(Refused {
            verb: "apply".to_owned(),
            environment: "prod".parse().unwrap(),
            plan: ChainHash::from_bytes([6; 32]),
            gates: Vec::new(),
        });
        ledger.append(at, &by, fact).expect("an entry");
    }
}

/// The machine on which a verb is tried.
pub(crate) struct Ben {
    pub(crate) verb: Verb,
    project: Project,
    /// Whose target test is looked at; it lasts as long as this.
    _other: Option<Project>,
    /// Test's database, and the hub.
    databases: [Option<Database>; 2],
    /// What the ledger held before, and what it must hold in the end.
    before: BTreeSet<String>,
    expected: BTreeSet<String>,
}

impl Ben {
    pub(crate) fn new(verb: Verb) -> Self {
        let ada = Ada::get();
        let test = (verb.target() == Some(Engine::Postgres)).then(Database::new);
        let hub = verb.has_hub().then(|| match verb {
            Verb::Push => Database::new(),
            _ => ada.hub(),
        });
        let other = verb.target().map(|_| {
            let own = || "sqlite:state/test.db".to_owned();
            let other = Project::new(false, &test.as_ref().map_or_else(own, Database::url), "");
            other.done(&["promote", "test"]);
            other
        });
        let looked_at = match (&test, &other) {
            (Some(database), _) => database.url(),
            (None, Some(other)) => {
                format!("sqlite:{}", other.path().join("state/test.db").display())
            }
            (None, None) => "sqlite:state/test.db".to_owned(),
        };
        // Without the hub at first: what stands there is to be met by the verb alone.
        let mut project = Project::new(false, &looked_at, "");
        project.done(&["apply", "dev", "--to", MIGRATIONS[1].0]);
        let export = ada.export();
        let export = export.to_str().expect("a path in UTF-8");
        match verb {
            Verb::From => {
                std::fs::copy(export, project.path().join("ada.export")).unwrap();
            }
            Verb::FromDir => {
                std::os::unix::fs::symlink(ada.evidence(), project.path().join("evidence"))
                    .unwrap();
            }
            Verb::Export => {
                project.done(&["log", "export", "out.export"]);
                project.done(&["sync", "--from", export]);
            }
            Verb::Evidence | Verb::Push => {
                project.done(&["sync", "--from", export]);
            }
            _ => {}
        }
        let (_, before) = project.exported().unwrap();
        let before: BTreeSet<String> = before.into_iter().collect();
        let mut expected = before.clone();
        if verb.target().is_none() {
            expected.extend(ada.entries.iter().cloned());
        }
        if let Some(hub) = &hub {
            let config = project.path().join("tollgate.toml");
            let text = std::fs::read_to_string(&config).unwrap();
            std::fs::write(&config, format!("hub = \"env:TOLLGATE_HUB\"\n{text}")).unwrap();
            project.urls[1] = hub.url();
        }
        Self {
            verb,
            project,
            _other: other,
            databases: [test, hub],
            before,
            expected,
        }
    }

    /// The verb, not started yet.
    pub(crate) fn command(&self) -> Command {
        self.project.tollgate(self.verb.arguments())
    }

    /// The URL of the database that the verb speaks with.
    pub(crate) fn url(&self) -> &str {
        &self.project.urls[usize::from(self.verb.has_hub())]
    }

    /// Leads the verb there by another way.
    pub(crate) fn set_url(&mut self, url: &str) {
        self.project.urls[usize::from(self.verb.has_hub())] = url.to_owned();
    }

    /// The database that the verb speaks with.
    pub(crate) fn database(&self) -> Option<&Database> {
        self.databases.iter().flatten().next()
    }

    /// The same command again, and whether everything is as without a fault.
    pub(crate) fn settle(&self) -> Verdict {
        let half = self.half();
        if !half.is_empty() {
            return Verdict::Wrong(half.join("\n"));
        }
        let ran = Watched::start(self.command()).end(BOUND);
        if ran.code != Some(0) {
            return Verdict::Wrong(format!("the same command again: {}", ran.text()));
        }
        self.judge()
    }

    /// What must hold at every moment: nothing that was there is gone, and nothing half is taken for whole.
    fn half(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        match self.project.exported() {
            Err(what) => wrong.push(what),
            Ok((_, entries)) => wrong.extend(missing("the ledger", &self.before, &entries)),
        }
        if let Some(hub) = &self.databases[1] {
            let known: BTreeSet<String> = match self.verb {
                Verb::Apply => return wrong,
                _ => self.expected.clone(),
            };
            for body in rows(hub).unwrap_or_default() {
                if !known.contains(&body) {
                    wrong.push(format!("the hub has what nobody wrote: {body}"));
                }
            }
        }
        let path = self.project.path();
        match self.verb {
            Verb::Export => {
                // Under its name, and beside it.
                for file in std::fs::read_dir(path).into_iter().flatten().flatten() {
                    let name = file.file_name().to_string_lossy().into_owned();
                    if name.contains("out.export") {
                        wrong.extend(self.is_whole_or_refused("--from", &file.path()));
                    }
                }
            }
            Verb::Evidence if path.join("out").exists() => {
                wrong.extend(self.is_whole_or_refused("--from-dir", &path.join("out")));
            }
            _ => {}
        }
        wrong
    }

    /// What a crash left of an export: a third ledger takes in all that an export stands for, or nothing.
    fn is_whole_or_refused(&self, option: &str, source: &Path) -> Vec<String> {
        let third = Project::new(false, "sqlite:state/test.db", "");
        let ran = third.run(&["sync", option, &source.display().to_string()]);
        let name = source.file_name().unwrap_or_default().to_string_lossy();
        let taken = match third.exported() {
            Ok((_, taken)) => taken,
            Err(what) => return vec![what],
        };
        let mut wrong = Vec::new();
        for entry in &taken {
            if !self.expected.contains(entry) {
                wrong.push(format!("{name} gave what nobody wrote: {entry}"));
            }
        }
        match ran.code {
            Some(0) if name.contains("out.export") => {
                // The one before, or the new one.
                if taken.len() != self.expected.len() && taken.len() >= Ada::get().entries.len() {
                    wrong.push(format!("{name} was taken for whole: {}", ran.text()));
                }
            }
            Some(0) => {}
            Some(1) if name.ends_with(".part") && taken.is_empty() => {}
            _ => wrong.push(format!("{name}: {}", ran.text())),
        }
        wrong
    }

    /// Whether everything is as without a fault.
    pub(crate) fn judge(&self) -> Verdict {
        let mut wrong = Vec::new();
        match self.project.exported() {
            Err(what) => wrong.push(what),
            Ok((text, entries)) => {
                wrong.extend(self.holds(&entries));
                wrong.extend(self.lies_there(&text, &entries));
            }
        }
        let verify = self.project.run(&["verify", "--format", "json"]);
        let plain: String = verify.stdout.split_whitespace().collect();
        if verify.code != Some(0) || !plain.contains("\"sound\":true") {
            wrong.push(format!("tollgate verify: {}", verify.text()));
        }
        let clean = reference(self.verb);
        match self.project.plan() {
            Ok(plan) if plan == clean.plan => {}
            Ok(plan) => wrong.push(format!(
                "the plan for prod is {plan}, and without a fault {}",
                clean.plan
            )),
            Err(what) => wrong.push(what),
        }
        let counter: rusqlite::Result<i64> =
            rusqlite::Connection::open(self.project.path().join("state/dev.db")).and_then(|dev| {
                dev.query_row("SELECT count(*) FROM counter", [], |row| row.get(0))
            });
        let due = if self.verb == Verb::Apply { 3 } else { 2 };
        match counter {
            Ok(rows) if rows == due => {}
            Ok(rows) => wrong.push(format!(
                "{}: {rows} of {due} statements stand in dev",
                if rows > due { "doubled" } else { "lost" }
            )),
            Err(error) => wrong.push(format!("dev cannot be read: {error}")),
        }
        match wrong.is_empty() {
            true => Verdict::Recovered,
            false => Verdict::Wrong(wrong.join("\n")),
        }
    }

    /// The ledger's entries, each once.
    fn holds(&self, entries: &[String]) -> Vec<String> {
        let mut wrong = missing("the ledger", &self.expected, entries);
        let own: BTreeSet<String> = self.before.iter().filter_map(|body| writer(body)).collect();
        let more = entries.iter().filter(|body| !self.expected.contains(*body));
        for body in more {
            let acts = self.verb == Verb::Apply || self.verb.target().is_some();
            if !acts || !writer(body).is_some_and(|writer| own.contains(&writer)) {
                wrong.push(format!("the ledger has what nobody wrote: {body}"));
            }
        }
        if self.verb.target().is_some() {
            let absorbed = entries
                .iter()
                .filter(|body| body.contains("\"kind\":\"absorbed\""));
            let hashes: Vec<&str> = absorbed
                .filter_map(|body| body.split("\"hash\":\"").nth(1)?.get(..64))
                .collect();
            let each: BTreeSet<&&str> = hashes.iter().collect();
            if each.len() < MIGRATIONS.len() {
                wrong.push(format!("lost: {} receipts were taken in", each.len()));
            }
            if hashes.len() > each.len() {
                wrong.push(format!("doubled: the receipts {hashes:?}"));
            }
        }
        wrong
    }

    /// What was written elsewhere: the hub, the file, the folder.
    fn lies_there(&self, text: &str, entries: &[String]) -> Vec<String> {
        let all: BTreeSet<String> = entries.iter().cloned().collect();
        let path = |name: &str| self.project.path().join(name);
        let mut wrong = Vec::new();
        match self.verb {
            Verb::Push | Verb::Apply | Verb::Pull => {
                let hub = self.databases[1].as_ref().expect("a hub");
                let due = match self.verb {
                    Verb::Pull => Ada::get().entries.iter().cloned().collect(),
                    _ => all,
                };
                match rows(hub) {
                    Err(what) => wrong.push(what),
                    Ok(rows) => {
                        wrong.extend(missing("the hub", &due, &rows));
                        let more = rows.iter().filter(|body| !due.contains(*body));
                        wrong.extend(more.map(|body| format!("the hub has {body}")));
                    }
                }
            }
            Verb::Export => {
                let there = std::fs::read_to_string(path("out.export"));
                if there.is_ok_and(|there| there == text) {
                    return wrong;
                }
                wrong.push("lost: the file is not the export".to_owned());
            }
            Verb::Evidence => match bodies(&path("out")) {
                Err(error) => wrong.push(format!("the folder cannot be read: {error}")),
                Ok(bodies) => wrong.extend(missing("the folder", &all, &bodies)),
            },
            _ => {}
        }
        wrong
    }
}

/// What is not there, and what is there twice.
fn missing(place: &str, due: &BTreeSet<String>, there: &[String]) -> Vec<String> {
    let mut times: BTreeMap<&String, usize> = BTreeMap::new();
    for body in there {
        *times.entry(body).or_default() += 1;
    }
    let gone: Vec<&String> = due
        .iter()
        .filter(|body| !times.contains_key(body))
        .collect();
    let twice: Vec<&&String> = times
        .iter()
        .filter(|(_, times)| **times > 1)
        .map(|(body, _)| body)
        .collect();
    let mut wrong = Vec::new();
    if let Some(first) = gone.first() {
        wrong.push(format!(
            "lost: {} entries are not in {place}, the first {first}",
            gone.len()
        ));
    }
    if let Some(first) = twice.first() {
        wrong.push(format!(
            "doubled: {} entries are twice in {place}, the first {first}",
            twice.len()
        ));
    }
    wrong
}

fn writer(body: &str) -> Option<String> {
    Some(Entry::from_body(body).ok()?.writer.to_string())
}

/// The entries of a hub, each with the hash of its body; nothing where the database is none yet.
fn rows(hub: &Database) -> Result<Vec<String>, String> {
    if hub.ask("SELECT to_regclass('tollgate_hub.entry') IS NULL") == "t" {
        return Ok(Vec::new());
    }
    let rows = hub.run("SELECT hash, body FROM tollgate_hub.entry ORDER BY writer, number")?;
    rows.into_iter()
        .map(|row| {
            let mut cells = row.into_iter().map(Option::unwrap_or_default);
            let (hash, body) = (
                cells.next().unwrap_or_default(),
                cells.next().unwrap_or_default(),
            );
            match Entry::hash_of(body.as_bytes()).to_string() == hash {
                true => Ok(body),
                false => Err(format!("altered in the hub: {hash} {body}")),
            }
        })
        .collect()
}

/// The entries of a folder.
fn bodies(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut bodies = Vec::new();
    for writer in std::fs::read_dir(folder)? {
        for file in std::fs::read_dir(writer?.path())? {
            let file = file?.path();
            if file.extension().is_some_and(|end| end == "json") {
                bodies.push(std::fs::read_to_string(file)?);
            }
        }
    }
    Ok(bodies)
}

/// What a run without a fault does.
pub(crate) struct Reference {
    pub(crate) points: Vec<String>,
    pub(crate) length: Duration,
    plan: String,
}

/// The same, found out once for each verb.
pub(crate) fn reference(verb: Verb) -> Arc<Reference> {
    static KNOWN: Mutex<BTreeMap<Verb, Arc<Reference>>> = Mutex::new(BTreeMap::new());
    if let Some(known) = KNOWN.lock().unwrap().get(&verb) {
        return Arc::clone(known);
    }
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("points");
    let ben = Ben::new(verb);
    let mut command = ben.command();
    command.env("TOLLGATE_FAILPOINT", format!("list:{}", list.display()));
    let begun = Instant::now();
    let ran = Watched::start(command).end(BOUND);
    let length = begun.elapsed();
    assert_eq!(ran.code, Some(0), "{verb:?}: {}", ran.text());
    let points = std::fs::read_to_string(&list).unwrap();
    let made = Arc::new(Reference {
        points: points.lines().map(str::to_owned).collect(),
        length,
        plan: ben.project.plan().unwrap(),
    });
    Arc::clone(KNOWN.lock().unwrap().entry(verb).or_insert(made))
}

/// Before the first case of a section: what is carried is as much as this run asks for, what a run without
/// a fault does is known, and what is spoilt on purpose is seen.
///
/// # Panics
/// When something that was spoilt is not seen.
pub(crate) fn begin(full: bool) {
    static BEGUN: Once = Once::new();
    BEGUN.call_once(|| {
        FULL.store(full, Ordering::SeqCst);
        Ada::get();
        drop(Ada::get().hub());
        by_two(Verb::ALL.to_vec(), |verb| drop(reference(verb)));
        let ben = Ben::new(Verb::Push);
        assert_eq!(ben.settle(), Verdict::Recovered);
        let hub = ben.database().expect("a hub");
        for (change, expected) in [
            (
                "UPDATE tollgate_hub.entry SET hash = repeat('0', 64) WHERE number = 9",
                "altered",
            ),
            ("DELETE FROM tollgate_hub.entry WHERE number = 9", "lost: "),
        ] {
            let sql = format!(
                "ALTER TABLE tollgate_hub.entry DISABLE TRIGGER ALL; {change}; \
                 ALTER TABLE tollgate_hub.entry ENABLE TRIGGER ALL"
            );
            hub.run(&sql).unwrap();
            match ben.judge() {
                Verdict::Wrong(what) if what.contains(expected) => {}
                other => panic!("{change}: expected {expected}, found {other:?}"),
            }
        }
        let file = ben.project.ledger();
        let ledger = rusqlite::Connection::open(&file).unwrap();
        ledger
            .execute_batch(
                "DROP TRIGGER entry_is_append_only_delete; DELETE FROM entry WHERE number > 20",
            )
            .unwrap();
        drop(ledger);
        match ben.judge() {
            Verdict::Wrong(what) if what.contains("are not in the ledger") => {}
            other => panic!("entries were deleted, and found was {other:?}"),
        }
    });
}
