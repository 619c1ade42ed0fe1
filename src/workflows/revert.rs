//! revert: write a migration that reverses another one. Nothing runs; it earns its way like any other.

mod judge;

use judge::{never_applied, not_twice, reversible, whole};

use super::{Run, WorkflowError};
use crate::digest::{Checksum, Sha256};
use crate::lint::{Before, Script, Topic, look};
use crate::model::entry::{Engine, Reverted};
use crate::model::rehearsal::COLUMN_ORDER;
use crate::model::{DownLabel, EnvironmentName, Fact, IncidentId, MigrationId};
use crate::planner::gates::from_git;
use crate::planner::revert::{
    Body, Down, Known, Links, Rollback, Source, Up, choose, destroyed, destroys, dropped,
    file_before, has_stubs, losses, name_of, one_line,
};
use crate::planner::{DownFacts, FileFacts};
use crate::reverse::{Past, Reversal, reverse};
use crate::sql::changes::{Change, changes};
use crate::sql::{self, Analysis};

/// What to reverse.
pub struct Request<'a> {
    /// The migrations.
    pub migrations: &'a [MigrationId],
    /// Why.
    pub reason: &'a str,
    /// The emergency that it is a step of.
    pub incident: Option<IncidentId>,
    /// The command that goes on with the emergency that it is a step of, or that may be opened: there nothing is
    /// left to be written by hand in the middle of it.
    pub go_on: Option<&'a str>,
    /// How scripts are read.
    pub engine: Engine,
    /// Puts a stamp before a name, behind the newest migration there is.
    pub stamp: &'a dyn Fn(&str, Option<&MigrationId>) -> MigrationId,
    /// The path of a file of a migration, as a user would type it.
    pub path: &'a dyn Fn(&MigrationId, &str) -> String,
    /// Puts the folder of a rollback there, whole or not at all.
    pub write: &'a mut dyn FnMut(&Written) -> Result<(), WorkflowError>,
}

/// A rollback that was written.
#[derive(Debug, Clone)]
pub struct Written {
    /// Its id.
    pub id: MigrationId,
    /// The migration that it reverses.
    pub reverts: MigrationId,
    /// Its `migration.sql`.
    pub migration_sql: String,
    /// Its `down.sql`.
    pub down_sql: String,
    /// The bytes that it reverses.
    pub up: Up,
    /// The bytes that it is made of; `None` where it was written from the script's text.
    pub down: Option<Down>,
    /// Why the `down.sql` that stands there was no help, as a clause.
    pub no_help: Option<&'static str>,
    /// What is lost when it runs, by table and column, as far as its text tells.
    pub loses: Vec<String>,
    /// What the migration destroyed, and its `down.sql` says that it does not bring back.
    pub not_back: Vec<String>,
    /// Where what is not back stands, if anywhere: the last environment that has the migration, and the newest
    /// backup of it from before.
    pub kept: Option<(EnvironmentName, Option<String>)>,
    /// What could not be written, and has to be by hand.
    pub open: Vec<Open>,
}

/// A statement that is not reversed.
#[derive(Debug, Clone)]
pub struct Open {
    /// The line in the script that is reversed, from 1.
    pub line: usize,
    /// Why, as a clause.
    pub why: String,
}

/// How it ended.
#[derive(Debug)]
pub enum End {
    /// These were written, in this order.
    Written(Vec<Written>),
    /// An earlier run had written it and was cut off before the ledger knew: it knows now.
    WasThere(MigrationId),
}

/// Writes a rollback of each migration, of the newest first.
///
/// # Errors
/// [`WorkflowError::Refused`] where a later migration builds on one, or one says that it is irreversible;
/// [`WorkflowError::Usage`] where there is nothing to reverse, or it is reversed already. Nothing is written.
pub fn revert(run: &mut Run<'_>, request: &mut Request<'_>) -> Result<End, WorkflowError> {
    let links = Links::read(run.files, run.ledger.view());
    let mut migrations = request.migrations.to_vec();
    migrations.sort();
    migrations.dedup();
    migrations.reverse();
    if let [migration] = migrations.as_slice()
        && let Some(rollback) = unrecorded(run, &links, migration)
    {
        let (rollback, checksum, sha256) = (
            rollback.migration.clone(),
            rollback.checksum,
            rollback.sha256,
        );
        record(run, request, migration, &rollback, checksum, sha256)?;
        return Ok(End::WasThere(rollback));
    }
    let mut chosen = Vec::new();
    for migration in &migrations {
        not_twice(run, request, &links, migration)?;
        chosen.push(subject(run, request, migration)?);
    }
    whole(run, request, &links, &chosen)?;
    let mut written: Vec<Written> = Vec::new();
    for subject in chosen {
        let newest = written.last().map(|written| &written.id);
        let newest = newest.or_else(|| {
            // A name without a stamp sorts after all that have one, and no stamp comes after it.
            let mut files = run.files.iter().rev().map(|file| file.migration);
            files.find(|id| id.stamp().is_some())
        });
        let id = (request.stamp)(&name_of(&subject.migration), newest);
        written.push(compose(run, request, subject, id));
    }
    for rollback in &written {
        crate::failpoint::hit("revert.write.before");
        (request.write)(rollback)?;
        crate::failpoint::hit("revert.write.after");
        let bytes = rollback.migration_sql.as_bytes();
        let (checksum, sha256) = (Checksum::of(bytes), Sha256::of(bytes));
        record(
            run,
            request,
            &rollback.reverts,
            &rollback.id,
            checksum,
            sha256,
        )?;
    }
    Ok(End::Written(written))
}

