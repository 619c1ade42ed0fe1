//! `-- tollgate:allow <rule> <reason>`: what a script accepts of itself, in its own reviewed bytes.
//!
//! It covers the statement that it stands in, that ends on its line, or that follows it. Before the first
//! statement, with a blank line between, it covers the whole script.

use std::ops::Range;

use super::rules;
use super::rules::allowing::{MISSPELT, UNKNOWN, UNUSED, WITHOUT_REASON};
use super::{Finding, Rule, Script, Topic};
use crate::model::entry::Engine;
use crate::sql::{Comment, comments, line_range};

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

impl Allow {
    /// Whether it covers what was found.
    #[must_use]
    pub fn allows(&self, finding: &Finding) -> bool {
        let named = self.code == finding.rule.code
            || (self.code == DATA_LOSS && finding.rule.topic == Topic::DataLoss);
        let about_directives = rules::allowing::ALL.contains(&finding.rule);
        let covered = match &self.covers {
            Covers::Script => true,
            Covers::Statement(range) => {
                !finding.range.is_empty()
                    && range.start <= finding.range.start
                    && finding.range.start < range.end
            }
            Covers::Nothing => false,
        };
        named && covered && !about_directives
    }
}

/// Marks what the script allows, and adds what is wrong with its directives. `findings` are those of this
/// script alone.
pub fn apply(engine: Engine, script: &Script<'_>, findings: &mut Vec<Finding>) {
    let read = read(engine, script);
    mark(&read.allows, findings);
    findings.extend(read.wrong);
}

/// Marks what these directives allow.
pub fn mark(allows: &[Allow], findings: &mut [Finding]) {
    for finding in findings {
        if finding.allowed.is_none() {
            let allow = allows.iter().find(|allow| allow.allows(finding));
            finding.allowed = allow.map(|allow| allow.reason.clone());
        }
    }
}

