//! PostgreSQL's own programs: finding them, and running one as a child.
//!
//! How to reach the server goes to the child in its environment and nowhere else: arguments can be read
//! by everybody on the machine, and of the environment it has only what is given here.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::targets::address::{PostgresSettings, TlsMode, TlsRoots};
use crate::targets::backup::{PIECE, Programs, interrupted};
use crate::targets::{TargetError, TargetErrorKind};

/// One of PostgreSQL's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    /// `pg_dump`.
    pub(super) name: &'static str,
    /// `15.18`.
    pub(super) version: String,
    major: u32,
}

/// Finds a program that can speak with a server of this major version: of that version, else the nearest
/// newer one. Never simply the newest: what `pg_dump` 17 writes sets parameters that a server of version 15
/// does not know, so it could not be restored there. Never an older one: it would leave out what it does
/// not know, and so it refuses by itself.
pub(super) fn find(
    programs: &Programs,
    name: &'static str,
    server: u32,
) -> Result<Program, TargetError> {
    let found: Vec<Program> = programs
        .folders
        .iter()
        .filter_map(|folder| look(&folder.join(name), name))
        .collect();
    // Of two with one version the first one stays, as on the search path.
    let fit = found
        .iter()
        .filter(|program| program.major >= server)
        .min_by_key(|program| (program.major, std::cmp::Reverse(minor(&program.version))));
    if let Some(program) = fit {
        return Ok(program.clone());
    }
    let newest = found.iter().max_by_key(|program| program.major);
    let fact = match newest {
        Some(old) => format!(
            "{name} {} ({}) is older than the server, which is PostgreSQL {server}, and cannot read it",
            old.version,
            old.path.display()
        ),
        None => format!(
            "{name} is not on this machine: it is looked for on the PATH and in /usr/lib/postgresql/*/bin"
        ),
    };
    Err(TargetError {
        kind: TargetErrorKind::Other,
        fact,
        remedy: Some(format!(
            "install the package postgresql-client-{server}   # apt-get install postgresql-client-{server}"
        )),
    })
}

/// The program at a path, where one is there and says its version.
fn look(path: &Path, name: &'static str) -> Option<Program> {
    // Debian's wrapper chooses a version by what it finds out of the environment, each time anew; what it
    // chooses from is looked at on its own.
    let file = path.canonicalize().ok()?;
    if !file.is_file() || file.file_name().is_some_and(|name| name == "pg_wrapper") {
        return None;
    }
    let mut asking = Command::new(path);
    asking.arg("--version").env_clear().stdin(Stdio::null());
    let said = asking.output().ok()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let (version, major) = version(&said)?;
    Some(Program {
        path: path.to_owned(),
        name,
        version,
        major,
    })
}

