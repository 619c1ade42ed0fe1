//! `tollgate apply ENV`

mod github_summary;

use serde_json::{Value, json};

use super::rehearse;
use crate::cli::act::act;
use crate::cli::args::{Apply, Global};
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, up_to};
use crate::cli::{Exit, Result, github, saved};
use crate::model::entry::Progress;
use crate::model::{EnvironmentName, ReceiptKind};
use crate::planner::gates::shell;
use crate::planner::premises::{self, Held};
use crate::planner::saved::SavedError;
use crate::planner::{self, FileFacts};
use crate::report::plan::Ending;
use crate::report::{self, Paint, script_error};
use crate::workflows::apply::{End, Report, Request, apply};

use github_summary::{annotations, page};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Apply) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let environment = project.environment(&verb.environment)?;
    let catalog = project.catalog_and_rest(output)?;
    let files = facts(&catalog);
    let to = up_to(verb.to.as_ref(), &files)?;
    let read = match &verb.plan {
        Some(path) => Some(saved::read(output, global, path, Some(&environment))?),
        None => None,
    };
    let named = verb.plan.as_ref().map(|path| path.display().to_string());
    let file = named.as_deref().unwrap_or_default();
    let held = match &read {
        None => None,
        Some(Ok(plan)) if plan.content.environment != environment => {
            let of = &plan.content.environment;
            let finding = premises::elsewhere(of, &environment, file);
            let unfit = saved::Unfit {
                finding,
                plan: Some(plan.content.plan),
            };
            return saved::refuse(output, global, &project, &environment, &unfit);
        }
        Some(Ok(saved)) => Some(Held {
            saved,
            file,
            by: None,
        }),
        Some(Err(error)) => {
            let unfit = saved::Unfit {
                finding: premises::unfit(error, Some(&environment), file),
                // What it calls itself is all that is known of it.
                plan: match error {
                    SavedError::Altered(id) => Some(*id),
                    _ => None,
                },
            };
            return saved::refuse(output, global, &project, &environment, &unfit);
        }
    };
    let request = Request {
        verb: "apply",
        environment: &environment,
        to: to.as_ref(),
        dry_run: verb.dry_run,
        is_part: false,
        backs_up: false,
        saved: held,
        glass: None,
    };
    let report = act(
        output,
        global,
        &project,
        &files,
        catalog.prisma.as_ref(),
        |run| apply(run, &request),
    )?;
    if output.is_json() {
        output.document(&document(&report));
    } else if let Some(line) = result(&report).filter(|_| github::wants_text(output)) {
        output.result(&line);
    }
    let again = held.map(|held| held.file);
    let exit = end_of(output, &project, &files, &report, again);
    if output.is_github() {
        let again = again_under(again);
        let story = story(&project, &files, &report, &again, Paint(false));
        let page = page(&report, story.as_deref());
        let paths = github::paths(&project, &catalog);
        github::tell(output, &page, annotations(&report, &files, &paths));
    }
    Ok(exit)
}

/// How the same verb is typed again under a saved plan.
fn again_under(plan: Option<&str>) -> String {
    plan.map_or_else(String::new, |file| format!(" --plan {}", shell(file)))
}

