//! `tollgate reset ENV`

use serde_json::{Value, json};

use crate::cli::act::act;
use crate::cli::args::{Global, Reset as Verb};
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::cli::project::{Project, facts};
use crate::cli::{Exit, Result};
use crate::model::EnvironmentName;
use crate::planner::Finding;
use crate::report;
use crate::workflows::reset::{Mode, Reset, Shown, reset};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Verb) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let environment = project.environment(&verb.environment)?;
    let catalog = project.catalog()?;
    let files = facts(&catalog);
    let mut ended = act(
        output,
        global,
        &project,
        &files,
        catalog.prisma.as_ref(),
        |run| {
            reset(
                run,
                &environment,
                if verb.yes { Mode::Act } else { Mode::Look },
            )
        },
    )?;
    if let Reset::Shown(shown) = &ended {
        // Neither lock is held while somebody reads: what was shown is looked at again afterwards.
        let text = report::reset::shown(
            &environment,
            &format!("{} {}", shown.engine.as_str(), shown.name),
            &shown.inventory,
            shown.receipts,
            output.paint_notes(),
        );
        output.note(&text);
        confirm(output, &environment)?;
        let shown = shown.clone();
        ended = act(
            output,
            global,
            &project,
            &files,
            catalog.prisma.as_ref(),
            |run| reset(run, &environment, Mode::ActOn(&shown)),
        )?;
    }
    Ok(tell(output, &environment, &ended))
}

/// Asks for the environment's name, where there is somebody to ask.
fn confirm(output: &mut Output<'_>, environment: &EnvironmentName) -> Result<()> {
    if !output.world.asks {
        return Err(Trouble {
            consequence: Some("nothing was changed".to_owned()),
            ..Trouble::usage(
                format!(
                    "{environment} is not emptied without a word: there is no terminal to ask on"
                ),
                format!("tollgate reset {environment} --yes"),
            )
        });
    }
    output.note(&format!("\ntype {environment} to empty it: "));
    let read = output.world.read_line();
    if output.is_interrupted() {
        return Err(Trouble {
            exit: Exit::Interrupted,
            fact: "interrupted: nothing was changed".to_owned(),
            consequence: None,
            remedy: None,
        });
    }
    match read {
        Ok(typed) if typed.trim() == environment.as_str() => Ok(()),
        Ok(_) => Err(Trouble {
            consequence: Some("nothing was changed".to_owned()),
            ..Trouble::usage(
                format!("what was typed is not {environment}"),
                format!("tollgate reset {environment}"),
            )
        }),
        Err(error) => Err(Trouble::failed(
            format!("the terminal cannot be read: {error}; nothing was changed"),
            Some(format!("tollgate reset {environment} --yes")),
        )),
    }
}

fn tell(output: &mut Output<'_>, environment: &EnvironmentName, ended: &Reset) -> Exit {
    let (word, exit) = match ended {
        Reset::Nothing => ("nothing", Exit::Done),
        Reset::Done(_) => ("reset", Exit::Done),
        Reset::Shown(_) | Reset::Changed(_) => ("changed", Exit::Refused),
        Reset::Refused(_) => ("refused", Exit::Refused),
    };
    if output.is_json() {
        output.document(&document(environment, word, ended));
        return exit;
    }
    let paint = output.paint();
    let text = match ended {
        Reset::Nothing => format!("{environment}: nothing to do, nothing stands there\n"),
        Reset::Done(shown) => format!(
            "{environment}: reset: {}; {} archived, and nothing counts as applied there\n{}",
            report::reset::went(&shown.inventory),
            report::count(shown.receipts, "receipt"),
            report::reset::left(&shown.inventory)
        ),
        Reset::Shown(_) | Reset::Changed(_) => format!(
            "{} {environment}: what stands there has changed since it was shown; nothing was changed\n  remedy    tollgate reset {environment}\n",
            paint.bad("refused:")
        ),
        Reset::Refused(finding) => format!(
            "{} {environment} is not reset: {}\n  found     {}\n  required  {}\n  remedy    {}\n",
            paint.bad("refused:"),
            finding.fact,
            finding.found.join("; "),
            finding.required,
            finding.remedy
        ),
    };
    output.result(&text);
    exit
}

/// The report as `tollgate/reset/v1`.
fn document(environment: &EnvironmentName, word: &str, ended: &Reset) -> Value {
    let shown: Option<&Shown> = match ended {
        Reset::Done(shown) | Reset::Changed(shown) | Reset::Shown(shown) => Some(shown),
        Reset::Nothing | Reset::Refused(_) => None,
    };
    let refusal = |finding: &Finding| {
        json!({
            "gate": finding.gate.as_str(),
            "fact": finding.fact,
            "found": finding.found.join("; "),
            "required": finding.required,
            "remedy": finding.remedy,
        })
    };
    json!({
        "schema": "tollgate/reset/v1",
        "environment": environment,
        "end": word,
        "goes": shown.map(|shown| report::reset::parts(&shown.inventory.goes)),
        "stays": shown.map(|shown| report::reset::parts(&shown.inventory.stays)),
        "archived": shown.map(|shown| shown.receipts),
        "refusal": match ended {
            Reset::Refused(finding) => refusal(finding),
            _ => Value::Null,
        },
    })
}
