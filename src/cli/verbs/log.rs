//! `tollgate log`, `log show MIGRATION`, `log restore MIGRATION`

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::export;
use crate::cli::args::{Global, Log, LogAction, LogBytes};
use crate::cli::exit::Trouble;
use crate::cli::files::not_read;
use crate::cli::output::Output;
use crate::cli::project::{Project, migration};
use crate::cli::{Exit, Result};
use crate::digest::{Checksum, Sha256};
use crate::ledger;
use crate::model::{EnvironmentName, MigrationId};
use crate::report;

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Log) -> Result<Exit> {
    let project = Project::open(output, global)?;
    match &verb.action {
        None => entries(output, &project, verb),
        Some(LogAction::Show(what)) => {
            let (id, checksum, bytes) = kept(&project, what)?;
            if output.is_json() {
                output.document(&json!({
                    "schema": "tollgate/script/v1",
                    "migration": id,
                    "checksum": checksum,
                    "sha256": Sha256::of(&bytes),
                    "script": String::from_utf8_lossy(&bytes),
                }));
            } else {
                output.bytes(&bytes);
            }
            Ok(Exit::Done)
        }
        Some(LogAction::Restore(what)) => restore(output, &project, what),
        Some(LogAction::Export(what)) => export::run(output, global, &project, what),
    }
}

fn entries(output: &mut Output<'_>, project: &Project, verb: &Log) -> Result<Exit> {
    let loaded = ledger::read(&project.config.ledger, &project.config.policy)?;
    let subjects = loaded
        .entries
        .iter()
        .filter_map(|(_, entry)| report::log::subject(entry));
    let only = match &verb.migration {
        Some(typed) => {
            let subjects: Vec<MigrationId> = subjects.collect();
            Some(migration(typed, &subjects)?)
        }
        None => None,
    };
    let mut shown: Vec<_> = loaded
        .entries
        .iter()
        .filter(|(_, entry)| only.is_none() || report::log::subject(entry) == only)
        .collect();
    if let Some(last) = verb.last {
        shown.drain(..shown.len().saturating_sub(last));
    }
    if output.is_json() {
        output.document(&report::log::json(&shown));
    } else if shown.is_empty() {
        output.result(&match (loaded.entries.len(), &only) {
            (0, _) => "no entries\n".to_owned(),
            (_, Some(migration)) if verb.last != Some(0) => {
                format!("no entries about {migration}\n")
            }
            (1, _) => "none asked for, of 1 entry\n".to_owned(),
            (all, _) => format!("none asked for, of {all} entries\n"),
        });
    } else {
        let paint = output.paint();
        // Numbers are each writer's own.
        let writers: BTreeSet<_> = loaded
            .entries
            .iter()
            .map(|(_, entry)| entry.writer)
            .collect();
        let text: String = shown
            .iter()
            .map(|(_, entry)| {
                let line = report::log::line(entry, paint);
                match writers.len() {
                    0 | 1 => line,
                    _ => format!("{} {line}", entry.writer.short()),
                }
            })
            .collect();
        output.result(&text);
    }
    Ok(Exit::Done)
}

