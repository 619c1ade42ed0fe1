//! The population: a row for each attempt, and for each migration of each refusal.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::Known;
use super::verdict::Chain;
use crate::digest::ChainHash;
use crate::model::entry::{Absorbed, Ending, How, Intent, Outcome, Resolved, Verdict};
use crate::model::{
    Approval, AttemptId, Debt, Entry, EnvironmentName, Fact, MigrationId, Origin, Receipt,
    ReceiptKind, Release, Timestamp, Waiver,
};

/// One row of the population.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// Its number in the report, from 1.
    pub number: usize,
    /// When it was begun or refused, by the clock of whoever did it.
    pub at: Timestamp,
    /// When its end was recorded, by the clock of whoever did; `None` where only the receipt tells of it, which
    /// does not say.
    pub ended: Option<Timestamp>,
    /// When the database wrote the receipt, by its own clock; `None` without a receipt, where that is not
    /// recorded, and of SQLite, which has no clock but the process's.
    pub database_at: Option<Timestamp>,
    /// `attempt` or `refusal`.
    pub kind: &'static str,
    /// What was done: `apply`, `undo`, `taken-in`; of a refusal, the verb.
    pub action: String,
    /// Where.
    pub environment: EnvironmentName,
    /// What; `None` of a refusal that is about no migration.
    pub migration: Option<MigrationId>,
    /// `succeeded`, `failed`, `not-run` (queued behind one that did not succeed), `unknown` or `refused`.
    pub outcome: &'static str,
    /// What is to be known of that, as clauses.
    pub notes: Vec<String>,
    /// Of a refusal: the gates that were not met.
    pub gates: Vec<String>,
    /// Who.
    pub by: String,
    /// From where: `person`, `ci github`, `prisma`.
    pub origin: String,
    /// The machine, or the CI run, where that is asked for and known.
    pub host: Option<String>,
    /// The commit at HEAD.
    pub commit: Option<String>,
    /// Whether the work tree had changes that are in no commit.
    pub dirty: Option<bool>,
    /// BLAKE3 of the script.
    pub blake3: Option<String>,
    /// SHA-256 of the script.
    pub sha256: Option<String>,
    /// The plan.
    pub plan: Option<String>,
    /// The saved plan that it ran under.
    pub saved_plan: Option<String>,
    /// The change number of that plan.
    pub change: Option<String>,
    /// Who approved that plan, as far as it counted when this was begun, and who typed it where that was
    /// somebody else: `bo (typed by alice)`.
    pub approved_by: Vec<String>,
    /// The same approvals.
    #[serde(skip)]
    pub(super) approvals: Vec<Approval>,
    /// The digest of the policy that it came under; `None` where that is not recorded.
    pub policy: Option<String>,
    /// The attempt's id.
    pub attempt: Option<AttemptId>,
    /// The target's incarnation.
    pub target: Option<String>,
    /// The receipt's number in its target.
    pub receipt: Option<u64>,
    /// The receipt's hash.
    pub receipt_hash: Option<String>,
    /// The receipt's kind.
    pub receipt_kind: Option<&'static str>,
    /// Whether it proves that its bytes succeed there; `None` where it did not succeed.
    pub evidence: Option<bool>,
    /// What its chain of evidence is.
    pub chain: Chain,
    /// The waivers that it stood on.
    pub waivers: Vec<String>,
    /// The incident that glass was broken for.
    pub incident: Option<String>,
    /// The entries that it is made of: `writer/number`.
    pub entries: Vec<String>,
}

/// What is known of an attempt, entry by entry.
#[derive(Default)]
struct Draft<'a> {
    begun: Option<(&'a Entry, &'a Intent)>,
    ended: Option<(&'a Entry, &'a Outcome)>,
    received: Option<(&'a Entry, ChainHash, Receipt)>,
    /// When the database wrote the receipt.
    database_at: Option<Timestamp>,
    resolved: Option<(&'a Entry, &'a Resolved)>,
    told_by: BTreeSet<&'a EnvironmentName>,
    entries: Vec<String>,
}

/// Where an entry stands.
pub(super) fn place(entry: &Entry) -> String {
    format!("{}/{}", entry.writer, entry.number)
}

/// The receipt of an entry that is what it says, and of no rehearsal.
pub(super) fn received(absorbed: &Absorbed) -> Option<Receipt> {
    if Receipt::hash_of(&absorbed.body) != absorbed.hash {
        return None;
    }
    serde_json::from_str(&absorbed.body).ok()
}

