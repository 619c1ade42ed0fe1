//! Taking a backup, by `pg_dump` of a moment that our own session holds open: what the manifest says and
//! what is in the file are of that one moment.

use std::time::{Duration, Instant};

use super::client::{self, Program};
use super::data;
use super::error::session_error;
use super::fingerprint::{self, Scope, Unread};
use super::runtime::Session;
use super::survey::{cell, parse};
use super::template::{fill, text};
use crate::model::entry::ReceiptRef;
use crate::model::{Data, DataMode, Schema};
use crate::targets::address::PostgresSettings;
use crate::targets::backup::{
    BackupNews, BackupRequest, Look, Sink, TakenBackup, Watch, interrupted,
};
use crate::targets::{TargetError, TargetErrorKind};

const BEGIN: &str = include_str!("sql/backup_begin.sql");
const VERSION: &str = "SELECT pg_catalog.current_setting('server_version_num') AS number, \
     pg_catalog.current_setting('server_version') AS version";
const IS_ENTERED: &str = "SELECT pg_catalog.to_regclass('tollgate.receipt') IS NOT NULL";
const HEAD: &str = "SELECT r.seq, r.hash FROM tollgate.receipt AS r ORDER BY r.seq DESC LIMIT 1";

/// How long to wait for those who change the schema, before it is read anew.
const PAUSE: Duration = Duration::from_millis(200);
/// How often the session that holds the moment is used while the program runs: a firewall forgets a
/// connection that is silent.
const BEAT: Duration = Duration::from_secs(60);

/// What was read in the moment that is held open.
struct Moment {
    snapshot: String,
    receipt: Option<ReceiptRef>,
    schema: Schema,
    data: Option<(DataMode, Data)>,
}

pub(super) fn take(
    session: &Session,
    settings: &PostgresSettings,
    request: &BackupRequest<'_>,
    watch: &mut Watch<'_>,
) -> Result<TakenBackup, TargetError> {
    let (server, major) = version(session)?;
    let program = client::find(request.programs, "pg_dump", major)?;
    let moment = open(session, request, watch)?;
    let dumped = dump(
        session,
        settings,
        &program,
        &moment.snapshot,
        request,
        watch,
    );
    let closed = session.query("COMMIT");
    let written = dumped?;
    // The dump has read all of it. But a session that broke has given the run's lock back meanwhile, and
    // what is recorded of the target next would be recorded without it.
    closed.map_err(|error| session_error(&error, "holding the moment of the backup"))?;
    Ok(TakenBackup {
        made_by: format!("{} {}", program.name, program.version),
        server,
        written,
        receipt: moment.receipt,
        schema: moment.schema,
        data: moment.data,
    })
}

/// The server's version in words, and its major number.
pub(super) fn version(session: &Session) -> Result<(String, u32), TargetError> {
    let rows = session
        .query(VERSION)
        .map_err(|error| session_error(&error, "asking for its version"))?;
    let row = rows.first().ok_or_else(silent)?;
    let number: u32 = parse(row, "number")?;
    // `15.18 (Debian 15.18-0+deb12u1)`.
    let words = cell(row, "version")?.split_whitespace().next();
    Ok((words.unwrap_or_default().to_owned(), number / 10_000))
}

pub(super) fn silent() -> TargetError {
    TargetError {
        kind: TargetErrorKind::Other,
        fact: "the server did not answer what it was asked".to_owned(),
        remedy: None,
    }
}

fn open(
    session: &Session,
    request: &BackupRequest<'_>,
    watch: &mut Watch<'_>,
) -> Result<Moment, TargetError> {
    let scope = Scope::of(session)?;
    let begun = Instant::now();
    loop {
        match try_open(session, &scope, request, watch) {
            Ok(moment) => return Ok(moment),
            Err(unread) => {
                // Whatever is open goes; a session that is closed has nothing open.
                let _ = session.query("ROLLBACK");
                // Others change the schema, or hold a table: another moment may be luckier.
                if !unread.may_pass() || begun.elapsed() >= request.lock_wait {
                    let error = unread.told("opening the moment of the backup");
                    return Err(explained(error, request.lock_wait));
                }
            }
        }
        if (watch.give_up)() {
            return Err(interrupted("nothing was begun"));
        }
        session.sleep(PAUSE);
    }
}

