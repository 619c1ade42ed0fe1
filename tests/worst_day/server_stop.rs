//! The server is stopped at once in the middle of a run, and started again.
//!
//! The server is one of its own: it syncs to disk, while the databases on it do not wait for that
//! (`synchronous_commit = off`), and it writes what is left behind as late as it can. A commit that
//! was acknowledged without waiting is lost at nearly every stop; a receipt must not be.

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::Random;
use crate::network::honest;
use crate::server::{self, Database};
use crate::small::{BOUND, Watched, wait_until};
use crate::world::{Engine, Tree, Verdict, World, reference};

/// How many stops.
const FAULTS: (usize, usize) = (20, 2);

/// How often an instant is drawn anew where the run was over before it.
const DRAWS: usize = 8;

pub(crate) fn run(full: bool, random: &mut Random) -> Vec<(String, Verdict)> {
    let own = Server::start();
    own.loses_what_does_not_wait();
    // This server is slower than the one that this is measured on: it waits for the disk.
    let length = |tree| reference(Engine::Postgres, tree).length;
    let mut answers = Vec::new();
    for place in 0..if full { FAULTS.0 } else { FAULTS.1 } {
        let tree = Tree::ALL[place % 3];
        let micros = u64::try_from(length(tree).as_micros()).unwrap_or(u64::MAX);
        let mut name = format!("{tree:?}");
        let mut verdict =
            Verdict::Wrong(format!("the run was over before each of {DRAWS} instants"));
        for _ in 0..DRAWS {
            let instant = Duration::from_micros(random.below(micros));
            if let Some(found) = once(&own, tree, instant) {
                name = format!("{tree:?} after {instant:?}");
                verdict = found;
                break;
            }
        }
        answers.push((name, verdict));
    }
    answers
}

/// One stop; none where the run was over before it.
fn once(own: &Server, tree: Tree, instant: Duration) -> Option<Verdict> {
    let database = Database::on(&own.url());
    let off = format!(
        "ALTER DATABASE {} SET synchronous_commit = off",
        database.name()
    );
    database.run(&off).expect("a setting");
    let mut world = World::with(Engine::Postgres, tree, Some(database));
    let mut run = Watched::start(world.apply());
    thread::sleep(instant);
    if run.has_ended() {
        return None;
    }
    own.stop();
    let ran = run.end(BOUND);
    own.start_again();
    if ran.code == Some(0) {
        return None;
    }
    if let Err(what) = honest(&world, &ran) {
        return Some(Verdict::Wrong(what));
    }
    Some(world.settle())
}

/// A server of its own, until it is dropped.
struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    /// Who runs it: PostgreSQL does not run as root.
    owner: Option<&'static str>,
    port: u16,
    password: String,
    /// Takes the server away where this process is ended before it can.
    warden: Option<Child>,
}

