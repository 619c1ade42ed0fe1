//! `tollgate report`

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::json;

use crate::cli::args::{Format, Global, Report as Arguments};
use crate::cli::evidence::{Lasts, Writing};
use crate::cli::exit::Trouble;
use crate::cli::git::Git;
use crate::cli::output::Output;
use crate::cli::project::{Project, start};
use crate::cli::provenance::TOOL;
use crate::cli::{Exit, Result};
use crate::digest::ChainHash;
use crate::ledger;
use crate::model::{Entry, EnvironmentName, Timestamp};
use crate::planner::gates::shell;
use crate::report::audit::{self, Inputs, Part, Scope, Written};
use crate::report::count;

/// The file that tells a folder which holds a report.
const MANIFEST: &str = "MANIFEST.sha256";

/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Arguments) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let now = (output.world.now)();
    if let Some(folder) = &verb.out {
        spare(
            &start(output, global).join(folder),
            &folder.display().to_string(),
        )?;
    }
    project.note_missing_ledger(output);
    let path = &project.config.ledger;
    let policy = &project.config.policy;
    let ledger::Loaded {
        entries,
        strays,
        view,
        ..
    } = ledger::read(path, policy)?;
    output.note_strays(&strays);
    let scope = scope(&project, &view, verb, now)?;
    // The report folds the entries up to its own instant: of a large ledger nobody has room for both.
    drop(view);
    let scripts = ledger::read_scripts(path)?;
    let written = match verb.with_authors {
        true => Some(written(&project)?),
        false => None,
    };
    let secrets = output.secrets();
    let report = audit::build(&Inputs {
        entries: &entries,
        strays: &strays,
        scripts: &scripts,
        policy,
        git: written
            .as_ref()
            .map(|(commit, written)| (commit.as_str(), written)),
        scope: &scope,
        tool: TOOL,
        is_secret: &|text| secrets.leave_out(text) != text,
    });
    if let Some(folder) = &verb.out {
        let at = start(output, global).join(folder);
        write(output, &at, folder, &report, &entries)?;
        if !output.is_json() {
            told(output, folder, &report);
        }
        return Ok(Exit::Done);
    }
    match output.format {
        Format::Json => output.document(&json!(report)),
        Format::Markdown => output.page(&audit::markdown(&report)),
        Format::Html => output.page(&audit::html(&report)),
        Format::Text | Format::Github | Format::Sarif => {
            let text = audit::text(&report, output.paint());
            output.result(&text);
        }
    }
    Ok(Exit::Done)
}

fn scope(
    project: &Project,
    view: &ledger::View,
    verb: &Arguments,
    now: Timestamp,
) -> Result<Scope> {
    // One that is no longer configured may still have a history.
    let environment = |typed: &String| -> Result<EnvironmentName> {
        let mut known = view.environments().map(|(name, _)| name);
        match known.find(|name| name.as_str() == typed) {
            Some(name) => Ok(name.clone()),
            None => project.environment(typed),
        }
    };
    let as_of = match verb
        .as_of
        .as_deref()
        .map(|text| when("--as-of", text))
        .transpose()?
    {
        None => now,
        Some((from, false)) => from,
        Some((day, true)) => after(day, DAY - 1),
    };
    if as_of > now && verb.as_of.is_some() && as_of.unix_millis() - now.unix_millis() >= DAY {
        return Err(Trouble {
            consequence: Some("nobody knows yet what the ledger will hold then".to_owned()),
            ..Trouble::usage(
                format!("--as-of {as_of} is still to come"),
                format!("tollgate report --as-of {now}"),
            )
        });
    }
    let from = verb
        .from
        .as_deref()
        .map(|text| when("--from", text))
        .transpose()?;
    let to = verb
        .to
        .as_deref()
        .map(|text| when("--to", text))
        .transpose()?;
    let scope = Scope {
        as_of,
        from: from.map(|(at, _)| at),
        to: to.map(|(at, is_day)| if is_day { after(at, DAY) } else { at }),
        environments: verb
            .environments
            .iter()
            .map(environment)
            .collect::<Result<_>>()?,
        with_hosts: verb.with_hosts,
        with_errors: verb.with_errors,
    };
    if let (Some(from), Some(to)) = (scope.from, scope.to)
        && from >= to
    {
        return Err(Trouble::usage(
            format!("--from {from} does not lie before --to {to}"),
            "tollgate report --from 2025-01-01 --to 2025-12-31",
        ));
    }
    Ok(scope)
}

fn after(at: Timestamp, millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(at.unix_millis().saturating_add(millis))
}

