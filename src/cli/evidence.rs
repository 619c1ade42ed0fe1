//! A ledger as a folder of files, one for each entry, for teams that keep it in git: no two people ever
//! change the same file, so git merges by itself.
//!
//! `DIR/<writer>/<number, 8 digits>-<hash, 12 digits>.json` holds the exact bytes of an entry. Two
//! entries with one number are two files.

#![expect(
    clippy::disallowed_methods,
    reason = "the folder was named on the command line"
)]

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::exit::Trouble;
use super::{Exit, Result};
use crate::ledger::Pack;
use crate::model::Entry;
use crate::model::entry::Head;
use crate::planner::gates::shell;

/// The bodies in a folder, in the order of the files' names. What does not end in `.json` is passed over.
pub(crate) fn read(folder: &Path) -> Result<Vec<String>> {
    if !folder.is_dir() {
        return Err(Trouble {
            exit: super::Exit::Failed,
            fact: format!("there is no folder {}", folder.display()),
            consequence: Some("nothing was taken in".to_owned()),
            remedy: Some(
                "tollgate log export --to-dir DIR   # where the entries are; then commit it"
                    .to_owned(),
            ),
        });
    }
    let mut bodies = Vec::new();
    for writer in sorted(folder)? {
        if !writer.is_dir() {
            continue;
        }
        for file in sorted(&writer)? {
            if file.extension().is_none_or(|end| end != "json") {
                continue;
            }
            let text =
                std::fs::read_to_string(&file).map_err(|error| Trouble::file(&file, &error))?;
            // An entry ends in no line feed; an editor, or git, may have added one.
            let body = text.trim_end_matches(['\r', '\n']);
            let entry = Entry::from_body(body).map_err(|what| no_entry(&file, &what))?;
            let head = Head {
                writer: entry.writer,
                number: entry.number,
                hash: Entry::hash_of(body.as_bytes()),
            };
            // The newest entry of a writer has none after it that would show that it was altered.
            let place = Path::new(&head.writer.to_string()).join(name(&head));
            if !file.ends_with(place) {
                return Err(no_entry(
                    &file,
                    "its bytes are not those that it is named after",
                ));
            }
            bodies.push(body.to_owned());
        }
    }
    Ok(bodies)
}

/// The name of an entry's file.
fn name(head: &Head) -> String {
    format!("{:08}-{}.json", head.number, &head.hash.to_string()[..12])
}

fn no_entry(file: &Path, what: &str) -> Trouble {
    Trouble {
        exit: Exit::Contradiction,
        fact: format!("{} holds no entry: {what}", file.display()),
        consequence: Some("nothing of the folder was taken in".to_owned()),
        remedy: Some(format!(
            "git log -p -- {}   # and put back what was written first",
            shell(&file.display().to_string())
        )),
    }
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let told = |error: std::io::Error| Trouble::file(folder, &error);
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(told)? {
        paths.push(entry.map_err(told)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Writes what the folder lacks, and returns how many that were. Nothing that is there is written over.
pub(crate) fn write(folder: &Path, pack: &Pack) -> Result<usize> {
    let mut new = 0;
    for (head, body) in pack.entries() {
        let of_writer = folder.join(head.writer.to_string());
        let name = name(&head);
        let file = of_writer.join(&name);
        let told = |error: std::io::Error| Trouble::file(&file, &error);
        match std::fs::read_to_string(&file) {
            Ok(there) if there.trim_end_matches(['\r', '\n']) == body => continue,
            // A loss of power cut it short: what its name promises is the whole of it.
            Ok(there) if body.starts_with(&there) => {}
            Ok(_) => {
                return Err(Trouble {
                    exit: Exit::Contradiction,
                    fact: format!(
                        "{} does not hold the entry that it is named after",
                        file.display()
                    ),
                    consequence: Some("it was altered, and was left as it is".to_owned()),
                    remedy: Some(format!(
                        "git log -p -- {}",
                        shell(&file.display().to_string())
                    )),
                });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(told(error)),
        }
        std::fs::create_dir_all(&of_writer).map_err(told)?;
        put(&file, body, Lasts::InTime)?;
        new += 1;
    }
    Ok(new)
}

/// When a file has to be safe from a loss of power.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasts {
    /// Before its name is there.
    AtOnce,
    /// When the system comes to it: what is cut short is told, and can be written again.
    InTime,
}

/// So many bytes are written at once.
const PART: usize = 64 * 1024;

/// Writes a file beside its place and renames it, so that whoever reads it has the whole of one writing,
/// also where the disk is full, the process is killed, or another one writes the same file.
pub(crate) fn put(file: &Path, text: &str, lasts: Lasts) -> Result<()> {
    // A pipe or a device is written to, and nothing takes its place.
    if std::fs::metadata(file).is_ok_and(|there| !there.is_file() && !there.is_dir()) {
        let told = |error: std::io::Error| Trouble::file(file, &error);
        let mut open = std::fs::OpenOptions::new()
            .write(true)
            .open(file)
            .map_err(told)?;
        return open.write_all(text.as_bytes()).map_err(told);
    }
    let mut name = OsString::from(".");
    name.push(file.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    let partial = file.with_file_name(name);
    crate::failpoint::hit("export.file.before");
    let written = write_to(&partial, text, lasts).and_then(|()| {
        crate::failpoint::hit("export.file.before-rename");
        std::fs::rename(&partial, file)
    });
    if let Err(error) = written {
        // What is half written is of no use; that it is there is no harm either.
        let _ = std::fs::remove_file(&partial);
        return Err(Trouble::file(file, &error));
    }
    crate::failpoint::hit("export.file.after-rename");
    Ok(())
}

fn write_to(partial: &Path, text: &str, lasts: Lasts) -> std::io::Result<()> {
    let mut file = std::fs::File::create(partial)?;
    for part in text.as_bytes().chunks(PART) {
        file.write_all(part)?;
        crate::failpoint::hit("export.file.part");
    }
    match lasts {
        Lasts::AtOnce => file.sync_all(),
        Lasts::InTime => Ok(()),
    }
}
