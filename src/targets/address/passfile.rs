//! A line of a password file: `host:port:database:user:password`, as libpq reads it.

use super::PostgresSettings;

/// The password on the first line that fits; `None` where none does.
pub(super) fn find(text: &str, settings: &PostgresSettings) -> Option<String> {
    let port = settings.port.to_string();
    // libpq looks a socket in its default folder up as localhost; which folder that is depends on
    // how libpq was built, so both usual ones count.
    let socket = ["/run/postgresql", "/var/run/postgresql", "/tmp"];
    let host = match settings.host.trim_end_matches('/') {
        host if socket.contains(&host) => "localhost",
        _ => settings.host.as_str(),
    };
    let wanted = [
        host,
        &port,
        settings.database_name(),
        settings.user.as_deref().unwrap_or_default(),
    ];
    text.lines()
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| {
            let mut rest = line;
            for wanted in wanted {
                let (field, after) = field(rest)?;
                if rest.starts_with("*:") || field == wanted {
                    rest = after;
                } else {
                    return None;
                }
            }
            Some(unescape(rest))
        })
}

/// The text before the next colon that no backslash stands before, and what follows it.
fn field(text: &str) -> Option<(String, &str)> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ':' => return Some((unescape(&text[..at]), &text[at + 1..])),
            _ => {}
        }
    }
    None
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' {
            chars.next().unwrap_or('\\')
        } else {
            c
        });
    }
    out
}
