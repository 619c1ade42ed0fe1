//! Directives that are not written as they should be.

use std::ops::Range;

use super::{DATA_LOSS, MARK, exact, finding};
use crate::lint::rules::allowing::{MISSPELT, UNKNOWN, WITHOUT_REASON};
use crate::lint::{Finding, Script, rules};
use crate::sql::Comment;

/// What is wrong with a directive, if anything is.
pub(super) fn checked(
    script: &Script<'_>,
    at: Range<usize>,
    code: &str,
    reason: &str,
) -> Option<Finding> {
    let known = || rules::all().map(|rule| rule.code).chain([DATA_LOSS]);
    if code.is_empty() {
        return Some(finding(
            &WITHOUT_REASON,
            script,
            at,
            "allows nothing: it names no rule, and gives no reason".to_owned(),
            "it is as if it were not there",
            "write -- tollgate:allow <rule> <reason>",
        ));
    }
    if !known().any(|rule| rule == code) {
        let near = nearest(code, known());
        let help = match near {
            Some(near) => format!("did you mean {near}?"),
            None => format!("name a rule by its code, or {DATA_LOSS} for every rule about it"),
        };
        return Some(finding(
            &UNKNOWN,
            script,
            at,
            format!("allows {code}, and there is no such rule"),
            "it is as if it were not there",
            &help,
        ));
    }
    // Copied as the remedy has it, it is nobody's reason.
    let is_blank_form = reason.starts_with('<') && reason.ends_with('>');
    if is_blank_form || !reason.contains(char::is_alphanumeric) {
        return Some(finding(
            &WITHOUT_REASON,
            script,
            at,
            format!("allows {code} without a reason"),
            "it is as if it were not there: who reviews it has nothing to agree to",
            &format!("write why: -- {MARK} {code} <reason>"),
        ));
    }
    None
}

/// A finding, where a comment is meant to be a directive: another case, blanks, a sign or a letter off.
pub(super) fn meant(script: &Script<'_>, at: Range<usize>, said: &str) -> Option<Finding> {
    is_meant(said).then(|| {
        finding(
            &MISSPELT,
            script,
            at,
            format!("{said:?} is not read as a directive"),
            "it allows nothing",
            &format!("write -- {MARK} <rule> <reason>, in small letters and with one blank after each word"),
        )
    })
}

fn is_meant(said: &str) -> bool {
    let said = said
        .trim_start_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase();
    let Some(rest) = said.strip_prefix("tollgate") else {
        return false;
    };
    let word = rest.trim_start_matches(|c: char| !c.is_alphanumeric());
    let signs = &rest[..rest.len() - word.len()];
    let end = word
        .find(|c: char| !c.is_alphanumeric())
        .unwrap_or(word.len());
    let word = &word[..end];
    if signs.contains([':', '=', '-', '_', '/', '@', '.']) {
        strsim::damerau_levenshtein(word, "allow") <= 1
            || ["allowed", "allows", "ignore", "disable", "permit"].contains(&word)
    } else {
        // In prose "tollgate allows ..." is no directive.
        word == "allow"
    }
}

/// A directive within a block comment.
pub(super) fn in_block(script: &Script<'_>, comment: &Comment, text: &str) -> Option<Finding> {
    let mut at = comment.range.start;
    for line in text.split_inclusive('\n') {
        let said = line.trim_matches(|c: char| c.is_whitespace() || "/*".contains(c));
        if exact(said).is_some() || is_meant(said) {
            let begin = at + line.find(said).unwrap_or_default();
            return Some(finding(
                &MISSPELT,
                script,
                begin..begin + said.len(),
                format!("{said:?} stands in a block comment, where no directive is read"),
                "it allows nothing",
                &format!("write it as a line of its own: -- {MARK} <rule> <reason>"),
            ));
        }
        at += line.len();
    }
    None
}

fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|rule| (strsim::damerau_levenshtein(word, rule), rule))
        .filter(|(distance, rule)| *distance <= 1 + rule.len().min(word.len()) / 3)
        .min()
        .map(|(_, rule)| rule)
}
