//! Whether the population is complete, and what the ledger's integrity rests on.

use std::collections::BTreeMap;

use serde::Serialize;

use super::population::received;
use super::{Known, Row};
use crate::model::entry::Ending;
use crate::model::{AttemptId, EnvironmentName, Fact, IncarnationId, Timestamp, WriterId};

/// Entries against receipts.
#[derive(Debug, Serialize)]
pub struct Completeness {
    /// How the population was made.
    pub how: Vec<String>,
    /// Entries of the ledger up to the instant.
    pub entries: usize,
    /// Of these, intents.
    pub intents: usize,
    /// Of these, outcomes.
    pub outcomes: usize,
    /// Of these, receipts that were read in targets.
    pub absorbed: usize,
    /// Of these, refusals.
    pub refused: usize,
    /// Rows of the population.
    pub rows: usize,
    /// The first and the last instant of the rows.
    pub first: Option<Timestamp>,
    /// The last one.
    pub last: Option<Timestamp>,
    /// Attempts without an end in the ledger.
    pub open: usize,
    /// Each target's receipts.
    pub targets: Vec<TargetTold>,
}

/// The receipts of one target, as far as the ledger knows them.
#[derive(Debug, Serialize)]
pub struct TargetTold {
    /// The environment.
    pub environment: EnvironmentName,
    /// The target's incarnation.
    pub incarnation: String,
    /// Receipts that the ledger knows.
    pub receipts: usize,
    /// Of these, those that an outcome of the ledger names.
    pub by_outcome: usize,
    /// Of these, those whose bytes were read in the target.
    pub by_receipt: usize,
    /// The smallest number.
    pub first: Option<u64>,
    /// The largest number.
    pub last: Option<u64>,
    /// Numbers between that the ledger does not know: `3`, `5 to 7`.
    pub gaps: Vec<String>,
    /// Numbers of which the ledger knows two receipts that differ: the target was put back, or written to by
    /// somebody else.
    pub twice: Vec<u64>,
    /// When somebody last compared the target itself with the ledger.
    pub verified: Option<Timestamp>,
}

/// Heads, writers, anchors.
#[derive(Debug, Serialize)]
pub struct Integrity {
    /// The writers whose entries count.
    pub writers: Vec<WriterTold>,
    /// What the ledger holds and does not count, as clauses.
    pub strays: Vec<String>,
    /// Entries of the ledger that are later than the report's instant.
    pub later: usize,
}

/// One writer.
#[derive(Debug, Serialize)]
pub struct WriterTold {
    /// Its id.
    pub writer: WriterId,
    /// Its entries: numbers 1 to this, without gaps.
    pub entries: u64,
    /// The hash of the last of them.
    pub head: String,
    /// When it was written.
    pub at: Timestamp,
    /// The largest number that a receipt in a target stands on.
    pub anchored: Option<u64>,
    /// Where that receipt is: `prod, receipt 7`.
    pub anchored_in: Option<String>,
    /// Entries behind it, which the chain alone holds.
    pub after: u64,
}

#[derive(Default)]
struct Receipts {
    hashes: BTreeMap<u64, Vec<String>>,
    by_outcome: usize,
    by_receipt: usize,
}

impl Receipts {
    fn take(&mut self, seq: u64, hash: String) {
        let known = self.hashes.entry(seq).or_default();
        if !known.contains(&hash) {
            known.push(hash);
        }
    }
}

type Anchors = BTreeMap<WriterId, (u64, String)>;

