//! The receipt that an attempt leaves.

use super::Run;
use crate::model::entry::{Head, Intent, ReceiptRef};
use crate::model::receipt::EarlierRehearsal;
use crate::model::{EarlierSuccess, EnvironmentName, Receipt, ReceiptKind};

/// What is known of the same bytes in the environments before, for whoever reads the receipt without this
/// ledger.
fn proofs(run: &Run<'_>, intent: &Intent, kind: ReceiptKind) -> Vec<EarlierSuccess> {
    let Some(position) = run.policy.position(&intent.environment) else {
        return Vec::new();
    };
    let of = |name: &EnvironmentName| {
        let there = run.ledger.view().get(name)?;
        let success = there.evidence_of(&intent.migration, intent.blake3)?;
        let file = run.file(&intent.migration);
        let down = file.and_then(|file| file.down);
        let rehearsed = down
            .and_then(|down| there.rehearsal_of(&intent.migration, intent.blake3, down.checksum));
        let rehearsal = rehearsed
            .filter(|rehearsed| rehearsed.down.result.passed())
            .map(|rehearsed| EarlierRehearsal {
                down: rehearsed.down.clone(),
                at: rehearsed.at,
                actor: rehearsed.by.clone(),
            });
        Some(EarlierSuccess {
            environment: name.clone(),
            seq: success.receipt.seq,
            hash: success.receipt.hash,
            kind: success.kind,
            writer: success.writer,
            at: success.at,
            actor: success.by.clone(),
            rehearsal,
            waivers: success.waivers.clone(),
        })
    };
    let before = run.policy.chain().take(position);
    before
        .filter(|_| kind.is_evidence())
        .filter_map(of)
        .collect()
}

/// The receipt that follows what stands in a target, for an intent and its place in the ledger.
pub(super) fn receipt_after(
    run: &Run<'_>,
    intent: &Intent,
    kind: ReceiptKind,
    head: Head,
    before: Option<ReceiptRef>,
) -> Receipt {
    Receipt {
        v: 1,
        seq: before.map_or(1, |before| before.seq + 1),
        prev: before.map(|before| before.hash),
        target: intent.target,
        environment: intent.environment.clone(),
        kind,
        attempt: intent.attempt,
        migration: intent.migration.clone(),
        blake3: Some(intent.blake3),
        sha256: Some(intent.sha256),
        writer: head.writer,
        number: head.number,
        head: head.hash,
        plan: intent.plan,
        at: (run.now)(),
        actor: run.by.actor.clone(),
        origin: run.by.origin.clone(),
        tool: run.by.tool.clone(),
        waivers: intent.waivers_shown(),
        debts: intent.debt.iter().cloned().collect(),
        preview: intent.preview,
        proofs: proofs(run, intent, kind),
        rehearsal: None,
        undone: intent.down.filter(|_| kind == ReceiptKind::Undone),
        release: intent.release.clone(),
        policy: intent.policy,
    }
}
