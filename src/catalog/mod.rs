//! Migrations on disk: a folder of folders, each with its `migration.sql`.
//!
//! The tree is taken as it is, in the layout that Prisma writes. The id of a migration is the whole
//! name of its folder, whatever it looks like, and the order is that of the bytes of the ids. No
//! byte of a script is changed or left out.

mod error;
mod script;

use std::ffi::OsString;
use std::io::Read as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

pub use error::CatalogError;

use crate::digest::{Checksum, Sha256};
use crate::model::MigrationId;
use crate::model::prisma::{LOCK_FILE, PrismaTree};

/// The size in bytes beyond which a script is refused, unless the caller says otherwise: 64 MiB.
pub const MAX_SCRIPT_BYTES: u64 = 64 * 1024 * 1024;

/// What stands in a migrations folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    /// The migrations, by the bytes of their ids; no id twice.
    pub migrations: Vec<MigrationFile>,
    /// Folders that are not migrations, by path.
    pub skipped: Vec<Skipped>,
    /// What Prisma's lock file says, where there is one: the tree is Prisma's.
    pub prisma: Option<PrismaTree>,
}

/// One migration as it stands on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MigrationFile {
    /// The folder's name.
    pub id: MigrationId,
    /// BLAKE3 of the exact bytes of the script.
    pub checksum: Checksum,
    /// SHA-256 of the same bytes.
    pub sha256: Sha256,
    /// The exact bytes of `migration.sql`: UTF-8, without NUL and without a byte-order mark.
    pub script: String,
    /// The prepared reversal: a `down.sql` beside it.
    pub down: Option<DownFile>,
    /// The path of `migration.sql`, beginning with the root as it was given.
    pub path: PathBuf,
}

/// The prepared reversal of a migration, as it stands on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownFile {
    /// BLAKE3 of the exact bytes of the script.
    pub checksum: Checksum,
    /// SHA-256 of the same bytes.
    pub sha256: Sha256,
    /// The exact bytes of `down.sql`: UTF-8, without NUL and without a byte-order mark.
    pub script: String,
}

/// A folder that is not a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The folder.
    pub path: PathBuf,
    /// Why, as a clause: "it has no migration.sql".
    pub why: String,
}

impl Catalog {
    /// The migration of that id.
    #[must_use]
    pub fn get(&self, id: &MigrationId) -> Option<&MigrationFile> {
        let place = self
            .migrations
            .binary_search_by(|migration| migration.id.cmp(id));
        place.ok().map(|place| &self.migrations[place])
    }
}

/// Reads a migrations folder. Of the plain files in it only Prisma's `migration_lock.toml` is looked at.
///
/// `limit_bytes` is the size beyond which a script is refused; see [`MAX_SCRIPT_BYTES`].
///
/// # Errors
/// Everything that is wrong in the whole tree, by path: a script that cannot be read, is not UTF-8,
/// begins with a byte-order mark, holds NUL or is too large, a link that leads out of the tree, a
/// name that is not UTF-8, a migration of Prisma 8. Never empty.
pub fn read(root: &Path, limit_bytes: u64) -> Result<Catalog, Vec<CatalogError>> {
    let names = folders(root).map_err(|error| vec![error])?;
    let prisma = lock_file(root).map_err(|error| vec![error])?;
    let (names, links): (Vec<Folder>, Vec<Folder>) = names
        .into_iter()
        .partition(|folder| prisma.is_none() || !folder.is_link);
    let found = read_all(root, &names, limit_bytes);

    let mut catalog = Catalog {
        migrations: Vec::with_capacity(found.len()),
        skipped: links
            .iter()
            .map(|link| root.join(&link.name))
            .filter(|path| path.is_dir())
            .map(|path| Skipped {
                path,
                why: "it is a symbolic link, and Prisma follows none".to_owned(),
            })
            .collect(),
        prisma,
    };
    let mut errors = Vec::new();
    for one in found {
        match one {
            Found::Migration(migration) => catalog.migrations.push(*migration),
            Found::Skipped(skipped) => catalog.skipped.push(skipped),
            Found::Nothing => {}
            Found::Wrong(wrong) => errors.extend(wrong),
        }
    }
    if !errors.is_empty() {
        errors.sort_by(|one, other| (&one.path, one.offset).cmp(&(&other.path, other.offset)));
        return Err(errors);
    }
    catalog
        .migrations
        .sort_by(|one, other| one.id.cmp(&other.id));
    catalog
        .skipped
        .sort_by(|one, other| one.path.cmp(&other.path));
    Ok(catalog)
}

/// What Prisma's lock file says. Bytes that are not UTF-8 cannot name a provider, and say nothing.
fn lock_file(root: &Path) -> Result<Option<PrismaTree>, CatalogError> {
    let path = root.join(LOCK_FILE);
    match std::fs::File::open(&path).and_then(|file| {
        let mut bytes = Vec::new();
        // A few lines. Whatever else stands under this name is not read to its end.
        file.take(64 * 1024).read_to_end(&mut bytes)?;
        Ok(bytes)
    }) {
        Ok(bytes) => Ok(Some(PrismaTree::read(&String::from_utf8_lossy(&bytes)))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(CatalogError::unreadable(path, &error)),
    }
}

/// What an entry of the root turned out to be.
enum Found {
    Migration(Box<MigrationFile>),
    Skipped(Skipped),
    /// A link to a plain file.
    Nothing,
    Wrong(Vec<CatalogError>),
}

/// An entry of the root that may be a migration.
struct Folder {
    name: OsString,
    is_link: bool,
}

fn folders(root: &Path) -> Result<Vec<Folder>, CatalogError> {
    let told = |error| CatalogError::root(root, &error);
    let mut out = Vec::new();
    for entry in std::fs::read_dir(root).map_err(told)? {
        let entry = entry.map_err(told)?;
        // The directory itself tells the type: no call for each entry.
        let kind = entry.file_type().map_err(told)?;
        if kind.is_dir() || kind.is_symlink() {
            out.push(Folder {
                name: entry.file_name(),
                is_link: kind.is_symlink(),
            });
        }
    }
    Ok(out)
}

/// Below this a second thread costs more than it saves.
const WORTH_A_THREAD: usize = 64;

fn read_all(root: &Path, folders: &[Folder], limit_bytes: u64) -> Vec<Found> {
    let one = |folder: &Folder| script::read(root, &folder.name, folder.is_link, limit_bytes);
    let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = processors.min(8).min(folders.len() / WORTH_A_THREAD);
    if threads < 2 {
        return folders.iter().map(one).collect();
    }
    std::thread::scope(|scope| {
        let parts: Vec<_> = folders
            .chunks(folders.len().div_ceil(threads))
            .map(|part| scope.spawn(move || part.iter().map(one).collect::<Vec<_>>()))
            .collect();
        parts
            .into_iter()
            .flat_map(|part| {
                part.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect()
    })
}
