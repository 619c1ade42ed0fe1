//! redo: undo the newest migration of the first environment, and apply it again as it is on disk now: for
//! an edit on a laptop.
//!
//! Its `down.sql` and a receipt that says so are one transaction. From there on it is pending, and goes the
//! ordinary way: a crash between the two leaves it pending, and the next `apply` applies it.

use std::time::Duration;

use super::apply::{self, Report};
use super::contact::{Contact, contact};
use super::history::{is_kept, make_ready, may_write};
use super::receipt::receipt_after;
use super::{Event, Run, WorkflowError, target_error, verify, write_reversal};
use crate::digest::{Checksum, Sha256};
use crate::ledger::view::Success;
use crate::model::entry::{Ending, Failure, Intent, Outcome, ReceiptRef, RefusedGate};
use crate::model::{
    AttemptId, DownBytes, DownLabel, EnvironmentName, Fact, MigrationId, Receipt, ReceiptKind,
};
use crate::planner::gates::chain::lost;
use crate::planner::gates::reset::may_reset;
use crate::planner::gates::shell;
use crate::planner::rehearsal::unfit_alone;
use crate::planner::revert::stubs;
use crate::planner::{self, Inputs, Live, Plan, Verdict};
use crate::sql::{self, Analysis};
use crate::targets::history::NewRow;
use crate::targets::{ApplyError, Attempt, ScriptError, Target, TargetError};

/// The word that a refusal is recorded under where its reversal cannot run.
const REVERSAL: &str = "reversal";

/// How it ended.
#[derive(Debug)]
pub enum End {
    /// The bytes on disk would be refused: nothing was undone.
    Blocked(Box<Plan>),
    /// The reversal failed and was rolled back: nothing was undone.
    NotUndone(Box<NotUndone>),
    /// It was undone, and this became of the bytes on disk.
    Undone(Box<Report>),
}

/// A reversal that failed.
#[derive(Debug)]
pub struct NotUndone {
    /// Its text.
    pub script: String,
    /// Whether it came from the ledger.
    pub from_ledger: bool,
    /// What the target said.
    pub error: ScriptError,
}

/// The bytes of a `down.sql`.
struct Down {
    bytes: DownBytes,
    script: String,
    analysis: Analysis,
    from_ledger: bool,
}

/// Why it cannot be undone, as a clause, and what helps where that is not a reset.
struct Cannot {
    why: String,
    remedy: Option<String>,
}

impl From<String> for Cannot {
    fn from(why: String) -> Self {
        Self { why, remedy: None }
    }
}

/// Undoes a migration in the first environment and applies it again.
///
/// # Errors
/// [`WorkflowError`]: refused where it cannot be undone, with what can be done instead.
pub fn redo(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
) -> Result<End, WorkflowError> {
    if let Some((what, remedy)) = not_here(run, environment, migration) {
        return refuse(run, environment, migration, what, remedy);
    }
    let Contact {
        mut target,
        live,
        is_new,
        history,
    } = contact(run, environment)?;
    if let Some(finding) = &live.identity {
        let what = format!("{environment}: {}", finding.fact);
        let remedy = finding.remedy.clone();
        return refuse(run, environment, migration, what, remedy);
    }
    let here = run.ledger.view().get(environment).filter(|_| !is_new);
    let Some(ran) = here.and_then(|here| here.applied.get(migration)).cloned() else {
        // An earlier run was cut off between the two, or the script failed then.
        if here.is_some_and(|here| here.undone.contains_key(migration)) {
            drop(target);
            return again(run, environment, migration);
        }
        return Err(WorkflowError::Usage {
            what: format!("{migration} is not applied in {environment}"),
            remedy: format!("tollgate apply {environment}"),
        });
    };
    let down = match reversal(run, environment, migration, &ran, target.as_ref())? {
        Ok(down) => down,
        Err(Cannot { why, remedy }) => {
            let what = format!("{migration} cannot be undone in {environment}: {why}");
            let remedy = remedy.unwrap_or_else(|| {
                format!("tollgate reset {environment}   # and then tollgate apply {environment}")
            });
            return refuse(run, environment, migration, what, remedy);
        }
    };
    let plan = plan_after(run, environment, migration, target.as_ref(), &live);
    if plan.verdict() == Verdict::Refused {
        run.record(apply::refused("redo", &plan))?;
        return Ok(End::Blocked(Box::new(plan)));
    }
    let keeps = is_kept(run, target.as_ref(), history.as_ref());
    if keeps {
        may_write(environment, history.as_ref())?;
        make_ready(run, environment, target.as_mut(), history.as_ref())?;
    }
    verify::notice(run, environment, target.as_mut())?;
    match undo(run, target.as_mut(), &plan, migration, &ran, &down, keeps)? {
        Undone::Done => verify::keep(run, environment, target.as_mut()),
        Undone::Failed(error) => {
            return Ok(End::NotUndone(Box::new(NotUndone {
                script: down.script,
                from_ledger: down.from_ledger,
                error: *error,
            })));
        }
        Undone::Unknown(error) => {
            drop(target);
            return after_unknown(run, environment, migration, &ran, *error);
        }
    }
    drop(target);
    crate::failpoint::hit("redo.between");
    again(run, environment, migration)
}

