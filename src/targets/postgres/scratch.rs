//! A database of one's own on the server of a target.
//!
//! Its name begins with the oid of the target, so that each knows its own. Whoever makes one holds an
//! advisory lock as long as it lives, in the database that it was made from: who gets that lock knows that
//! all others of the target were left behind, and drops them.

use std::time::{Duration, Instant};

use tokio_postgres::{Error, SimpleQueryRow};

use super::connect;
use super::error::{is_fatal, sentence, session_error};
use super::runtime::Session;
use super::survey::{cell, parse};
use super::template::{fill, identifier, text};
use crate::digest::hex;
use crate::targets::address::{Address, PostgresSettings};
use crate::targets::{Beginning, Scratch, ScratchError, Target, TargetError, TargetErrorKind};

/// What the names of all scratch databases of tollgate's begin with, before the number of their target.
pub(in crate::targets) const PREFIX: &str = "tollgate_scratch_";
pub(super) const TARGET: &str = include_str!("sql/scratch/target.sql");
const SETTINGS: &str = include_str!("sql/scratch/settings.sql");
const LEFTOVERS: &str = include_str!("sql/scratch/leftovers.sql");
/// Where to connect to while the target itself must be left alone.
const ELSEWHERE: [&str; 2] = ["postgres", "template1"];
/// The first key of the advisory lock, "toll" in ASCII; the second is the target's oid.
const LOCK: i32 = 0x746f_6c6c;
/// How long to wait for that lock. Without it nothing is cleaned up.
const WAIT: Duration = Duration::from_secs(2);
/// How long a target may be copied. New connections to it wait meanwhile.
const COPY_WITHIN: Duration = Duration::from_secs(5);
/// How one is made: nobody can have made another one of that name so, and it is taken away in the moment in
/// which the comment is written. A superuser is let in all the same.
const CLOSED: &str = " CONNECTION LIMIT 0";
/// What tells it from a database that somebody else gave such a name.
const COMMENT: &str = "A scratch database of tollgate: made to try something in, and dropped at the end of that run. What a crash left is dropped by the next run.";

/// A database on the server of a target. Dropped with this value.
#[derive(Debug)]
pub struct PostgresScratch {
    address: Address,
    name: String,
    /// Where it was made from.
    elsewhere: PostgresSettings,
    /// Holds the advisory lock; `None` once the database was dropped.
    keeper: Option<Keeper>,
}

/// The session that holds the advisory lock.
struct Keeper(Session);

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper")
    }
}

/// Makes a scratch database on the server of a target, after it dropped those that crashes left.
///
/// # Errors
/// [`ScratchError`]; nothing is left behind.
pub fn scratch(
    settings: &PostgresSettings,
    beginning: Beginning,
) -> Result<PostgresScratch, ScratchError> {
    super::session::refuse_pooled(settings)?;
    let (session, elsewhere) = elsewhere(settings, beginning)?;
    let ask = |sql: &str| {
        session
            .query(sql)
            .map_err(|error| session_error(&error, "making a scratch database"))
    };
    // As long as the scratch database is used nothing is asked here.
    let _ = session.query("SET idle_session_timeout = 0");
    let name = text(settings.database_name());
    let rows = ask(&fill(TARGET, &[("name", &name)]))?;
    let row = rows.first().ok_or_else(|| TargetError {
        kind: TargetErrorKind::Unreachable,
        fact: format!(
            "there is no database {} on the PostgreSQL server at {}",
            settings.database_name(),
            settings.server()
        ),
        remedy: Some("correct its name in the target's URL".to_owned()),
    })?;
    let oid: u32 = parse(row, "oid")?;
    let prefix = format!("{PREFIX}{oid}_");
    if take(&session, oid)? {
        for row in ask(&fill(
            LEFTOVERS,
            &[("prefix", &text(&prefix)), ("comment", &text(COMMENT))],
        ))? {
            // Another role's, or in use all the same: whoever may drop it will.
            let _ = session.query(&dropping(cell(&row, "name")?));
        }
    }
    let name = format!("{prefix}{}", random()?);
    crate::failpoint::hit("postgres.scratch.before");
    create(&session, row, settings, &name, beginning, CLOSED)?;
    crate::failpoint::hit("postgres.scratch.after");
    let mut own = settings.clone();
    own.database = Some(name.clone());
    // From here on it is dropped with the value.
    let made = PostgresScratch {
        address: Address::Postgresql(Box::new(own)),
        name,
        elsewhere,
        keeper: Some(Keeper(session)),
    };
    made.equip(oid, cell(row, "me")?)?;
    Ok(made)
}

