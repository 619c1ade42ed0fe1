//! `tollgate why-not MIGRATION ENV`

use std::collections::BTreeSet;

use crate::cli::args::{Global, WhyNot};
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, migration};
use crate::cli::{Exit, Result};
use crate::ledger;
use crate::planner::{self, Inputs};
use crate::report::why::{self, Question};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &WhyNot) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let environment = project.environment(&verb.environment)?;
    let catalog = project.catalog_and_rest(output)?;
    let files = facts(&catalog);
    let loaded = ledger::read_state(&project.config.ledger, &project.config.policy)?;
    project.note_missing_ledger(output);
    project.note_work(output);
    output.note_strays(&loaded.strays);
    let here = loaded.view.get(&environment);
    let applied = here.into_iter().flat_map(|here| here.applied.keys());
    let known = applied.chain(files.iter().map(|file| file.migration));
    let migration = migration(&verb.migration, known)?;
    let (plan, answers) = planner::plan_and_why(&Inputs {
        environment: &environment,
        engine: project.engine(&environment),
        policy: &project.config.policy,
        files: &files,
        prisma: catalog.prisma.as_ref(),
        view: &loaded.view,
        kept: &loaded.kept,
        to: Some(&migration),
        live: None,
        now: (output.world.now)(),
        in_use: &BTreeSet::new(),
        approving: planner::Approving::Unsaved,
        folder: &project.folder(),
    });
    let question = Question {
        migration: &migration,
        plan: &plan,
        answers: &answers,
        stands: here.and_then(|here| here.applied.get(&migration)),
    };
    if output.is_json() {
        output.document(&why::json(&question));
    } else {
        let text = why::text(&question, output.paint());
        output.result(&text);
    }
    Ok(match question.could_go() {
        true => Exit::Done,
        false => Exit::Refused,
    })
}
