//! `tollgate lint [MIGRATION...]`: what is worth knowing of scripts before they run. Offline.

mod since;

use crate::catalog::Catalog;
use crate::cli::args::{EngineName, Format, Global, Lint};
use crate::cli::exit::Trouble;
use crate::cli::git::Git;
use crate::cli::output::Output;
use crate::cli::project::{Project, migration};
use crate::cli::{Exit, Result};
use crate::ledger::{self, View};
use crate::lint::rules::place::{self, There, Tip};
use crate::lint::tree::{self, Plans};
use crate::lint::{Finding, Level, Script, rules};
use crate::model::entry::Engine;
use crate::model::{EnvironmentName, Kind, MigrationId};
use crate::planner::gates::order::newest_for;
use crate::planner::revert::stubs;
use crate::report::lint as report;
use crate::sql::analyse_all;
use crate::sql::changes::changes;

use since::Since;

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Lint) -> Result<Exit> {
    if let Some(code) = &verb.explain {
        return explain(output, code);
    }
    let project = Project::open(output, global)?;
    let catalog = project.catalog_and_rest(output)?;
    let loaded = ledger::read_state(&project.config.ledger, &project.config.policy)?;
    output.note_strays(&loaded.strays);
    let engine = engine(&project, &catalog, &loaded.view, verb.engine)?;
    let since = match &verb.changed_since {
        None => None,
        Some(revision) => {
            let (root, folder) = (&project.config.root, &project.config.migrations);
            Some(Since::read(root, folder, revision, &catalog)?)
        }
    };
    if let Some(since) = since.as_ref().filter(|since| since.is_new_folder) {
        output.note(&format!(
            "note: {} has no migration at {}: all of it counts as new, and an edit on the way is not told\n",
            project.config.migrations.display(),
            since.revision
        ));
    }
    let places = places(&catalog, since.as_ref(), &verb.migrations)?;

    let texts: Vec<&str> = catalog
        .migrations
        .iter()
        .map(|file| file.script.as_str())
        .collect();
    let analyses = analyse_all(engine, &texts);
    let all: Vec<_> = texts
        .iter()
        .zip(&analyses)
        .map(|(text, analysis)| changes(engine, text, analysis))
        .collect();
    let scripts: Vec<Script<'_>> = catalog
        .migrations
        .iter()
        .zip(&analyses)
        .zip(&all)
        .map(|((file, analysis), changes)| Script {
            migration: &file.id,
            text: &file.script,
            analysis,
            changes,
        })
        .collect();
    let plans = match since {
        Some(_) => Plans::Together(&places),
        None => Plans::Each(&places),
    };
    let mut about = about(&project, &loaded.view, since.as_ref(), &scripts, &places);
    let files = places
        .iter()
        .filter_map(|place| catalog.migrations.get(*place));
    about.extend(files.filter_map(|file| {
        let open = stubs(&file.down.as_ref()?.script);
        let path = project.path_of(&file.id, "down.sql");
        place::open_reversal(&file.id, &open, &path)
    }));
    let findings = tree::check(engine, &scripts, plans, about);
    let report = report::Report {
        engine,
        since: since.as_ref().map(|since| report::Since {
            revision: &since.revision,
            commit: &since.commit,
            base: &since.base,
        }),
        migrations: places
            .iter()
            .filter_map(|place| scripts.get(*place))
            .map(|script| script.migration)
            .collect(),
        findings: report::told(&findings, |finding| {
            let script = catalog.get(&finding.migration);
            Some((
                project.config.lint.of(finding.rule)?,
                project.script_path(&finding.migration),
                script.map(|file| file.script.as_str()),
            ))
        }),
    };
    tell(output, &project, verb, &report);
    Ok(match report.refuses() {
        true => Exit::Refused,
        false => Exit::Done,
    })
}

fn tell(output: &mut Output<'_>, project: &Project, verb: &Lint, told: &report::Report<'_>) {
    let shown = match (verb.all, verb.level) {
        (true, _) => Level::Note,
        (false, level) => level.map_or(Level::Warning, Into::into),
    };
    match output.format {
        Format::Text | Format::Markdown | Format::Html => {
            let text = report::text(told, shown, output.paint());
            output.result(&text);
        }
        Format::Json => output.document(&report::json(told)),
        Format::Github => {
            for annotation in report::annotations(told, shown, &from_top(project)) {
                output.annotate(&annotation);
            }
            output.result(&report::summary(told));
        }
        Format::Sarif => {
            let version = env!("CARGO_PKG_VERSION");
            output.document(&report::sarif(told, &from_top(project), version));
        }
    }
}

/// The path from the top of the repository to the project's folder; empty where there is no repository.
pub(in crate::cli) fn from_top(project: &Project) -> String {
    let git = Git::at(&project.config.root).ok();
    git.and_then(|git| git.prefix()).unwrap_or_default()
}

