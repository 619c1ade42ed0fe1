//! `tollgate revert MIGRATION... --reason WHY`

use std::cell::RefCell;

use serde_json::{Value, json};

use super::new::{newest, stamp_after};
use crate::cli::act::act;
use crate::cli::args::{Global, Revert};
use crate::cli::evidence::{Lasts, put};
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, migration};
use crate::cli::reason::must_have_a_reason;
use crate::cli::{Exit, Result};
use crate::model::entry::Engine;
use crate::model::{EnvironmentName, IncidentId, MigrationId, Rehearsal};
use crate::planner::FileFacts;
use crate::planner::gates::shell;
use crate::planner::revert::{Down, Source};
use crate::report::Paint;
use crate::workflows::WorkflowError;
use crate::workflows::revert::{End, Request, Written, revert};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Revert) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let catalog = project.catalog_and_rest(output)?;
    let files = facts(&catalog);
    let typed = verb.migrations.iter();
    let migrations: Vec<MigrationId> = typed
        .map(|typed| migration(typed, files.iter().map(|file| file.migration)))
        .collect::<Result<_>>()?;
    let named: String = migrations.iter().map(|id| format!(" {id}")).collect();
    must_have_a_reason(
        &verb.reason,
        &format!("tollgate revert{named} --reason '<why>'"),
    )?;
    let asked = Asked {
        migrations: &migrations,
        reason: &verb.reason,
        incident: None,
        go_on: None,
    };
    let end = write(
        output,
        global,
        &project,
        &files,
        catalog.prisma.as_ref(),
        &asked,
    )?;
    if output.is_json() {
        output.document(&document(&project, &end));
    } else {
        let text = text(&project, &end, output.paint());
        output.result(&text);
    }
    Ok(Exit::Done)
}

/// What is to be written.
pub(crate) struct Asked<'a> {
    pub(crate) migrations: &'a [MigrationId],
    pub(crate) reason: &'a str,
    pub(crate) incident: Option<IncidentId>,
    /// The command that goes on with the emergency, where it is a step of one.
    pub(crate) go_on: Option<&'a str>,
}

