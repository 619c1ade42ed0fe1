//! Whether the session that we were given is what the run's lock and the settings need: on the
//! primary, ours alone from beginning to end, with the settings that we asked for.
//!
//! A startup option carries a mark that no other connection has. Where the session shows it, the
//! server made this session for us, and nobody stands between. Where it does not, a pooler swallowed
//! or refused the options. One that gives a client a session until it leaves is as good as none; one
//! that gives it a session for each transaction would leave the lock with somebody else, and is
//! recognised by what it does: two of our connections meet in one session, or one of them changes
//! its session between two statements. Looked at before anything is changed. What stays
//! unrecognised is found by the look for the lock in every receipt.

use std::time::Duration;

use tokio_postgres::SimpleQueryRow;

use super::error::session_error;
use super::runtime::Session;
use super::template::fill;
use crate::targets::address::PostgresSettings;
use crate::targets::{TargetError, TargetErrorKind};

pub(super) const SESSION: &str = include_str!("sql/session.sql");
const PID: &str = "SELECT pg_catalog.pg_backend_pid()";
/// How long a step of the recognition may take: a pool may have no session for a second connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// The server's side of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Backend {
    /// Its process.
    pub(super) pid: u32,
    /// The `lock_timeout` in force; `None` where it waits for ever.
    pub(super) lock_timeout: Option<Duration>,
    /// Whether transactions are serializable unless they say otherwise: then a COMMIT may fail.
    pub(super) is_serializable: bool,
}

/// Looks at a session that was just opened with the mark `mark`. `another` opens one more like it.
pub(super) fn check(
    session: &Session,
    settings: &PostgresSettings,
    mark: &str,
    another: impl FnOnce() -> Option<Session>,
) -> Result<Backend, TargetError> {
    let rows = session.query(&fill(SESSION, &[]));
    let rows = rows.map_err(|error| session_error(&error, "looking at the session"))?;
    judge(session, settings, mark, rows.first(), another)
}

/// The same by the row that the session told of itself.
pub(super) fn judge(
    session: &Session,
    settings: &PostgresSettings,
    mark: &str,
    row: Option<&SimpleQueryRow>,
    another: impl FnOnce() -> Option<Session>,
) -> Result<Backend, TargetError> {
    let cell = |name: &str| row.and_then(|row| row.get(name)).unwrap_or_default();
    if cell("standby") == "t" {
        return Err(standby(settings));
    }
    if cell("mark") != mark && is_shared(session, cell("pid"), another) {
        return Err(shared(settings));
    }
    for (name, asked) in settings.timeouts.each() {
        if asked.is_some() && millis(cell(name)) != asked {
            return Err(swallowed(settings, name));
        }
    }
    session.set_event_triggers(cell("event_triggers") != "f");
    session.set_escapes(cell("plain_strings") != "on");
    Ok(Backend {
        pid: cell("pid").parse().unwrap_or_default(),
        lock_timeout: millis(cell("lock_timeout")),
        is_serializable: cell("isolation") == "serializable",
    })
}

/// A setting as the server shows it, with the largest unit that fits: `1500ms`, `5s`, `2min`; 0 is none.
fn millis(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit());
    let (number, unit) = text.split_at(end.unwrap_or(text.len()));
    let each: u64 = match unit {
        "" | "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let millis = number.parse::<u64>().ok()?.checked_mul(each)?;
    Some(Duration::from_millis(millis)).filter(|time| !time.is_zero())
}

