//! The debts of one environment: what was applied there through broken glass, and what is owed for it.
//!
//! A union of what the entries and receipts say, so it does not depend on what came first. Whether a run is
//! paid is found out when it is asked: by then the evidence of the other environments is known.

use std::collections::{BTreeMap, BTreeSet};

use super::view::View;
use crate::digest::Checksum;
use crate::model::entry::{Ending, Intent, Outcome, Place, PostReviewed};
use crate::model::{
    Actor, AttemptId, Debt, Entry, EnvironmentName, IncidentName, MigrationId, Receipt,
    ReceiptKind, Timestamp,
};

/// What was opened in an environment under one incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedDebt {
    /// Which.
    pub incident: IncidentName,
    /// Why, as the first who broke the glass said.
    pub reason: String,
    /// Since when.
    pub at: Timestamp,
    /// Who broke the glass; none of them can review it.
    pub by: BTreeSet<Actor>,
    /// Until when it has to be reviewed.
    pub review_by: Timestamp,
    /// What was applied, or may have been, in the order in which it was begun.
    pub runs: Vec<Owed>,
}

/// One attempt through broken glass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The attempt.
    pub attempt: AttemptId,
    /// The migration.
    pub migration: MigrationId,
    /// Its bytes.
    pub checksum: Checksum,
    /// What its receipt says.
    pub debt: Debt,
    /// When it was begun.
    pub at: Timestamp,
    /// By whom.
    pub by: Actor,
    /// The earlier environments in which these bytes still have to succeed.
    pub unpaid: Vec<EnvironmentName>,
    /// The review of it.
    pub review: Option<Review>,
}

/// A review of what was done through broken glass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Who.
    pub by: Actor,
    /// When.
    pub at: Timestamp,
    /// What was found.
    pub note: String,
}

impl OpenedDebt {
    /// Whether something of it is still owed.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.lacks_review() || self.unpaid().next().is_some()
    }

    /// Whether nobody reviewed it yet, or not all of it.
    #[must_use]
    pub fn lacks_review(&self) -> bool {
        self.runs.iter().any(|run| run.review.is_none())
    }

    /// The runs that are still owed, with the environments that owe them.
    pub fn unpaid(&self) -> impl Iterator<Item = &Owed> {
        self.runs.iter().filter(|run| !run.unpaid.is_empty())
    }

    /// Whether its review is late at an instant.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.lacks_review() && now > self.review_by
    }
}

/// What is known of an environment's debts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Debts {
    pub(super) runs: BTreeMap<AttemptId, Run>,
    /// Attempts that are known to have left nothing.
    pub(super) left_nothing: BTreeSet<AttemptId>,
    /// Attempts of which a receipt stands, or once stood.
    pub(super) stand: BTreeSet<AttemptId>,
    pub(super) reviews: BTreeMap<Place, (Review, BTreeSet<AttemptId>)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) migration: MigrationId,
    pub(super) checksum: Checksum,
    pub(super) debt: Debt,
    pub(super) at: Timestamp,
    pub(super) by: Actor,
}

impl Run {
    /// Whether the present target has its bytes, whole or in part, or may have.
    fn stands(&self, attempt: AttemptId, view: &View, here: &EnvironmentName) -> bool {
        view.get(here).is_some_and(|here| {
            let applied = here.applied.get(&self.migration);
            let standing = here.standing.get(&self.migration);
            applied.is_some_and(|ran| ran.checksum == Some(self.checksum))
                || standing.is_some_and(|standing| standing.script == self.checksum)
                || here.open.contains_key(&attempt)
                || here.partial.contains_key(&attempt)
        })
    }
}

impl Debts {
    /// An attempt is begun through broken glass. It owes from here on, until it is known to have left
    /// nothing: a run that was cut off is no way out.
    pub(super) fn begin(&mut self, intent: &Intent, entry: &Entry) {
        if let Some(debt) = &intent.debt {
            // An intent that is repeated, to write the receipt that it lacks, is the first one's.
            self.runs.entry(intent.attempt).or_insert_with(|| Run {
                migration: intent.migration.clone(),
                checksum: intent.blake3,
                debt: debt.clone(),
                at: entry.at,
                by: entry.by.actor.clone(),
            });
        }
    }

    /// What its receipt says goes before what the ledger that begins it says: it is the same in every
    /// ledger.
    pub(super) fn receive(&mut self, receipt: &Receipt) {
        let is_applied = !matches!(receipt.kind, ReceiptKind::Undone | ReceiptKind::Rehearsed);
        let (Some(debt), Some(checksum), true) =
            (receipt.debts.first(), receipt.blake3, is_applied)
        else {
            return;
        };
        self.stand.insert(receipt.attempt);
        let run = Run {
            migration: receipt.migration.clone(),
            checksum,
            debt: debt.clone(),
            at: receipt.at,
            by: receipt.actor.clone(),
        };
        self.runs.insert(receipt.attempt, run);
    }

