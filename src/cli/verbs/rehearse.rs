//! `tollgate rehearse ENV [MIGRATION]`

use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::act::act;
use crate::cli::args::{Global, Rehearse};
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, migration};
use crate::cli::verbs::revert::and;
use crate::cli::{Exit, Result};
use crate::model::{DataMode, EnvironmentName, MigrationId, Rehearsal};
use crate::planner::FileFacts;
use crate::planner::gates::shell;
use crate::planner::rehearsal::Direction;
use crate::report::{self, Paint, count, rehearsal as told, script_error};
use crate::workflows::rehearse::{Before, End, Held, HeldEnd, Outcome, Report, Request, rehearse};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Rehearse) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let environment = project.environment(&verb.environment)?;
    let catalog = project.catalog_and_rest(output)?;
    let files = facts(&catalog);
    let named = verb
        .migration
        .as_ref()
        .map(|typed| migration(typed, files.iter().map(|file| file.migration)))
        .transpose()?;
    let request = Request {
        verb: "rehearse",
        environment: &environment,
        migration: named.as_ref(),
        scratch: verb.scratch,
        data: verb.data.map(Into::into),
        bound: Duration::from_secs(verb.within),
    };
    let end = act(
        output,
        global,
        &project,
        &files,
        catalog.prisma.as_ref(),
        |run| rehearse(run, &request),
    )?;
    if output.is_json() {
        output.document(&document(&environment, &end));
    }
    let interrupted = matches!(end, End::Interrupted(_));
    match end {
        End::Refused(plan) => {
            if !output.is_json() {
                let text =
                    report::plan::text(&plan, report::plan::Ending::To(None), output.paint());
                output.result(&text);
            }
            Ok(Exit::Refused)
        }
        End::Nothing => {
            if !output.is_json() {
                output.result(&format!("{environment}: nothing to rehearse\n"));
            }
            Ok(Exit::Done)
        }
        End::Held(reports) | End::Interrupted(reports) => {
            if !output.is_json() {
                for report in &reports {
                    let text = text(&project, &files, &environment, report, output.paint());
                    output.result(&text);
                }
            }
            if interrupted {
                let word = output.paint_notes().warn("interrupted:");
                output.note(&format!(
                    "{word} {environment}: the rest was not rehearsed; nothing of what was stands there\n\n  remedy   tollgate rehearse {environment}\n"
                ));
            }
            Ok(match reports.iter().all(Report::is_well) {
                _ if interrupted => Exit::Interrupted,
                true => Exit::Done,
                false => Exit::Refused,
            })
        }
    }
}

