//! The ledger's entries, for people and for machines.

use super::{Paint, told_debts, told_waivers};
use crate::digest::ChainHash;
use crate::model::approval::NOT_SIGNED;
use crate::model::entry::{BackedUp, BackupKind, Ending, How, Outcome, Rehearsed, Verdict};
use crate::model::one_line;
use crate::model::{Entry, Fact, MigrationId, Origin, Receipt, ReceiptKind, Rehearsal, Release};
use crate::planner::premises::policy_changes;

/// One entry as a line: when, who, what.
#[must_use]
pub fn line(entry: &Entry, paint: Paint) -> String {
    let origin = match &entry.by.origin {
        Origin::Person { .. } => String::new(),
        Origin::Ci { system, .. } => format!(" ({system})"),
        Origin::Prisma { .. } => " (prisma)".to_owned(),
    };
    let what = match &entry.fact {
        Fact::Opened(opened) => match &opened.after {
            None => format!("opened     this ledger, writer {}", entry.writer.short()),
            Some(after) => format!(
                "opened     writer {}, after entry {} of writer {}: the ledger was copied, moved or lost its end, or the machine was started anew",
                entry.writer.short(),
                after.number,
                after.writer.short()
            ),
        },
        Fact::Bound(bound) => {
            let reason = bound
                .reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(": {reason}"));
            format!(
                "bound      {} to {} {}{reason}",
                bound.environment,
                bound.target.engine.as_str(),
                bound.target.name
            )
        }
        Fact::Intent(intent) => {
            let from = intent
                .from
                .map_or_else(String::new, |from| format!(", from statement {from}"));
            let down = intent
                .down
                .filter(|_| intent.receipt == ReceiptKind::Undone)
                .map_or_else(String::new, |down| {
                    format!(", to be undone by {}", down.blake3.short())
                });
            format!(
                "intent     {} {} {}{from}{down}{}{}{}",
                intent.environment,
                intent.migration,
                intent.blake3.short(),
                told_waivers(&intent.waivers_shown()),
                told_release(intent.release.as_ref()),
                told_debts(intent.debt.as_slice())
            )
        }
        Fact::Outcome(outcome) => outcome_line(outcome, paint),
        Fact::Absorbed(absorbed) => {
            let what = serde_json::from_str::<Receipt>(&absorbed.body).map_or_else(
                |_| "a receipt, from the target's receipts".to_owned(),
                |receipt| {
                    let Receipt { migration, at, .. } = &receipt;
                    match (&receipt.origin, receipt.kind) {
                        (Origin::Prisma { .. }, ReceiptKind::Prisma) => {
                            format!("{migration}, ran by Prisma {}", at.minute())
                        }
                        (Origin::Prisma { .. }, _) => {
                            format!("{migration}, without proof, by Prisma {}", at.minute())
                        }
                        (_, ReceiptKind::Undone) => {
                            format!("{migration}, undone {}", at.minute())
                        }
                        (_, ReceiptKind::Rehearsed) => {
                            format!("{migration}, rehearsed {}", at.minute())
                        }
                        (_, ReceiptKind::Baselined) => {
                            format!("{migration}, without proof, on a person's word")
                        }
                        _ => format!(
                            "{migration}, from the target's receipts{}{}{}",
                            told_waivers(&receipt.waivers),
                            told_release(receipt.release.as_ref()),
                            told_debts(&receipt.debts)
                        ),
                    }
                },
            );
            format!("absorbed   {} {what}", absorbed.environment)
        }
        Fact::Refused(refused) => {
            let mut gates: Vec<&str> = refused
                .gates
                .iter()
                .map(|gate| gate.gate.as_str())
                .collect();
            gates.dedup();
            format!(
                "{}    {} {}: {}",
                paint.warn("refused"),
                refused.verb,
                refused.environment,
                gates.join(", ")
            )
        }
        Fact::Chained(chained) => {
            let names: Vec<&str> = chained
                .environments
                .iter()
                .map(|name| name.as_str())
                .collect();
            let reason = chained
                .reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(": {reason}"));
            format!("chained    {}{reason}", names.join(", "))
        }
        Fact::TakenIn(taken) => {
            let proven = taken
                .migrations
                .iter()
                .filter(|found| found.kind.is_evidence());
            let (proven, all) = (proven.count(), taken.migrations.len());
            let reason = taken
                .reason
                .as_ref()
                .map_or_else(String::new, |reason| format!(": {reason}"));
            format!(
                "taken-in   {} {}, {} with proof{reason}",
                taken.environment,
                super::count(all, "migration"),
                match proven {
                    _ if proven == all => "all".to_owned(),
                    0 => "none".to_owned(),
                    _ => proven.to_string(),
                }
            )
        }
        Fact::Believed(word) => format!(
            "believed   entry {} of writer {} is {}: {}",
            word.number,
            word.writer.short(),
            word.hash.short(),
            word.reason
        ),
        Fact::Verified(verified) => {
            let found = match verified.differences {
                None => "nothing to compare its schema with".to_owned(),
                Some(0) => "no drift".to_owned(),
                Some(count) => paint.bad(&format!(
                    "drift: {} as the newest run left them",
                    match count {
                        1 => "1 object is not".to_owned(),
                        _ => format!("{count} objects are not"),
                    }
                )),
            };
            format!("verified   {} {found}", verified.environment)
        }
        Fact::Rehearsed(rehearsed) => rehearsed_line(rehearsed, paint),
        Fact::BackedUp(backed_up) => backed_up_line(backed_up),
        Fact::Waived(waived) => format!(
            "waived     {} {} {}: {}",
            waived.environment, waived.gate, waived.migration, waived.reason
        ),
        Fact::BrokeGlass(broke) => {
            let mut gates: Vec<&str> = broke.skipped.iter().map(|it| it.gate.as_str()).collect();
            gates.dedup();
            format!(
                "{} {} {}, past {}, incident {}: {}",
                paint.bad("broke-glass"),
                broke.environment,
                super::count(broke.migrations.len(), "migration"),
                gates.join(", "),
                broke.incident,
                broke.reason
            )
        }
        Fact::PostReviewed(reviewed) => format!(
            "post-reviewed {}, incident {}: {}",
            reviewed.environment, reviewed.incident, reviewed.note
        ),
        Fact::Approved(approved) => format!(
            "approved   {} saved plan {} by {}{}, {NOT_SIGNED}",
            approved.environment,
            approved.plan.short(),
            approved.approver,
            approved
                .note
                .as_ref()
                .map_or_else(String::new, |note| format!(": {}", one_line(note)))
        ),
        Fact::Policy(seen) => format!(
            "policy     {} {}",
            seen.environment,
            policy_changes(&seen.was, &seen.is).join("; ")
        ),
        Fact::Restored(restored) => format!(
            "restored   {} {} into {}",
            restored.environment, restored.file, restored.into
        ),
        Fact::Reverted(reverted) => {
            let incident = reverted
                .incident
                .map_or_else(String::new, |id| format!(", incident {}", id.short()));
            format!(
                "reverted   wrote the reversal of {}: {}{incident}: {}",
                reverted.reverts, reverted.migration, reverted.reason
            )
        }
        Fact::Emergency(emergency) => format!(
            "{}  {} {}, incident {}: {}",
            paint.bad("emergency"),
            emergency.environment,
            emergency.migration,
            emergency.incident.short(),
            emergency.reason
        ),
        Fact::Resolved(resolved) => {
            let what = match (resolved.verdict, resolved.progress) {
                (Verdict::NotApplied, _) => "as not applied".to_owned(),
                (Verdict::Applied, _) => "as applied".to_owned(),
                (Verdict::ContinueAt, Some(progress)) => {
                    format!("to go on at statement {}", progress.done + 1)
                }
                (Verdict::ContinueAt, None) => "to go on".to_owned(),
                (Verdict::Superseded, _) => "as superseded".to_owned(),
            };
            format!(
                "resolved   {} {} {what}: {}",
                resolved.environment, resolved.migration, resolved.reason
            )
        }
    };
    format!(
        "{:>5}  {}  {}{origin}  {what}\n",
        entry.number, entry.at, entry.by.actor
    )
}

