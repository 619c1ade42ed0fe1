//! `tollgate plan ENV [--out FILE]`

use std::collections::BTreeSet;

use crate::cli::args::{Global, Plan};
use crate::cli::output::Output;
use crate::cli::project::{Project, facts, up_to};
use crate::cli::{Exit, Result, github, saved};
use crate::ledger;
use crate::planner::gates::approval::nobody;
use crate::planner::premises::Held;
use crate::planner::{self, Inputs, Verdict};
use crate::report;
use crate::report::plan::Ending;

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Plan) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let environment = project.environment(&verb.environment)?;
    let now = (output.world.now)();
    let wanted = saved::Wanted::read(output, global, verb, now)?;
    let catalog = project.catalog_and_rest(output)?;
    let files = facts(&catalog);
    let to = up_to(verb.to.as_ref(), &files)?;
    let loaded = ledger::read_state(&project.config.ledger, &project.config.policy)?;
    project.note_missing_ledger(output);
    project.note_work(output);
    output.note_strays(&loaded.strays);
    let (plan, answers) = planner::plan_and_why(&Inputs {
        environment: &environment,
        engine: project.engine(&environment),
        policy: &project.config.policy,
        files: &files,
        folder: &project.folder(),
        prisma: catalog.prisma.as_ref(),
        view: &loaded.view,
        kept: &loaded.kept,
        to: to.as_ref(),
        live: None,
        now,
        in_use: &BTreeSet::new(),
        approving: match &wanted {
            Some(wanted) => planner::Approving::Saving(&wanted.name),
            None => planner::Approving::Unsaved,
        },
    });
    let verdict = plan.verdict();
    let kept = match &wanted {
        Some(wanted) if verdict == Verdict::Ready => {
            let made = saved::Made {
                plan: &plan,
                answers: &answers,
                files: &files,
                view: &loaded.view,
                now,
            };
            Some((wanted.write(output, &project, &made)?, wanted))
        }
        _ => None,
    };
    if output.is_json() {
        let mut document = report::plan::json(&plan);
        if let Some((saved, wanted)) = &kept {
            document["saved"] = serde_json::json!({
                "file": wanted.name,
                "id": saved.id,
                "expires": saved.content.expires,
                "change": saved.content.change,
                "git": saved.content.git,
            });
        }
        output.document(&document);
    } else {
        let ending = match &kept {
            Some((saved, wanted)) => Ending::Saved(saved, &wanted.name),
            None => Ending::To(to.as_ref()),
        };
        if github::wants_text(output) {
            let text = report::plan::text(&plan, ending, output.paint());
            output.result(&text);
        }
        if output.is_github() {
            let page = report::summary::plan(&plan, ending);
            let paths = github::paths(&project, &catalog);
            let annotations = report::plan::annotations(&plan, &paths);
            github::tell(output, &page, annotations);
        }
    }
    if let Some((saved, wanted)) = &kept
        && let Some(asked) = project.config.policy.approvals(&environment)
        && asked.not_by_author
    {
        let held = Held {
            saved,
            file: &wanted.name,
            by: None,
        };
        if let Some(finding) = nobody(&environment, held) {
            output.note(&format!(
                "{} nobody can approve it: {}\n\n  remedy   {}\n",
                output.paint_notes().warn("warning:"),
                finding.found.join("; "),
                finding.remedy
            ));
        }
    }
    if let Some(wanted) = wanted.filter(|_| verdict != Verdict::Ready) {
        let why = match verdict {
            Verdict::UpToDate => "there is nothing to do",
            _ => "the plan is refused",
        };
        output.note(&format!("{}: not written: {why}\n", wanted.name));
    }
    Ok(match verdict {
        Verdict::Refused => Exit::Refused,
        Verdict::Ready | Verdict::UpToDate => Exit::Done,
    })
}