/// Applies it as it is on disk now: the ordinary way.
fn again(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
) -> Result<End, WorkflowError> {
    let request = apply::Request {
        verb: "redo",
        environment,
        to: Some(migration),
        dry_run: false,
        is_part: false,
        backs_up: false,
        saved: None,
        glass: None,
    };
    Ok(End::Undone(Box::new(apply::apply(run, &request)?)))
}

fn refuse(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
    what: String,
    remedy: String,
) -> Result<End, WorkflowError> {
    let gate = RefusedGate {
        gate: REVERSAL.to_owned(),
        migration: Some(migration.clone()),
    };
    run.refuse_all("redo", environment, vec![gate])?;
    Err(WorkflowError::Refused { what, remedy })
}

/// Only in the first environment of several, by the policy and by the chain that the ledger knows.
fn not_here(
    run: &Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
) -> Option<(String, String)> {
    let revert = format!(
        "tollgate revert {} --reason '<why>'",
        shell(migration.as_str())
    );
    let known = run.ledger.view().chain();
    if let Some(first) = lost(known, run.policy, environment).first() {
        return Some((
            format!(
                "{first} stood before {environment}, and only in the first environment is anything undone"
            ),
            "edit tollgate.toml: put the environments back in their order".to_owned(),
        ));
    }
    (!may_reset(run.policy, environment)).then(|| {
        (
            format!(
                "{environment} is the only environment, with the gates of a last one: nothing is undone there"
            ),
            revert,
        )
    })
}

