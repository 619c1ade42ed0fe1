//! What a plan refuses, warns of and lets pass on somebody's word, as annotations at the scripts.

use super::{Verdict, count};
use crate::lint::Topic;
use crate::model::MigrationId;
use crate::planner::{Finding, Gate, Plan};
use crate::report::github::{Annotation, Level};

/// The annotations of a plan. `path` tells where the script of a migration stands in the repository, where it
/// is on disk.
#[must_use]
pub fn annotations(plan: &Plan, path: &dyn Fn(&MigrationId) -> Option<String>) -> Vec<Annotation> {
    let one = |level, finding| one(plan, level, finding, path);
    let refused = plan.refusals.iter().map(|it| one(Level::Error, it));
    let warned = plan.warnings.iter().map(|it| one(Level::Warning, it));
    let waived = plan.waived.iter().map(|it| {
        let waiver = &it.waiver;
        let mut told = one(Level::Notice, &it.finding);
        told.message = format!(
            "waived by {}: {}\n{}",
            waiver.actor,
            waiver.why(),
            told.message
        );
        told
    });
    let mut all: Vec<Annotation> = refused.chain(warned).chain(waived).collect();
    if plan.verdict() == Verdict::Ready {
        let environment = &plan.environment;
        all.push(Annotation::new(
            Level::Notice,
            format!("{environment}: ready"),
            format!(
                "{environment} can take {}, plan {}",
                count(plan.steps.len(), "migration"),
                plan.id
            ),
        ));
    }
    all
}

fn one(
    plan: &Plan,
    level: Level,
    finding: &Finding,
    path: &dyn Fn(&MigrationId) -> Option<String>,
) -> Annotation {
    let place = finding.migration.as_ref().and_then(|migration| {
        let line = line(plan, finding.gate, migration).unwrap_or(1);
        Some((path(migration)?, line))
    });
    of_finding(plan.environment.as_str(), level, finding).at(place)
}

/// The annotation of a finding that has no place.
#[must_use]
pub fn of_finding(environment: &str, level: Level, finding: &Finding) -> Annotation {
    let subject = finding.migration.as_ref();
    let subject = subject.map_or_else(String::new, |migration| format!("{migration}: "));
    let mut lines = vec![format!("{subject}{}", finding.fact)];
    lines.extend(finding.found.iter().map(|line| format!("found: {line}")));
    lines.push(format!("required: {}", finding.required));
    lines.push(format!("remedy: {}", finding.remedy));
    let title = format!("{environment}: {}", finding.gate);
    Annotation::new(level, title, lines.join("\n"))
}

/// The line of the script that a gate speaks of, where it speaks of one.
fn line(plan: &Plan, gate: Gate, migration: &MigrationId) -> Option<usize> {
    let mut steps = plan.steps.iter();
    let step = steps.find(|step| step.migration == *migration)?;
    let found = step.findings.iter().find(|it| {
        let is_loss = it.finding.rule.topic == Topic::DataLoss;
        it.finding.allowed.is_none()
            && match gate {
                Gate::DataLoss => is_loss,
                Gate::Lint => !is_loss,
                _ => false,
            }
    });
    found.map(|it| it.line)
}