/// Under which saved plan, where under one.
fn told_release(release: Option<&Release>) -> String {
    release.map_or_else(String::new, |release| format!(", under {}", release.told()))
}

fn rehearsed_line(rehearsed: &Rehearsed, paint: Paint) -> String {
    let result = match rehearsed.result {
        Rehearsal::Failed => paint.bad("did not pass"),
        passed => paint.good(passed.as_str()),
    };
    format!(
        "rehearsed  {} {} {result}, {}, data: {}",
        rehearsed.environment,
        rehearsed.migration,
        rehearsed.stage.as_str(),
        rehearsed.data.as_str()
    )
}

fn backed_up_line(backed_up: &BackedUp) -> String {
    let environment = &backed_up.environment;
    match &backed_up.what {
        BackupKind::File {
            file,
            verified,
            bad,
            ..
        } => {
            let state = match (bad, verified) {
                (Some(bad), _) => format!(", not good: {bad}"),
                (None, Some(_)) => ", restored and found equal".to_owned(),
                (None, None) => String::new(),
            };
            format!("backed-up  {environment} {file}{state}")
        }
        BackupKind::Attested { place } => format!(
            "backed-up  {environment} of {}, as attested, not seen: {place}",
            backed_up.taken.minute()
        ),
    }
}

fn outcome_line(outcome: &Outcome, paint: Paint) -> String {
    let word = match outcome.outcome {
        Ending::Succeeded => paint.good("succeeded"),
        Ending::Failed if outcome.how == Some(How::NotRun) => "not run  ".to_owned(),
        Ending::Failed => format!("{}   ", paint.bad("failed")),
        Ending::Unknown => format!("{}  ", paint.bad("unknown")),
    };
    let stands = outcome.progress.map_or_else(String::new, |progress| {
        format!(", {} of {} statements stand", progress.done, progress.of)
    });
    let how = match outcome.how {
        _ if outcome.kind == Some(ReceiptKind::Resolved) => ", on a person's word",
        Some(How::Receipt) if outcome.kind == Some(ReceiptKind::Undone) => {
            ", undone, settled from the target's receipts"
        }
        None if outcome.kind == Some(ReceiptKind::Undone) => ", undone",
        Some(How::Receipt) | None if outcome.settled => ", settled from the target's receipts",
        Some(How::NoTrace) => ", settled from the target: it left no trace",
        Some(How::NotRun) => ", queued behind one that did not succeed",
        Some(How::Journal) => ", settled from the target's journal",
        Some(How::JournalComplete) => {
            ", settled from the target's journal: only the receipt was missing"
        }
        Some(How::Receipt) | None => "",
    };
    let said = outcome
        .error
        .as_ref()
        .map_or_else(String::new, |error| format!(": {}", error.message));
    format!(
        "{word}  {} {}{stands}{how}{said}",
        outcome.environment, outcome.migration
    )
}

