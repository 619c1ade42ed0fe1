//! `tollgate redo MIGRATION`

use serde_json::{Value, json};

use super::apply;
use super::restamp::gone;
use super::revert::and;
use crate::cli::act::act;
use crate::cli::args::{Global, Redo};
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, migration};
use crate::cli::{Exit, Result};
use crate::ledger;
use crate::model::{EnvironmentName, MigrationId};
use crate::planner::FileFacts;
use crate::planner::gates::shell;
use crate::report::{self, script_error};
use crate::workflows::redo::{End, NotUndone, redo};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Redo) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let catalog = project.catalog_and_rest(output)?;
    let files = facts(&catalog);
    let id = match migration(&verb.migration, files.iter().map(|file| file.migration)) {
        Ok(id) => id,
        Err(trouble) => {
            let loaded = ledger::read_state(&project.config.ledger, &project.config.policy)?;
            return Err(gone(&loaded.view, &verb.migration, trouble));
        }
    };
    let Some(environment) = project.config.policy.chain().next().cloned() else {
        return Err(Trouble::usage(
            "there is no environment in the chain",
            "edit tollgate.toml: add an environment",
        ));
    };
    warn_of_others(output, &project, &files, &environment, &id)?;
    let end = act(
        output,
        global,
        &project,
        &files,
        catalog.prisma.as_ref(),
        |run| redo(run, &environment, &id),
    )?;
    if output.is_json() {
        output.document(&document(&environment, &id, &end));
    }
    Ok(match &end {
        End::Blocked(plan) => {
            if !output.is_json() {
                let text = report::plan::text(plan, report::plan::Ending::To(None), output.paint());
                output.result(&text);
                output.note(&format!(
                    "nothing was undone: {id} stands in {environment} as it ran\n"
                ));
            }
            Exit::Refused
        }
        End::NotUndone(failed) => {
            not_undone(output, &project, &environment, &id, failed);
            Exit::Failed
        }
        End::Undone(report) => {
            let exit = apply::end(output, &project, &files, report);
            if exit == Exit::Done && !output.is_json() {
                output.result(&format!(
                    "{environment}: {id} was undone and applied again\n"
                ));
            }
            exit
        }
    })
}

/// Where it stands in other environments too, they have the bytes that ran there: an edit never comes to them.
fn warn_of_others(
    output: &mut Output<'_>,
    project: &Project,
    files: &[FileFacts<'_>],
    first: &EnvironmentName,
    id: &MigrationId,
) -> Result<()> {
    let loaded = ledger::read_state(&project.config.ledger, &project.config.policy)?;
    let file = files.iter().find(|file| file.migration == id);
    let (mut others, mut is_edited) = (Vec::new(), false);
    for name in project.config.policy.chain().filter(|name| *name != first) {
        let here = loaded.view.get(name);
        let Some(ran) = here.and_then(|here| here.applied.get(id)) else {
            continue;
        };
        others.push(name.as_str());
        is_edited |= file.is_some_and(|file| ran.has_other_bytes(file.checksum, file.sha256));
    }
    if others.is_empty() {
        return Ok(());
    }
    let paint = output.paint_notes();
    let (has, refuses) = match others.len() {
        1 => ("has", "refuses"),
        _ => ("have", "refuse"),
    };
    let places = and(others.into_iter());
    let text = match is_edited {
        true => format!(
            "{} {places} {has} {id} with the bytes that ran there, and {refuses} this edit of it as modified\n  remedy    tollgate log restore {}   # and write the edit into a migration of its own: tollgate new '<name>'\n",
            paint.warn("warning:"),
            shell(id.as_str())
        ),
        false => format!(
            "{} {places} {has} {id} too: an edit of it would be refused there as modified\n",
            paint.warn("note:")
        ),
    };
    output.note(&text);
    Ok(())
}

fn not_undone(
    output: &mut Output<'_>,
    project: &Project,
    environment: &EnvironmentName,
    id: &MigrationId,
    failed: &NotUndone,
) {
    let path = match failed.from_ledger {
        true => format!("the ledger's down.sql of {id}"),
        false => project.path_of(id, "down.sql"),
    };
    let what = format!("{id} was not undone in {environment}");
    let paint = output.paint_notes();
    let mut text = script_error::said(&what, &path, &failed.script, &failed.error, paint);
    text.push_str(&format!(
        "\nIt was rolled back: {id} stands in {environment} as it ran.\n\n  remedy   tollgate reset {environment}   # and then tollgate apply {environment} --to {}\n",
        shell(id.as_str())
    ));
    output.note(&text);
}

/// The end as `tollgate/redo/v1`.
fn document(environment: &EnvironmentName, id: &MigrationId, end: &End) -> Value {
    let (word, apply, failed) = match end {
        End::Blocked(plan) => ("refused", report::plan::json(plan), Value::Null),
        End::NotUndone(failed) => (
            "not-undone",
            Value::Null,
            json!({
                "message": failed.error.message,
                "code": failed.error.code,
                "from_ledger": failed.from_ledger,
            }),
        ),
        End::Undone(report) => ("undone", apply::document(report), Value::Null),
    };
    json!({
        "schema": "tollgate/redo/v1",
        "environment": environment,
        "migration": id,
        "end": word,
        "plan": if word == "refused" { apply.clone() } else { Value::Null },
        "apply": if word == "undone" { apply } else { Value::Null },
        "failed": failed,
    })
}