/// Prints the page of one rule.
fn explain(output: &mut Output<'_>, code: &str) -> Result<Exit> {
    let code = code.trim().to_lowercase();
    let Some(section) = report::explain(&code) else {
        let known = report::sections().map(|(code, _)| code);
        let remedy = match crate::cli::config::nearest(&code, known) {
            Some(near) => format!("tollgate lint --explain {near}"),
            None => {
                let codes: Vec<&str> = rules::all().map(|rule| rule.code).collect();
                format!("name one of {}", codes.join(", "))
            }
        };
        return Err(Trouble::usage(format!("there is no rule {code}"), remedy));
    };
    if output.is_json() {
        output.document(&serde_json::json!({
            "schema": "tollgate/rule/v1",
            "rule": code,
            "page": section,
        }));
    } else {
        output.result(&format!("{section}\n"));
    }
    Ok(Exit::Done)
}

/// The places in the catalog of what is to be looked at, in order.
fn places(catalog: &Catalog, since: Option<&Since>, named: &[String]) -> Result<Vec<usize>> {
    let files = &catalog.migrations;
    let mut places: Vec<usize> = Vec::new();
    match since {
        Some(since) => {
            places.extend((0..files.len()).filter(|place| since.changed(&files[*place].id)));
        }
        None if named.is_empty() => places.extend(0..files.len()),
        None => {
            for typed in named {
                let id = migration(typed, files.iter().map(|file| &file.id))?;
                places.extend(files.iter().position(|file| file.id == id));
            }
        }
    }
    places.sort_unstable();
    places.dedup();
    Ok(places)
}

/// What is found by comparing: with the ledger, and with a revision.
fn about(
    project: &Project,
    view: &View,
    since: Option<&Since>,
    scripts: &[Script<'_>],
    places: &[usize],
) -> Vec<Finding> {
    let mut out = since.map_or_else(Vec::new, |since| {
        since.findings(|id| project.script_path(id))
    });
    let policy = &project.config.policy;
    // An ephemeral environment has a new target at any time, which will take them in their order.
    let chain: Vec<&EnvironmentName> = policy
        .chain()
        .filter(|name| policy.kind(name) != Kind::Ephemeral)
        .collect();
    let tip = since.and_then(|since| {
        let newest = since.newest.as_ref()?;
        Some(Tip {
            revision: &since.revision,
            newest,
        })
    });
    for script in places.iter().filter_map(|place| scripts.get(*place)) {
        let migration = script.migration;
        let there: Vec<There<'_>> = chain
            .iter()
            .filter_map(|environment| {
                let here = view.get(environment)?;
                let (newest, _) = newest_for(here, migration)?;
                (!here.applied.contains_key(migration)).then(|| There {
                    environment,
                    newest,
                    refuses: !policy.is_lenient_in(environment),
                })
            })
            .collect();
        let is_new = since.is_some_and(|since| since.added.contains(migration));
        let fixed_in = fixed_in(project, view, migration);
        out.extend(place::order(
            migration,
            &there,
            tip.filter(|_| is_new),
            fixed_in,
        ));
    }
    out
}

/// An environment that holds a migration to its name.
fn fixed_in<'a>(
    project: &'a Project,
    view: &View,
    migration: &MigrationId,
) -> Option<&'a EnvironmentName> {
    let policy = &project.config.policy;
    let has = |name: &&EnvironmentName| {
        let here = view.get(name);
        here.is_some_and(|here| here.applied.contains_key(migration))
    };
    policy
        .names()
        .filter(|name| policy.holds_to_names(name))
        .find(has)
}

/// How the scripts are to be read, without a target: what was said, what the urls that can be read here
/// name, whose tree it is, or what the ledger has met.
fn engine(
    project: &Project,
    catalog: &Catalog,
    view: &View,
    said: Option<EngineName>,
) -> Result<Engine> {
    if let Some(said) = said {
        return Ok(said.into());
    }
    let policy = &project.config.policy;
    let by_url = policy
        .names()
        .filter_map(|name| project.engine_by_url(name));
    if let Some(engine) = only(by_url)? {
        return Ok(engine);
    }
    if let Some(tree) = &catalog.prisma {
        let fits = [Engine::Postgresql, Engine::Sqlite]
            .into_iter()
            .find(|engine| tree.provider.is_some() && !tree.is_for_another(*engine));
        match (fits, &tree.provider) {
            (Some(engine), _) => return Ok(engine),
            (None, Some(provider)) => {
                return Err(Trouble::usage(
                    format!("the tree is for {provider}, by its migration_lock.toml"),
                    "tollgate lint --engine postgresql   # only where its scripts are PostgreSQL's all the same",
                ));
            }
            (None, None) => {}
        }
    }
    let met = policy
        .names()
        .filter_map(|name| view.get(name)?.target.as_ref());
    if let Some(engine) = only(met.map(|target| target.engine))? {
        return Ok(engine);
    }
    Err(Trouble {
        consequence: Some("no url can be read here, and no ledger has met a target".to_owned()),
        ..Trouble::usage(
            "it is not known for which kind of database the scripts are",
            "tollgate lint --engine postgresql   # or sqlite",
        )
    })
}

/// The one engine among these; several are an error.
fn only(engines: impl Iterator<Item = Engine>) -> Result<Option<Engine>> {
    let mut one = None;
    for engine in engines {
        if one.is_some_and(|one| one != engine) {
            return Err(Trouble::usage(
                "some environments are on PostgreSQL and some on SQLite",
                "tollgate lint --engine postgresql   # and once more with sqlite",
            ));
        }
        one = Some(engine);
    }
    Ok(one)
}
