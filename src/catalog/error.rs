//! What can be wrong with a tree, in words.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// One thing that is wrong with a migrations folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogError {
    /// The file or folder.
    pub path: PathBuf,
    /// Where in the file, in bytes from 0, where it is one place.
    pub offset: Option<u64>,
    /// The fact, as a clause about the path: "begins with a byte-order mark".
    pub what: String,
    /// One thing to do, imperative; a command where there is one.
    pub remedy: Option<String>,
}

impl fmt::Display for CatalogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.path.display(), self.what)?;
        match self.offset {
            Some(offset) => write!(f, " (byte {offset})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CatalogError {}

impl CatalogError {
    fn new(
        path: PathBuf,
        offset: Option<u64>,
        what: impl Into<String>,
        remedy: Option<String>,
    ) -> Self {
        Self {
            path,
            offset,
            what: what.into(),
            remedy,
        }
    }

    pub(super) fn root(root: &Path, error: &io::Error) -> Self {
        let (what, remedy) = match error.kind() {
            io::ErrorKind::NotFound => (
                "does not exist".to_owned(),
                format!("mkdir -p '{}'", root.display()),
            ),
            io::ErrorKind::NotADirectory => (
                "is not a folder".to_owned(),
                "name the folder that holds the migrations in tollgate.toml (migrations = \"...\")"
                    .to_owned(),
            ),
            _ => return Self::unreadable(root.to_owned(), error),
        };
        Self::new(root.to_owned(), None, what, Some(remedy.to_owned()))
    }

    pub(super) fn unreadable(path: PathBuf, error: &io::Error) -> Self {
        let text = error.to_string();
        let reason = text
            .split_once(" (os error")
            .map_or(text.as_str(), |(words, _)| words);
        let remedy = (error.kind() == io::ErrorKind::PermissionDenied)
            .then(|| format!("chmod u+r '{}'", path.display()));
        let what = format!("cannot be read: {reason}");
        Self::new(path, None, what, remedy)
    }

    pub(super) fn prisma_8(path: PathBuf) -> Self {
        let remedy =
            "prisma --version   # tollgate reads the trees of Prisma 5, 6 and 7".to_owned();
        Self::new(
            path,
            None,
            "is a migration of Prisma 8 (it has a migration.json and no migration.sql), which tollgate does not read",
            Some(remedy),
        )
    }

    pub(super) fn not_a_file(path: PathBuf) -> Self {
        Self::new(
            path,
            None,
            "is not a file",
            Some("make it a plain file".to_owned()),
        )
    }

    pub(super) fn too_large(path: PathBuf, length: u64, limit_bytes: u64) -> Self {
        let what = format!("has {length} bytes, more than the limit of {limit_bytes}");
        Self::new(
            path,
            None,
            what,
            Some("split it into several migrations".to_owned()),
        )
    }

    pub(super) fn name_not_utf8(path: PathBuf) -> Self {
        let remedy = "rename the folder: its name is the migration's id".to_owned();
        Self::new(path, None, "has a name that is not UTF-8", Some(remedy))
    }

    pub(super) fn link_out(path: PathBuf, there: &Path) -> Self {
        let what = format!(
            "is a symbolic link that leads out of the migrations folder, to {}",
            there.display()
        );
        let remedy = "replace it by a copy: what runs has to stand in the tree".to_owned();
        Self::new(path, None, what, Some(remedy))
    }

    pub(super) fn byte_order_mark(path: PathBuf) -> Self {
        let remedy = format!(r"sed -i '1s/^\xEF\xBB\xBF//' '{}'", path.display());
        Self::new(path, Some(0), "begins with a byte-order mark", Some(remedy))
    }

    pub(super) fn utf16(path: PathBuf) -> Self {
        let name = path.display();
        let remedy = format!("iconv -f UTF-16 -t UTF-8 '{name}' > tmp.sql && mv tmp.sql '{name}'");
        Self::new(path, Some(0), "is UTF-16, not UTF-8", Some(remedy))
    }

    pub(super) fn nul(path: PathBuf, offset: u64) -> Self {
        let remedy = "remove the byte: no database takes it".to_owned();
        Self::new(path, Some(offset), "holds a NUL byte", Some(remedy))
    }

    pub(super) fn not_utf8(path: PathBuf, offset: u64) -> Self {
        let name = path.display();
        let remedy = format!(
            "iconv -f LATIN1 -t UTF-8 '{name}' > tmp.sql && mv tmp.sql '{name}'   # or from what it was written in"
        );
        Self::new(path, Some(offset), "is not UTF-8", Some(remedy))
    }
}
