//! `tollgate plan ENV`

use std::collections::BTreeSet;

use crate::cli::args::{Global, Plan};
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, up_to};
use crate::cli::{Exit, Result};
use crate::ledger;
use crate::planner::{self, Inputs, Verdict};
use crate::report;

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Plan) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let environment = project.environment(&verb.environment)?;
    let catalog = project.catalog_and_rest(output)?;
    let files = facts(&catalog);
    let to = up_to(verb.to.as_ref(), &files)?;
    let loaded = ledger::read_state(&project.config.ledger, &project.config.policy)?;
    project.note_missing_ledger(output);
    output.note_strays(&loaded.strays);
    let plan = planner::plan(&Inputs {
        environment: &environment,
        engine: project.engine(&environment),
        policy: &project.config.policy,
        files: &files,
        folder: &project.folder(),
        prisma: catalog.prisma.as_ref(),
        view: &loaded.view,
        kept: &loaded.kept,
        to: to.as_ref(),
        live: None,
        now: (output.world.now)(),
        in_use: &BTreeSet::new(),
    });
    if output.is_json() {
        output.document(&report::plan::json(&plan));
    } else {
        let text = report::plan::text(&plan, to.as_ref(), output.paint());
        output.result(&text);
    }
    Ok(if plan.verdict() == Verdict::Refused {
        Exit::Refused
    } else {
        Exit::Done
    })
}
