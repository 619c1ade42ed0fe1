//! `tollgate push`, `tollgate pull`

use serde_json::json;

use super::sync::source;
use crate::cli::act::act_alone;
use crate::cli::args::Global;
use crate::cli::hub::Place;
use crate::cli::output::Output;
use crate::cli::project::Project;
use crate::cli::{Exit, Result};
use crate::report::strays;
use crate::workflows::hub::{pull, push};

/// Adds what the ledger has and the hub lacks.
pub(crate) fn push_to(output: &mut Output<'_>, global: &Global) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let place = Place::needed(&project)?;
    let mut hub = place.open()?;
    let added = act_alone(output, global, &project, |run| {
        push(run.ledger, &mut hub, &place.name)
    })?;
    if output.is_json() {
        output.document(&json!({
            "schema": "tollgate/push/v1", "hub": place.name, "added": added,
        }));
    } else {
        output.result(&match added {
            0 => format!("{}: nothing new\n", place.name),
            1 => format!("{}: 1 entry added\n", place.name),
            added => format!("{}: {added} entries added\n", place.name),
        });
    }
    Ok(Exit::Done)
}

/// Takes in what the hub has and the ledger lacks.
pub(crate) fn pull_from(output: &mut Output<'_>, global: &Global) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let place = Place::needed(&project)?;
    let mut hub = place.open()?;
    let merged = act_alone(output, global, &project, |run| {
        pull(run.ledger, &mut hub, &place.name, run.random)
    })?;
    if output.is_json() {
        output.document(&json!({
            "schema": "tollgate/pull/v1",
            "hub": place.name,
            "new": merged.new.values().sum::<usize>(),
            "known": merged.known,
            "went_back": merged.went_back,
            "strays": strays::json(&merged.strays),
        }));
    } else {
        output.result(&source(&place.name, &merged));
    }
    Ok(match merged.strays.unsettled().next() {
        Some(_) => Exit::Contradiction,
        None => Exit::Done,
    })
}
