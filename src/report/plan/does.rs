//! What the steps of a plan do that is worth knowing, for people, in few lines.

use super::row;
use crate::lint::{Topic, Work};
use crate::planner::{Gate, Plan, Step, StepEffect};
use crate::report::Paint;
use crate::targets::Rows;

/// So many lines of one kind are told of a step; the document of `--format json` has all.
const MOST: usize = 4;

/// A table with fewer rows is read and written in no time.
const MANY: u64 = 10_000;

/// What a step destroys, what it says itself that it may, on what it may fail, and what it locks for as
/// long as a large table takes. What a finding of the gate tells of it is not told twice.
pub(super) fn told(plan: &Plan, step: &Step) -> String {
    let mut out = Lines::default();
    for (label, lines) in deeds(plan, step) {
        out.tell(label, lines);
    }
    out.0
}

/// All of that, by what it is.
#[must_use]
pub fn deeds(plan: &Plan, step: &Step) -> [(&'static str, Vec<String>); 4] {
    let waived = plan.waived.iter().map(|waived| &waived.finding);
    let mut findings = plan.refusals.iter().chain(&plan.warnings).chain(waived);
    let is_told = findings.any(|finding| {
        finding.gate == Gate::DataLoss && finding.migration.as_ref() == Some(&step.migration)
    });
    let losses: Vec<_> = step
        .findings
        .iter()
        .filter(|it| it.finding.rule.topic == Topic::DataLoss)
        .collect();
    let told_elsewhere = |line: usize| {
        let mut of_line = losses.iter().filter(|it| it.line == line);
        of_line.any(|it| it.finding.allowed.is_some() || is_told)
    };
    let destroys = each(step, |it| match told_elsewhere(it.line) {
        true => Vec::new(),
        false => {
            let destroys = it.effect.destroys.iter();
            let counted = counted(plan, it);
            destroys.map(|what| format!("{what}{counted}")).collect()
        }
    });
    let accepted = losses.iter().filter_map(|it| {
        let reason = it.finding.allowed.as_ref()?;
        let table = it.finding.subject.as_ref().map(|(table, _)| table);
        let rows = table.and_then(|table| plan.rows.get(table));
        let rows = rows.map_or_else(String::new, |rows| format!(" ({rows})"));
        Some(format!(
            "line {}: {}{rows}: {reason}",
            it.line, it.finding.fact
        ))
    });
    [
        ("destroys", destroys),
        ("accepted", accepted.collect()),
        ("may fail", each(step, |it| it.effect.may_fail.clone())),
        (
            "locks",
            each(step, |it| locks(plan, it).into_iter().collect()),
        ),
    ]
}

/// A lock that lasts: on a table that is read or written as a whole, where that may take long.
fn locks(plan: &Plan, it: &StepEffect) -> Option<String> {
    let work = match it.effect.work {
        Work::None => return None,
        Work::Scan => "while every row is read",
        Work::Rewrite => "while every row is written",
    };
    let lock = it.effect.lock?;
    let rows = rows(plan, it);
    if matches!(rows, Some(Rows::Exactly(few)) if few < MANY) {
        return None;
    }
    let names: Vec<String> = it.effect.touches.iter().map(ToString::to_string).collect();
    let counted = counted(plan, it);
    Some(format!("{} ({lock}) {work}{counted}", names.join(", ")))
}

/// The rows of the one table that a statement touches and that was counted.
fn rows(plan: &Plan, it: &StepEffect) -> Option<Rows> {
    let mut known = it
        .effect
        .touches
        .iter()
        .filter_map(|name| plan.rows.get(name));
    let first = known.next()?;
    known.next().is_none().then_some(*first)
}

fn counted(plan: &Plan, it: &StepEffect) -> String {
    rows(plan, it).map_or_else(String::new, |rows| format!(" ({rows})"))
}

fn each(step: &Step, told: impl Fn(&StepEffect) -> Vec<String>) -> Vec<String> {
    let effects = step.effects.iter().flat_map(|it| {
        let line = it.line;
        let told = told(it).into_iter();
        told.map(move |told| format!("line {line}: {told}"))
    });
    effects.collect()
}

#[derive(Default)]
struct Lines(String);

impl Lines {
    fn tell(&mut self, label: &str, lines: Vec<String>) {
        for line in lines.iter().take(MOST) {
            self.0.push_str(&row(label, line));
        }
        if let Some(more) = lines.len().checked_sub(MOST).filter(|more| *more > 0) {
            let more = format!("and {more} more: --format json has them");
            self.0.push_str(&row(label, &more));
        }
    }
}

/// The steps of which something is worth knowing, for whoever applies them.
#[must_use]
pub fn effects(plan: &Plan, paint: Paint) -> String {
    let mut out = String::new();
    for step in &plan.steps {
        let told = told(plan, step);
        if !told.is_empty() {
            let name = paint.bold(&step.migration.to_string());
            out.push_str(&format!("  {name}\n{told}"));
        }
    }
    out
}
