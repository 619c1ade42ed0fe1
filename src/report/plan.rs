//! A plan, for people and for machines.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Paint, count, told_waivers, waiver_json};
use crate::digest::{ChainHash, Checksum, Sha256};
use crate::ledger::view::Backup;
use crate::lint::{Level, Topic, Work};
use crate::model::entry::BackupKind;
use crate::model::{EnvironmentName, MigrationId, RehearsedDown, Timestamp};
use crate::planner::gates::{self, shell, told};
use crate::planner::{Finding, Gate, Plan, Step, StepEffect, StepFinding, Verdict, Waived};
use crate::sql::changes::Name;
use crate::targets::Rows;

/// The plan for people, ending in a line feed.
#[must_use]
pub fn text(plan: &Plan, to: Option<&MigrationId>, paint: Paint) -> String {
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
                out.push_str(&described(step, &plan.rows, paint));
            }
            out.push_str(&warnings(plan, paint));
            out.push_str(&waived(plan, paint));
            out.push_str(&stands_on(plan));
            out.push_str(&format!(
                "\n  {}\n",
                paint.dim(&format!("plan {}", plan.id))
            ));
            let to = to.map_or_else(String::new, |to| format!(" --to {}", shell(to.as_str())));
            out.push_str(&format!(
                "  to run it: tollgate apply {}{to}\n",
                plan.environment
            ));
            out
        }
    }
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

fn described(step: &Step, rows: &BTreeMap<Name, Rows>, paint: Paint) -> String {
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
    out.push_str(&does(step, rows));
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

/// So many lines of one kind are told of a step; the document of `--format json` has all.
const TOLD_OF_A_STEP: usize = 4;

/// What is worth knowing of what a step does: what it destroys, on what it may fail, what it locks for as long
/// as a table takes to be read or written, and what it says itself that it may. Empty where there is nothing.
fn does(step: &Step, rows: &BTreeMap<Name, Rows>) -> String {
    let mut out = String::new();
    let mut tell = |label: &str, lines: Vec<String>| {
        let more = lines.len().saturating_sub(TOLD_OF_A_STEP);
        for line in lines.iter().take(TOLD_OF_A_STEP) {
            out.push_str(&row(label, line));
        }
        if more > 0 {
            out.push_str(&row(label, &format!("{more} more; --format json has them")));
        }
    };
    let of_each = |told: &dyn Fn(&StepEffect) -> Vec<String>| -> Vec<String> {
        let effects = step.effects.iter();
        effects
            .flat_map(|it| {
                let line = it.line;
                told(it)
                    .into_iter()
                    .map(move |told| format!("line {line}: {told}"))
            })
            .collect()
    };
    let counted = |it: &StepEffect| counted(it, rows);
    tell(
        "destroys",
        of_each(&|it| {
            let destroys = it.effect.destroys.iter();
            destroys
                .map(|what| format!("{what}{}", counted(it)))
                .collect()
        }),
    );
    let accepted = step.findings.iter().filter_map(|it| {
        let reason = it.finding.allowed.as_ref()?;
        let is_loss = it.finding.rule.topic == Topic::DataLoss;
        is_loss.then(|| format!("line {}: {}: {reason}", it.line, it.finding.fact))
    });
    tell("accepted", accepted.collect());
    tell("may fail", of_each(&|it| it.effect.may_fail.clone()));
    tell(
        "locks",
        of_each(&|it| {
            let work = match it.effect.work {
                Work::None => return Vec::new(),
                Work::Scan => "while every row is read",
                Work::Rewrite => "while every row is written",
            };
            let lock = it.effect.lock.map(|lock| {
                let names: Vec<String> =
                    it.effect.touches.iter().map(ToString::to_string).collect();
                format!("{} ({lock}) {work}{}", names.join(", "), counted(it))
            });
            lock.into_iter().collect()
        }),
    );
    out
}

/// The rows of the tables that a statement touches, where they were counted.
fn counted(it: &StepEffect, rows: &BTreeMap<Name, Rows>) -> String {
    let mut known = it.effect.touches.iter().filter_map(|name| rows.get(name));
    match (known.next(), known.next()) {
        (Some(rows), None) => format!(" ({rows})"),
        _ => String::new(),
    }
}

/// The steps of which something is worth knowing, for whoever applies them.
#[must_use]
pub fn effects(plan: &Plan, paint: Paint) -> String {
    let mut out = String::new();
    for step in &plan.steps {
        let does = does(step, &plan.rows);
        if !does.is_empty() {
            out.push_str(&format!(
                "  {}\n{does}",
                paint.bold(&step.migration.to_string())
            ));
        }
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
    let about_all = findings.iter().filter(|found| found.migration.is_none());
    for found in about_all {
        out.push('\n');
        out.push_str(&finding(found, paint));
    }
    let mut subjects: Vec<&MigrationId> = findings
        .iter()
        .filter_map(|found| found.migration.as_ref())
        .collect();
    subjects.sort_unstable();
    subjects.dedup();
    for group in groups(&subjects, findings) {
        out.push('\n');
        out.push_str(&shown_group(&group, paint));
    }
    out
}

/// Migrations that are refused for the same reasons, one after another.
struct Group<'a> {
    subjects: Vec<&'a MigrationId>,
    /// The findings about the last of them: its remedy covers those before it.
    findings: Vec<&'a Finding>,
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
            waiver.reason
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

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    id: ChainHash,
    environment: &'a EnvironmentName,
    verdict: &'static str,
    steps: Vec<JsonStep<'a>>,
    refusals: Vec<JsonFinding<'a>>,
    warnings: Vec<JsonFinding<'a>>,
    waived: Vec<serde_json::Value>,
    backup: Option<JsonBackup<'a>>,
    ready_to: Option<&'a MigrationId>,
}

#[derive(Serialize)]
struct JsonBackup<'a> {
    file: Option<&'a str>,
    attested: Option<&'a str>,
    taken: Timestamp,
    by: &'a str,
    verified: bool,
}

