//! `tollgate status`

use crate::cli::args::Global;
use crate::cli::output::Output;
use crate::cli::project::{Project, facts};
use crate::cli::{Exit, Result};
use crate::ledger;
use crate::report::matrix;

pub(crate) fn run(output: &mut Output<'_>, global: &Global) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let catalog = project.catalog_and_rest(output)?;
    let loaded = ledger::read_state(&project.config.ledger, &project.config.policy)?;
    project.note_missing_ledger(output);
    output.note_strays(&loaded.strays);
    let matrix = matrix::build(&project.config.policy, &facts(&catalog), &loaded.view);
    if output.is_json() {
        output.document(&matrix::json(&matrix));
    } else {
        let text = matrix::text(&matrix, output.paint());
        output.result(&text);
    }
    Ok(Exit::Done)
}