/// `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`: `15.18`, and 15.
pub(super) fn version(said: &str) -> Option<(String, u32)> {
    let words = said.split_whitespace();
    let version = words
        .filter(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .find(|word| word.parse::<u32>().is_ok() || word.contains('.'))?;
    let digits = version.split(|c: char| !c.is_ascii_digit()).next()?;
    Some((version.to_owned(), digits.parse().ok()?))
}

fn minor(version: &str) -> u32 {
    let minor = version.split('.').nth(1).unwrap_or_default();
    minor.parse().unwrap_or(0)
}

/// A command that reaches this server and database as tollgate itself does.
pub(super) fn command(program: &Program, settings: &PostgresSettings) -> Command {
    let mut command = Command::new(&program.path);
    command.env_clear();
    let mut set = |name: &str, value: &str| {
        command.env(name, value);
    };
    // What the program says is read, and shown, as it stands.
    set("LC_ALL", "C");
    set("PGHOST", &settings.host);
    set("PGPORT", &settings.port.to_string());
    set("PGDATABASE", settings.database_name());
    set(
        "PGAPPNAME",
        settings.other("application_name").unwrap_or("tollgate"),
    );
    // Found out already. libpq would look for one in the home folder of whoever runs it.
    set("PGPASSFILE", "/dev/null");
    if let Some(address) = settings.hostaddr {
        set("PGHOSTADDR", &address.to_string());
    }
    if let Some(user) = &settings.user {
        set("PGUSER", user);
    }
    if let Some(password) = &settings.password {
        set("PGPASSWORD", password.reveal());
    }
    for (parameter, name) in [
        ("options", "PGOPTIONS"),
        ("connect_timeout", "PGCONNECT_TIMEOUT"),
        ("channel_binding", "PGCHANNELBINDING"),
        ("target_session_attrs", "PGTARGETSESSIONATTRS"),
        ("sslnegotiation", "PGSSLNEGOTIATION"),
    ] {
        if let Some(value) = settings.other(parameter) {
            set(name, value);
        }
    }
    let (mode, roots) = tls(settings, program.major);
    set("PGSSLMODE", mode);
    set("PGSSLROOTCERT", &roots);
    command
}

/// From this version on libpq knows `sslrootcert=system`, and only with `verify-full`.
const KNOWS_SYSTEM_ROOTS: u32 = 16;
/// Where systems keep the authorities that they trust, in one file.
const SYSTEM_ROOTS: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// No file: libpq would take one from the home folder, and then look at the certificate where nobody
/// asked for that.
const NO_ROOTS: &str = "/dev/null/none";

fn tls(settings: &PostgresSettings, major: u32) -> (&'static str, String) {
    let mode = match settings.tls {
        TlsMode::Disable => "disable",
        TlsMode::Prefer => "prefer",
        TlsMode::Require => "require",
        TlsMode::VerifyCa => "verify-ca",
        TlsMode::VerifyFull => "verify-full",
    };
    let roots = match (&settings.roots, settings.tls) {
        (TlsRoots::File(file), TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull) => {
            file.display().to_string()
        }
        (TlsRoots::System, TlsMode::VerifyFull) if major >= KNOWS_SYSTEM_ROOTS => {
            "system".to_owned()
        }
        (TlsRoots::System, TlsMode::VerifyCa | TlsMode::VerifyFull) => {
            let mut known = SYSTEM_ROOTS.iter().filter(|file| Path::new(file).is_file());
            known.next().unwrap_or(&SYSTEM_ROOTS[0]).to_string()
        }
        _ => NO_ROOTS.to_owned(),
    };
    (mode, roots)
}

/// A database as an argument that is read as nothing else, whatever its name is.
pub(super) fn named(database: &str) -> String {
    let escaped = database.replace('\\', r"\\").replace('\'', r"\'");
    format!("dbname='{escaped}'")
}

/// How a child ended.
pub(super) struct Ended {
    status: ExitStatus,
    /// What it said, its beginning.
    said: String,
}

impl Ended {
    /// An error that quotes what the program said, where it failed.
    pub(super) fn ok(self, program: &Program) -> Result<(), TargetError> {
        if self.status.success() {
            return Ok(());
        }
        let prefix = format!("{}: ", program.name);
        let lines = self.said.lines().map(|line| {
            let line = line.strip_prefix(&prefix).unwrap_or(line);
            line.strip_prefix("error: ").unwrap_or(line)
        });
        let said: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        let said = match said.as_slice() {
            [] => format!("it ended with {}", self.status),
            lines => lines.join("\n  "),
        };
        Err(TargetError {
            kind: TargetErrorKind::Other,
            fact: format!("{} {} failed: {said}", program.name, program.version),
            remedy: None,
        })
    }
}

/// So much of what a child says on its stderr is kept.
const MOST_SAID: usize = 8 * 1024;
/// How often a child is looked at that says nothing.
const BEAT: Duration = Duration::from_millis(100);

/// A child that does not outlive this value.
struct Running {
    child: Child,
    said: Option<JoinHandle<String>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended already is only waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    fn ended(mut self, give_up: &dyn Fn() -> bool) -> Result<Ended, TargetError> {
        let status = loop {
            match self.child.try_wait() {
                Ok(Some(status)) => break status,
                Ok(None) if give_up() => return Err(interrupted("what was begun is taken back")),
                Ok(None) => std::thread::sleep(BEAT),
                Err(error) => return Err(lost(&error)),
            }
        };
        let said = self.said.take().and_then(|said| said.join().ok());
        Ok(Ended {
            status,
            said: said.unwrap_or_default(),
        })
    }
}

fn lost(error: &std::io::Error) -> TargetError {
    TargetError {
        kind: TargetErrorKind::Other,
        fact: format!("a program that was started cannot be waited for: {error}"),
        remedy: None,
    }
}

fn start(program: &Program, command: &mut Command) -> Result<Running, TargetError> {
    let mut child = command
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| TargetError {
            kind: TargetErrorKind::Other,
            fact: format!("{} cannot be started: {error}", program.path.display()),
            remedy: None,
        })?;
    let said = child.stderr.take().map(|mut stderr| {
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            let mut piece = [0; 4096];
            // Read to its end, so that the child never waits for us to listen.
            while let Ok(read @ 1..) = stderr.read(&mut piece) {
                let room = MOST_SAID.saturating_sub(kept.len()).min(read);
                kept.extend_from_slice(piece.get(..room).unwrap_or_default());
            }
            String::from_utf8_lossy(&kept).into_owned()
        })
    });
    Ok(Running { child, said })
}

