//! `tollgate status [ENV]`

use std::collections::BTreeSet;

use crate::cli::args::{Global, Status};
use crate::cli::output::Output;
use crate::cli::project::{Project, facts};
use crate::cli::{Exit, Result};
use crate::ledger;
use crate::planner::{self, Glance, Inputs};
use crate::report::{environment, matrix, waiting};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Status) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let one = verb.environment.as_ref();
    let one = one.map(|typed| project.environment(typed)).transpose()?;
    let catalog = project.catalog_and_rest(output)?;
    let loaded = ledger::read_state(&project.config.ledger, &project.config.policy)?;
    project.note_missing_ledger(output);
    project.note_work(output);
    output.note_strays(&loaded.strays);
    let now = (output.world.now)();
    if let Some(name) = one {
        let files = facts(&catalog);
        let (plan, answers) = planner::plan_and_why(&Inputs {
            environment: &name,
            engine: project.engine(&name),
            policy: &project.config.policy,
            files: &files,
            prisma: catalog.prisma.as_ref(),
            view: &loaded.view,
            kept: &loaded.kept,
            to: None,
            live: None,
            now,
            in_use: &BTreeSet::new(),
            approving: planner::Approving::Unsaved,
            folder: &project.folder(),
        });
        let source = environment::Source {
            policy: &project.config.policy,
            here: loaded.view.get(&name),
            plan: &plan,
            answers: &answers,
            debts: &loaded.view.debts(&name),
            now,
        };
        if output.is_json() {
            output.document(&environment::json(&source));
        } else {
            let text = environment::text(&source, output.paint());
            output.result(&text);
        }
        return Ok(Exit::Done);
    }
    let files = facts(&catalog);
    let matrix = matrix::build(&project.config.policy, &files, &loaded.view, now);
    let folder = project.folder();
    // Outside the chain nothing waits: what is there is there for a look.
    let policy = &project.config.policy;
    let glances: Vec<Glance> = policy
        .chain()
        .map(|name| {
            planner::glance(&Inputs {
                environment: name,
                engine: project.engine(name),
                policy,
                files: &files,
                prisma: catalog.prisma.as_ref(),
                view: &loaded.view,
                kept: &loaded.kept,
                to: None,
                live: None,
                now,
                approving: planner::Approving::Unsaved,
                in_use: &BTreeSet::new(),
                folder: &folder,
            })
        })
        .collect();
    if output.is_json() {
        let mut document = matrix::json(&matrix);
        document["waiting"] = waiting::json(&glances);
        output.document(&document);
    } else {
        let mut text = matrix::text(&matrix, output.paint());
        if !matrix.rows.is_empty() {
            text.push_str(&waiting::text(&glances, now, output.paint()));
        }
        output.result(&text);
    }
    Ok(Exit::Done)
}
