//! The text of a `postgresql://` URL, read as libpq reads it, stricter where libpq guesses.

use std::path::Path;

use super::{Password, PostgresSettings, Timeouts, TlsMode, TlsRoots, configuration, parameters};
use crate::targets::TargetError;

/// Reads what follows `postgresql://`.
pub(super) fn postgresql(rest: &str, base_dir: &Path) -> Result<PostgresSettings, TargetError> {
    let (authority, tail) = match rest.find(['/', '?']) {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    // The last @: one that stands in the password should be %40, but nothing else can be meant.
    let (credentials, place) = match authority.rsplit_once('@') {
        Some((credentials, place)) => (Some(credentials), place),
        None => (None, authority),
    };
    // A password with a bare / or ? ends the authority early; the rest must not become a name that
    // is shown.
    if credentials.is_none() && tail.contains('@') {
        return Err(configuration(
            "the target's URL has an @ after the database's name began".to_owned(),
            ESCAPES,
        ));
    }
    let mut settings = PostgresSettings {
        host: String::new(),
        hostaddr: None,
        port: 5432,
        user: None,
        password: None,
        database: None,
        tls: TlsMode::Prefer,
        roots: TlsRoots::System,
        timeouts: Timeouts::default(),
        other: Vec::new(),
    };
    if let Some(credentials) = credentials {
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (credentials, None),
        };
        settings.user = given(decode(user, "user")?);
        settings.password = match password {
            Some(password) => given(decode(password, "password")?).map(Password::new),
            None => None,
        };
    }
    host_and_port(place, &mut settings)?;
    settings.database = given(decode(path.trim_start_matches('/'), "database's name")?);
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let Some((name, value)) = pair.split_once('=') else {
            return Err(configuration(
                "a parameter of the target's URL has no value".to_owned(),
                "write each as NAME=VALUE, with & between them",
            ));
        };
        let name = decode(name, "name of a parameter")?;
        let value = decode(value, "value of a parameter")?;
        parameters::set(&mut settings, &name, value, base_dir)?;
    }
    parameters::finish(&mut settings)?;
    if settings.host.contains(',') {
        return Err(several_hosts());
    }
    if settings.host.is_empty() {
        match settings.hostaddr {
            Some(address) => settings.host = address.to_string(),
            None => {
                return Err(configuration(
                    "the target's URL names no host".to_owned(),
                    "write one: postgresql://USER@localhost/DATABASE, or ?host=/run/postgresql for a Unix socket",
                ));
            }
        }
    }
    Ok(settings)
}

fn host_and_port(place: &str, settings: &mut PostgresSettings) -> Result<(), TargetError> {
    if place.contains(',') {
        return Err(several_hosts());
    }
    let (host, port) = if let Some(inner) = place.strip_prefix('[') {
        let Some((host, after)) = inner.split_once(']') else {
            return Err(configuration(
                "the IPv6 address in the target's URL has no closing bracket".to_owned(),
                "write it as [ADDRESS]:PORT",
            ));
        };
        let port = match after {
            "" => None,
            _ => Some(after.strip_prefix(':').ok_or_else(bad_port)?),
        };
        (host, port)
    } else {
        match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        }
    };
    settings.host = decode(host, "host")?;
    if let Some(port) = port.filter(|port| !port.is_empty()) {
        settings.port = parse_port(port)?;
    }
    Ok(())
}

/// Reads a port: 1 to 65535.
pub(super) fn parse_port(text: &str) -> Result<u16, TargetError> {
    text.parse::<u16>()
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(bad_port)
}

/// What stands where a port should may be part of a password with a bare @ or / in it, so it is not
/// shown.
fn bad_port() -> TargetError {
    configuration(
        "the port in the target's URL is not a number from 1 to 65535".to_owned(),
        ESCAPES,
    )
}

const ESCAPES: &str = "write USER:PASSWORD@HOST:PORT; in a user's name or a password write %40 for @, %3A for :, %2F for /, %3F for ?, %23 for #";

fn several_hosts() -> TargetError {
    configuration(
        "the target's URL names several hosts, and a target is one database on one server"
            .to_owned(),
        "name the primary server alone",
    )
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

/// Undoes percent-encoding. `what` names the part for a message, which never shows the part.
fn decode(text: &str, what: &str) -> Result<String, TargetError> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    let digit = |byte: Option<u8>| byte.and_then(|b| char::from(b).to_digit(16));
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
                return Err(configuration(
                    format!(
                        "the {what} in the target's URL has a % without two hexadecimal digits"
                    ),
                    "write %25 for a % that stands for itself",
                ));
            };
            out.push(u8::try_from(high * 16 + low).unwrap_or_default());
        } else {
            out.push(byte);
        }
    }
    if out.contains(&0) {
        return Err(configuration(
            format!("the {what} in the target's URL holds a NUL"),
            "leave it out",
        ));
    }
    String::from_utf8(out).map_err(|_| {
        configuration(
            format!("the {what} in the target's URL is not UTF-8 once decoded"),
            "write it in UTF-8, percent-encoded",
        )
    })
}
