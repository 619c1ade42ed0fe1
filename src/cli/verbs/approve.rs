//! `tollgate approve FILE --as NAME [--note TEXT]`

use serde_json::{Value, json};

use crate::cli::act::act;
use crate::cli::args::{Approve, Global};
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::{Project, facts};
use crate::cli::reason::must_say;
use crate::cli::{Exit, Result, saved};
use crate::model::approval::{NOT_SIGNED, is_hidden};
use crate::model::{Actor, one_line};
use crate::planner::gates::shell;
use crate::planner::premises::{self, Held};
use crate::planner::saved::SavedPlan;
use crate::planner::{Finding, Gate};
use crate::report;
use crate::workflows::approve::{End, Report, Request, approve};

/// More characters than this are no name.
const LONGEST: usize = 200;

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Approve) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let file = verb.file.display().to_string();
    let again = format!("tollgate approve {} --as '<name>'", shell(&file));
    let approver = name(&verb.approver, &again)?;
    if let Some(note) = &verb.note {
        must_say(
            "a note",
            note,
            &format!("{again} --note '<what you looked at>'"),
        )?;
    }
    let last = project.config.policy.chain().last();
    let read = match saved::read(output, global, &verb.file, last)? {
        Ok(read) => read,
        Err(error) => return Ok(unfit(output, &premises::unfit(&error, last, &file), None)),
    };
    let environment = &read.content.environment;
    let policy = &project.config.policy;
    if policy.index(environment).is_none() {
        let finding = premises::nowhere(environment, &file);
        return Ok(unfit(output, &finding, Some(&read)));
    }
    let catalog = project.catalog_and_rest(output)?;
    let files = facts(&catalog);
    let request = Request {
        held: Held {
            saved: &read,
            file: &file,
            by: None,
        },
        engine: project.engine(environment),
        approver: &approver,
        note: verb.note.as_deref(),
    };
    let report = act(
        output,
        global,
        &project,
        &files,
        catalog.prisma.as_ref(),
        |run| approve(run, &request),
    )?;
    let asked = policy.approvals(environment).map(|asked| asked.count.get());
    let seen = Seen {
        read: &read,
        file: &file,
        report: &report,
        asked: asked.map_or(0, usize::from),
    };
    if output.is_json() {
        output.document(&seen.document());
    } else {
        let text = seen.text(output.paint());
        output.result(&text);
    }
    Ok(match report.end {
        End::Recorded(_) | End::Before(_) | End::UpToDate => Exit::Done,
        End::Refused(_) => Exit::Refused,
    })
}

/// A name that can be read, and compared with others.
fn name(typed: &str, remedy: &str) -> Result<Actor> {
    let name = one_line(typed);
    let what = if !name.contains(char::is_alphanumeric) {
        "has no name in it"
    } else if name.starts_with('<') && name.ends_with('>') {
        "only stands in the place of a name"
    } else if name.chars().any(is_hidden) || typed.chars().any(char::is_control) {
        "has characters in it that are not seen"
    } else if name.chars().count() > LONGEST {
        "is longer than any name, 200 characters"
    } else {
        return Ok(Actor(name));
    };
    Err(Trouble::usage(
        format!("an approval is somebody's word, and --as {what}"),
        remedy,
    ))
}

/// A file that nobody can say yes to.
fn unfit(output: &mut Output<'_>, finding: &Finding, read: Option<&SavedPlan>) -> Exit {
    if output.is_json() {
        output.document(&json!({
            "schema": "tollgate/approve/v1",
            "end": "refused",
            "plan": read.map(|read| read.id),
            "environment": read.map(|read| &read.content.environment),
            "refusals": [report::plan::finding_json(finding)],
        }));
    } else {
        let text = saved::refused("nothing was approved", finding, output.paint());
        output.result(&text);
    }
    Exit::Refused
}

struct Seen<'a> {
    read: &'a SavedPlan,
    file: &'a str,
    report: &'a Report,
    /// So many approvals are asked for there.
    asked: usize,
}

impl Seen<'_> {
    fn missing(&self) -> usize {
        self.asked.saturating_sub(self.report.approvals.len())
    }

    fn text(&self, paint: report::Paint) -> String {
        let environment = &self.read.content.environment;
        let plan = self.read.id.short();
        let mut out = match &self.report.end {
            End::UpToDate => {
                return format!(
                    "{environment}: nothing to do: every step of saved plan {plan} stands there\n"
                );
            }
            End::Refused(refusals) => {
                return format!(
                    "{} {}\n{}",
                    paint.bad("refused:"),
                    paint.bold(&format!("nothing was approved for {environment}")),
                    report::plan::findings(refusals, paint)
                );
            }
            End::Recorded(own) => format!(
                "{} saved plan {plan} for {environment}, by {}: {NOT_SIGNED}\n\n",
                paint.good("approved:"),
                own.approver
            ),
            End::Before(own) => format!(
                "{} saved plan {plan} for {environment}, by {} already: once counts, and nothing was written\n\n",
                paint.good("approved:"),
                own.approver
            ),
        };
        for approval in &self.report.approvals {
            out.push_str(&row("approved", &approval.told()));
        }
        out.push_str(&row(
            "asked for",
            &match (self.asked, self.missing()) {
                (0, _) => format!("the policy of {environment} asks for none"),
                (asked, 0) => format!("{asked}, and none is missing"),
                (asked, missing) => format!("{asked}, {missing} missing"),
            },
        ));
        let later = later(&self.report.later);
        if !later.is_empty() {
            out.push_str(&row(
                "not yet",
                &format!("as this ledger knows it, it would now be refused: {later}"),
            ));
        }
        out.push_str(&format!("\n  {:<9} {}\n", "next", self.next()));
        out
    }

    fn next(&self) -> String {
        let file = shell(self.file);
        match self.missing() {
            0 => format!(
                "tollgate apply {} --plan {file}   # by somebody else",
                self.read.content.environment
            ),
            _ => format!("tollgate approve {file} --as '<name>'   # somebody else's"),
        }
    }

    fn document(&self) -> Value {
        let (end, own, refusals) = match &self.report.end {
            End::Recorded(own) => ("approved", Some(own), &[][..]),
            End::Before(own) => ("approved-before", Some(own), &[][..]),
            End::UpToDate => ("up-to-date", None, &[][..]),
            End::Refused(refusals) => ("refused", None, refusals.as_slice()),
        };
        let findings = |all: &[Finding]| -> Vec<Value> {
            all.iter().map(report::plan::finding_json).collect()
        };
        json!({
            "schema": "tollgate/approve/v1",
            "end": end,
            "plan": self.read.id,
            "environment": self.read.content.environment,
            "approval": own,
            "approvals": self.report.approvals,
            "asked": self.asked,
            "missing": self.missing(),
            "refusals": findings(refusals),
            "later": findings(&self.report.later),
        })
    }
}

fn row(label: &str, text: &str) -> String {
    format!("  {label:<9} {text}\n")
}

/// The gates, each once.
fn later(findings: &[Finding]) -> String {
    let mut gates: Vec<Gate> = findings.iter().map(|it| it.gate).collect();
    gates.dedup();
    let words: Vec<&str> = gates.into_iter().map(Gate::as_str).collect();
    words.join(", ")
}
