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
use super::files::not_read;
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
                "tollgate log export --to-dir '<folder>'   # where the entries are; then commit it"
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
            let text = std::fs::read_to_string(&file).map_err(|error| unread(&file, &error))?;
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

fn unread(path: &Path, error: &std::io::Error) -> Trouble {
    not_read(path, &path.display().to_string(), error)
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let told = |error: std::io::Error| unread(folder, &error);
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
            Err(error) => return Err(unread(&file, &error)),
        }
        std::fs::create_dir_all(&of_writer).map_err(told)?;
        put(&file, body, Lasts::InTime)?;
        new += 1;
    }
    Ok(new)
}

/// When a file has to be safe from a loss of power.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    let mut writing = Writing::begin(file, lasts)?;
    writing.part(text)?;
    writing.end()
}

/// A file that is written part by part, and takes its place when the last one is there.
#[derive(Debug)]
pub(crate) struct Writing {
    file: PathBuf,
    /// Beside its place; `None` of a pipe or a device, which is written to, and nothing takes its place.
    partial: Option<PathBuf>,
    open: std::fs::File,
    lasts: Lasts,
}

impl Writing {
    /// Begins it.
    pub(crate) fn begin(file: &Path, lasts: Lasts) -> Result<Self> {
        let told = |error: std::io::Error| Trouble::file(file, &error);
        let is_special =
            std::fs::metadata(file).is_ok_and(|there| !there.is_file() && !there.is_dir());
        let (open, partial) = if is_special {
            let mut options = std::fs::OpenOptions::new();
            (options.write(true).open(file).map_err(told)?, None)
        } else {
            let mut name = OsString::from(".");
            name.push(file.file_name().unwrap_or_default());
            name.push(format!(".{}.part", std::process::id()));
            let partial = file.with_file_name(name);
            crate::failpoint::hit("export.file.before");
            (
                std::fs::File::create(&partial).map_err(told)?,
                Some(partial),
            )
        };
        Ok(Self {
            file: file.to_owned(),
            partial,
            open,
            lasts,
        })
    }

    /// Writes what comes next.
    pub(crate) fn part(&mut self, text: &str) -> Result<()> {
        for part in text.as_bytes().chunks(PART) {
            self.open
                .write_all(part)
                .map_err(|error| Trouble::file(&self.file, &error))?;
            if self.partial.is_some() {
                crate::failpoint::hit("export.file.part");
            }
        }
        Ok(())
    }

    /// Puts it into its place.
    pub(crate) fn end(mut self) -> Result<()> {
        let Some(partial) = &self.partial else {
            return Ok(());
        };
        let synced = match self.lasts {
            Lasts::AtOnce => self.open.sync_all(),
            Lasts::InTime => Ok(()),
        };
        let renamed = synced.and_then(|()| {
            crate::failpoint::hit("export.file.before-rename");
            std::fs::rename(partial, &self.file)
        });
        renamed.map_err(|error| Trouble::file(&self.file, &error))?;
        self.partial = None;
        crate::failpoint::hit("export.file.after-rename");
        Ok(())
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if let Some(partial) = &self.partial {
            // What is half written is of no use; that it is there is no harm either.
            let _ = std::fs::remove_file(partial);
        }
    }
}
