//! What became of a backup, as `tollgate/backup/v1`.

use serde_json::{Value, json};

use crate::cli::project::Project;
use crate::model::EnvironmentName;
use crate::model::entry::{BackedUp, BackupKind};
use crate::report::{plan, verify};
use crate::workflows::backup::{
    Attested, Checked, Comparison, Ended, Found, Listed, Listing, Manifest, Proof, Report,
};

const SCHEMA: &str = "tollgate/backup/v1";

pub(super) fn ended(project: &Project, environment: &EnvironmentName, ended: &Ended) -> Value {
    let (end, refusal, report) = match ended {
        Ended::Refused(finding) => ("refused", plan::finding_json(finding), None),
        Ended::Nothing => ("nothing", Value::Null, None),
        Ended::Done(report) => ("done", Value::Null, Some(report)),
    };
    json!({
        "schema": SCHEMA,
        "action": "take",
        "environment": environment,
        "end": end,
        "path": report.map(|report| project.shown(&report.path)),
        "backup": report.map(|report| backup(&report.manifest)),
        "proof": report.map(|report| proof(&report.proof)),
        "deleted": report.map(|report| deleted(report)),
        "left_over": report.map(|report| &report.left_over),
        "refusal": refusal,
    })
}

fn backup(manifest: &Manifest) -> Value {
    json!({
        "file": manifest.file, "size": manifest.size,
        "sha256": manifest.sha256, "blake3": manifest.blake3,
        "environment": manifest.environment, "target": manifest.target,
        "taken": manifest.begun, "ended": manifest.ended, "duration_ms": manifest.duration_ms,
        "receipt": manifest.receipt, "engine": manifest.engine, "server": manifest.server,
        "made_by": manifest.made_by, "schema_digest": manifest.schema_digest,
        "verified": manifest.verified, "not_compared": manifest.not_compared,
    })
}

fn deleted(report: &Report) -> Value {
    let one = |deleted: &crate::workflows::backup::Deleted| json!({ "file": deleted.file, "size": deleted.size, "taken": deleted.begun });
    report.deleted.iter().map(one).collect()
}

fn proof(proof: &Proof) -> Value {
    let (state, comparison, error) = match proof {
        Proof::NotAsked => ("not-asked", None, None),
        Proof::Equal { comparison, .. } => ("equal", Some(comparison), None),
        Proof::Different(comparison) => ("different", Some(comparison), None),
        Proof::NotRestored(error) => ("not-restored", None, Some(error)),
        Proof::NotTried(error) => ("not-tried", None, Some(error)),
    };
    json!({
        "state": state,
        "comparison": comparison.map(compared),
        "error": error.map(|error| &error.fact),
        "remedy": error.and_then(|error| error.remedy.as_ref()),
    })
}

fn compared(comparison: &Comparison) -> Value {
    let data = comparison.data.iter();
    json!({
        "schema": verify::json(&comparison.schema),
        "data": data.map(ToString::to_string).collect::<Vec<_>>(),
        "tables": comparison.tables, "rows": comparison.rows,
        "not_compared": comparison.not_compared,
    })
}

pub(super) fn attested(environment: &EnvironmentName, ended: &Attested) -> Value {
    let entry = |entry: &BackedUp| {
        let place = match &entry.what {
            BackupKind::Attested { place } => place,
            BackupKind::File { file, .. } => file,
        };
        json!({ "place": place, "taken": entry.taken, "receipt": entry.receipt, "seen": false })
    };
    let (end, recorded, refusal) = match ended {
        Attested::Refused(finding) => ("refused", Value::Null, plan::finding_json(finding)),
        Attested::Done(done) => ("done", entry(done), Value::Null),
    };
    json!({
        "schema": SCHEMA, "action": "attest", "environment": environment,
        "end": end, "backup": recorded, "refusal": refusal,
    })
}

pub(super) fn checked(project: &Project, environment: &EnvironmentName, ended: &Checked) -> Value {
    let (end, found, refusal) = match ended {
        Checked::Refused(finding) => ("refused", Value::Null, plan::finding_json(finding)),
        Checked::Found(found) => {
            let end = if found.is_good() { "good" } else { "not-good" };
            (end, check(&project.shown(&found.path), found), Value::Null)
        }
    };
    json!({
        "schema": SCHEMA, "action": "check", "environment": environment,
        "end": end, "found": found, "refusal": refusal,
    })
}

/// What a look at a file found.
pub(in crate::cli::verbs) fn check(shown: &str, found: &Found) -> Value {
    json!({
        "path": shown,
        "backup": found.manifest.as_ref().map(backup),
        "faults": found.faults,
        "notes": found.notes,
        "proof": proof(&found.proof),
    })
}

pub(super) fn listing(environment: &EnvironmentName, listing: &Listing) -> Value {
    let one = |backup: &Listed| {
        json!({
            "name": backup.name, "taken": backup.taken, "size": backup.size,
            "verified": backup.verified, "attested": backup.attested, "here": backup.is_here,
            "of_present_target": backup.is_of_present, "in_ledger": backup.is_known,
            "failed": backup.failed,
        })
    };
    json!({
        "schema": SCHEMA, "action": "list", "environment": environment,
        "backups": listing.backups.iter().map(one).collect::<Vec<_>>(),
        "without_manifest": listing.without_manifest,
    })
}
