//! What is kept of a rehearsal, passed or not: an entry, and a receipt in the target, so that every ledger knows
//! of the newest one.

use super::{Held, HeldEnd, Run, Subject, WorkflowError, target_error};
use crate::model::entry::{Absorbed, Rehearsed};
use crate::model::{
    AttemptId, EnvironmentName, Fact, Receipt, ReceiptKind, RehearsedDown, Timestamp,
};
use crate::targets::Target;

pub(super) fn record(
    run: &mut Run<'_>,
    environment: &EnvironmentName,
    target: &mut dyn Target,
    subject: &Subject<'_>,
    held: &Held,
    at: Timestamp,
) -> Result<(), WorkflowError> {
    let here = run.ledger.view().get(environment);
    let head = here.and_then(|here| here.head());
    let Some(identity) = here.and_then(|here| here.target.clone()) else {
        return Ok(());
    };
    let plan = run.plan_now(environment, target.engine()).id;
    let attempt = AttemptId::from_bytes((run.random)());
    let preview = run.policy.is_outside(environment);
    let found = match &held.end {
        HeldEnd::Judged(judgement) => judgement.found(),
        HeldEnd::Failed(broken) => {
            let again = if broken.again { ", run again" } else { "" };
            let message = (run.clean)(&broken.error.message);
            let mut found = vec![format!("{}{again}: {message}", broken.file)];
            found.extend(broken.judgement.iter().flat_map(|it| it.found()));
            found.truncate(100);
            found
        }
    };
    let fact = Fact::Rehearsed(Rehearsed {
        attempt,
        environment: environment.clone(),
        target: identity.incarnation,
        receipt: head,
        migration: subject.file.migration.clone(),
        blake3: subject.file.checksum,
        sha256: subject.file.sha256,
        down_blake3: subject.down.checksum,
        down_sha256: subject.down.sha256,
        result: held.result(),
        stage: held.stage,
        data: held.data,
        locked_ms: held
            .locked
            .map(|locked| u64::try_from(locked.as_millis()).unwrap_or(u64::MAX)),
        found,
        preview,
    });
    let bytes = Some((subject.down.checksum, subject.down.script.as_bytes()));
    let entry = run.ledger.append_with(at, run.by, fact, bytes)?;
    run.kept.insert(subject.down.checksum);
    crate::failpoint::hit("rehearse.receipt.before");
    let receipt = Receipt {
        v: 1,
        seq: head.map_or(1, |head| head.seq + 1),
        prev: head.map(|head| head.hash),
        target: identity.incarnation,
        environment: environment.clone(),
        kind: ReceiptKind::Rehearsed,
        attempt,
        migration: subject.file.migration.clone(),
        blake3: Some(subject.file.checksum),
        sha256: Some(subject.file.sha256),
        writer: entry.writer,
        number: entry.number,
        head: entry.hash,
        plan,
        at,
        actor: run.by.actor.clone(),
        origin: run.by.origin.clone(),
        tool: run.by.tool.clone(),
        waivers: Vec::new(),
        debts: Vec::new(),
        preview,
        proofs: Vec::new(),
        rehearsal: Some(RehearsedDown {
            blake3: subject.down.checksum,
            sha256: subject.down.sha256,
            result: held.result(),
            stage: held.stage,
            data: held.data,
        }),
        undone: None,
        release: None,
        policy: Some(run.policy.digest()),
    };
    let stored = target
        .take_in(&[receipt])
        .map_err(|error| target_error(environment, error))?;
    crate::failpoint::hit("rehearse.receipt.after");
    for stored in stored {
        run.record(Fact::Absorbed(Absorbed {
            environment: environment.clone(),
            hash: Receipt::hash_of(&stored.body),
            body: stored.body,
            recorded_at: stored.recorded_at,
        }))?;
    }
    Ok(())
}
