//! `tollgate resolve ENV MIGRATION --not-applied --reason WHY`

use serde_json::json;

use crate::cli::args::{Global, Resolve};
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::{Project, act, facts, migration};
use crate::cli::{Exit, Result};
use crate::ledger;
use crate::model::MigrationId;
use crate::workflows::resolve::not_applied;

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Resolve) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let environment = project.environment(&verb.environment)?;
    if verb.reason.trim().is_empty() {
        return Err(Trouble::usage(
            "a reason is needed, and this one is empty",
            "--reason '<what you undid>'",
        ));
    }
    let catalog = project.catalog()?;
    let files = facts(&catalog);
    let loaded = ledger::read_state(&project.config.ledger)?;
    let attempted: Vec<MigrationId> = loaded.view.get(&environment).map_or_else(Vec::new, |here| {
        let open = here.open.values().map(|open| open.intent.migration.clone());
        let partial = here
            .partial
            .values()
            .map(|failed| failed.attempted.intent.migration.clone());
        open.chain(partial).collect()
    });
    let known = attempted
        .iter()
        .chain(files.iter().map(|file| file.migration));
    let migration = migration(&verb.migration, known)?;
    let attempts = act(output, global, &project, &files, |run| {
        not_applied(run, &environment, &migration, &verb.reason)
    })?;
    if output.is_json() {
        output.document(&json!({
            "schema": "tollgate/resolve/v1",
            "environment": environment,
            "migration": migration,
            "verdict": "not-applied",
            "attempts": attempts,
        }));
    } else {
        output.result(&format!(
            "{environment}: {migration} counts as not applied, and may run again\n"
        ));
    }
    Ok(Exit::Done)
}
