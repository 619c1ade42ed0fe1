//! A plan, for people and for machines.

mod annotations;
mod does;
mod json;

use super::{Paint, count, glass, told_waivers};
use crate::model::MigrationId;
use crate::model::entry::BackupKind;
use crate::planner::gates::{self, shell, told};
use crate::planner::saved::SavedPlan;
use crate::planner::{Finding, Gate, Plan, Step, Verdict};

pub use annotations::{annotations, of_finding};
pub use does::{deeds, effects};
pub use json::{finding_json, json};

/// What is said of how a ready plan is run.
#[derive(Debug, Clone, Copy)]
pub enum Ending<'a> {
    /// By the verb: up to that migration, where one was named.
    To(Option<&'a MigrationId>),
    /// It was saved, in that file.
    Saved(&'a SavedPlan, &'a str),
}

/// The plan for people, ending in a line feed.
#[must_use]
pub fn text(plan: &Plan, ending: Ending<'_>, paint: Paint) -> String {
    match plan.verdict() {
        Verdict::Refused => refused(plan, paint),
        Verdict::UpToDate => format!(
            "{}: up to date, nothing to do\n{}{}",
            plan.environment,
            warnings(plan, paint),
            waived(plan, paint)
        ),
        Verdict::Ready => {
            let mut out = format!(
                "{} {}\n",
                paint.good("ready:"),
                paint.bold(&format!(
                    "{} can take {}",
                    plan.environment,
                    count(plan.steps.len(), "migration")
                ))
            );
            for step in &plan.steps {
                out.push_str(&described(plan, step, paint));
            }
            out.push_str(&warnings(plan, paint));
            out.push_str(&waived(plan, paint));
            out.push_str(&stands_on(plan));
            out.push_str(&format!(
                "\n  {}\n",
                paint.dim(&format!("plan {}", plan.id))
            ));
            match ending {
                Ending::To(to) => {
                    let to = to.map(|to| format!(" --to {}", shell(to.as_str())));
                    out.push_str(&format!(
                        "  to run it: tollgate apply {}{}\n",
                        plan.environment,
                        to.unwrap_or_default()
                    ));
                }
                Ending::Saved(saved, file) => out.push_str(&saved_as(saved, file)),
            }
            out
        }
    }
}

/// Where a plan was saved, and what is next.
fn saved_as(saved: &SavedPlan, file: &str) -> String {
    let content = &saved.content;
    let mut out = format!("\n  {:<9} {file}\n  {:<9} {}\n", "saved", "id", saved.id);
    if let Some(expires) = content.expires {
        out.push_str(&format!("  {:<9} {}\n", "expires", expires.minute()));
    }
    if let Some(change) = &content.change {
        out.push_str(&format!("  {:<9} {change}\n", "change"));
    }
    if content.git.as_ref().is_some_and(|git| git.dirty) {
        out.push_str(&format!(
            "  {:<9} made from a work tree with changes that are in no commit\n",
            "dirty"
        ));
    }
    let file = shell(file);
    let approve = match content.policy.words.contains_key("approvals") {
        true => format!("  {:<9} tollgate approve {file} --as '<name>'\n", ""),
        false => String::new(),
    };
    out.push_str(&format!(
        "  {:<9} tollgate review {file}\n{approve}  {:<9} tollgate apply {} --plan {file}\n",
        "next", "", content.environment
    ));
    out
}

/// The backup that a ready plan stands on; empty where none is asked for.
fn stands_on(plan: &Plan) -> String {
    let Some(backup) = &plan.backup else {
        return String::new();
    };
    let verified = match &backup.entry.what {
        BackupKind::File { verified, .. } => match verified {
            Some(_) => ", restored and found equal",
            None => ", not restored: a hope",
        },
        BackupKind::Attested { .. } => "",
    };
    format!(
        "\n  stands on the backup of {}{verified}\n",
        gates::backup::name(backup)
    )
}

