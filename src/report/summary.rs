//! The summary of a job in Markdown, for GitHub Actions: of a plan, and of what `apply` made of one.
//!
//! Whatever comes from files, people and servers stands in code spans and fences. A page that GitHub would
//! not take is cut after a whole part of it, and says so at its top.

use super::count;
use super::markdown::{fence, one_line, span};
use super::plan::{Ending, Group, deeds, grouped};
use crate::model::MigrationId;
use crate::planner::gates::{backup, shell};
use crate::planner::{Finding, Plan, Step, Verdict};

/// Longer texts are cut.
const LONGEST: usize = 2_000;

/// A page in parts, of which the last may be left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// What it comes to, in Markdown.
    title: String,
    /// The command that shows all of it.
    whole: String,
    parts: Vec<String>,
}

impl Page {
    /// A page of nothing but its title: `what` in words of ours, about `of`.
    #[must_use]
    pub fn new(of: &str, what: &str, whole: impl Into<String>) -> Self {
        Self {
            title: format!("{}: {what}", span(of)),
            whole: whole.into(),
            parts: Vec::new(),
        }
    }

    /// The page, in no more than so many bytes; empty where not even its title has room.
    #[must_use]
    pub fn markdown(&self, most: usize) -> String {
        let title = format!("## {}\n\n", self.title);
        let long: usize = self.parts.iter().map(String::len).sum();
        if title.len() + long <= most {
            return title + &self.parts.concat();
        }
        let mut out = format!(
            "{title}> **This summary leaves something out: GitHub takes no more than 1 MiB.** All of it: {}\n\n",
            span(&self.whole)
        );
        if out.len() > most {
            return String::new();
        }
        for part in &self.parts {
            if out.len() + part.len() > most {
                break;
            }
            out.push_str(part);
        }
        out
    }

    fn fact(&mut self, label: &str, fact: &str) {
        self.parts.push(format!("- {label}: {}\n", shown(fact)));
    }

    fn heading(&mut self, text: &str) {
        let blank = if self.parts.is_empty() { "" } else { "\n" };
        self.parts.push(format!("{blank}### {text}\n\n"));
    }

    /// What was applied.
    pub fn applied(&mut self, applied: &[MigrationId]) {
        if applied.is_empty() {
            return;
        }
        self.heading("Applied");
        let lines = applied
            .iter()
            .map(|it| format!("- {}\n", shown(it.as_str())));
        self.parts.extend(lines);
    }

    /// A story as it is told on a terminal.
    pub fn story(&mut self, text: &str) {
        let text = clipped(text.trim_end(), 10 * LONGEST);
        let fence = fence(&text);
        let blank = if self.parts.is_empty() { "" } else { "\n" };
        self.parts
            .push(format!("{blank}{fence}text\n{text}\n{fence}\n"));
    }

    /// What is refused, what is worth a look, and what somebody accepted.
    pub fn findings(&mut self, plan: &Plan) {
        self.refused(&plan.refusals);
        if !plan.warnings.is_empty() {
            self.heading("Warnings");
            for group in grouped(&plan.warnings) {
                self.parts.push(told(&group));
            }
        }
        if !plan.waived.is_empty() {
            self.heading("Waived");
        }
        for waived in &plan.waived {
            let waiver = &waived.waiver;
            self.parts.push(format!(
                "- {} {} by {}, {}: {}\n  - what: {}\n",
                shown(&waiver.gate),
                shown(waiver.migration.as_str()),
                shown(&waiver.actor.to_string()),
                waiver.at.minute(),
                shown(&waiver.why()),
                shown(&waived.finding.fact)
            ));
        }
    }

    /// What is refused.
    pub fn refused(&mut self, refusals: &[Finding]) {
        if refusals.is_empty() {
            return;
        }
        self.heading("Refused");
        for group in grouped(refusals) {
            self.parts.push(told(&group));
        }
    }

    /// Which plan it is, and what it stands on.
    pub fn facts(&mut self, plan: &Plan, ending: Ending<'_>) {
        self.fact("plan", &plan.id.to_string());
        if let Ending::Saved(saved, file) = ending {
            let content = &saved.content;
            self.fact("saved", file);
            self.fact("its id", &saved.id.to_string());
            if let Some(expires) = content.expires {
                self.fact("expires", &expires.minute());
            }
            if let Some(change) = &content.change {
                self.fact("change", change);
            }
            if content.git.as_ref().is_some_and(|git| git.dirty) {
                self.fact(
                    "dirty",
                    "made from a work tree with changes that are in no commit",
                );
            }
        }
        if let Some(release) = &plan.release {
            self.fact("saved plan", &release.id.to_string());
            if let Some(change) = &release.change {
                self.fact("change", change);
            }
        }
        if let Some(target) = &plan.target {
            self.fact(
                "target",
                &format!("{} ({})", target.name, target.incarnation),
            );
        }
        if let Some(known) = &plan.backup {
            self.fact("stands on the backup", &backup::name(known));
        }
        self.fact("policy", &plan.policy.to_string());
    }

