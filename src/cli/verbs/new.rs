//! `tollgate new NAME`, `tollgate new --down MIGRATION`

mod down;

use serde_json::json;

use crate::cli::args::{Global, New};
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::Project;
use crate::cli::{Exit, Result};
use crate::ledger;
use crate::model::{MigrationId, Timestamp};
use crate::planner::gates::shell;
use crate::reverse::template;

/// File systems take 255 bytes; the stamp, and what is put beside a folder, need some.
const LONGEST: usize = 200;

/// So much of a name that is too long is proposed, or less.
const LONGEST_SHOWN: usize = 60;

#[expect(clippy::disallowed_methods, reason = "this verb makes files")]
pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &New) -> Result<Exit> {
    let project = Project::open(output, global)?;
    if let Some(migration) = &verb.down {
        return down::run(output, &project, migration);
    }
    let typed = verb.name.as_deref().unwrap_or_default();
    let name = words(typed);
    if name.is_empty() {
        return Err(Trouble::usage(
            format!("{typed:?} has no letter or digit to name a folder with"),
            "tollgate new add_email_to_subscribers",
        ));
    }
    let known: Vec<MigrationId> = if project.config.migrations.is_dir() {
        project
            .catalog()?
            .migrations
            .into_iter()
            .map(|file| file.id)
            .collect()
    } else {
        Vec::new()
    };
    if name.len() > LONGEST {
        let cut = &name[..LONGEST_SHOWN];
        let whole_words = cut.rsplit_once('_').map_or(cut, |(words, _)| words);
        return Err(Trouble {
            consequence: Some("nothing was written".to_owned()),
            ..Trouble::usage(
                format!(
                    "a name of {} characters is more than a folder's may have everywhere: {LONGEST} at most",
                    name.len()
                ),
                format!("tollgate new {whole_words}"),
            )
        });
    }
    let stamp = stamp_after(newest(&known), (output.world.now)());
    let without = |id: &&MigrationId| id.stamp().is_none() && stamp.as_str() <= id.as_str();
    let without: Vec<&MigrationId> = known.iter().filter(without).collect();
    may_sort_before(&project, &without)?;
    let id = format!("{stamp}_{name}");
    let folder = project.config.migrations.join(&id);
    std::fs::create_dir_all(&folder).map_err(|error| Trouble::file(&folder, &error))?;
    let up = format!(
        "-- {id}\n-- Runs forward, in one transaction. Portable statements, one after another.\n\n"
    );
    let down = template(&id);
    for (file, text) in [("migration.sql", up), ("down.sql", down)] {
        let file = folder.join(file);
        std::fs::write(&file, text).map_err(|error| Trouble::file(&file, &error))?;
    }
    let shown = folder
        .strip_prefix(&project.config.root)
        .unwrap_or(&folder)
        .display()
        .to_string();
    if output.is_json() {
        output.document(&json!({ "schema": "tollgate/new/v1", "migration": id, "folder": shown }));
    } else {
        output.result(&format!(
            "{shown}/migration.sql\n{shown}/down.sql\n\n  next     edit both, then: tollgate apply {}\n",
            project.config.policy.chain().next().map_or("dev", |name| name.as_str())
        ));
    }
    Ok(Exit::Done)
}

/// Letters, digits and underscores, in lower case: what every file system and every tool takes.
fn words(name: &str) -> String {
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    let words: Vec<&str> = plain.split('_').filter(|word| !word.is_empty()).collect();
    words.join("_")
}

/// The newest of those whose name has a stamp. The others say nothing of when they come.
pub(crate) fn newest<'a>(
    ids: impl IntoIterator<Item = &'a MigrationId>,
) -> Option<&'a MigrationId> {
    let stamped = ids.into_iter().filter(|id| id.stamp().is_some());
    stamped.max()
}

/// A name that begins with a letter sorts after every stamp, also those to come. As long as it was not applied
/// anywhere it gets one; after that its name stays as it is, and is in nobody's way.
fn may_sort_before(project: &Project, without: &[&MigrationId]) -> Result<()> {
    if without.is_empty() {
        return Ok(());
    }
    let loaded = ledger::read_state(&project.config.ledger, &project.config.policy)?;
    let ran = |id: &MigrationId| {
        let mut everywhere = loaded.view.environments();
        everywhere
            .any(|(_, there)| there.applied.contains_key(id) || there.evidence.contains_key(id))
    };
    match without.iter().find(|id| !ran(id)) {
        None => Ok(()),
        Some(id) => Err(Trouble::usage(
            format!("{id} has no stamp, so a new migration would come before it"),
            format!(
                "tollgate restamp {}   # gives it one, before it is applied anywhere",
                shell(id.as_str())
            ),
        )),
    }
}

/// 14 digits, UTC, never at or below the newest stamp: the present second, or where the newest
/// migration is ahead of the clock, the smallest stamp that sorts after it.
pub(crate) fn stamp_after(newest: Option<&MigrationId>, now: Timestamp) -> String {
    let present = now.stamp();
    let Some(newest) = newest else { return present };
    if present.as_str() > newest.as_str() && newest.stamp() != Some(present.as_str()) {
        return present;
    }
    let digits: String = newest
        .as_str()
        .chars()
        .take_while(char::is_ascii_digit)
        .take(14)
        .collect();
    if let Some(at) = Timestamp::from_stamp(&digits) {
        return Timestamp::from_unix_millis(at.unix_millis() + 1000).stamp();
    }
    // 8 or 12 digits, or an hour 27: counted up as a number, then made 14 digits long. In byte order
    // `_` comes after every digit, so `20251104_a` stands after `20251104235959_b`.
    let width = digits.len();
    digits.parse::<u64>().map_or(present, |number| {
        format!("{:0<14}", format!("{:0width$}", number + 1))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_plain_words() {
        assert_eq!(
            words("Add E-mail to subscribers!"),
            "add_e_mail_to_subscribers"
        );
        assert_eq!(words("../../etc"), "etc");
        assert_eq!(words("---"), "");
    }

    #[test]
    fn a_new_stamp_sorts_after_the_newest() {
        let now = Timestamp::from_unix_millis(1_762_251_120_000); // 2025-11-04 10:12:00
        let after = |newest: &str| stamp_after(Some(&MigrationId::new(newest)), now);
        assert_eq!(stamp_after(None, now), "20251104101200");
        assert_eq!(after("20251104101159_a"), "20251104101200");
        assert_eq!(after("20251104101200_a"), "20251104101201");
        assert_eq!(after("20251231235959_a"), "20260101000000");
        assert_eq!(after("20251231270000_a"), "20251231270001");
        assert_eq!(after("20251104_a"), "20251105000000");
        assert_eq!(after("202511041013_a"), "20251104101400");
        assert_eq!(after("20251201_a"), "20251202000000");
        assert_eq!(after("0_init"), "20251104101200");
        for newest in [
            "20251104101200_a",
            "20251104_a",
            "20251201_a",
            "20251231270000_a",
            "20251104101200",
        ] {
            assert!(format!("{}_b", after(newest)).as_str() > newest, "{newest}");
        }
    }
}
