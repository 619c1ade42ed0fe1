//! `tollgate break-glass ENV --reason WHY --incident ID [--to MIGRATION] [--yes]` and
//! `tollgate post-review ENV INCIDENT --note WHAT`

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::apply;
use crate::cli::act::act;
use crate::cli::args::{BreakGlass, Global, PostReview};
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, up_to};
use crate::cli::reason::{must_have_a_reason, must_say};
use crate::cli::{Exit, Result};
use crate::model::IncidentName;
use crate::planner::revert::one_line;
use crate::planner::{Broken, Gate};
use crate::report;
use crate::workflows::apply::{End, Report};
use crate::workflows::break_glass::{self, Request, Reviewed};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &BreakGlass) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let environment = project.environment(&verb.environment)?;
    let example = format!(
        "tollgate break-glass {environment} --reason '<what went wrong>' --incident '<id>'"
    );
    must_have_a_reason(&verb.reason, &example)?;
    let incident = incident(&verb.incident, &example)?;
    let catalog = project.catalog_and_rest(output)?;
    let files = facts(&catalog);
    let prisma = catalog.prisma.as_ref();
    let to = up_to(verb.to.as_ref(), &files)?;
    let request = Request {
        environment: &environment,
        to: to.as_ref(),
        incident: &incident,
        reason: &verb.reason,
    };
    let looked = act(output, global, &project, &files, prisma, |run| {
        break_glass::look(run, &request)
    })?;
    let refusals = &looked.plan.refusals;
    let backs_up = !refusals.is_empty() && refusals.iter().all(|it| it.gate == Gate::Backup);
    let broken = match (&looked.end, &looked.plan.glass) {
        (End::Ready, Some(broken)) => broken,
        (End::Refused, Some(broken)) if backs_up && !broken.skipped.is_empty() => broken,
        _ => return Ok(ended(output, &project, &files, &looked)),
    };
    let mut text = report::glass::shown(
        &looked.plan,
        broken,
        &project.config.policy,
        output.paint_notes(),
    );
    if backs_up {
        text.push_str("  a backup is taken first, as the policy asks\n");
    }
    let command = report::glass::command(&environment, broken);
    if !verb.yes && !output.world.asks {
        return Ok(only_shown(output, &looked, &text, &command));
    }
    output.note(&text);
    if !verb.yes && !output.confirm("break the glass?", &format!("{command} --yes"))? {
        return Ok(not_confirmed(output, &looked, &command));
    }
    let skipped = broken.skipped.iter();
    let confirmed: BTreeSet<_> = skipped.map(|it| (it.gate, it.migration.clone())).collect();
    let report = act(output, global, &project, &files, prisma, |run| {
        break_glass::break_glass(run, &request, confirmed)
    })?;
    Ok(ended(output, &project, &files, &report))
}

fn incident(typed: &str, remedy: &str) -> Result<IncidentName> {
    must_say("the name of an incident", typed, remedy)?;
    Ok(IncidentName(one_line(typed)))
}

/// Nobody can be asked, and nobody said yes.
fn only_shown(output: &mut Output<'_>, looked: &Report, text: &str, command: &str) -> Exit {
    if output.is_json() {
        output.document(&document(
            looked,
            "shown",
            Some(&format!("{command} --yes")),
        ));
        return Exit::Usage;
    }
    output.result(text);
    output.note(&format!(
        "\n{} there is no terminal to ask on, so nothing was done\n\n  remedy   {command} --yes\n",
        output.paint_notes().bad("error:")
    ));
    Exit::Usage
}

fn not_confirmed(output: &mut Output<'_>, looked: &Report, command: &str) -> Exit {
    let (word, exit) = match output.is_interrupted() {
        true => ("interrupted", Exit::Interrupted),
        false => ("not-confirmed", Exit::Usage),
    };
    if output.is_json() {
        output.document(&document(looked, word, Some(command)));
    }
    output.note(&format!(
        "\n{} nothing was done\n\n  remedy   {command}\n",
        output.paint_notes().warn("stopped:")
    ));
    exit
}

fn ended(
    output: &mut Output<'_>,
    project: &Project,
    files: &[crate::planner::FileFacts<'_>],
    report: &Report,
) -> Exit {
    let environment = &report.plan.environment;
    if output.is_json() {
        let word = apply::word(&report.end);
        output.document(&document(report, word, None));
    } else if let Some(line) = apply::result(report) {
        output.result(&line);
        if let (End::Done, Some(broken)) = (&report.end, &report.plan.glass) {
            output.result(&owed(report, broken));
        }
    }
    let exit = apply::end(output, project, files, report);
    let stands = !report.applied.is_empty() && exit != Exit::Done;
    if let Some(broken) = report.plan.glass.as_ref().filter(|_| stands) {
        output.note(&format!(
            "the debt of incident {} is open: {} applied to {environment} through broken glass\n",
            broken.incident,
            report::count(report.applied.len(), "migration")
        ));
    }
    exit
}

/// What is owed from here on.
fn owed(report: &Report, broken: &Broken) -> String {
    format!(
        "the debt of incident {} is open: to be reviewed by {}\n\n  next      tollgate plan {}   # says what is owed\n",
        broken.incident,
        broken.review_by.minute(),
        report.plan.environment
    )
}

/// The report as `tollgate/break-glass/v1`.
fn document(report: &Report, end: &str, remedy: Option<&str>) -> Value {
    let mut document = apply::document(report);
    if let Some(object) = document.as_object_mut() {
        object.insert("schema".to_owned(), "tollgate/break-glass/v1".into());
        object.insert("end".to_owned(), end.into());
        object.insert("remedy".to_owned(), remedy.into());
    }
    document
}

pub(crate) fn post_review(
    output: &mut Output<'_>,
    global: &Global,
    verb: &PostReview,
) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let environment = project.environment(&verb.environment)?;
    let example =
        format!("tollgate post-review {environment} '<incident>' --note '<what was found>'");
    let incident = incident(&verb.incident, &example)?;
    must_say("a note", &verb.note, &example)?;
    let catalog = project.catalog_and_rest(output)?;
    let files = facts(&catalog);
    let prisma = catalog.prisma.as_ref();
    let (debt, reviewed) = act(output, global, &project, &files, prisma, |run| {
        break_glass::post_review(run, &environment, &incident, &verb.note)
    })?;
    let is_new = reviewed == Reviewed::Now;
    if output.is_json() {
        output.document(&json!({
            "schema": "tollgate/post-review/v1",
            "end": if is_new { "done" } else { "nothing-to-do" },
            "debt": report::glass::debt_json(&environment, &debt, (output.world.now)()),
        }));
    } else {
        let text = report::glass::reviewed(&environment, &debt, is_new, output.paint());
        output.result(&text);
    }
    Ok(Exit::Done)
}