/// Tells how a report ended, where it did not end well, and returns the exit code for it.
pub(crate) fn end(
    output: &mut Output<'_>,
    project: &Project,
    files: &[FileFacts<'_>],
    report: &Report,
) -> Exit {
    end_of(output, project, files, report, None)
}

/// The same for a run that may have held to a saved plan: it goes on under that one.
fn end_of(
    output: &mut Output<'_>,
    project: &Project,
    files: &[FileFacts<'_>],
    report: &Report,
    plan: Option<&str>,
) -> Exit {
    let paint = output.paint_notes();
    if let Some(story) = story(project, files, report, &again_under(plan), paint) {
        output.note(&story);
    }
    let environment = &report.plan.environment;
    match &report.end {
        End::Done | End::UpToDate | End::Ready => Exit::Done,
        End::Refused => {
            // In text the refusal is the result of the verb; a document carries it already.
            if !output.is_json() && github::wants_text(output) {
                let text = report::plan::text(&report.plan, Ending::To(None), output.paint());
                output.result(&text);
            }
            Exit::Refused
        }
        End::Failed { .. } | End::CutOff { .. } | End::Unknown { .. } => Exit::Failed,
        End::NotRehearsed => {
            if !output.is_json()
                && let Some(last) = report.rehearsals.last()
            {
                let paint = output.paint();
                let text = rehearse::text(project, files, environment, last, paint);
                output.result(&text);
            }
            Exit::Refused
        }
        End::Interrupted => Exit::Interrupted,
    }
}

/// What is told of a run that did not come to its end.
fn story(
    project: &Project,
    files: &[FileFacts<'_>],
    report: &Report,
    plan: &str,
    paint: Paint,
) -> Option<String> {
    let environment = &report.plan.environment;
    // What went through broken glass goes on there.
    let go_on = match &report.plan.glass {
        None => format!("tollgate apply {environment}{plan}"),
        Some(broken) => report::glass::command(environment, broken),
    };
    let look = match &report.plan.glass {
        None => format!("{go_on} --dry-run"),
        Some(_) => go_on.clone(),
    };
    Some(match &report.end {
        End::Done | End::UpToDate | End::Ready | End::Refused | End::NotRehearsed => return None,
        End::Failed {
            migration,
            error,
            left,
        } => {
            let file = files.iter().find(|file| file.migration == migration);
            let script = file.map_or("", |file| file.script);
            let goes_on = file.zip(*left).is_some_and(|(file, left)| {
                planner::goes_on(project.engine(environment), file, left)
            });
            let path = project.script_path(migration);
            let steps = report.plan.steps.iter();
            let proven_in: Vec<&EnvironmentName> = steps
                .filter(|step| step.migration == *migration)
                .flat_map(|step| step.proofs.iter().map(|proof| &proof.environment))
                .collect();
            let failed = script_error::Failed {
                environment,
                migration,
                path: &path,
                script,
                error,
                left: *left,
                goes_on,
                proven_in: &proven_in,
                again: &go_on,
            };
            script_error::text(&failed, paint)
        }
        End::CutOff {
            migration,
            error,
            progress,
        } => {
            let stands = match progress {
                None => "nothing of it stands".to_owned(),
                Some(Progress { done, of }) => {
                    format!("{done} of {of} statements stand in the target, and nothing else of it")
                }
            };
            let goes_on = match progress {
                Some(Progress { done, of }) if done < of => {
                    format!("   # goes on at statement {}", done + 1)
                }
                _ => String::new(),
            };
            format!(
                "{} {environment}: {migration} was cut off: {error}\n  {stands}\n\n  remedy   {go_on}{goes_on}\n",
                paint.bad("error:")
            )
        }
        End::Unknown {
            migration,
            error,
            again,
        } => {
            let step = report
                .plan
                .steps
                .iter()
                .find(|step| step.migration == *migration);
            let whole =
                step.is_some_and(|step| step.kind == ReceiptKind::Atomic && step.notes.is_empty());
            let how = if whole {
                "it ran whole or not at all; the receipt in the target tells"
            } else {
                "it is not atomic and may have stopped anywhere; the journal in the target tells how far it came"
            };
            let again = again.as_ref().map_or_else(String::new, |why| {
                format!("  and it could not be looked at again: {why}\n")
            });
            format!(
                "{} {environment}: how {migration} ended is not known: {error}\n{again}  {how}\n\n  remedy   {look}\n",
                paint.bad("error:")
            )
        }
        End::Interrupted => {
            let left = report.plan.steps.len() - report.applied.len().min(report.plan.steps.len());
            format!(
                "{} {environment}: {} left; what was begun has ended\n\n  remedy   {go_on}\n",
                paint.warn("interrupted:"),
                report::count(left, "migration")
            )
        }
    })
}

/// The result of a run that ended well, as one line.
pub(crate) fn result(report: &Report) -> Option<String> {
    let environment = &report.plan.environment;
    match report.end {
        End::Done => Some(format!(
            "{environment}: {} applied\n",
            report::count(report.applied.len(), "migration")
        )),
        End::UpToDate => Some(format!("{environment}: nothing to do\n")),
        End::Ready => Some(format!(
            "{environment}: every premise holds, {} would be applied\n",
            report::count(report.plan.steps.len(), "migration")
        )),
        _ => None,
    }
}

/// How it ended, as the documents say it.
pub(crate) const fn word(end: &End) -> &'static str {
    match end {
        End::Done => "done",
        End::UpToDate => "up-to-date",
        End::Ready => "ready",
        End::Refused => "refused",
        End::NotRehearsed => "not-rehearsed",
        End::Interrupted => "interrupted",
        End::Failed { .. } => "failed",
        End::CutOff { .. } => "cut-off",
        End::Unknown { .. } => "unknown",
    }
}

/// The report as `tollgate/apply/v1`.
pub(crate) fn document(report: &Report) -> Value {
    let failed = match &report.end {
        End::Failed {
            migration,
            error,
            left,
        } => json!({
            "migration": migration,
            "message": error.message,
            "at": error.at.as_ref().map(|at| at.start),
            "code": error.code,
            "detail": error.detail,
            "hint": error.hint,
            "left": left,
        }),
        End::CutOff {
            migration,
            error,
            progress,
        } => json!({ "migration": migration, "message": error.fact, "left": progress }),
        End::Unknown {
            migration,
            error,
            again,
        } => json!({ "migration": migration, "message": error.fact, "again": again }),
        _ => Value::Null,
    };
    json!({
        "schema": "tollgate/apply/v1",
        "environment": report.plan.environment,
        "end": word(&report.end),
        "applied": report.applied,
        "failed": failed,
        "rehearsals": report.rehearsals.iter().map(rehearse::one).collect::<Vec<_>>(),
        "plan": report::plan::json(&report.plan),
    })
}