/// Every row up to the instant, in order of time, whatever is asked for.
pub(super) fn rows(known: &Known<'_>) -> Vec<Row> {
    let mut drafts: BTreeMap<(EnvironmentName, AttemptId), Draft<'_>> = BTreeMap::new();
    let mut rows = Vec::new();
    for (_, entry) in &known.entries {
        match &entry.fact {
            Fact::Intent(intent) => {
                let draft = drafts
                    .entry((intent.environment.clone(), intent.attempt))
                    .or_default();
                draft.entries.push(place(entry));
                // One that is repeated, to write the receipt that it lacks, is the first one's.
                draft.begun.get_or_insert((entry, intent));
            }
            Fact::Outcome(outcome) => {
                let draft = drafts
                    .entry((outcome.environment.clone(), outcome.attempt))
                    .or_default();
                draft.entries.push(place(entry));
                draft.database_at = draft.database_at.or(outcome.recorded_at);
                let weight = |ending: Ending| match ending {
                    Ending::Succeeded => 2,
                    Ending::Failed => 1,
                    Ending::Unknown => 0,
                };
                let before = draft.ended.map(|(_, known)| weight(known.outcome));
                if before.is_none_or(|before| before < weight(outcome.outcome)) {
                    draft.ended = Some((entry, outcome));
                }
            }
            Fact::Resolved(resolved) => {
                let draft = drafts
                    .entry((resolved.environment.clone(), resolved.attempt))
                    .or_default();
                draft.entries.push(place(entry));
                draft.resolved = Some((entry, resolved));
            }
            Fact::Absorbed(absorbed) => {
                let Some(receipt) =
                    received(absorbed).filter(|it| it.kind != ReceiptKind::Rehearsed)
                else {
                    continue;
                };
                let draft = drafts
                    .entry((receipt.environment.clone(), receipt.attempt))
                    .or_default();
                draft.entries.push(place(entry));
                if absorbed.environment == receipt.environment {
                    draft.database_at = draft.database_at.or(absorbed.recorded_at);
                } else {
                    draft.told_by.insert(&absorbed.environment);
                }
                if draft.received.is_none() {
                    draft.received = Some((entry, absorbed.hash, receipt));
                }
            }
            Fact::Refused(refused) => {
                let mut of: BTreeMap<Option<&MigrationId>, Vec<String>> = BTreeMap::new();
                for gate in &refused.gates {
                    of.entry(gate.migration.as_ref())
                        .or_default()
                        .push(gate.gate.clone());
                }
                // What is about no migration stands with each of those that it kept out.
                let general = of.remove(&None).unwrap_or_default();
                if of.is_empty() {
                    of.insert(None, Vec::new());
                }
                for (migration, mut gates) in of {
                    gates.extend(general.iter().cloned());
                    gates.dedup();
                    let (origin, host) = origin(&entry.by.origin, known);
                    rows.push(Row {
                        kind: "refusal",
                        action: refused.verb.clone(),
                        migration: migration.cloned(),
                        outcome: "refused",
                        gates,
                        plan: Some(refused.plan.to_string()),
                        commit: entry.by.git.as_ref().map(|git| git.commit.clone()),
                        dirty: entry.by.git.as_ref().map(|git| git.dirty),
                        entries: vec![place(entry)],
                        origin,
                        host,
                        ..empty(
                            entry.at,
                            refused.environment.clone(),
                            entry.by.actor.0.clone(),
                        )
                    });
                }
            }
            _ => {}
        }
    }
    rows.extend(
        drafts
            .into_iter()
            .filter_map(|((environment, attempt), draft)| row(known, environment, attempt, draft)),
    );
    // Nothing but what the row itself says decides its place.
    rows.sort_by(|a, b| {
        let key = |row: &Row| (row.at, place_in(known, &row.environment));
        key(a)
            .cmp(&key(b))
            .then_with(|| a.migration.cmp(&b.migration))
            .then_with(|| a.entries.cmp(&b.entries))
    });
    for (number, row) in (1..).zip(&mut rows) {
        row.number = number;
    }
    rows
}

fn place_in(known: &Known<'_>, environment: &EnvironmentName) -> usize {
    let mut names = known.environments.iter();
    names
        .position(|it| it.name == *environment)
        .unwrap_or(usize::MAX)
}

