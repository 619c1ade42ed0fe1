//! One folder. Few calls into the system: the tree may hold ten thousand.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::{CatalogError, DownFile, Found, MigrationFile, Skipped};
use crate::digest::{Checksum, Sha256};
use crate::model::MigrationId;

pub(super) fn read(root: &Path, name: &OsStr, is_link: bool, limit_bytes: u64) -> Found {
    let folder = root.join(name);
    if is_link {
        match leads_to(root, &folder) {
            Ok(there) if there.is_dir() => {}
            Ok(_) => return Found::Nothing,
            Err(Astray::Nowhere) => {
                let why = "it is a symbolic link that leads nowhere".to_owned();
                return Found::Skipped(Skipped { path: folder, why });
            }
            Err(Astray::Outside(there)) if there.is_file() => return Found::Nothing,
            Err(Astray::Outside(there)) => {
                return Found::Wrong(vec![CatalogError::link_out(folder, &there)]);
            }
        }
    }
    let path = folder.join("migration.sql");
    // The size from here also spares asking the open file for it.
    let length = match size(root, &path, limit_bytes) {
        Ok(length) => length,
        Err(SizeError::Missing) if folder.join("migration.json").is_file() => {
            return Found::Wrong(vec![CatalogError::prisma_8(folder)]);
        }
        Err(SizeError::Missing) => {
            let why = "it has no migration.sql".to_owned();
            return Found::Skipped(Skipped { path: folder, why });
        }
        Err(SizeError::Wrong(error)) => return Found::Wrong(vec![*error]),
    };
    let Some(id) = name.to_str() else {
        return Found::Wrong(vec![CatalogError::name_not_utf8(folder)]);
    };
    let bytes = match contents(&path, length, limit_bytes) {
        Ok(bytes) => bytes,
        Err(error) => return Found::Wrong(vec![CatalogError::unreadable(path, &error)]),
    };
    if bytes.len() as u64 > limit_bytes {
        let length = bytes.len() as u64;
        return Found::Wrong(vec![CatalogError::too_large(path, length, limit_bytes)]);
    }
    let (checksum, sha256) = (Checksum::of(&bytes), Sha256::of(&bytes));
    let (script, down) = match (text(&path, bytes), down(root, &folder, limit_bytes)) {
        (Ok(script), Ok(down)) => (script, down),
        (Err(mut errors), Err(others)) => {
            errors.extend(others);
            return Found::Wrong(errors);
        }
        (Err(errors), Ok(_)) | (Ok(_), Err(errors)) => return Found::Wrong(errors),
    };
    Found::Migration(Box::new(MigrationFile {
        id: MigrationId::new(id),
        checksum,
        sha256,
        script,
        down,
        path,
    }))
}

/// The prepared reversal, where one stands beside the script. A folder of that name is none.
fn down(
    root: &Path,
    folder: &Path,
    limit_bytes: u64,
) -> Result<Option<DownFile>, Vec<CatalogError>> {
    let path = folder.join("down.sql");
    let length = match size(root, &path, limit_bytes) {
        Ok(length) => length,
        Err(SizeError::Missing) => return Ok(None),
        Err(SizeError::Wrong(_)) if path.is_dir() => return Ok(None),
        Err(SizeError::Wrong(error)) => return Err(vec![*error]),
    };
    let bytes = contents(&path, length, limit_bytes)
        .map_err(|error| vec![CatalogError::unreadable(path.clone(), &error)])?;
    if bytes.len() as u64 > limit_bytes {
        let length = bytes.len() as u64;
        return Err(vec![CatalogError::too_large(path, length, limit_bytes)]);
    }
    let (checksum, sha256) = (Checksum::of(&bytes), Sha256::of(&bytes));
    Ok(Some(DownFile {
        checksum,
        sha256,
        script: text(&path, bytes)?,
    }))
}

enum SizeError {
    Missing,
    Wrong(Box<CatalogError>),
}

/// The script's size in bytes, where it is a file that may be read.
fn size(root: &Path, path: &Path, limit_bytes: u64) -> Result<u64, SizeError> {
    let wrong = |error| SizeError::Wrong(Box::new(error));
    let mut about = match path.symlink_metadata() {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(SizeError::Missing),
        Err(error) => return Err(wrong(CatalogError::unreadable(path.to_owned(), &error))),
    };
    if about.is_symlink() {
        let there = match leads_to(root, path) {
            Ok(there) => there,
            Err(Astray::Outside(there)) => {
                return Err(wrong(CatalogError::link_out(path.to_owned(), &there)));
            }
            Err(Astray::Nowhere) => {
                let error = io::Error::other("it is a symbolic link that leads nowhere");
                return Err(wrong(CatalogError::unreadable(path.to_owned(), &error)));
            }
        };
        about = there
            .symlink_metadata()
            .map_err(|error| wrong(CatalogError::unreadable(path.to_owned(), &error)))?;
    }
    // Reading a pipe would wait for ever.
    if !about.is_file() {
        return Err(wrong(CatalogError::not_a_file(path.to_owned())));
    }
    if about.len() > limit_bytes {
        return Err(wrong(CatalogError::too_large(
            path.to_owned(),
            about.len(),
            limit_bytes,
        )));
    }
    Ok(about.len())
}

enum Astray {
    Nowhere,
    Outside(PathBuf),
}

/// Where a symbolic link leads, if that is inside the tree.
fn leads_to(root: &Path, link: &Path) -> Result<PathBuf, Astray> {
    let there = link.canonicalize().map_err(|_| Astray::Nowhere)?;
    let root = root.canonicalize().map_err(|_| Astray::Nowhere)?;
    if there.starts_with(root) {
        Ok(there)
    } else {
        Err(Astray::Outside(there))
    }
}

/// The whole file, in one read where it has the size that it was said to have; a file that grows
/// meanwhile is read a little beyond the limit, and no further.
fn contents(path: &Path, length: u64, limit_bytes: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let size = |bytes: u64| usize::try_from(bytes).map_err(io::Error::other);
    let mut bytes = vec![0; size(length)? + 1];
    let mut filled = 0;
    loop {
        match file.read(&mut bytes[filled..]) {
            Ok(read) => {
                filled += read;
                // A read that does not fill the room that it was given has met the end.
                if filled < bytes.len() && (read == 0 || filled as u64 == length) {
                    bytes.truncate(filled);
                    return Ok(bytes);
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if filled == bytes.len() {
            if filled as u64 > limit_bytes {
                return Ok(bytes);
            }
            bytes.resize(filled + 64 * 1024, 0);
        }
    }
}

/// The bytes as text, or everything that keeps them from being a script.
fn text(path: &Path, bytes: Vec<u8>) -> Result<String, Vec<CatalogError>> {
    let mut errors = Vec::new();
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        errors.push(CatalogError::byte_order_mark(path.to_owned()));
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        // Every second byte is NUL: one error is enough.
        return Err(vec![CatalogError::utf16(path.to_owned())]);
    }
    if let Some(offset) = bytes.iter().position(|byte| *byte == 0) {
        errors.push(CatalogError::nul(path.to_owned(), offset as u64));
    }
    match String::from_utf8(bytes) {
        Ok(script) if errors.is_empty() => return Ok(script),
        Ok(_) => {}
        Err(error) => {
            let offset = error.utf8_error().valid_up_to() as u64;
            errors.push(CatalogError::not_utf8(path.to_owned(), offset));
        }
    }
    Err(errors)
}
