//! What the pending scripts do, and what is worth knowing of that.

use super::{FileFacts, Inputs};
use crate::ledger::view::EnvironmentView;
use crate::lint::{self, Before, Effect, Look, Script, Work};
use crate::sql::changes::{Change, changes_all};
use crate::sql::{Analysis, analyse_all};

/// What one statement of a step comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepEffect {
    /// The line that it begins in, from 1.
    pub line: usize,
    /// What it comes to.
    pub effect: Effect,
}

/// What is worth knowing of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFinding {
    /// The line that it is about, from 1.
    pub line: usize,
    /// What was found.
    pub finding: lint::Finding,
}

/// What the pending scripts do where they are to run. What stands there is read only where it matters: a
/// tree may have ten thousand scripts that ran, and none that is pending.
pub(super) fn look(
    inputs: &Inputs<'_>,
    here: &EnvironmentView,
    pending: &[FileFacts<'_>],
    analyses: &[Analysis],
) -> Look {
    let is_empty = is_empty(inputs, here);
    let deeds = all_changes(inputs, pending, analyses);
    let plan = scripts(pending, analyses, &deeds);
    let alone = Before {
        standing: &[],
        is_empty,
    };
    let first = lint::look(inputs.engine, alone, &plan);
    let applied = |file: &&FileFacts<'_>| here.applied.contains_key(file.migration);
    let ran: Vec<FileFacts<'_>> = inputs.files.iter().filter(applied).copied().collect();
    if ran.is_empty() || !is_noteworthy(&first) {
        return first;
    }
    let texts: Vec<&str> = ran.iter().map(|file| file.script).collect();
    let analyses = analyse_all(inputs.engine, &texts);
    let deeds = all_changes(inputs, &ran, &analyses);
    let standing = scripts(&ran, &analyses, &deeds);
    let before = Before {
        standing: &standing,
        is_empty,
    };
    lint::look(inputs.engine, before, &plan)
}

/// Whether nothing stands there that could be lost, as far as it is known.
pub(super) fn is_empty(inputs: &Inputs<'_>, here: &EnvironmentView) -> bool {
    let holds = inputs.live.is_some_and(|live| {
        live.is_filled
            || live.has_history_elsewhere
            || live.unknown_history > 0
            || !live.claims.is_empty()
    });
    here.applied.is_empty() && !holds
}

/// Whether what stands could matter: without it anything that is not known to be new is taken to have stood.
fn is_noteworthy(look: &Look) -> bool {
    let mut effects = look.effects.iter().flatten();
    !look.findings.is_empty()
        || effects.any(|effect| {
            !effect.destroys.is_empty()
                || !effect.may_fail.is_empty()
                || effect.lock.is_some()
                || effect.work != Work::None
        })
}

fn all_changes(
    inputs: &Inputs<'_>,
    files: &[FileFacts<'_>],
    analyses: &[Analysis],
) -> Vec<Vec<Change>> {
    let read = files.iter().zip(analyses);
    let read: Vec<(&str, &Analysis)> = read
        .map(|(file, analysis)| (file.script, analysis))
        .collect();
    changes_all(inputs.engine, &read)
}

fn scripts<'a>(
    files: &[FileFacts<'a>],
    analyses: &'a [Analysis],
    deeds: &'a [Vec<Change>],
) -> Vec<Script<'a>> {
    let read = files.iter().zip(analyses).zip(deeds);
    read.map(|((file, analysis), changes)| Script {
        migration: file.migration,
        text: file.script,
        analysis,
        changes,
    })
    .collect()
}

/// What was found of one of the pending scripts, by its place among them.
pub(super) fn of_step(
    look: &Look,
    place: usize,
    file: &FileFacts<'_>,
) -> (Vec<StepEffect>, Vec<StepFinding>) {
    let ends: Vec<usize> = file.script.match_indices('\n').map(|(at, _)| at).collect();
    let line = |offset: usize| 1 + ends.partition_point(|end| *end < offset);
    let effects = look.effects.get(place).into_iter().flatten();
    let effects = effects.map(|effect| StepEffect {
        line: line(effect.range.start),
        effect: effect.clone(),
    });
    let findings = look.findings.iter();
    let findings = findings
        .filter(|finding| finding.migration == *file.migration)
        .map(|finding| StepFinding {
            line: line(finding.range.start),
            finding: finding.clone(),
        });
    (effects.collect(), findings.collect())
}
