//! A script that failed: file, line, column, the line itself with a caret, what the target said,
//! and what state the target is in now.

use super::Paint;
use super::snippet::{self, Spot, Weight};
use crate::model::entry::Progress;
use crate::model::{EnvironmentName, MigrationId};
use crate::planner::gates::{resolve, standing};
use crate::sql::{passwords, position};
use crate::targets::ScriptError;

/// What is told of a script that failed.
#[derive(Debug, Clone, Copy)]
pub struct Failed<'a> {
    /// Where.
    pub environment: &'a EnvironmentName,
    /// Which.
    pub migration: &'a MigrationId,
    /// The path to show, as the user would type it.
    pub path: &'a str,
    /// The text of the script.
    pub script: &'a str,
    /// What the target said.
    pub error: &'a ScriptError,
    /// What remains of it: `None`, nothing.
    pub left: Option<Progress>,
    /// Whether the same bytes can be continued after that.
    pub goes_on: bool,
    /// Environments before this one in which these bytes succeeded: edited, they would have to earn their
    /// place again.
    pub proven_in: &'a [&'a EnvironmentName],
    /// The command that tries it again.
    pub again: &'a str,
}

/// The whole story for people, ending in a line feed.
#[must_use]
pub fn text(failed: &Failed<'_>, paint: Paint) -> String {
    let what = format!("{} failed in {}", failed.migration, failed.environment);
    let mut out = said(&what, failed.path, failed.script, failed.error, paint);
    out.push_str(&format!("\n{}\n", state(failed)));
    out
}

/// What a target said of a script, with the place it points at; `what` names what failed.
#[must_use]
pub fn said(what: &str, path: &str, script: &str, error: &ScriptError, paint: Paint) -> String {
    let code = error
        .code
        .as_ref()
        .map_or_else(String::new, |code| format!(" [{code}]"));
    let title = format!("{what}: {}{code}", error.message);
    let mut out = match &error.at {
        Some(at) => {
            let spot = Spot {
                path,
                script,
                at: at.clone(),
                place: position(script, at.start),
                hidden: &passwords(script),
            };
            snippet::draw(Weight::Error, None, &title, &spot, paint)
        }
        None => format!("{} {title}\n", paint.bad("error:")),
    };
    for (label, said) in [
        ("detail", &error.detail),
        ("hint", &error.hint),
        ("context", &error.context),
    ] {
        if let Some(said) = said {
            out.push_str(&format!(
                "  {label:<8} {}\n",
                said.replace('\n', "\n           ")
            ));
        }
    }
    out
}

/// What state the target is in now, and what to do.
fn state(failed: &Failed<'_>) -> String {
    let Failed {
        environment,
        migration,
        path,
        again,
        ..
    } = failed;
    match failed.left {
        // Not the script's fault.
        None if matches!(failed.error.code.as_deref(), Some("SQLITE_FULL" | "53100")) => format!(
            "{environment} is as it was: the whole script was rolled back.\n  remedy   df -h, and make room, then: {again}"
        ),
        // Somebody else's lock: the same script may well succeed once it is free.
        None if matches!(failed.error.code.as_deref(), Some("55P03" | "40P01")) => format!(
            "{environment} is as it was: the whole script was rolled back.\n  remedy   {again}"
        ),
        None if !failed.proven_in.is_empty() => {
            let names: Vec<&str> = failed.proven_in.iter().map(|name| name.as_str()).collect();
            format!(
                "{environment} is as it was: the whole script was rolled back.\nThe same bytes succeeded in {}: what differs is what stands in {environment}. Put that right by hand, or in a\nmigration stamped before it, whose order is waived where this one ran. An edited script is refused there.\n  remedy   {again}   # afterwards",
                names.join(" and ")
            )
        }
        None => format!(
            "{environment} is as it was: the whole script was rolled back.\n  remedy   edit {path}, then: {again}"
        ),
        Some(progress) => {
            let standing = standing(progress);
            let remedy = resolve(environment, migration, failed.goes_on.then_some(progress));
            let first = if failed.goes_on {
                "Put right what made it fail, and go on with the same bytes."
            } else {
                "Undo by hand what is left first."
            };
            format!(
                "{environment} keeps what ran outside a transaction: {standing}.\n{first}\n  remedy   {remedy}"
            )
        }
    }
}