fn empty(at: Timestamp, environment: EnvironmentName, by: String) -> Row {
    Row {
        number: 0,
        at,
        ended: None,
        database_at: None,
        kind: "attempt",
        action: String::new(),
        environment,
        migration: None,
        outcome: "unknown",
        notes: Vec::new(),
        gates: Vec::new(),
        by,
        origin: String::new(),
        host: None,
        commit: None,
        dirty: None,
        blake3: None,
        sha256: None,
        plan: None,
        saved_plan: None,
        change: None,
        approved_by: Vec::new(),
        approvals: Vec::new(),
        policy: None,
        attempt: None,
        target: None,
        receipt: None,
        receipt_hash: None,
        receipt_kind: None,
        evidence: None,
        chain: Chain::default(),
        waivers: Vec::new(),
        incident: None,
        entries: Vec::new(),
    }
}

/// From where something was done, and the machine or the run where that is asked for.
fn origin(origin: &Origin, known: &Known<'_>) -> (String, Option<String>) {
    let asked = known.inputs.scope.with_hosts;
    match origin {
        Origin::Person { host } => ("person".to_owned(), host.clone().filter(|_| asked)),
        Origin::Ci { system, run } => {
            // A number or a path names no host; an address does.
            let shown = run.clone().filter(|run| asked || !run.contains("://"));
            (format!("ci {system}"), shown)
        }
        Origin::Prisma { .. } => ("prisma".to_owned(), None),
    }
}

