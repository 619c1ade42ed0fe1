//! The folder of backups: how its files are called, what a crash left in it, and which are old.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::manifest::Manifest;
use crate::digest::hex;
use crate::model::entry::Engine;
use crate::model::{EnvironmentName, Timestamp};
use crate::workflows::WorkflowError;

/// What the name of a file that is being written ends with.
const PART: &str = ".part";
/// What the name of a manifest ends with, after that of its file.
const MANIFEST: &str = ".json";

/// The name of a new backup: `prod-20251104101200-3f9c.dump`.
pub(super) fn name(
    environment: &EnvironmentName,
    engine: Engine,
    begun: Timestamp,
    random: [u8; 16],
) -> String {
    let [a, b, ..] = random;
    format!(
        "{environment}-{}-{}.{}",
        begun.stamp(),
        hex(&[a, b]),
        end(engine)
    )
}

fn end(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgresql => "dump",
        Engine::Sqlite => "db",
    }
}

/// The path under which a file is written until it is whole.
pub(super) fn part(path: &Path) -> PathBuf {
    with_end(path, PART)
}

/// The path of the manifest of a backup.
pub(super) fn manifest(path: &Path) -> PathBuf {
    with_end(path, MANIFEST)
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// The parts of a name of ours: the file's own name, and what stands behind it.
fn split<'a>(name: &'a str, environment: &EnvironmentName) -> Option<(&'a str, &'a str)> {
    let rest = name.strip_prefix(environment.as_str())?.strip_prefix('-')?;
    let (stamp, rest) = rest.split_at_checked(14)?;
    let (mark, rest) = rest.strip_prefix('-')?.split_at_checked(4)?;
    let is_ours = Timestamp::from_stamp(stamp).is_some()
        && mark
            .bytes()
            .all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let rest = ["dump", "db"]
        .iter()
        .find_map(|end| rest.strip_prefix('.')?.strip_prefix(end))
        .filter(|rest| is_ours && (rest.is_empty() || rest.starts_with('.')))?;
    Some((&name[..name.len() - rest.len()], rest))
}

/// When a backup of this environment was begun, by its name; `None` where it is none of ours.
pub(super) fn begun(name: &str, environment: &EnvironmentName) -> Option<Timestamp> {
    split(name, environment).filter(|(_, rest)| rest.is_empty())?;
    Timestamp::from_stamp(name.get(environment.as_str().len() + 1..)?.get(..14)?)
}

/// The names of the files in the folder, sorted; none where the folder is not there.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, WorkflowError> {
    let told = |error| WorkflowError::File {
        path: folder.to_owned(),
        error,
    };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(told(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        // A name that is no UTF-8 is none of ours.
        if let Ok(name) = entry.map_err(told)?.file_name().into_string() {
            names.push(name);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// Makes the folder, for its owner alone.
pub(super) fn make(folder: &Path) -> Result<(), WorkflowError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| WorkflowError::File {
        path: folder.to_owned(),
        error,
    })
}

/// What a backup of this environment that did not come to its end left, by the names of its files: what
/// is not whole, and the manifest of what never became whole. Nobody else writes any while the run's lock
/// is held.
fn left_over(names: &[String], environment: &EnvironmentName) -> Vec<String> {
    let all: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let is_part = |rest: &str| rest.starts_with(PART) || rest == ".json.part";
    let never_whole = |file: &str, rest: &str| {
        rest == MANIFEST && !all.contains(file) && all.contains(&*format!("{file}{PART}"))
    };
    names
        .iter()
        .filter(|name| {
            split(name, environment)
                .is_some_and(|(file, rest)| is_part(rest) || never_whole(file, rest))
        })
        .cloned()
        .collect()
}

/// Removes what a crash left of this environment, and returns the names.
pub(super) fn clean_up(
    folder: &Path,
    environment: &EnvironmentName,
) -> Result<Vec<String>, WorkflowError> {
    let left = left_over(&names(folder)?, environment);
    // A manifest goes before the file that shows that it is nothing's.
    for name in left.iter().rev() {
        remove(&folder.join(name))?;
    }
    Ok(left)
}

fn remove(path: &Path) -> Result<(), WorkflowError> {
    std::fs::remove_file(path).map_err(|error| WorkflowError::File {
        path: path.to_owned(),
        error,
    })
}

/// Removes what a backup that failed has begun. What cannot be removed is a `.part`, and says so.
pub(super) fn take_back(path: &Path) {
    for begun in [
        part(path),
        part(&manifest(path)),
        with_end(&part(path), "-journal"),
        with_end(&part(path), "-wal"),
        with_end(&part(path), "-shm"),
    ] {
        let _ = std::fs::remove_file(begun);
    }
}

/// A backup whose file was deleted, because newer ones are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// The file's name.
    pub file: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was begun.
    pub begun: Timestamp,
}

/// One complete backup in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Complete {
    file: String,
    begun: Timestamp,
    verified: bool,
}

