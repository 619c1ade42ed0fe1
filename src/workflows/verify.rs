//! verify: look at a target, compare it with what is known of it, and record that one did.

use super::contact::{Contact, contact};
use super::{Event, Run, WorkflowError, target_error};
use crate::digest::ChainHash;
use crate::model::entry::{ReceiptRef, Verified};
use crate::model::schema::{Schema, SchemaDifference, diff, without_parts};
use crate::model::{EnvironmentName, Fact, IncarnationId, MigrationId, Timestamp};
use crate::planner::Finding;
use crate::targets::Target;

/// What a look found.
#[derive(Debug)]
pub enum Look {
    /// The target is not the one that the ledger knows, or not as it knows it.
    Other(Finding),
    /// Neither side knows the other.
    New,
    /// It is the one, and its receipts and the ledger tell the same.
    Known(Box<Found>),
}

/// What stands in a target.
#[derive(Debug)]
pub struct Found {
    /// How many receipts.
    pub receipts: usize,
    /// How many of them the ledger lacked until now.
    pub taken: usize,
    /// How many objects the schema has.
    pub objects: usize,
    /// How its schema compares.
    pub schema: Comparison,
    /// When it was looked at.
    pub at: Timestamp,
}

/// How a schema compares with the one that the newest run had left.
#[derive(Debug)]
pub enum Comparison {
    /// There is nothing to compare with: no run kept it, a later one could not, or the server or
    /// tollgate reads another way since. What stands now is what later looks compare with, where it
    /// could be kept.
    Nothing {
        /// Whether it was kept.
        kept: bool,
    },
    /// What was kept is not what was hashed: somebody wrote to it.
    Altered,
    /// Each object that is not as it was; empty where there is no drift.
    With {
        /// The migration that the run had applied last.
        migration: Option<MigrationId>,
        /// What differs.
        differences: Vec<SchemaDifference>,
        /// Migrations of which a part stands: it explains some of what differs.
        halves: Vec<MigrationId>,
    },
}

/// Looks at a target. What it tells and the ledger lacks is taken in, as by every contact.
///
/// # Errors
/// [`WorkflowError`]; [`WorkflowError::Contradiction`] where a receipt and the ledger exclude each other.
pub fn verify(run: &mut Run<'_>, environment: &EnvironmentName) -> Result<Look, WorkflowError> {
    let known = |run: &Run<'_>| {
        let here = run.ledger.view().get(environment);
        here.map_or(0, |here| here.receipts.len())
    };
    let before = known(run);
    let Contact {
        mut target,
        live,
        is_new,
        ..
    } = contact(run, environment)?;
    if let Some(finding) = live.identity {
        return Ok(Look::Other(finding));
    }
    if is_new {
        return Ok(Look::New);
    }
    let told = |error| target_error(environment, error);
    let schema = target.schema().map_err(told)?;
    let kept = target.kept_schema().map_err(told)?;
    let head = head(run, environment);
    let digest = kept.as_ref().map(|kept| kept.digest);
    let change = last_change(run, environment);
    let comparison = match kept.filter(|kept| Some(kept.receipt) == change) {
        None => Comparison::Nothing {
            kept: change.is_some_and(|change| target.keep_schema(change, &schema).is_ok()),
        },
        Some(kept) => match kept.read() {
            Ok(Some(then)) => Comparison::With {
                migration: newest(run, environment),
                differences: without_parts(diff(&then, &schema)),
                halves: halves(run, environment),
            },
            Ok(None) | Err(_) => Comparison::Altered,
        },
    };
    let differences = match &comparison {
        Comparison::With { differences, .. } => Some(differences.len()),
        Comparison::Nothing { .. } | Comparison::Altered => None,
    };
    let at = (run.now)();
    if let Some(identity) = target_of(run, environment) {
        let by = run.by;
        let fact = verified(environment, identity, head, &schema, digest, differences);
        run.ledger.append(at, by, fact)?;
    }
    let receipts = known(run);
    Ok(Look::Known(Box::new(Found {
        receipts,
        taken: receipts.saturating_sub(before),
        objects: schema.objects().len(),
        schema: comparison,
        at,
    })))
}

