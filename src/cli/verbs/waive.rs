//! `tollgate waive ENV GATE MIGRATION --reason WHY`

use serde_json::json;

use crate::cli::act::act;
use crate::cli::args::{Global, Waive};
use crate::cli::config::nearest;
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, migration};
use crate::cli::reason::must_have_a_reason;
use crate::cli::{Exit, Result};
use crate::ledger;
use crate::planner::Gate;
use crate::planner::gates::shell;
use crate::report;
use crate::workflows::waive::{Request, waive};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Waive) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let environment = project.environment(&verb.environment)?;
    let gate = gate(&verb.gate)?;
    must_have_a_reason(
        &verb.reason,
        &format!(
            "tollgate waive {environment} {gate} {} --reason '<why>'",
            shell(&verb.migration)
        ),
    )?;
    let catalog = project.catalog_and_rest(output)?;
    let files = facts(&catalog);
    let loaded = ledger::read_state(&project.config.ledger, &project.config.policy)?;
    let here = loaded.view.get(&environment);
    let applied = here.into_iter().flat_map(|here| here.applied.keys());
    let known = applied.chain(files.iter().map(|file| file.migration));
    let migration = migration(&verb.migration, known)?;
    let request = Request {
        environment: &environment,
        engine: project.engine(&environment),
        gate,
        migration: &migration,
        reason: &verb.reason,
    };
    let (plan, waiver) = act(
        output,
        global,
        &project,
        &files,
        catalog.prisma.as_ref(),
        |run| waive(run, &request),
    )?;
    let lasts = project.config.policy.waivers_last(&environment);
    if output.is_json() {
        output.document(&json!({
            "schema": "tollgate/waive/v1",
            "environment": environment,
            "waiver": report::waiver_json(&waiver),
            "lasts_seconds": lasts.map(|lasts| lasts.as_secs()),
            "plan": report::plan::json(&plan),
        }));
        return Ok(Exit::Done);
    }
    let lasts = match lasts {
        None => format!("for the next plan of {environment} that runs"),
        Some(lasts) => format!("for {}", report::length_of_time(lasts)),
    };
    let left = match plan.refusals.len() {
        0 => String::new(),
        left => format!(
            "{environment} still refuses: {}\n",
            report::count(left, "finding")
        ),
    };
    output.result(&format!(
        "waived: {environment} {gate} {migration}, of these bytes, {lasts}\n{left}\n  next      tollgate plan {environment}\n"
    ));
    Ok(Exit::Done)
}

fn gate(typed: &str) -> Result<Gate> {
    Gate::from_word(typed).ok_or_else(|| {
        let words = Gate::waivable().map(Gate::as_str);
        let remedy = match nearest(typed, words) {
            Some(near) => format!("did you mean {near}?"),
            None => format!(
                "name one of {}",
                Gate::waivable()
                    .map(Gate::as_str)
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        };
        Trouble::usage(format!("there is no gate {typed}"), remedy)
    })
}
