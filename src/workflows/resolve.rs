//! resolve: a person settles what no receipt could.

use super::contact::contact;
use super::{Run, WorkflowError};
use crate::model::entry::{Resolved, Verdict};
use crate::model::{AttemptId, EnvironmentName, Fact, MigrationId};

/// Records that nothing of an attempt stands in the target, so that the migration may run again.
/// The target is contacted first: what its receipts settle needs no person.
///
/// # Errors
/// [`WorkflowError::Usage`] when nothing of the migration is unsettled there.
pub fn not_applied(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
    reason: &str,
) -> Result<usize, WorkflowError> {
    let contact = contact(run, environment)?;
    if let Some(finding) = contact.live.identity {
        return Err(WorkflowError::Refused {
            what: format!("{environment}: {}", finding.fact),
            remedy: finding.remedy,
        });
    }
    let attempts: Vec<AttemptId> =
        run.ledger
            .view()
            .get(environment)
            .map_or_else(Vec::new, |here| {
                let open = here
                    .open
                    .iter()
                    .filter(|(_, open)| open.intent.migration == *migration);
                let partial = here
                    .partial
                    .iter()
                    .filter(|(_, failed)| failed.attempted.intent.migration == *migration);
                open.map(|(attempt, _)| *attempt)
                    .chain(partial.map(|(attempt, _)| *attempt))
                    .collect()
            });
    let elsewhere = contact
        .live
        .foreign
        .iter()
        .filter(|journal| journal.migration == *migration);
    let attempts: Vec<AttemptId> = attempts
        .into_iter()
        .chain(elsewhere.map(|journal| journal.attempt))
        .collect();
    if attempts.is_empty() {
        return Err(WorkflowError::Usage {
            what: format!("{environment} has no attempt of {migration} that needs a person"),
            remedy: format!("tollgate plan {environment}"),
        });
    }
    for attempt in &attempts {
        run.record(Fact::Resolved(Resolved {
            attempt: *attempt,
            environment: environment.clone(),
            migration: migration.clone(),
            verdict: Verdict::NotApplied,
            reason: reason.to_owned(),
        }))?;
    }
    Ok(attempts.len())
}