fn head(run: &Run<'_>, environment: &EnvironmentName) -> Option<ReceiptRef> {
    run.ledger.view().get(environment)?.head()
}

/// What the kept schema is of: a rehearsal leaves it as it was.
fn last_change(run: &Run<'_>, environment: &EnvironmentName) -> Option<ReceiptRef> {
    run.ledger.view().get(environment)?.last_change()
}

fn target_of(run: &Run<'_>, environment: &EnvironmentName) -> Option<IncarnationId> {
    let target = run.ledger.view().get(environment)?.target.as_ref()?;
    Some(target.incarnation)
}

/// Migrations that were begun, and of which something may stand.
fn halves(run: &Run<'_>, environment: &EnvironmentName) -> Vec<MigrationId> {
    let Some(here) = run.ledger.view().get(environment) else {
        return Vec::new();
    };
    let partial = here.partial.values();
    let partial = partial.map(|failed| &failed.attempted.intent.migration);
    let open = here.open.values().map(|open| &open.intent.migration);
    let all = partial.chain(open).chain(here.standing.keys());
    let all: std::collections::BTreeSet<&MigrationId> = all.collect();
    all.into_iter().cloned().collect()
}

/// The migration of the newest receipt.
fn newest(run: &Run<'_>, environment: &EnvironmentName) -> Option<MigrationId> {
    let here = run.ledger.view().get(environment)?;
    let last = here.applied.iter().max_by_key(|(_, ran)| ran.receipt.seq);
    last.map(|(migration, _)| migration.clone())
}

/// Looks for drift before a run: what it leaves is what later looks compare with, so what stood there
/// unexplained would never be told. What is found is told and recorded, and stops nothing; nor does what
/// cannot be read.
pub(super) fn notice(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
) -> Result<(), WorkflowError> {
    let Some(change) = last_change(run, environment) else {
        return Ok(());
    };
    let kept = match target.kept_schema() {
        Ok(kept) => kept,
        Err(error) => {
            (run.events)(Event::NotKept {
                environment,
                error: &error,
            });
            return Ok(());
        }
    };
    let Some(kept) = kept.filter(|kept| kept.receipt == change) else {
        return Ok(());
    };
    let Ok(Some(then)) = kept.read() else {
        return Ok(());
    };
    // What is half done is told by the plan, and explains what differs.
    if !halves(run, environment).is_empty() {
        return Ok(());
    }
    let schema = match target.schema() {
        Ok(schema) => schema,
        Err(error) => {
            (run.events)(Event::NotKept {
                environment,
                error: &error,
            });
            return Ok(());
        }
    };
    let differences = without_parts(diff(&then, &schema));
    let Some(identity) = target_of(run, environment).filter(|_| !differences.is_empty()) else {
        return Ok(());
    };
    let count = Some(differences.len());
    let kept = Some(kept.digest);
    run.record(verified(
        environment,
        identity,
        head(run, environment),
        &schema,
        kept,
        count,
    ))?;
    (run.events)(Event::Drifted {
        environment,
        differences: &differences,
    });
    Ok(())
}

fn verified(
    environment: &EnvironmentName,
    target: IncarnationId,
    receipt: Option<ReceiptRef>,
    schema: &Schema,
    kept: Option<ChainHash>,
    differences: Option<usize>,
) -> Fact {
    Fact::Verified(Verified {
        environment: environment.clone(),
        target,
        receipt,
        schema: schema.digest(),
        kept,
        differences: differences.map(|count| count as u64),
    })
}

/// Keeps the schema as a run left it, beside its newest receipt. What cannot be kept is told, and fails
/// nothing: the run is over.
pub(super) fn keep(run: &mut Run<'_>, environment: &EnvironmentName, target: &mut dyn Target) {
    let Some(change) = last_change(run, environment) else {
        return;
    };
    crate::failpoint::hit("verify.keep.before");
    let kept = target.keep_present_schema(change);
    crate::failpoint::hit("verify.keep.after");
    if let Err(error) = kept {
        (run.events)(Event::NotKept {
            environment,
            error: &error,
        });
    }
}
