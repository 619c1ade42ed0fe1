//! Where a target is: reading the URL of an environment.
//!
//! Nothing here reads the environment or a file, and nothing that is printed shows a password.

mod parameters;
mod passfile;
mod url;

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{TargetError, TargetErrorKind};

/// Where a target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// An SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL server and a database on it.
    Postgresql(Box<PostgresSettings>),
}

/// How to reach one database on one PostgreSQL server.
///
/// Made by [`Address::parse`]; what the URL does not say is filled in by
/// [`PostgresSettings::with_defaults`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    /// A host's name, an IP address without brackets, or the folder of a Unix socket (it begins
    /// with `/`).
    pub host: String,
    /// The address to connect to where the host's name is not to be looked up.
    pub hostaddr: Option<std::net::IpAddr>,
    /// The TCP port, or the number in the socket's name; 5432 unless the URL says another.
    pub port: u16,
    /// The role that logs in.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Password>,
    /// The database's name; PostgreSQL takes the user's where it is not given.
    pub database: Option<String>,
    /// What is asked of TLS.
    pub tls: TlsMode,
    /// Which authorities may have signed the server's certificate.
    pub roots: TlsRoots,
    /// What the environment asks of the server's patience; never in the URL.
    pub timeouts: Timeouts,
    /// Everything else the URL says, in its order, as `(parameter, value)`; each was checked.
    pub(crate) other: Vec<(&'static str, String)>,
}

/// How long the server may wait or work for us: `lock_timeout` and `statement_timeout`, where the
/// environment sets them. At least a millisecond, at most [`Timeouts::MOST`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timeouts {
    /// How long one statement may wait for a lock.
    pub lock: Option<Duration>,
    /// How long one statement may take.
    pub statement: Option<Duration>,
}

impl Timeouts {
    /// The longest that PostgreSQL takes: 2^31 - 1 ms, 24 days.
    pub const MOST: Duration = Duration::from_millis(i32::MAX as u64);

    /// Each with its name, as PostgreSQL and `tollgate.toml` write it.
    #[must_use]
    pub const fn each(&self) -> [(&'static str, Option<Duration>); 2] {
        [
            ("lock_timeout", self.lock),
            ("statement_timeout", self.statement),
        ]
    }
}

/// A password. Neither `Debug` nor anything else prints it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Wraps the text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text: for the server only.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(not shown)")
    }
}

/// What is asked of TLS: `sslmode`, as libpq means it. Ignored on a Unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// Never.
    Disable,
    /// Where the server offers it, without looking at its certificate: the default.
    Prefer,
    /// Always, without looking at the certificate unless `sslrootcert` is given: it then means
    /// [`TlsMode::VerifyCa`].
    Require,
    /// Always, with a certificate that a known authority signed, whatever name it is for.
    VerifyCa,
    /// Always, with a certificate that a known authority signed for this host.
    VerifyFull,
}

/// Which authorities may have signed the server's certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TlsRoots {
    /// Those that the operating system trusts; also written `sslrootcert=system`.
    System,
    /// Those in this PEM file.
    File(PathBuf),
}

/// What the URL of a PostgreSQL target may leave out. Resolved by `cli` from the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// `PGUSER`, or the name of the operating system's user.
    pub user: Option<String>,
    /// `PGPASSWORD`.
    pub password: Option<Password>,
    /// The text of the password file (`.pgpass`).
    pub passfile: Option<Password>,
}

impl Address {
    /// Reads a URL: `sqlite:PATH` (also `sqlite://PATH` and `file:PATH`), `postgresql://` or
    /// `postgres://`. Relative paths start at `base_dir`.
    ///
    /// # Errors
    /// [`TargetErrorKind::Configuration`], without the URL itself: it may hold a password.
    pub fn parse(url: &str, base_dir: &Path) -> Result<Self, TargetError> {
        let url = url.trim();
        if let Some(rest) = ["postgresql://", "postgres://"]
            .iter()
            .find_map(|scheme| url.strip_prefix(scheme))
        {
            return url::postgresql(rest, base_dir).map(|s| Self::Postgresql(Box::new(s)));
        }
        if let Some(rest) = ["sqlite:", "file:"]
            .iter()
            .find_map(|scheme| url.strip_prefix(scheme))
        {
            return sqlite(rest, base_dir);
        }
        let fact = match url.split_once(':') {
            Some((scheme, _)) if is_scheme(scheme) => {
                format!(
                    "the target's URL begins with {scheme}:, which is no database that tollgate knows"
                )
            }
            _ => "the target's URL names no kind of database".to_owned(),
        };
        Err(configuration(
            fact,
            "write sqlite:PATH or postgresql://USER@HOST/DATABASE",
        ))
    }

