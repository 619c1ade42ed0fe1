//! `tollgate bind ENV`

use serde_json::json;

use crate::cli::act::act;
use crate::cli::args::{Bind, Global};
use crate::cli::output::Output;
use crate::cli::project::Project;
use crate::cli::reason::must_have_a_reason;
use crate::cli::{Exit, Result};
use crate::targets::Earlier;
use crate::workflows::bind::{self, bind};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Bind) -> Result<Exit> {
    let project = Project::open(output, global)?;
    let environment = project.environment(&verb.environment)?;
    let emptied = if verb.emptied { " --emptied" } else { "" };
    must_have_a_reason(
        &verb.reason,
        &format!("tollgate bind {environment}{emptied} --reason '<why>'"),
    )?;
    let earlier = if verb.emptied {
        Earlier::Archive
    } else {
        Earlier::Keep
    };
    let ended = act(output, global, &project, &[], None, |run| {
        bind(run, &environment, verb.reason.clone(), earlier)
    })?;
    let (word, exit) = match &ended {
        bind::Bind::Already => ("already", Exit::Done),
        bind::Bind::Bound => ("bound", Exit::Done),
        bind::Bind::Refused(_) => ("refused", Exit::Refused),
    };
    if output.is_json() {
        let refusal = match &ended {
            bind::Bind::Refused(finding) => json!({
                "gate": finding.gate.as_str(),
                "found": finding.found.join("; "),
                "required": finding.required,
                "remedy": finding.remedy,
            }),
            _ => serde_json::Value::Null,
        };
        output.document(&json!({
            "schema": "tollgate/bind/v1",
            "environment": environment,
            "end": word,
            "refusal": refusal,
        }));
        return Ok(exit);
    }
    match ended {
        bind::Bind::Already => {
            output.result(&format!(
                "{environment}: already bound to this target, nothing to do\n"
            ));
        }
        bind::Bind::Bound => {
            let what = if verb.emptied {
                ", and nothing counts as applied there"
            } else {
                ""
            };
            output.result(&format!("{environment}: bound{what}\n"));
        }
        bind::Bind::Refused(finding) => {
            let paint = output.paint();
            output.result(&format!(
                "{} {environment} is not bound: {}\n  found     {}\n  required  {}\n  remedy    {}\n",
                paint.bad("refused:"),
                finding.fact,
                finding.found.join("; "),
                finding.required,
                finding.remedy
            ));
        }
    }
    Ok(exit)
}
