//! Names that nothing is restored under: those that tollgate and SQLite give to files and databases of
//! their own, and would take for their own.

use std::path::{Path, PathBuf};

use crate::planner::gates::shell;
use crate::targets::address::Address;
use crate::targets::backup::is_of_scratch;
use crate::workflows::{Run, WorkflowError};

/// What SQLite and the run's lock put beside a file, by how it ends.
const BESIDE: [&str; 4] = ["-wal", "-journal", "-shm", ".tollgate-lock"];
/// How a url of a database begins where nothing of it is told by `://`.
const SCHEMES: [&str; 4] = ["sqlite:", "file:", "postgres:", "postgresql:"];

/// Where a new file is proposed.
const FILE: &str = "state/restored.db";

/// Refuses a url, without a word of it: there may be a password in it.
pub(super) fn is_no_url(into: &str, command: &str, base: &Path) -> Result<(), WorkflowError> {
    let typed = into.trim_start().to_ascii_lowercase();
    if !typed.contains("://") && !SCHEMES.iter().any(|scheme| typed.starts_with(scheme)) {
        return Ok(());
    }
    Err(WorkflowError::Usage {
        what: "what follows --into is a url, and a new database has only a name here: it is made on the server of the environment's, or is a new file".to_owned(),
        remedy: format!(
            "{command} --into {}   # or, on a server, --into app_restored",
            shell(&new_file(base, FILE))
        ),
    })
}

/// Refuses a name that is not free to be given: what stands under it would be dropped, deleted or read as
/// something else.
pub(super) fn is_free(
    run: &Run<'_>,
    address: &Address,
    into: &str,
    base: &Path,
    command: &str,
) -> Result<(), WorkflowError> {
    let path = base.join(into);
    let name = match address {
        Address::Sqlite(_) => file_name(&path),
        Address::Postgresql(_) => into.to_owned(),
    };
    let (why, free) = match address {
        _ if is_of_scratch(address, &name) => (
            "is a name of tollgate's own scratch databases, and the next one that is made drops what stands under it".to_owned(),
            match address {
                Address::Sqlite(_) => new_file(base, FILE),
                Address::Postgresql(_) => "app_restored".to_owned(),
            },
        ),
        Address::Postgresql(_) => return Ok(()),
        Address::Sqlite(_) => {
            let lower = name.to_ascii_lowercase();
            let why = match BESIDE.iter().find(|end| lower.ends_with(*end)) {
                Some(end) => format!(
                    "ends in {end}, as what is kept beside a database does, and is taken for that"
                ),
                None if run.ledger.has_for_its_own(&canonical(&path)) => {
                    "is the ledger's own".to_owned()
                }
                None => return Ok(()),
            };
            (why, new_file(base, FILE))
        }
    };
    Err(WorkflowError::Usage {
        what: format!("nothing is restored into {into}: that {why}"),
        remedy: format!("{command} --into {}", shell(&free)),
    })
}

/// A file that is not there yet, relative to `base`: the one that is wanted, or one named after it.
#[must_use]
pub fn new_file(base: &Path, wanted: &str) -> String {
    let path = Path::new(wanted);
    let named = |number: u32| {
        let mut name = path.file_stem().unwrap_or_default().to_os_string();
        name.push(format!("-{number}"));
        if let Some(end) = path.extension() {
            name.push(".");
            name.push(end);
        }
        path.with_file_name(name).to_string_lossy().into_owned()
    };
    std::iter::once(wanted.to_owned())
        .chain((2..1_000).map(named))
        .find(|name| base.join(name).symlink_metadata().is_err())
        .unwrap_or_else(|| wanted.to_owned())
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The one path of a file that need not be there.
fn canonical(path: &Path) -> PathBuf {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_no_name() {
        for url in [
            "postgresql://x:secret@h/db",
            " Postgres://x:secret@h/db",
            "mysql://x:secret@h/db",
            "sqlite:a.db",
            "file:a.db",
        ] {
            let refused = is_no_url(url, "tollgate restore a.db", Path::new("/nowhere"));
            let refused = refused.unwrap_err();
            assert!(!format!("{refused:?}").contains("secret"), "{url}");
        }
        for name in ["app_restored", "state/restored.db", "C:\\a.db", "files"] {
            assert!(is_no_url(name, "", Path::new("/nowhere")).is_ok(), "{name}");
        }
    }
}
