//! A hot standby: a copy that follows the tests' server, and may only be read.

use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::Path;
use std::process::{Command, Stdio};

use tollgate::targets::address::Address;
use tollgate::targets::postgres::open;
use tollgate::targets::{Target, TargetErrorKind};

use crate::bench::Bench;
use crate::support::{Database, run, server_url, settings};

/// A server in recovery, as long as this value lives.
pub(crate) struct Standby {
    folder: tempfile::TempDir,
    programs: String,
    owner: Option<String>,
    port: u16,
}

impl Standby {
    pub(crate) fn new() -> Self {
        let ask = |sql: &str| run(&server_url(), sql).unwrap()[0][0].clone().unwrap();
        let folder = tempfile::Builder::new()
            .prefix("tg-")
            .tempdir_in("/tmp")
            .unwrap();
        let ours = std::fs::metadata(folder.path()).unwrap().uid();
        let theirs = std::fs::metadata(ask("SHOW data_directory")).unwrap();
        // As root, like the tests' own server: as the user that this one runs as.
        let owner = (ours == 0).then(|| {
            chown(folder.path(), Some(theirs.uid()), Some(theirs.gid())).unwrap();
            let uid = theirs.uid().to_string();
            let output = Command::new("id").args(["-nu", &uid]).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        });
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let standby = Self {
            folder,
            programs: ask("SELECT setting FROM pg_config WHERE name = 'BINDIR'"),
            owner,
            port,
        };
        let data = standby.data();
        let source = server_url();
        standby.program(
            "pg_basebackup",
            &[
                "--pgdata",
                &data,
                "--dbname",
                &source,
                "--checkpoint=fast",
                "--wal-method=stream",
                "--write-recovery-conf",
                "--no-sync",
            ],
        );
        let options = format!(
            "-p {port} -c unix_socket_directories={}",
            standby.folder.path().display()
        );
        let log = format!("{data}/log");
        standby.program(
            "pg_ctl",
            &[
                "start",
                "--wait",
                "--timeout=60",
                "--pgdata",
                &data,
                "--log",
                &log,
                "--options",
                &options,
            ],
        );
        standby
    }

    fn data(&self) -> String {
        format!("{}/data", self.folder.path().display())
    }

    fn program(&self, name: &str, arguments: &[&str]) {
        let program = format!("{}/{name}", self.programs);
        let mut command = match &self.owner {
            Some(owner) => {
                let mut command = Command::new("runuser");
                command.args(["-u", owner, "--", &program]);
                command
            }
            None => Command::new(&program),
        };
        // A server that is started keeps what it inherits.
        let status = command
            .args(arguments)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success(), "{name} {status}");
    }

    pub(crate) fn url(&self, database: &Database) -> String {
        let ours = settings(&server_url()).port.to_string();
        database
            .url()
            .replace(&format!(":{ours}/"), &format!(":{}/", self.port))
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        let data = self.data();
        if Path::new(&data).join("postmaster.pid").exists() {
            self.program("pg_ctl", &["stop", "--mode=immediate", "--pgdata", &data]);
        }
    }
}

#[test]
fn a_hot_standby_is_refused() {
    let mut bench = Bench::superuser();
    bench.apply("CREATE TABLE t (id int)").unwrap();
    let standby = Standby::new();
    let url = standby.url(&bench.database);
    assert_eq!(
        run(&url, "SELECT pg_is_in_recovery()").unwrap()[0][0].as_deref(),
        Some("t")
    );
    for parameters in [
        "",
        "?target_session_attrs=any",
        "?target_session_attrs=primary",
    ] {
        let error = open(&settings(&format!("{url}{parameters}"))).unwrap_err();
        assert_eq!(error.kind, TargetErrorKind::ReadOnly);
        assert_eq!(
            error.fact,
            format!(
                "127.0.0.1:{} is a hot standby, which is read-only and may lag behind",
                standby.port
            )
        );
        assert_eq!(error.remedy.as_deref(), Some("name the primary server"));
    }
    let error = open(&settings(&format!("{url}?target_session_attrs=read-write"))).unwrap_err();
    assert_eq!(error.kind, TargetErrorKind::ReadOnly, "{error}");
    assert!(error.fact.contains("asks for read-write"), "{error}");
    // What would choose one of several, or wants a standby, is refused before anybody is asked.
    let port = settings(&bench.database.url()).port;
    let both = url.replace(
        &format!(":{}/", standby.port),
        &format!(":{},127.0.0.1:{port}/", standby.port),
    );
    for (url, said) in [
        (
            format!("{both}?target_session_attrs=read-write"),
            "several hosts",
        ),
        (
            format!("{url}?target_session_attrs=standby"),
            "target_session_attrs",
        ),
        (
            format!("{url}?target_session_attrs=read-only"),
            "target_session_attrs",
        ),
    ] {
        let error = Address::parse(&url, Path::new(".")).unwrap_err();
        assert!(error.fact.contains(said), "{error}");
    }
    verbs_refuse(&url);
    assert_eq!(bench.receipts(), 1);
    assert!(bench.target.survey().is_ok());
}

/// Each verb that touches the target says so and changes nothing; `plan` asks no server.
fn verbs_refuse(url: &str) {
    let project = tempfile::tempdir().unwrap();
    let script = project.path().join("migrations/20251101000000_x");
    std::fs::create_dir_all(&script).unwrap();
    std::fs::write(script.join("migration.sql"), "SELECT 1").unwrap();
    let config = "[[environment]]\nname = \"dev\"\nurl = \"env:DATABASE_URL_DEV\"\n";
    std::fs::write(project.path().join("tollgate.toml"), config).unwrap();
    let tollgate = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_tollgate"))
            .args(arguments)
            .current_dir(project.path())
            .env("DATABASE_URL_DEV", url)
            .output()
            .unwrap()
    };
    for arguments in [
        &["apply", "dev"][..],
        &["promote", "dev"],
        &["bind", "dev", "--reason", "a test"],
    ] {
        let output = tollgate(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("is a hot standby"), "{said}");
        assert!(said.contains("name the primary server"), "{said}");
    }
    assert_eq!(tollgate(&["plan", "dev"]).status.code(), Some(0));
}
