//! The approvals of one environment's saved plans: who said yes to which.
//!
//! A union of what the entries say, and of what the intents and receipts of what ran under a plan carry of it:
//! so it does not depend on what came first, and a ledger that was lost learns it from the target again.

use std::collections::{BTreeMap, BTreeSet};

use crate::digest::ChainHash;
use crate::model::entry::{Approved, Place};
use crate::model::{Approval, ApprovedPlan, Entry, Release};

/// What is known of an environment's approvals: by the plan's id and by the place of the entry, so one that came
/// twice is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Approvals {
    /// What the entries themselves say; it goes before what is told of them.
    pub(super) said: BTreeMap<ChainHash, BTreeMap<Place, Approval>>,
    /// What intents and receipts tell.
    pub(super) told: BTreeMap<ChainHash, BTreeMap<Place, Approval>>,
}

impl Approvals {
    pub(super) fn say(&mut self, approved: &Approved, by: &Entry) {
        let entry = Place {
            writer: by.writer,
            number: by.number,
        };
        let typed_by = &by.by.actor;
        let approval = Approval {
            approver: approved.approver.clone(),
            at: by.at,
            typed_by: (!typed_by.is_same(&approved.approver)).then(|| typed_by.clone()),
            note: approved.note.clone(),
            entry,
        };
        let of_plan = self.said.entry(approved.plan).or_default();
        of_plan.insert(entry, approval);
    }

    /// Something ran under a plan, and says who had approved it.
    pub(super) fn tell(&mut self, release: Option<&Release>) {
        let Some(release) = release else {
            return;
        };
        for approval in &release.approvals {
            let of_plan = self.told.entry(release.id).or_default();
            let known = of_plan.get(&approval.entry);
            // Where two tell otherwise of one entry, the lesser: it is then the same in every ledger.
            if known.is_none_or(|known| approval < known) {
                of_plan.insert(approval.entry, approval.clone());
            }
        }
    }

    pub(super) fn of(&self, plan: ChainHash) -> Vec<&Approval> {
        let mut all: BTreeMap<Place, &Approval> = BTreeMap::new();
        for known in [&self.told, &self.said] {
            let of_plan = known.get(&plan).into_iter().flatten();
            all.extend(of_plan.map(|(place, approval)| (*place, approval)));
        }
        all.into_values().collect()
    }

    /// Every plan that somebody approved.
    pub(super) fn all(&self) -> Vec<ApprovedPlan> {
        let plans: BTreeSet<ChainHash> =
            self.said.keys().chain(self.told.keys()).copied().collect();
        let plan = |plan| ApprovedPlan {
            plan,
            approvals: self.of(plan).into_iter().cloned().collect(),
        };
        plans.into_iter().map(plan).collect()
    }
}