    /// An attempt ended. Of one that was begun on the ordinary way (`owes_nothing`) nothing is remembered, unless
    /// a receipt said otherwise: there are many.
    pub(super) fn end(&mut self, outcome: &Outcome, owes_nothing: bool) {
        if owes_nothing && !self.runs.contains_key(&outcome.attempt) {
            return;
        }
        match outcome.outcome {
            Ending::Succeeded => drop(self.stand.insert(outcome.attempt)),
            Ending::Failed if outcome.progress.is_none() => {
                self.left_nothing.insert(outcome.attempt);
            }
            Ending::Failed | Ending::Unknown => {}
        }
    }

    pub(super) fn review(&mut self, reviewed: &PostReviewed, by: &Entry) {
        let place = Place {
            writer: by.writer,
            number: by.number,
        };
        let review = Review {
            by: by.by.actor.clone(),
            at: by.at,
            note: reviewed.note.clone(),
        };
        let attempts = reviewed.attempts.iter().copied().collect();
        self.reviews.insert(place, (review, attempts));
    }

    /// The runs of which something stands, or may.
    fn counting(&self) -> impl Iterator<Item = (AttemptId, &Run)> {
        self.runs
            .iter()
            .map(|(attempt, run)| (*attempt, run))
            .filter(|(attempt, _)| {
                self.stand.contains(attempt) || !self.left_nothing.contains(attempt)
            })
    }

    /// Who broke the glass for an incident.
    fn breakers(&self, incident: &IncidentName) -> BTreeSet<Actor> {
        let runs = self.counting();
        runs.filter(|(_, run)| run.debt.incident == *incident)
            .map(|(_, run)| run.by.clone())
            .collect()
    }

    /// The first review of an attempt by somebody who did not break the glass.
    fn review_of(&self, attempt: AttemptId, breakers: &BTreeSet<Actor>) -> Option<&Review> {
        self.reviews
            .values()
            .filter(|(review, attempts)| {
                attempts.contains(&attempt) && !breakers.contains(&review.by)
            })
            .map(|(review, _)| review)
            .min_by_key(|review| (review.at, &review.by))
    }

    pub(super) fn all(&self, view: &View, here: &EnvironmentName) -> Vec<OpenedDebt> {
        let mut all: BTreeMap<&IncidentName, OpenedDebt> = BTreeMap::new();
        let mut runs: Vec<(AttemptId, &Run)> = self.counting().collect();
        runs.sort_by_key(|(attempt, run)| (run.at, &run.migration, *attempt));
        for (attempt, run) in runs {
            let incident = &run.debt.incident;
            let opened = all.entry(incident).or_insert_with(|| OpenedDebt {
                incident: incident.clone(),
                reason: run.debt.reason.clone(),
                at: run.at,
                by: self.breakers(incident),
                review_by: run.debt.review_by,
                runs: Vec::new(),
            });
            opened.review_by = opened.review_by.min(run.debt.review_by);
            // What does not stand here any more, or was cleared away by hand, is reviewed all the same; but
            // no other environment has to run what this one does not have.
            let stands = run.stands(attempt, view, here);
            let owes = |name: &&EnvironmentName| {
                let mut passed = BTreeSet::from([here.clone()]);
                stands && !view.is_run_in(name, &run.migration, run.checksum, &mut passed)
            };
            opened.runs.push(Owed {
                attempt,
                migration: run.migration.clone(),
                checksum: run.checksum,
                unpaid: run.debt.owes.iter().filter(owes).cloned().collect(),
                review: self.review_of(attempt, &opened.by).cloned(),
                debt: run.debt.clone(),
                at: run.at,
                by: run.by.clone(),
            });
        }
        let mut all: Vec<OpenedDebt> = all.into_values().collect();
        all.sort_by(|a, b| (a.at, &a.incident).cmp(&(b.at, &b.incident)));
        all
    }

    /// Whether these bytes stand here now through broken glass, and nothing is owed for them any more. It is no
    /// evidence; only another debt that asks for the run here has it.
    pub(super) fn is_paid_for(
        &self,
        view: &View,
        here: &EnvironmentName,
        (migration, checksum): (&MigrationId, Checksum),
        passed: &mut BTreeSet<EnvironmentName>,
    ) -> bool {
        let mut of_bytes = self.counting().filter(|(attempt, run)| {
            self.stand.contains(attempt) && run.migration == *migration && run.checksum == checksum
        });
        of_bytes.any(|(attempt, run)| {
            let breakers = self.breakers(&run.debt.incident);
            self.review_of(attempt, &breakers).is_some()
                && run.stands(attempt, view, here)
                && run
                    .debt
                    .owes
                    .iter()
                    .all(|name| view.is_run_in(name, migration, checksum, passed))
        })
    }
}