/// Looks at everything that speaks against it, and writes nothing.
///
/// # Errors
/// As [`revert`] has them.
pub fn judge(run: &Run<'_>, request: &Request<'_>) -> Result<(), WorkflowError> {
    let links = Links::read(run.files, run.ledger.view());
    let mut migrations = request.migrations.to_vec();
    migrations.sort();
    migrations.reverse();
    let mut chosen = Vec::new();
    for migration in &migrations {
        not_twice(run, request, &links, migration)?;
        chosen.push(subject(run, request, migration)?);
    }
    whole(run, request, &links, &chosen)
}

fn record(
    run: &mut Run<'_>,
    request: &Request<'_>,
    reverts: &MigrationId,
    migration: &MigrationId,
    blake3: Checksum,
    sha256: Sha256,
) -> Result<(), WorkflowError> {
    let reason = one_line(&(run.clean)(request.reason));
    run.record(Fact::Reverted(Reverted {
        migration: migration.clone(),
        reverts: reverts.clone(),
        blake3,
        sha256,
        reason,
        incident: request.incident,
    }))?;
    Ok(())
}

/// The rollback of a migration that stands on disk and of which no entry tells: a run that was cut off wrote
/// it, or it came with somebody's branch.
fn unrecorded<'a>(
    run: &Run<'a>,
    links: &Links,
    migration: &MigrationId,
) -> Option<&'a FileFacts<'a>> {
    let rollback = links.standing(migration)?;
    let view = run.ledger.view();
    let is_told = view.reverts().rollback(rollback).is_some();
    let mut everywhere = view.environments();
    let ran = everywhere.any(|(_, there)| {
        there.applied.contains_key(rollback) || there.evidence.contains_key(rollback)
    });
    let files = run.files;
    files
        .iter()
        .find(|file| file.migration == rollback && !is_told && !ran)
}

/// A migration that is to be reversed, and the bytes that are taken for it.
struct Subject {
    migration: MigrationId,
    up: Up,
    up_script: String,
    up_changes: Vec<Change>,
    down: Option<(Down, String, DownLabel, Analysis)>,
    no_help: Option<&'static str>,
}

fn subject(
    run: &Run<'_>,
    request: &Request<'_>,
    migration: &MigrationId,
) -> Result<Subject, WorkflowError> {
    let file = run.file(migration);
    let known = Known {
        view: run.ledger.view(),
        policy: run.policy,
        kept: &run.kept,
        migration,
        file,
    };
    let Some((up, down)) = choose(&known) else {
        return Err(never_applied(run, request, migration));
    };
    let beside = |file: &FileFacts<'_>| (file.checksum, file.script.to_owned());
    let up_script = match up.checksum {
        Some(checksum) => bytes(run, checksum, file.map(beside))?,
        None => file.map(|file| file.script.to_owned()),
    };
    let Some(up_script) = up_script else {
        return Err(WorkflowError::Refused {
            what: format!(
                "the bytes of {migration} that ran are neither on disk nor in this ledger: what reverses the rollback is not known"
            ),
            remedy: from_git(migration),
        });
    };
    let (up_analysis, up_changes) = read(request.engine, &up_script);
    let on_disk = file.and_then(|file| file.down);
    let label = |script: &str| {
        DownLabel::read(script).map_err(|what| WorkflowError::Usage {
            what: format!("down.sql of {migration}: {what}"),
            remedy: format!("edit {}", (request.path)(migration, "down.sql")),
        })
    };
    if let Some(on_disk) = on_disk {
        reversible(migration, &label(on_disk.script)?)?;
    }
    let mut no_help = None;
    let mut taken = None;
    if let Some(down) = down {
        let there = on_disk.map(|it| (it.checksum, it.script.to_owned()));
        if let Some(script) = bytes(run, down.checksum, there)? {
            let (down, script) = without_stubs(down, script, on_disk);
            let label = label(&script)?;
            reversible(migration, &label)?;
            let analysis = sql::analyse(request.engine, &script);
            let has_none = |analysis: &Analysis| analysis.statements().is_some_and(<[_]>::is_empty);
            if has_none(&analysis) && !has_none(&up_analysis) {
                no_help = Some("its down.sql has no statement");
            } else {
                taken = Some((down, script, label, analysis));
            }
        }
    } else {
        no_help = Some("it has no down.sql");
    }
    Ok(Subject {
        migration: migration.clone(),
        up,
        up_script,
        up_changes,
        down: taken,
        no_help,
    })
}