    /// Fills in what the URL of a PostgreSQL target left out.
    #[must_use]
    pub fn with_defaults(self, defaults: &Defaults) -> Self {
        match self {
            Self::Sqlite(_) => self,
            Self::Postgresql(settings) => {
                Self::Postgresql(Box::new(settings.with_defaults(defaults)))
            }
        }
    }

    /// Names the schema of a PostgreSQL target, where neither `schema` nor a search path in `options` of
    /// its URL does.
    #[must_use]
    pub fn with_schema(self, name: &str) -> Self {
        match self {
            Self::Postgresql(mut settings)
                if settings.schema().is_none()
                    && !settings
                        .other("options")
                        .is_some_and(|options| options.contains("search_path")) =>
            {
                settings.other.push(("schema", name.to_owned()));
                Self::Postgresql(settings)
            }
            other => other,
        }
    }

    /// The texts in it that must never be shown.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgresql(settings) => settings.password.as_ref().map(Password::reveal),
        }
    }

    /// For people: the file, or `host:port/database`. Never a user or a password.
    #[must_use]
    pub fn display(&self) -> String {
        match self {
            Self::Sqlite(path) => path.display().to_string(),
            Self::Postgresql(settings) => settings.to_string(),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.display())
    }
}

impl PostgresSettings {
    /// Fills in what the URL left out: user, password, then a line of the password file.
    #[must_use]
    pub fn with_defaults(mut self, defaults: &Defaults) -> Self {
        if self.user.is_none() {
            self.user.clone_from(&defaults.user);
        }
        if self.password.is_none() {
            self.password.clone_from(&defaults.password);
        }
        if self.password.is_none()
            && let Some(file) = &defaults.passfile
        {
            self.password = passfile::find(file.reveal(), &self).map(Password);
        }
        self
    }

    /// Whether this is a Unix socket: no TLS there, no keepalives.
    #[must_use]
    pub fn is_socket(&self) -> bool {
        self.hostaddr.is_none() && self.host.starts_with('/')
    }

    /// The server alone: `host:port`, or the socket's path.
    #[must_use]
    pub fn server(&self) -> String {
        if self.is_socket() {
            format!("{}/.s.PGSQL.{}", self.host.trim_end_matches('/'), self.port)
        } else if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// The name of the database that will be connected to.
    #[must_use]
    pub fn database_name(&self) -> &str {
        self.database
            .as_deref()
            .or(self.user.as_deref())
            .unwrap_or_default()
    }

    /// The schema that the URL names (`schema=`, as Prisma writes it): the whole search path of every
    /// script, and where Prisma's own table stands. `None` where it names none: the search path is the
    /// server's then, and Prisma's schema is `public`.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        self.other("schema").filter(|name| !name.is_empty())
    }

    /// What in the URL says that a pooler for transactions answers there: none where nothing does.
    #[must_use]
    pub fn pooled(&self) -> Vec<&'static str> {
        let port = (self.port == 6543).then_some("port 6543");
        let word = (self.other("pgbouncer") == Some("true")).then_some("pgbouncer=true");
        port.into_iter().chain(word).collect()
    }

    /// A parameter that was kept, where the URL gives it.
    pub(crate) fn other(&self, name: &str) -> Option<&str> {
        self.other
            .iter()
            .rev()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl fmt::Display for PostgresSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.server(), self.database_name())
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn sqlite(rest: &str, base_dir: &Path) -> Result<Address, TargetError> {
    // `sqlite://x` and `sqlite:x` are one file: no host can stand in such a URL.
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let names = query.split('&').filter(|part| !part.is_empty());
    let names = names.map(|part| part.split('=').next().unwrap_or_default());
    if let Some(name) = names
        .into_iter()
        .find(|name| !parameters::IGNORED_OF_SQLITE.contains(name))
    {
        return Err(configuration(
            format!("the parameter {name} of an SQLite URL is not supported"),
            "write only the path: sqlite:state/dev.db",
        ));
    }
    if path.is_empty() || path == ":memory:" {
        return Err(configuration(
            "the SQLite URL names no file".to_owned(),
            "write the path of a file: sqlite:state/dev.db",
        ));
    }
    Ok(Address::Sqlite(base_dir.join(path)))
}

/// A complaint about the URL.
fn configuration(fact: String, remedy: impl Into<String>) -> TargetError {
    TargetError {
        kind: TargetErrorKind::Configuration,
        fact,
        remedy: Some(remedy.into()),
    }
}

#[cfg(test)]
mod tests;
