//! `tollgate init`

use std::path::Path;

use serde_json::json;

use crate::cli::args::{Global, Init};
use crate::cli::config::FILE;
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::start;
use crate::cli::{Exit, Result};

const CONFIG: &str = include_str!("init.toml");

#[expect(clippy::disallowed_methods, reason = "this verb makes files")]
pub(crate) fn run(output: &mut Output<'_>, global: &Global, _verb: &Init) -> Result<Exit> {
    let root = start(output, global);
    let file = root.join(FILE);
    if file.exists() {
        return Err(Trouble::usage(
            format!("{} is there already, and stays as it is", file.display()),
            "tollgate status",
        ));
    }
    let folder =
        |path: &Path| std::fs::create_dir_all(path).map_err(|error| Trouble::file(path, &error));
    folder(&root)?;
    folder(&root.join("migrations"))?;
    let mut done = vec![FILE.to_owned(), "migrations/".to_owned()];
    // Git must not change line endings in scripts: other bytes are another migration.
    if ensure_line(&root.join(".gitattributes"), "/migrations/** -text")? {
        done.push(".gitattributes".to_owned());
    }
    // The ledger, backups and embedded databases are not for git, and secrets never.
    let ignored = root.join(".gitignore");
    if ensure_line(&ignored, "/state/")? | ensure_line(&ignored, "/.env")? {
        done.push(".gitignore".to_owned());
    }
    // Last: a project is one once this file is there, so a run that broke off can be repeated.
    std::fs::write(&file, CONFIG).map_err(|error| Trouble::file(&file, &error))?;
    if output.is_json() {
        output.document(&json!({ "schema": "tollgate/init/v1", "written": done }));
    } else {
        output.result(&format!(
            "wrote {}\n\n  next     tollgate new create_something, and write its migration.sql\n           tollgate promote prod\n",
            done.join(", ")
        ));
    }
    Ok(Exit::Done)
}

/// Appends a line to a text file unless it is there; returns whether it was appended.
#[expect(clippy::disallowed_methods, reason = "this verb makes files")]
fn ensure_line(path: &Path, line: &str) -> Result<bool> {
    let mut text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Trouble::file(path, &error)),
    };
    if text.lines().any(|present| present.trim() == line) {
        return Ok(false);
    }
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(line);
    text.push('\n');
    std::fs::write(path, text).map_err(|error| Trouble::file(path, &error))?;
    Ok(true)
}