/// The reversal of what ran, or why it cannot be undone.
///
/// Only the newest: a later one may build on what it made, and would have to be undone and done again too,
/// with whatever stands in it.
fn reversal(
    run: &Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
    ran: &Success,
    target: &dyn Target,
) -> Result<Result<Down, Cannot>, WorkflowError> {
    let Some(here) = run.ledger.view().get(environment) else {
        return Ok(Err("nothing is known of it".to_owned().into()));
    };
    let newer = here
        .applied
        .iter()
        .filter(|(_, other)| other.receipt.seq > ran.receipt.seq)
        .max_by_key(|(_, other)| other.receipt.seq);
    if let Some((newer, _)) = newer {
        return Ok(Err(format!(
            "{newer} was applied after it, and only the newest is undone"
        )
        .into()));
    }
    let Some(bytes) = ran.checksum.filter(|_| ran.kind.is_evidence()) else {
        return Ok(Err(("nobody saw the bytes that made what stands there"
            .to_owned())
        .into()));
    };
    let file = run.file(migration);
    // The file's is the one that belongs to the bytes that ran, as long as those stand beside it.
    let on_disk = file
        .filter(|file| file.checksum == bytes)
        .and_then(|file| file.down);
    let kept = match (on_disk, ran.down) {
        (Some(_), _) => None,
        (None, Some(down)) => run.ledger.script(down)?,
        // Where no entry says what stood beside it, one that was rehearsed with it does.
        (None, None) => match proven(run, environment, migration, bytes) {
            Some(down) => run.ledger.script(down)?,
            None => None,
        },
    };
    let from_ledger = on_disk.is_none();
    let script = match on_disk {
        Some(down) => Some(down.script.to_owned()),
        None => kept.and_then(|bytes| String::from_utf8(bytes).ok()),
    };
    let Some(script) = script else {
        return Ok(Err(match file {
            Some(file) if file.checksum == bytes => Cannot {
                why: "it has no down.sql".to_owned(),
                remedy: Some(write_it(run, environment, migration, None)),
            },
            _ => Cannot::from("the ledger keeps no down.sql of the bytes that ran".to_owned()),
        }));
    };
    match DownLabel::read(&script) {
        Err(what) => return Ok(Err(format!("its down.sql cannot be read: {what}").into())),
        Ok(DownLabel::Irreversible(why)) => {
            return Ok(Err(format!("it says that it is irreversible: {why}").into()));
        }
        Ok(_) => {}
    }
    if let Some(line) = stubs(&script).first() {
        let path = format!("{}/{migration}/down.sql", run.folder);
        return Ok(Err(Cannot {
            why: format!("its down.sql is still to be written by hand in line {line}"),
            // The file's counts as long as the bytes that ran stand beside it.
            remedy: (!from_ledger).then(|| {
                format!(
                    "edit {}, then: tollgate redo {}",
                    shell(&path),
                    shell(migration.as_str())
                )
            }),
        }));
    }
    let analysis = sql::analyse(target.engine(), &script);
    if let Some(why) = unfit_alone("its down.sql", &analysis) {
        return Ok(Err(why.into()));
    }
    if analysis.statements().is_some_and(<[_]>::is_empty) {
        return Ok(Err(Cannot {
            why: "its down.sql has no statement".to_owned(),
            remedy: (!from_ledger).then(|| write_it(run, environment, migration, Some(&script))),
        }));
    }
    Ok(Ok(Down {
        bytes: DownBytes {
            blake3: Checksum::of(script.as_bytes()),
            sha256: Sha256::of(script.as_bytes()),
        },
        analysis,
        script,
        from_ledger,
    }))
}

/// How a reversal is written, and what it costs to do without one.
fn write_it(
    run: &Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
    down: Option<&str>,
) -> String {
    format!(
        "{} && tollgate redo {}   # or tollgate reset {environment}, which empties it",
        write_reversal(run, migration, down),
        shell(migration.as_str())
    )
}

/// A reversal that passed a rehearsal with these bytes there, and whose own are kept: the newest.
fn proven(
    run: &Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
    bytes: Checksum,
) -> Option<Checksum> {
    let here = run.ledger.view().get(environment)?;
    let held = here.rehearsals_of(migration);
    let passed = held.filter(|((up, down), rehearsed)| {
        *up == bytes && rehearsed.down.result.passed() && run.kept.contains(down)
    });
    passed
        .max_by_key(|(_, rehearsed)| rehearsed.at)
        .map(|((_, down), _)| *down)
}

/// What would be applied when it is undone.
fn plan_after(
    run: &Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
    target: &dyn Target,
    live: &Live,
) -> Plan {
    planner::plan(&Inputs {
        environment,
        engine: target.engine(),
        policy: run.policy,
        files: run.files,
        folder: run.folder,
        prisma: run.prisma,
        view: &run.ledger.view().as_if_undone(environment, migration),
        kept: &run.kept,
        to: Some(migration),
        live: Some(live),
        in_use: &run.in_use,
        approving: planner::Approving::Unsaved,
        now: (run.now)(),
    })
}

/// How undoing ended.
enum Undone {
    Done,
    Failed(Box<ScriptError>),
    Unknown(Box<TargetError>),
}

