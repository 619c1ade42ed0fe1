//! `tollgate restamp MIGRATION`

use serde_json::json;

use super::new::{must_sort_last, stamp_after};
use crate::cli::args::{Global, Restamp};
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::{Project, migration};
use crate::cli::{Exit, Result};
use crate::ledger;
use crate::model::{Kind, MigrationId};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Restamp) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let catalog = project.catalog()?;
    let ids: Vec<MigrationId> = catalog.migrations.into_iter().map(|file| file.id).collect();
    let old = migration(&verb.migration, &ids)?;
    let loaded = ledger::read_state(&project.config.ledger, &project.config.policy)?;
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
    // Applied migrations count too: some may be on another branch and not on disk.
    let applied = loaded
        .view
        .environments()
        .flat_map(|(_, view)| view.applied.keys());
    let newest = ids.iter().chain(applied).max();
    let rest = old
        .as_str()
        .trim_start_matches(|c: char| c.is_ascii_digit())
        .trim_start_matches('_');
    let stamp = stamp_after(newest, (output.world.now)());
    must_sort_last(&stamp, newest.filter(|newest| **newest != old))?;
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
    if output.is_json() {
        output.document(&json!({ "schema": "tollgate/restamp/v1", "from": old, "to": new, "applied_in_first": forgiving.is_some() }));
    } else {
        output.result(&format!("{old} is now {new}\n"));
        if let Some(first) = &forgiving {
            let paint = output.paint_notes();
            output.note(&format!(
                "{} {first} has it under its old name, and would run it again\n  remedy    give {first} an empty database, then: tollgate bind {first} --reason 'restamped {old}'\n",
                paint.warn("warning:")
            ));
        }
    }
    Ok(Exit::Done)
}