impl<'a> JsonBackup<'a> {
    fn of(backup: &'a Backup) -> Self {
        let (file, attested, verified) = match &backup.entry.what {
            BackupKind::File { file, verified, .. } => (Some(&**file), None, verified.is_some()),
            BackupKind::Attested { place } => (None, Some(&**place), false),
        };
        Self {
            file,
            attested,
            taken: backup.entry.taken,
            by: &backup.by.0,
            verified,
        }
    }
}

#[derive(Serialize)]
struct JsonStep<'a> {
    migration: &'a MigrationId,
    checksum: Checksum,
    sha256: Sha256,
    kind: &'static str,
    statements: Option<usize>,
    /// How many of them stand already and are not sent again.
    standing: u64,
    notes: &'a [String],
    proofs: Vec<JsonProof<'a>>,
    rehearsals: Vec<JsonRehearsal<'a>>,
    effects: Vec<JsonEffect<'a>>,
    findings: Vec<serde_json::Value>,
}

#[derive(Serialize)]
struct JsonEffect<'a> {
    /// The statement's place in the script, from 1.
    statement: usize,
    line: usize,
    touches: Vec<JsonTouched<'a>>,
    destroys: &'a [String],
    may_fail: &'a [String],
    lock: Option<&'static str>,
    work: &'static str,
}

/// What a statement touches, with the rows that stand there where they were counted.
#[derive(Serialize)]
struct JsonTouched<'a> {
    schema: Option<&'a str>,
    name: &'a str,
    rows: Option<u64>,
    /// Whether that is what the database estimates.
    estimated: bool,
}

impl<'a> JsonEffect<'a> {
    fn of(it: &'a StepEffect, rows: &BTreeMap<Name, Rows>) -> Self {
        let touched = |name: &'a Name| {
            let (rows, estimated) = count_of(name, rows);
            JsonTouched {
                schema: name.schema.as_deref(),
                name: &name.name,
                rows,
                estimated,
            }
        };
        Self {
            statement: it.effect.statement + 1,
            line: it.line,
            touches: it.effect.touches.iter().map(touched).collect(),
            destroys: &it.effect.destroys,
            may_fail: &it.effect.may_fail,
            lock: it.effect.lock,
            work: match it.effect.work {
                Work::None => "none",
                Work::Scan => "scan",
                Work::Rewrite => "rewrite",
            },
        }
    }
}

fn count_of(name: &Name, rows: &BTreeMap<Name, Rows>) -> (Option<u64>, bool) {
    match rows.get(name) {
        None => (None, false),
        Some(Rows::Exactly(count)) => (Some(*count), false),
        Some(Rows::About(count)) => (Some(*count), true),
    }
}

