//! What of the tree changed since a revision: compared with the commit in which this branch parted from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::catalog::Catalog;
use crate::cli::Result;
use crate::cli::git::{Git, ObjectId};
use crate::lint::Finding;
use crate::lint::rules::place;
use crate::model::MigrationId;
use crate::planner::gates::shell;

/// The tree against a revision.
pub(super) struct Since {
    /// The revision, as it was typed.
    pub(super) revision: String,
    /// The commit that it names.
    pub(super) commit: ObjectId,
    /// The commit in which this branch parted from it.
    pub(super) base: ObjectId,
    /// The migrations that were not there, in order.
    pub(super) added: BTreeSet<MigrationId>,
    /// Those that were, with other bytes.
    pub(super) edited: BTreeSet<MigrationId>,
    /// Those that were and are gone.
    removed: BTreeSet<MigrationId>,
    /// Those that are gone under their name, and their new one.
    renamed: BTreeMap<MigrationId, MigrationId>,
    /// The newest migration that stands at the revision itself.
    pub(super) newest: Option<MigrationId>,
}

impl Since {
    pub(super) fn read(folder: &Path, revision: &str, catalog: &Catalog) -> Result<Self> {
        let git = Git::at(folder)?;
        let commit = git.commit(revision)?;
        let base = git.merge_base(revision, &commit)?;
        let then = migrations(git.files(&base)?);
        let newest = match base == commit {
            true => then.keys().next_back().cloned(),
            false => migrations(git.files(&commit)?).into_keys().next_back(),
        };
        let now: BTreeSet<&MigrationId> = catalog.migrations.iter().map(|file| &file.id).collect();
        let gone: Vec<&MigrationId> = then.keys().filter(|id| !now.contains(id)).collect();
        // A new one has to be hashed only where it may be an old one under another name.
        let to_hash: Vec<&MigrationId> = now
            .into_iter()
            .filter(|id| then.contains_key(id) || !gone.is_empty())
            .collect();
        let paths: Vec<String> = to_hash
            .iter()
            .map(|id| format!("{id}/migration.sql"))
            .collect();
        let hashes: BTreeMap<&MigrationId, ObjectId> =
            to_hash.into_iter().zip(git.hash(&paths)?).collect();

        let mut since = Self {
            revision: revision.to_owned(),
            commit,
            base,
            added: BTreeSet::new(),
            edited: BTreeSet::new(),
            removed: BTreeSet::new(),
            renamed: BTreeMap::new(),
            newest,
        };
        for file in &catalog.migrations {
            match then.get(&file.id) {
                None => _ = since.added.insert(file.id.clone()),
                Some(id) if hashes.get(&file.id) != Some(id) => {
                    since.edited.insert(file.id.clone());
                }
                Some(_) => {}
            }
        }
        for old in gone {
            let same = |new: &&MigrationId| {
                let taken = since.renamed.values().any(|taken| taken == *new);
                !taken && hashes.get(*new) == then.get(old)
            };
            match since.added.iter().find(same).cloned() {
                Some(new) => _ = since.renamed.insert(old.clone(), new),
                None => _ = since.removed.insert(old.clone()),
            }
        }
        Ok(since)
    }

    /// Whether a migration is another one than at the revision, or was not there.
    pub(super) fn changed(&self, migration: &MigrationId) -> bool {
        self.added.contains(migration) || self.edited.contains(migration)
    }

    /// What was done to migrations that stand at the revision. `path` is a script's, as a user types it.
    pub(super) fn findings(&self, path: impl Fn(&MigrationId) -> String) -> Vec<Finding> {
        let source = match self.base == self.commit {
            true => self.revision.clone(),
            false => self.base.chars().take(12).collect(),
        };
        let restore =
            |id: &MigrationId| format!("git checkout {} -- {}", shell(&source), shell(&path(id)));
        let edited = self.edited.iter();
        let edited = edited.map(|id| place::edited(id, &self.revision, restore(id)));
        let removed = self.removed.iter();
        let removed = removed.map(|id| place::removed(id, &self.revision, restore(id)));
        let renamed = self.renamed.iter();
        let renamed = renamed.map(|(old, new)| place::renamed(old, new, &self.revision));
        edited.chain(removed).chain(renamed).collect()
    }
}

/// The migrations among some files: a folder with its script.
fn migrations(files: BTreeMap<String, ObjectId>) -> BTreeMap<MigrationId, ObjectId> {
    let of = |(path, id): (String, ObjectId)| {
        let (folder, script) = path.split_once('/')?;
        (script == "migration.sql").then(|| (MigrationId::new(folder), id))
    };
    files.into_iter().filter_map(of).collect()
}
