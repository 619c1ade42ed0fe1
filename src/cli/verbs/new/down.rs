//! `tollgate new --down MIGRATION`: the prepared reversal, before there is any need of it.

use serde_json::json;

use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::{Project, migration};
use crate::cli::{Exit, Result};
use crate::model::MigrationId;
use crate::planner::gates::shell;
use crate::reverse::{Past, Reversal, is_to_be_written, reverse};
use crate::sql;

#[expect(clippy::disallowed_methods, reason = "this verb makes files")]
pub(super) fn run(output: &mut Output<'_>, project: &Project, typed: &str) -> Result<Exit> {
    let catalog = project.catalog()?;
    let id = migration(typed, catalog.migrations.iter().map(|file| &file.id))?;
    let Some(file) = catalog.get(&id) else {
        return Ok(Exit::Done);
    };
    let shown = project.path_of(&id, "down.sql");
    if let Some(down) = &file.down
        && !is_to_be_written(&down.script)
    {
        return Err(Trouble {
            consequence: Some("nothing was written: somebody wrote that one".to_owned()),
            ..Trouble::usage(
                format!("{id} has a down.sql already"),
                format!("mv {shown} {shown}.old && tollgate new --down {id}"),
            )
        });
    }
    let mut past = Past::new(project.engine_of_tree(catalog.prisma.as_ref()));
    for earlier in catalog.migrations.iter().filter(|earlier| earlier.id < id) {
        past.read(&earlier.script);
    }
    let reversal = reverse(&past, &file.script);
    let is_needed = !reversal.sql.is_empty();
    let path = project.config.migrations.join(id.as_str()).join("down.sql");
    let text = match is_needed {
        true => text_of(&id, &reversal),
        // A gate that asks for a reversal asks for one that says so, and runs.
        false => format!(
            "-- tollgate:down lossless\n-- Nothing that {id} does needs undoing.\nSELECT 1;\n"
        ),
    };
    std::fs::write(&path, text).map_err(|error| Trouble::file(&path, &error))?;
    let open: Vec<(usize, &str)> = reversal
        .open
        .iter()
        .map(|open| {
            let line = sql::position(&file.script, open.range.start).line;
            (line, open.why.as_str())
        })
        .collect();
    if output.is_json() {
        let open: Vec<_> = open
            .iter()
            .map(|(line, why)| json!({ "line": line, "why": why }))
            .collect();
        output.document(&json!({
            "schema": "tollgate/new/v1",
            "migration": id,
            "down": shown,
            "whole": reversal.is_whole(),
            "loses": reversal.loses,
            "open": open,
        }));
        return Ok(Exit::Done);
    }
    if !is_needed {
        output.result(&format!(
            "{shown}\n\n  reverses  nothing: nothing that {id} does needs undoing, and it says so\n"
        ));
        return Ok(Exit::Done);
    }
    let mut text = format!("{shown}\n\n");
    if open.is_empty() {
        text.push_str("  reverses  all of it\n");
    } else {
        let statements = match open.len() {
            1 => "1 statement is to be written by hand".to_owned(),
            more => format!("{more} statements are to be written by hand"),
        };
        text.push_str(&format!(
            "  open      {statements}; until then it refuses to run\n"
        ));
        for (line, why) in &open {
            text.push_str(&format!("            line {line}: {why}\n"));
        }
    }
    if !reversal.loses.is_empty() {
        text.push_str(&format!(
            "  loses     {}, and what came there since\n",
            reversal.loses.join(", ")
        ));
    }
    let first = project.config.policy.chain().next();
    let first = first.map_or("dev", |name| name.as_str());
    let verb = match open.is_empty() {
        true => "read it",
        false => "write what is open",
    };
    text.push_str(&format!(
        "  next      {verb}, then: tollgate rehearse {first} {}\n",
        shell(id.as_str())
    ));
    output.result(&text);
    Ok(Exit::Done)
}

/// The whole file.
fn text_of(id: &MigrationId, reversal: &Reversal) -> String {
    let mut text =
        format!("-- The prepared reversal of {id}, written from the text of its migration.sql.\n");
    if let Some(label) = reversal.label() {
        text.push_str(&label);
        text.push('\n');
    }
    if !reversal.is_whole() {
        text.push_str(
            "-- It is not whole: what is left to be written by hand says so below, and refuses to run until then.\n",
        );
    }
    format!("{text}\n{}", reversal.sql)
}
