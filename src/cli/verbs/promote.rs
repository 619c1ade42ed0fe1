//! `tollgate promote ENV`

use serde_json::json;

use super::apply::{document, end};
use crate::cli::act::act;
use crate::cli::args::{Global, Promote};
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, up_to};
use crate::cli::{Exit, Result};
use crate::model::{EnvironmentName, Kind};
use crate::planner::gates::shell;
use crate::report::{self, matrix};
use crate::workflows::apply::End;
use crate::workflows::promote::{left, promote};

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
    let (reports, matrix, left) = act(
        output,
        global,
        &project,
        &files,
        catalog.prisma.as_ref(),
        |run| {
            let reports = promote(run, &last, to.as_ref())?;
            let ended = reports.last().map(|report| &report.plan.environment);
            let left = ended.map_or(0, |name| left(run, name, to.as_ref()));
            let matrix = matrix::build(run.policy, run.files, run.ledger.view(), (run.now)());
            Ok((reports, matrix, left))
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
    Ok(match reports.last() {
        None => Exit::Done,
        // Where it stopped there may be nothing left; what was asked for goes on.
        Some(report) if matches!(report.end, End::Interrupted) => {
            let here = &report.plan.environment;
            let further = project.config.policy.chain().take(upto);
            let further: Vec<&str> = further
                .skip_while(|name| *name != here)
                .skip(1)
                .map(EnvironmentName::as_str)
                .collect();
            let word = output.paint_notes().warn("interrupted:");
            let up_to = to.as_ref();
            let up_to = up_to.map_or_else(String::new, |to| format!(" up to {to}"));
            let to = verb.to.as_ref();
            let to = to.map_or_else(String::new, |to| format!(" --to {}", shell(to)));
            output.note(&format!(
                "{word} {}\n\n  remedy   tollgate promote {last}{to}\n",
                stands(here, left, &up_to, &further)
            ));
            Exit::Interrupted
        }
        Some(report) => end(output, &project, &files, report),
    })
}

/// Where a chain stopped between two migrations.
fn stands(here: &EnvironmentName, left: usize, up_to: &str, further: &[&str]) -> String {
    let here = match left {
        0 => format!("{here} has everything{up_to}"),
        left => format!(
            "{here}: {} left{up_to}; what was begun has ended",
            report::count(left, "migration")
        ),
    };
    match further {
        [] => here,
        [one] => format!("{here}, and {one} was not begun"),
        [all @ .., last] => format!("{here}, and {} and {last} were not begun", all.join(", ")),
    }
}