fn described(plan: &Plan, step: &Step, paint: Paint) -> String {
    let statements = step.statements.map_or_else(
        || "sent whole".to_owned(),
        |statements| count(statements, "statement"),
    );
    let mut out = format!("\n  {}\n", paint.bold(&step.migration.to_string()));
    out.push_str(&row(
        "runs",
        &format!(
            "{}, {statements}, {}",
            step.kind.as_str(),
            step.checksum.short()
        ),
    ));
    for note in &step.notes {
        out.push_str(&row("note", note));
    }
    out.push_str(&does::told(plan, step));
    for proof in &step.proofs {
        out.push_str(&row(
            "proven",
            &format!(
                "{} {} by {}{}{}",
                proof.environment,
                proof.at.minute(),
                proof.by,
                told(proof.told_by.as_ref()),
                told_waivers(&proof.waivers)
            ),
        ));
    }
    for known in &step.rehearsals {
        out.push_str(&row(
            "rehearsed",
            &format!(
                "{} {} by {}, {}, data: {}{}",
                known.environment,
                known.at.minute(),
                known.by,
                known.down.result.as_str(),
                known.down.data.as_str(),
                told(known.told_by.as_ref())
            ),
        ));
    }
    out
}

fn row(label: &str, text: &str) -> String {
    format!("    {label:<11} {text}\n")
}

fn refused(plan: &Plan, paint: Paint) -> String {
    let mut subjects: Vec<&MigrationId> = plan
        .refusals
        .iter()
        .filter_map(|refusal| refusal.migration.as_ref())
        .collect();
    subjects.sort_unstable();
    subjects.dedup();
    let about_all = plan
        .refusals
        .iter()
        .any(|refusal| refusal.migration.is_none());
    let unearned = plan
        .refusals
        .iter()
        .all(|refusal| refusal.gate == Gate::Promotion);
    let what = if about_all || subjects.is_empty() {
        format!("{} takes nothing as it is", plan.environment)
    } else if unearned {
        let place = if subjects.len() == 1 {
            "has not earned its place"
        } else {
            "have not earned their place"
        };
        format!(
            "{} has {} that {place}",
            plan.environment,
            count(subjects.len(), "migration")
        )
    } else {
        format!(
            "{} has {} that cannot pass",
            plan.environment,
            count(subjects.len(), "migration")
        )
    };
    let mut out = format!("{} {}\n", paint.bad("refused:"), paint.bold(&what));
    out.push_str(&findings(&plan.refusals, paint));
    out.push_str(&warnings(plan, paint));
    out.push_str(&waived(plan, paint));
    if let Some(broken) = &plan.glass {
        out.push_str("\n  breaking glass does not skip that; nothing was done\n");
        if !broken.skipped.is_empty() {
            out.push_str(&format!(
                "  it would skip\n{}",
                glass::skipped(broken, paint)
            ));
        }
        return out;
    }
    if let Some(last) = &plan.ready_to {
        let ready = plan
            .steps
            .iter()
            .take_while(|step| step.migration != *last)
            .count()
            + 1;
        let verb = if ready == 1 { "is" } else { "are" };
        out.push_str(&format!(
            "\n  {ready} before it {verb} ready: tollgate apply {} --to {}\n",
            plan.environment,
            shell(last.as_str())
        ));
    }
    out
}

/// Findings, each under its subject: first those about the whole environment.
#[must_use]
pub fn findings(findings: &[Finding], paint: Paint) -> String {
    let mut out = String::new();
    for group in grouped(findings) {
        if group.subjects.is_empty() {
            for found in group.findings {
                out.push('\n');
                out.push_str(&finding(found, paint));
            }
        } else {
            out.push('\n');
            out.push_str(&shown_group(&group, paint));
        }
    }
    out
}

/// Findings by subject: first those about the whole environment, in a group of no subject.
pub(super) fn grouped(findings: &[Finding]) -> Vec<Group<'_>> {
    let about_all: Vec<&Finding> = findings
        .iter()
        .filter(|found| found.migration.is_none())
        .collect();
    let mut subjects: Vec<&MigrationId> = findings
        .iter()
        .filter_map(|found| found.migration.as_ref())
        .collect();
    subjects.sort_unstable();
    subjects.dedup();
    let all = (!about_all.is_empty()).then_some(Group {
        subjects: Vec::new(),
        findings: about_all,
    });
    all.into_iter().chain(groups(&subjects, findings)).collect()
}

/// Migrations that are refused for the same reasons, one after another.
pub(super) struct Group<'a> {
    pub(super) subjects: Vec<&'a MigrationId>,
    /// The findings about the last of them: its remedy covers those before it.
    pub(super) findings: Vec<&'a Finding>,
}

