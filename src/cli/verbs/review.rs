//! `tollgate review FILE`

use serde_json::json;

use crate::cli::args::{Format, Global, Review};
use crate::cli::output::Output;
use crate::cli::{Exit, Result, saved};
use crate::planner::premises;
use crate::report::{plan, review};

pub(crate) fn run(output: &mut Output<'_>, global: &Global, verb: &Review) -> Result<Exit> {
    let file = verb.file.display().to_string();
    let read = match saved::read(output, global, &verb.file)? {
        Ok(read) => read,
        Err(error) => {
            let finding = premises::unfit(&error, None, &file);
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
    let seen = review::Review {
        saved: &read,
        file: &file,
        now: (output.world.now)(),
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