/// The migration that an entry is about; `None` where it is about none, or about several.
#[must_use]
pub fn subject(entry: &Entry) -> Option<MigrationId> {
    match &entry.fact {
        Fact::Intent(intent) => Some(intent.migration.clone()),
        Fact::Outcome(outcome) => Some(outcome.migration.clone()),
        Fact::Resolved(resolved) => Some(resolved.migration.clone()),
        Fact::Rehearsed(rehearsed) => Some(rehearsed.migration.clone()),
        Fact::Reverted(reverted) => Some(reverted.reverts.clone()),
        Fact::Emergency(emergency) => Some(emergency.migration.clone()),
        Fact::Waived(waived) => Some(waived.migration.clone()),
        Fact::BrokeGlass(broke) => match broke.migrations.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        },
        Fact::Absorbed(absorbed) => serde_json::from_str::<Receipt>(&absorbed.body)
            .ok()
            .map(|receipt| receipt.migration),
        Fact::Opened(_)
        | Fact::Bound(_)
        | Fact::Refused(_)
        | Fact::Chained(_)
        | Fact::Approved(_)
        | Fact::Policy(_)
        | Fact::Believed(_)
        | Fact::Verified(_)
        | Fact::BackedUp(_)
        | Fact::Restored(_)
        | Fact::PostReviewed(_)
        | Fact::TakenIn(_) => None,
    }
}

/// The entries as `tollgate/log/v1`: each with its hash and its exact bytes read as JSON.
#[must_use]
pub fn json(entries: &[&(ChainHash, Entry)]) -> serde_json::Value {
    let one = |(hash, entry): &&(ChainHash, Entry)| {
        let body = entry.to_body().unwrap_or_default();
        let value: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        serde_json::json!({ "hash": hash, "entry": value })
    };
    serde_json::json!({
        "schema": "tollgate/log/v1",
        "entries": entries.iter().map(one).collect::<Vec<_>>(),
    })
}
