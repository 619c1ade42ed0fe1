//! An emergency as one document.

use serde_json::{Value, json};

use crate::cli::project::Project;
use crate::planner::emergency::{Procedure, Step};

/// How the command ended.
pub(super) struct Ended<'a> {
    /// `done`, `shown`, `not-confirmed`, `open`, `refused`, `failed` or `interrupted`.
    pub(super) word: &'static str,
    /// What it did, in order.
    pub(super) took: &'a [String],
    /// One thing to do.
    pub(super) remedy: Option<&'a str>,
    /// What went wrong.
    pub(super) error: Option<&'a str>,
}

/// The emergency as `tollgate/emergency/v1`.
pub(super) fn document(project: &Project, now: &Procedure, ended: &Ended<'_>) -> Value {
    let stages: Vec<Value> = now
        .stages
        .iter()
        .map(|stage| {
            let (step, environment) = match &stage.step {
                Step::Backup => ("backup", Some(&now.last)),
                Step::Write => ("revert", None),
                Step::Before { environment, .. } => ("apply-before", Some(environment)),
                Step::Rehearse(environment) => ("rehearse", Some(environment)),
                Step::Apply(environment) => ("apply", Some(environment)),
            };
            let migrations = match &stage.step {
                Step::Before { migrations, .. } => json!(migrations),
                _ => Value::Null,
            };
            let done = stage.done.as_ref();
            json!({
                "step": step,
                "environment": environment,
                "migrations": migrations,
                "done": done.is_some(),
                "at": done.and_then(|done| done.at),
                "by": done.and_then(|done| done.by.as_ref()),
                "what": done.and_then(|done| done.what.as_ref()),
            })
        })
        .collect();
    json!({
        "schema": "tollgate/emergency/v1",
        "end": ended.word,
        "incident": now.incident.as_ref().map(|incident| incident.id),
        "opened": now.incident.as_ref().map(|incident| incident.at),
        "reason": now.incident.as_ref().map(|incident| &incident.reason),
        "migration": now.migration,
        "environment": now.last,
        "rollback": now.rollback,
        "folder": now
            .rollback
            .as_ref()
            .map(|id| project.path_of(id, "").trim_end_matches('/').to_owned()),
        "loses": now.loses,
        "not_back": now.not_back,
        "backup_before": now.file_before.as_ref().map(|file| project.shown(&project.backups().join(file))),
        "steps": stages,
        "next": now.next().map(|(place, _)| place),
        "took": ended.took,
        "error": ended.error,
        "remedy": ended.remedy,
    })
}
