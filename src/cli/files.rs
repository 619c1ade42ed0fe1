//! What the system says of files and folders, in words: the fact with its name, what comes of it, one remedy.

use std::io::{Error, ErrorKind};
use std::path::Path;

use super::exit::Trouble;
use crate::planner::gates::shell;

/// A file or folder that could not be read; `shown` is its name as it was typed.
pub(crate) fn not_read(path: &Path, shown: &str, error: &Error) -> Trouble {
    let (fact, remedy) = match error.kind() {
        ErrorKind::NotFound => (
            format!("there is no file {shown}"),
            format!("ls {}   # and name one that is there", typed(nearest(path))),
        ),
        ErrorKind::PermissionDenied => (
            format!("{shown} cannot be read: permission denied"),
            format!("chmod u+r {}", typed(path)),
        ),
        ErrorKind::IsADirectory => (
            format!("{shown} is a folder, and no file"),
            format!("ls {}   # and name a file in it", typed(path)),
        ),
        ErrorKind::InvalidData => (
            format!("{shown} is not UTF-8"),
            format!(
                "iconv -f LATIN1 -t UTF-8 {0} > {0}.utf8 && mv {0}.utf8 {0}   # or from what it was written in",
                typed(path)
            ),
        ),
        _ => (
            format!("{shown} cannot be read: {}", plain(error)),
            look_at(path, error),
        ),
    };
    told(fact, "nothing was read, and nothing was changed", remedy)
}

/// A file or folder that could not be made, written or renamed.
pub(crate) fn not_written(path: &Path, error: &Error) -> Trouble {
    let shown = path.display();
    let folder = folder_of(path);
    let (why, remedy) = match error.kind() {
        ErrorKind::NotFound => (
            format!("there is no folder {}", folder.display()),
            format!("mkdir -p {}", typed(folder)),
        ),
        ErrorKind::PermissionDenied => (
            "permission denied".to_owned(),
            format!("chmod u+w {}", typed(closed(path))),
        ),
        ErrorKind::IsADirectory => (
            "it is a folder, and no file".to_owned(),
            format!("ls {}   # and name a file", typed(path)),
        ),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => (
            "there is no room".to_owned(),
            format!("df -h {}   # and make room", typed(nearest(path))),
        ),
        ErrorKind::ReadOnlyFilesystem => (
            "its file system is read-only".to_owned(),
            format!("df {}   # names it", typed(nearest(path))),
        ),
        _ => (plain(error), look_at(path, error)),
    };
    told(
        format!("{shown} cannot be written: {why}"),
        "nothing was written there",
        remedy,
    )
}

/// A file or folder of which it is not told what was done with it.
pub(crate) fn not_used(path: &Path, error: &Error) -> Trouble {
    let fact = format!(
        "{} cannot be read, or not be written: {}",
        path.display(),
        plain(error)
    );
    let remedy = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!("df -h {}   # and make room", typed(nearest(path)))
        }
        _ => look_at(path, error),
    };
    Trouble::failed(fact, Some(remedy))
}

fn told(fact: String, consequence: &str, remedy: String) -> Trouble {
    Trouble {
        consequence: Some(consequence.to_owned()),
        ..Trouble::failed(fact, Some(remedy))
    }
}

/// What is looked at where nothing better is known.
fn look_at(path: &Path, error: &Error) -> String {
    match error.kind() {
        // A part of the path is a file, where a folder should be.
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            let there = path
                .ancestors()
                .find(|part| part.symlink_metadata().is_ok());
            format!(
                "ls -ld {}   # is no folder: name another place",
                typed(there.unwrap_or(path))
            )
        }
        ErrorKind::InvalidFilename => {
            format!("ls {}   # and name a shorter one", typed(nearest(path)))
        }
        _ => format!("ls -ld {}", typed(nearest(path))),
    }
}

/// "Permission denied", without "(os error 13)".
fn plain(error: &Error) -> String {
    let text = error.to_string();
    let words = text.split_once(" (os error");
    words.map_or(text.as_str(), |(words, _)| words).to_owned()
}

/// The file itself where it is there, or the nearest folder, which takes no new one.
fn closed(path: &Path) -> &Path {
    match path.symlink_metadata() {
        Ok(_) => path,
        Err(_) => nearest(path),
    }
}

/// The nearest folder above that is there.
fn nearest(path: &Path) -> &Path {
    let mut above = path
        .ancestors()
        .skip(1)
        .filter(|part| *part != Path::new(""));
    above
        .find(|folder| folder.is_dir())
        .unwrap_or(Path::new("."))
}

/// The folder of a file.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn typed(path: &Path) -> String {
    shell(&path.display().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(trouble: &Trouble) -> String {
        let remedy = trouble.remedy.as_deref().unwrap();
        format!("{}\n{remedy}", trouble.fact)
    }

    #[test]
    fn each_kind_has_a_command() {
        let path = Path::new("/nowhere at all/a.json");
        let of = |kind| Error::from(kind);
        insta::assert_snapshot!(text(&not_read(path, "a.json", &of(ErrorKind::PermissionDenied))), @r#"
        a.json cannot be read: permission denied
        chmod u+r '/nowhere at all/a.json'
        "#);
        insta::assert_snapshot!(text(&not_read(path, "a.json", &of(ErrorKind::InvalidData))), @r#"
        a.json is not UTF-8
        iconv -f LATIN1 -t UTF-8 '/nowhere at all/a.json' > '/nowhere at all/a.json'.utf8 && mv '/nowhere at all/a.json'.utf8 '/nowhere at all/a.json'   # or from what it was written in
        "#);
        insta::assert_snapshot!(text(&not_written(path, &of(ErrorKind::PermissionDenied))), @r#"
        /nowhere at all/a.json cannot be written: permission denied
        chmod u+w /
        "#);
        insta::assert_snapshot!(text(&not_written(path, &of(ErrorKind::NotFound))), @r#"
        /nowhere at all/a.json cannot be written: there is no folder /nowhere at all
        mkdir -p '/nowhere at all'
        "#);
        insta::assert_snapshot!(text(&not_written(path, &of(ErrorKind::StorageFull))), @r#"
        /nowhere at all/a.json cannot be written: there is no room
        df -h /   # and make room
        "#);
        insta::assert_snapshot!(text(&not_written(path, &of(ErrorKind::ReadOnlyFilesystem))), @r#"
        /nowhere at all/a.json cannot be written: its file system is read-only
        df /   # names it
        "#);
        let odd = Error::from_raw_os_error(5);
        assert!(!text(&not_written(path, &odd)).contains("os error"));
        assert!(!text(&not_read(path, "a.json", &odd)).contains("os error"));
    }
}
