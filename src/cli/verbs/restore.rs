//! `tollgate restore FILE --into NAME`

use serde_json::json;

use super::backup::{acting, check_json, check_text, path};
use crate::cli::args::{Global, Restore};
use crate::cli::files::not_read;
use crate::cli::output::Output;
use crate::cli::project::{Project, start};
use crate::cli::{Exit, Result};
use crate::model::entry::Engine;
use crate::planner::gates::shell;
use crate::targets::backup::Rights;
use crate::workflows::backup::{Restored, restore};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Restore) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let typed = verb.environment.as_ref();
    let environment = typed.map(|typed| project.environment(typed)).transpose()?;
    let file = path(output, global, &project, &verb.file);
    let base = start(output, global);
    if let Err(error) = file.symlink_metadata() {
        let shown = verb.file.display().to_string();
        let last = project.config.policy.chain().last();
        let place = environment.as_ref().or(last);
        let mut trouble = not_read(&file, &shown, &error);
        trouble.consequence = Some("nothing was restored".to_owned());
        if let Some(place) = place.filter(|_| error.kind() == std::io::ErrorKind::NotFound) {
            trouble.remedy = Some(format!(
                "tollgate backup {place} --list   # names those there are"
            ));
        }
        return Err(trouble);
    }
    let rights = match verb.no_owner {
        true => Rights::Left,
        false => Rights::Kept,
    };
    let command = command(verb);
    let ended = acting(output, global, &project, |run| {
        let environment = environment.as_ref();
        restore(run, &file, environment, &verb.into, &base, rights, &command)
    })?;
    output.clear_line();
    if output.is_json() {
        let (end, found, into) = match &ended {
            Restored::Faulty(found) => ("not-good", found, None),
            Restored::Done { found, into, .. } => ("done", found, Some(into)),
        };
        output.document(&json!({
            "schema": "tollgate/restore-database/v1",
            "end": end,
            "found": check_json(&project.shown(&found.path), found),
            "environment": match &ended {
                Restored::Done { manifest, .. } => Some(&manifest.environment),
                Restored::Faulty(_) => None,
            },
            "into": into,
        }));
    } else {
        let paint = output.paint();
        let text = match &ended {
            Restored::Faulty(found) => {
                let text = check_text(&project.shown(&found.path), found, paint);
                format!("{text}  nothing was restored\n")
            }
            Restored::Done {
                found,
                manifest,
                into,
            } => {
                let environment = &manifest.environment;
                let url = match manifest.engine {
                    Engine::Sqlite => "that file",
                    Engine::Postgresql => "that database",
                };
                let mut text = format!(
                    "{} {} into {into}\n  the target of {environment} was not touched\n",
                    paint.good("restored:"),
                    manifest.file
                );
                for note in &found.notes {
                    text.push_str(&format!("  note      {note}\n"));
                }
                text.push_str(&format!(
                    "  to use it   edit tollgate.toml: give {environment} the url of {url}, then: tollgate bind {environment} --reason '<why>'\n"
                ));
                text
            }
        };
        output.result(&text);
    }
    Ok(match ended {
        Restored::Faulty(_) => Exit::Failed,
        Restored::Done { .. } => Exit::Done,
    })
}

/// What was typed, but for `--into`.
fn command(verb: &Restore) -> String {
    let mut command = format!(
        "tollgate restore {}",
        shell(&verb.file.display().to_string())
    );
    if let Some(environment) = &verb.environment {
        command.push_str(&format!(" --env {}", shell(environment)));
    }
    if verb.no_owner {
        command.push_str(" --no-owner");
    }
    command
}