/// The intent to the ledger, the reversal and its receipt to the target, the outcome to the ledger.
fn undo(
    run: &mut Run<'_>,
    target: &mut dyn Target,
    plan: &Plan,
    migration: &MigrationId,
    ran: &Success,
    down: &Down,
    keeps: bool,
) -> Result<Undone, WorkflowError> {
    let environment = &plan.environment;
    let (Some(identity), Some(blake3), Some(sha256)) = (&plan.target, ran.checksum, ran.sha256)
    else {
        return Err(WorkflowError::Usage {
            what: format!("the bytes of {migration} that ran are not known"),
            remedy: format!("tollgate reset {environment}"),
        });
    };
    super::apply::remember_policy(run, environment)?;
    let attempt = AttemptId::from_bytes((run.random)());
    let at = (run.now)();
    let intent = Intent {
        attempt,
        environment: environment.clone(),
        target: identity.incarnation,
        migration: migration.clone(),
        blake3,
        sha256,
        receipt: ReceiptKind::Undone,
        plan: plan.id,
        from: None,
        preview: run.policy.is_outside(environment),
        down: Some(down.bytes),
        waivers: Vec::new(),
        release: None,
        debt: None,
        policy: Some(plan.policy),
        behind: None,
    };
    let bytes = [(down.bytes.blake3, down.script.as_bytes())];
    let fact = Fact::Intent(intent.clone());
    let head = run.ledger.append_with(at, run.by, fact, bytes)?;
    run.kept.insert(down.bytes.blake3);
    let before = run.ledger.view().get(environment);
    let before = before.and_then(|here| here.head());
    let receipt = Receipt {
        at,
        ..receipt_after(run, &intent, ReceiptKind::Undone, head, before)
    };
    let row = NewRow::beside(&receipt).filter(|_| keeps);
    let result = target.apply(
        &Attempt {
            script: &down.script,
            analysis: &down.analysis,
            done: 0,
            receipt: &receipt,
            row: row.as_ref(),
        },
        &mut |_| {},
    );
    let outcome = |outcome: Ending| Outcome {
        attempt,
        environment: environment.clone(),
        migration: migration.clone(),
        outcome,
        receipt: None,
        kind: None,
        settled: false,
        progress: None,
        error: None,
        how: None,
        recorded_at: None,
    };
    match result {
        Ok(applied) => {
            run.record(Fact::Outcome(Outcome {
                receipt: Some(ReceiptRef {
                    seq: applied.receipt.seq,
                    hash: Receipt::hash_of(&applied.receipt.body),
                }),
                kind: Some(applied.kind),
                recorded_at: applied.receipt.recorded_at,
                ..outcome(Ending::Succeeded)
            }))?;
            let millis = (run.now)().unix_millis().saturating_sub(at.unix_millis());
            (run.events)(Event::Undone {
                environment,
                migration,
                from_ledger: down.from_ledger,
                took: Duration::from_millis(u64::try_from(millis).unwrap_or(0)),
            });
            Ok(Undone::Done)
        }
        Err(ApplyError::Failed { error, left }) => {
            let line = error
                .at
                .as_ref()
                .map(|at| sql::position(&down.script, at.start).line as u64);
            let failure = Failure {
                message: (run.clean)(&error.message),
                code: error.code.clone(),
                line,
            };
            run.record(Fact::Outcome(Outcome {
                progress: left,
                error: Some(failure),
                ..outcome(Ending::Failed)
            }))?;
            Ok(Undone::Failed(error))
        }
        Err(ApplyError::Unknown { error }) => {
            let failure = Failure {
                message: (run.clean)(&error.fact),
                code: None,
                line: None,
            };
            run.record(Fact::Outcome(Outcome {
                error: Some(failure),
                ..outcome(Ending::Unknown)
            }))?;
            Ok(Undone::Unknown(error))
        }
    }
}

/// The client could not tell. One new contact at once settles it from the receipt; where it was undone, it
/// goes on.
fn after_unknown(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    migration: &MigrationId,
    ran: &Success,
    error: TargetError,
) -> Result<End, WorkflowError> {
    drop(contact(run, environment)?);
    let here = run.ledger.view().get(environment);
    let stands = here
        .and_then(|here| here.applied.get(migration))
        .is_some_and(|now| now.receipt == ran.receipt);
    if stands {
        return Err(target_error(environment, error));
    }
    again(run, environment, migration)
}
