//! `tollgate sync [ENV...]`, `sync --from FILE`, `sync --from-dir DIR`, `sync --believe HASH`

use std::io::Read as _;
use std::path::Path;

use serde_json::{Value, json};

use crate::cli::act::act;
use crate::cli::args::{Global, Sync};
use crate::cli::evidence;
use crate::cli::exit::Trouble;
use crate::cli::files::not_read;
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, start};
use crate::cli::reason::must_have_a_reason;
use crate::cli::{Exit, Result};
use crate::ledger::{self, Merged, Pack, PackError};
use crate::model::EnvironmentName;
use crate::planner::gates::shell;
use crate::report::{self, count, strays};
use crate::workflows::WorkflowError;
use crate::workflows::sync::{Look, began, believe, look, take};

/// What an empty ledger does not get back from receipts.
const NOT_REGAINED: [&str; 4] = [
    "attempts that failed, and refusals",
    "what a person resolved, and why an environment was bound again",
    "the chain as it was accepted, where an environment was taken out of it",
    "successes in targets that are gone, or were replaced",
];

/// The first bytes of every SQLite file.
pub(crate) const SQLITE: &[u8] = b"SQLite format 3\0";

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Sync) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let named = named(&project, verb)?;
    if let Some(hash) = &verb.believe {
        return word(output, global, &project, hash, verb.reason.as_deref());
    }
    let from = start(output, global);
    let mut sources = Vec::new();
    for file in &verb.from {
        sources.push((file.display().to_string(), read(output, &from, file)?));
    }
    for folder in &verb.from_dir {
        let pack = Pack::of(evidence::read(&from.join(folder))?);
        let name = folder.display().to_string();
        let pack = pack.map_err(|error| unsound(&name, &error))?;
        sources.push((name, pack));
    }
    // Whoever names a file means the file; the targets are asked where they are named, or nothing is.
    let looks_at = match (named.is_empty(), sources.is_empty()) {
        (true, true) => project.config.policy.names().cloned().collect(),
        _ => named,
    };
    let asked = !verb.environments.is_empty();
    let catalog = project.catalog()?;
    let files = facts(&catalog);
    let prisma = catalog.prisma.as_ref();
    let mut told = Told::default();
    let (merged, held, regained) = act(output, global, &project, &files, prisma, |run| {
        let before = run.ledger.heads().len();
        let mut merged = Vec::new();
        for (name, pack) in &sources {
            merged.push((name.clone(), take(run, pack)?));
        }
        for name in &looks_at {
            match project.address(name) {
                Ok(_) => {
                    let looked = look(run, name);
                    // What the ledger itself says ends the run; what one target says does not.
                    if let Err(WorkflowError::Ledger(error)) = looked {
                        return Err(error.into());
                    }
                    told.looks.push((name.clone(), looked));
                }
                Err(trouble) => told.not_looked.push((name.clone(), trouble)),
            }
        }
        let regained = sources.is_empty() && began(run, before);
        Ok((merged, run.ledger.strays().clone(), regained))
    })?;
    let exit = if held.unsettled().next().is_some() {
        Exit::Contradiction
    } else {
        told.exit(asked)
    };
    if output.is_json() {
        output.document(&json!({
            "schema": "tollgate/sync/v1",
            "environments": told.json(),
            "sources": merged.iter().map(|(name, merged)| source_json(name, merged)).collect::<Vec<_>>(),
            "strays": strays::json(&held),
            "not_regained": regained.then_some(NOT_REGAINED),
        }));
        return Ok(exit);
    }
    for (name, merged) in &merged {
        output.result(&source(name, merged));
    }
    told.print(output, asked);
    if regained {
        output.note(&format!(
            "this ledger was empty, and receipts do not tell everything: {}\n  remedy    tollgate sync --from '<file>'   # where an export, another ledger or the hub still has them\n",
            NOT_REGAINED.join("; ")
        ));
    }
    Ok(exit)
}

fn named(project: &Project, verb: &Sync) -> Result<Vec<EnvironmentName>> {
    let typed = verb.environments.iter();
    typed.map(|typed| project.environment(typed)).collect()
}

/// Reads another ledger, or an export of one.
#[expect(
    clippy::disallowed_methods,
    reason = "the file was named on the command line"
)]
fn read(output: &mut Output<'_>, start: &Path, file: &Path) -> Result<Pack> {
    let name = file.display().to_string();
    let bytes = if name == "-" {
        let mut bytes = Vec::new();
        let read = output.world.stdin.read_to_end(&mut bytes);
        read.map_err(|error| Trouble::failed(format!("stdin: {error}"), None))?;
        bytes
    } else {
        let path = start.join(file);
        let bytes = std::fs::read(&path).map_err(|error| not_read(&path, &name, &error))?;
        if bytes.starts_with(SQLITE) {
            // It is not ours to put right: what is said of our own ledger would move it away.
            let bodies = ledger::read_bodies(&path).map_err(|error| Trouble {
                consequence: Some("nothing of it was taken in".to_owned()),
                remedy: Some("tollgate verify   # where that ledger is".to_owned()),
                ..Trouble::from(error)
            })?;
            return Pack::held(bodies).map_err(|error| unsound(&name, &error));
        }
        bytes
    };
    let text = String::from_utf8(bytes).map_err(|_| {
        unsound(
            &name,
            &PackError::Not("it is neither a ledger nor an export of one".to_owned()),
        )
    })?;
    Pack::from_lines(&text).map_err(|error| unsound(&name, &error))
}