    /// The steps, and what each of them does that is worth knowing.
    pub fn steps(&mut self, plan: &Plan) {
        if plan.steps.is_empty() {
            return;
        }
        self.heading("Steps");
        self.parts
            .push("| migration | runs | proven in |\n| --- | --- | --- |\n".to_owned());
        for step in &plan.steps {
            self.parts.push(step_row(step));
        }
        for step in &plan.steps {
            let mut part = String::new();
            for note in &step.notes {
                part.push_str(&format!("  - note: {}\n", shown(note)));
            }
            for (kind, lines) in deeds(plan, step) {
                for line in lines {
                    part.push_str(&format!("  - {kind}: {}\n", shown(&line)));
                }
            }
            if !part.is_empty() {
                let name = shown(step.migration.as_str());
                self.parts.push(format!("\n- {name}\n{part}"));
            }
        }
    }

    /// What to type next.
    pub fn next(&mut self, command: &str) {
        let command = clipped(&one_line(command), LONGEST);
        let fence = fence(&command);
        self.parts
            .push(format!("\n{fence}sh\n{command}\n{fence}\n"));
    }
}

/// The page of a plan.
#[must_use]
pub fn plan(plan: &Plan, ending: Ending<'_>) -> Page {
    let environment = plan.environment.as_str();
    let what = match plan.verdict() {
        Verdict::Ready => format!("ready, can take {}", count(plan.steps.len(), "migration")),
        Verdict::UpToDate => "up to date, nothing to do".to_owned(),
        Verdict::Refused => format!("refused, for {}", count(plan.refusals.len(), "reason")),
    };
    let whole = format!("tollgate plan {environment} --format json");
    let mut page = Page::new(environment, &what, whole);
    page.facts(plan, ending);
    if plan.verdict() == Verdict::Ready {
        page.steps(plan);
    }
    page.findings(plan);
    match (plan.verdict(), ending, &plan.ready_to) {
        (Verdict::Ready, Ending::Saved(_, file), _) => page.next(&format!(
            "tollgate apply {environment} --plan {}",
            shell(file)
        )),
        (Verdict::Ready, Ending::To(Some(to)), _) => page.next(&up_to(environment, to)),
        (Verdict::Refused, _, Some(to)) => {
            page.parts
                .push("\nWhat stands before it is ready:\n".to_owned());
            page.next(&up_to(environment, to));
        }
        (Verdict::Ready, Ending::To(None), _) => {
            page.next(&format!("tollgate apply {environment}"));
        }
        _ => {}
    }
    page
}

fn up_to(environment: &str, to: &MigrationId) -> String {
    format!("tollgate apply {environment} --to {}", shell(to.as_str()))
}

fn step_row(step: &Step) -> String {
    let statements = step
        .statements
        .map_or_else(|| "sent whole".to_owned(), |many| count(many, "statement"));
    let runs = format!(
        "{}, {statements}, {}",
        step.kind.as_str(),
        step.checksum.short()
    );
    let proven: Vec<String> = step
        .proofs
        .iter()
        .map(|proof| {
            format!(
                "{} {} by {}",
                proof.environment,
                proof.at.minute(),
                proof.by
            )
        })
        .collect();
    let proven = match proven.is_empty() {
        true => "-".to_owned(),
        false => cell(&proven.join("; ")),
    };
    format!(
        "| {} | {} | {proven} |\n",
        cell(step.migration.as_str()),
        cell(&runs)
    )
}

/// In a table a bar parts, also within a span.
fn cell(text: &str) -> String {
    shown(text).replace('|', "\\|")
}

fn told(group: &Group<'_>) -> String {
    let mut out = match group.subjects.as_slice() {
        [] => "- all of it\n".to_owned(),
        [one] => format!("- {}\n", shown(one.as_str())),
        [first, .., last] => format!(
            "- {} to {}, {}\n",
            shown(first.as_str()),
            shown(last.as_str()),
            count(group.subjects.len(), "migration")
        ),
    };
    for found in &group.findings {
        out.push_str(&format!("  - **{}** {}\n", found.gate, shown(&found.fact)));
        for line in &found.found {
            out.push_str(&format!("    - found: {}\n", shown(line)));
        }
        if group.subjects.len() < 2 {
            out.push_str(&format!("    - required: {}\n", shown(&found.required)));
        }
        out.push_str(&format!("    - remedy: {}\n", shown(&found.remedy)));
    }
    out
}

fn shown(text: &str) -> String {
    span(&clipped(text, LONGEST))
}

fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((end, _)) => format!("{} ... (cut)", &text[..end]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_and_said() {
        let mut page = Page::new("prod", "ready", "tollgate plan prod");
        for part in 0..100 {
            page.fact("part", &"x".repeat(part));
        }
        let whole = page.markdown(usize::MAX);
        assert_eq!(page.markdown(whole.len()), whole);
        let cut = page.markdown(whole.len() - 1);
        assert!(cut.len() < whole.len());
        assert!(
            cut.contains("> **This summary leaves something out"),
            "{cut}"
        );
        assert!(cut.ends_with("`\n"), "{cut}");
        assert_eq!(page.markdown(20), "");
        for most in 0..whole.len() {
            assert!(page.markdown(most).len() <= most);
        }
    }

    #[test]
    fn a_text_leaves_neither_its_cell_nor_its_span() {
        assert_eq!(cell("a|b`c"), "`` a\\|b`c ``");
        assert_eq!(shown("a\n::error::b"), "`a ::error::b`");
        let long = shown(&"é".repeat(3_000));
        assert!(long.ends_with("é ... (cut)`"), "{long}");
    }
}