/// An instant, and whether a whole day was named.
fn when(option: &str, text: &str) -> Result<(Timestamp, bool)> {
    let day = format!("{text}T00:00:00Z")
        .parse()
        .ok()
        .filter(|_| text.len() == 10);
    let instant = || text.parse().ok().map(|at| (at, false));
    day.map(|at| (at, true)).or_else(instant).ok_or_else(|| {
        Trouble::usage(
            format!("{option} {text} is neither a day nor an instant"),
            format!("{option} 2025-11-04, or {option} 2025-11-04T10:12:00Z"),
        )
    })
}

/// What git knows of each migration, and the commit at which it was asked.
fn written(project: &Project) -> Result<(String, BTreeMap<String, Written>)> {
    let unknown = |fact: String| Trouble {
        consequence: Some("no report was made".to_owned()),
        ..Trouble::usage(
            fact,
            "tollgate report   # without --with-authors authors are not told",
        )
    };
    let git = Git::at(&project.config.migrations)
        .map_err(|trouble| unknown(format!("--with-authors: {}", trouble.fact)))?;
    let commit = git.commit("HEAD")?;
    let written = git.written().ok_or_else(|| {
        unknown("--with-authors: git does not have the whole history here: it would name the wrong people".to_owned())
    })?;
    let told = |(folder, (authors, first))| (folder, Written { authors, first });
    Ok((commit, written.into_iter().map(told).collect()))
}

/// A report takes the place of a report, whole or not, and of nothing else.
fn spare(folder: &Path, name: &str) -> Result<()> {
    let told = |error: std::io::Error| Trouble::file(folder, &error);
    let there = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        there => there.map_err(told)?,
    };
    for file in there {
        let file = file.map_err(told)?.file_name();
        let file = file.to_string_lossy();
        if !audit::NAMES.contains(&file.as_ref()) {
            return Err(Trouble {
                consequence: Some("nothing was written".to_owned()),
                ..Trouble::usage(
                    format!("{name} holds {file}, which is of no report"),
                    "name another folder: tollgate report --out report",
                )
            });
        }
    }
    Ok(())
}

fn write(
    output: &mut Output<'_>,
    folder: &Path,
    typed: &Path,
    report: &audit::Report,
    entries: &[(ChainHash, Entry)],
) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| Trouble::file(folder, &error))?;
    // The manifest is the last of them: while it is not there, the report is not whole.
    let manifest = folder.join(MANIFEST);
    match std::fs::remove_file(&manifest) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Trouble::file(&manifest, &error));
        }
        _ => {}
    }
    let secrets = output.secrets();
    let mut writing: Option<Writing> = None;
    audit::each_file(
        report,
        entries,
        &|text| secrets.leave_out(text),
        &mut |part| match part {
            Part::Begin(name) => {
                writing = Some(Writing::begin(&folder.join(name), Lasts::AtOnce)?);
                Ok(())
            }
            Part::Text(text) => writing.as_mut().map_or(Ok(()), |file| file.part(text)),
            Part::End => writing.take().map_or(Ok(()), Writing::end),
        },
    )?;
    if output.is_json() {
        output.document(&json!({
            "schema": "tollgate/report-files/v1",
            "folder": typed.display().to_string(),
            "files": audit::NAMES,
        }));
    }
    Ok(())
}

fn told(output: &mut Output<'_>, typed: &Path, report: &audit::Report) {
    let folder = typed.display().to_string();
    let mut text = format!(
        "{folder}: {} of {}, as of {}\n\n",
        count(report.population.len(), "row"),
        count(report.changes.len(), "change"),
        report.scope.as_of
    );
    for name in audit::NAMES {
        let what = match name {
            "report.html" => "for people: one page, also on paper",
            "report.md" => "the same as text",
            "population.csv" => "the population, for spreadsheets",
            "report.json" => "all of it, for programs",
            "report.schema.json" => "what report.json holds",
            "entries.jsonl" => "the entries, byte for byte",
            "VERIFY.txt" => "how to check all of it without tollgate",
            _ => "SHA-256 of the other files",
        };
        text.push_str(&format!("  {name:<19} {what}\n"));
    }
    let withheld = report
        .entries
        .iter()
        .filter(|it| it.withheld.is_some())
        .count();
    if withheld > 0 {
        text.push_str(&format!(
            "\nwithheld from entries.jsonl: {withheld} of {}, because they name machines, quote databases or hold\n\
             passwords; --with-hosts and --with-errors put the first two in\n",
            report.entries.len()
        ));
    }
    text.push_str(&format!(
        "\n  next   sed -n 's/^  \\$ //p' VERIFY.txt | sh -eu   # in {}\n",
        shell(&folder)
    ));
    output.result(&text);
}