/// Whether clients share sessions. No answer in time, or no second connection, shows nothing.
fn is_shared(session: &Session, pid: &str, another: impl FnOnce() -> Option<Session>) -> bool {
    let Some(other) = another() else {
        return false;
    };
    let ask = |session: &Session, sql: &str| -> Option<String> {
        let rows = session.query_within(sql, PATIENCE)?.ok()?;
        rows.first().and_then(first).map(str::to_owned)
    };
    let Some(theirs) = ask(&other, PID) else {
        return false;
    };
    // The pool handed on the session that we had a moment ago.
    if theirs == pid {
        return true;
    }
    // The pool had several sessions free. While ours is in a transaction the other one's cannot be
    // ours; right after that it is the first to be handed out again.
    match session.query_within("BEGIN", PATIENCE) {
        None => return false,
        // A pool for single statements does not let a transaction begin: a protocol violation.
        Some(Err(error)) => return error.code().is_some_and(|code| code.code() == "08P01"),
        Some(Ok(_)) => {}
    }
    let mut seen = vec![ask(session, PID)];
    let mut others = vec![ask(&other, PID)];
    // Its answer is not needed: where it is late, so are those of the questions that follow.
    let _ = session.query_within("ROLLBACK", PATIENCE);
    for _ in 0..3 {
        others.push(ask(&other, PID));
        seen.push(ask(session, PID));
    }
    let changed =
        |pids: &[Option<String>], first: &str| pids.iter().flatten().any(|later| later != first);
    changed(&seen, pid) || changed(&others, &theirs)
}

fn first(row: &SimpleQueryRow) -> Option<&str> {
    row.get(0)
}

fn standby(settings: &PostgresSettings) -> TargetError {
    TargetError {
        kind: TargetErrorKind::ReadOnly,
        fact: format!(
            "{} is a hot standby, which is read-only and may lag behind",
            settings.server()
        ),
        remedy: Some("name the primary server".to_owned()),
    }
}

/// Refuses an address that says itself that it is a pooler for transactions: nobody has to connect to
/// know that. Where it says so, the URL that was meant for the application stands in the wrong place.
pub(super) fn refuse_pooled(settings: &PostgresSettings) -> Result<(), TargetError> {
    let marks = settings.pooled();
    if marks.is_empty() {
        return Ok(());
    }
    Err(TargetError {
        kind: TargetErrorKind::Configuration,
        fact: format!(
            "{} is named as a pooler that changes the session between transactions ({}), so the run's lock would be held for somebody else; nothing was changed",
            settings.server(),
            marks.join(", ")
        ),
        remedy: Some(
            "write the direct URL in its place (on Supabase 'db.<project>.supabase.co', port 5432), or that of a session pooler (the same host, port 5432), without pgbouncer=true; or put it into DIRECT_URL, which is read instead where it is set"
                .to_owned(),
        ),
    })
}

fn shared(settings: &PostgresSettings) -> TargetError {
    TargetError {
        kind: TargetErrorKind::Configuration,
        fact: format!(
            "{} is a pooler that changes the session between transactions, so the run's lock would be held for somebody else; nothing was changed",
            settings.server()
        ),
        remedy: Some(
            "write the address of the server itself, or of a pooler in session mode, into the target's URL"
                .to_owned(),
        ),
    }
}

/// A timeout that was asked for is not in force.
fn swallowed(settings: &PostgresSettings, name: &str) -> TargetError {
    if settings
        .other("options")
        .is_some_and(|own| own.contains(name))
    {
        return TargetError {
            kind: TargetErrorKind::Configuration,
            fact: format!(
                "{name} is set twice for this environment, to different values: in tollgate.toml, and in the options of its url; nothing was changed"
            ),
            remedy: Some(format!(
                "edit tollgate.toml: remove {name} from one of the two"
            )),
        };
    }
    TargetError {
        kind: TargetErrorKind::Configuration,
        fact: format!(
            "{name} is set for this environment and is not in force at {}: a pooler did not pass it on; nothing was changed",
            settings.server()
        ),
        remedy: Some(format!(
            "write the address of the server itself into the target's URL, or remove {name} from tollgate.toml"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_the_server_shows_them() {
        let read = |text| millis(text).map(|time| time.as_millis());
        for (text, millis) in [
            ("0", None),
            ("1500ms", Some(1_500)),
            ("5s", Some(5_000)),
            ("2min", Some(120_000)),
            ("3h", Some(10_800_000)),
            ("1d", Some(86_400_000)),
            ("", None),
            ("5 s", None),
        ] {
            assert_eq!(read(text), millis, "{text}");
        }
    }
}