/// Looks at all that speaks against them, and writes nothing.
pub(crate) fn judge(
    output: &mut Output<'_>,
    global: &Global,
    project: &Project,
    files: &[FileFacts<'_>],
    prisma: Option<&crate::model::prisma::PrismaTree>,
    asked: &Asked<'_>,
) -> Result<()> {
    act(output, global, project, files, prisma, |run| {
        let request = Request {
            migrations: asked.migrations,
            reason: asked.reason,
            incident: None,
            go_on: asked.go_on,
            engine: engine(project),
            stamp: &|name, _| MigrationId::new(name),
            path: &|id, file| project.path_of(id, file),
            write: &mut |_| Ok(()),
        };
        crate::workflows::revert::judge(run, &request)
    })
}

/// How the scripts of the tree are read.
pub(crate) fn engine(project: &Project) -> Engine {
    let last = project.config.policy.chain().last();
    last.map_or(Engine::Postgresql, |last| project.engine(last))
}

/// Writes the rollbacks into the tree, and the entries beside them.
pub(crate) fn write(
    output: &mut Output<'_>,
    global: &Global,
    project: &Project,
    files: &[FileFacts<'_>],
    prisma: Option<&crate::model::prisma::PrismaTree>,
    asked: &Asked<'_>,
) -> Result<End> {
    let now = (output.world.now)();
    let newest = newest(files.iter().map(|file| file.migration));
    comes_after(project, &stamp_after(newest, now), asked.migrations)?;
    let stamp = |name: &str, newest: Option<&MigrationId>| {
        MigrationId::new(format!("{}_{name}", stamp_after(newest, now)))
    };
    // What a file could not do is told as files are, and not as a step of the story.
    let trouble = RefCell::new(None);
    let mut put_there = |rollback: &Written| {
        let written = put_folder(project, rollback);
        written.map_err(|error| {
            let path = project.config.migrations.join(rollback.id.as_str());
            let told = WorkflowError::File {
                path,
                error: std::io::Error::other(error.fact.clone()),
            };
            *trouble.borrow_mut() = Some(error);
            told
        })
    };
    let ended = act(output, global, project, files, prisma, |run| {
        revert(
            run,
            &mut Request {
                migrations: asked.migrations,
                reason: asked.reason,
                incident: asked.incident,
                go_on: asked.go_on,
                engine: engine(project),
                stamp: &stamp,
                path: &|id, file| project.path_of(id, file),
                write: &mut put_there,
            },
        )
    });
    match trouble.into_inner() {
        Some(error) => Err(error),
        None => ended,
    }
}

/// On an empty database the rollback has to come after what it reverses, and no stamp comes after a name that
/// begins with a letter.
fn comes_after(project: &Project, stamp: &str, reversed: &[MigrationId]) -> Result<()> {
    let mut before = reversed.iter().filter(|id| stamp <= id.as_str());
    match before.next() {
        None => Ok(()),
        Some(id) => Err(Trouble::usage(
            format!(
                "{id} has no stamp: on an empty database a rollback with one would run before it"
            ),
            format!(
                "write the rollback by hand, under a name that comes after it: {}",
                project.path_of(&MigrationId::new(format!("{id}_reverted")), "migration.sql")
            ),
        )),
    }
}

/// The folder is no migration before its `migration.sql` is there, whole.
fn put_folder(project: &Project, rollback: &Written) -> Result<()> {
    let folder = project.config.migrations.join(rollback.id.as_str());
    std::fs::create_dir_all(&folder).map_err(|error| Trouble::file(&folder, &error))?;
    put(&folder.join("down.sql"), &rollback.down_sql, Lasts::AtOnce)?;
    put(
        &folder.join("migration.sql"),
        &rollback.migration_sql,
        Lasts::AtOnce,
    )
}

/// What was written, without what is next.
pub(crate) fn lines(project: &Project, end: &End, paint: Paint) -> String {
    match end {
        End::WasThere(id) => format!(
            "{} was written before; the ledger knows of it now\n",
            project.path_of(id, "")
        ),
        End::Written(written) => {
            let all = written.iter().map(|rollback| one(project, rollback, paint));
            all.collect::<Vec<_>>().join("\n")
        }
    }
}

/// What was written, for people.
fn text(project: &Project, end: &End, paint: Paint) -> String {
    let mut out = lines(project, end, paint);
    let End::Written(written) = end else {
        return out;
    };
    out.push('\n');
    let last = project.config.policy.chain().last();
    let last = last.map_or("prod", EnvironmentName::as_str);
    let read = match written.as_slice() {
        [one] if one.open.is_empty() => "read it and commit it",
        [one] if !one.open.is_empty() => "write what is open, commit it",
        _ => "read them and commit them",
    };
    out.push_str(&format!(
        "  next      {read}, then: tollgate promote {last}\n"
    ));
    out
}

fn one(project: &Project, rollback: &Written, paint: Paint) -> String {
    let up = &rollback.up;
    let mut out = format!(
        "{} {}\n  reverses  {}, as it ran in {}\n",
        paint.good("wrote:"),
        project.path_of(&rollback.id, "migration.sql"),
        rollback.reverts,
        and(up.places.iter().map(EnvironmentName::as_str))
    );
    for (checksum, places) in &up.others {
        out.push_str(&format!(
            "            other bytes ({}) ran in {}, and are not what it reverses\n",
            checksum.short(),
            and(places.iter().map(EnvironmentName::as_str))
        ));
    }
    out.push_str(&format!("  runs      {}\n", runs(rollback)));
    if rollback
        .down
        .as_ref()
        .is_some_and(|down| down.is_not_the_file)
    {
        out.push_str(
            "            the down.sql that stands there now is another one, and was not taken\n",
        );
    }
    if !rollback.loses.is_empty() {
        out.push_str(&format!(
            "  loses     what stands in {} when it runs\n",
            paint.warn(&and(rollback.loses.iter().map(String::as_str)))
        ));
    }
    if !rollback.not_back.is_empty() {
        out.push_str(&format!(
            "  not back  {}: what stood there was lost when {} ran, and stays lost\n",
            paint.warn(&rollback.not_back.join(", ")),
            rollback.reverts
        ));
        if let Some((place, file)) = &rollback.kept {
            out.push_str(&format!(
                "            {}\n",
                kept(project, place, file.as_deref())
            ));
        }
    }
    let script = project.path_of(&rollback.reverts, "migration.sql");
    for (place, open) in rollback.open.iter().enumerate() {
        let word = if place == 0 { "open" } else { "" };
        out.push_str(&format!(
            "  {word:<8}  {script}:{}: {}\n",
            open.line, open.why
        ));
    }
    if !rollback.open.is_empty() {
        out.push_str(&format!(
            "            {} until that is written by hand\n",
            paint.warn("it refuses to run")
        ));
    }
    out
}

/// Where what a migration took may still be found.
pub(crate) fn kept(project: &Project, place: &EnvironmentName, file: Option<&str>) -> String {
    match file {
        Some(file) => format!(
            "the backup of {place} from before it has it: tollgate restore {} --into {}",
            shell(&project.shown(&project.backups().join(file))),
            project.new_database(place)
        ),
        None => format!("no backup of {place} from before it is on record"),
    }
}

/// Which bytes run, and who tried them.
pub(crate) fn runs(rollback: &Written) -> String {
    let Some(down) = &rollback.down else {
        return format!(
            "what can be told from its script, because {}; nobody has tried it",
            rollback.no_help.unwrap_or("it has no down.sql")
        );
    };
    let place = match (down.source, down.stood_beside) {
        (Source::Ledger, _) => "its down.sql, from the ledger",
        (Source::Disk, _) => "its down.sql",
    };
    format!("{place}, which {}", tried(down))
}

fn tried(down: &Down) -> String {
    let passed: Vec<(&EnvironmentName, Rehearsal)> = down.passed().collect();
    let failed: Vec<&str> = down
        .rehearsed
        .iter()
        .filter(|(_, result)| !result.passed())
        .map(|(name, _)| name.as_str())
        .collect();
    let mut told = Vec::new();
    if !passed.is_empty() {
        let lossy = passed.iter().any(|(_, result)| *result == Rehearsal::Lossy);
        // It was lossless with what stood there then; what came since is told below it.
        let word = if lossy {
            ", with the losses that it names"
        } else {
            ""
        };
        told.push(format!(
            "passed its rehearsal in {}{word}",
            and(passed.iter().map(|(name, _)| name.as_str()))
        ));
    }
    if !failed.is_empty() {
        told.push(format!(
            "failed its rehearsal in {}",
            and(failed.into_iter())
        ));
    }
    if told.is_empty() {
        return "was never rehearsed".to_owned();
    }
    told.join(" and ")
}

/// Names as people list them.
pub(crate) fn and<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    match names.as_slice() {
        [] => "no environment".to_owned(),
        [one] => (*one).to_owned(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// What was written as `tollgate/revert/v1`.
fn document(project: &Project, end: &End) -> Value {
    let rollbacks = match end {
        End::WasThere(id) => vec![json!({
            "migration": id,
            "folder": project.path_of(id, "").trim_end_matches('/'),
            "was_there": true,
        })],
        End::Written(written) => written.iter().map(|it| rollback(project, it)).collect(),
    };
    json!({ "schema": "tollgate/revert/v1", "rollbacks": rollbacks })
}

/// One rollback.
pub(crate) fn rollback(project: &Project, written: &Written) -> Value {
    let rehearsed = written.down.iter().flat_map(|down| &down.rehearsed);
    json!({
        "migration": written.id,
        "reverts": written.reverts,
        "folder": project.path_of(&written.id, "").trim_end_matches('/'),
        "was_there": false,
        "ran_in": written.up.places,
        "bytes": match &written.down {
            Some(down) if down.source == Source::Ledger => "ledger",
            Some(_) => "disk",
            None => "written",
        },
        "down": written.down.as_ref().map(|down| down.checksum),
        "rehearsed": rehearsed
            .map(|(name, result)| (name.to_string(), json!(result.as_str())))
            .collect::<serde_json::Map<_, _>>(),
        "loses": written.loses,
        "not_back": written.not_back,
        "backup_before": written
            .kept
            .as_ref()
            .and_then(|(_, file)| file.as_ref())
            .map(|file| project.shown(&project.backups().join(file))),
        "open": written
            .open
            .iter()
            .map(|open| json!({ "line": open.line, "why": open.why }))
            .collect::<Vec<_>>(),
    })
}
