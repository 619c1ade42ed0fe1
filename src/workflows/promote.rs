//! promote: carry pending migrations along the chain, one environment after another.

use super::apply::{End, Report, Request, apply};
use super::{Run, WorkflowError};
use crate::model::{EnvironmentName, MigrationId};

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
