//! promote: carry pending migrations along the chain, one environment after another.

use super::apply::{End, Report, Request, apply};
use super::{Event, Run, WorkflowError};
use crate::model::{EnvironmentName, Kind, MigrationId};

/// Applies environment by environment up to and including `last`, and stops at the first that does
/// not end well. The reports are in the order of the chain; the last one says how it ended.
///
/// # Errors
/// [`WorkflowError`]; what was done before stands, and is in the ledger.
pub fn promote(
    run: &mut Run<'_>,
    last: &EnvironmentName,
    to: Option<&MigrationId>,
) -> Result<Vec<Report>, WorkflowError> {
    let upto = run.policy.position(last).map_or(0, |position| position + 1);
    let names: Vec<EnvironmentName> = run.policy.chain().take(upto).cloned().collect();
    let mut reports = Vec::new();
    for environment in &names {
        if environment != last && is_passed(run, environment, last, to) {
            (run.events)(Event::PassedBy { environment });
            continue;
        }
        let request = Request {
            verb: "promote",
            environment,
            to,
            dry_run: false,
        };
        let report = apply(run, &request)?;
        let stops = (run.interrupted)() && environment != last;
        let goes_on = matches!(report.end, End::Done | End::UpToDate);
        reports.push(report);
        if goes_on
            && stops
            && let Some(report) = reports.last_mut()
        {
            report.end = End::Interrupted;
        }
        if !goes_on || stops {
            break;
        }
    }
    Ok(reports)
}

/// Whether everything that the last environment lacks was proven in one of which there are many databases,
/// and this ledger has none of its own there: a release manager needs no laptop's database.
fn is_passed(
    run: &Run<'_>,
    environment: &EnvironmentName,
    last: &EnvironmentName,
    to: Option<&MigrationId>,
) -> bool {
    let view = run.ledger.view();
    let here = view.get(environment);
    let is_own = here.is_some_and(|here| here.target.is_some());
    match run.policy.kind(environment) {
        Kind::Ordinary => return false,
        Kind::Personal if is_own => return false,
        Kind::Personal | Kind::Ephemeral => {}
    }
    let there = view.get(last);
    let lacks = |id: &MigrationId| there.is_none_or(|there| !there.applied.contains_key(id));
    let files = run.files.iter();
    let mut pending = files
        .filter(|file| to.is_none_or(|to| file.migration <= to))
        .filter(|file| lacks(file.migration));
    pending.all(|file| {
        here.is_some_and(|here| here.evidence_of(file.migration, file.checksum).is_some())
    })
}