/// Reads both off the entries.
pub(super) fn complete(known: &Known<'_>, rows: &[Row]) -> (Completeness, Integrity) {
    let mut met: BTreeMap<(EnvironmentName, WriterId), IncarnationId> = BTreeMap::new();
    let mut begun: BTreeMap<AttemptId, (WriterId, u64, IncarnationId)> = BTreeMap::new();
    let mut targets: BTreeMap<(EnvironmentName, IncarnationId), Receipts> = BTreeMap::new();
    let mut verified: BTreeMap<(EnvironmentName, IncarnationId), Timestamp> = BTreeMap::new();
    let mut anchors = Anchors::new();
    let mut counts = [0; 4];
    for (_, entry) in &known.entries {
        match &entry.fact {
            Fact::Bound(bound) => {
                let key = (bound.environment.clone(), bound.target.incarnation);
                targets.entry(key).or_default();
                met.insert(
                    (bound.environment.clone(), entry.writer),
                    bound.target.incarnation,
                );
            }
            Fact::Intent(intent) => {
                counts[0] += 1;
                begun.insert(intent.attempt, (entry.writer, entry.number, intent.target));
            }
            Fact::Outcome(outcome) => {
                counts[1] += 1;
                let of = outcome.receipt.zip(begun.get(&outcome.attempt).copied());
                let Some((receipt, (writer, number, target))) =
                    of.filter(|_| outcome.outcome == Ending::Succeeded)
                else {
                    continue;
                };
                let key = (outcome.environment.clone(), target);
                let receipts = targets.entry(key).or_default();
                receipts.take(receipt.seq, receipt.hash.to_string());
                receipts.by_outcome += 1;
                anchor(
                    &mut anchors,
                    writer,
                    number,
                    &outcome.environment,
                    receipt.seq,
                );
            }
            Fact::Absorbed(absorbed) => {
                counts[2] += 1;
                let Some(receipt) = received(absorbed) else {
                    continue;
                };
                let here = met
                    .get(&(absorbed.environment.clone(), entry.writer))
                    .copied();
                let key = (absorbed.environment.clone(), here.unwrap_or(receipt.target));
                let receipts = targets.entry(key).or_default();
                receipts.take(receipt.seq, absorbed.hash.to_string());
                receipts.by_receipt += 1;
                anchor(
                    &mut anchors,
                    receipt.writer,
                    receipt.number,
                    &absorbed.environment,
                    receipt.seq,
                );
            }
            Fact::Refused(_) => counts[3] += 1,
            Fact::Verified(it) => {
                let newest = verified
                    .entry((it.environment.clone(), it.target))
                    .or_insert(entry.at);
                *newest = (*newest).max(entry.at);
            }
            _ => {}
        }
    }
    let scope = known.inputs.scope;
    let targets = targets
        .into_iter()
        .filter(|((environment, _), _)| scope.has(environment));
    let targets = targets.map(|((environment, incarnation), it)| TargetTold {
        receipts: it.hashes.len(),
        by_outcome: it.by_outcome,
        by_receipt: it.by_receipt,
        first: it.hashes.keys().next().copied(),
        last: it.hashes.keys().next_back().copied(),
        gaps: gaps(it.hashes.keys().copied()),
        twice: it
            .hashes
            .iter()
            .filter(|(_, all)| all.len() > 1)
            .map(|(seq, _)| *seq)
            .collect(),
        verified: verified.get(&(environment.clone(), incarnation)).copied(),
        incarnation: incarnation.to_string(),
        environment,
    });
    let mut targets: Vec<TargetTold> = targets.collect();
    let place = |it: &TargetTold| {
        known
            .environments
            .iter()
            .position(|known| known.name == it.environment)
    };
    targets.sort_by_key(|it| (place(it), it.incarnation.clone()));
    let [intents, outcomes, absorbed, refused] = counts;
    let completeness = Completeness {
        how: how(known),
        entries: known.entries.len(),
        intents,
        outcomes,
        absorbed,
        refused,
        rows: rows.len(),
        first: rows.first().map(|row| row.at),
        last: rows.last().map(|row| row.at),
        open: rows.iter().filter(|row| row.outcome == "unknown").count(),
        targets,
    };
    (completeness, integrity(known, &anchors))
}

fn anchor(
    anchors: &mut Anchors,
    writer: WriterId,
    number: u64,
    environment: &EnvironmentName,
    seq: u64,
) {
    let known = anchors.get(&writer).map_or(0, |(number, _)| *number);
    if number > known {
        anchors.insert(writer, (number, format!("{environment}, receipt {seq}")));
    }
}

