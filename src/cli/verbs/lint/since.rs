//! What of the tree changed since a revision: compared with the commit in which this branch parted from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

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
    /// Whether there were no migrations in this folder: it may have had another name.
    pub(super) is_new_folder: bool,
    /// The folder, where it stands in another repository than the project: a submodule.
    apart: Option<PathBuf>,
}

impl Since {
    pub(super) fn read(
        root: &Path,
        folder: &Path,
        revision: &str,
        catalog: &Catalog,
    ) -> Result<Self> {
        let git = Git::at(folder)?;
        let above = Git::at(root).ok().and_then(|above| above.top());
        let apart = (above != git.top()).then(|| folder.to_owned());
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
            is_new_folder: then.is_empty(),
            apart,
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
        // Always the commit in which they parted: the revision itself may have gone on since.
        let base: String = self.base.chars().take(12).collect();
        // As the project's folder is where it is typed.
        let restore = |id: &MigrationId, file: &str| match &self.apart {
            None => {
                let path = path(id);
                let folder = path.strip_suffix("/migration.sql").unwrap_or(&path);
                format!(
                    "git checkout {base} -- {}",
                    shell(&format!("{folder}{file}"))
                )
            }
            Some(apart) => format!(
                "git -C {} checkout {base} -- {}",
                shell(&apart.display().to_string()),
                shell(&format!("{id}{file}"))
            ),
        };
        let edited = self.edited.iter();
        let edited =
            edited.map(|id| place::edited(id, &self.revision, restore(id, "/migration.sql")));
        let removed = self.removed.iter();
        // With all that stood beside its script.
        let removed = removed.map(|id| place::removed(id, &self.revision, restore(id, "")));
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
