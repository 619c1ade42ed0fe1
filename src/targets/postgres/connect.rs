//! Opening a session: the driver's settings, the startup options, what can go wrong.

use std::error::Error as _;
use std::io;
use std::time::{Duration, Instant};

use tokio_postgres::config::{ChannelBinding, SslMode, SslNegotiation, TargetSessionAttrs};
use tokio_postgres::{Config, Error, NoTls};

use super::error::{chain, sentence};
use super::runtime::Session;
use super::schema;
use super::session::{self, Backend};
use super::tls;
use crate::digest::hex;
use crate::targets::address::{PostgresSettings, TlsMode};
use crate::targets::{TargetError, TargetErrorKind};

/// A server that loses sight of us ends the session, which gives the lock back: it looks for a dead
/// client while a statement runs, probes an idle connection, and does not wait for ever on either.
/// They are startup options and not SETs, so that RESET ALL returns to them.
const OPTIONS_SINCE_14: &str =
    "-c client_connection_check_interval=1s -c idle_session_timeout=10min";
/// Those that every supported server knows.
/// A session that waits for us in a transaction is not an idle session to the server, and has a clock
/// of its own.
const OPTIONS: &str = "-c idle_in_transaction_session_timeout=10min -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3 -c tcp_user_timeout=60s";

/// A session, and the server's side of it.
pub(super) struct Connected {
    pub(super) session: Session,
    pub(super) backend: Backend,
}

/// Opens a session that may write, and that is ours alone.
pub(super) fn connect(settings: &PostgresSettings) -> Result<Connected, TargetError> {
    session::refuse_pooled(settings)?;
    let mark = mark()?;
    let session = open(settings, &mark, FOR_EVER)?;
    let another = || beside(settings).ok();
    let backend = session::check(&session, settings, &mark, another)?;
    schema::enter(&session)?;
    Ok(Connected { session, backend })
}

/// A session that was opened, and not looked at yet.
pub(super) struct Opened {
    pub(super) session: Session,
    pub(super) mark: String,
}

/// Opens a session that is looked at with its first use: see [`super::arrival`].
pub(super) fn reach(settings: &PostgresSettings) -> Result<Opened, TargetError> {
    session::refuse_pooled(settings)?;
    let mark = mark()?;
    let session = open(settings, &mark, FOR_EVER)?;
    Ok(Opened { session, mark })
}

/// Opens one more session beside one that is there: to look, never to write.
pub(super) fn beside(settings: &PostgresSettings) -> Result<Session, TargetError> {
    open(settings, &mark()?, FOR_EVER)
}

/// Opens a session for whoever needs nothing of it but one transaction after another: a pooler may stand
/// between, whatever it shares. `patience` is for everything until the server lets us in: the name, each
/// of its addresses, TLS, the password, and every further try.
pub(super) fn within(
    settings: &PostgresSettings,
    patience: Duration,
) -> Result<Session, TargetError> {
    open(settings, &mark()?, patience)
}

/// Only the settings' own `connect_timeout` ends the wait.
const FOR_EVER: Duration = Duration::MAX;

/// A text that no other connection has.
fn mark() -> Result<String, TargetError> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| TargetError {
        kind: TargetErrorKind::Other,
        fact: format!("the operating system gives no random numbers: {error}"),
        remedy: None,
    })?;
    Ok(hex(&bytes))
}

fn open(
    settings: &PostgresSettings,
    mark: &str,
    patience: Duration,
) -> Result<Session, TargetError> {
    let begun = Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| TargetError {
            kind: TargetErrorKind::Other,
            fact: format!("the network cannot be used: {error}"),
            remedy: None,
        })?;
    if settings.user.is_none() {
        return Err(TargetError {
            kind: TargetErrorKind::Configuration,
            fact: format!("no user is named for {settings}"),
            remedy: Some("write postgresql://USER@HOST/DATABASE, or set PGUSER".to_owned()),
        });
    }
    let connector = tls::connector(settings)?;
    let mode = match settings.tls {
        _ if settings.is_socket() => SslMode::Disable,
        TlsMode::Disable => SslMode::Disable,
        TlsMode::Prefer => SslMode::Prefer,
        TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
    };
    let own = own_options(settings, mark);
    let rungs = [
        format!("{OPTIONS_SINCE_14} {OPTIONS} {own}"),
        format!("{OPTIONS} {own}"),
        own,
        // For poolers that take no options at all.
        String::new(),
    ];
    let mut ladder = rungs.iter().peekable();
    let mut mode = mode;
    crate::failpoint::hit("postgres.connect.before");
    let (client, task) = loop {
        let options = ladder.peek().map_or("", |options| options.as_str());
        let config = config(settings, mode, options);
        let connecting = async {
            // How the connection ended is told to whoever waits for an answer.
            if mode == SslMode::Disable {
                let (client, connection) = config.connect(NoTls).await?;
                Ok::<_, Error>((client, tokio::spawn(async { drop(connection.await) })))
            } else {
                let (client, connection) = config.connect(connector.clone()).await?;
                Ok((client, tokio::spawn(async { drop(connection.await) })))
            }
        };
        let left = patience.saturating_sub(begun.elapsed());
        let attempt = runtime.block_on(async { tokio::time::timeout(left, connecting).await });
        let Ok(attempt) = attempt else {
            // The system may still be looking the name up: nobody waits for that.
            runtime.shutdown_background();
            return Err(out_of_patience(settings, patience));
        };
        match attempt {
            Ok(connected) => break connected,
            Err(error) if refuses_options(&error) && !options.is_empty() => {
                ladder.next();
            }
            // As libpq does: "prefer" also means a server that lets us in only without TLS.
            Err(error) if mode == SslMode::Prefer && (is_tls(&error) || is_hba(&error)) => {
                mode = SslMode::Disable;
            }
            Err(error) => return Err(connect_error(&error, settings)),
        }
    };
    crate::failpoint::hit("postgres.connect.after");
    let schema = settings.schema().map(str::to_owned);
    Ok(Session::new(runtime, client, task, schema))
}

