//! Breaking glass: a plan without the proof that some gates ask for, and what its steps owe for that.

use std::collections::BTreeSet;

use super::{Finding, Gate, Plan, Step, id};
use crate::model::entry::RefusedGate;
use crate::model::{Debt, EnvironmentName, IncidentName, MigrationId, Policy, Timestamp};

/// What a gate refuses: the gate, and the migration that it is about.
pub type Refusal = (Gate, Option<MigrationId>);

/// With what glass is to be broken.
#[derive(Debug, Clone)]
pub struct Glass {
    /// For which incident.
    pub incident: IncidentName,
    /// Why.
    pub reason: String,
    /// Until when somebody else has to review it.
    pub review_by: Timestamp,
    /// Only up to this migration.
    pub to: Option<MigrationId>,
    /// What was shown before, and confirmed: nothing else is skipped. `None` where it is only looked at.
    pub confirmed: Option<BTreeSet<Refusal>>,
}

/// That a plan goes through broken glass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// For which incident.
    pub incident: IncidentName,
    /// Why.
    pub reason: String,
    /// Until when somebody else has to review it.
    pub review_by: Timestamp,
    /// Only up to this migration.
    pub to: Option<MigrationId>,
    /// What would be refused without that.
    pub skipped: Vec<Finding>,
}

impl Broken {
    /// What is skipped, as an entry says it.
    #[must_use]
    pub fn gates(&self) -> Vec<RefusedGate> {
        self.skipped.iter().map(named).collect()
    }
}

fn named(finding: &Finding) -> RefusedGate {
    RefusedGate {
        gate: finding.gate.as_str().to_owned(),
        migration: finding.migration.clone(),
    }
}

impl Plan {
    /// The same plan through broken glass: what may be skipped is no refusal any more.
    #[must_use]
    pub fn through(mut self, glass: &Glass, policy: &Policy) -> Self {
        let may_go = |finding: &Finding| {
            let is_confirmed = |confirmed: &BTreeSet<Refusal>| {
                confirmed.contains(&(finding.gate, finding.migration.clone()))
            };
            // The rest of a run that was cut off goes on beside the debt that it opened itself.
            finding.gate.is_skipped_by_glass()
                && (finding.gate == Gate::Debt || glass.confirmed.as_ref().is_none_or(is_confirmed))
        };
        let (skipped, refusals) = std::mem::take(&mut self.refusals)
            .into_iter()
            .partition(may_go);
        self.refusals = refusals;
        self.ready_to = super::ready_prefix(&self.steps, &self.refusals);
        self.glass = Some(Broken {
            incident: glass.incident.clone(),
            reason: glass.reason.clone(),
            review_by: glass.review_by,
            to: glass.to.clone(),
            skipped,
        });
        self.id = id::of(&self, policy);
        self
    }

    /// What a step owes; `None` of a plan on the ordinary way. Every step of a plan through broken glass owes
    /// at least a review: it runs on top of what was not proven.
    #[must_use]
    pub fn debt_of(&self, step: &Step, policy: &Policy) -> Option<Debt> {
        let broken = self.glass.as_ref()?;
        let about = |finding: &&Finding| {
            finding
                .migration
                .as_ref()
                .is_none_or(|of| *of == step.migration)
        };
        let is_proven =
            |name: &&EnvironmentName| step.proofs.iter().any(|proof| proof.environment == **name);
        let position = policy.position(&self.environment).unwrap_or(0);
        let before = policy.chain().take(position);
        Some(Debt {
            incident: broken.incident.clone(),
            reason: broken.reason.clone(),
            skipped: broken.skipped.iter().filter(about).map(named).collect(),
            owes: before.filter(|name| !is_proven(name)).cloned().collect(),
            review_by: broken.review_by,
        })
    }
}