/// Runs a child to its end. It is killed where somebody asks to stop.
pub(super) fn run(
    program: &Program,
    command: &mut Command,
    give_up: &dyn Fn() -> bool,
) -> Result<Ended, TargetError> {
    start(program, command.stdout(Stdio::null()))?.ended(give_up)
}

/// The same for a child whose result comes on its stdout, piece by piece. `beat` is called at least every
/// tenth of a second. After any error the child is killed.
pub(super) fn stream(
    program: &Program,
    command: &mut Command,
    take: &mut dyn FnMut(&[u8]) -> Result<(), TargetError>,
    beat: &mut dyn FnMut() -> Result<(), TargetError>,
    give_up: &dyn Fn() -> bool,
) -> Result<Ended, TargetError> {
    let mut running = start(program, command.stdout(Stdio::piped()))?;
    let stdout = running.child.stdout.take();
    // A few pieces wait at most: a slow disk slows the child down, and no memory fills.
    let (sender, pieces) = mpsc::sync_channel::<std::io::Result<Vec<u8>>>(4);
    std::thread::spawn(move || {
        let Some(mut stdout) = stdout else { return };
        loop {
            let mut piece = vec![0; PIECE];
            let read = match stdout.read(&mut piece) {
                Ok(0) => return,
                Ok(read) => read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let _ = sender.send(Err(error));
                    return;
                }
            };
            piece.truncate(read);
            if sender.send(Ok(piece)).is_err() {
                return;
            }
        }
    });
    loop {
        if give_up() {
            return Err(interrupted("what was begun is taken back"));
        }
        beat()?;
        match pieces.recv_timeout(BEAT) {
            Ok(Ok(piece)) => take(&piece)?,
            Ok(Err(error)) => return Err(lost(&error)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    running.ended(give_up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        let read = |said: &str| version(said);
        assert_eq!(
            read("pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"),
            Some(("15.18".to_owned(), 15))
        );
        assert_eq!(
            read("pg_dump (PostgreSQL) 17beta1\n"),
            None,
            "nothing that is not released"
        );
        assert_eq!(
            read("pg_dump (PostgreSQL) 9.6.24"),
            Some(("9.6.24".to_owned(), 9))
        );
        assert_eq!(read("nothing"), None);
    }

    #[test]
    fn a_name_is_a_name() {
        assert_eq!(named("app"), "dbname='app'");
        assert_eq!(named("it's = \\"), r"dbname='it\'s = \\'");
    }
}