fn row(
    known: &Known<'_>,
    environment: EnvironmentName,
    attempt: AttemptId,
    draft: Draft<'_>,
) -> Option<Row> {
    let receipt = draft
        .received
        .as_ref()
        .map(|(_, hash, receipt)| (*hash, receipt));
    let first = draft
        .begun
        .map(|(entry, _)| entry)
        .or(draft.ended.map(|(entry, _)| entry))
        .or(draft.resolved.map(|(entry, _)| entry));
    // Who did it: the one who began it, or whom its receipt names; whoever only settled it did not.
    let (at, by, from) = match (draft.begun, receipt, first) {
        (Some((entry, _)), _, _) => (entry.at, &entry.by.actor, Some(&entry.by.origin)),
        (None, Some((_, receipt)), _) => (receipt.at, &receipt.actor, Some(&receipt.origin)),
        (None, None, Some(entry)) => (entry.at, &entry.by.actor, None),
        (None, None, None) => return None,
    };
    let mut row = empty(at, environment, by.0.clone());
    (row.origin, row.host) =
        from.map_or_else(|| ("not known".to_owned(), None), |it| origin(it, known));
    row.attempt = Some(attempt);
    row.database_at = draft.database_at;
    row.entries = draft.entries;
    let release = draft.begun.and_then(|(_, intent)| intent.release.clone());
    let release: Option<Release> =
        release.or_else(|| receipt.and_then(|(_, it)| it.release.clone()));
    row.saved_plan = release.as_ref().map(|it| it.id.to_string());
    row.approvals = release.iter().flat_map(|it| it.approvals.clone()).collect();
    row.approved_by = row.approvals.iter().map(Approval::by).collect();
    row.change = release.and_then(|it| it.change);
    let policy = draft.begun.and_then(|(_, intent)| intent.policy);
    let policy = policy.or_else(|| receipt.and_then(|(_, it)| it.policy));
    row.policy = policy.map(|it| it.to_string());
    let (waivers, debt): (Vec<Waiver>, Option<Debt>) = match (receipt, draft.begun) {
        (Some((_, receipt)), _) => (receipt.waivers.clone(), receipt.debts.first().cloned()),
        (None, Some((_, intent))) => (intent.waivers_shown(), intent.debt.clone()),
        (None, None) => (Vec::new(), None),
    };
    row.waivers = waivers.iter().map(Waiver::told).collect();
    row.incident = debt.as_ref().map(|debt| debt.incident.to_string());
    row.notes.extend(debt.as_ref().map(Debt::told));
    let mut preview = false;
    let mut expected = None;
    if let Some((entry, intent)) = draft.begun {
        row.migration = Some(intent.migration.clone());
        row.blake3 = Some(intent.blake3.hex());
        row.sha256 = Some(intent.sha256.to_string());
        row.plan = Some(intent.plan.to_string());
        row.target = Some(intent.target.to_string());
        row.commit = entry.by.git.as_ref().map(|git| git.commit.clone());
        row.dirty = entry.by.git.as_ref().map(|git| git.dirty);
        row.notes.extend(intent.from.map(|from| {
            format!("went on at statement {from}, where an earlier attempt had stopped")
        }));
        preview = intent.preview;
        expected = Some(intent.receipt);
    }
    if let Some((hash, receipt)) = receipt {
        row.migration
            .get_or_insert_with(|| receipt.migration.clone());
        row.blake3 = row.blake3.or_else(|| receipt.blake3.map(|it| it.hex()));
        row.sha256 = row
            .sha256
            .or_else(|| receipt.sha256.map(|it| it.to_string()));
        row.plan.get_or_insert_with(|| receipt.plan.to_string());
        row.target.get_or_insert_with(|| receipt.target.to_string());
        row.receipt = Some(receipt.seq);
        row.receipt_hash = Some(hash.to_string());
        preview |= receipt.preview;
        row.outcome = "succeeded";
        if draft.ended.is_none() {
            row.notes.push("told by the target's receipt".to_owned());
        }
    }
    if let Some((entry, outcome)) = draft.ended {
        row.migration
            .get_or_insert_with(|| outcome.migration.clone());
        if receipt.is_none() || outcome.outcome == Ending::Succeeded {
            row.ended = Some(entry.at);
        }
        if receipt.is_none() {
            row.outcome = match outcome.outcome {
                Ending::Succeeded => "succeeded",
                Ending::Failed if outcome.how == Some(How::NotRun) => "not-run",
                Ending::Failed => "failed",
                Ending::Unknown => "unknown",
            };
        }
        if let Some(of) = outcome.receipt {
            row.receipt.get_or_insert(of.seq);
            row.receipt_hash.get_or_insert_with(|| of.hash.to_string());
        }
        row.notes.extend(ended(outcome, known));
    }
    let kind = receipt
        .map(|(_, receipt)| receipt.kind)
        .or(draft.ended.and_then(|(_, outcome)| outcome.kind));
    row.receipt_kind = kind.map(ReceiptKind::as_str);
    row.action = match kind.or(expected) {
        Some(ReceiptKind::Undone) => "undo",
        Some(ReceiptKind::Prisma | ReceiptKind::Baselined) => "taken-in",
        _ => "apply",
    }
    .to_owned();
    if row.outcome == "succeeded" {
        let evidence = kind.is_some_and(ReceiptKind::is_evidence) && !preview && debt.is_none();
        row.evidence = Some(evidence);
    }
    if preview {
        row.notes
            .push("the environment stood outside the chain".to_owned());
    }
    if let Some((entry, resolved)) = draft.resolved {
        row.migration
            .get_or_insert_with(|| resolved.migration.clone());
        row.notes.push(format!(
            "resolved as {} by {}, {}: {}",
            resolved.verdict.as_str(),
            entry.by.actor,
            entry.at.minute(),
            resolved.reason
        ));
        if resolved.verdict == Verdict::NotApplied && row.outcome == "unknown" {
            row.outcome = "failed";
        }
        row.ended.get_or_insert(entry.at);
    }
    for told in draft.told_by {
        row.notes
            .push(format!("its receipt stands in {told} too, which is a copy"));
    }
    Some(row)
}

/// What the entry of an ending says beside its word.
fn ended(outcome: &Outcome, known: &Known<'_>) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(
        match outcome.how {
            Some(How::Receipt) => Some("settled from the target's receipts"),
            Some(How::NoTrace) => Some("settled from the target: it left no trace"),
            Some(How::NotRun) => {
                Some("it did not run: it was queued behind one that did not succeed")
            }
            Some(How::Journal) => Some("settled from the target's journal"),
            Some(How::JournalComplete) => {
                Some("settled from the target's journal: only the receipt was missing")
            }
            None if outcome.settled => Some("settled from the target's receipts"),
            None => None,
        }
        .map(str::to_owned),
    );
    if let Some(progress) = outcome
        .progress
        .filter(|_| outcome.outcome != Ending::Succeeded)
    {
        notes.push(format!(
            "{} of {} statements stand",
            progress.done, progress.of
        ));
    }
    if let Some(error) = &outcome.error {
        let code = error
            .code
            .as_ref()
            .map_or_else(String::new, |code| format!(" ({code})"));
        let line = error
            .line
            .map_or_else(String::new, |line| format!(" in line {line}"));
        notes.push(match known.inputs.scope.with_errors {
            true => format!("the database said{line}: {}{code}", error.message),
            false => format!("the database refused it{line}{code}"),
        });
    }
    notes
}