/// A session in another database of the same server; in the target only where nothing is copied.
pub(super) fn elsewhere(
    settings: &PostgresSettings,
    beginning: Beginning,
) -> Result<(Session, PostgresSettings), TargetError> {
    let mut settings = settings.clone();
    let target = settings.database_name().to_owned();
    let [first, last] = ELSEWHERE;
    // Whoever is in template1 keeps others from making databases: only where nothing else is to be had.
    let places = match beginning {
        Beginning::Empty => vec![first, &target, last],
        Beginning::Copy => vec![first, last],
    };
    let allowed = |name: &&str| beginning == Beginning::Empty || *name != target;
    let mut refused = None;
    for name in places.into_iter().filter(allowed) {
        settings.database = Some(name.to_owned());
        match connect::beside(&settings) {
            Ok(session) => return Ok((session, settings)),
            // The first answer says most: the other databases are only asked instead.
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.unwrap_or_else(|| TargetError {
        kind: TargetErrorKind::Other,
        fact: format!("{target} cannot be copied: there is no other database to do it from"),
        remedy: None,
    }))
}

/// Takes the advisory lock. Two runs on one target exclude each other already; one that was stopped a
/// moment ago may still hold it.
fn take(session: &Session, oid: u32) -> Result<bool, TargetError> {
    let key = i32::from_ne_bytes(oid.to_ne_bytes());
    let ask = format!("SELECT pg_catalog.pg_try_advisory_lock({LOCK}, {key})");
    let begun = Instant::now();
    loop {
        let rows = session
            .query(&ask)
            .map_err(|error| session_error(&error, "making a scratch database"))?;
        if rows.first().and_then(|row| row.get(0)) == Some("t") {
            return Ok(true);
        }
        if begun.elapsed() >= WAIT {
            return Ok(false);
        }
        session.sleep(Duration::from_millis(50));
    }
}

fn random() -> Result<String, TargetError> {
    let mut bytes = [0u8; 4];
    getrandom::fill(&mut bytes).map_err(|error| TargetError {
        kind: TargetErrorKind::Other,
        fact: format!("the operating system gives no random numbers: {error}"),
        remedy: None,
    })?;
    Ok(hex(&bytes))
}

/// Makes a database like the target. `more` are further options, as SQL.
pub(super) fn create(
    session: &Session,
    target: &SimpleQueryRow,
    settings: &PostgresSettings,
    name: &str,
    beginning: Beginning,
    more: &str,
) -> Result<(), ScratchError> {
    let mut sql = format!("CREATE DATABASE {}", identifier(name));
    match beginning {
        Beginning::Empty => {
            sql.push_str(" TEMPLATE template0");
            let own = |column: &str| target.get(column);
            for (option, column) in [
                ("ENCODING", "encoding"),
                ("LC_COLLATE", "collate"),
                ("LC_CTYPE", "ctype"),
                ("LOCALE_PROVIDER", "provider"),
                ("ICU_RULES", "rules"),
            ] {
                if let Some(value) = own(column) {
                    sql.push_str(&format!(" {option} = {value}"));
                }
            }
            if let Some(locale) = own("locale") {
                let option = if own("provider") == Some("builtin") {
                    "BUILTIN_LOCALE"
                } else {
                    "ICU_LOCALE"
                };
                sql.push_str(&format!(" {option} = {locale}"));
            }
        }
        Beginning::Copy => {
            let most = settings
                .timeouts
                .statement
                .map_or(COPY_WITHIN, |own| own.min(COPY_WITHIN));
            let bound = format!("SET statement_timeout = {}", most.as_millis());
            session
                .query(&bound)
                .map_err(|error| session_error(&error, "making a scratch database"))?;
            let source = identifier(settings.database_name());
            sql.push_str(&format!(" TEMPLATE {source}"));
        }
    }
    sql.push_str(more);
    let created = session.query(&sql);
    let _ = session.query("RESET statement_timeout");
    created
        .map(drop)
        .map_err(|error| refused(&error, beginning))
}

fn refused(error: &Error, beginning: Beginning) -> ScratchError {
    let said = error.as_db_error().map(sentence).unwrap_or_default();
    match error.code().map_or("", |code| code.code()) {
        "42501" => ScratchError::NotAllowed { why: said },
        "55006" if beginning == Beginning::Copy => ScratchError::NotCopied {
            why: format!("others are connected: {said}"),
        },
        "57014" | "55P03" if beginning == Beginning::Copy => ScratchError::NotCopied {
            why: format!(
                "it takes longer than {} s, for which others cannot connect: {said}",
                COPY_WITHIN.as_secs()
            ),
        },
        _ => session_error(error, "making a scratch database").into(),
    }
}

pub(super) fn dropping(name: &str) -> String {
    format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", identifier(name))
}

impl PostgresScratch {
    /// Gives it what is set for the target, and says what it is. What this role may not set is left out: the
    /// target's own sessions have it from somebody else.
    fn equip(&self, oid: u32, me: &str) -> Result<(), TargetError> {
        let Some(Keeper(session)) = &self.keeper else {
            return Ok(());
        };
        let name = identifier(&self.name);
        let rows = session
            .query(&fill(SETTINGS, &[("oid", &oid.to_string())]))
            .map_err(|error| session_error(&error, "making a scratch database"))?;
        for row in &rows {
            let parameter = cell(row, "name")?;
            // The text is a list for some parameters and none for others: whoever sets it knows.
            let set = format!(
                "SELECT pg_catalog.set_config({}, {}, false)",
                text(cell(row, "plain")?),
                text(cell(row, "value")?)
            );
            let keep = if cell(row, "mine")? == "t" {
                format!("ALTER ROLE {me} IN DATABASE {name} SET {parameter} FROM CURRENT")
            } else {
                format!("ALTER DATABASE {name} SET {parameter} FROM CURRENT")
            };
            let _ = session.query(&format!("{set}; {keep}"));
            let _ = session.query(&format!("RESET {parameter}"));
        }
        session
            .query(&format!(
                "COMMENT ON DATABASE {name} IS '{COMMENT}'; ALTER DATABASE {name} CONNECTION LIMIT -1"
            ))
            .map(drop)
            .map_err(|error| session_error(&error, "making a scratch database"))
    }

    /// Drops it, in whatever session is to be had.
    fn drop_it(&mut self) -> Result<(), TargetError> {
        let Some(Keeper(session)) = self.keeper.take() else {
            return Ok(());
        };
        let doing = "dropping a scratch database";
        crate::failpoint::hit("postgres.scratch.drop.before");
        let dropped = match session.query(&dropping(&self.name)) {
            // The session was lost meanwhile.
            Err(error) if error.as_db_error().is_none_or(is_fatal) => {
                connect::beside(&self.elsewhere)?.query(&dropping(&self.name))
            }
            dropped => dropped,
        };
        crate::failpoint::hit("postgres.scratch.drop.after");
        dropped.map(drop).map_err(|error| {
            let told = session_error(&error, doing);
            TargetError {
                fact: format!(
                    "{}; {} is dropped by the next rehearsal",
                    told.fact, self.name
                ),
                remedy: Some(format!(
                    "{};   # in psql, if it is to go now",
                    dropping(&self.name)
                )),
                ..told
            }
        })
    }
}

impl Drop for PostgresScratch {
    fn drop(&mut self) {
        // What stays is dropped when the next one is made.
        let _ = self.drop_it();
    }
}

impl Scratch for PostgresScratch {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> Result<Box<dyn Target>, TargetError> {
        crate::targets::open(&self.address)
    }

    fn address(&self) -> &Address {
        &self.address
    }

    fn discard(mut self: Box<Self>) -> Result<(), TargetError> {
        self.drop_it()
    }
}
