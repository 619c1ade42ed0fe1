//! `tollgate resolve ENV MIGRATION (--not-applied | --applied | --continue-at K) --reason WHY`

use serde_json::json;

use crate::cli::act::act;
use crate::cli::args::{Global, Resolve};
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, migration};
use crate::cli::reason::must_have_a_reason;
use crate::cli::{Exit, Result};
use crate::ledger;
use crate::model::MigrationId;
use crate::model::entry::Verdict;
use crate::planner::gates::shell;
use crate::workflows::resolve::{Said, resolve};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Resolve) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let environment = project.environment(&verb.environment)?;
    let how = match (verb.said.continue_at, verb.said.applied) {
        (Some(number), _) => format!("--continue-at {number}"),
        (None, true) => "--applied".to_owned(),
        (None, false) => "--not-applied".to_owned(),
    };
    must_have_a_reason(
        &verb.reason,
        &format!(
            "tollgate resolve {environment} {} {how} --reason '<what you found>'",
            shell(&verb.migration)
        ),
    )?;
    let catalog = project.catalog()?;
    let files = facts(&catalog);
    let loaded = ledger::read_state(&project.config.ledger, &project.config.policy)?;
    let attempted: Vec<MigrationId> = loaded.view.get(&environment).map_or_else(Vec::new, |here| {
        let open = here.open.values().map(|open| open.intent.migration.clone());
        let partial = here
            .partial
            .values()
            .map(|failed| failed.attempted.intent.migration.clone());
        let standing = here.standing.keys().cloned();
        open.chain(partial).chain(standing).collect()
    });
    let known = attempted
        .iter()
        .chain(files.iter().map(|file| file.migration));
    // What did not finish under Prisma may have no folder, and only the target knows its name.
    let (migration, unknown) = match migration(&verb.migration, known) {
        Ok(known) => (known, None),
        Err(trouble) => (MigrationId::new(verb.migration.as_str()), Some(trouble)),
    };
    let said = match (verb.said.continue_at, verb.said.applied) {
        (Some(step), _) => Said::ContinueAt(step),
        (None, true) => Said::Applied,
        (None, false) => Said::NotApplied,
    };
    let ended = act(
        output,
        global,
        &project,
        &files,
        catalog.prisma.as_ref(),
        |run| resolve(run, &environment, &migration, said, &verb.reason),
    );
    let attempts = match (ended, unknown) {
        (Err(error), Some(unknown)) if error.exit == Exit::Usage => return Err(unknown),
        (ended, _) => ended?,
    };
    if output.is_json() {
        let verdict = match said {
            Said::NotApplied => Verdict::NotApplied,
            Said::Applied => Verdict::Applied,
            Said::ContinueAt(_) => Verdict::ContinueAt,
        };
        output.document(&json!({
            "schema": "tollgate/resolve/v1",
            "environment": environment,
            "migration": migration,
            "verdict": verdict.as_str(),
            "continue_at": verb.said.continue_at,
            "attempts": attempts,
        }));
    } else {
        let what = match said {
            Said::NotApplied => "counts as not applied, and may run again".to_owned(),
            Said::Applied => {
                "counts as applied on your word; that is no evidence for the next environment"
                    .to_owned()
            }
            Said::ContinueAt(step) => format!("goes on at statement {step} with the next apply"),
        };
        output.result(&format!("{environment}: {migration} {what}\n"));
    }
    Ok(Exit::Done)
}
