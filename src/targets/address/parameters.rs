//! The parameters after the `?` of a `postgresql://` URL.

use std::path::Path;

use super::url::parse_port;
use super::{Password, PostgresSettings, TlsMode, TlsRoots, configuration};
use crate::targets::TargetError;

/// How a value must look.
#[derive(Clone, Copy)]
enum Value {
    Text,
    Number,
    OneOf(&'static [&'static str]),
    Schema,
}

/// Passed through to the driver or to the server after a check.
const PASSED: &[(&str, Value)] = &[
    ("options", Value::Text),
    ("application_name", Value::Text),
    ("connect_timeout", Value::Number),
    ("tcp_user_timeout", Value::Number),
    ("keepalives", Value::Number),
    ("keepalives_idle", Value::Number),
    ("keepalives_interval", Value::Number),
    ("keepalives_retries", Value::Number),
    (
        "target_session_attrs",
        Value::OneOf(&["any", "read-write", "primary"]),
    ),
    (
        "channel_binding",
        Value::OneOf(&["disable", "prefer", "require"]),
    ),
    ("sslnegotiation", Value::OneOf(&["postgres", "direct"])),
];

/// Read here.
const READ: &[&str] = &[
    "host",
    "hostaddr",
    "port",
    "user",
    "password",
    "dbname",
    "sslmode",
    "sslrootcert",
];

/// Prisma's, and understood here: kept after a check.
const PRISMA: &[(&str, Value)] = &[
    ("schema", Value::Schema),
    ("pgbouncer", Value::OneOf(&["true", "false"])),
    (
        "sslaccept",
        Value::OneOf(&["strict", "accept_invalid_certs"]),
    ),
];

/// Parameters that tune a pool or mark a URL, and so mean nothing to one connection.
const IGNORED: &[&str] = &[
    // Prisma's.
    "connection_limit",
    "pool_timeout",
    "socket_timeout",
    "statement_cache_size",
    "max_connection_lifetime",
    "max_idle_connection_lifetime",
    "single_use_connections",
    // Of the driver that Prisma 7 uses: that sslmode means what libpq means by it, as it does here.
    "uselibpqcompat",
    // Supabase's, in the URLs that it hands to a host.
    "supa",
    "workaround",
];

/// Those of Prisma's for an SQLite file.
pub(super) const IGNORED_OF_SQLITE: &[&str] = &[
    "connection_limit",
    "socket_timeout",
    "max_connection_lifetime",
    "max_idle_connection_lifetime",
];

/// Parameters of Prisma and libpq whose meaning would be lost if they were ignored, and what to do
/// instead.
const REFUSED: &[(&str, &str)] = &[
    ("sslidentity", "leave it out and log in with a password"),
    ("sslpassword", "leave it out and log in with a password"),
    (
        "sslcert",
        "write sslrootcert for the authority's certificate; client certificates are not supported",
    ),
    ("sslkey", "leave it out and log in with a password"),
    ("load_balance_hosts", "name the primary server alone"),
    ("passfile", "set PGPASSFILE"),
    ("service", "write host, user and database in the URL"),
    ("gssencmode", "leave it out; use sslmode"),
    ("krbsrvname", "leave it out and log in with a password"),
];

/// Takes one decoded parameter.
pub(super) fn set(
    settings: &mut PostgresSettings,
    name: &str,
    value: String,
    base_dir: &Path,
) -> Result<(), TargetError> {
    match name {
        "host" => settings.host = value,
        "hostaddr" => {
            let address = value.parse().map_err(|_| {
                configuration(
                    format!("hostaddr in the target's URL is {value:?}, which is no IP address"),
                    "write one, or use host for a name",
                )
            })?;
            settings.hostaddr = Some(address);
        }
        "port" => settings.port = parse_port(&value)?,
        "user" => settings.user = Some(value),
        "password" => settings.password = Some(Password::new(value)),
        "dbname" => settings.database = Some(value),
        "sslmode" => settings.tls = tls_mode(&value)?,
        "sslrootcert" if value == "system" => settings.roots = TlsRoots::System,
        "sslrootcert" => settings.roots = TlsRoots::File(base_dir.join(value)),
        _ if IGNORED.contains(&name) => {}
        _ => {
            if let Some((_, remedy)) = REFUSED.iter().find(|(known, _)| *known == name) {
                return Err(configuration(
                    format!("the parameter {name} of the target's URL is not supported yet"),
                    *remedy,
                ));
            }
            let mut kept = PASSED.iter().chain(PRISMA);
            let Some((known, form)) = kept.find(|(known, _)| *known == name) else {
                return Err(unknown(name));
            };
            check(name, &value, *form)?;
            settings.other.push((known, value));
        }
    }
    Ok(())
}