/// Which of them are too many, oldest first: all but the newest so many, and never the newest verified one,
/// unless one that is newer than all of them is.
fn too_many(mut complete: Vec<Complete>, keep: usize, newer_is_verified: bool) -> Vec<Complete> {
    complete.sort_by(|a, b| (b.begun, &b.file).cmp(&(a.begun, &a.file)));
    let newest_verified = complete
        .iter()
        .position(|one| one.verified)
        .filter(|_| !newer_is_verified);
    let old = complete.into_iter().enumerate().skip(keep);
    let mut old: Vec<Complete> = old
        .filter(|(place, _)| Some(*place) != newest_verified)
        .map(|(_, one)| one)
        .collect();
    old.reverse();
    old
}

/// Deletes the oldest backups of this environment beyond so many, and names each. Only what has a
/// manifest of ours is ever deleted.
pub(super) fn keep_only(
    folder: &Path,
    environment: &EnvironmentName,
    keep: NonZeroUsize,
    newest: &Manifest,
) -> Result<Vec<Deleted>, WorkflowError> {
    let mut complete = Vec::new();
    for file in names(folder)? {
        // The one that was just taken stays, whatever the clocks of the others said.
        if file == newest.file || begun(&file, environment).is_none() {
            continue;
        }
        let Ok(manifest) = Manifest::read(&manifest(&folder.join(&file))) else {
            continue;
        };
        if manifest.environment == *environment && manifest.file == file {
            complete.push(Complete {
                file,
                begun: manifest.begun,
                verified: manifest.verified.is_some(),
            });
        }
    }
    let mut deleted = Vec::new();
    for old in too_many(complete, keep.get() - 1, newest.verified.is_some()) {
        let path = folder.join(&old.file);
        let size = path.metadata().map_or(0, |known| known.len());
        // The file first: without its manifest it would stay for ever, because nothing else tells whose
        // it is.
        crate::failpoint::hit("backup.delete.before");
        remove(&path)?;
        crate::failpoint::hit("backup.delete.between");
        remove(&manifest(&path))?;
        crate::failpoint::hit("backup.delete.after");
        deleted.push(Deleted {
            file: old.file,
            size,
            begun: old.begun,
        });
    }
    Ok(deleted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prod() -> EnvironmentName {
        "prod".parse().unwrap()
    }

    fn complete(day: u32, verified: bool) -> Complete {
        let stamp = format!("202511{day:02}101200");
        Complete {
            file: format!("prod-{stamp}-0000.dump"),
            begun: Timestamp::from_stamp(&stamp).unwrap(),
            verified,
        }
    }

    fn days(keep: usize, complete: Vec<Complete>) -> Vec<String> {
        let old = too_many(complete, keep, false);
        old.iter().map(|one| one.file[11..13].to_owned()).collect()
    }

    #[test]
    fn the_oldest_go_and_the_newest_verified_one_never_does() {
        let all = |verified: &[u32]| {
            let days = [3, 1, 5, 2, 4];
            let all = days
                .iter()
                .map(|day| complete(*day, verified.contains(day)));
            all.collect::<Vec<_>>()
        };
        assert_eq!(days(5, all(&[])), [""; 0]);
        assert_eq!(days(2, all(&[])), ["01", "02", "03"]);
        assert_eq!(
            days(2, all(&[1, 2])),
            ["01", "03"],
            "2 is the newest verified one"
        );
        assert_eq!(days(1, all(&[5, 1])), ["01", "02", "03", "04"]);
        assert_eq!(days(9, all(&[])), [""; 0]);
        assert_eq!(days(0, all(&[2])), ["01", "03", "04", "05"]);
        assert_eq!(too_many(all(&[2]), 0, true).len(), 5);
    }

    #[test]
    fn only_names_of_ours_are_read() {
        let ours = |name: &str| begun(name, &prod()).is_some();
        assert!(ours("prod-20251104101200-3f9c.dump"));
        assert!(ours("prod-20251104101200-3f9c.db"));
        for other in [
            "prod-20251104101200-3f9c.dump.json",
            "prod-20251104101200-3f9c.dump.part",
            "prod-eu-20251104101200-3f9c.dump",
            "test-20251104101200-3f9c.dump",
            "prod-20251304101200-3f9c.dump",
            "prod-20251104101200-3f9C.dump",
            "prod-20251104101200.dump",
            "prod-20251104101200-3f9c.dumpling",
            "prod.dump",
            "prod-2025110410120é-3f9c.dump",
        ] {
            assert!(!ours(other), "{other}");
        }
    }

    #[test]
    fn only_what_is_not_whole_is_left_over() {
        let names = [
            "notes.txt.part",
            "prod-20251101000000-0000.dump",
            "prod-20251101000000-0000.dump.json",
            "prod-20251102000000-0000.dump.json",
            "prod-20251102000000-0000.dump.part",
            "prod-20251103000000-0000.db.part",
            "prod-20251103000000-0000.db.part-wal",
            "prod-20251104000000-0000.dump.json.part",
            "prod-20251105000000-0000.dump.json",
            "prod-eu-20251104000000-0000.dump.part",
        ]
        .map(str::to_owned);
        assert_eq!(left_over(&names, &prod()), names[3..8]);
    }
}
