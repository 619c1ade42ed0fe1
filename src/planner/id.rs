//! The id of a plan: a digest of what it is, never of when or where it was made.

use serde::Serialize;

use super::Plan;
use crate::digest::{ChainHash, Checksum, PLAN_CONTEXT};
use crate::model::entry::{Place, ReceiptRef};
use crate::model::{
    EnvironmentName, IncarnationId, IncidentName, MigrationId, Policy, ReceiptKind,
};

/// What is digested, in this order. No instant, no text, no ledger head, no file outside the steps.
#[derive(Serialize)]
struct Digested<'a> {
    v: u32,
    environment: &'a EnvironmentName,
    target: Option<IncarnationId>,
    head: Option<ReceiptRef>,
    steps: Vec<DigestedStep<'a>>,
    refusals: Vec<(&'static str, Option<&'a MigrationId>)>,
    waivers: Vec<(&'a str, &'a MigrationId, Place)>,
    /// Of a plan through broken glass alone: for what, and past which gates.
    #[serde(skip_serializing_if = "Option::is_none")]
    glass: Option<DigestedGlass<'a>>,
    policy: &'a Policy,
}

type DigestedGlass<'a> = (
    &'a IncidentName,
    Vec<(&'static str, Option<&'a MigrationId>)>,
);

/// One step; where it goes on after what stands, also how many statements do.
#[derive(Serialize)]
#[serde(untagged)]
enum DigestedStep<'a> {
    Whole(&'a MigrationId, Checksum, ReceiptKind),
    Rest(&'a MigrationId, Checksum, ReceiptKind, u64),
}

pub(super) fn of(plan: &Plan, policy: &Policy) -> ChainHash {
    let digested = Digested {
        v: 1,
        environment: &plan.environment,
        target: plan.target.as_ref().map(|target| target.incarnation),
        head: plan.head,
        steps: plan
            .steps
            .iter()
            .map(|step| match step.done {
                0 => DigestedStep::Whole(&step.migration, step.checksum, step.kind),
                done => DigestedStep::Rest(&step.migration, step.checksum, step.kind, done),
            })
            .collect(),
        refusals: plan
            .refusals
            .iter()
            .map(|refusal| (refusal.gate.as_str(), refusal.migration.as_ref()))
            .collect(),
        waivers: plan
            .waived
            .iter()
            .map(|waived| &waived.waiver)
            .map(|waiver| (waiver.gate.as_str(), &waiver.migration, waiver.entry))
            .collect(),
        glass: plan.glass.as_ref().map(|broken| {
            let skipped = broken.skipped.iter();
            let skipped = skipped.map(|it| (it.gate.as_str(), it.migration.as_ref()));
            (&broken.incident, skipped.collect())
        }),
        policy,
    };
    // Serialising plain strings and numbers into memory cannot fail; an empty text would only make
    // ids of different plans equal, and is caught by the golden vector.
    let bytes = serde_json::to_vec(&digested).unwrap_or_default();
    ChainHash::of(PLAN_CONTEXT, &bytes)
}