/// The mark of this connection, and the environment's own timeouts. In milliseconds, and never
/// above what the server takes.
fn own_options(settings: &PostgresSettings, mark: &str) -> String {
    let mut own = format!("-c tollgate.session={mark}");
    for (name, timeout) in settings.timeouts.each() {
        if let Some(timeout) = timeout {
            own.push_str(&format!(" -c {name}={}ms", timeout.as_millis()));
        }
    }
    own
}

fn config(settings: &PostgresSettings, mode: SslMode, options: &str) -> Config {
    let mut config = Config::new();
    if settings.host.starts_with('/') {
        config.host_path(&settings.host);
    } else {
        config.host(&settings.host);
    }
    if let Some(address) = settings.hostaddr {
        config.hostaddr(address);
    }
    config
        .port(settings.port)
        .dbname(settings.database_name())
        .ssl_mode(mode)
        .application_name(settings.other("application_name").unwrap_or("tollgate"));
    if let Some(user) = &settings.user {
        config.user(user);
    }
    if let Some(password) = &settings.password {
        config.password(password.reveal());
    }
    // The URL's own options come last, so they win over ours.
    let options = [options, settings.other("options").unwrap_or_default()].join(" ");
    if !options.trim().is_empty() {
        config.options(options.trim());
    }
    let number = |name: &str| settings.other(name).and_then(|text| text.parse().ok());
    let seconds = |name: &str, default| Duration::from_secs(number(name).unwrap_or(default));
    // 0 is for ever, to libpq and to Prisma; to the driver it would be no time at all.
    if number("connect_timeout") != Some(0) {
        config.connect_timeout(seconds("connect_timeout", 15));
    }
    config
        // This one is in milliseconds in libpq; the driver's own parser takes seconds.
        .tcp_user_timeout(Duration::from_millis(
            number("tcp_user_timeout").unwrap_or(60_000),
        ))
        .keepalives(number("keepalives") != Some(0))
        .keepalives_idle(seconds("keepalives_idle", 30))
        .keepalives_interval(seconds("keepalives_interval", 10))
        .keepalives_retries(
            number("keepalives_retries")
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or(3),
        );
    // A primary is asked for in any case.
    if settings.other("target_session_attrs") == Some("read-write") {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    match settings.other("channel_binding") {
        Some("disable") => config.channel_binding(ChannelBinding::Disable),
        Some("require") => config.channel_binding(ChannelBinding::Require),
        _ => &mut config,
    };
    if settings.other("sslnegotiation") == Some("direct") {
        config.ssl_negotiation(SslNegotiation::Direct);
    }
    config
}

/// The server does not know one of the startup options (42704), does not take its value here
/// (22023), or is a pooler that takes none (08P01).
fn refuses_options(error: &Error) -> bool {
    error
        .code()
        .is_some_and(|code| ["42704", "22023", "08P01"].contains(&code.code()))
}

fn is_hba(error: &Error) -> bool {
    error.code().is_some_and(|code| code.code() == "28000")
}

fn is_tls(error: &Error) -> bool {
    error.to_string() == "error performing TLS handshake"
}

fn connect_error(error: &Error, settings: &PostgresSettings) -> TargetError {
    if let Some(said) = error.as_db_error() {
        return refused(said, settings);
    }
    let server = settings.server();
    let text = chain(error);
    let build = |kind, fact: String, remedy: &str| TargetError {
        kind,
        fact,
        remedy: Some(remedy.to_owned()),
    };
    if is_tls(error) {
        let what = text
            .strip_prefix("error performing TLS handshake: ")
            .unwrap_or(&text);
        let remedy = if what.contains("does not support TLS") {
            "turn TLS on in the server (ssl = on), or write sslmode=disable where the network is trusted"
        } else if what.contains("certificate") {
            "name the authority that signed the server's certificate: sslrootcert=FILE; and the host by the name in the certificate"
        } else {
            "look at the server's TLS settings, and at sslmode in the target's URL"
        };
        let fact = format!("no TLS connection to the PostgreSQL server at {server}: {what}");
        return build(TargetErrorKind::Unreachable, fact, remedy);
    }
    if text.contains("does not allow writes") {
        return build(
            TargetErrorKind::ReadOnly,
            format!(
                "{server} is read-only (a hot standby, or default_transaction_read_only), and the target's URL asks for read-write"
            ),
            "name the primary server",
        );
    }
    if text.contains("password missing") {
        return build(
            TargetErrorKind::Authentication,
            format!("the PostgreSQL server at {server} asks for a password, and none was given"),
            "set PGPASSWORD, or write a line for it in .pgpass",
        );
    }
    if text.starts_with("authentication error") || text.starts_with("invalid configuration") {
        return build(
            TargetErrorKind::Authentication,
            format!("cannot log in to the PostgreSQL server at {server}: {text}"),
            "look at the user, the password, sslmode and channel_binding",
        );
    }
    let io_kind = error
        .source()
        .and_then(|cause| cause.downcast_ref::<io::Error>())
        .map(io::Error::kind);
    let (why, remedy) = match io_kind {
        Some(io::ErrorKind::ConnectionRefused) => (
            "connection refused".to_owned(),
            "start the server, or correct host and port in the target's URL",
        ),
        Some(io::ErrorKind::NotFound) if settings.is_socket() => (
            "there is no such socket".to_owned(),
            "start the server, or correct the socket's folder and the port in the target's URL",
        ),
        Some(io::ErrorKind::TimedOut) => (
            "no answer in time".to_owned(),
            "look at the host, the port and the firewall; connect_timeout=SECONDS waits longer",
        ),
        _ if text.contains("lookup address") => (
            "its name is unknown".to_owned(),
            "correct the host in the target's URL, or look at the network's name service",
        ),
        _ => (text, "look at the host, the port and the network"),
    };
    build(
        TargetErrorKind::Unreachable,
        format!("cannot reach the PostgreSQL server at {server}: {why}"),
        remedy,
    )
}

fn out_of_patience(settings: &PostgresSettings, patience: Duration) -> TargetError {
    TargetError {
        kind: TargetErrorKind::Unreachable,
        fact: format!(
            "cannot reach the PostgreSQL server at {}: no answer within {patience:?}",
            settings.server()
        ),
        remedy: Some("look at the host, the port and the firewall".to_owned()),
    }
}

/// The server answered, and will not have us.
fn refused(said: &tokio_postgres::error::DbError, settings: &PostgresSettings) -> TargetError {
    let server = settings.server();
    let user = settings.user.as_deref().unwrap_or_default();
    let (kind, fact, remedy) = match said.code().code() {
        "28P01" => (
            TargetErrorKind::Authentication,
            format!("the PostgreSQL server at {server} does not accept the password of {user}"),
            "correct the password: in the URL, PGPASSWORD or .pgpass",
        ),
        "28000" => (
            TargetErrorKind::Authentication,
            format!(
                "the PostgreSQL server at {server} does not let {user} in: {}",
                sentence(said)
            ),
            "correct the user, or its line in the server's pg_hba.conf; where TLS is required, write sslmode=require",
        ),
        "3D000" => (
            TargetErrorKind::Unreachable,
            format!(
                "there is no database {} on the PostgreSQL server at {server}",
                settings.database_name()
            ),
            "create it (createdb), or correct its name in the target's URL",
        ),
        "53300" => (
            TargetErrorKind::Unreachable,
            // Of the server, of the role or of the database: which one, the server says.
            format!(
                "the PostgreSQL server at {server} has no connection left: {}",
                sentence(said)
            ),
            "try again when one is free, or raise that limit",
        ),
        // A pooler that takes no options at all, not even those that the URL itself has.
        "08P01" if settings.other("options").is_some() => (
            TargetErrorKind::Configuration,
            format!(
                "{server} does not take the options of the target's URL: {}",
                sentence(said)
            ),
            "write the address of the server itself, or leave options out",
        ),
        "57P03" => (
            TargetErrorKind::Unreachable,
            format!("the PostgreSQL server at {server} is starting, stopping or recovering"),
            "try again in a moment",
        ),
        _ => (
            TargetErrorKind::Other,
            format!(
                "the PostgreSQL server at {server} refused the connection: {}",
                sentence(said)
            ),
            "look at the server's log",
        ),
    };
    TargetError {
        kind,
        fact,
        remedy: Some(remedy.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::targets::address::Address;

    /// As `prisma dev` writes it; to the driver a zero would be no time at all.
    #[test]
    fn a_connect_timeout_of_zero_is_none() {
        for (query, expected) in [
            ("", Some(15)),
            ("?connect_timeout=3", Some(3)),
            ("?connect_timeout=0", None),
        ] {
            let url = format!("postgresql://u@h/d{query}");
            let Ok(Address::Postgresql(settings)) = Address::parse(&url, Path::new(".")) else {
                panic!("{url}");
            };
            let config = config(&settings, SslMode::Disable, "");
            assert_eq!(
                config.get_connect_timeout().copied(),
                expected.map(Duration::from_secs),
                "{url}"
            );
        }
    }
}