/// What only the whole URL tells. Where Prisma is strict about the certificate it looks at the name too,
/// so this is verify-full, beside whatever sslmode; Prisma itself would pass it over where there is no
/// TLS at all.
pub(super) fn finish(settings: &mut PostgresSettings) -> Result<(), TargetError> {
    if settings.other("sslaccept") != Some("strict") {
        return Ok(());
    }
    if settings.tls == TlsMode::Disable {
        return Err(configuration(
            "the target's URL asks for a certificate that holds (sslaccept=strict) and for no TLS (sslmode=disable)"
                .to_owned(),
            "leave out sslmode=disable; where the network is trusted, sslaccept=strict",
        ));
    }
    settings.tls = TlsMode::VerifyFull;
    Ok(())
}

fn tls_mode(value: &str) -> Result<TlsMode, TargetError> {
    Ok(match value {
        "disable" => TlsMode::Disable,
        "prefer" => TlsMode::Prefer,
        "require" => TlsMode::Require,
        "verify-ca" => TlsMode::VerifyCa,
        "verify-full" => TlsMode::VerifyFull,
        "allow" => {
            return Err(configuration(
                "sslmode=allow is not supported: it begins without TLS".to_owned(),
                "write sslmode=prefer, which begins with TLS, or sslmode=disable",
            ));
        }
        _ => {
            return Err(configuration(
                format!("sslmode in the target's URL is {value:?}"),
                "write one of disable, prefer, require, verify-ca, verify-full",
            ));
        }
    })
}

fn check(name: &str, value: &str, form: Value) -> Result<(), TargetError> {
    match form {
        Value::Text => Ok(()),
        Value::Number if value.parse::<u32>().is_ok() => Ok(()),
        Value::Number => Err(configuration(
            format!("{name} in the target's URL is {value:?}, which is no number"),
            "write a number",
        )),
        Value::Schema => check_schema(value),
        Value::OneOf(words) if words.contains(&value) => Ok(()),
        Value::OneOf(words) => Err(configuration(
            format!("{name} in the target's URL is {value:?}"),
            format!("write one of {}", words.join(", ")),
        )),
    }
}

/// The name is written into messages that are read with whatever a script left set, so it is plain; and
/// it is compared with the server's, so it is whole.
fn check_schema(name: &str) -> Result<(), TargetError> {
    let plain = |c: char| c.is_ascii() && !c.is_ascii_control() && c != '\\';
    let why = if !name.chars().all(plain) {
        "and only printable ASCII characters without a backslash are supported there"
    } else if name.len() > 63 {
        "which is longer than the 63 characters that PostgreSQL keeps of a name"
    } else if name == "tollgate" {
        "which is where tollgate keeps its own tables"
    } else if name.starts_with("pg_") || ["information_schema", "$user"].contains(&name) {
        "which means something else to PostgreSQL"
    } else {
        return Ok(());
    };
    Err(configuration(
        format!("schema in the target's URL is {name:?}, {why}"),
        "name the application's own schema: schema=public",
    ))
}

fn unknown(name: &str) -> TargetError {
    let nearest = READ
        .iter()
        .chain(PASSED.iter().chain(PRISMA).map(|(known, _)| known))
        .chain(IGNORED)
        .map(|known| (strsim::damerau_levenshtein(name, known), *known))
        .min();
    let remedy = match nearest {
        Some((_, known)) => format!("the nearest that is known is {known}"),
        None => "leave it out".to_owned(),
    };
    configuration(
        format!("the target's URL has an unknown parameter {name:?}"),
        remedy,
    )
}