fn unsound(name: &str, error: &PackError) -> Trouble {
    Trouble {
        exit: match error {
            PackError::Not(_) | PackError::Newer(_) => Exit::Failed,
            PackError::Unsound(_) => Exit::Contradiction,
        },
        fact: format!("{name}: {error}"),
        consequence: Some("nothing of it was taken in".to_owned()),
        remedy: Some(match error {
            PackError::Newer(_) => "upgrade tollgate on this machine".to_owned(),
            _ => "tollgate log export '<file>'   # anew, where that ledger is".to_owned(),
        }),
    }
}

fn word(
    output: &mut Output<'_>,
    global: &Global,
    project: &Project,
    hash: &str,
    reason: Option<&str>,
) -> Result<Exit> {
    let reason = reason.unwrap_or_default().trim();
    must_have_a_reason(
        reason,
        &format!("tollgate sync --believe {} --reason '<why>'", shell(hash)),
    )?;
    let fork = act(output, global, project, &[], None, |run| {
        believe(run, hash, reason.to_owned())
    })?;
    let believed = fork.believed.map(|hash| hash.short()).unwrap_or_default();
    if output.is_json() {
        output.document(&json!({
            "schema": "tollgate/believe/v1",
            "writer": fork.writer,
            "number": fork.number,
            "believed": fork.believed,
        }));
    } else {
        output.result(&format!(
            "entry {} of writer {} is {believed}: it counts, with what follows it; the other stays, and counts for nothing\n",
            fork.number,
            fork.writer.short()
        ));
    }
    Ok(Exit::Done)
}

/// What the targets told.
#[derive(Default)]
struct Told {
    looks: Vec<(EnvironmentName, std::result::Result<Look, WorkflowError>)>,
    not_looked: Vec<(EnvironmentName, Trouble)>,
}

impl Told {
    /// The gravest of the ends. An environment that cannot be looked at from here is no error unless it
    /// was named.
    fn exit(&self, asked: bool) -> Exit {
        let ends = self.looks.iter().map(|(_, look)| match look {
            Ok(look) if look.finding.is_some() => Exit::Refused,
            Ok(_) => Exit::Done,
            Err(WorkflowError::Contradiction { .. }) => Exit::Contradiction,
            Err(_) => Exit::Failed,
        });
        let unset = self
            .not_looked
            .iter()
            .filter(|_| asked)
            .map(|_| Exit::Usage);
        ends.chain(unset)
            .max_by_key(|exit| exit.code())
            .unwrap_or(Exit::Done)
    }

    fn print(self, output: &mut Output<'_>, asked: bool) {
        let paint = output.paint();
        for (name, look) in self.looks {
            match look {
                Ok(look) => output.result(&line(&name, &look, paint)),
                Err(error) => {
                    output.trouble_in_text(&Trouble::from(error));
                }
            }
        }
        for (name, trouble) in self.not_looked {
            if asked {
                output.trouble_in_text(&trouble);
            } else {
                let fact = trouble.fact;
                let said = fact.strip_prefix(&format!("{name}: ")).unwrap_or(&fact);
                output.result(&format!("{name}: not looked at: {said}\n"));
            }
        }
    }

    fn json(&self) -> Vec<Value> {
        let looked = self.looks.iter().map(|(name, look)| match look {
            Ok(look) => json!({
                "environment": name,
                "taken_in": look.taken,
                "stand": look.stand,
                "entered": !look.is_new,
                "refusal": look.finding.as_ref().map(|finding| json!({
                    "gate": finding.gate.as_str(), "fact": finding.fact, "remedy": finding.remedy,
                })),
                "error": null,
            }),
            Err(error) => json!({ "environment": name, "error": error.to_string() }),
        });
        let unset = self
            .not_looked
            .iter()
            .map(|(name, trouble)| json!({ "environment": name, "not_looked_at": trouble.fact }));
        looked.chain(unset).collect()
    }
}

fn line(name: &EnvironmentName, look: &Look, paint: report::Paint) -> String {
    if let Some(finding) = &look.finding {
        return format!(
            "{} {name}: {}\n  found     {}\n  remedy    {}\n",
            paint.bad("not taken in:"),
            finding.fact,
            finding.found.join("; "),
            finding.remedy
        );
    }
    if look.is_new {
        return format!("{name}: tollgate was never there, so there is nothing to take in\n");
    }
    let taken = match look.taken {
        0 => "nothing new".to_owned(),
        taken => format!("took in {}", count(taken, "receipt")),
    };
    format!(
        "{name}: {taken}; {}\n",
        match look.stand {
            0 => "no receipt stands there".to_owned(),
            1 => "1 receipt stands there".to_owned(),
            stand => format!("{stand} receipts stand there"),
        }
    )
}

fn entries(count: usize) -> String {
    match count {
        1 => "1 entry".to_owned(),
        _ => format!("{count} entries"),
    }
}

/// What came of one source, in words.
pub(crate) fn source(name: &str, merged: &Merged) -> String {
    let new: usize = merged.new.values().sum();
    let mut text = match new {
        0 if merged.known == 0 => format!("{name}: nothing new\n"),
        0 => format!(
            "{name}: nothing new, {} known already\n",
            entries(merged.known)
        ),
        _ if merged.known == 0 => format!(
            "{name}: took in {} by {}\n",
            entries(new),
            count(merged.new.len(), "writer")
        ),
        _ => format!(
            "{name}: took in {} by {}, {} known already\n",
            entries(new),
            count(merged.new.len(), "writer"),
            merged.known
        ),
    };
    if merged.went_back {
        text.push_str(
            "  some were this ledger's own, and were lost here: it goes on as a new writer\n",
        );
    }
    text
}

fn source_json(name: &str, merged: &Merged) -> Value {
    json!({
        "source": name,
        "new": merged.new.iter().map(|(writer, count)| json!({ "writer": writer, "entries": count })).collect::<Vec<_>>(),
        "known": merged.known,
        "went_back": merged.went_back,
    })
}