fn step_finding(it: &StepFinding, rows: &BTreeMap<Name, Rows>) -> serde_json::Value {
    let finding = &it.finding;
    let table = finding.subject.as_ref().map(|(table, _)| table);
    let (count, estimated) = table.map_or((None, false), |table| count_of(table, rows));
    serde_json::json!({
        "rule": finding.rule.code,
        "level": match finding.rule.level {
            Level::Note => "note",
            Level::Warning => "warning",
            Level::Error => "error",
        },
        "line": it.line,
        "fact": finding.fact,
        "consequence": finding.consequence,
        "help": finding.help,
        "rows": count,
        "estimated": estimated,
        "allowed": finding.allowed,
    })
}

#[derive(Serialize)]
struct JsonRehearsal<'a> {
    environment: &'a EnvironmentName,
    at: Timestamp,
    by: &'a str,
    #[serde(flatten)]
    down: &'a RehearsedDown,
    #[serde(skip_serializing_if = "Option::is_none")]
    told_by: Option<&'a EnvironmentName>,
}

#[derive(Serialize)]
struct JsonProof<'a> {
    environment: &'a EnvironmentName,
    at: Timestamp,
    by: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    told_by: Option<&'a EnvironmentName>,
    waived: Vec<serde_json::Value>,
}

#[derive(Serialize)]
struct JsonFinding<'a> {
    gate: &'static str,
    migration: Option<&'a MigrationId>,
    fact: &'a str,
    found: String,
    required: &'a str,
    remedy: &'a str,
}

fn as_json(finding: &Finding) -> JsonFinding<'_> {
    JsonFinding {
        gate: finding.gate.as_str(),
        migration: finding.migration.as_ref(),
        fact: &finding.fact,
        found: finding.found.join("; "),
        required: &finding.required,
        remedy: &finding.remedy,
    }
}

/// A waiver, with what would be refused without it.
fn as_waived(waived: &Waived) -> serde_json::Value {
    let mut value = waiver_json(&waived.waiver);
    if let Some(object) = value.as_object_mut() {
        object.insert("fact".to_owned(), waived.finding.fact.clone().into());
        object.insert("found".to_owned(), waived.finding.found.join("; ").into());
        object.insert(
            "required".to_owned(),
            waived.finding.required.clone().into(),
        );
    }
    value
}

/// One finding, as the documents of every verb have it.
#[must_use]
pub fn finding_json(finding: &Finding) -> serde_json::Value {
    serde_json::json!(as_json(finding))
}

/// The plan as `tollgate/plan/v1`.
#[must_use]
pub fn json(plan: &Plan) -> serde_json::Value {
    fn step<'a>(plan: &'a Plan, step: &'a Step) -> JsonStep<'a> {
        JsonStep {
            migration: &step.migration,
            checksum: step.checksum,
            sha256: step.sha256,
            kind: step.kind.as_str(),
            statements: step.statements,
            standing: step.done,
            notes: &step.notes,
            proofs: step
                .proofs
                .iter()
                .map(|proof| JsonProof {
                    environment: &proof.environment,
                    at: proof.at,
                    by: &proof.by.0,
                    told_by: proof.told_by.as_ref(),
                    waived: proof.waivers.iter().map(waiver_json).collect(),
                })
                .collect(),
            rehearsals: step
                .rehearsals
                .iter()
                .map(|known| JsonRehearsal {
                    environment: &known.environment,
                    at: known.at,
                    by: &known.by.0,
                    down: &known.down,
                    told_by: known.told_by.as_ref(),
                })
                .collect(),
            effects: step
                .effects
                .iter()
                .map(|it| JsonEffect::of(it, &plan.rows))
                .collect(),
            findings: step
                .findings
                .iter()
                .map(|it| step_finding(it, &plan.rows))
                .collect(),
        }
    }
    serde_json::json!(Document {
        schema: "tollgate/plan/v1",
        id: plan.id,
        environment: &plan.environment,
        verdict: plan.verdict().as_str(),
        steps: plan.steps.iter().map(|it| step(plan, it)).collect(),
        refusals: plan.refusals.iter().map(as_json).collect(),
        warnings: plan.warnings.iter().map(as_json).collect(),
        waived: plan.waived.iter().map(as_waived).collect(),
        backup: plan.backup.as_ref().map(JsonBackup::of),
        ready_to: plan.ready_to.as_ref(),
    })
}
