//! A script that could not be read: no other rule has looked at it.

use crate::lint::{Finding, Level, Rule, Script, Topic};
use crate::sql::{Analysis, NotAnalysed, line_range};

/// About loss, because nobody knows that there is none: the gate asks for the same word.
pub static RULE: Rule = Rule {
    code: "not-analysed",
    level: Level::Warning,
    topic: Topic::DataLoss,
    title: "could not be read, so that no other rule looked at it",
};

/// Where the script could not be read.
#[must_use]
pub fn check(script: &Script<'_>) -> Option<Finding> {
    let Analysis::NotAnalysed(why) = script.analysis else {
        return None;
    };
    let (fact, at) = match why {
        NotAnalysed::TooLarge { bytes } => (
            format!(
                "is too large to be read: {} MiB",
                bytes.div_ceil(1024 * 1024)
            ),
            None,
        ),
        NotAnalysed::TooDeep { offset } => ("nests too deep to be read".to_owned(), Some(*offset)),
        NotAnalysed::ParseError { offset, message } => {
            (format!("cannot be read: {message}"), Some(*offset))
        }
    };
    // From there to the end of the line, or the whole of a line that ends there.
    let range = at.map(|at| {
        let line = line_range(script.text, at);
        if at < line.end { at..line.end } else { line }
    });
    Some(Finding {
        rule: &RULE,
        migration: script.migration.clone(),
        range: range.unwrap_or(0..0),
        fact,
        consequence: "no rule looked at what it does; it runs as the bytes that stand there, alone"
            .to_owned(),
        help: "correct it if it is wrong; if the server understands it, read it twice, and say in its first line: -- tollgate:allow data-loss <reason>"
            .to_owned(),
        subject: None,
        allowed: None,
    })
}