impl Server {
    fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("tollgate-stop-")
            .tempdir_in("/tmp")
            .expect("a temporary folder");
        // Long enough that nobody else on the machine comes in while the tests run.
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("random numbers");
        let password = format!("{:032x}", u128::from_be_bytes(bytes));
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let mut server = Self {
            folder,
            programs: programs(),
            owner: owner(),
            port,
            password,
            warden: None,
        };
        server.create();
        server.start_again();
        server.warden = Some(server.watch());
        server
    }

    fn create(&self) {
        let path = self.folder.path();
        let word = path.join("password");
        fs::write(&word, &self.password).expect("a password file");
        if let Some(owner) = self.owner {
            ran("chown", Command::new("chown").args(["-R", owner]).arg(path));
        }
        ran(
            "initdb",
            self.program("initdb")
                .arg(format!("--pgdata={}", self.data().display()))
                .arg(format!("--pwfile={}", word.display()))
                .args(["--username=tollgate_test", "--auth=scram-sha-256"])
                .args(["--encoding=UTF8", "--locale=C"]),
        );
        let mut settings = fs::OpenOptions::new()
            .append(true)
            .open(self.data().join("postgresql.conf"))
            .expect("postgresql.conf");
        writeln!(
            settings,
            "listen_addresses = '127.0.0.1'\nport = {}\nunix_socket_directories = ''\n\
             fsync = on\nfull_page_writes = on\nautovacuum = off\n\
             wal_writer_delay = 10s\nwal_writer_flush_after = 1GB\nmax_prepared_transactions = 10",
            self.port
        )
        .expect("postgresql.conf");
    }

    /// A server outlives whoever started it, and an interrupt runs no destructor: a shell that waits for
    /// the end of this process stops it then.
    fn watch(&self) -> Child {
        let script = "trap '' INT TERM HUP; us=$1; folder=$2; shift 2; \
                      while kill -0 \"$us\" 2>/dev/null; do sleep 1; done; \"$@\"; rm -rf \"$folder\"";
        let program = self.program("pg_ctl");
        Command::new("sh")
            .args(["-c", script, "sh", &std::process::id().to_string()])
            .arg(self.folder.path())
            .arg(program.get_program())
            .args(program.get_args())
            .arg(format!("--pgdata={}", self.data().display()))
            .args(["--mode=immediate", "--wait", "stop"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("a shell")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn url(&self) -> String {
        format!(
            "postgresql://tollgate_test:{}@127.0.0.1:{}/postgres",
            self.password, self.port
        )
    }

    /// A program of the server's, run by its owner.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = match self.owner {
            None => Command::new(program),
            Some(owner) => {
                let mut command = Command::new("runuser");
                command.args(["-u", owner, "--"]).arg(program);
                command
            }
        };
        command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// That the fault is one: a commit that was acknowledged and not waited for is gone after a stop.
    /// The server may write it by chance, so it is tried more than once.
    fn loses_what_does_not_wait(&self) {
        let database = Database::on(&self.url());
        let table = "CREATE TABLE t (id int); CHECKPOINT";
        database.run(table).expect("a table");
        let lost = (1..=5).any(|number| {
            let insert = format!("SET synchronous_commit = off; INSERT INTO t VALUES ({number})");
            database.run(&insert).expect("a row");
            self.stop();
            self.start_again();
            database.ask(&format!("SELECT count(*) FROM t WHERE id = {number}")) == "0"
        });
        assert!(
            lost,
            "every commit survived a stop, though it did not wait: nothing is tried here"
        );
    }

    fn stop(&self) {
        let data = format!("--pgdata={}", self.data().display());
        let stop = ["--mode=immediate", "--wait", "stop"];
        ran("pg_ctl stop", self.program("pg_ctl").arg(data).args(stop));
    }

    fn start_again(&self) {
        let data = format!("--pgdata={}", self.data().display());
        let log = format!("--log={}", self.folder.path().join("server.log").display());
        let start = ["--wait", "--timeout=60", "start"];
        ran(
            "pg_ctl start",
            self.program("pg_ctl").args([data, log]).args(start),
        );
        let up = wait_until(BOUND, || server::run(&self.url(), "SELECT 1").is_ok());
        assert!(up, "the server takes no connection after it was started");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = format!("--pgdata={}", self.data().display());
        // What is left goes with the folder.
        let _ = self
            .program("pg_ctl")
            .arg(data)
            .args(["--mode=immediate", "--wait", "stop"])
            .status();
        if let Some(warden) = &mut self.warden {
            let _ = warden.kill();
            let _ = warden.wait();
        }
    }
}

/// Runs a program that has to succeed.
fn ran(name: &str, command: &mut Command) {
    let status = command.status();
    assert!(
        status.as_ref().is_ok_and(std::process::ExitStatus::success),
        "{name}: {status:?}"
    );
}

/// The newest server's programs, found as `tests/with-postgres` finds them.
fn programs() -> PathBuf {
    let version = |path: &Path| -> Vec<u32> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.split('.')
            .filter_map(|part| part.parse().ok())
            .collect()
    };
    let mut installed: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .collect();
    installed.sort_by_key(|path| version(path));
    let on_the_path = std::env::var_os("PATH").unwrap_or_default();
    installed
        .into_iter()
        .rev()
        .map(|path| path.join("bin"))
        .chain(std::env::split_paths(&on_the_path))
        .chain([PathBuf::from("/usr/local/pgsql/bin")])
        .find(|folder| {
            ["initdb", "pg_ctl", "postgres"]
                .iter()
                .all(|name| folder.join(name).is_file())
        })
        .expect("the programs of a PostgreSQL server: tests/with-postgres installs them")
}

/// Who runs the server, where we are root: as `tests/with-postgres` chooses, which makes the user.
fn owner() -> Option<&'static str> {
    let is = |user: &str| {
        let id = Command::new("id")
            .args(["-u", user])
            .stderr(Stdio::null())
            .output();
        id.is_ok_and(|output| output.status.success())
    };
    let us = Command::new("id")
        .arg("-u")
        .output()
        .expect("the command id");
    (us.stdout == b"0\n").then(|| {
        if is("postgres") {
            "postgres"
        } else {
            "tollgate-test"
        }
    })
}
