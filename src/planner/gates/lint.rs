//! lint: nothing was found in a pending script that is as grave as the policy refuses, and that the script
//! does not allow. What is destroyed is the gate data-loss's to say.

use super::{Finding, Gate, World, shell};
use crate::lint::{Level, Topic};
use crate::model::LintLevel;
use crate::planner::FileFacts;
use crate::planner::effects::{StepFinding, of_step};

pub(super) fn check(world: &World<'_>) -> Vec<Finding> {
    let require = world.inputs.policy.require(world.inputs.environment);
    let Some(least) = require.and_then(|require| require.lint) else {
        return Vec::new();
    };
    let of = |(place, file): (usize, &FileFacts<'_>)| {
        let (_, findings) = of_step(&world.look, place, file);
        let told: Vec<&StepFinding> = findings.iter().filter(|it| is_refused(it, least)).collect();
        let first = told.first()?;
        Some(finding(file, least, first, &told))
    };
    world.pending.iter().enumerate().filter_map(of).collect()
}

fn is_refused(it: &StepFinding, least: LintLevel) -> bool {
    let rule = &it.finding.rule;
    let grave = match least {
        LintLevel::Warning => rule.level >= Level::Warning,
        LintLevel::Error => rule.level >= Level::Error,
    };
    grave && rule.topic != Topic::DataLoss && it.finding.allowed.is_none()
}

fn finding(
    file: &FileFacts<'_>,
    least: LintLevel,
    first: &StepFinding,
    told: &[&StepFinding],
) -> Finding {
    let word = match least {
        LintLevel::Warning => "warning",
        LintLevel::Error => "error",
    };
    Finding {
        gate: Gate::Lint,
        migration: Some(file.migration.clone()),
        fact: "its script has findings that are refused here".to_owned(),
        found: told
            .iter()
            .map(|it| {
                let rule = &it.finding.rule;
                format!("line {}: {}: {}", it.line, rule.code, it.finding.fact)
            })
            .collect(),
        required: format!(
            "no finding of level {word} that the script does not allow with -- tollgate:allow {} <reason>",
            first.finding.rule.code
        ),
        remedy: format!(
            "tollgate lint {}   # what to write instead",
            shell(file.migration.as_str())
        ),
    }
}
