//! `-- tollgate:allow <rule> <reason>`: what a script accepts of itself, in its own reviewed bytes.
//!
//! It covers the statement that it stands in, that ends on its line, or that follows it. Before the first
//! statement, with a blank line between, it covers the whole script.

mod choice;
mod place;
#[cfg(test)]
mod tests;
mod wrong;

use std::collections::BTreeSet;
use std::ops::Range;

use self::choice::Choice;
use self::place::covers;
use self::wrong::{checked, in_block, meant};
use super::rules::allowing::UNUSED;
use super::{Finding, Rule, Script};
use crate::model::entry::Engine;
use crate::sql::comments;

/// The word that a directive begins with.
const MARK: &str = "tollgate:allow";

/// The word for every rule of [`Topic::DataLoss`].
pub const DATA_LOSS: &str = "data-loss";

/// One directive that is written as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    /// Where the comment stands, in bytes.
    pub range: Range<usize>,
    /// A rule's code, or [`DATA_LOSS`].
    pub code: String,
    /// Why.
    pub reason: String,
    /// What it covers.
    pub covers: Covers,
}

/// What a directive covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Covers {
    /// Everything in the script.
    Script,
    /// What is found in this statement, given in bytes.
    Statement(Range<usize>),
    /// No statement follows it.
    Nothing,
}

/// The directives of a script.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allows {
    /// Those that allow something.
    pub allows: Vec<Allow>,
    /// What is wrong with the others.
    pub wrong: Vec<Finding>,
}

/// Marks what the script allows, and adds what is wrong with its directives. `findings` are those of this
/// script alone.
pub fn apply(engine: Engine, script: &Script<'_>, findings: &mut Vec<Finding>) {
    let read = read(engine, script);
    mark(&read.allows, findings);
    findings.extend(read.wrong);
}

/// Marks what these directives allow, each with the reason of the one that is closest to it.
pub fn mark(allows: &[Allow], findings: &mut [Finding]) {
    let choice = Choice::new(allows);
    for finding in findings {
        if finding.allowed.is_none() {
            let allow = choice.of(finding).and_then(|place| allows.get(place));
            finding.allowed = allow.map(|allow| allow.reason.clone());
        }
    }
}

/// The directives that allow nothing of all that was found in their script, and those that allow only what
/// another one allows, closer to it or before it.
#[must_use]
pub fn unused(script: &Script<'_>, allows: &[Allow], findings: &[Finding]) -> Vec<Finding> {
    let choice = Choice::new(allows);
    let used: BTreeSet<usize> = findings.iter().filter_map(|it| choice.of(it)).collect();
    let covering = choice.covering(findings);
    let idle = allows.iter().enumerate();
    idle.filter(|(place, _)| !used.contains(place))
        .map(|(place, allow)| {
            let consequence = match &allow.covers {
                _ if covering.contains(&place) => {
                    "another one, closer to it, allows all of it already"
                }
                Covers::Script => "nothing of that was found in this script",
                Covers::Statement(_) => "nothing of that was found in the statement that it covers",
                Covers::Nothing => "no statement follows it",
            };
            let fact = match covering.contains(&place) {
                true => format!("allows {}, which is allowed already", allow.code),
                false => format!("allows {}, and nothing is there to allow", allow.code),
            };
            let help = "remove it while the script has not run anywhere: it would hide what an edit brings";
            let at = allow.range.clone();
            finding(&UNUSED, script, at, fact, consequence, help)
        })
        .collect()
}

/// Reads the directives of a script.
#[must_use]
pub fn read(engine: Engine, script: &Script<'_>) -> Allows {
    let mut out = Allows::default();
    // Most scripts have none.
    if !has_name(script.text) {
        return out;
    }
    let comments = comments(engine, script.text);
    for comment in &comments {
        let Some(text) = script.text.get(comment.range.clone()) else {
            continue;
        };
        if !comment.is_line {
            out.wrong.extend(in_block(script, comment, text));
            continue;
        }
        let said = text.trim_start_matches('-').trim();
        let Some(rest) = exact(said) else {
            out.wrong.extend(meant(script, comment.range.clone(), said));
            continue;
        };
        let (code, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let (code, reason) = (code.trim_end_matches(':'), reason.trim());
        match checked(script, comment.range.clone(), code, reason) {
            Some(wrong) => out.wrong.push(wrong),
            None => out.allows.push(Allow {
                range: comment.range.clone(),
                code: code.to_owned(),
                reason: reason.to_owned(),
                covers: covers(script, &comments, comment),
            }),
        }
    }
    out
}

/// What follows the mark, where a comment begins with it exactly.
fn exact(said: &str) -> Option<&str> {
    let rest = said.strip_prefix(MARK)?;
    match rest.chars().next() {
        None => Some(""),
        Some(c) if c.is_whitespace() => Some(rest.trim_start()),
        Some(_) => None,
    }
}

/// Whether a script names tollgate at all.
fn has_name(text: &str) -> bool {
    text.as_bytes()
        .windows(8)
        .any(|window| window.eq_ignore_ascii_case(b"tollgate"))
}

fn finding(
    rule: &'static Rule,
    script: &Script<'_>,
    range: Range<usize>,
    fact: String,
    consequence: &str,
    help: &str,
) -> Finding {
    Finding {
        rule,
        migration: script.migration.clone(),
        range,
        fact,
        consequence: consequence.to_owned(),
        help: help.to_owned(),
        subject: None,
        allowed: None,
    }
}
