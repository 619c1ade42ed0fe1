//! `tollgate baseline ENV [--to MIGRATION] [--accept-unproven] [--reason WHY]`

use crate::cli::act::act;
use crate::cli::args::{Baseline as Verb, Global};
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, up_to};
use crate::cli::reason::must_have_a_reason;
use crate::cli::{Exit, Result};
use crate::planner::Finding;
use crate::planner::gates::shell;
use crate::report::baseline as report;
use crate::workflows::baseline::{Baseline, Request, Taken, baseline};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Verb) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let environment = project.environment(&verb.environment)?;
    let reason = verb.reason.as_deref().map(str::trim);
    if let Some(reason) = reason {
        let to = verb
            .to
            .as_ref()
            .map_or_else(String::new, |to| format!(" --to {}", shell(to)));
        let unproven = if verb.accept_unproven {
            " --accept-unproven"
        } else {
            ""
        };
        must_have_a_reason(
            reason,
            &format!("tollgate baseline {environment}{to}{unproven} --reason '<why>'"),
        )?;
    }
    let catalog = project.catalog_and_rest(output)?;
    let files = facts(&catalog);
    let to = up_to(verb.to.as_ref(), &files)?;
    let request = Request {
        environment: &environment,
        to: to.as_ref(),
        accept_unproven: verb.accept_unproven,
        reason,
    };
    let ended = act(
        output,
        global,
        &project,
        &files,
        catalog.prisma.as_ref(),
        |run| baseline(run, &request),
    )?;
    let nothing = Taken::default();
    let none: &[Finding] = &[];
    let (word, taken, refusals, exit) = match &ended {
        Baseline::Nothing => ("nothing", &nothing, none, Exit::Done),
        Baseline::Done(taken) => ("done", taken, none, Exit::Done),
        Baseline::Refused(findings) => ("refused", &nothing, findings.as_slice(), Exit::Refused),
    };
    let shown = report::Taken {
        environment: &environment,
        proven: &taken.proven,
        said: &taken.said,
        rolled_back: &taken.rolled_back,
        left: &taken.left,
    };
    if output.is_json() {
        output.document(&report::json(word, &shown, refusals));
        return Ok(exit);
    }
    let paint = output.paint();
    let text = match &ended {
        Baseline::Nothing => {
            format!("{environment}: nothing to take in that the ledger does not hold\n")
        }
        Baseline::Done(_) => report::text(&shown, paint),
        Baseline::Refused(findings) => report::refused(&environment, findings, paint),
    };
    output.result(&text);
    Ok(exit)
}
