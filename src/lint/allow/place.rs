//! What a directive covers, by where it stands.

use std::ops::Range;

use super::Covers;
use crate::lint::Script;
use crate::sql::{Comment, line_range};

/// What a directive covers by where it stands.
pub(super) fn covers(script: &Script<'_>, comments: &[Comment], comment: &Comment) -> Covers {
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
    let first = comments.partition_point(|comment| comment.range.start < from);
    for comment in comments.get(first..).unwrap_or_default() {
        if comment.range.start >= stretch.end {
            break;
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
