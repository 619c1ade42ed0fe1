//! pgbouncer between us and the server: one session for each client goes, one for each transaction is
//! refused.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tollgate::targets::address::Timeouts;
use tollgate::targets::postgres::{PostgresTarget, open};
use tollgate::targets::{ApplyError, Target, TargetError, TargetErrorKind};

use crate::bench::{Bench, failed};
use crate::support::{self, Database, server_url, settings};

pub(crate) const SWALLOWS: &str = "ignore_startup_parameters = options";

/// A pgbouncer that lives as long as this value.
pub(crate) struct Pooler {
    child: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl Pooler {
    /// `mode` is `session`, `transaction` or `statement`; `more` are further settings.
    pub(crate) fn new(mode: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let everybody = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path(), everybody).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        write(folder.path(), port, mode, more);
        drop(listener);
        let mut command = Command::new(if std::path::Path::new("/usr/sbin/pgbouncer").exists() {
            "/usr/sbin/pgbouncer"
        } else {
            "pgbouncer"
        });
        // It does not run as root: it gets the user that the server runs as.
        if std::fs::metadata(folder.path()).unwrap().uid() == 0 {
            command.args(["-u", &server_owner()]);
        }
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = command
            .arg(folder.path().join("pgbouncer.ini"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the command pgbouncer, which tests/with-postgres installs");
        let mut pooler = Self {
            child,
            folder,
            port,
        };
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = pooler.child.try_wait().unwrap();
            assert!(
                ended.is_none() && begun.elapsed() < Duration::from_secs(20),
                "pgbouncer does not answer: {ended:?} {}",
                std::fs::read_to_string(pooler.folder.path().join("log")).unwrap()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        pooler
    }

    pub(crate) fn url(&self, database: &Database) -> String {
        let name = database.name();
        format!(
            "postgresql://any:any@127.0.0.1:{}/{name}?sslmode=disable",
            self.port
        )
    }

    fn open(&self, database: &Database) -> Result<PostgresTarget, TargetError> {
        open(&settings(&self.url(database)))
    }

    /// Goes on with another `pool_mode`, for the clients that are there too.
    fn change_mode(&self, database: &Database, mode: &str) {
        write(self.folder.path(), self.port, mode, SWALLOWS);
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-HUP", &pid]).status().unwrap();
        assert!(sent.success());
        let admin = format!("postgresql://any@127.0.0.1:{}/pgbouncer", self.port);
        let begun = Instant::now();
        loop {
            let rows = support::run(&admin, "SHOW CONFIG").unwrap();
            let is_set = rows.iter().any(|row| {
                row[0].as_deref() == Some("pool_mode") && row[1].as_deref() == Some(mode)
            });
            if is_set {
                break;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "{}",
                database.name()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn write(folder: &std::path::Path, port: u16, mode: &str, more: &str) {
    let server = settings(&server_url());
    let url = server_url();
    let (_, password) = url
        .split_once('@')
        .and_then(|(credentials, _)| credentials.rsplit_once(':'))
        .unwrap();
    let text = format!(
        "[databases]\n* = host={} port={} user={} password={password}\n\
         [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = any\nadmin_users = any\npool_mode = {mode}\n{more}\n",
        server.host,
        server.port,
        server.user.unwrap(),
    );
    std::fs::write(folder.join("pgbouncer.ini"), text).unwrap();
}

/// The user that the tests' server runs as.
fn server_owner() -> String {
    let folder = support::run(&server_url(), "SHOW data_directory").unwrap()[0][0]
        .clone()
        .unwrap();
    let uid = std::fs::metadata(folder).unwrap().uid().to_string();
    let output = Command::new("id").args(["-nu", &uid]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[track_caller]
fn refused(pooler: &Pooler, database: &Database) -> String {
    let error = pooler.open(database).expect_err("a pooler");
    assert_eq!(error.kind, TargetErrorKind::Configuration, "{error}");
    format!("{} | {}", error.fact, error.remedy.unwrap()).replace(&pooler.port.to_string(), "PORT")
}

#[test]
fn a_session_pooler_works() {
    for more in [
        "",
        SWALLOWS,
        "ignore_startup_parameters = options\ndefault_pool_size = 1",
    ] {
        let pooler = Pooler::new("session", more);
        let database = Database::new();
        let target = pooler.open(&database).unwrap();
        let mut bench = Bench::with(database, target);
        bench.apply("CREATE TABLE public.first (id int)").unwrap();
        bench
            .apply("CREATE INDEX CONCURRENTLY i ON first (id)")
            .unwrap();
        failed(bench.apply("SELECT 1 / 0"));
        bench.apply("INSERT INTO first VALUES (1)").unwrap();
        assert_eq!(bench.receipts(), 3);
    }
}

/// One that swallows the startup options, and one that refuses them.
#[test]
fn a_rehearsal_goes_through_a_session_pooler() {
    for more in [SWALLOWS, ""] {
        let pooler = Pooler::new("session", more);
        let database = Database::new();
        database
            .run("CREATE TABLE t (id serial); INSERT INTO t DEFAULT VALUES")
            .unwrap();
        let mut target = pooler.open(&database).unwrap();
        crate::bench::lock(&mut target);
        let bound = Duration::from_millis(1500);
        crate::rehearse::holds(
            &mut target,
            "INSERT INTO t DEFAULT VALUES",
            "DELETE FROM t WHERE id = 2",
            bound,
        );
        crate::rehearse::is_bound(
            &mut target,
            "RESET ALL; LOCK TABLE t; SELECT pg_sleep(60)",
            bound,
        );
        assert_eq!(database.ask("SELECT nextval('t_id_seq')"), "2");
    }
}

#[test]
fn a_transaction_pooler_is_refused_before_anything_is_changed() {
    for mode in ["transaction", "statement"] {
        for more in [
            "",
            SWALLOWS,
            "ignore_startup_parameters = options\nserver_round_robin = 1",
        ] {
            let pooler = Pooler::new(mode, more);
            let database = Database::new();
            let said = "127.0.0.1:PORT is a pooler that changes the session between transactions, so the run's lock would be held for somebody else; nothing was changed | write the address of the server itself, or of a pooler in session mode, into the target's URL";
            assert_eq!(refused(&pooler, &database), said, "{mode} {more}");
            // A pool that has several sessions free.
            let sleep = |_| {
                let url = pooler.url(&database);
                std::thread::spawn(move || support::run(&url, "SELECT pg_sleep(0.3)").unwrap())
            };
            let busy: Vec<_> = (0..4).map(sleep).collect();
            for one in busy {
                one.join().unwrap();
            }
            assert_eq!(refused(&pooler, &database), said, "{mode} {more}, warm");
            assert_eq!(
                database.ask("SELECT to_regnamespace('tollgate') IS NULL"),
                "t"
            );
            assert_eq!(
                database.ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 72707369 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"),
                "0"
            );
        }
    }
}

/// A setting that was asked for and is not in force would be a promise that nobody keeps.
#[test]
fn timeouts_that_a_pooler_swallows_are_refused() {
    for more in ["", SWALLOWS] {
        let pooler = Pooler::new("session", more);
        let database = Database::new();
        let mut settings = settings(&pooler.url(&database));
        settings.timeouts = Timeouts {
            lock: Some(Duration::from_secs(5)),
            statement: None,
        };
        let error = open(&settings).unwrap_err();
        assert_eq!(error.kind, TargetErrorKind::Configuration);
        assert!(
            error
                .fact
                .starts_with("lock_timeout is set for this environment and is not in force at"),
            "{error}"
        );
    }
}

/// The backstop: a pooler that is recognised too late. The lock is looked for with every receipt, and
/// where it is not there nothing of the script stays.
#[test]
fn a_pooler_that_is_not_recognised_records_nothing() {
    let pooler = Pooler::new("session", SWALLOWS);
    let database = Database::new();
    let target = pooler.open(&database).unwrap();
    let mut bench = Bench::with(database, target);
    bench.apply("CREATE TABLE counter (n int)").unwrap();
    pooler.change_mode(&bench.database, "transaction");
    bench.apply("INSERT INTO counter VALUES (1)").unwrap();
    // Another client gets the session that holds the lock, and keeps it for a while.
    let url = pooler.url(&bench.database);
    let script = "INSERT INTO counter VALUES (2)";
    let analysis = tollgate::sql::analyse(tollgate::model::entry::Engine::Postgresql, script);
    let receipt = bench.receipt(script, &analysis);
    let other = std::thread::spawn(move || {
        support::run(&url, "BEGIN; SELECT pg_sleep(2); COMMIT").unwrap();
    });
    let taken = "SELECT count(*) FROM pg_stat_activity a JOIN pg_locks l USING (pid)
                  WHERE a.datname = current_database() AND a.query LIKE 'BEGIN; SELECT pg_sleep%'
                    AND a.state = 'active' AND l.locktype = 'advisory' AND l.objid = 72707369";
    let begun = Instant::now();
    while bench.database.ask(taken) != "1" {
        assert!(begun.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(10));
    }
    let attempt = tollgate::targets::Attempt {
        script,
        analysis: &analysis,
        done: 0,
        receipt: &receipt,
        row: None,
    };
    let outcome = bench.target.apply(&attempt, &mut |_| {});
    assert!(
        matches!(
            &outcome,
            Err(ApplyError::Unknown { .. } | ApplyError::Failed { left: None, .. })
        ),
        "{outcome:?}"
    );
    other.join().unwrap();
    assert_eq!(
        bench
            .database
            .ask("SELECT string_agg(n::text, ' ') FROM counter"),
        "1"
    );
    assert_eq!(
        bench.database.ask("SELECT count(*) FROM tollgate.receipt"),
        "2"
    );
}

/// What a run begins with is asked in one go, and nothing of it is done where the session is not ours.
#[test]
fn a_contact_that_asks_for_all_at_once_is_as_careful() {
    use tollgate::targets::address::Address;
    let begin = |pooler: &Pooler, database: &Database| {
        let address = Address::Postgresql(Box::new(settings(&pooler.url(database))));
        let mut target = tollgate::targets::open(&address)?;
        target.lock(Duration::ZERO, &|| false, &mut |_| {})?;
        target.survey().map(|survey| (target, survey))
    };
    for mode in ["transaction", "statement"] {
        for more in [
            SWALLOWS,
            "ignore_startup_parameters = options\ndefault_pool_size = 1",
        ] {
            let pooler = Pooler::new(mode, more);
            let database = Database::new();
            let Err(error) = begin(&pooler, &database) else {
                panic!("{mode} {more}");
            };
            assert_eq!(error.kind, TargetErrorKind::Configuration, "{error}");
            let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
            assert_eq!(database.ask(held), "0", "{mode} {more}");
        }
    }
    for more in ["", SWALLOWS] {
        let pooler = Pooler::new("session", more);
        let database = Database::new();
        let (_target, survey) = begin(&pooler, &database).unwrap();
        assert_eq!(survey.observed.name, database.name());
        let held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
        assert_eq!(database.ask(held), "1", "{more}");
        // Another one waits for it as ever.
        let Err(error) = begin(&pooler, &database) else {
            panic!("{more}");
        };
        assert_eq!(error.kind, TargetErrorKind::Locked, "{error}");
    }
}