fn try_open(
    session: &Session,
    scope: &Scope,
    request: &BackupRequest<'_>,
    watch: &mut Watch<'_>,
) -> Result<Moment, Unread> {
    let lock_wait = format!("{}ms", millis(request.lock_wait));
    let held = session.query(&fill(BEGIN, &[("lock_wait", &text(&lock_wait))]))?;
    let snapshot = held
        .iter()
        .find_map(|row| row.try_get("snapshot").ok().flatten())
        .ok_or_else(silent)?
        .to_owned();
    let schema = fingerprint::read_within(session, scope)?;
    let receipt = head(session)?;
    let data = match request.look {
        Look::No => None,
        Look::BySize | Look::As(_) => {
            (watch.tell)(BackupNews::Doing("reading the data, to compare with"));
            let mode = match request.look {
                Look::As(mode) => mode,
                Look::No | Look::BySize => DataMode::for_size(data::size_within(session, scope)?),
            };
            Some((mode, data::read_within(session, scope, mode)?))
        }
    };
    Ok(Moment {
        snapshot,
        receipt,
        schema,
        data,
    })
}

fn head(session: &Session) -> Result<Option<ReceiptRef>, TargetError> {
    let ask = |sql: &str| {
        let rows = session.query(sql);
        rows.map_err(|error| session_error(&error, "reading tollgate's tables"))
    };
    if ask(IS_ENTERED)?.first().and_then(|row| row.get(0)) != Some("t") {
        return Ok(None);
    }
    let rows = ask(HEAD)?;
    let read = rows.first().map(|row| {
        Ok(ReceiptRef {
            seq: parse(row, "seq")?,
            hash: parse(row, "hash")?,
        })
    });
    read.transpose()
}

fn dump(
    session: &Session,
    settings: &PostgresSettings,
    program: &Program,
    snapshot: &str,
    request: &BackupRequest<'_>,
    watch: &mut Watch<'_>,
) -> Result<crate::targets::backup::Written, TargetError> {
    let mut command = client::command(program, settings);
    command
        .arg("--format=custom")
        .arg("--no-password")
        .arg(format!("--snapshot={snapshot}"))
        .arg(format!("--lock-wait-timeout={}", millis(request.lock_wait)));
    let Watch { tell, give_up } = watch;
    let begun = Instant::now();
    let mut sink = Sink::create(request.into)?;
    let mut used = Instant::now();
    let ended = client::stream(
        program,
        &mut command,
        &mut |piece| {
            sink.write(piece)?;
            tell(BackupNews::Bytes {
                done: sink.size(),
                of: None,
                took: begun.elapsed(),
            });
            Ok(())
        },
        &mut || {
            if used.elapsed() >= BEAT {
                used = Instant::now();
                session
                    .query("SELECT 1")
                    .map_err(|error| session_error(&error, "holding the moment of the backup"))?;
            }
            Ok(())
        },
        *give_up,
    )?;
    ended
        .ok(program)
        .map_err(|error| explained(error, request.lock_wait))?;
    sink.finish()
}

/// What a person can do about what the program said.
fn explained(mut error: TargetError, waited: Duration) -> TargetError {
    let said = |words: &str| error.fact.contains(words);
    let remedy = if said("lock timeout") || said("LOCK TABLE") && said("canceling statement") {
        format!(
            "let whoever holds the table end, or give it longer: --lock-wait {}",
            waited.as_secs().max(1) * 10
        )
    } else if said("permission denied") || said("row-level security") {
        "give the target's url a role that may read all of the database: its owner, or one with pg_read_all_data and BYPASSRLS"
            .to_owned()
    } else {
        return error;
    };
    error.remedy = Some(remedy);
    error
}

/// What PostgreSQL takes: at least one millisecond, because 0 is for ever.
fn millis(wait: Duration) -> u128 {
    wait.as_millis().clamp(1, 2_147_483_647)
}