/// The bytes of a migration that ran, from the ledger.
fn kept(project: &Project, what: &LogBytes) -> Result<(MigrationId, Checksum, Vec<u8>)> {
    let path = &project.config.ledger;
    let loaded = ledger::read_state(path, &project.config.policy)?;
    let only = what
        .environment
        .as_ref()
        .map(|typed| project.environment(typed))
        .transpose()?;
    let asked = |name: &EnvironmentName| only.as_ref().is_none_or(|only| only == name);
    let mut ran: BTreeMap<MigrationId, BTreeMap<Checksum, Vec<EnvironmentName>>> = BTreeMap::new();
    for (name, view) in loaded.view.environments().filter(|(name, _)| asked(name)) {
        let partial = view.partial.values();
        let begun = partial.map(|failed| &failed.attempted.intent.migration);
        let begun = begun.chain(view.standing.keys()).chain(view.applied.keys());
        for id in begun.collect::<BTreeSet<&MigrationId>>() {
            let Some(checksum) = view.bytes_of(id) else {
                continue;
            };
            let places = ran
                .entry(id.clone())
                .or_default()
                .entry(checksum)
                .or_default();
            places.push(name.clone());
        }
    }
    let spoken_of: Vec<MigrationId> = {
        let attempts = loaded.view.environments().filter(|(name, _)| asked(name));
        let failed = attempts.flat_map(|(_, view)| {
            let partial = view
                .partial
                .values()
                .map(|failed| &failed.attempted.intent.migration);
            let open = view.open.values().map(|open| &open.intent.migration);
            view.failed.keys().chain(partial).chain(open)
        });
        failed.cloned().collect()
    };
    let id = migration(&what.migration, ran.keys().chain(&spoken_of))?;
    let versions = ran.remove(&id).unwrap_or_default();
    let mut versions: Vec<(Checksum, Vec<EnvironmentName>)> = versions.into_iter().collect();
    let (checksum, places) = match (versions.pop(), versions.is_empty()) {
        (Some(one), true) => one,
        (Some((_, places)), false) => {
            return Err(Trouble::usage(
                format!("different bytes of {id} ran in different environments"),
                format!(
                    "name one: --environment {}",
                    places.first().map_or("ENV", EnvironmentName::as_str)
                ),
            ));
        }
        (None, _) => {
            return Err(Trouble::usage(
                format!("{id} succeeded nowhere, so no bytes of it ran"),
                format!("tollgate log --migration {id}"),
            ));
        }
    };
    let bytes = ledger::read_script(path, checksum)?.ok_or_else(|| {
        let places: Vec<&str> = places.iter().map(EnvironmentName::as_str).collect();
        Trouble::failed(
            format!(
                "{id} ran in {} under another ledger, and this one does not keep its bytes ({checksum})",
                places.join(", ")
            ),
            Some(format!("git log --all --stat -- '*/{id}/migration.sql'")),
        )
    })?;
    Ok((id, checksum, bytes))
}

#[expect(clippy::disallowed_methods, reason = "this verb puts a file back")]
fn restore(output: &mut Output<'_>, project: &Project, what: &LogBytes) -> Result<Exit> {
    let (id, checksum, bytes) = kept(project, what)?;
    let folder = project.config.migrations.join(id.as_str());
    let file = folder.join("migration.sql");
    let shown = project.script_path(&id);
    let present = match std::fs::read(&file) {
        Ok(present) => Some(present),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(not_read(&file, &shown, &error)),
    };
    let mut aside = None;
    if let Some(present) = present.filter(|present| *present != bytes) {
        // Nothing is lost: the edited file stands beside, under its checksum.
        let name = format!("migration.sql.{}", &Checksum::of(&present).hex()[..12]);
        let keep = folder.join(&name);
        std::fs::write(&keep, &present).map_err(|error| Trouble::file(&keep, &error))?;
        aside = Some(name);
    }
    std::fs::create_dir_all(&folder).map_err(|error| Trouble::file(&folder, &error))?;
    // Written beside and renamed, so that a full disk never leaves half a script.
    let partial = folder.join(".migration.sql.part");
    std::fs::write(&partial, &bytes).map_err(|error| Trouble::file(&partial, &error))?;
    std::fs::rename(&partial, &file).map_err(|error| Trouble::file(&file, &error))?;
    if output.is_json() {
        output.document(&json!({
            "schema": "tollgate/restore/v1",
            "migration": id,
            "checksum": checksum,
            "file": shown,
            "kept_aside": aside,
        }));
    } else {
        output.result(&format!(
            "{shown} holds the bytes that ran, {}\n",
            checksum.short()
        ));
        if let Some(aside) = aside {
            output.result(&format!("what stood there is kept beside it as {aside}\n"));
        }
    }
    Ok(Exit::Done)
}
