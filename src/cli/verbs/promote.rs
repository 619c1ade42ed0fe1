//! `tollgate promote ENV`

use serde_json::json;

use super::apply::{document, end};
use crate::cli::act::act;
use crate::cli::args::{Global, Promote};
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, up_to};
use crate::cli::{Exit, Result};
use crate::model::Kind;
use crate::report::matrix;
use crate::workflows::apply::End;
use crate::workflows::promote::promote;

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Promote) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let last = project.environment(&verb.environment)?;
    if project.config.policy.is_outside(&last) {
        return Err(Trouble::usage(
            format!(
                "{last} stands outside the chain (chain = false), so nothing is promoted to it"
            ),
            format!("tollgate apply {last}"),
        ));
    }
    let catalog = project.catalog_and_rest(output)?;
    let files = facts(&catalog);
    let to = up_to(verb.to.as_ref(), &files)?;
    // A url that is missing, or can only be refused, is better known before the first environment is
    // changed.
    let upto = project
        .config
        .policy
        .position(&last)
        .map_or(0, |place| place + 1);
    for name in project.config.policy.chain().take(upto) {
        // Of everybody's own there need be none here.
        if *name == last || project.config.policy.kind(name) == Kind::Ordinary {
            project.check(name)?;
        }
    }
    let (reports, matrix) = act(
        output,
        global,
        &project,
        &files,
        catalog.prisma.as_ref(),
        |run| {
            let reports = promote(run, &last, to.as_ref())?;
            Ok((
                reports,
                matrix::build(run.policy, run.files, run.ledger.view(), (run.now)()),
            ))
        },
    )?;
    if output.is_json() {
        output.document(&json!({
            "schema": "tollgate/promote/v1",
            "environments": reports.iter().map(document).collect::<Vec<_>>(),
            "status": matrix::json(&matrix),
        }));
    } else {
        let text = matrix::text(&matrix, output.paint());
        output.result(&format!("\n{text}"));
        if reports
            .iter()
            .all(|report| matches!(report.end, End::UpToDate))
        {
            output.result("\nnothing to do\n");
        }
    }
    Ok(reports
        .last()
        .map_or(Exit::Done, |report| end(output, &project, &files, report)))
}