/// The numbers that are missing from 1 to the last one.
fn gaps(numbers: impl Iterator<Item = u64>) -> Vec<String> {
    let mut next = 1;
    let mut out = Vec::new();
    for number in numbers {
        if number > next {
            let upto = number - 1;
            out.push(match upto == next {
                true => next.to_string(),
                false => format!("{next} to {upto}"),
            });
        }
        next = number + 1;
    }
    out
}

fn how(known: &Known<'_>) -> Vec<String> {
    let mut how = vec![
        "The population was made by the tool from every entry of the ledger up to the report's instant. Nobody picked rows."
            .to_owned(),
        "One row for each attempt that an intent, an outcome, a person's word or a receipt tells of, and one for each migration of each refusal; a refusal that is about no migration is one row."
            .to_owned(),
        "Refusals are those that verbs which act recorded. What `plan`, `why-not`, `review` and `lint` said, and a refusal of `revert` or `restore`, which change no environment, is not recorded and not in it."
            .to_owned(),
    ];
    if known.inputs.scope.is_filtered() {
        how.push("A period or environments were asked for: other rows are not in it. Chains of evidence were judged on all rows.".to_owned());
    }
    how
}

fn integrity(known: &Known<'_>, anchors: &Anchors) -> Integrity {
    let mut writers: BTreeMap<WriterId, WriterTold> = BTreeMap::new();
    for (hash, entry) in &known.entries {
        let told = writers.entry(entry.writer).or_insert_with(|| WriterTold {
            writer: entry.writer,
            entries: 0,
            head: String::new(),
            at: entry.at,
            anchored: None,
            anchored_in: None,
            after: 0,
        });
        told.entries = entry.number;
        told.head = hash.to_string();
        told.at = entry.at;
    }
    for told in writers.values_mut() {
        // A receipt may stand on an entry that is later than the report.
        let anchor = anchors
            .get(&told.writer)
            .filter(|(number, _)| *number <= told.entries);
        told.anchored = anchor.map(|(number, _)| *number);
        told.anchored_in = anchor.map(|(_, place)| place.clone());
        told.after = told.entries - told.anchored.unwrap_or(0);
    }
    let strays = known.inputs.strays;
    let forks = strays.forks.iter().map(|fork| {
        let word = match fork.believed {
            Some(hash) => format!("a person said to believe {}", hash.short()),
            None => "nobody said which to believe, and neither counts".to_owned(),
        };
        format!(
            "writer {} has two entries with number {}: {word}",
            fork.writer.short(),
            fork.number
        )
    });
    let gaps = strays.gaps.iter().map(|gap| {
        format!(
            "of writer {} the entries {} to {} are missing, and {} behind them do not count",
            gap.writer.short(),
            gap.from,
            gap.upto,
            gap.behind
        )
    });
    Integrity {
        writers: writers.into_values().collect(),
        strays: forks.chain(gaps).collect(),
        later: known.later,
    }
}

/// What nobody may conclude from the report.
pub(super) fn does_not_prove() -> Vec<String> {
    [
        "That the ledger is whole. A chain of hashes shows that no entry between the first and the last was altered, removed or moved. It cannot show that entries after the last were cut off, that a whole writer was removed, or that everything was written anew. The receipts in the targets can: compare them with `tollgate verify ENV`.",
        "That people are who they are said to be. Names come from the environment of whoever ran the tool, or from its CI system. They are recorded, not proven.",
        "That clocks were right. Every time in it is the clock of the machine that ran the tool.",
        "That nothing else changed the databases. What was done beside tollgate leaves no entry; `tollgate verify ENV` finds differences of the schema when it is run, and not what was undone before.",
        "That somebody read what they approved, or that it was they. Approvals of saved plans are recorded, not signed. Requests and code reviews are kept elsewhere; where the ledger has a change number, follow it there.",
        "That a change did what its author meant. The same bytes ran without an error in every environment before: no more.",
        "That any framework is complied with. It is evidence, which supports a conclusion that somebody else draws.",
    ]
    .map(str::to_owned)
    .to_vec()
}
