//! `tollgate verify ENV...`

use serde_json::{Value, json};

use crate::cli::act::act;
use crate::cli::args::{Global, Verify};
use crate::cli::output::Output;
use crate::cli::project::{Project, facts};
use crate::cli::{Exit, Result};
use crate::model::EnvironmentName;
use crate::report::{Paint, count, verify as told};
use crate::workflows::verify::{Comparison, Found, Look, verify};

pub(crate) fn run(
    output: &mut Output<'_>,
    global: &Global,
    project: &Project,
    verb: &Verify,
) -> Result<Exit> {
    let typed = verb.environments.iter();
    let names: Vec<EnvironmentName> = typed
        .map(|typed| project.environment(typed))
        .collect::<Result<_>>()?;
    for name in &names {
        project.check(name)?;
    }
    let catalog = project.catalog()?;
    let files = facts(&catalog);
    let looks = act(
        output,
        global,
        project,
        &files,
        catalog.prisma.as_ref(),
        |run| {
            let mut looks = Vec::new();
            for name in &names {
                looks.push((name.clone(), verify(run, name)?));
            }
            Ok(looks)
        },
    )?;
    let exit = looks
        .iter()
        .map(|(_, look)| exit(look))
        .max_by_key(|exit| exit.code())
        .unwrap_or(Exit::Done);
    if output.is_json() {
        output.document(&json!({
            "schema": "tollgate/verify-target/v1",
            "environments": looks.iter().map(|(name, look)| document(name, look)).collect::<Vec<_>>(),
        }));
        return Ok(exit);
    }
    let paint = output.paint();
    for (name, look) in &looks {
        let text = text(name, look, paint);
        output.result(&text);
    }
    Ok(exit)
}

fn exit(look: &Look) -> Exit {
    match look {
        Look::Other(_) => Exit::Refused,
        Look::New => Exit::Done,
        Look::Known(found) => match &found.schema {
            Comparison::Altered => Exit::Contradiction,
            Comparison::With { differences, .. } if !differences.is_empty() => Exit::Refused,
            Comparison::With { .. } | Comparison::Nothing { .. } => Exit::Done,
        },
    }
}

fn text(name: &EnvironmentName, look: &Look, paint: Paint) -> String {
    let found = match look {
        Look::New => {
            return format!("{name}: tollgate was never there, so there is nothing to compare\n");
        }
        Look::Other(finding) => {
            return format!(
                "{} {name}: {}\n  found     {}\n  required  {}\n  remedy    {}\n",
                paint.bad("not as it was:"),
                finding.fact,
                finding.found.join("; "),
                finding.required,
                finding.remedy
            );
        }
        Look::Known(found) => found,
    };
    let receipts = match found.receipts {
        0 => "no receipt".to_owned(),
        receipts => count(receipts, "receipt"),
    };
    let mut text = format!("{name}: {receipts}, sound, and all of them in the ledger\n");
    text.push_str(&schema(name, found, paint));
    text
}

fn schema(name: &EnvironmentName, found: &Found, paint: Paint) -> String {
    let objects = count(found.objects, "object");
    match &found.schema {
        Comparison::Nothing { kept } => {
            let next = if *kept {
                "it is kept now, and later looks compare with it"
            } else {
                "the next run keeps it"
            };
            format!(
                "{name}: no run kept a schema that this one ({objects}) can be compared with; {next}\n"
            )
        }
        Comparison::Altered => format!(
            "{} {name}: the schema that the newest run kept was altered, so drift cannot be told\n  remedy    tollgate log --last 20   # and look for who wrote to tollgate's own tables\n",
            paint.bad("contradiction:")
        ),
        Comparison::With {
            differences,
            halves,
            ..
        } if !differences.is_empty() => {
            let mut text = told::drift(name, differences, paint);
            for migration in halves {
                text.push_str(&format!(
                    "  note      {migration} stopped half-way, and explains some of it: tollgate plan {name}\n"
                ));
            }
            text
        }
        Comparison::With { migration, .. } => {
            let since = migration
                .as_ref()
                .map_or_else(String::new, |migration| format!(" after {migration}"));
            format!(
                "{} {name}: no drift; the schema ({objects}) is as the newest run left it{since}\n",
                paint.good("verified:")
            )
        }
    }
}

fn document(name: &EnvironmentName, look: &Look) -> Value {
    match look {
        Look::New => json!({ "environment": name, "entered": false }),
        Look::Other(finding) => json!({
            "environment": name,
            "refusal": {
                "gate": finding.gate.as_str(), "fact": finding.fact,
                "found": finding.found, "required": finding.required, "remedy": finding.remedy,
            },
        }),
        Look::Known(found) => {
            let (compared, differences) = match &found.schema {
                Comparison::Nothing { .. } => ("nothing-to-compare", Vec::new()),
                Comparison::Altered => ("altered", Vec::new()),
                Comparison::With { differences, .. } if differences.is_empty() => {
                    ("same", Vec::new())
                }
                Comparison::With { differences, .. } => ("drift", differences.clone()),
            };
            json!({
                "environment": name,
                "entered": true,
                "at": found.at,
                "receipts": found.receipts,
                "taken_in": found.taken,
                "objects": found.objects,
                "verdict": compared,
                "differences": told::json(&differences),
            })
        }
    }
}
