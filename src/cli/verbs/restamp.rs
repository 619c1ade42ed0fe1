//! `tollgate restamp MIGRATION`

use serde_json::json;

use super::new::{newest, stamp_after};
use crate::cli::args::{Global, Restamp};
use crate::cli::evidence::{Lasts, put};
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::{Project, migration};
use crate::cli::{Exit, Result};
use crate::ledger::{self, View};
use crate::model::{EnvironmentName, Kind, MigrationId};
use crate::planner::gates::shell;

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Restamp) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let catalog = project.catalog()?;
    let ids: Vec<MigrationId> = catalog.migrations.into_iter().map(|file| file.id).collect();
    let loaded = ledger::read_state(&project.config.ledger, &project.config.policy)?;
    let old = migration(&verb.migration, &ids)
        .map_err(|trouble| gone(&loaded.view, &verb.migration, trouble))?;
    let mut forgiving = None;
    for (name, view) in loaded.view.environments() {
        if !view.applied.contains_key(&old) {
            continue;
        }
        if !project.config.policy.holds_to_names(name) {
            if project.config.policy.kind(name) != Kind::Ephemeral {
                forgiving.get_or_insert_with(|| name.clone());
            }
            continue;
        }
        return Err(Trouble {
            exit: Exit::Refused,
            fact: format!("{old} was applied in {name}, under this name"),
            consequence: Some(
                "a new name would make it another migration, which would run there again"
                    .to_owned(),
            ),
            remedy: Some("tollgate new '<what is still to be done>'".to_owned()),
        });
    }
    let elsewhere = elsewhere(&project, &loaded.view, &old);
    // Applied migrations count too: some may be on another branch and not on disk.
    let applied = loaded
        .view
        .environments()
        .flat_map(|(_, view)| view.applied.keys());
    let newest = newest(ids.iter().chain(applied));
    let rest = old
        .as_str()
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start_matches('_');
    let stamp = stamp_after(newest, (output.world.now)());
    let new = if rest.is_empty() {
        stamp
    } else {
        format!("{stamp}_{rest}")
    };
    let (from, to) = (
        project.config.migrations.join(old.as_str()),
        project.config.migrations.join(&new),
    );
    std::fs::rename(&from, &to).map_err(|error| Trouble::file(&from, &error))?;
    rename_in_down(&to.join("down.sql"), &old, &new)?;
    if output.is_json() {
        output.document(&json!({ "schema": "tollgate/restamp/v1", "from": old, "to": new, "applied_in_first": forgiving.is_some() }));
    } else {
        let next = match &forgiving {
            // What stands there under the old name is told below.
            Some(_) => String::new(),
            None => {
                let first = project.config.policy.chain().next();
                let first = first.map_or("dev", |name| name.as_str());
                format!("\n  next      tollgate plan {first}\n")
            }
        };
        output.result(&format!("{old} is now {new}\n{next}"));
        let paint = output.paint_notes();
        if let Some(first) = &forgiving {
            output.note(&format!(
                "{} {first} has it under its old name, and would run it again\n  remedy    tollgate reset {first}   # or give {first} an empty database, then: tollgate bind {first} --reason 'restamped {old}'\n",
                paint.warn("warning:")
            ));
        }
        for (name, whose) in &elsewhere {
            output.note(&format!("{} {name}: {whose}\n", paint.warn("note:")));
        }
    }
    Ok(Exit::Done)
}

/// What was typed is not on disk: where it is applied somewhere all the same, that is said.
pub(crate) fn gone(view: &View, typed: &str, trouble: Trouble) -> Trouble {
    let id = MigrationId::new(typed);
    let mut everywhere = view.environments();
    match everywhere.find(|(_, there)| there.applied.contains_key(&id)) {
        None => trouble,
        Some((name, _)) => Trouble::usage(
            format!("{id} was applied in {name}, and its folder is gone, or has another name now"),
            format!("tollgate log restore {}", shell(id.as_str())),
        ),
    }
}

/// The first comment of a `down.sql` says whose it is.
fn rename_in_down(path: &std::path::Path, old: &MigrationId, new: &str) -> Result<()> {
    #[expect(clippy::disallowed_methods, reason = "this verb renames files")]
    let Ok(bytes) = std::fs::read(path) else {
        return Ok(());
    };
    let Ok(text) = String::from_utf8(bytes) else {
        return Ok(());
    };
    let (first, rest) = text.split_at(text.find('\n').unwrap_or(text.len()));
    if first.trim_start().starts_with("--") && first.contains(old.as_str()) {
        let first = first.replace(old.as_str(), new);
        put(path, &format!("{first}{rest}"), Lasts::AtOnce)?;
    }
    Ok(())
}

/// Environments of which there are many databases, and in one of which it succeeded under its old name: what
/// that means for those who have such a one.
fn elsewhere(project: &Project, view: &View, old: &MigrationId) -> Vec<(EnvironmentName, String)> {
    let policy = &project.config.policy;
    let mut out = Vec::new();
    for name in policy.names() {
        let known = view.get(name);
        if !known.is_some_and(|there| there.evidence.contains_key(old)) {
            continue;
        }
        let told = match policy.kind(name) {
            Kind::Ordinary => continue,
            Kind::Personal => format!(
                "whoever else applied it to a database of their own has it there under its old name, and would run it again: tollgate reset {name}"
            ),
            Kind::Ephemeral => "it succeeded in one of many databases under its old name; a new one takes the new name, and has to prove it".to_owned(),
        };
        out.push((name.clone(), told));
    }
    out
}