/// The directives that allow nothing of all that was found in their script.
#[must_use]
pub fn unused(script: &Script<'_>, allows: &[Allow], findings: &[Finding]) -> Vec<Finding> {
    let idle = allows
        .iter()
        .filter(|allow| !findings.iter().any(|finding| allow.allows(finding)));
    idle.map(|allow| {
        let consequence = match &allow.covers {
            Covers::Script => "nothing of that was found in this script",
            Covers::Statement(_) => "nothing of that was found in the statement that it covers",
            Covers::Nothing => "no statement follows it",
        };
        let fact = format!("allows {}, and nothing is there to allow", allow.code);
        let help =
            "remove it while the script has not run anywhere: it would hide what an edit brings";
        finding(
            &UNUSED,
            script,
            allow.range.clone(),
            fact,
            consequence,
            help,
        )
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

/// What is wrong with a directive, if anything is.
fn checked(script: &Script<'_>, at: Range<usize>, code: &str, reason: &str) -> Option<Finding> {
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

/// What follows the mark, where a comment begins with it exactly.
fn exact(said: &str) -> Option<&str> {
    let rest = said.strip_prefix(MARK)?;
    match rest.chars().next() {
        None => Some(""),
        Some(c) if c.is_whitespace() => Some(rest.trim_start()),
        Some(_) => None,
    }
}

/// A finding, where a comment is meant to be a directive: another case, blanks, a sign or a letter off.
fn meant(script: &Script<'_>, at: Range<usize>, said: &str) -> Option<Finding> {
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
fn in_block(script: &Script<'_>, comment: &Comment, text: &str) -> Option<Finding> {
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

/// What a directive covers by where it stands.
fn covers(script: &Script<'_>, comments: &[Comment], comment: &Comment) -> Covers {
    let at = comment.range.start;
    let Some(statements) = script.analysis.statements() else {
        // Where statements begin and end is not known: only what stands before all of them is clear.
        let blank = |c: char| c == COMMENT || c.is_whitespace();
        return match bare(script.text, comments, 0..at).chars().all(blank) {
            true => Covers::Script,
            false => Covers::Nothing,
        };
    };
    let after = statements.partition_point(|statement| statement.range.start < at);
    let before = after.checked_sub(1).and_then(|last| statements.get(last));
    if let Some(before) = before {
        // What stands between has no words: it is blank, comment, or the semicolon.
        let ended = bare(script.text, comments, before.range.end.min(at)..at).contains(';');
        let same_line = line_range(script.text, at).start < before.range.end;
        if at < before.range.end || !ended || same_line {
            return Covers::Statement(before.range.clone());
        }
    }
    match statements.get(after) {
        None => Covers::Nothing,
        Some(next) => {
            let between = bare(script.text, comments, comment.range.end..next.range.start);
            if before.is_none() && has_blank_line(&between) {
                Covers::Script
            } else {
                Covers::Statement(next.range.clone())
            }
        }
    }
}

/// What stands in the place of a comment in [`bare`].
const COMMENT: char = '\u{1}';

/// A stretch of a script with [`COMMENT`] in place of each comment in it.
fn bare(text: &str, comments: &[Comment], stretch: Range<usize>) -> String {
    let mut out = String::new();
    let mut from = stretch.start;
    for comment in comments {
        if comment.range.start < from || comment.range.start >= stretch.end {
            continue;
        }
        out.push_str(text.get(from..comment.range.start).unwrap_or_default());
        out.push(COMMENT);
        from = comment.range.end;
    }
    out.push_str(text.get(from..stretch.end.max(from)).unwrap_or_default());
    out
}

/// Whether a whole line of it is blank: the first and the last one belong to what stands around it.
fn has_blank_line(between: &str) -> bool {
    let lines: Vec<&str> = between.split('\n').collect();
    let inner = lines
        .get(1..lines.len().saturating_sub(1))
        .unwrap_or_default();
    inner.iter().any(|line| line.trim().is_empty())
}

/// Whether a script names tollgate at all.
fn has_name(text: &str) -> bool {
    text.as_bytes()
        .windows(8)
        .any(|window| window.eq_ignore_ascii_case(b"tollgate"))
}

fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|rule| (strsim::damerau_levenshtein(word, rule), rule))
        .filter(|(distance, rule)| *distance <= 1 + rule.len().min(word.len()) / 3)
        .min()
        .map(|(_, rule)| rule)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lint::Level;
    use crate::model::MigrationId;
    use crate::sql::analyse;

    static DROP: Rule = Rule {
        code: "removed",
        level: Level::Error,
        topic: Topic::DataLoss,
        title: "a rule of these tests",
    };

    fn on_both(text: &str, check: impl Fn(Engine, &Script<'_>)) {
        for engine in [Engine::Postgresql, Engine::Sqlite] {
            let analysis = analyse(engine, text);
            let migration = MigrationId::new("1_a");
            check(
                engine,
                &Script {
                    migration: &migration,
                    text,
                    analysis: &analysis,
                    changes: &[],
                },
            );
        }
    }

    /// The tables whose drop is allowed, and the codes of what is wrong.
    fn allowed(text: &str, expected: &[&str], wrong: &[&str]) {
        on_both(text, |engine, script| {
            let mut findings: Vec<Finding> = text
                .match_indices("DROP TABLE ")
                .map(|(at, found)| {
                    let table = &text[at + found.len()..at + found.len() + 1];
                    finding(&DROP, script, at..at + 12, table.to_owned(), "", "")
                })
                .collect();
            let all = findings.len();
            apply(engine, script, &mut findings);
            let read = read(engine, script);
            findings.extend(unused(script, &read.allows, &findings[..all]));
            let (drops, others) = findings.split_at(all);
            let marked: Vec<&str> = drops
                .iter()
                .filter(|drop| drop.allowed.is_some())
                .map(|drop| drop.fact.as_str())
                .collect();
            let codes: Vec<&str> = others.iter().map(|other| other.rule.code).collect();
            assert_eq!(
                (marked.as_slice(), codes.as_slice()),
                (expected, wrong),
                "{engine:?} {text}"
            );
        });
    }

    #[test]
    fn a_directive_covers_the_statement_that_follows_it() {
        allowed(
            "SELECT 1;\n-- tollgate:allow data-loss empty\nDROP TABLE a;\nDROP TABLE b;",
            &["a"],
            &[],
        );
        allowed(
            "SELECT 1;\n-- tollgate:allow removed empty\n\n-- DropTable\nDROP TABLE a;",
            &["a"],
            &[],
        );
        allowed(
            "-- tollgate:allow removed empty\nDROP TABLE a;\nDROP TABLE b;",
            &["a"],
            &[],
        );
        allowed(
            "-- tollgate:allow removed empty\r\n/* why\r\n\r\n*/\r\nDROP TABLE a;\r\nDROP TABLE b;",
            &["a"],
            &[],
        );
    }

    #[test]
    fn a_directive_covers_the_statement_on_whose_line_or_in_which_it_stands() {
        allowed(
            "DROP TABLE a; -- tollgate:allow removed empty\nDROP TABLE b;",
            &["a"],
            &[],
        );
        allowed(
            "DROP TABLE a -- tollgate:allow removed empty\n;\nDROP TABLE b;",
            &["a"],
            &[],
        );
        allowed(
            "DROP TABLE a\n-- tollgate:allow removed empty\n;\nDROP TABLE b;",
            &["a"],
            &[],
        );
        allowed(
            "DROP TABLE /* ; */ -- tollgate:allow removed empty\na;DROP TABLE b;",
            &["/"],
            &[],
        );
        allowed(
            "DROP TABLE a; DROP TABLE b; -- tollgate:allow removed empty",
            &["b"],
            &[],
        );
    }

    #[test]
    fn a_directive_in_the_header_covers_the_script() {
        allowed(
            "-- tollgate:allow removed empty\n\nDROP TABLE a;\nDROP TABLE b;",
            &["a", "b"],
            &[],
        );
        allowed(
            "-- Reverts x\n-- tollgate:allow data-loss empty\n-- y\n \t\n-- z\nDROP TABLE a;\nDROP TABLE b;",
            &["a", "b"],
            &[],
        );
        allowed(
            "\n\n-- tollgate:allow removed empty\r\n\r\nDROP TABLE a;\r\nDROP TABLE b;",
            &["a", "b"],
            &[],
        );
    }

    #[test]
    fn a_directive_that_allows_nothing_is_told() {
        allowed(
            "-- tollgate:allow removed empty\nSELECT 1;\nDROP TABLE a;",
            &[],
            &["allow-unused"],
        );
        allowed(
            "DROP TABLE a;\n-- tollgate:allow removed empty\n",
            &[],
            &["allow-unused"],
        );
        allowed(
            "-- tollgate:allow order empty\n\nDROP TABLE a;",
            &[],
            &["allow-unused"],
        );
        allowed(
            "SELECT '\n-- tollgate:allow removed empty\n'; DROP TABLE a;",
            &[],
            &[],
        );
    }

    #[test]
    fn a_directive_needs_a_rule_and_a_reason() {
        for (said, code) in [
            ("-- tollgate:allow", "allow-without-reason"),
            ("-- tollgate:allow removed", "allow-without-reason"),
            ("-- tollgate:allow removed <reason>", "allow-without-reason"),
            ("-- tollgate:allow removed: ...", "allow-without-reason"),
            ("-- tollgate:allow remvoed it is empty", "allow-unknown"),
            ("-- tollgate:allow everything it is empty", "allow-unknown"),
            ("-- Tollgate:allow removed it is empty", "allow-misspelt"),
            ("-- tollgate: allow removed it is empty", "allow-misspelt"),
            ("-- tollgate-allow removed it is empty", "allow-misspelt"),
            ("-- tollgate:allows removed it is empty", "allow-misspelt"),
            ("-- tollgate:allow, removed it is empty", "allow-misspelt"),
            ("-- @tollgate:alow removed it is empty", "allow-misspelt"),
            ("-- tollgate allow removed it is empty", "allow-misspelt"),
            ("/* tollgate:allow removed it is empty */", "allow-misspelt"),
            (
                "/*\n * tollgate:allow removed it is empty\n */",
                "allow-misspelt",
            ),
        ] {
            allowed(&format!("{said}\n\nDROP TABLE a;"), &[], &[code]);
        }
        for said in [
            "-- tollgate:down lossless",
            "-- tollgate allows this",
            "-- see tollgate:allow in the docs",
            "-- written by tollgate: all of it",
            "-- tollgate: also see the docs",
        ] {
            allowed(&format!("{said}\n\nDROP TABLE a;"), &[], &[]);
        }
        allowed(
            "--tollgate:allow\tremoved: nobody reads it\n\nDROP TABLE a;",
            &["a"],
            &[],
        );
    }

    #[test]
    fn the_nearest_rule_is_named() {
        on_both(
            "-- tollgate:allow data-los x\nSELECT 1",
            |engine, script| {
                let wrong = read(engine, script).wrong;
                assert_eq!(wrong[0].help, "did you mean data-loss?");
            },
        );
    }

    #[test]
    fn of_a_script_that_was_not_analysed_only_the_header_is_clear() {
        let header =
            "-- tollgate:allow removed why\nDROP TABEL a;\n-- tollgate:allow removed why\nDROP";
        on_both(header, |engine, script| {
            assert!(script.analysis.statements().is_none());
            let covers: Vec<Covers> = read(engine, script)
                .allows
                .into_iter()
                .map(|allow| allow.covers)
                .collect();
            assert_eq!(covers, [Covers::Script, Covers::Nothing], "{engine:?}");
        });
    }
}
