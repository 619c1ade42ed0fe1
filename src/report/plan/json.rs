//! The plan as `tollgate/plan/v1`.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::digest::{ChainHash, Checksum, Sha256};
use crate::ledger::view::Backup;
use crate::lint::{Level, Work};
use crate::model::entry::BackupKind;
use crate::model::{EnvironmentName, IncidentName, MigrationId, RehearsedDown, Release, Timestamp};
use crate::planner::{Finding, Plan, Step, StepEffect, StepFinding, Waived};
use crate::report::waiver_json;
use crate::sql::changes::Name;
use crate::targets::Rows;

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    id: ChainHash,
    environment: &'a EnvironmentName,
    verdict: &'static str,
    /// The digest of the policy that it was made under.
    policy: ChainHash,
    /// The saved plan that it holds to.
    #[serde(skip_serializing_if = "Option::is_none")]
    release: Option<&'a Release>,
    steps: Vec<JsonStep<'a>>,
    refusals: Vec<JsonFinding<'a>>,
    warnings: Vec<JsonFinding<'a>>,
    waived: Vec<serde_json::Value>,
    /// Only of a plan through broken glass.
    #[serde(skip_serializing_if = "Option::is_none")]
    glass: Option<JsonGlass<'a>>,
    backup: Option<JsonBackup<'a>>,
    ready_to: Option<&'a MigrationId>,
}

#[derive(Serialize)]
struct JsonGlass<'a> {
    incident: &'a IncidentName,
    reason: &'a str,
    review_by: Timestamp,
    skipped: Vec<JsonFinding<'a>>,
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
        policy: plan.policy,
        release: plan.release.as_ref(),
        steps: plan.steps.iter().map(|it| step(plan, it)).collect(),
        refusals: plan.refusals.iter().map(as_json).collect(),
        warnings: plan.warnings.iter().map(as_json).collect(),
        waived: plan.waived.iter().map(as_waived).collect(),
        glass: plan.glass.as_ref().map(|broken| JsonGlass {
            incident: &broken.incident,
            reason: &broken.reason,
            review_by: broken.review_by,
            skipped: broken.skipped.iter().map(as_json).collect(),
        }),
        backup: plan.backup.as_ref().map(JsonBackup::of),
        ready_to: plan.ready_to.as_ref(),
    })
}