/// What still holds a stub reverses nothing: where the file was finished since, it is taken.
fn without_stubs(down: Down, script: String, on_disk: Option<DownFacts<'_>>) -> (Down, String) {
    let finished = on_disk.filter(|there| has_stubs(&script) && !has_stubs(there.script));
    match finished {
        None => (down, script),
        Some(there) => (
            Down {
                checksum: there.checksum,
                source: Source::Disk,
                rehearsed: Vec::new(),
                stood_beside: false,
                is_not_the_file: false,
            },
            there.script.to_owned(),
        ),
    }
}

fn read(engine: Engine, script: &str) -> (Analysis, Vec<Change>) {
    let analysis = sql::analyse(engine, script);
    let changes = changes(engine, script, &analysis);
    (analysis, changes)
}

/// The bytes of a checksum: of the file where it has it, else as the ledger kept them.
fn bytes(
    run: &Run<'_>,
    checksum: Checksum,
    on_disk: Option<(Checksum, String)>,
) -> Result<Option<String>, WorkflowError> {
    if let Some((_, script)) = on_disk.filter(|(there, _)| *there == checksum) {
        return Ok(Some(script));
    }
    let kept = run.ledger.script(checksum)?;
    Ok(kept.and_then(|bytes| String::from_utf8(bytes).ok()))
}

/// Whether the gate of data loss asks for a word on it, or may.
fn is_destructive(
    engine: Engine,
    id: &MigrationId,
    text: &str,
    analysis: &Analysis,
    changes: &[Change],
) -> bool {
    let script = Script {
        migration: id,
        text,
        analysis,
        changes,
    };
    let before = Before {
        standing: &[],
        is_empty: false,
    };
    let found = look(engine, before, &[script]).findings;
    analysis.statements().is_none()
        || destroys(changes)
        || found
            .iter()
            .any(|finding| finding.rule.topic == Topic::DataLoss)
}

/// What the scripts before a migration left.
fn past(run: &Run<'_>, engine: Engine, migration: &MigrationId) -> Past {
    let mut past = Past::new(engine);
    for file in run.files.iter().filter(|file| file.migration < migration) {
        past.read(file.script);
    }
    past
}

fn compose(run: &Run<'_>, request: &Request<'_>, subject: Subject, id: MigrationId) -> Written {
    let engine = request.engine;
    let reason = (run.clean)(request.reason);
    let incident = request.incident.map(|incident| incident.short());
    let reversal: Option<Reversal> = subject
        .down
        .is_none()
        .then(|| reverse(&past(run, engine, &subject.migration), &subject.up_script));
    let mut not_back = Vec::new();
    let (body, loses, is_destructive) = match (&subject.down, &reversal) {
        (Some((_, script, label, analysis)), _) => {
            let changes = changes(engine, script, analysis);
            not_back = label.losses();
            let is_destructive = is_destructive(engine, &id, script, analysis, &changes);
            (
                Body::Prepared(script),
                losses(engine, &changes),
                is_destructive,
            )
        }
        (None, Some(reversal)) => {
            let (analysis, changes) = read(engine, &reversal.sql);
            let is_destructive = is_destructive(engine, &id, &reversal.sql, &analysis, &changes);
            let loses = reversal.loses.clone();
            (Body::Written(&reversal.sql), loses, is_destructive)
        }
        (None, None) => (Body::Written(""), Vec::new(), false),
    };
    // What the migration took away is not there before its rollback, and so not lost when that is reversed.
    let taken_away = dropped(engine, &subject.up_changes);
    let carried = not_back
        .iter()
        .filter(|name| !taken_away.contains(name) && !loses.contains(name));
    let label: Vec<String> = loses.iter().chain(carried).cloned().collect();
    not_back.retain(|name| name != COLUMN_ORDER && !loses.contains(name));
    let down_script = subject.down.as_ref().map(|(_, script, ..)| script.as_str());
    let down_script = down_script.or(reversal.as_ref().map(|reversal| reversal.sql.as_str()));
    for name in destroyed(engine, &subject.up_script, down_script) {
        if !not_back.contains(&name) {
            not_back.push(name);
        }
    }
    let last = subject.up.places.last().filter(|_| !not_back.is_empty());
    let kept = last.map(|last| {
        let here = run.ledger.view().get(last);
        let file = here.and_then(|here| file_before(here, &subject.migration));
        (last.clone(), file.map(str::to_owned))
    });
    let rollback = Rollback {
        id: &id,
        reverts: &subject.migration,
        reason: &reason,
        incident: incident.as_deref(),
        body,
        destroys: is_destructive,
        loses: &label,
        up: &subject.up_script,
    };
    let (migration_sql, down_sql) = (rollback.migration_sql(), rollback.down_sql());
    let loses = loses
        .into_iter()
        .filter(|name| name != COLUMN_ORDER)
        .collect();
    let open = reversal.map_or_else(Vec::new, |reversal| {
        let of = |open: crate::reverse::Open| Open {
            line: sql::position(&subject.up_script, open.range.start).line,
            why: open.why,
        };
        reversal.open.into_iter().map(of).collect()
    });
    Written {
        migration_sql,
        down_sql,
        reverts: subject.migration,
        up: subject.up,
        down: subject.down.map(|(down, ..)| down),
        no_help: subject.no_help,
        loses,
        not_back,
        kept,
        open,
        id,
    }
}
