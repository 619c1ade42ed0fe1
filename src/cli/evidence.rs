//! A ledger as a folder of files, one for each entry, for teams that keep it in git: no two people ever
//! change the same file, so git merges by itself.
//!
//! `DIR/<writer>/<number, 8 digits>-<hash, 12 digits>.json` holds the exact bytes of an entry. Two
//! entries with one number are two files.

#![expect(
    clippy::disallowed_methods,
    reason = "the folder was named on the command line"
)]

use std::path::{Path, PathBuf};

use super::Result;
use super::exit::Trouble;
use crate::ledger::Pack;

/// The bodies in a folder, in the order of the files' names. What does not end in `.json` is passed over.
pub(crate) fn read(folder: &Path) -> Result<Vec<String>> {
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
            bodies.push(text.trim_end_matches(['\r', '\n']).to_owned());
        }
    }
    Ok(bodies)
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
        let hash = head.hash.to_string();
        let name = format!("{:08}-{}.json", head.number, &hash[..12]);
        let file = of_writer.join(&name);
        let told = |error: std::io::Error| Trouble::file(&file, &error);
        match std::fs::read_to_string(&file) {
            Ok(there) if there.trim_end_matches(['\r', '\n']) == body => continue,
            Ok(_) => {
                return Err(Trouble {
                    exit: super::Exit::Contradiction,
                    fact: format!(
                        "{} does not hold the entry that it is named after",
                        file.display()
                    ),
                    consequence: Some("it was altered, and was left as it is".to_owned()),
                    remedy: Some(format!(
                        "git log -p -- {}",
                        crate::planner::gates::shell(&file.display().to_string())
                    )),
                });
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(told(error)),
        }
        std::fs::create_dir_all(&of_writer).map_err(told)?;
        // Written beside and renamed, so that a full disk never leaves half an entry.
        let partial = of_writer.join(format!(".{name}.part"));
        std::fs::write(&partial, body).map_err(told)?;
        std::fs::rename(&partial, &file).map_err(told)?;
        new += 1;
    }
    Ok(new)
}
