//! `--format github`: the summary into the file that the runner names, the annotations to stdout.

use std::io::Write as _;
use std::path::Path;

use super::exit::Trouble;
use super::output::Output;
use super::project::Project;
use super::verbs::lint::from_top;
use crate::catalog::Catalog;
use crate::model::MigrationId;
use crate::report::github::{Annotation, Level, few};
use crate::report::summary::Page;

/// The variable that names the file of the step's summary.
const VARIABLE: &str = "GITHUB_STEP_SUMMARY";

/// GitHub takes 1 MiB of one step, whoever wrote into it, and shows nothing of more.
const MOST: usize = 1 << 20;

/// Whether the result is written to stdout for people too: not where the summary goes there.
pub(crate) fn wants_text(output: &Output<'_>) -> bool {
    !output.is_github() || file(output).is_some()
}

fn file(output: &Output<'_>) -> Option<String> {
    let named = output.world.variables.get(VARIABLE);
    named.filter(|name| !name.is_empty()).cloned()
}

/// Where the script of a migration stands, from the top of the repository.
pub(crate) fn paths<'a>(
    project: &'a Project,
    catalog: &'a Catalog,
) -> impl Fn(&MigrationId) -> Option<String> + 'a {
    let prefix = from_top(project);
    move |migration| {
        let there = catalog.get(migration).is_some();
        there.then(|| format!("{prefix}{}", project.script_path(migration)))
    }
}

/// Writes the summary and the annotations.
pub(crate) fn tell(output: &mut Output<'_>, page: &Page, annotations: Vec<Annotation>) {
    let mut where_else = "the job summary has them";
    match file(output) {
        None => {
            output.page(&page.markdown(MOST));
            where_else = "they stand above";
        }
        Some(name) => match append(output, Path::new(&name), page) {
            Ok(true) => {}
            Ok(false) => {
                where_else = "the log has them";
                output.annotate(&Annotation::new(
                    Level::Warning,
                    "tollgate",
                    "this step has written as much into its summary as GitHub takes: nothing was added",
                ));
            }
            Err(error) => {
                // The summary is told all the same, and how the run ended is what it was.
                output.note(&format!(
                    "{VARIABLE} names {name}, which cannot be written: {error}\n"
                ));
                output.page(&page.markdown(MOST));
                where_else = "they stand above";
            }
        },
    }
    for annotation in few(annotations, where_else) {
        output.annotate(&annotation);
    }
}

/// Writes the summary of a command that came to no verdict.
pub(crate) fn tell_trouble(output: &mut Output<'_>, trouble: &Trouble) {
    let mut page = Page::new("tollgate", "no verdict", "tollgate log");
    let remedy = trouble.remedy.iter().map(|it| format!("\nremedy   {it}"));
    let lines = std::iter::once(trouble.fact.clone()).chain(trouble.consequence.clone());
    let lines: Vec<String> = lines.chain(remedy).collect();
    page.story(&lines.join("\n"));
    tell(output, &page, Vec::new());
}

/// Appends what still has room; `false` where nothing has.
fn append(output: &Output<'_>, path: &Path, page: &Page) -> std::io::Result<bool> {
    let there = std::fs::metadata(path).map_or(0, |there| there.len());
    let room = MOST.saturating_sub(usize::try_from(there).unwrap_or(MOST));
    let mut text = output.plain(&page.markdown(room));
    if text.len() > room {
        // Each control character became three bytes.
        text = output.plain(&page.markdown(room / 3));
    }
    if text.is_empty() || text.len() > room {
        return Ok(false);
    }
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    Ok(true)
}
