//! A backup that was made elsewhere, on a person's word: an entry, and nothing else.

use super::identity;
use crate::model::entry::{BackedUp, BackupKind, ReceiptRef};
use crate::model::{EnvironmentName, Fact, Timestamp};
use crate::planner::{Finding, Gate};
use crate::workflows::contact::contact;
use crate::workflows::{Run, WorkflowError};

/// How it ended.
#[derive(Debug)]
pub enum Attested {
    /// The target is not the one that the ledger knows.
    Refused(Finding),
    /// It is in the ledger.
    Done(Box<BackedUp>),
}

/// Records a backup that a person gives a word for. The target is contacted first: what had stood there at
/// that moment is found out from its receipts.
///
/// # Errors
/// [`WorkflowError`].
pub fn attest(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    place: &str,
    taken: Timestamp,
) -> Result<Attested, WorkflowError> {
    let now = (run.now)();
    if taken > now {
        return Err(WorkflowError::Usage {
            what: format!(
                "{} is in the future: it is {} now",
                taken.minute(),
                now.minute()
            ),
            remedy: format!(
                "tollgate backup {environment} --attest '<where>' --taken-at '<when>'   # in UTC"
            ),
        });
    }
    let contact = contact(run, environment)?;
    if let Some(finding) = contact.live.identity {
        run.refuse("backup", environment, Gate::Identity, None)?;
        return Ok(Attested::Refused(finding));
    }
    let Some(target) = identity(run, environment).filter(|_| !contact.is_new) else {
        return Err(WorkflowError::Usage {
            what: format!(
                "tollgate was never in the target of {environment}, so it is not known of what that would be a backup"
            ),
            remedy: format!("tollgate backup {environment}"),
        });
    };
    let entry = BackedUp {
        environment: environment.clone(),
        target: target.incarnation,
        receipt: stood(run, environment, taken),
        taken,
        what: BackupKind::Attested {
            place: place.to_owned(),
        },
    };
    run.record(Fact::BackedUp(entry.clone()))?;
    Ok(Attested::Done(Box::new(entry)))
}

/// The newest receipt that stood there at a moment. Receipts are in their order, and the clocks of those
/// who left them need not be: none after the first one that is later counts.
fn stood(run: &Run<'_>, environment: &EnvironmentName, taken: Timestamp) -> Option<ReceiptRef> {
    let here = run.ledger.view().get(environment)?;
    let later = here.applied.values().filter(|ran| ran.at > taken);
    let first_later = later.map(|ran| ran.receipt.seq).min().unwrap_or(u64::MAX);
    let (seq, hash) = here.receipts.range(..first_later).next_back()?;
    Some(ReceiptRef {
        seq: *seq,
        hash: *hash,
    })
}