/// Migrations in a row whose findings differ only in the names are told once: with hundreds of them
/// pending nobody could find the one that matters. The document of `--format json` has each.
fn groups<'a>(subjects: &[&'a MigrationId], refusals: &'a [Finding]) -> Vec<Group<'a>> {
    fn reasons<'f>(findings: &[&'f Finding]) -> Vec<(&'f str, &'f str, &'f [String])> {
        let reason = |f: &&'f Finding| (f.gate.as_str(), f.fact.as_str(), f.found.as_slice());
        findings.iter().map(reason).collect()
    }
    let mut groups: Vec<Group<'a>> = Vec::new();
    for subject in subjects {
        let about = |finding: &&Finding| finding.migration.as_ref() == Some(*subject);
        let findings: Vec<&Finding> = refusals.iter().filter(about).collect();
        let of_one_kind = findings
            .iter()
            .all(|finding| matches!(finding.gate, Gate::Promotion | Gate::Rehearsal));
        match groups.last_mut() {
            Some(last) if of_one_kind && reasons(&last.findings) == reasons(&findings) => {
                last.subjects.push(subject);
                last.findings = findings;
            }
            _ => groups.push(Group {
                subjects: vec![subject],
                findings,
            }),
        }
    }
    groups
}

/// More than this many of one kind are told as the first, the last and how many.
const TOLD_ONE_BY_ONE: usize = 6;

fn shown_group(group: &Group<'_>, paint: Paint) -> String {
    let mut out = String::new();
    match group.subjects.as_slice() {
        [first, between @ .., last] if group.subjects.len() > TOLD_ONE_BY_ONE => {
            let between = format!("... {} more ...", between.len());
            out.push_str(&format!(
                "  {}\n  {between}\n  {}\n",
                paint.bold(&first.to_string()),
                paint.bold(&last.to_string())
            ));
        }
        all => {
            for subject in all {
                out.push_str(&format!("  {}\n", paint.bold(&subject.to_string())));
            }
        }
    }
    for found in &group.findings {
        if group.subjects.len() > 1 {
            // Each has bytes of its own, so no single checksum is the one that is required.
            let mut shared = (*found).clone();
            shared.required = shared.required.replace(
                first_word_with_checksum(&shared.required),
                "each one's bytes",
            );
            out.push_str(&finding(&shared, paint));
        } else {
            out.push_str(&finding(found, paint));
        }
    }
    out
}

fn first_word_with_checksum(text: &str) -> &str {
    text.split(' ')
        .find(|word| word.starts_with("blake3:"))
        .unwrap_or("blake3:")
}

/// One finding, indented under its subject.
fn finding(finding: &Finding, paint: Paint) -> String {
    let mut out = format!(
        "    {} {}\n",
        paint.warn(&format!("{:<11}", finding.gate.as_str())),
        finding.fact
    );
    let mut label = "found";
    for line in &finding.found {
        out.push_str(&format!("                {label:<9} {line}\n"));
        label = "";
    }
    out.push_str(&format!(
        "                {:<9} {}\n",
        "required", finding.required
    ));
    out.push_str(&format!(
        "                {:<9} {}\n",
        "remedy", finding.remedy
    ));
    out
}

/// The warnings, each with its remedy; empty where there are none.
#[must_use]
pub fn warnings(plan: &Plan, paint: Paint) -> String {
    let mut out = String::new();
    for warning in &plan.warnings {
        let subject = warning
            .migration
            .as_ref()
            .map_or_else(|| plan.environment.to_string(), ToString::to_string);
        out.push_str(&format!(
            "\n{} {}: {subject}: {}\n",
            paint.warn("warning:"),
            warning.gate,
            warning.fact
        ));
        let mut label = "found";
        for line in &warning.found {
            out.push_str(&format!("  {label:<9} {line}\n"));
            label = "";
        }
        out.push_str(&format!("  remedy    {}\n", warning.remedy));
    }
    out
}

/// What would be refused and somebody accepted, with who and why; empty where there is nothing.
#[must_use]
pub fn waived(plan: &Plan, paint: Paint) -> String {
    let mut out = String::new();
    for waived in &plan.waived {
        let (finding, waiver) = (&waived.finding, &waived.waiver);
        out.push_str(&format!(
            "\n{} {} {} by {}, {}: {}\n",
            paint.warn("waived:"),
            waiver.gate,
            waiver.migration,
            waiver.actor,
            waiver.at.minute(),
            waiver.why()
        ));
        let mut lines = std::iter::once(&finding.fact).chain(&finding.found);
        if let Some(fact) = lines.next() {
            out.push_str(&format!("  {:<9} {fact}\n", "what"));
        }
        for line in lines {
            out.push_str(&format!("  {:<9} {line}\n", ""));
        }
    }
    out
}
