//! promote: carry pending migrations along the chain, one environment after another.

use std::collections::BTreeSet;

use super::apply::{End, Report, Request, apply, lacks_a_backup};
use super::rehearse::{self, rehearse};
use super::{Event, Run, WorkflowError, backup};
use crate::model::{DownLabel, EnvironmentName, Kind, MigrationId};
use crate::planner::FileFacts;

/// Applies environment by environment up to and including `last`, and stops at the first that does
/// not end well. Where a later environment asks for a rehearsal, it is held before each migration is
/// applied. The reports are in the order of the chain; the last one says how it ended.
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
        let report = pass(run, environment, last, to)?;
        let stops = (run.interrupted)() && environment != last;
        let goes_on = goes_on(&report);
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

/// How many migrations are pending in an environment, up to one.
#[must_use]
pub fn left(run: &Run<'_>, environment: &EnvironmentName, to: Option<&MigrationId>) -> usize {
    pending(run, environment, to).count()
}

fn goes_on(report: &Report) -> bool {
    matches!(report.end, End::Done | End::UpToDate)
}

/// One environment: rehearses one, applies it, then the next; what needs no rehearsal is only applied.
pub(super) fn pass(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    last: &EnvironmentName,
    to: Option<&MigrationId>,
) -> Result<Report, WorkflowError> {
    let wanted = wanted(run, environment, last, to);
    let is_part = !wanted.is_empty();
    if is_part {
        let pending = pending(run, environment, to).count();
        (run.events)(Event::Passing {
            environment,
            pending,
            rehearsals: wanted.len(),
        });
    }
    let mut so_far: Option<Report> = None;
    for migration in wanted {
        // What stands before it is applied first, and so it is the next one.
        if let Some(before) = pending_before(run, environment, &migration) {
            let report = apply_part(run, environment, Some(&before), false)?;
            so_far = Some(after(so_far, report));
        }
        if so_far.as_ref().is_some_and(|report| !goes_on(report)) {
            break;
        }
        let request = rehearse::Request {
            verb: "promote",
            environment,
            migration: Some(&migration),
            scratch: false,
            data: None,
            bound: rehearse::BOUND,
        };
        let held = match rehearse(run, &request)? {
            rehearse::End::Held(held) => held,
            // The plan is refused, or the run interrupted, for the same reasons, which are told then.
            rehearse::End::Refused(_) | rehearse::End::Nothing | rehearse::End::Interrupted(_) => {
                break;
            }
        };
        let passed = held.iter().all(rehearse::Report::is_well);
        let mut report = apply_part(run, environment, Some(&migration), !passed)?;
        if !passed {
            report.end = End::NotRehearsed;
        }
        report.rehearsals = held;
        so_far = Some(after(so_far, report));
        if !passed {
            break;
        }
    }
    match so_far {
        Some(report) if !goes_on(&report) => Ok(report),
        so_far => {
            let request = Request {
                verb: "promote",
                environment,
                to,
                dry_run: false,
                is_part,
                backs_up: true,
                saved: None,
                glass: None,
            };
            let report = apply_with_a_backup(run, &request)?;
            Ok(after(so_far, report))
        }
    }
}

fn apply_part(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    to: Option<&MigrationId>,
    dry_run: bool,
) -> Result<Report, WorkflowError> {
    let request = Request {
        verb: "promote",
        environment,
        to,
        dry_run,
        is_part: true,
        backs_up: !dry_run,
        saved: None,
        glass: None,
    };
    apply_with_a_backup(run, &request)
}

/// Two reports of one environment as one.
fn after(before: Option<Report>, mut report: Report) -> Report {
    let Some(before) = before else {
        return report;
    };
    report.applied.splice(0..0, before.applied);
    report.rehearsals.splice(0..0, before.rehearsals);
    if matches!(report.end, End::UpToDate) && !report.applied.is_empty() {
        report.end = End::Done;
    }
    report
}

/// The migrations whose rehearsal here is asked for by an environment further on, that lacks them: in order.
fn wanted(
    run: &Run<'_>,
    environment: &EnvironmentName,
    last: &EnvironmentName,
    to: Option<&MigrationId>,
) -> BTreeSet<MigrationId> {
    let policy = run.policy;
    let mut wanted = BTreeSet::new();
    if policy.is_last_of_several(environment) {
        return wanted;
    }
    let (Some(here), Some(end)) = (policy.position(environment), policy.position(last)) else {
        return wanted;
    };
    // In a chain of one the only environment asks for its own.
    let alone = policy.chain().count() == 1;
    let further = policy
        .chain()
        .enumerate()
        .filter(|(at, _)| (*at > here || alone) && *at <= end)
        .map(|(_, name)| name);
    let view = run.ledger.view();
    let passed = |file: &FileFacts<'_>| {
        let known = view
            .get(environment)
            .zip(file.down)
            .and_then(|(known, down)| {
                known.rehearsal_of(file.migration, file.checksum, down.checksum)
            });
        known.is_some_and(|known| known.down.result.passed())
    };
    let can_be = |file: &FileFacts<'_>| {
        let label = file.down.map(|down| DownLabel::read(down.script));
        matches!(label, Some(Ok(label)) if !matches!(label, DownLabel::Irreversible(_)))
    };
    for there in further {
        let required = policy.require(there).and_then(|it| it.rehearsal.as_ref());
        if required.is_none() {
            continue;
        }
        let lacks = |file: &FileFacts<'_>| {
            let known = view.get(there);
            known.is_none_or(|known| !known.applied.contains_key(file.migration))
        };
        let asked = run
            .files
            .iter()
            .filter(|file| to.is_none_or(|to| file.migration <= to))
            .filter(|file| lacks(file) && can_be(file) && !passed(file));
        wanted.extend(asked.map(|file| file.migration.clone()));
    }
    wanted
}

/// What is pending here, in order.
fn pending<'a>(
    run: &'a Run<'_>,
    environment: &EnvironmentName,
    to: Option<&'a MigrationId>,
) -> impl DoubleEndedIterator<Item = &'a MigrationId> {
    let here = run.ledger.view().get(environment);
    let is_applied = move |id: &MigrationId| here.is_some_and(|here| here.applied.contains_key(id));
    let files = run.files.iter().map(|file| file.migration);
    files
        .filter(move |id| to.is_none_or(|to| *id <= to))
        .filter(move |id| !is_applied(id))
}

/// The last migration that is pending here and stands before another that is pending.
fn pending_before(
    run: &Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
) -> Option<MigrationId> {
    let mut pending = pending(run, environment, Some(migration));
    if pending.next_back()? != migration {
        return None;
    }
    pending.next_back().cloned()
}

/// Applies; where a backup is all that is missing, takes one and tries anew.
pub(super) fn apply_with_a_backup(
    run: &mut Run<'_>,
    request: &Request<'_>,
) -> Result<Report, WorkflowError> {
    let report = apply(run, request)?;
    if !(matches!(report.end, End::Refused) && lacks_a_backup(&report.plan)) {
        return Ok(report);
    }
    let required = run.policy.require(request.environment);
    let required = required.and_then(|required| required.backup);
    let asked = backup::Request {
        environment: request.environment,
        verify: required.is_some_and(|required| required.verified),
        data: None,
        keep: None,
    };
    // Whatever came of it, the plan that is made next tells what is missing.
    if let backup::Ended::Done(report) = backup::take(run, &asked)? {
        (run.events)(Event::BackedUp(&report));
    }
    apply(
        run,
        &Request {
            backs_up: false,
            ..*request
        },
    )
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
