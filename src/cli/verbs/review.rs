//! `tollgate review FILE`

use serde_json::json;

use crate::cli::args::{Format, Global, Review};
use crate::cli::output::Output;
use crate::cli::project::{Project, start};
use crate::cli::{Exit, Result, saved};
use crate::ledger;
use crate::ledger::view::View;
use crate::model::{EnvironmentName, Policy};
use crate::planner::gates::approval::judged;
use crate::planner::premises::{self, Held};
use crate::planner::saved::SavedPlan;
use crate::report::{plan, review};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Review) -> Result<Exit> {
    let file = verb.file.display().to_string();
    let of = match start(output, global).join(&verb.file).exists() {
        true => None,
        false => last(output, global),
    };
    let read = match saved::read(output, global, &verb.file, of.as_ref())? {
        Ok(read) => read,
        Err(error) => {
            let finding = premises::unfit(&error, last(output, global).as_ref(), &file);
            if output.is_json() {
                output.document(&json!({
                    "schema": "tollgate/review/v1",
                    "file": file,
                    "refusals": [plan::finding_json(&finding)],
                    "plan": null,
                }));
            } else {
                let what = format!("{file} is not to be relied on");
                // Also where a page was asked for: it must not pass for one.
                output.result(&saved::refused(&what, &finding, output.paint()));
            }
            return Ok(Exit::Refused);
        }
    };
    let now = (output.world.now)();
    let ledger = ledger_here(output, global, &read);
    let approved = ledger.as_ref().map(|(policy, view)| {
        let environment = &read.content.environment;
        let asked = policy.approvals(environment);
        let held = Held {
            saved: &read,
            file: &file,
            by: None,
        };
        let not_by_author = asked.is_some_and(|asked| asked.not_by_author);
        review::Approved {
            asked: asked.map_or(0, |asked| usize::from(asked.count.get())),
            known: judged(view.get(environment), held, now, not_by_author),
        }
    });
    let seen = review::Review {
        saved: &read,
        file: &file,
        now,
        approved: approved.as_ref(),
    };
    match output.format {
        Format::Json => output.document(&review::json(&seen)),
        Format::Markdown => output.page(&review::markdown(&seen)),
        Format::Html => output.page(&review::html(&seen)),
        Format::Text | Format::Github | Format::Sarif => {
            let text = review::text(&seen, output.paint());
            output.result(&text);
        }
    }
    Ok(Exit::Done)
}

/// The environment that most plans are made for. A plan can be read anywhere; how another one is made is known
/// in its project alone.
fn last(output: &mut Output<'_>, global: &Global) -> Option<EnvironmentName> {
    let project = Project::open(output, global).ok()?;
    project.config.policy.chain().last().cloned()
}

/// Who approved it stands in the ledger of the project, where there is one here that has its environment. A
/// plan can be read anywhere, so nothing is wrong where there is none.
fn ledger_here(
    output: &mut Output<'_>,
    global: &Global,
    read: &SavedPlan,
) -> Option<(Policy, View)> {
    let project = Project::open(output, global).ok()?;
    let policy = project.config.policy;
    policy.index(&read.content.environment)?;
    if !project.config.ledger.is_file() {
        return None;
    }
    let loaded = ledger::read_state(&project.config.ledger, &policy).ok()?;
    Some((policy, loaded.view))
}
