//! `tollgate log export FILE`, `log export --to-dir DIR`

use std::io::Read as _;
use std::path::Path;

use serde_json::json;

use super::sync::SQLITE;

use crate::cli::args::{Global, LogExport};
use crate::cli::evidence;
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::{Project, start};
use crate::cli::{Exit, Result};
use crate::ledger::{self, Pack};
use crate::model::Timestamp;
use crate::report::count;

pub(crate) fn run(
    output: &mut Output<'_>,
    global: &Global,
    project: &Project,
    what: &LogExport,
) -> Result<Exit> {
    let since = what.since.as_deref().map(instant).transpose()?;
    let bodies = ledger::read_bodies(&project.config.ledger)?;
    let pack = Pack::held(bodies).map_err(|error| Trouble::failed(error.to_string(), None))?;
    let pack = match since {
        Some(since) => pack.since(since),
        None => pack,
    };
    let start = start(output, global);
    let (name, new) = match (&what.to_dir, &what.file) {
        (Some(folder), _) => (
            folder.display().to_string(),
            Some(evidence::write(&start.join(folder), &pack)?),
        ),
        (None, Some(file)) if file.as_os_str() == "-" => {
            output.bytes(pack.to_lines().as_bytes());
            return Ok(Exit::Done);
        }
        (None, file) => {
            let file = file.clone().unwrap_or_default();
            spare_databases(&start.join(&file))?;
            evidence::put(
                &start.join(&file),
                &pack.to_lines(),
                evidence::Lasts::AtOnce,
            )?;
            (file.display().to_string(), None)
        }
    };
    let writers = pack.heads().len();
    if output.is_json() {
        output.document(&json!({
            "schema": "tollgate/export-report/v1",
            "to": name, "entries": pack.len(), "writers": writers, "new_files": new,
        }));
        return Ok(Exit::Done);
    }
    let all = format!(
        "{} by {}",
        match pack.len() {
            1 => "1 entry".to_owned(),
            entries => format!("{entries} entries"),
        },
        count(writers, "writer")
    );
    output.result(&match new {
        None => format!("{name}: {all}\n"),
        Some(0) => format!("{name}: {all}, all there already\n"),
        Some(new) => format!("{name}: {all}, {}\n", count(new, "new file")),
    });
    Ok(Exit::Done)
}

/// An export takes the place of what was there: not of a ledger, nor of a target.
fn spare_databases(file: &Path) -> Result<()> {
    let mut begins = Vec::new();
    let is_file = std::fs::metadata(file).is_ok_and(|there| there.is_file());
    if is_file && let Ok(open) = std::fs::File::open(file) {
        // What cannot be read is told when it is written.
        let _ = open.take(SQLITE.len() as u64).read_to_end(&mut begins);
    }
    if begins != SQLITE {
        return Ok(());
    }
    Err(Trouble::usage(
        format!(
            "{} is a database, and an export would take its place",
            file.display()
        ),
        "tollgate log export ledger.jsonl   # or under another name",
    ))
}

/// A day, or an instant, in UTC.
fn instant(text: &str) -> Result<Timestamp> {
    let whole = match text.len() {
        10 => format!("{text}T00:00:00Z"),
        _ => text.to_owned(),
    };
    whole.parse().map_err(|_| {
        Trouble::usage(
            format!("--since {text} is neither a day nor an instant"),
            "--since 2025-11-04, or --since 2025-11-04T10:12:00Z",
        )
    })
}