/// How one rehearsal came out, for people.
pub(crate) fn text(
    project: &Project,
    files: &[FileFacts<'_>],
    environment: &EnvironmentName,
    report: &Report,
    paint: Paint,
) -> String {
    let migration = &report.migration;
    match &report.outcome {
        Outcome::Irreversible(why) => format!(
            "{} {environment} {migration}: its down.sql says that it is irreversible: {why}\n",
            paint.warn("nothing to rehearse:")
        ),
        Outcome::NotHeld { why, remedy } => format!(
            "{} {environment} {migration}: {why}\n  remedy    {remedy}\n",
            paint.bad("not rehearsed:")
        ),
        Outcome::Held(held) => {
            let before = report.before.as_ref();
            held_text(project, files, environment, migration, held, before, paint)
        }
    }
}

fn held_text(
    project: &Project,
    files: &[FileFacts<'_>],
    environment: &EnvironmentName,
    migration: &MigrationId,
    held: &Held,
    before: Option<&Before>,
    paint: Paint,
) -> String {
    let down = project.path_of(migration, "down.sql");
    let again = format!(
        "tollgate rehearse {environment} {}",
        shell(migration.as_str())
    );
    let mut out = match held.result() {
        Rehearsal::Failed => format!("{} {environment} {migration}\n", paint.bad("did not pass:")),
        passed => format!(
            "{} {environment} {migration}, {}{}\n",
            paint.good("rehearsed:"),
            passed.as_str(),
            match held.data {
                DataMode::Counts => ", as far as counting rows tells",
                DataMode::Full | DataMode::Sample => "",
            }
        ),
    };
    out.push_str(&how(environment, held));
    match &held.end {
        HeldEnd::Failed(broken) => {
            let file = files.iter().find(|file| file.migration == migration);
            let script = match (broken.file, file) {
                ("down.sql", Some(file)) => file.down.map_or("", |down| down.script),
                (_, Some(file)) => file.script,
                (_, None) => "",
            };
            let path = project.path_of(migration, broken.file);
            let what = match broken.again {
                true => format!(
                    "{} failed when it ran again after its reversal",
                    broken.file
                ),
                false => format!("{} failed", broken.file),
            };
            out.push('\n');
            out.push_str(&script_error::said(
                &what,
                &path,
                script,
                &broken.error,
                paint,
            ));
            if let Some(judgement) = &broken.judgement {
                out.push_str(&told::faults(held.direction, judgement));
            }
        }
        HeldEnd::Judged(judgement) => {
            out.push_str(&told::remarks(judgement));
            out.push_str(&told::faults(held.direction, judgement));
        }
    }
    if held.result() == Rehearsal::Failed {
        let edited = match &held.end {
            // What fails the second time did not fail the first, and what is applied is not edited.
            HeldEnd::Failed(broken) if !broken.again && held.direction == Direction::UpFirst => {
                project.path_of(migration, broken.file)
            }
            HeldEnd::Failed(_) | HeldEnd::Judged(_) => down.clone(),
        };
        out.push_str(&format!("\n  nothing of it stands in {environment}\n"));
        let before = before.filter(|_| edited != down);
        if let Some(before) = before {
            let names = before.environments.iter().map(EnvironmentName::as_str);
            out.push_str(&format!(
                "  the same bytes succeeded in {}: what differs is what stands in {environment}\n",
                and(names)
            ));
        }
        let remedy = match before {
            None => format!("edit {edited}, then: {again}"),
            // An edit has to run where the bytes ran that it replaces.
            Some(Before {
                redo: Some(redo), ..
            }) => format!(
                "edit {edited}, then: {redo} && {again}   # or put that right in {environment}, then the latter alone"
            ),
            Some(Before { redo: None, .. }) => {
                format!("put that right in {environment}, then: {again}")
            }
        };
        out.push_str(&format!("  remedy    {remedy}\n"));
    }
    out
}

/// Where and how it was held, a line each.
fn how(environment: &EnvironmentName, held: &Held) -> String {
    let order = match held.direction {
        Direction::UpFirst => "up, down, up",
        Direction::DownFirst => "down, up, down",
    };
    let mut out = format!("  ran       {order}, {}", held.stage.as_str());
    if let Some(why) = &held.why_not_in_place {
        out.push_str(&format!(": {why}"));
    }
    out.push('\n');
    if matches!(held.end, HeldEnd::Judged(_)) {
        let rows = usize::try_from(held.rows).unwrap_or(usize::MAX);
        out.push_str(&format!(
            "  data      {}, of {} and {}\n",
            held.data.as_str(),
            count(held.tables, "table"),
            count(rows, "row")
        ));
    }
    if let Some(locked) = held.locked {
        out.push_str(&format!(
            "  locked    {} ms, the longest that anybody could have had to wait in {environment}\n",
            locked.as_millis()
        ));
    }
    for note in &held.notes {
        out.push_str(&format!("  note      {note}\n"));
    }
    out
}

fn document(environment: &EnvironmentName, end: &End) -> Value {
    let (word, reports, plan) = match end {
        End::Refused(plan) => ("refused", &[][..], report::plan::json(plan)),
        End::Nothing => ("nothing", &[][..], Value::Null),
        End::Interrupted(reports) => ("interrupted", &reports[..], Value::Null),
        End::Held(reports) => match reports.iter().all(Report::is_well) {
            true => ("passed", &reports[..], Value::Null),
            false => ("not-passed", &reports[..], Value::Null),
        },
    };
    json!({
        "schema": "tollgate/rehearse/v1",
        "environment": environment,
        "verdict": word,
        "rehearsals": reports.iter().map(one).collect::<Vec<_>>(),
        "plan": plan,
    })
}

/// One rehearsal, as documents have it.
pub(crate) fn one(report: &Report) -> Value {
    let mut value = json!({ "migration": report.migration, "at": report.at });
    let rest = match &report.outcome {
        Outcome::Irreversible(why) => json!({ "result": "irreversible", "why": why }),
        Outcome::NotHeld { why, remedy } => {
            json!({ "result": "not-held", "why": why, "remedy": remedy })
        }
        Outcome::Held(held) => {
            let (judgement, failed) = match &held.end {
                HeldEnd::Judged(judgement) => (told::json(judgement), Value::Null),
                HeldEnd::Failed(broken) => (
                    broken.judgement.as_deref().map_or(Value::Null, told::json),
                    json!({
                        "file": broken.file,
                        "again": broken.again,
                        "message": broken.error.message,
                        "code": broken.error.code,
                        "at": broken.error.at.as_ref().map(|at| at.start),
                    }),
                ),
            };
            json!({
                "result": held.result(),
                "stage": held.stage,
                "why_not_in_place": held.why_not_in_place,
                "first": match held.direction {
                    Direction::UpFirst => "up",
                    Direction::DownFirst => "down",
                },
                "data": held.data,
                "tables": held.tables,
                "rows": held.rows,
                "locked_ms": held.locked.map(|locked| locked.as_millis()),
                "notes": held.notes,
                "found": judgement,
                "failed": failed,
            })
        }
    };
    if let (Some(value), Value::Object(rest)) = (value.as_object_mut(), rest) {
        value.extend(rest);
    }
    value
}
